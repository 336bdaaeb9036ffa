/** One upload, from the file to its id: in one PUT, or in parts where the API says so. */

import { describe, refuse } from './description.js';
import { UploadError } from './errors.js';
import { call } from './http.js';
import { keyOf, lock, look, note, strike } from './journal.js';
import { stayUntil } from './leaving.js';
import { forget, keepToken, nextOrder, remember } from './memory.js';
import { Parts } from './parts.js';
import { onlyForwards } from './progress.js';
import { put } from './put.js';
import { say } from './texts.js';

/** @typedef {import('./parts.js').Plan & { url?: undefined } | Ticket} Answer */

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

/**
 * @typedef {object} Service what a client knows
 * @property {string} root the API's address
 * @property {import('./client.js').ClientOptions} options
 * @property {string | false} restoreAs
 * @property {import('./queue.js').Queue} queue
 * @property {(id: string) => Promise<void>} undo
 */

const DEFAULT_LIFETIME = 3600;
const DEFAULT_STALL_TIMEOUT = 30;
/** Bytes. Less is never brought in parts that outlive a page. */
const LEAST_IN_PARTS = 5 * 1024 ** 2;

const FORBIDDEN = 403;
/** @type {unknown[]} */
const OVER = ['unknown', 'upload_ended'];

export class Sending {
  #file;
  #options;
  #service;
  #order = nextOrder();
  /** @type {import('./description.js').Described} */
  #described = { name: '', size: 0, type: '' };
  /** @type {(() => void) | undefined} */
  #unlock;
  /** @type {Answer | undefined} */
  #answer;
  /** @type {Parts | undefined} */
  #parts;
  #progress;
  #key;

  /**
   * @param {File} file
   * @param {import('./client.js').UploadOptions} options
   * @param {Service} service
   */
  constructor(file, options, service) {
    this.#file = file;
    this.#options = options;
    this.#service = service;
    this.#key = keyOf(service.root, service.restoreAs || location.pathname + location.search, file);
    this.#progress = onlyForwards(file.size, options.onprogress ?? nothing, this.#wait);
  }

  /**
   * @param {import('./steering.js').Steering} steering
   * @returns {Promise<import('./client.js').UploadedFile>}
   */
  async through(steering) {
    const { name = this.#file.name, type = this.#file.type } = this.#options;
    const { maxFileSize, acceptedFileTypes } = this.#service.options;
    const leave = stayUntil();
    steering.onchange = (isPaused) => this.#wait(isPaused ? 'paused' : '');
    try {
      this.#described = { name, size: this.#file.size, type: await type };
      refuse(this.#described, maxFileSize, acceptedFileTypes);
      const id = await steering.through((signal) => this.#service.queue.through(signal, () => this.#bring(signal)));
      this.#remember(id, false);
      return { id, ...this.#described };
    } catch (reason) {
      const id = this.#answer?.id;
      // Nobody waits for this one. Where it fails the upload is left to expire.
      if (id && steering.isAborted) this.#service.undo(id).catch(nothing);
      else if (id) forget([id]);
      // What has arrived in parts waits for another attempt.
      if (steering.isAborted || (reason instanceof UploadError && !reason.passing)) this.#giveUp();
      throw reason;
    } finally {
      leave();
      steering.onchange = nothing;
      this.#unlock?.();
    }
  }

  /** @type {import('./http.js').Wait} */
  #wait = (key) => this.#options.onwait?.(key && say(key, {}, this.#service.options.texts));

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<string>} its id
   */
  async #bring(signal) {
    if (!this.#answer) await this.#resume(signal);
    try {
      return await this.#attempt(signal);
    } catch (reason) {
      // It waited too long for its turn, or the computer was asleep: its address has expired, or all of it.
      const isOver = reason instanceof UploadError && !reason.passing && (reason.status === FORBIDDEN || OVER.includes(reason.code));
      if (!isOver || !this.#answer) throw reason;
      forget([this.#answer.id]);
      this.#giveUp();
      return this.#attempt(signal);
    }
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<string>}
   */
  async #attempt(signal) {
    this.#answer ??= await this.#begin(signal);
    const answer = this.#answer;
    this.#remember(answer.id, true);
    if (answer.url === undefined) {
      this.#parts ??= new Parts(this.#file, answer, this.#way(answer));
      await this.#parts.send(signal);
      await strike(this.#key);
    } else {
      const { stallTimeout = DEFAULT_STALL_TIMEOUT } = this.#service.options;
      await put(this.#file, answer, { signal, stallTimeout, wait: this.#wait, progress: this.#progress });
    }
    signal.throwIfAborted();
    return answer.id;
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #begin(signal) {
    const { root, options } = this.#service;
    const { metadata = {} } = this.#options;
    const wrong = new UploadError('wrongAddress', { values: { url: root } });
    // A path leads to an API behind the page's own origin; anything else would be looked for beside the page.
    if (!/^(https?:\/)?\/./i.test(root)) throw wrong;
    const json = { ...describe(this.#described, metadata), ...(options.multipart && { multipart: true }) };
    const request = { method: 'POST', json, headers: options.headers ?? {}, signal, wait: this.#wait };
    const answer = await (await call(`${root}/file`, request)).json().catch(nothing);
    if (!answer?.url && !answer?.part_count) throw wrong;
    if (answer.part_count) {
      this.#unlock = await lock(answer.id);
      await note(this.#key, { id: answer.id, token: answer.token });
    }
    return answer;
  }

  /**
   * Goes on with what another page had begun, if this is the same file.
   *
   * @param {AbortSignal} signal
   */
  async #resume(signal) {
    if (this.#file.size < LEAST_IN_PARTS && !this.#service.options.multipart) return;
    const known = await look(this.#key);
    if (!known) return;
    const unlock = await lock(known.id);
    // Another tab is at it: this one sends a file of its own.
    if (!unlock) return;
    const parts = await Parts.resume(this.#file, known, this.#way(known), signal).catch((reason) => {
      unlock();
      throw reason;
    });
    if (!parts) {
      unlock();
      await strike(this.#key);
      return;
    }
    this.#unlock = unlock;
    this.#parts = parts;
    this.#answer = parts.plan;
  }

  /**
   * @param {{ id: string, token: string }} upload
   * @returns {import('./parts.js').Way}
   */
  #way({ id, token }) {
    const { root, options } = this.#service;
    return {
      url: `${root}/file/${encodeURIComponent(id)}`,
      headers: { ...options.headers, 'x-upload-token': token },
      stallTimeout: options.stallTimeout ?? DEFAULT_STALL_TIMEOUT,
      wait: this.#wait,
      progress: this.#progress,
      note: (checksum) => note(this.#key, { id, token, checksum }),
    };
  }

  #giveUp() {
    if (this.#parts) void strike(this.#key);
    this.#unlock?.();
    this.#parts = this.#unlock = this.#answer = undefined;
  }

  /**
   * @param {string} id
   * @param {boolean} pending
   */
  #remember(id, pending) {
    if (!this.#answer) return;
    const { token } = this.#answer;
    keepToken(id, token);
    const { restoreAs, options } = this.#service;
    if (!restoreAs) return;
    const uploadedAt = Date.now();
    const expiresAt = uploadedAt + (options.lifetime ?? DEFAULT_LIFETIME) * 1000;
    const goesOn = this.#answer.url === undefined;
    remember({ id, token, ...this.#described, restoreAs, uploadedAt, expiresAt, order: this.#order, pending, goesOn });
  }
}

function nothing() {
  return undefined;
}
