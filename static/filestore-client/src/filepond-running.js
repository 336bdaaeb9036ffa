import { sayOfField } from './field-texts.js';

/** @typedef {import('filepond').FilePond & { labelFileProcessing: string }} Pond */
/** @typedef {import('./filepond-server.js').Running} Running */

/**
 * The uploads of one FilePond. While they are paused its rows say so, in the place of its label of what is uploading.
 *
 * @extends {Set<Running>}
 */
export class AllRunning extends Set {
  /** @type {Pond | undefined} once it has shown itself */
  pond;
  /** What that FilePond has or had; other options bring another one. */
  all = new Set([this]);
  /** @type {import('./client.js').Texts | undefined} */
  texts;
  /** @type {string | null} while it is paused, what FilePond said before */
  #label = null;

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

  pause() {
    if (this.#label !== null) return;
    this.#label = this.pond?.labelFileProcessing ?? '';
    for (const upload of this) upload.pause();
    this.#show(sayOfField('isPaused', {}, this.texts));
  }

  resume() {
    if (this.#label === null) return;
    for (const upload of this) upload.resume();
    this.#show(this.#label);
    this.#label = null;
  }

  /**
   * FilePond writes a label with the next progress.
   *
   * @param {string} label
   */
  #show(label) {
    if (this.pond) this.pond.labelFileProcessing = label;
    for (const upload of this) upload.tell();
  }
}
