/**
 * FilePond draws all of its files while anything moves, and asks for uploads only when nothing does: of thirty small files
 * the drawing took ten times as long as the uploads.
 */

/** Frames. Between two of them FilePond looks where things are now. */
const JUMPS = 10;
/** Milliseconds between news of many files. */
const PAUSE = 1000;
/** Of more files than these nobody watches each come in. */
export const FEW = 5;

let jumps = 0;
let areMany = false;

/**
 * Has whatever moves on FilePond arrive, in this frame and the next ones. In a tab that nobody sees FilePond moves
 * everything to its end at once, so it is told for the time of a call that it is in one. What draws it has no public
 * name; without it everything takes its time.
 *
 * @param {Set<object>} underWay uploads
 */
export function rest({ size }) {
  areMany = size > FEW;
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
  if (areMany) still();
}

/** Thirty wheels that turn are drawn sixty times a second, without a GPU by the processors that have uploads to do. */
function still() {
  for (const animation of document.getAnimations()) {
    if (/** @type {KeyframeEffect} */ (animation.effect).target?.closest('.filepond--root')) animation.cancel();
  }
}

/**
 * Tells FilePond what is new of several files together, and of the last one at once.
 *
 * @param {Set<object>} underWay the uploads that there may be news of
 */
export function together(underWay) {
  /** @type {Map<object, () => void>} */
  const news = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const tellAll = () => {
    clearTimeout(timer);
    timer = undefined;
    const all = [...news.values()];
    news.clear();
    for (const tell of all) tell();
    if (underWay.size > 0) rest(underWay);
  };
  /**
   * @param {object} upload of which this replaces what was not told yet
   * @param {() => void} tell
   */
  return (upload, tell) => {
    news.set(upload, tell);
    if (news.size >= underWay.size) tellAll();
    else timer ??= setTimeout(tellAll, PAUSE);
  };
}
