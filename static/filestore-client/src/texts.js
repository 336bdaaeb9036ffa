/** What people read, by its key. `{…}` stands for a value. */
export const TEXTS = {
  again: 'Trying again …',
  busy: 'Busy right now. The upload goes on in a moment.',
  catchingUp: 'Sending again what did not arrive …',
  offline: 'You are offline. The upload goes on when the connection is back.',
  stalling: 'The connection stands still. Trying again …',

  alreadyStored: 'This file is stored already and can no longer be undone.',
  expired: 'This upload has expired. Add the file again.',
  interrupted: 'The upload was interrupted. Add the file again.',
  missing: 'This file is not there any more.',
  notFetched: 'It could not be fetched from its address. Save it, and add it from your device.',
  serviceBusy: 'Too busy right now. Try again in a minute.',
  serviceProblem: 'The service has a problem. Try again later.',
  serviceRefusal: 'Refused by the service ({status}).',
  stalled: 'The connection stands still. Try again later.',
  storageProblem: 'The storage is busy. Try again later.',
  storageRefusal: 'Refused by the storage ({status}).',
  tooLarge: 'Too large: a file may have up to {size}.',
  tooMany: 'At most {count} files can be added. Left out: {names}',
  typeRefused: 'Files of this type are not accepted.',
  unexpected: 'The upload failed unexpectedly.',
  unreachable: 'No connection to the service, or it does not take requests from this page.',
  unreadable: 'The file cannot be read any more. Add it again.',
  wrongAddress: 'Nothing can be uploaded: {url} is not the address of a Filestore API.',

  unavailable: 'Files cannot be added right now: the uploader could not be loaded. Reload the page to try again.',
  failedLeft: 'A file could not be uploaded. Try it again, or remove it.',
  uploading: 'Wait until the files are uploaded, or remove them.',
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
