import { storageError, unreachable, UploadError } from './errors.js';
import { persist } from './http.js';

/** The storage may take longer to answer than to take the next bytes. */
const ANSWER = 4;

/**
 * Brings the contents to where the API said. Repeating the PUT is safe: the first contents that arrive are the file.
 *
 * @param {Blob} file
 * @param {import('./client.js').Ticket} ticket
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
      return attempt(file, ticket, progress, signal, milliseconds);
    },
    signal,
    wait,
  );
}

/**
 * @param {Blob} file
 * @param {import('./client.js').Ticket} ticket
 * @param {(loaded: number) => void} progress
 * @param {AbortSignal} signal
 * @param {number} patience milliseconds without progress
 * @returns {Promise<void>}
 */
function attempt(file, { method, url, headers }, progress, signal, patience) {
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
      file.slice(0, 1).arrayBuffer().then(() => reject(unreachable()), () => reject(new UploadError('unreadable')));
    };
    xhr.onabort = () => reject(signal.aborted ? signal.reason : new UploadError('stalled', { passing: true }));
    xhr.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(file);
  });
}
