import { say } from './client.js';

/** What people read of a field of a form, besides what is in `TEXTS`. */
export const FIELD_TEXTS = {
  expired: 'This upload has expired. Add the file again.',
  failedLeft: 'A file could not be uploaded. Try it again, or remove it.',
  goesOn: 'The upload was interrupted. Add the same file again, and it goes on.',
  interrupted: 'The upload was interrupted. Add the file again.',
  isPaused: 'Paused',
  missing: 'This file is not there any more.',
  notFetched: 'It could not be fetched from its address. Save it, and add it from your device.',
  tooMany: 'At most {count} files can be added. Left out: {names}',
  unavailable: 'Files cannot be added right now: the uploader could not be loaded. Reload the page to try again.',
  uploading: 'Wait until the files are uploaded, or remove them.',
};

/**
 * @param {keyof typeof FIELD_TEXTS} key
 * @param {Record<string, string | number>} [values]
 * @param {import('./client.js').Texts} [texts]
 */
export function sayOfField(key, values, texts) {
  return say(key, values, { [key]: FIELD_TEXTS[key], ...texts });
}
