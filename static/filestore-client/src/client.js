/**
 * Filestore's client for browsers: files go straight to S3, and what a form submits are their ids.
 *
 *     const client = new FilestoreClient('https://….execute-api.….amazonaws.com/prod');
 *     const { id } = await client.upload(file, { onprogress: ({ loaded, total }) => … }).done;
 */

import { describe, refuse } from './description.js';
import { UploadError } from './errors.js';
import { call } from './http.js';
import { claim, dropToken, forget, keepToken, nextOrder, remember, tokenOf } from './memory.js';
import { put } from './put.js';
import { say } from './texts.js';

export { submitted, unsubmitted, wasSubmitted } from './memory.js';
export { TEXTS } from './texts.js';
export { UploadError };
/** For adapters. */
export { call, claim, say };
export { group } from './memory.js';

/** @typedef {import('./memory.js').UnsubmittedUpload} UnsubmittedUpload */
/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {import('./texts.js').Texts} Texts */

/**
 * @typedef {object} ClientOptions
 * @property {number} [maxFileSize] bytes. S3 takes at most 5 GB in one PUT.
 * @property {string[]} [acceptedFileTypes] MIME types, such as `image/*` or `application/pdf`, and endings such as `.pdf`
 * @property {Record<string, string>} [headers] sent with every call of the API; its CORS settings have to allow them
 * @property {string | false} [restoreAs] the name under which uploads are found again after a reload; unless set, the
 *   page's path and query. false: nothing is found again.
 * @property {number} [lifetime] seconds after which an upload that nobody stored is gone: the stack's
 *   UnstoredFileLifetime; an hour unless set
 * @property {number} [stallTimeout] seconds without any progress after which an upload is tried again; 30 unless set
 * @property {Texts} [texts] messages in other words or another language, by their keys in `TEXTS`
 */

/**
 * @typedef {object} UploadOptions
 * @property {Record<string, unknown>} [metadata] its strings, numbers and booleans are kept with the file, as strings
 * @property {string} [name] another one than the file's own
 * @property {string | Promise<string>} [type] another one than the file's own
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
const DEFAULT_STALL_TIMEOUT = 30;

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

  /**
   * What this form had begun before a reload, oldest first: what is uploaded, and what was interrupted (`pending`).
   *
   * @returns {import('./memory.js').Remembered[]}
   */
  restorable() {
    const restoreAs = this.#restoreAs;
    return claim((upload) => upload.restoreAs === restoreAs);
  }

  /**
   * @param {unknown} reason why an upload or an undo failed
   * @returns {string} in words for the person who uploads
   */
  explain(reason) {
    return reason instanceof UploadError ? reason.message : say('unexpected', {}, this.#options.texts);
  }

  get #restoreAs() {
    return this.#options.restoreAs ?? location.pathname + location.search;
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
  async #send(file, { metadata = {}, name = file.name, type = file.type, onprogress = nothing, onwait = nothing }, signal) {
    const { maxFileSize, acceptedFileTypes, headers = {}, stallTimeout = DEFAULT_STALL_TIMEOUT, texts } = this.#options;
    const order = nextOrder();
    /** @type {import('./http.js').Wait} */
    const wait = (key) => onwait(key && say(key, {}, texts));
    const progress = onlyForwards(file.size, onprogress, wait);
    /** @type {Ticket | undefined} */
    let ticket;
    const leave = stayUntil();
    try {
      const described = { name, size: file.size, type: await type };
      refuse(described, maxFileSize, acceptedFileTypes);
      /** @param {Ticket} given */
      const keep = (given, pending = true) => this.#remember({ ...described, ...given, order, pending });
      const begin = async () => {
        if (ticket) forget([ticket.id]);
        ticket = await this.#ask({ method: 'POST', json: describe(described, metadata), headers, signal, wait });
        keep(ticket);
        await put(file, ticket, { signal, stallTimeout, wait, progress });
        return ticket;
      };

      const arrived = await begin().catch((reason) => {
        if (!(reason instanceof UploadError) || !ticket || reason.status !== FORBIDDEN) throw reason;
        // The URL has expired, most likely: the file waited too long for its turn, or the computer was asleep.
        return begin();
      });
      signal.throwIfAborted();
      keep(arrived, false);
      return { id: arrived.id, ...described };
    } catch (reason) {
      // Nobody waits for this one. Where it fails the upload is left to expire.
      if (ticket && signal.aborted) this.undo(ticket.id).catch(nothing);
      else if (ticket) forget([ticket.id]);
      throw this.#translated(reason);
    } finally {
      leave();
    }
  }

  /**
   * @param {Parameters<typeof call>[1]} request
   * @returns {Promise<Ticket>}
   */
  async #ask(request) {
    const wrong = new UploadError('wrongAddress', { values: { url: this.#root } });
    // A path leads to an API behind the page's own origin; anything else would be looked for beside the page.
    if (!/^(https?:\/)?\/./i.test(this.#root)) throw wrong;
    const ticket = await (await call(`${this.#root}/file`, request)).json().catch(nothing);
    if (!ticket?.url) throw wrong;
    return ticket;
  }

  /** @param {import('./description.js').Described & Ticket & { order: number, pending: boolean }} upload */
  #remember({ id, token, name, size, type, order, pending }) {
    keepToken(id, token);
    const restoreAs = this.#restoreAs;
    if (!restoreAs) return;
    const uploadedAt = Date.now();
    const expiresAt = uploadedAt + (this.#options.lifetime ?? DEFAULT_LIFETIME) * 1000;
    remember({ id, token, name, size, type, restoreAs, uploadedAt, expiresAt, order, pending });
  }
}

function nothing() {
  return undefined;
}

let underWay = 0;

/**
 * While something is under way, the browser asks before the page is left.
 *
 * @returns {() => void} to be called when it is done
 */
function stayUntil() {
  underWay += 1;
  if (underWay === 1) addEventListener('beforeunload', ask);
  return () => {
    underWay -= 1;
    if (underWay === 0) removeEventListener('beforeunload', ask);
  };
}

/** @param {BeforeUnloadEvent} event */
function ask(event) {
  event.preventDefault();
}

/**
 * Another attempt starts from nothing, but a progress bar that jumps back looks broken: it stands still, and why is told.
 *
 * @param {number} total
 * @param {(progress: Progress) => void} onprogress
 * @param {import('./http.js').Wait} wait
 * @returns {(loaded: number) => void}
 */
function onlyForwards(total, onprogress, wait) {
  let furthest = 0;
  let isCatchingUp = false;
  return (loaded) => {
    if (isCatchingUp !== loaded < furthest) {
      isCatchingUp = loaded < furthest;
      wait(isCatchingUp ? 'catchingUp' : '');
    }
    furthest = Math.max(furthest, loaded);
    if (total > 0) onprogress({ loaded: Math.min(furthest, total), total });
  };
}
