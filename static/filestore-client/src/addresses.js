import { base64 } from './checksum.js';
import { call, PATIENT_ATTEMPTS } from './http.js';

/** @typedef {import('./put.js').Address} Address */
/** @typedef {{ checksum: bigint, taken: (address: Address) => void, failed: (reason: unknown) => void }} Request */

/** Asks where parts go. Those that are asked for while an answer is waited for are asked for together. */
export class Addresses {
  #way;
  #signal;
  /** @type {Map<number, Request>} */
  #requests = new Map();
  #isAsking = false;

  /**
   * @param {import('./parts.js').Way} way
   * @param {AbortSignal} signal
   */
  constructor(way, signal) {
    this.#way = way;
    this.#signal = signal;
  }

  /**
   * @param {number} number of the part
   * @param {bigint} checksum
   * @returns {Promise<Address>} for one attempt
   */
  of(number, checksum) {
    return new Promise((taken, failed) => {
      this.#requests.set(number, { checksum, taken, failed });
      if (!this.#isAsking) void this.#ask();
    });
  }

  async #ask() {
    this.#isAsking = true;
    while (this.#requests.size > 0) {
      const asked = new Map(this.#requests);
      this.#requests.clear();
      try {
        const parts = [...asked].map(([part_number, { checksum }]) => ({ part_number, checksum: base64(checksum) }));
        const { url, headers, wait } = this.#way;
        const request = { method: 'POST', json: { parts }, headers, signal: this.#signal, wait, attempts: PATIENT_ATTEMPTS };
        const answer = await (await call(`${url}/parts`, request)).json();
        for (const { part_number, ...address } of answer.parts) asked.get(part_number)?.taken({ method: 'PUT', ...address });
      } catch (reason) {
        for (const { failed } of asked.values()) failed(reason);
      }
    }
    this.#isAsking = false;
  }
}
