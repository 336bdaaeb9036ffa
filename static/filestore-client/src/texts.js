/**
 * What people read, by its key. `{…}` stands for a value. Numbers are written as in `locale` (BCP 47). A unit that has a
 * singular has it before a slash.
 */
export const TEXTS = {
  locale: 'en',
  units: 'byte/bytes KB MB GB TB',

  again: 'Trying again …',
  busy: 'Busy right now. The upload goes on in a moment.',
  catchingUp: 'Sending again what did not arrive …',
  comparing: 'Comparing the file with what has arrived …',
  offline: 'You are offline. The upload goes on when the connection is back.',
  paused: 'Paused.',
  stalling: 'The connection stands still. Trying again …',

  alreadyStored: 'This file is stored already and can no longer be undone.',
  changed: 'The file has changed while it was uploaded. Add it again.',
  serviceBusy: 'Too busy right now. Try again in a minute.',
  serviceProblem: 'The service has a problem. Try again later.',
  serviceRefusal: 'Refused by the service ({status}).',
  stalled: 'The connection stands still. Try again later.',
  storageProblem: 'The storage is busy. Try again later.',
  storageRefusal: 'Refused by the storage ({status}).',
  tooLarge: 'Too large: a file may have up to {size}.',
  typeRefused: 'Files of this type are not accepted.',
  unexpected: 'The upload failed unexpectedly.',
  unreachable: 'No connection to the service, or it does not take requests from this page.',
  unreadable: 'The file cannot be read any more. Add it again.',
  wrongAddress: 'Nothing can be uploaded: {url} is not the address of a Filestore API.',
};

/**
 * What the service refuses it says itself, in English: by the property of the file, or by the code. Another language has
 * its own words.
 *
 * @typedef {'refused_name' | 'refused_type' | `refused_${'checksum_mismatch' | 'file_too_large' | 'forbidden' | 'origin_not_allowed'}`} RefusalKey
 */
/** @typedef {keyof typeof TEXTS | keyof typeof import('./field-texts.js').FIELD_TEXTS | RefusalKey} TextKey */
/** @typedef {Partial<Record<TextKey, string>>} Texts those that are said in other words, or in another language */

/**
 * @param {TextKey} key
 * @param {Record<string, string | number>} [values] a number called `size` is one of bytes
 * @param {Texts} [texts]
 */
export function say(key, values = {}, texts) {
  const all = { ...TEXTS, ...texts };
  return (/** @type {Texts} */ (all)[key] ?? key).replace(/{(\w+)}/g, (hole, name) =>
    name === 'size' ? readableSize(Number(values.size), all) : (values[name] ?? hole).toLocaleString(all.locale),
  );
}

/**
 * @param {number} bytes
 * @param {{ locale: string, units: string }} [texts]
 */
export function readableSize(bytes, { locale, units } = TEXTS) {
  const power = Math.min(Math.floor(Math.log2(bytes || 1) / 10), 4);
  const number = Number((bytes / 1024 ** power).toPrecision(power ? 3 : 4));
  const [one, more = one] = (units.split(' ')[power] ?? '').split('/');
  const form = new Intl.PluralRules(locale).select(number);
  return `${number.toLocaleString(locale)} ${form === 'one' ? one : more}`;
}
