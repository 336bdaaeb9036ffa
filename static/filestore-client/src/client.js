/**
 * Filestore's client for browsers: files go straight to S3, and what a form submits are their ids.
 *
 *     const client = new FilestoreClient('https://….execute-api.….amazonaws.com/prod');
 *     const { id } = await client.upload(file, { onprogress: ({ loaded, total }) => … }).done;
 */

import { UploadError } from './errors.js';
import { call } from './http.js';
import { claim, dropToken, forget, tokenOf } from './memory.js';
import { Queue } from './queue.js';
import { Steering } from './steering.js';
import { say } from './texts.js';
import { Sending } from './upload.js';

export { submitted, unsubmitted, wasSubmitted } from './memory.js';
export { readableSize, TEXTS } from './texts.js';
export { UploadError };
/** For adapters. */
export { call, claim, say };
export { group } from './memory.js';

/** @typedef {import('./memory.js').UnsubmittedUpload} UnsubmittedUpload */
/** @typedef {import('./texts.js').TextKey} TextKey */
/** @typedef {import('./texts.js').Texts} Texts */

/**
 * @typedef {object} ClientOptions
 * @property {number} [maxFileSize] bytes
 * @property {string[]} [acceptedFileTypes] MIME types, such as `image/*` or `application/pdf`, and endings such as `.pdf`
 * @property {Record<string, string>} [headers] sent with every call of the API; its CORS settings have to allow them
 * @property {string | false} [restoreAs] the name under which uploads are found again after a reload; unless set, the
 *   page's path and query. false: nothing is found again.
 * @property {number} [lifetime] seconds after which an upload that nobody stored is gone: the stack's
 *   UnstoredFileLifetime; an hour unless set
 * @property {number} [stallTimeout] seconds without any progress after which an upload is tried again; 30 unless set
 * @property {number} [parallelUploads] how many files are on their way at once; 8 unless set
 * @property {boolean} [multipart] true: files go in parts however small they are; large ones always do
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

/** @typedef {import('./progress.js').Progress} Progress */

/**
 * @typedef {object} Upload an upload that is under way
 * @property {Promise<UploadedFile>} done rejects with an UploadError, or with an AbortError after `abort()`
 * @property {() => void} abort stops it, and takes back what has arrived. What is done is taken back by `undo`.
 * @property {() => void} pause stops it until it is resumed. What has arrived in parts stays there, anything else is
 *   sent again.
 * @property {() => void} resume
 */

/**
 * @typedef {object} UploadedFile
 * @property {string} id what a form submits
 * @property {string} name
 * @property {number} size bytes
 * @property {string} type
 */

/** More than a browser has connections to a host: some wait for an address while others send. */
const PARALLEL_UPLOADS = 8;

const NOT_FOUND = 404;
const CONFLICT = 409;

export class FilestoreClient {
  #root;
  #options;
  #queue;

  /**
   * @param {string} apiRootUrl the stack's output ApiRootUrl
   * @param {ClientOptions} [options]
   */
  constructor(apiRootUrl, options = {}) {
    this.#root = apiRootUrl.replace(/\/+$/, '');
    this.#options = options;
    this.#queue = new Queue(options.parallelUploads ?? PARALLEL_UPLOADS);
  }

  /**
   * @param {File} file
   * @param {UploadOptions} [options]
   * @returns {Upload}
   */
  upload(file, options = {}) {
    const steering = new Steering();
    const service = {
      root: this.#root,
      options: this.#options,
      restoreAs: this.#restoreAs,
      queue: this.#queue,
      undo: (/** @type {string} */ id) => this.undo(id),
    };
    const done = new Sending(file, options, service).through(steering).catch((reason) => {
      throw this.#translated(reason);
    });
    // Whoever only aborts need not look at what becomes of it.
    done.catch(() => undefined);
    return { done, abort: () => steering.abort(), pause: () => steering.pause(), resume: () => steering.resume() };
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
}
