import { onScopeDispose, shallowRef } from 'vue';
import { Uploads } from './uploads.js';

/** @typedef {import('./uploads.js').ListedFile} ListedFile */

/**
 * The files of a form as a list to draw, found again after a reload.
 *
 * @param {string} url the stack's output ApiRootUrl
 * @param {import('./client.js').ClientOptions} [options]
 */
export function useUploads(url, options) {
  const uploads = new Uploads(url, options);
  const files = shallowRef(uploads.files());
  onScopeDispose(
    uploads.subscribe(() => {
      files.value = uploads.files();
    }),
  );
  const { add, remove, pause, resume, submitted } = uploads;
  return { files, add, remove, pause, resume, submitted };
}
