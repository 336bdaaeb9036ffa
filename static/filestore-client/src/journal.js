/**
 * Uploads in parts that are not done, in IndexedDB: they go on after a reload, a crash, or the next day, when the same
 * file is chosen again.
 */

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} token
 * @property {string} [checksum] of the whole, once all of it has arrived
 */

const STORE = 'uploads';
/** Milliseconds. S3 keeps no upload longer that is not complete. */
const WEEK = 604_800_000;
const MOST = 100;

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T | undefined>} undefined where the browser keeps nothing
 */
async function inStore(mode, act) {
  try {
    const opening = indexedDB.open('filestore', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    const database = await result(opening);
    try {
      return await result(act(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {string} api
 * @param {string} place the form
 * @param {File} file
 * @returns {string} what the same file has in the same form
 */
export function keyOf(api, place, { name, size, lastModified }) {
  return JSON.stringify([api, place, name, size, lastModified]);
}

/**
 * @param {string} key
 * @returns {Promise<Entry | undefined>}
 */
export function look(key) {
  return inStore('readonly', (store) => store.get(key));
}

/**
 * And forgets what nobody goes on with.
 *
 * @param {string} key
 * @param {Entry} entry
 */
export function note(key, entry) {
  return inStore('readwrite', (store) => {
    const noting = store.put({ ...entry, key, at: Date.now() }, key);
    const all = store.getAll();
    all.onsuccess = () => {
      all.result
        .sort((one, other) => other.at - one.at)
        .filter(({ at }, place) => place >= MOST || at < Date.now() - WEEK)
        .forEach((each) => store.delete(each.key));
    };
    return noting;
  });
}

/** @param {string} key */
export function strike(key) {
  return inStore('readwrite', (store) => store.delete(key));
}

/**
 * Two tabs that were given the same file must not send the same parts.
 *
 * @param {string} id of an upload
 * @returns {Promise<(() => void) | undefined>} to be called when it is done; undefined while another tab works on it
 */
export function lock(id) {
  return new Promise((resolve) => {
    // Only pages that came over https have locks.
    if (!navigator.locks) resolve(() => undefined);
    else {
      navigator.locks
        .request(`filestore ${id}`, { ifAvailable: true }, (held) => {
          if (held) return new Promise((free) => resolve(() => free(undefined)));
          return resolve(undefined);
        })
        .catch(() => resolve(() => undefined));
    }
  });
}
