/**
 * What this tab has uploaded and not submitted, with the tokens that undo it. In sessionStorage: it survives a reload,
 * no other tab sees it, and it is gone with the tab. A token can do nothing but take back its own unstored upload.
 */

/**
 * An upload that has not been submitted.
 *
 * @typedef {object} UnsubmittedUpload
 * @property {string} id
 * @property {string} name
 * @property {number} size
 * @property {string} type
 * @property {number} uploadedAt milliseconds since the epoch
 * @property {number} expiresAt milliseconds since the epoch
 */

/** @typedef {UnsubmittedUpload & { token: string, restoreAs: string }} Remembered */

const KEY = 'filestore-uploads';

/**
 * By id, for as long as this page is there.
 *
 * @type {Map<string, string>}
 */
const tokens = new Map();

/** @returns {Record<string, Remembered>} */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
  } catch {
    return {};
  }
}

/** @param {(uploads: Record<string, Remembered>) => void} alter */
function change(alter) {
  const uploads = read();
  alter(uploads);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(uploads));
  } catch {
    // Storage is full or forbidden: then nothing can be restored or undone after a reload, and all else works.
  }
}

/**
 * @param {string} id
 * @param {string} token
 */
export function keepToken(id, token) {
  tokens.set(id, token);
}

/** @param {string} id */
export function tokenOf(id) {
  return tokens.get(id) ?? read()[id]?.token;
}

/** @param {string} id */
export function dropToken(id) {
  tokens.delete(id);
}

/** @param {Remembered} upload */
export function remember(upload) {
  change((uploads) => {
    uploads[upload.id] = upload;
  });
}

/** @param {Iterable<string>} ids */
export function forget(ids) {
  change((uploads) => {
    for (const id of ids) delete uploads[id];
  });
}

/** @returns {Remembered[]} those that are still there, oldest first */
export function remembered() {
  return Object.values(read()).filter(({ expiresAt }) => expiresAt > Date.now());
}

/**
 * Call it when the form with these ids has reached the back end. From then on they are its files: they are not
 * restored, and nothing takes them back.
 *
 * @param {Iterable<string>} ids
 */
export function submitted(ids) {
  const given = [...ids];
  for (const id of given) tokens.delete(id);
  forget(given);
}

/** @returns {UnsubmittedUpload[]} what this tab has uploaded and not submitted, oldest first */
export function unsubmitted() {
  return remembered().map(({ token, restoreAs, ...upload }) => upload);
}
