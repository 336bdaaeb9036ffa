/**
 * @typedef {object} Progress
 * @property {number} loaded bytes
 * @property {number} total bytes
 * @property {number} speed bytes a second, 0 while it is not known
 * @property {number} remaining seconds, Infinity while they are not known
 */

/** Milliseconds between two looks at the speed. */
const LOOK = 500;
/** How much of the speed is that of the last look. */
const WEIGHT = 0.25;

/**
 * Another attempt starts from nothing, but a progress bar that jumps back looks broken: it stands still, and why is told.
 *
 * @param {number} total bytes
 * @param {(progress: Progress) => void} onprogress
 * @param {import('./http.js').Wait} wait
 * @param {() => number} [now] milliseconds
 * @returns {(loaded: number) => void}
 */
export function onlyForwards(total, onprogress, wait, now = () => performance.now()) {
  let furthest = 0;
  let isCatchingUp = false;
  let speed = 0;
  /** @type {{ time: number, loaded: number } | undefined} */
  let last;
  return (loaded) => {
    if (isCatchingUp !== loaded < furthest) {
      isCatchingUp = loaded < furthest;
      wait(isCatchingUp ? 'catchingUp' : '');
    }
    const time = now();
    if (!last || loaded < last.loaded) {
      last = { time, loaded };
    } else if (time - last.time >= LOOK) {
      const latest = ((loaded - last.loaded) * 1000) / (time - last.time);
      speed = speed > 0 ? speed + WEIGHT * (latest - speed) : latest;
      last = { time, loaded };
    }
    furthest = Math.min(Math.max(furthest, loaded), total);
    if (total === 0) return;
    onprogress({ loaded: furthest, total, speed, remaining: speed > 0 ? (total - furthest) / speed : Infinity });
  };
}
