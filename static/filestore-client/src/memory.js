/**
 * What this tab has uploaded and not submitted, with the tokens that undo it. In sessionStorage: it survives a reload,
 * and it is gone with the tab. A token can do nothing but take back its own unstored upload.
 *
 * A tab that is duplicated, or opened by a script of this page, starts with a copy of the storage. So each upload has
 * an owner: the page that shows it. A page that is left, or hidden, gives its uploads up, and the next of the tab takes them.
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

/**
 * @typedef {object} Kept
 * @property {string} token
 * @property {string} restoreAs
 * @property {number} order
 * @property {string | null} [owner]
 * @property {boolean} [pending] still under way
 * @property {boolean} [goesOn] when the same file is added again
 * @property {string} [group] the ids of the uploads that one file was made into, with commas between
 */

/** @typedef {UnsubmittedUpload & Kept} Remembered */

const UPLOADS = 'filestore-uploads';
const SUBMITTED = 'filestore-submitted';
const MOST_SUBMITTED = 1000;

/** This page, among those that the tab shows one after another. */
const page = Math.random().toString(36).slice(2);

/**
 * By id, for as long as this page is there.
 *
 * @type {Map<string, string>}
 */
const tokens = new Map();

/**
 * What this page has begun.
 *
 * @type {Set<string>}
 */
const begun = new Set();

let started = 0;
let isWatching = false;

/**
 * @template Value
 * @param {string} key
 * @param {Value} empty
 * @returns {Value}
 */
function read(key, empty) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') ?? empty;
  } catch {
    return empty;
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function write(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: then nothing can be restored or undone after a reload, and all else works.
  }
}

/** @returns {Record<string, Remembered>} */
function uploads() {
  return read(UPLOADS, {});
}

/** @param {(uploads: Record<string, Remembered>) => void} alter */
function change(alter) {
  const changed = uploads();
  alter(changed);
  write(UPLOADS, changed);
}

/**
 * @param {string | null} from
 * @param {string | null} to
 */
function handOver(from, to) {
  change((all) => {
    for (const upload of Object.values(all)) if (upload.owner === from) upload.owner = to;
  });
}

/** Pages that crash or are put away by the system were hidden before, or are lost. */
function watch() {
  if (isWatching) return;
  isWatching = true;
  const leave = () => handOver(page, null);
  const stay = () => change((all) => {
    for (const id of tokens.keys()) if (all[id]?.owner === null) all[id].owner = page;
  });
  addEventListener('pagehide', leave);
  addEventListener('pageshow', stay);
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : stay()));
}

/** @returns {number} by which uploads are sorted in the order in which they were begun */
export function nextOrder() {
  started += 1;
  return Date.now() * 1000 + (started % 1000);
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
  return wasSubmitted(id) ? undefined : (tokens.get(id) ?? uploads()[id]?.token);
}

/** @param {string} id */
export function dropToken(id) {
  tokens.delete(id);
}

/** @param {Remembered} upload */
export function remember(upload) {
  watch();
  begun.add(upload.id);
  change((all) => {
    all[upload.id] = { ...upload, owner: document.hidden ? null : page };
  });
}

/** @param {string[]} ids those of the uploads that one file was made into: they are restored as one */
export function group(ids) {
  change((all) => {
    for (const id of ids) if (all[id]) all[id].group = ids.join();
  });
}

/** @param {Iterable<string>} ids */
export function forget(ids) {
  change((all) => {
    for (const id of ids) delete all[id];
  });
}

/** @returns {Remembered[]} those that are still there, no other page's, and not under way on this one, oldest first */
export function remembered() {
  return Object.values(uploads())
    .filter(({ expiresAt, owner = null }) => expiresAt > Date.now() && (owner === null || owner === page))
    .filter(({ id, pending }) => !(pending && begun.has(id)))
    .sort((one, other) => one.order - other.order);
}

/**
 * Those that a page before this one has begun. From now on they are this page's.
 *
 * @param {(upload: Remembered) => boolean} which
 * @returns {Remembered[]}
 */
export function claim(which) {
  watch();
  const found = remembered().filter(which);
  change((all) => {
    for (const { id, token } of found) {
      keepToken(id, token);
      const upload = all[id];
      if (upload) upload.owner = page;
    }
  });
  return found;
}

/**
 * Call it when the form with these ids has reached the back end. From then on they are its files: they are not
 * restored, and nothing takes them back, on this page and on those that the browser goes back to.
 *
 * @param {Iterable<string>} ids
 */
export function submitted(ids) {
  const given = [...ids];
  for (const id of given) tokens.delete(id);
  forget(given);
  write(SUBMITTED, [...read(SUBMITTED, /** @type {string[]} */ ([])), ...given].slice(-MOST_SUBMITTED));
}

/** @param {string} id */
export function wasSubmitted(id) {
  return read(SUBMITTED, /** @type {string[]} */ ([])).includes(id);
}

/** @returns {UnsubmittedUpload[]} what this tab has uploaded and not submitted, oldest first */
export function unsubmitted() {
  return remembered()
    .filter(({ pending }) => !pending)
    .map(({ id, name, size, type, uploadedAt, expiresAt }) => ({ id, name, size, type, uploadedAt, expiresAt }));
}
