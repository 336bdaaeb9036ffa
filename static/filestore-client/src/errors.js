import { say } from './texts.js';

const TOO_MANY_REQUESTS = 429;
const PASSING = new Set([TOO_MANY_REQUESTS, 500, 502, 503, 504]);

/** What went wrong, in words for the person who uploads. */
export class UploadError extends Error {
  /**
   * @param {import('./texts.js').TextKey} key
   * @param {{
   *   values?: Record<string, string | number>,
   *   words?: string | undefined,
   *   status?: number,
   *   passing?: boolean,
   *   retryAfter?: number,
   * }} [details] `words`: those of the service, instead of the key's; `status`: of HTTP; `passing`: worth another
   *   attempt; `retryAfter`: not before so many seconds.
   */
  constructor(key, { values = {}, words, status = 0, passing = false, retryAfter = 0 } = {}) {
    super(words ?? say(key, values));
    this.name = 'UploadError';
    this.key = key;
    this.values = values;
    this.words = words;
    this.status = status;
    this.passing = passing;
    this.retryAfter = retryAfter;
  }

  /** @param {import('./texts.js').Texts} texts */
  translate(texts) {
    this.message = this.words ?? say(this.key, this.values, texts);
    return this;
  }

  get isThrottle() {
    return this.status === TOO_MANY_REQUESTS;
  }
}

/**
 * @param {Response} response
 * @returns {Promise<UploadError>}
 */
export async function serviceError(response) {
  const { status } = response;
  const passing = PASSING.has(status);
  const retryAfter = Number(response.headers.get('Retry-After')) || 0;
  if (passing) {
    return new UploadError(status === TOO_MANY_REQUESTS ? 'serviceBusy' : 'serviceProblem', { status, passing, retryAfter });
  }
  /** @type {{ message?: string, errors?: { message: string }[] }} */
  const { message, errors = [] } = await response.json().catch(() => ({}));
  return new UploadError('serviceRefusal', { values: { status }, words: errors[0]?.message ?? message, status });
}

/** @param {number} status */
export function storageError(status) {
  const passing = PASSING.has(status);
  return new UploadError(passing ? 'storageProblem' : 'storageRefusal', { values: { status }, status, passing });
}

export function unreachable() {
  return new UploadError('unreachable', { passing: true });
}
