/** What is said of a file before it is sent, and which files are not sent at all. */

import { UploadError } from './errors.js';
import { readableSize } from './texts.js';

/** S3 takes no more in one PUT. */
const MAX_PUT_SIZE = 5 * 1024 ** 3;

/**
 * @param {File} file
 * @param {number} [maxFileSize] bytes
 * @param {string[]} [acceptedFileTypes] MIME types
 */
export function refuse(file, maxFileSize = MAX_PUT_SIZE, acceptedFileTypes = []) {
  const limit = Math.min(maxFileSize, MAX_PUT_SIZE);
  if (file.size > limit) throw new UploadError('tooLarge', { values: { size: readableSize(limit) } });
  /** @param {string} type */
  const accepts = (type) => (type.endsWith('/*') ? file.type.startsWith(type.slice(0, -1)) : file.type === type);
  if (acceptedFileTypes.length > 0 && !acceptedFileTypes.some(accepts)) throw new UploadError('typeRefused');
}

/**
 * The body of `POST /file`.
 *
 * @param {File} file
 * @param {Record<string, unknown>} metadata
 */
export function describe(file, metadata) {
  const meta = Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === 'string'));
  return {
    name: file.name,
    size: file.size,
    ...(file.type && { type: file.type }),
    ...(Object.keys(meta).length > 0 && { meta }),
  };
}
