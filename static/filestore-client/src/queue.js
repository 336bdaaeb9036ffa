import { until } from './http.js';

/** Lets in so many at once, in the order in which they came. */
export class Queue {
  #room;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {number} room */
  constructor(room) {
    this.#room = room;
  }

  /**
   * Acts when it is let in.
   *
   * @template T
   * @param {AbortSignal} signal ends the waiting
   * @param {() => Promise<T>} act
   * @returns {Promise<T>}
   */
  async through(signal, act) {
    signal.throwIfAborted();
    if (this.#room > 0) {
      this.#room -= 1;
    } else {
      await until((done) => {
        this.#waiting.push(done);
        return () => {
          this.#waiting = this.#waiting.filter((each) => each !== done);
        };
      }, signal);
    }
    try {
      return await act();
    } finally {
      const next = this.#waiting[0];
      if (next) next();
      else this.#room += 1;
    }
  }
}
