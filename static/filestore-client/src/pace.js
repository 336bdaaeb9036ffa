/** How many parts are sent at once: half as many after trouble, one more after so many without. */
export class Pace {
  #most = 4;
  #inARow = 0;

  get most() {
    return this.#most;
  }

  slower() {
    this.#most = Math.ceil(this.#most / 2);
    this.#inARow = 0;
  }

  wentWell() {
    this.#inARow += 1;
    if (this.#most === 4 || this.#inARow < 8) return;
    this.#most += 1;
    this.#inARow = 0;
  }
}
