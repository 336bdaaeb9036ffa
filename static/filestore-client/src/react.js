import { useState, useSyncExternalStore } from 'react';
import { Uploads } from './uploads.js';

/** @typedef {import('./uploads.js').ListedFile} ListedFile */

/**
 * The files of a form as a list to draw, found again after a reload.
 *
 * @param {string} url the stack's output ApiRootUrl
 * @param {import('./client.js').ClientOptions} [options] those of the first time count
 */
export function useUploads(url, options) {
  const [uploads] = useState(() => new Uploads(url, options));
  const files = useSyncExternalStore(uploads.subscribe, uploads.files, uploads.files);
  const { add, remove, pause, resume, submitted } = uploads;
  return { files, add, remove, pause, resume, submitted };
}
