import { sayOfField } from './field-texts.js';

/** @typedef {import('filepond').FilePond & { labelFileProcessing: string }} Pond */
/** @typedef {import('./filepond-server.js').Running} Running */

/**
 * The uploads of one FilePond. While they are paused its rows say so, in the place of its label of what is uploading.
 *
 * @extends {Set<Running>}
 */
export class AllRunning extends Set {
  /** @type {string | null} while it is paused, what FilePond said before */
  #label = null;
  /** @type {import('./client.js').Texts | undefined} */
  texts;
  /**
   * FilePond asks for an upload only when nothing on it moves any more, which may be seconds. Until then it goes ahead.
   *
   * @param {File} _file
   * @param {Record<string, unknown>} _metadata
   */
  goAhead(_file, _metadata) {}

  /**
   * @override
   * @param {Running} upload
   */
  add(upload) {
    if (this.#label !== null) upload.pause();
    return super.add(upload);
  }

  /** @param {import('filepond').FilePond} pond */
  pause(pond) {
    if (this.#label !== null) return;
    this.#label = /** @type {Pond} */ (pond).labelFileProcessing;
    for (const upload of this) upload.pause();
    this.#show(pond, sayOfField('isPaused', {}, this.texts));
  }

  /** @param {import('filepond').FilePond} pond */
  resume(pond) {
    if (this.#label === null) return;
    for (const upload of this) upload.resume();
    this.#show(pond, this.#label);
    this.#label = null;
  }

  /**
   * FilePond writes a label with the next progress.
   *
   * @param {import('filepond').FilePond} pond
   * @param {string} label
   */
  #show(pond, label) {
    /** @type {Pond} */ (pond).labelFileProcessing = label;
    for (const upload of this) upload.tell();
  }
}
