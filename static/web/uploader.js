/**
 * FilePond's server for Filestore: files go from the browser straight to S3, and what FilePond gets, and the form
 * submits, are their ids.
 *
 *     import { FilestoreUploader } from './uploader.js';
 *     FilestoreUploader.setup('https://….execute-api.….amazonaws.com/prod', 'input[type=file]');
 *
 * or, where FilePond comes from a bundler: `FilePond.create(input, FilestoreUploader.options('https://…'))`.
 */

/**
 * What can be set, besides everything that FilePond itself can.
 *
 * @typedef {object} UploaderOptions
 * @property {number} [maxFileSize] bytes. S3 takes at most 5 GB in one PUT.
 * @property {string[]} [acceptedFileTypes] MIME types, such as `image/*` or `application/pdf`
 * @property {number} [maxParallelUploads] 3 unless set
 * @property {Record<string, string>} [headers] sent with every call of the API; its CORS settings have to allow them
 * @property {string | false} [restoreAs] the name under which uploads are found again after a reload; unless set, the
 *   page's path and the input's name. false: nothing is found again.
 * @property {number} [lifetime] seconds after which an upload that nobody stored is gone: the stack's
 *   UnstoredFileLifetime; an hour unless set
 * @property {(id: string) => string | Promise<string>} [download] the back end's link to a file that it has stored
 * @property {(file: File, message: string) => void} [onwait] an upload has to wait; the message is empty when it goes on
 */

/** @typedef {UploaderOptions & import('filepond').FilePondOptions & Record<string, unknown>} Options */

/**
 * What FilePond asks of a server. Its own senders are no use here: they run encodeURI over the URL, which breaks the
 * signature of a presigned one.
 *
 * @typedef {object} Server
 * @property {import('filepond').ProcessServerConfigFunction} process
 * @property {import('filepond').RevertServerConfigFunction} revert
 * @property {import('filepond').RestoreServerConfigFunction} restore
 * @property {import('filepond').LoadServerConfigFunction | null} load
 * @property {null} fetch
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

/**
 * An upload that has not been submitted.
 *
 * @typedef {object} UnsubmittedUpload
 * @property {string} id
 * @property {string} name
 * @property {number} size
 * @property {string} type
 * @property {number} uploadedAt milliseconds since the epoch
 * @property {number} expiresAt milliseconds since the epoch
 */

/** @typedef {UnsubmittedUpload & { token: string, restoreAs: string }} Remembered */
/** @typedef {(message: string) => void} Wait */

/** S3 takes no more in one PUT. */
const MAX_PUT_SIZE = 5 * 1024 ** 3;
const DEFAULT_LIFETIME = 3600;
const PARALLEL_UPLOADS = 3;

const ATTEMPTS = 5;
/** A throttle is no failure: twenty files at once are a reason to wait for one's turn, not to give up. */
const THROTTLED_ATTEMPTS = 30;
const LONGEST_WAIT = 20;

const FORBIDDEN = 403;
const NOT_FOUND = 404;
const CONFLICT = 409;
const TOO_MANY_REQUESTS = 429;
const PASSING = new Set([TOO_MANY_REQUESTS, 500, 502, 503, 504]);

const MEMORY = 'filestore-uploads';

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
 * By id, for as long as this page is there.
 *
 * @type {Map<string, string>}
 */
const tokens = new Map();

/**
 * What this tab has uploaded and not submitted, with the tokens that undo it. In sessionStorage: it survives a reload,
 * no other tab sees it, and it is gone with the tab. A token can do nothing but take back its own unstored upload.
 */
const memory = {
  /** @returns {Record<string, Remembered>} */
  read() {
    try {
      return JSON.parse(sessionStorage.getItem(MEMORY) ?? '{}');
    } catch {
      return {};
    }
  },

  /** @param {(uploads: Record<string, Remembered>) => void} change */
  change(change) {
    const uploads = this.read();
    change(uploads);
    try {
      sessionStorage.setItem(MEMORY, JSON.stringify(uploads));
    } catch {
      // Storage is full or forbidden: then nothing can be restored or undone after a reload, and all else works.
    }
  },

  /** @param {Iterable<string>} ids */
  forget(ids) {
    this.change((uploads) => {
      for (const id of ids) delete uploads[id];
    });
  },

  /** @returns {Remembered[]} those that are still there, oldest first */
  unsubmitted() {
    return Object.values(this.read()).filter(({ expiresAt }) => expiresAt > Date.now());
  },
};

/**
 * @param {string} apiRootUrl the stack's output ApiRootUrl
 * @param {UploaderOptions} [options]
 * @returns {Server} FilePond's `server` option
 */
