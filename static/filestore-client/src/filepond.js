/**
 * FilePond with Filestore: files go from the browser straight to S3, and what FilePond gets, and the form submits, are
 * their ids.
 *
 *     import { FilestoreUploader } from 'filestore-client/filepond';
 *     FilestoreUploader.setup('https://….execute-api.….amazonaws.com/prod', 'input[type=file]');
 *
 * or, where FilePond comes from a bundler: `FilePond.create(input, FilestoreUploader.options('https://…'))`.
 */

import { FilestoreClient, submitted, unsubmitted, UploadError } from './client.js';
import { FIELD_TEXTS, sayOfField } from './field-texts.js';
import { close, goAhead, isShown, watch } from './filepond-field.js';
import { createServer, runningOf } from './filepond-server.js';

export { createServer, FIELD_TEXTS, UploadError };

/** @typedef {import('./client.js').UnsubmittedUpload} UnsubmittedUpload */

/**
 * What can be set, besides everything that FilePond itself can.
 *
 * @typedef {object} OwnOptions
 * @property {number | string | null} [maxFileSize] bytes, or such as '10MB'
 * @property {string[] | string | null} [acceptedFileTypes] MIME types, such as `image/*`, and endings such as `.pdf`
 * @property {(file: File, type: string) => Promise<string>} [fileValidateTypeDetectType] finds out a type that the
 *   browser does not know, for FilePond's plugin and for what is asked of the API
 * @property {number} [maxParallelUploads] 8 unless set
 * @property {(id: string) => string | Promise<string>} [download] the back end's link to a file that it has stored
 * @property {(file: File, progress: import('./client.js').Progress) => void} [onprogress] how much is sent, how fast, and
 *   how long it will take
 * @property {(file: File, message: string) => void} [onwait] an upload has to wait; the message is empty when it goes on
 * @property {(files: File[], message: string) => void} [onleftout] there were more files than `maxFiles`, and these were
 *   not taken; unless set, the message is shown below the field
 */

/** @typedef {Omit<import('./client.js').ClientOptions, keyof OwnOptions> & OwnOptions} UploaderOptions */

/** @typedef {UploaderOptions & Omit<import('filepond').FilePondOptions, keyof UploaderOptions | 'server'>} Options */

/** FilePond begins with the next file only when nothing on it moves: so it is given none to hold back. */
const NO_LIMIT = 1_000_000;

export const FilestoreUploader = {
  /**
   * Turns a file input into a FilePond that uploads to Filestore. FilePond itself has to be on the page.
   *
   * @param {string} url the stack's output ApiRootUrl
   * @param {string | Element | Document} root the input, a selector for it, or the document that has one
   * @param {Options} [options]
   * @returns {import('filepond').FilePond}
   */
  setup(url, root, options = {}) {
    const selector = typeof root === 'string' ? root : 'input[type=file]';
    const element = root instanceof Element ? root : document.querySelector(selector);
    if (!element) throw new Error(`There is no element ${selector}.`);
    const { FilePond } = /** @type {any} */ (globalThis);
    if (!FilePond) {
      close(element, sayOfField('unavailable', {}, options.texts));
      throw new Error('FilePond has to be loaded first.');
    }
    const restoreAs = `${location.pathname}${location.search} ${element.getAttribute('name') ?? element.id}`;
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
    const { restoreAs = location.pathname + location.search, texts = {} } = options;
    // FilePond is given the rest.
    const { headers, restoreAs: _, lifetime, stallTimeout, maxParallelUploads, multipart, download, onprogress, onwait, onleftout, texts: __, files, ...others } = options;
    const server = createServer(url, { ...options, restoreAs });
    const { labelFileLoadError = loadErrorLabel(texts) } = others;
    const running = /** @type {import('./filepond-running.js').AllRunning} */ (runningIn(server));
    watch(server.process, { restoreAs, running, texts, labelFileLoadError, ...(onleftout && { onleftout }) });
    // FilePond takes away what a list of files does not have: a field that is shown already gets none.
    const before = isShown(restoreAs) ? [] : restored(new FilestoreClient(url, { restoreAs }));
    return {
      server: /** @type {any} */ (server),
      ...((files || before.length > 0) && { files: [...(files ?? []), ...before] }),
      maxParallelUploads: NO_LIMIT,
      labelFileProcessingError: /** @type {any} */ (body),
      // In nobody's types: the progress as it is, not one that FilePond makes up to look smoother.
      ...(/** @type {{}} */ ({ allowMinimumUploadDuration: false })),
      ...(/** @type {{}} */ (others)),
      beforeAddFile: goAhead(running, others.beforeAddFile),
      // FilePond would not show those whose turn comes when nothing moves any more.
      itemInsertInterval: 0,
    };
  },

  /**
   * Stops what a FilePond uploads, and what is added to it, until it is resumed.
   *
   * @param {import('filepond').FilePond} pond
   */
  pause(pond) {
    for (const each of runningIn(/** @type {any} */ (pond.server))?.all ?? []) each.pause();
  },

  /** @param {import('filepond').FilePond} pond */
  resume(pond) {
    for (const each of runningIn(/** @type {any} */ (pond.server))?.all ?? []) each.resume();
  },

  submitted,
  unsubmitted,
};

/** @param {import('./filepond-server.js').Server} server as `createServer` has made it */
function runningIn({ process }) {
  return runningOf.get(process);
}

/**
 * What FilePond gets for what is to be in the field after a reload.
 *
 * @param {FilestoreClient} client
 */
function restored(client) {
  /** @type {Map<string, string>} */
  const sources = new Map();
  for (const { id, group: ids = id, name, pending } of client.restorable()) {
    // FilePond calls what it cannot restore after the end of its source.
    if (!sources.has(ids)) sources.set(ids, pending ? `${ids}/${name.replace(/[/?]/g, '_')}` : ids);
  }
  return [...sources.values()].map((source) => ({ source, options: { type: /** @type {const} */ ('limbo') } }));
}

/**
 * FilePond is given it later, for Vue's component expects a string among the options.
 *
 * @param {import('./client.js').Texts} texts
 */
function loadErrorLabel(texts) {
  return (/** @type {{ body: string }} */ error) => body(error) || sayOfField('notFetched', {}, texts);
}

/** @param {{ body: string }} error as FilePond hands it to a label */
function body({ body }) {
  return body;
}
