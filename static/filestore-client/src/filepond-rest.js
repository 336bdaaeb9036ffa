/**
 * FilePond draws all of its files while anything moves, and asks for uploads only when nothing does: of thirty small files
 * the drawing took ten times as long as the uploads.
 */

const FRAMES = 2;
/** FilePond looks where things are, moves them, and has to look again. */
const TURNS = 6;
/** Milliseconds between news of many files. */
const PAUSE = 1000;

let frames = 0;

/**
 * Has whatever moves on FilePond arrive, in this frame and the next one. In a tab that nobody sees FilePond moves
 * everything to its end at once, so it is told for the time of a call that it is in one. What draws it has no public
 * name; without it everything takes its time.
 */
export function rest() {
  if (frames === 0) requestAnimationFrame(arrive);
  frames = FRAMES;
}

function arrive() {
  frames -= 1;
  if (frames > 0) requestAnimationFrame(arrive);
  const { readers = [], writers = [] } = /** @type {any} */ (globalThis).__framePainter ?? {};
  Object.defineProperty(document, 'hidden', { value: true, configurable: true });
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      for (const read of readers) read();
      for (const write of writers) write(performance.now());
    }
  } finally {
    delete (/** @type {any} */ (document).hidden);
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
