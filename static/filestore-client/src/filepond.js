/**
 * FilePond's server for Filestore: files go from the browser straight to S3, and what FilePond gets, and the form
 * submits, are their ids.
 *
 *     import { FilestoreUploader } from 'filestore-client/filepond';
 *     FilestoreUploader.setup('https://….execute-api.….amazonaws.com/prod', 'input[type=file]');
 *
 * or, where FilePond comes from a bundler: `FilePond.create(input, FilestoreUploader.options('https://…'))`.
 */

import { FilestoreClient, say, submitted, unsubmitted, UploadError } from './client.js';
import { download as get } from './download.js';

export { UploadError };

/** @typedef {import('./client.js').UnsubmittedUpload} UnsubmittedUpload */

/**
 * What can be set, besides everything that FilePond itself can.
 *
 * @typedef {object} OwnOptions
 * @property {number} [maxParallelUploads] 3 unless set
 * @property {(id: string) => string | Promise<string>} [download] the back end's link to a file that it has stored
 * @property {(file: File, message: string) => void} [onwait] an upload has to wait; the message is empty when it goes on
 * @property {boolean} [allowMinimumUploadDuration] FilePond's own, which its types do not know
 */

/** @typedef {import('./client.js').ClientOptions & OwnOptions} UploaderOptions */

/** @typedef {UploaderOptions & Omit<import('filepond').FilePondOptions, keyof UploaderOptions | 'server'>} Options */

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

const PARALLEL_UPLOADS = 3;
const NOT_FOUND = 404;

/**
 * @param {string} apiRootUrl the stack's output ApiRootUrl
 * @param {UploaderOptions} [options]
 * @returns {Server} FilePond's `server` option
 */
export function createServer(apiRootUrl, options = {}) {
  const { restoreAs = false, download, onwait = () => undefined, texts } = options;
  const client = new FilestoreClient(apiRootUrl, { ...options, restoreAs });

  return {
    process(_fieldName, file, metadata, load, error, progress, abort) {
      const original = /** @type {File} */ (file);
      let aborted = false;
      let done = false;
      const upload = client.upload(original, {
        metadata,
        onprogress: ({ loaded, total }) => progress(true, loaded, total),
        onwait: (message) => onwait(original, message),
      });
      upload.done.then(
        ({ id }) => {
          done = true;
          load(id);
        },
        (reason) => {
          if (!aborted) error(client.explain(reason));
        },
      );
      return {
        abort() {
          // By default FilePond shows progress for a moment longer than there is any. What is uploaded by then is
          // taken back through revert.
          if (!done) {
            aborted = true;
            upload.abort();
          }
          abort();
        },
      };
    },

    revert(id, load, error) {
      client.undo(id).then(load, (reason) => error(client.explain(reason)));
    },

    restore(id, load, error) {
      const upload = unsubmitted().find((known) => known.id === id);
      // A bare file would be copied by FilePond, and with that lose its size.
      if (upload) load(/** @type {any} */ ({ body: standIn(upload) }));
      else error(/** @type {any} */ (gone(say('expired', {}, texts))));
      return { abort: () => undefined };
    },

    load: download
      ? (id, load, error, progress, abort) => {
          const controller = new AbortController();
          const { signal } = controller;
          progress(false, 0, 0);
          Promise.resolve(download(String(id)))
            .then((url) => get(url, String(id), signal))
            .then(load, (reason) => {
              if (signal.aborted) return;
              const missing = reason instanceof UploadError && reason.status === NOT_FOUND;
              error(missing ? /** @type {any} */ (gone(say('missing', {}, texts))) : client.explain(reason));
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
   * @returns {import('filepond').FilePondOptions}
   */
  options(url, options = {}) {
    const { headers, restoreAs = location.pathname, lifetime, download, onwait, texts, files = [], ...others } = options;
    const client = new FilestoreClient(url, { restoreAs });
    const restored = client
      .restorable()
      .map(({ id }) => ({ source: id, options: { type: /** @type {const} */ ('limbo') } }));
    return {
      server: /** @type {any} */ (createServer(url, { ...options, restoreAs })),
      files: [...files, ...restored],
      maxParallelUploads: PARALLEL_UPLOADS,
      labelFileProcessingError: /** @type {any} */ (body),
      labelFileLoadError: /** @type {any} */ (body),
      ...untyped,
      ...(/** @type {{}} */ (others)),
    };
  },

  submitted,
  unsubmitted,
};

/**
 * What FilePond takes for an error that no repetition will mend.
 *
 * @param {string} message
 */
function gone(message) {
  return { type: 'error', code: 410, body: message };
}

/** @param {{ body: string }} error as FilePond hands it to a label */
function body({ body }) {
  return body;
}

/** @type {WeakSet<Blob>} */
const standIns = new WeakSet();

/** Options that are in nobody's types. */
const untyped = {
  // The progress as it is, not one that FilePond makes up to look smoother.
  allowMinimumUploadDuration: false,
  imagePreviewFilterItem: (/** @type {{ file: Blob }} */ { file }) => !standIns.has(file),
};

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