export function createServer(apiRootUrl, options = {}) {
  const root = apiRootUrl.replace(/\/+$/, '');
  const { headers = {}, restoreAs, lifetime = DEFAULT_LIFETIME, download, onwait = () => undefined } = options;

  /** @param {string} id */
  const undo = async (id) => {
    const token = tokens.get(id) ?? memory.read()[id]?.token;
    // Without its token nobody can take an upload back; it expires.
    if (token === undefined) return;
    // What was taken away must not come back with a reload, even where this fails and it is left to expire.
    memory.forget([id]);
    try {
      await call(`${root}/file/${encodeURIComponent(id)}`, {
        method: 'DELETE',
        headers: { ...headers, 'x-upload-token': token },
      });
    } catch (reason) {
      if (!(reason instanceof UploadError)) throw reason;
      if (reason.status === CONFLICT) throw new UploadError('This file is stored already and can no longer be undone.');
      if (reason.status !== NOT_FOUND) throw reason;
    }
    tokens.delete(id);
  };

  /**
   * @param {File} file
   * @param {Upload} upload
   */
  const remember = (file, { id, token }) => {
    tokens.set(id, token);
    if (!restoreAs) return;
    const { name, size, type } = file;
    const uploadedAt = Date.now();
    const expiresAt = uploadedAt + lifetime * 1000;
    memory.change((uploads) => {
      uploads[id] = { id, token, name, size, type, restoreAs, uploadedAt, expiresAt };
    });
  };

  return {
    process(_fieldName, file, metadata, load, error, progress, abort) {
      const controller = new AbortController();
      const { signal } = controller;
      const original = /** @type {File} */ (file);
      let done = false;
      send(root, original, metadata, {
        ...options,
        headers,
        signal,
        undo: (upload) => {
          tokens.set(upload.id, upload.token);
          return undo(upload.id);
        },
        wait: (message) => onwait(original, message),
        progress: onlyForwards(original, progress),
      }).then(
        (upload) => {
          done = true;
          remember(original, upload);
          load(upload.id);
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
      undo(id).then(load, (reason) => error(explain(reason)));
    },

    restore(id, load, error) {
      const upload = memory.unsubmitted().find((known) => known.id === id);
      // A bare file would be copied by FilePond, and with that lose its size.
      if (upload) load(/** @type {any} */ ({ body: standIn(upload) }));
      else error(/** @type {any} */ (gone('This upload has expired. Add the file again.')));
      return { abort: () => undefined };
    },

    load: download
      ? (id, load, error, progress, abort) => {
          const controller = new AbortController();
          progress(false, 0, 0);
          get(download, String(id), controller.signal).then(load, (reason) => {
            if (controller.signal.aborted) return;
            const missing = reason instanceof UploadError && reason.status === NOT_FOUND;
            error(missing ? /** @type {any} */ (gone('This file is not there any more.')) : explain(reason));
          });
          return {
            abort() {
              controller.abort();
              abort();
            },
          };
        }
      : null,

    fetch: null,
  };
}

export const FilestoreUploader = {
  /**
   * Turns a file input into a FilePond that uploads to Filestore. FilePond itself has to be on the page.
   *
   * @param {string} url the stack's output ApiRootUrl
   * @param {string | Element} root the input, or a selector for it
   * @param {Options} [options]
   * @returns {import('filepond').FilePond}
   */
  setup(url, root, options = {}) {
    const element = typeof root === 'string' ? document.querySelector(root) : root;
    if (!element) throw new Error(`There is no element ${root} to put the uploader on.`);
    const { FilePond } = /** @type {any} */ (globalThis);
    if (!FilePond) throw new Error('FilePond has to be loaded before the uploader is set up.');
    const restoreAs = `${location.pathname} ${element.getAttribute('name') ?? element.id}`;
    return FilePond.create(element, this.options(url, { restoreAs, ...options }));
  },

  /**
   * FilePond's options, with everything that Filestore needs.
   *
   * @param {string} url the stack's output ApiRootUrl
   * @param {Options} [options]
   * @returns {import('filepond').FilePondOptions & Record<string, unknown>}
   */
  options(url, options = {}) {
    const { headers, restoreAs = location.pathname, lifetime, download, onwait, files = [], ...others } = options;
    const restored = memory
      .unsubmitted()
      .filter((upload) => upload.restoreAs === restoreAs)
      .map(({ id }) => ({ source: id, options: { type: /** @type {const} */ ('limbo') } }));
    return {
      server: /** @type {any} */ (createServer(url, { ...options, restoreAs })),
      files: [...files, ...restored],
      maxParallelUploads: PARALLEL_UPLOADS,
      // The progress as it is, not one that FilePond makes up to look smoother.
      allowMinimumUploadDuration: false,
      labelFileProcessingError: /** @type {any} */ (body),
      labelFileLoadError: /** @type {any} */ (body),
      imagePreviewFilterItem: (/** @type {{ file: Blob }} */ { file }) => !standIns.has(file),
      ...others,
    };
  },

  /**
   * Call it when the form with these ids has reached the back end. From then on they are its files: they are not
   * restored, and nothing that FilePond does takes them back.
   *
   * @param {Iterable<string>} ids
   */
  submitted(ids) {
    const given = [...ids];
    for (const id of given) tokens.delete(id);
    memory.forget(given);
  },

  /** @returns {UnsubmittedUpload[]} what this tab has uploaded and not submitted, oldest first */
  unsubmitted() {
    return memory.unsubmitted().map(({ token, restoreAs, ...upload }) => upload);
  },
};

/**
 * @param {string} root
 * @param {File} file
 * @param {Record<string, unknown>} metadata
 * @param {UploaderOptions & {
 *   headers: Record<string, string>,
 *   signal: AbortSignal,
 *   undo: (upload: Upload) => Promise<void>,
 *   wait: Wait,
 *   progress: (loaded: number) => void,
 * }} options
 * @returns {Promise<Upload>}
 */
async function send(root, file, metadata, { maxFileSize, acceptedFileTypes, headers, signal, undo, wait, progress }) {
  refuse(file, maxFileSize, acceptedFileTypes);
  const json = { name: file.name, size: file.size, ...typeOf(file), ...metaOf(metadata) };
  /** @returns {Promise<Upload>} */
  const begin = async () => (await call(`${root}/file`, { method: 'POST', json, headers, signal, wait })).json();

  let upload = await begin();
  try {
    try {
      await transfer(file, upload, { signal, wait, progress });
    } catch (reason) {
      if (!(reason instanceof UploadError) || reason.status !== FORBIDDEN) throw reason;
      // The URL has expired, most likely: the file waited too long for its turn, or the computer was asleep.
      upload = await begin();
      await transfer(file, upload, { signal, wait, progress });
    }
    signal.throwIfAborted();
    return upload;
  } catch (reason) {
    // Nobody waits for this one. Where it fails the upload is left to expire.
    if (signal.aborted) undo(upload).catch(() => undefined);
    throw reason;
  }
}

/**
 * @param {File} file
 * @param {number} [maxFileSize]
 * @param {string[]} [acceptedFileTypes]
 */
function refuse(file, maxFileSize = MAX_PUT_SIZE, acceptedFileTypes = []) {
  const limit = Math.min(maxFileSize, MAX_PUT_SIZE);
  if (file.size > limit) throw new UploadError(`Too large: a file may have up to ${readable(limit)}.`);
  /** @param {string} type */
  const accepts = (type) => (type.endsWith('/*') ? file.type.startsWith(type.slice(0, -1)) : file.type === type);
  if (acceptedFileTypes.length > 0 && !acceptedFileTypes.some(accepts)) {
    throw new UploadError('Files of this type are not accepted.');
  }
}

/**
 * Brings the contents to where the API said. Repeating the PUT is safe: the first contents that arrive are the file.
 *
 * @param {File} file
 * @param {Upload} upload
 * @param {{ signal: AbortSignal, wait: Wait, progress: (loaded: number) => void }} options
 */
function transfer(file, upload, { signal, wait, progress }) {
  return persist(() => put(file, upload, progress, signal), signal, wait);
}

/**
 * @param {File} file
 * @param {Upload} upload
 * @param {(loaded: number) => void} progress
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function put(file, upload, progress, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // fetch tells nothing about how much it has sent.
    const xhr = new XMLHttpRequest();
    const cancel = () => xhr.abort();
    signal.addEventListener('abort', cancel);
    xhr.upload.onprogress = ({ loaded }) => progress(loaded);
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve();
      else reject(storageError(xhr.status));
    };
    xhr.onerror = () => {
      const unread = new UploadError('The file cannot be read any more. Add it again.');
      file.slice(0, 1).arrayBuffer().then(() => reject(unreachable()), () => reject(unread));
    };
    xhr.onabort = () => reject(signal.reason);
    xhr.onloadend = () => signal.removeEventListener('abort', cancel);
    xhr.open(upload.method, upload.url);
    for (const [name, value] of Object.entries(upload.headers)) xhr.setRequestHeader(name, value);
    xhr.send(file);
  });
}

/**
 * @param {(id: string) => string | Promise<string>} download
 * @param {string} id
 * @param {AbortSignal} signal
 */
async function get(download, id, signal) {
  const response = await call(await download(id), { method: 'GET', credentials: 'same-origin', signal });
  const contents = await response.blob();
  return new File([contents], fileName(response.headers.get('Content-Disposition')) ?? id, { type: contents.type });
}

/**
 * FilePond's own reading of the header throws on a name such as 100%.pdf.
 *
 * @param {string | null} disposition RFC 6266
 */
function fileName(disposition) {
  const [, encoded] = /filename\*=UTF-8''([^;\s]+)/i.exec(disposition ?? '') ?? [];
  const [, plain] = /filename="((?:[^"\\]|\\.)*)"/i.exec(disposition ?? '') ?? [];
  try {
    return encoded ? decodeURIComponent(encoded) : plain?.replace(/\\(.)/g, '$1');
  } catch {
    return plain;
  }
}

