/**
 * Uppy with Filestore: files go from the browser straight to S3, and `upload-success` tells their ids.
 *
 *     import { FilestorePlugin } from 'filestore-client/uppy';
 *     uppy.use(FilestorePlugin, { url: 'https://….execute-api.….amazonaws.com/prod' });
 *     uppy.on('upload-success', (file, { body }) => console.log(body.id));
 */

import { BasePlugin } from '@uppy/core';
import { FilestoreClient, submitted, unsubmitted, UploadError } from './client.js';
import { FIELD_TEXTS, sayOfField } from './field-texts.js';
import { standIn } from './stand-in.js';

export { FIELD_TEXTS, submitted, unsubmitted, UploadError };

/** @typedef {import('@uppy/core/utils').Meta} Meta */
/** @typedef {{ id: string }} Body what is in the `response` of a file that is uploaded */
/** @typedef {import('@uppy/core/utils').UppyFile<Meta, Body>} UppyFile */

/** @typedef {import('./client.js').ClientOptions & { id?: string, url: string }} PluginOptions `url` is the stack's output ApiRootUrl */

/** @extends {BasePlugin<PluginOptions, Meta, Body>} */
export class FilestorePlugin extends BasePlugin {
  #client;
  /** @type {Map<string, import('./client.js').Upload>} by Uppy's id of the file */
  #running = new Map();
  #isCancelling = false;
  #said = '';
  /** @type {[string, any][]} */
  #listeners = [
    ['cancel-all', () => this.#cancel()],
    ['file-removed', (/** @type {UppyFile} */ file) => this.#remove(file)],
    ['pause-all', () => this.#running.forEach((upload) => upload.pause())],
    ['restored', () => this.#restore()],
    ['resume-all', () => this.#running.forEach((upload) => upload.resume())],
    ['upload-pause', (/** @type {UppyFile} */ file, /** @type {boolean} */ isPaused) => this.#pause(file, isPaused)],
  ];

  /**
   * @param {import('@uppy/core').Uppy<Meta, Body>} uppy
   * @param {PluginOptions} options
   */
  constructor(uppy, options) {
    super(uppy, options);
    this.id = options.id ?? 'Filestore';
    this.type = 'uploader';
    this.#client = new FilestoreClient(options.url, options);
  }

  /** @override */
  install() {
    const { capabilities } = this.uppy.getState();
    this.uppy.setState({ capabilities: { ...capabilities, individualCancellation: true, resumableUploads: true } });
    this.uppy.addUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.on(/** @type {any} */ (event), listener);
    this.#restore();
  }

  /** @override */
  uninstall() {
    this.uppy.removeUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.off(/** @type {any} */ (event), listener);
    this.#running.forEach((upload) => upload.abort());
  }

  /** @param {string[]} ids */
  #upload = async (ids) => {
    const files = /** @type {UppyFile[]} */ (this.uppy.getFilesByIds(ids)).filter(
      (file) => !file.progress.uploadComplete && !('error' in file && file.error),
    );
    this.uppy.emit('upload-start', files.filter(({ progress, isRestored }) => !progress.uploadStarted || !isRestored));
    await Promise.all(files.map((file) => this.#uploadOne(file)));
  };

  /** @param {UppyFile} file */
  async #uploadOne(file) {
    const { name: own, type, relativePath: _, ...metadata } = /** @type {Record<string, any>} */ (file.meta);
    const { data } = file;
    const name = String(own ?? file.name);
    try {
      if (!(data instanceof Blob)) throw new UploadError('notFetched', { words: sayOfField('notFetched', {}, this.opts.texts) });
      // What Golden Retriever has kept may be no file any more.
      const contents = data instanceof File ? data : new File([data], name, { type: file.type, lastModified: 0 });
      const upload = this.#client.upload(contents, {
        metadata,
        name,
        type: String(type ?? file.type),
        onprogress: ({ loaded: bytesUploaded, total: bytesTotal }) => {
          const uploadStarted = file.progress.uploadStarted ?? Date.now();
          this.uppy.emit('upload-progress', this.uppy.getFile(file.id), { uploadStarted, bytesUploaded, bytesTotal });
        },
        onwait: (message) => this.#say(message),
      });
      this.#running.set(file.id, upload);
      if (this.uppy.getFile(file.id).isPaused) upload.pause();
      const { id } = await upload.done;
      this.uppy.emit('upload-success', this.uppy.getFile(file.id), { status: 200, body: { id } });
    } catch (reason) {
      // Removed meanwhile.
      if (!this.uppy.getFile(file.id)) return;
      const error = { name: 'UploadError', message: this.#client.explain(reason) };
      this.uppy.emit('upload-error', this.uppy.getFile(file.id), error);
    } finally {
      this.#running.delete(file.id);
    }
  }

  /**
   * Many files wait for the same thing.
   *
   * @param {string} message
   */
  #say(message) {
    if (message && message !== this.#said) this.uppy.info(message, 'info', 5000);
    this.#said = message;
  }

  /**
   * @param {UppyFile} file
   * @param {boolean} isPaused
   */
  #pause(file, isPaused) {
    const upload = this.#running.get(file.id);
    if (isPaused) upload?.pause();
    else upload?.resume();
  }

  /** It also comes when an Uppy is destroyed, with a form that has been sent: what is done stays, and expires unless it is stored. */
  #cancel() {
    this.#isCancelling = true;
    queueMicrotask(() => {
      this.#isCancelling = false;
    });
  }

  /** @param {UppyFile} file */
  #remove({ id, progress, response }) {
    this.#running.get(id)?.abort();
    const stored = response?.body?.id;
    if (stored && progress.uploadComplete && !this.#isCancelling) {
      this.#client.undo(stored).catch((reason) => this.uppy.info(this.#client.explain(reason), 'error', 5000));
    }
  }

  /** What was uploaded before a reload, and not submitted. */
  #restore() {
    const shown = new Set(this.uppy.getFiles().map(({ response }) => response?.body?.id));
    for (const upload of this.#client.restorable()) {
      const { id, name, size, type, pending, uploadedAt } = upload;
      if (pending || shown.has(id)) continue;
      const added = this.uppy.addFile({ name, type, data: standIn(upload), source: this.id });
      const progress = { uploadStarted: uploadedAt, uploadComplete: /** @type {const} */ (true), complete: /** @type {const} */ (true), percentage: 100, bytesUploaded: size, bytesTotal: size };
      this.uppy.setFileState(added, { progress, response: { status: 200, body: { id } } });
    }
  }
}
