import { persist } from './http.js';
import { storageError, unreachable, UploadError } from './errors.js';

/**
 * Brings the contents to where the API said. Repeating the PUT is safe: the first contents that arrive are the file.
 *
 * @param {Blob} file
 * @param {import('./client.js').Ticket} ticket
 * @param {{ signal: AbortSignal, wait: import('./http.js').Wait, progress: (loaded: number) => void }} options
 */
export function put(file, ticket, { signal, wait, progress }) {
  return persist(() => attempt(file, ticket, progress, signal), signal, wait);
}

/**
 * @param {Blob} file
 * @param {import('./client.js').Ticket} ticket
 * @param {(loaded: number) => void} progress
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function attempt(file, { method, url, headers }, progress, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // fetch tells nothing about how much it has sent.
    const xhr = new XMLHttpRequest();
    const cancel = () => xhr.abort();
    signal.addEventListener('abort', cancel);
    xhr.upload.onprogress = ({ loaded }) => progress(loaded);
    xhr.onload = () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve();
      else reject(storageError(xhr.status));
    };
    xhr.onerror = () => {
      file.slice(0, 1).arrayBuffer().then(() => reject(unreachable()), () => reject(new UploadError('unreadable')));
    };
    xhr.onabort = () => reject(signal.reason);
    xhr.onloadend = () => signal.removeEventListener('abort', cancel);
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.send(file);
  });
}
