/** The files of a form and what becomes of them, for whatever draws them. */

import { FilestoreClient, submitted } from './client.js';
import { sayOfField } from './field-texts.js';

/**
 * @typedef {object} ListedFile
 * @property {string} key names it in this list
 * @property {string} name
 * @property {number} size bytes
 * @property {'uploading' | 'paused' | 'uploaded' | 'failed'} state
 * @property {number} progress from 0 to 1
 * @property {string} message what it waits for, or why it failed; empty otherwise
 * @property {string} [id] what the form submits, once it is uploaded
 */

export class Uploads {
  #client;
  /** @type {readonly ListedFile[]} */
  #files = [];
  /** @type {Map<string, import('./client.js').Upload>} */
  #running = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  #count = 0;

  /**
   * @param {string} url the stack's output ApiRootUrl
   * @param {import('./client.js').ClientOptions} [options]
   */
  constructor(url, options = {}) {
    this.#client = new FilestoreClient(url, options);
    // On a server that renders the page there is nothing to be found again.
    const before = typeof sessionStorage === 'undefined' ? [] : this.#client.restorable();
    for (const { id, name, size, pending, goesOn } of before) {
      const key = this.#newKey();
      if (!pending) this.#list({ key, name, size, state: 'uploaded', progress: 1, message: '', id });
      else {
        if (!goesOn) this.#client.undo(id).catch(() => undefined);
        const message = sayOfField(goesOn ? 'goesOn' : 'interrupted', {}, options.texts);
        this.#list({ key, name, size, state: 'failed', progress: 0, message });
      }
    }
  }

  /**
   * @param {() => void} listener called after every change
   * @returns {() => void} to be called when it is enough
   */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @returns {readonly ListedFile[]} the same until something changes */
  files = () => this.#files;

  /** @param {Iterable<File>} files */
  add = (files) => {
    for (const file of files) this.#add(file);
  };

  /**
   * Takes a file away, and back from the storage.
   *
   * @param {string} key
   */
  remove = (key) => {
    const id = this.#files.find((file) => file.key === key)?.id;
    this.#running.get(key)?.abort();
    if (id) this.#client.undo(id).catch(() => undefined);
    this.#change(this.#files.filter((file) => file.key !== key));
  };

  /** @param {string} key */
  pause = (key) => {
    this.#running.get(key)?.pause();
    if (this.#running.has(key)) this.#update(key, { state: 'paused' });
  };

  /** @param {string} key */
  resume = (key) => {
    this.#running.get(key)?.resume();
    if (this.#running.has(key)) this.#update(key, { state: 'uploading' });
  };

  /** The back end has them: from now on they are its files, and the list is empty. */
  submitted = () => {
    submitted(this.#files.flatMap(({ id }) => id ?? []));
    this.#change([]);
  };

  /** @param {File} file */
  #add(file) {
    const key = this.#newKey();
    const upload = this.#client.upload(file, {
      onprogress: ({ loaded, total }) => this.#update(key, { progress: loaded / total }),
      onwait: (message) => this.#update(key, { message }),
    });
    this.#running.set(key, upload);
    this.#list({ key, name: file.name, size: file.size, state: 'uploading', progress: 0, message: '' });
    upload.done
      .then(
        ({ id }) => {
          // What has gone on is not interrupted any more.
          const before = this.#files.find(({ state, name, size }) => state === 'failed' && name === file.name && size === file.size);
          this.#change(this.#files.filter((listed) => listed !== before));
          this.#update(key, { state: 'uploaded', progress: 1, message: '', id });
        },
        (reason) => this.#update(key, { state: 'failed', message: this.#client.explain(reason) }),
      )
      .finally(() => this.#running.delete(key));
  }

  #newKey() {
    this.#count += 1;
    return String(this.#count);
  }

  /** @param {ListedFile} file */
  #list(file) {
    this.#change([...this.#files, file]);
  }

  /**
   * @param {string} key
   * @param {Partial<ListedFile>} changes
   */
  #update(key, changes) {
    this.#change(this.#files.map((file) => (file.key === key ? { ...file, ...changes } : file)));
  }

  /** @param {readonly ListedFile[]} files */
  #change(files) {
    this.#files = files;
    for (const listener of this.#listeners) listener();
  }
}
