import { call } from './client.js';

/**
 * @param {string} url
 * @param {string} name for a file whose name is not told
 * @param {AbortSignal} signal
 */
export async function download(url, name, signal) {
  const response = await call(url, { method: 'GET', credentials: 'same-origin', signal });
  const contents = await response.blob();
  return new File([contents], fileName(response.headers.get('Content-Disposition')) ?? name, { type: contents.type });
}

/**
 * FilePond's own reading of the header throws on a name such as 100%.pdf.
 *
 * @param {string | null} disposition RFC 6266
 */
function fileName(disposition) {
  const [, encoded] = /filename\*=UTF-8''([^;\s]+)/i.exec(disposition ?? '') ?? [];
  const [, plain] = /filename="((?:[^"\\]|\\.)*)"/i.exec(disposition ?? '') ?? [];
  try {
    return encoded ? decodeURIComponent(encoded) : plain?.replace(/\\(.)/g, '$1');
  } catch {
    return plain;
  }
}
