/** A large file, brought in parts. What has arrived stays there while the connection, the page or the night is gone. */

import { Addresses } from './addresses.js';
import { base64, checksumOf, combine } from './checksum.js';
import { UploadError } from './errors.js';
import { call, PATIENT_ATTEMPTS, persist, until } from './http.js';
import { Pace } from './pace.js';
import { attempt } from './put.js';
import { Queue } from './queue.js';

/**
 * The API's answer to a request for an upload in parts.
 *
 * @typedef {{ id: string, token: string, part_size: number, part_count: number }} Plan
 */

/**
 * @typedef {object} Way
 * @property {string} url of the upload: `…/file/{id}`
 * @property {Record<string, string>} headers
 * @property {number} stallTimeout seconds
 * @property {import('./http.js').Wait} wait
 * @property {(loaded: number) => void} progress
 * @property {(checksum: string) => Promise<unknown>} note keeps that of the whole, before it is put together
 */

const ROUNDS = 3;

const FORBIDDEN = 403;
const BUSY = [429, 503];

/** Of all uploads of a page: what is read is sent soon after. */
const underWay = new Queue(6);

export class Parts {
  #file;
  plan;
  #way;
  /** @type {Map<number, bigint>} the checksums of those that have arrived, by their numbers */
  #arrived = new Map();
  /** Bytes of these. */
  #loaded = 0;
  /** @type {Map<number, number>} how much of each is on its way */
  #under = new Map();
  #pace = new Pace();

  /**
   * @param {Blob} file
   * @param {Plan} plan
   * @param {Way} way
   */
  constructor(file, plan, way) {
    this.#file = file;
    this.plan = plan;
    this.#way = way;
  }

  /**
   * What an upload has that was begun before. What arrived then and is not what the file has now is another file's.
   * One of which the answer was lost when it was put together has one part, all of it.
   *
   * @param {Blob} file
   * @param {import('./journal.js').Entry} upload
   * @param {Way} way
   * @param {AbortSignal} signal
   * @returns {Promise<Parts | undefined>} undefined where the file has changed, or the upload is gone
   */
  static async resume(file, { id, token, checksum: whole }, way, signal) {
    /** @type {{ part_size: number, part_count: number, size: number, parts: { part_number: number, checksum?: string }[] }} */
    let known;
    try {
      known = await (await call(`${way.url}/parts`, { method: 'GET', headers: way.headers, signal })).json();
    } catch (reason) {
      if (!(reason instanceof UploadError) || reason.passing) throw reason;
      if (!whole || reason.code !== 'already_uploaded') return undefined;
      known = { part_size: file.size, part_count: 1, size: file.size, parts: [{ part_number: 1, checksum: whole }] };
    }
    if (known.size !== file.size) return undefined;
    const { part_size, part_count } = known;
    const parts = new Parts(file, { id, token, part_size, part_count }, way);
    way.wait('comparing');
    for (const { part_number: number, checksum } of known.parts) {
      // What nobody has a checksum of is sent again.
      if (!checksum) continue;
      signal.throwIfAborted();
      const computed = await checksumOf(parts.#slice(number));
      if (base64(computed) !== checksum) return undefined;
      parts.#keep(number, computed);
    }
    way.wait('');
    return parts;
  }

  /**
   * Sends what has not arrived, and has it put together.
   *
   * @param {AbortSignal} signal
   */
  async send(signal) {
    for (let round = 1; ; round++) {
      await this.#sendMissing(signal);
      try {
        await this.#complete(signal);
        return;
      } catch (reason) {
        if (!(reason instanceof UploadError) || reason.code !== 'parts_missing' || round === ROUNDS) throw reason;
        for (const number of reason.answer.missing) this.#drop(number);
      }
    }
  }

  /** @param {number} number */
  #slice(number) {
    const size = this.plan.part_size;
    return this.#file.slice((number - 1) * size, number * size);
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #sendMissing(signal) {
    const left = Array.from({ length: this.plan.part_count }, (_, index) => index + 1).filter((number) => !this.#arrived.has(number));
    const stop = new AbortController();
    const addresses = new Addresses(this.#way, stop.signal);
    let active = 0;
    return until((done, fail) => {
      const goOn = () => {
        while (active < this.#pace.most && left.length > 0) {
          active += 1;
          const number = /** @type {number} */ (left.shift());
          underWay.through(stop.signal, () => this.#bring(number, addresses, stop.signal)).then(() => {
            active -= 1;
            goOn();
          }, fail);
        }
        if (active === 0) done();
      };
      queueMicrotask(goOn);
      return () => {
        if (active > 0) stop.abort();
        this.#under.clear();
      };
    }, signal);
  }

  /**
   * @param {number} number
   * @param {Addresses} addresses
   * @param {AbortSignal} signal
   */
  async #bring(number, addresses, signal) {
    const slice = this.#slice(number);
    const checksum = await checksumOf(slice);
    let patience = this.#way.stallTimeout * 1000;
    let isOther = false;
    await persist(
      async () => {
        const progress = (/** @type {number} */ loaded) => {
          this.#under.set(number, loaded);
          this.#tell();
        };
        try {
          await attempt(slice, () => addresses.of(number, checksum), progress, signal, patience);
        } catch (reason) {
          this.#under.delete(number);
          // A connection that is only slow gets its time in the end.
          patience *= 2;
          if (!(reason instanceof UploadError)) throw reason;
          // No connection changes a part twice: the file has, since its checksum was computed.
          if (reason.code === 'BadDigest' && isOther) throw new UploadError('changed');
          isOther ||= reason.code === 'BadDigest';
          if (reason.key === 'stalled' || BUSY.includes(reason.status)) this.#pace.slower();
          // The address has expired, most likely: the computer was asleep. There is another for each attempt.
          if (reason.key === 'storageRefusal' && reason.status === FORBIDDEN) reason.passing = true;
          throw reason;
        }
      },
      signal,
      this.#way.wait,
      PATIENT_ATTEMPTS,
    );
    this.#under.delete(number);
    this.#keep(number, checksum);
    this.#pace.wentWell();
  }

  /** @param {AbortSignal} signal */
  async #complete(signal) {
    const { part_size, part_count } = this.plan;
    const parts = Array.from({ length: part_count }, (_, index) => ({
      checksum: /** @type {bigint} */ (this.#arrived.get(index + 1)),
      size: Math.min(part_size, this.#file.size - index * part_size),
    }));
    const json = { checksum: base64(combine(parts)) };
    const { url, headers, wait, note } = this.#way;
    await note(json.checksum);
    try {
      await call(`${url}/complete`, { method: 'POST', json, headers, signal, wait, attempts: PATIENT_ATTEMPTS });
    } catch (reason) {
      if (reason instanceof UploadError && reason.code === 'checksum_mismatch') throw new UploadError('changed');
      throw reason;
    }
  }

  /**
   * @param {number} number
   * @param {bigint} checksum
   */
  #keep(number, checksum) {
    this.#arrived.set(number, checksum);
    this.#loaded += this.#slice(number).size;
    this.#tell();
  }

  /** @param {number} number */
  #drop(number) {
    if (this.#arrived.delete(number)) this.#loaded -= this.#slice(number).size;
  }

  #tell() {
    this.#way.progress([...this.#under.values()].reduce((sum, sent) => sum + sent, this.#loaded));
  }
}
