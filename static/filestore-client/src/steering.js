import { until } from './http.js';

/** Whoever has an upload may stop it for a while, or for good. */
export class Steering {
  #end = new AbortController();
  #run = new AbortController();
  #isPaused = false;
  #goOn = () => undefined;
  /** @type {(isPaused: boolean) => void} */
  onchange = () => undefined;

  get isAborted() {
    return this.#end.signal.aborted;
  }

  abort() {
    this.#end.abort();
    this.#run.abort();
  }

  pause() {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#run.abort();
    this.onchange(true);
  }

  resume() {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.onchange(false);
    this.#goOn();
  }

  /**
   * Acts, and once more after each pause.
   *
   * @template T
   * @param {(signal: AbortSignal) => Promise<T>} act stops at the signal
   * @returns {Promise<T>} rejects with an AbortError after `abort()`
   */
  async through(act) {
    const { signal } = this.#end;
    for (;;) {
      if (this.#isPaused) {
        await until((done) => {
          this.#goOn = /** @type {() => undefined} */ (done);
          return () => undefined;
        }, signal);
      }
      signal.throwIfAborted();
      this.#run = new AbortController();
      try {
        return await act(this.#run.signal);
      } catch (reason) {
        signal.throwIfAborted();
        if (!this.#run.signal.aborted) throw reason;
      }
    }
  }
}