/**
 * A request, repeated while what goes wrong may pass.
 *
 * @param {string} url
 * @param {{
 *   method: string,
 *   json?: unknown,
 *   headers?: Record<string, string>,
 *   credentials?: RequestCredentials,
 *   signal?: AbortSignal,
 *   wait?: Wait,
 * }} request
 * @returns {Promise<Response>}
 */
function call(url, { method, json, headers = {}, credentials = 'omit', signal, wait }) {
  /** @type {RequestInit} */
  const init = { method, headers, signal: signal ?? null, credentials, referrerPolicy: 'no-referrer' };
  // Lets an undo go out while its page is being left.
  if (method === 'DELETE') init.keepalive = true;
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers = { ...headers, 'Content-Type': 'application/json' };
  }
  return persist(
    async () => {
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
    },
    signal,
    wait,
  );
}

/**
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {AbortSignal} [signal]
 * @param {Wait} [wait]
 * @returns {Promise<T>}
 */
async function persist(attempt, signal, wait = () => undefined) {
  let failed = 0;
  let throttled = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (reason) {
      if (!(reason instanceof UploadError) || !reason.passing) throw reason;
      if (!navigator.onLine) {
        wait('You are offline. The upload goes on when the connection is back.');
        await online(signal);
      } else {
        if (reason.status === TOO_MANY_REQUESTS) throttled += 1;
        else failed += 1;
        if (failed === ATTEMPTS || throttled === THROTTLED_ATTEMPTS) throw reason;
        wait(reason.status === TOO_MANY_REQUESTS ? 'Busy right now. The upload goes on in a moment.' : 'Trying again …');
        const backoff = Math.min(2 ** (failed + throttled - 1), LONGEST_WAIT);
        // Files that were turned away together must not come back together.
        await pause(Math.max(reason.retryAfter, backoff) * 1000 * (0.5 + Math.random()), signal);
      }
      wait('');
    }
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 */
function pause(milliseconds, signal) {
  return until((done) => {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  }, signal);
}

/** @param {AbortSignal} [signal] */
function online(signal) {
  return until((done) => {
    addEventListener('online', done);
    return () => removeEventListener('online', done);
  }, signal);
}

/**
 * @param {(done: () => void) => () => void} start answers how to stop
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function until(start, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const cancel = () => {
      stop();
      reject(signal?.reason);
    };
    const stop = start(() => {
      stop();
      signal?.removeEventListener('abort', cancel);
      resolve();
    });
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
  return new UploadError('No connection to the service.', { passing: true });
}

/**
 * What FilePond takes for an error that no repetition will mend.
 *
 * @param {string} message
 */
function gone(message) {
  return { type: 'error', code: 410, body: message };
}

/** @param {unknown} reason */
function explain(reason) {
  return reason instanceof UploadError ? reason.message : 'The upload failed unexpectedly.';
}

/** @param {{ body: string }} error as FilePond hands it to a label */
function body({ body }) {
  return body;
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

/** @type {WeakSet<Blob>} */
const standIns = new WeakSet();

/**
 * A file to show for one whose contents have gone to S3, and are not needed here any more.
 *
 * @param {UnsubmittedUpload} upload
 */
function standIn({ name, size, type }) {
  const file = Object.defineProperty(new File([], name, { type }), 'size', { value: size });
  standIns.add(file);
  return file;
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

/** @param {number} bytes */
function readable(bytes) {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 3);
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${['bytes', 'KB', 'MB', 'GB'][power]}`;
}
