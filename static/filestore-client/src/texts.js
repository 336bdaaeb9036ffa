/** What people read, by its key. `{…}` stands for a value. */
export const TEXTS = {
  again: 'Trying again …',
  busy: 'Busy right now. The upload goes on in a moment.',
  offline: 'You are offline. The upload goes on when the connection is back.',

  tooLarge: 'Too large: a file may have up to {size}.',
  typeRefused: 'Files of this type are not accepted.',
  unreadable: 'The file cannot be read any more. Add it again.',
  unreachable: 'No connection to the service.',
  serviceBusy: 'Too busy right now. Try again in a minute.',
  serviceProblem: 'The service has a problem. Try again later.',
  serviceRefusal: 'Refused by the service ({status}).',
  storageProblem: 'The storage is busy. Try again later.',
  storageRefusal: 'Refused by the storage ({status}).',
  alreadyStored: 'This file is stored already and can no longer be undone.',
  expired: 'This upload has expired. Add the file again.',
  missing: 'This file is not there any more.',
  unexpected: 'The upload failed unexpectedly.',
};

/** @typedef {keyof typeof TEXTS} TextKey */
/** @typedef {Partial<Record<TextKey, string>>} Texts those that are said in other words, or in another language */

/**
 * @param {TextKey} key
 * @param {Record<string, string | number>} [values]
 * @param {Texts} [texts]
 */
export function say(key, values = {}, texts = {}) {
  return (texts[key] ?? TEXTS[key]).replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? all));
}

/** @param {number} bytes */
export function readableSize(bytes) {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 3);
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${['bytes', 'KB', 'MB', 'GB'][power]}`;
}
