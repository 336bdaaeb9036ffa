import { storageError, unreachable, UploadError } from './errors.js';
import { persist } from './http.js';
import { Queue } from './queue.js';

/** @typedef {{ method: string, url: string, headers: Record<string, string> }} Address */

/** The storage may take longer to answer than to take the next bytes. */
const ANSWER = 4;

/** A browser has six connections to a host, and what waits for one seems to stand still. */
const connections = new Queue(5);

/**
 * Brings the contents to where the API said. Repeating the PUT is safe: the first contents that arrive are the file.
 *
 * @param {Blob} file
 * @param {import('./upload.js').Ticket} ticket
 * @param {{
 *   signal: AbortSignal,
 *   stallTimeout: number,
 *   wait: import('./http.js').Wait,
 *   progress: (loaded: number) => void,
 * }} options
 */
export function put(file, ticket, { signal, stallTimeout, wait, progress }) {
  let patience = stallTimeout * 1000;
  return persist(
    () => {
      const milliseconds = patience;
      // A connection that is only slow gets its time in the end.
      patience *= 2;
      return attempt(file, () => ticket, progress, signal, milliseconds);
    },
    signal,
    wait,
  );
}

/**
 * @param {Blob} contents
 * @param {() => Address | Promise<Address>} where asked when there is a connection: an address expires
 * @param {(loaded: number) => void} progress
 * @param {AbortSignal} signal
 * @param {number} patience milliseconds without progress
 */
export function attempt(contents, where, progress, signal, patience) {
  return connections.through(signal, async () => send(contents, await where(), progress, signal, patience));
}

/**
 * @param {Blob} contents
 * @param {Address} where
 * @param {(loaded: number) => void} progress
 * @param {AbortSignal} signal
 * @param {number} patience
 * @returns {Promise<void>}
 */
function send(contents, { method, url, headers }, progress, signal, patience) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // fetch tells nothing about how much it has sent.
    const xhr = new XMLHttpRequest();
    const cancel = () => xhr.abort();
    let timer = setTimeout(cancel, patience);
    /** @param {number} milliseconds */
    const expectMore = (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(cancel, milliseconds);
    };
    signal.addEventListener('abort', cancel);
    xhr.upload.onprogress = ({ loaded }) => {
      expectMore(patience);
      progress(loaded);
    };
    xhr.upload.onload = () => expectMore(ANSWER * patience);
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve();
      else reject(storageError(xhr.status, xhr.responseText));
    };
    xhr.onerror = () => {
      const readable = contents.slice(0, 1).arrayBuffer();
      readable.then(() => reject(unreachable()), () => reject(new UploadError('unreadable')));
    };
    xhr.onabort = () => reject(signal.aborted ? signal.reason : new UploadError('stalled', { passing: true }));
    xhr.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(contents);
  });
}
