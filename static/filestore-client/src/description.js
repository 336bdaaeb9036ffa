/** What is said of a file before it is sent, and which files are not sent at all. */

import { UploadError } from './errors.js';

/** What the API takes as meta: of keys and values the characters, of all the octets. */
const MAX_PAIRS = 50;
const MAX_KEY = 64;
const MAX_VALUE = 512;
const MAX_OCTETS = 2048;

/**
 * What is said of a file.
 *
 * @typedef {object} Described
 * @property {string} name
 * @property {number} size bytes
 * @property {string} type empty where nobody knows it
 */

/**
 * @param {Described} file
 * @param {number} [maxFileSize] bytes
 * @param {string[]} [acceptedFileTypes] MIME types, `image/*` and the like, endings of names such as `.pdf`
 */
export function refuse({ name, size, type }, maxFileSize = Infinity, acceptedFileTypes = []) {
  if (size > maxFileSize) throw new UploadError('tooLarge', { values: { size: maxFileSize } });
  /** @param {string} accepted */
  const accepts = (accepted) => {
    if (accepted.startsWith('.')) return name.toLowerCase().endsWith(accepted.toLowerCase());
    return accepted.endsWith('/*') ? type.startsWith(accepted.slice(0, -1)) : type === accepted;
  };
  if (acceptedFileTypes.length > 0 && !acceptedFileTypes.some(accepts)) throw new UploadError('typeRefused');
}

/**
 * The body of `POST /file`. A type that is not known is left out: the API takes none that is empty.
 *
 * @param {Described} file
 * @param {Record<string, unknown>} metadata
 */
export function describe({ name, size, type }, metadata) {
  const meta = metaOf(metadata);
  return { name, size, ...(type && { type }), ...(Object.keys(meta).length > 0 && { meta }) };
}

/**
 * What may accompany a file: FilePond's plugins keep objects of their own in the metadata, the API takes strings. What
 * it would refuse is left out, for the file's sake.
 *
 * @param {Record<string, unknown>} metadata
 * @returns {Record<string, string>}
 */
function metaOf(metadata) {
  /** @type {Record<string, string>} */
  const meta = {};
  const leftOut = [];
  let octets = 0;
  for (const [key, value] of Object.entries(metadata)) {
    if (value == null || Object(value) === value) continue;
    const text = String(value);
    const more = new TextEncoder().encode(key + text).length;
    const fits =
      key.length >= 1 &&
      key.length <= MAX_KEY &&
      [...text].length <= MAX_VALUE &&
      Object.keys(meta).length < MAX_PAIRS &&
      octets + more <= MAX_OCTETS;
    if (fits) {
      meta[key] = text;
      octets += more;
    } else {
      leftOut.push(key);
    }
  }
  if (leftOut.length > 0) console.warn(`Filestore: metadata too long to be kept with a file: ${leftOut.join(', ')}`);
  return meta;
}
