/**
 * The FilePond server for Filestore: files go from the browser straight to S3, and what FilePond gets, and the form
 * submits, are their ids.
 *
 *     import { FilestoreUploader } from './uploader.js';
 *     FilestoreUploader.setup('https://….execute-api.….amazonaws.com/prod', 'input[type=file]');
 *
 * or, where FilePond is set up elsewhere: `FilePond.setOptions({ server: createServer('https://…') })`.
 */

/**
 * The part of FilePond's contract that this module fills.
 *
 * @typedef {object} Server
 * @property {(
 *   fieldName: string,
 *   file: File,
 *   metadata: Record<string, unknown>,
 *   load: (id: string) => void,
 *   error: (message: string) => void,
 *   progress: (computable: boolean, loaded: number, total: number) => void,
 *   abort: () => void,
 * ) => { abort: () => void }} process
 * @property {(id: string, load: () => void, error: (message: string) => void) => void} revert
 */

/**
 * The API's answer to a request for an upload.
 *
 * @typedef {object} Upload
 * @property {string} id
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {string} token
 */

/** S3 takes no more in one PUT. */
const MAX_FILE_SIZE = 5 * 1024 ** 3;

const ATTEMPTS = 5;
const LONGEST_WAIT = 60;

const TOO_MANY_REQUESTS = 429;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const CONFLICT = 409;
const PASSING = new Set([TOO_MANY_REQUESTS, 500, 502, 503, 504]);

/** What went wrong, in words for the person who uploads. */
export class UploadError extends Error {
  /**
   * @param {string} message
   * @param {{ status?: number, passing?: boolean, retryAfter?: number }} [details] `passing`: worth another attempt;
   *   `retryAfter`: not before so many seconds.
   */
  constructor(message, { status = 0, passing = false, retryAfter = 0 } = {}) {
    super(message);
    this.name = 'UploadError';
    this.status = status;
    this.passing = passing;
    this.retryAfter = retryAfter;
  }
}

/**
 * FilePond's `server` option. Its own senders are no use here: they run encodeURI over the URL, which breaks the
 * signature of a presigned one.
 *
 * @param {string} apiRootUrl the stack's output ApiRootUrl
 * @returns {Server}
 */
export function createServer(apiRootUrl) {
  const root = apiRootUrl.replace(/\/+$/, '');
  /** @type {Map<string, string>} */
  const tokens = new Map();

  return {
    process(_fieldName, file, metadata, load, error, progress, abort) {
      const controller = new AbortController();
      const { signal } = controller;
      let done = false;
      send(root, tokens, file, metadata, onlyForwards(file, progress), signal).then(
        (id) => {
          done = true;
          load(id);
        },
        (reason) => {
          if (!signal.aborted) error(explain(reason));
        },
      );
      return {
        abort() {
          // By default FilePond shows progress for a moment longer than there is any. What is uploaded by then is
          // taken back through revert.
          if (!done) controller.abort();
          abort();
        },
      };
    },

    revert(id, load, error) {
      undo(root, tokens, id).then(load, (reason) => error(explain(reason)));
    },
  };
}

export const FilestoreUploader = {
  /**
   * Turns a file input into a FilePond that uploads to Filestore. FilePond itself has to be on the page.
   *
   * @param {string} url the stack's output ApiRootUrl
   * @param {string | Element} root the input, or a selector for it
   * @param {Record<string, unknown>} [options] more options for FilePond
   */
  setup(url, root, options = {}) {
    const element = typeof root === 'string' ? document.querySelector(root) : root;
    if (!element) throw new Error(`There is no element ${root} to put the uploader on.`);
    /** @type {any} */
    const { FilePond } = globalThis;
    if (!FilePond) throw new Error('FilePond has to be loaded before the uploader is set up.');
    return FilePond.create(element, {
      server: createServer(url),
      // The progress as it is, not one that FilePond makes up to look smoother.
      allowMinimumUploadDuration: false,
      labelFileProcessingError: (/** @type {{ body: string }} */ { body }) => body,
      ...options,
    });
  },
};

/**
 * @param {string} root
 * @param {Map<string, string>} tokens
 * @param {File} file
 * @param {Record<string, unknown>} metadata
 * @param {(loaded: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the file's id
 */
async function send(root, tokens, file, metadata, onProgress, signal) {
  if (file.size > MAX_FILE_SIZE) {
    throw new UploadError('Too large: a file may have up to 5 GB.');
  }
  const request = { name: file.name, size: file.size, ...typeOf(file), ...metaOf(metadata) };
  const begin = async () => {
    /** @type {Upload} */
    const upload = await (await call(`${root}/file`, { method: 'POST', json: request, signal })).json();
    tokens.set(upload.id, upload.token);
    return upload;
  };

  let upload = await begin();
  try {
    try {
      await transfer(file, upload, onProgress, signal);
    } catch (reason) {
      if (!(reason instanceof UploadError) || reason.status !== FORBIDDEN) throw reason;
      // The URL has expired, most likely: the file waited too long for its turn, or the computer was asleep.
      tokens.delete(upload.id);
      upload = await begin();
      await transfer(file, upload, onProgress, signal);
    }
    signal.throwIfAborted();
    return upload.id;
  } catch (reason) {
    if (signal.aborted) {
      // Nobody waits for this one. Where it fails the upload is left to expire.
      undo(root, tokens, upload.id).catch(() => undefined);
    } else {
      tokens.delete(upload.id);
    }
    throw reason;
  }
}

