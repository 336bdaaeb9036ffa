/** How far the uploads of the form are, together. */

import { duration, say, size } from './language.js';

/** @typedef {import('./filestore-client/src/client.js').Progress} Progress */

/** @type {Map<File, Progress>} */
const transfers = new Map();

/**
 * @param {File} file
 * @param {Progress} progress
 */
export function track(file, progress) {
  transfers.set(file, progress);
}

export function startAnew() {
  transfers.clear();
}

/**
 * @param {File[]} there the files of the form: those that were removed count no more
 * @param {File[]} toCome those of them that are still to be uploaded, also where nothing is known of them yet
 * @returns {string} such as `12 MB of 40 MB, 1.5 MB/s, 0:19 min left`; empty while there is nothing to upload
 */
export function summary(there, toCome) {
  const all = there.map(
    (file) => transfers.get(file) ?? { loaded: 0, total: toCome.includes(file) ? file.size : 0, speed: 0 },
  );
  const loaded = all.reduce((sum, each) => sum + each.loaded, 0);
  const total = all.reduce((sum, each) => sum + each.total, 0);
  if (total === 0) return '';
  const speed = all.filter((each) => each.loaded < each.total).reduce((sum, each) => sum + each.speed, 0);
  const parts = [say('transferred', { loaded: size(loaded), total: size(total) })];
  if (speed > 0) {
    const time = duration(((total - loaded) / speed) * 1000);
    parts.push(say('perSecond', { amount: size(Math.round(speed)) }), say('timeLeft', { time }));
  }
  return parts.join(', ');
}
