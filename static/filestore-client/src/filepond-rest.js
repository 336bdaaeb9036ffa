/**
 * FilePond draws all of its files while anything moves, and asks for uploads only when nothing does: of thirty small files
 * the drawing took ten times as long as the uploads.
 */

/** Frames. Between two of them FilePond looks where things are now. */
const JUMPS = 10;
/** Milliseconds between news of many files. */
const PAUSE = 1000;

let jumps = 0;

/**
 * Has whatever moves on FilePond arrive, in this frame and the next ones. In a tab that nobody sees FilePond moves
 * everything to its end at once, so it is told for the time of a call that it is in one. What draws it has no public
 * name; without it everything takes its time.
 */
export function rest() {
  if (jumps === 0) requestAnimationFrame(jump);
  jumps = JUMPS;
}

function jump() {
  jumps -= 1;
  if (jumps > 0) requestAnimationFrame(jump);
  const { writers = [] } = /** @type {any} */ (globalThis).__framePainter ?? {};
  Object.defineProperty(document, 'hidden', { value: true, configurable: true });
  try {
    for (const write of writers) write(performance.now());
  } finally {
    Reflect.deleteProperty(document, 'hidden');
  }
}

/** Tells FilePond what is new of several files together, and of the last one at once. */
export class News {
  #underWay;
  /** @type {Map<object, () => void>} */
  #news = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Set<object>} underWay the uploads that there may be news of */
  constructor(underWay) {
    this.#underWay = underWay;
  }

  /**
   * @param {object} upload of which this replaces what was not told yet
   * @param {() => void} tell
   */
  add(upload, tell) {
    this.#news.set(upload, tell);
    if (this.#news.size >= this.#underWay.size) this.#tell();
    else this.#timer ??= setTimeout(() => this.#tell(), PAUSE);
  }

  #tell() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const all = [...this.#news.values()];
    this.#news.clear();
    for (const tell of all) tell();
    if (this.#underWay.size > 0) rest();
  }
}