/**
 * Brings the contents to where the API said. Repeating the PUT is safe: the first contents that arrive are the file.
 *
 * @param {File} file
 * @param {Upload} upload
 * @param {(loaded: number) => void} onProgress
 * @param {AbortSignal} signal
 */
function transfer(file, upload, onProgress, signal) {
  return persist(() => put(file, upload, onProgress, signal), signal);
}

/**
 * @param {File} file
 * @param {Upload} upload
 * @param {(loaded: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function put(file, upload, onProgress, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // fetch tells nothing about how much it has sent.
    const xhr = new XMLHttpRequest();
    const cancel = () => xhr.abort();
    signal.addEventListener('abort', cancel);
    xhr.upload.onprogress = ({ loaded }) => onProgress(loaded);
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve();
      else reject(storageError(xhr.status));
    };
    xhr.onerror = () => reject(unreachable());
    xhr.onabort = () => reject(signal.reason);
    xhr.onloadend = () => signal.removeEventListener('abort', cancel);
    xhr.open(upload.method, upload.url);
    for (const [name, value] of Object.entries(upload.headers)) xhr.setRequestHeader(name, value);
    xhr.send(file);
  });
}

/**
 * @param {string} root
 * @param {Map<string, string>} tokens
 * @param {string} id
 */
async function undo(root, tokens, id) {
  const token = tokens.get(id);
  // Without its token nobody can take an upload back; it expires.
  if (token === undefined) return;
  try {
    await call(`${root}/file/${encodeURIComponent(id)}`, { method: 'DELETE', headers: { 'x-upload-token': token } });
  } catch (reason) {
    if (!(reason instanceof UploadError)) throw reason;
    if (reason.status === CONFLICT) throw new UploadError('This file is stored already and can no longer be undone.');
    if (reason.status !== NOT_FOUND) throw reason;
  }
  tokens.delete(id);
}

/**
 * A call of the API, repeated while what goes wrong may pass.
 *
 * @param {string} url
 * @param {{ method: string, json?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} request
 * @returns {Promise<Response>}
 */
function call(url, { method, json, headers = {}, signal }) {
  return persist(async () => {
    /** @type {RequestInit} */
    const init = { method, headers, signal: signal ?? null, credentials: 'omit', referrerPolicy: 'no-referrer' };
    if (json === undefined) {
      // Lets an undo go out while its page is being left.
      init.keepalive = true;
    } else {
      init.body = JSON.stringify(json);
      init.headers = { ...headers, 'Content-Type': 'application/json' };
    }
    /** @type {Response} */
    let response;
    try {
      response = await fetch(url, init);
    } catch {
      signal?.throwIfAborted();
      throw unreachable();
    }
    if (!response.ok) throw await apiError(response);
    return response;
  }, signal);
}

/**
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function persist(attempt, signal) {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (reason) {
      if (!(reason instanceof UploadError) || !reason.passing || count === ATTEMPTS) throw reason;
      const seconds = Math.max(reason.retryAfter, 2 ** (count - 1));
      if (seconds > LONGEST_WAIT) throw reason;
      // Files that were turned away together must not come back together.
      await pause(seconds * 1000 * (1 + Math.random() / 2), signal);
    }
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', cancel, { once: true });
  });
}

/**
 * @param {Response} response
 * @returns {Promise<UploadError>}
 */
async function apiError(response) {
  const { status } = response;
  const passing = PASSING.has(status);
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  if (status === TOO_MANY_REQUESTS) {
    return new UploadError('Too busy right now. Try again in a minute.', { status, passing, retryAfter });
  }
  if (passing) return new UploadError('The service has a problem. Try again later.', { status, passing, retryAfter });
  /** @type {{ message?: string, errors?: { message: string }[] }} */
  const { message, errors = [] } = await response.json().catch(() => ({}));
  return new UploadError(errors[0]?.message ?? message ?? `Refused by the service (${status}).`, { status });
}

/** @param {number} status */
function storageError(status) {
  const passing = PASSING.has(status);
  return new UploadError(passing ? 'The storage is busy. Try again later.' : `Refused by the storage (${status}).`, {
    status,
    passing,
  });
}

function unreachable() {
  // No waiting when it is known to be in vain: the file can be sent again with a click.
  return navigator.onLine
    ? new UploadError('No connection to the service.', { passing: true })
    : new UploadError('You are offline.');
}

/** @param {unknown} reason */
function explain(reason) {
  return reason instanceof UploadError ? reason.message : 'The upload failed unexpectedly.';
}

/**
 * Another attempt starts from nothing, but a progress bar that jumps back looks broken.
 *
 * @param {File} file
 * @param {(computable: boolean, loaded: number, total: number) => void} progress
 * @returns {(loaded: number) => void}
 */
function onlyForwards(file, progress) {
  let furthest = 0;
  return (loaded) => {
    furthest = Math.max(furthest, loaded);
    if (file.size > 0) progress(true, Math.min(furthest, file.size), file.size);
  };
}

/** @param {File} file */
function typeOf(file) {
  return file.type ? { type: file.type } : {};
}

/**
 * What may accompany a file: FilePond's plugins keep objects of their own in the metadata, the API takes strings.
 *
 * @param {Record<string, unknown>} metadata
 */
function metaOf(metadata) {
  const meta = Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === 'string'));
  return Object.keys(meta).length > 0 ? { meta } : {};
}
