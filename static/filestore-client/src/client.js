/**
 * Filestore's client for browsers: files go straight to S3, and what a form submits are their ids.
 *
 *     const client = new FilestoreClient('https://….execute-api.….amazonaws.com/prod');
 *     const { id } = await client.upload(file, { onprogress: ({ loaded, total }) => … }).done;
 */

import { describe, refuse } from './description.js';
import { UploadError } from './errors.js';
import { call } from './http.js';
import { dropToken, forget, keepToken, remember, remembered, tokenOf } from './memory.js';
import { put } from './put.js';
import { say } from './texts.js';

export { submitted, unsubmitted } from './memory.js';
export { TEXTS } from './texts.js';
/** For adapters. */
export { call, say, UploadError };

/** @typedef {import('./memory.js').UnsubmittedUpload} UnsubmittedUpload */
/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {import('./texts.js').Texts} Texts */

/**
 * @typedef {object} ClientOptions
 * @property {number} [maxFileSize] bytes. S3 takes at most 5 GB in one PUT.
 * @property {string[]} [acceptedFileTypes] MIME types, such as `image/*` or `application/pdf`
 * @property {Record<string, string>} [headers] sent with every call of the API; its CORS settings have to allow them
 * @property {string | false} [restoreAs] the name under which uploads are found again after a reload; unless set, the
 *   page's path. false: nothing is found again.
 * @property {number} [lifetime] seconds after which an upload that nobody stored is gone: the stack's
 *   UnstoredFileLifetime; an hour unless set
 * @property {Texts} [texts] messages in other words or another language, by their keys in `TEXTS`
 */

/**
 * @typedef {object} UploadOptions
 * @property {Record<string, unknown>} [metadata] its strings are kept with the file
 * @property {(progress: Progress) => void} [onprogress] never goes back
 * @property {(message: string) => void} [onwait] the upload has to wait; the message is empty when it goes on
 */

/**
 * @typedef {object} Progress
 * @property {number} loaded bytes
 * @property {number} total bytes
 */

/**
 * @typedef {object} Upload an upload that is under way
 * @property {Promise<UploadedFile>} done rejects with an UploadError, or with an AbortError after `abort()`
 * @property {() => void} abort stops it, and takes back what has arrived. What is done is taken back by `undo`.
 */

/**
 * @typedef {object} UploadedFile
 * @property {string} id what a form submits
 * @property {string} name
 * @property {number} size bytes
 * @property {string} type
 */

/**
 * The API's answer to a request for an upload.
 *
 * @typedef {object} Ticket
 * @property {string} id
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {string} token
 */

const DEFAULT_LIFETIME = 3600;

const FORBIDDEN = 403;
const NOT_FOUND = 404;
const CONFLICT = 409;

export class FilestoreClient {
  #root;
  #options;

  /**
   * @param {string} apiRootUrl the stack's output ApiRootUrl
   * @param {ClientOptions} [options]
   */
  constructor(apiRootUrl, options = {}) {
    this.#root = apiRootUrl.replace(/\/+$/, '');
    this.#options = options;
  }

  /**
   * @param {File} file
   * @param {UploadOptions} [options]
   * @returns {Upload}
   */
  upload(file, options = {}) {
    const controller = new AbortController();
    const done = this.#send(file, options, controller.signal);
    // Whoever only aborts need not look at what becomes of it.
    done.catch(() => undefined);
    return { done, abort: () => controller.abort() };
  }

  /**
   * Takes an upload of this tab back that is not stored. What is unknown here is left to expire.
   *
   * @param {string} id
   */
  async undo(id) {
    const token = tokenOf(id);
    if (token === undefined) return;
    // What was taken away must not come back with a reload, even where this fails and it is left to expire.
    forget([id]);
    const headers = { ...this.#options.headers, 'x-upload-token': token };
    try {
      await call(`${this.#root}/file/${encodeURIComponent(id)}`, { method: 'DELETE', headers });
    } catch (reason) {
      if (!(reason instanceof UploadError)) throw reason;
      if (reason.status === CONFLICT) throw this.#translated(new UploadError('alreadyStored', { status: CONFLICT }));
      if (reason.status !== NOT_FOUND) throw this.#translated(reason);
    }
    dropToken(id);
  }

  /** @returns {UnsubmittedUpload[]} what this form has uploaded before a reload, oldest first */
  restorable() {
    const restoreAs = this.#restoreAs;
    return remembered().filter((upload) => upload.restoreAs === restoreAs);
  }

  /**
   * @param {unknown} reason why an upload or an undo failed
   * @returns {string} in words for the person who uploads
   */
  explain(reason) {
    return reason instanceof UploadError ? reason.message : say('unexpected', {}, this.#options.texts);
  }

  get #restoreAs() {
    return this.#options.restoreAs ?? location.pathname;
  }

  /**
   * @template Reason
   * @param {Reason} reason
   * @returns {Reason}
   */
  #translated(reason) {
    if (reason instanceof UploadError) reason.translate(this.#options.texts ?? {});
    return reason;
  }

  /**
   * @param {File} file
   * @param {UploadOptions} options
   * @param {AbortSignal} signal
   * @returns {Promise<UploadedFile>}
   */
  async #send(file, { metadata = {}, onprogress = () => undefined, onwait = () => undefined }, signal) {
    const { maxFileSize, acceptedFileTypes, headers = {}, texts } = this.#options;
    /** @type {import('./http.js').Wait} */
    const wait = (key) => onwait(key && say(key, {}, texts));
    const progress = onlyForwards(file, onprogress);
    /** @returns {Promise<Ticket>} */
    const begin = async () => {
      const json = describe(file, metadata);
      return (await call(`${this.#root}/file`, { method: 'POST', json, headers, signal, wait })).json();
    };

    /** @type {Ticket | undefined} */
    let ticket;
    try {
      refuse(file, maxFileSize, acceptedFileTypes);
      ticket = await begin();
      try {
        await put(file, ticket, { signal, wait, progress });
      } catch (reason) {
        if (!(reason instanceof UploadError) || reason.status !== FORBIDDEN) throw reason;
        // The URL has expired, most likely: the file waited too long for its turn, or the computer was asleep.
        ticket = await begin();
        await put(file, ticket, { signal, wait, progress });
      }
      signal.throwIfAborted();
      return this.#keep(file, ticket);
    } catch (reason) {
      if (signal.aborted && ticket) {
        // Nobody waits for this one. Where it fails the upload is left to expire.
        keepToken(ticket.id, ticket.token);
        this.undo(ticket.id).catch(() => undefined);
      }
      throw this.#translated(reason);
    }
  }

  /**
   * @param {File} file
   * @param {Ticket} ticket
   * @returns {UploadedFile}
   */
  #keep({ name, size, type }, { id, token }) {
    keepToken(id, token);
    const restoreAs = this.#restoreAs;
    if (restoreAs) {
      const uploadedAt = Date.now();
      const expiresAt = uploadedAt + (this.#options.lifetime ?? DEFAULT_LIFETIME) * 1000;
      remember({ id, token, name, size, type, restoreAs, uploadedAt, expiresAt });
    }
    return { id, name, size, type };
  }
}

/**
 * Another attempt starts from nothing, but a progress bar that jumps back looks broken.
 *
 * @param {File} file
 * @param {(progress: Progress) => void} onprogress
 * @returns {(loaded: number) => void}
 */
function onlyForwards({ size: total }, onprogress) {
  let furthest = 0;
  return (loaded) => {
    furthest = Math.max(furthest, loaded);
    if (total > 0) onprogress({ loaded: Math.min(furthest, total), total });
  };
}
