import { say } from './texts.js';

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;
const NOT_FOUND = 404;
const NOT_ALLOWED = 405;
const NOT_IMPLEMENTED = 501;
const VERSION_NOT_SUPPORTED = 505;

/** @param {number} status of HTTP */
function isPassing(status) {
  if (status === REQUEST_TIMEOUT || status === TOO_MANY_REQUESTS) return true;
  return status >= 500 && status !== NOT_IMPLEMENTED && status !== VERSION_NOT_SUPPORTED;
}

/** What went wrong, in words for the person who uploads. */
export class UploadError extends Error {
  /**
   * @param {import('./texts.js').TextKey} key
   * @param {{
   *   values?: Record<string, string | number>,
   *   words?: string | undefined,
   *   status?: number,
   *   code?: string | undefined,
   *   answer?: any,
   *   passing?: boolean,
   *   retryAfter?: number,
   * }} [details] `words`: those of the service, instead of the key's; `status`: of HTTP; `code` and `answer`:
   *   what the service said; `passing`: worth another
   *   attempt; `retryAfter`: not before so many seconds.
   */
  constructor(key, { values = {}, words, status = 0, code, answer, passing = false, retryAfter = 0 } = {}) {
    super();
    this.name = 'UploadError';
    this.key = key;
    this.values = { status, ...values };
    this.words = words;
    this.status = status;
    this.code = code;
    this.answer = answer;
    this.passing = passing;
    this.retryAfter = retryAfter;
    this.translate({});
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
  const { status, url } = response;
  if (isPassing(status)) {
    const retryAfter = Number(response.headers.get('Retry-After')) || 0;
    return new UploadError(status === TOO_MANY_REQUESTS ? 'serviceBusy' : 'serviceProblem', { status, passing: true, retryAfter });
  }
  /** @type {{ message?: string, code?: string, errors?: { message: string }[] }} */
  const answer = await response.json().catch(() => ({}));
  const { message, code, errors = [] } = answer;
  const words = errors[0]?.message ?? message;
  if (!words && [NOT_FOUND, NOT_ALLOWED, NOT_IMPLEMENTED].includes(status)) {
    return new UploadError('wrongAddress', { values: { url }, status });
  }
  return new UploadError('serviceRefusal', { words, status, code, answer });
}

/**
 * @param {number} status
 * @param {string} answer S3's XML
 */
export function storageError(status, answer) {
  const code = /<Code>(\w+)</.exec(answer)?.[1];
  // S3 says so with status 400 when a connection was too slow for it, or changed what was sent.
  const passing = isPassing(status) || code === 'RequestTimeout' || code === 'BadDigest';
  return new UploadError(passing ? 'storageProblem' : 'storageRefusal', { status, code, passing });
}

export function unreachable() {
  return new UploadError('unreachable', { passing: true });
}
