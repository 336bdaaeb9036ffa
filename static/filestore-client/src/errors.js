import { say } from './texts.js';

const REQUEST_TIMEOUT = 408;
export const TOO_MANY_REQUESTS = 429;
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
  name = 'UploadError';
  /** of HTTP; 0 where there was no answer */
  status = 0;
  /** @type {string | undefined} that of the service, or of S3 */
  code;
  /** @type {any} what the service said */
  answer;
  /** worth another attempt */
  passing = false;
  /** seconds before another attempt */
  retryAfter = 0;
  /** @type {string | undefined} the words of the service, instead of the key's */
  words;
  /** @type {Record<string, string | number>} of the key's text */
  values = {};

  /**
   * @param {import('./texts.js').TextKey} key
   * @param {Partial<UploadError>} [details]
   */
  constructor(key, details = {}) {
    super();
    this.key = key;
    Object.assign(this, details);
    this.translate({});
  }

  /** @param {import('./texts.js').Texts} texts */
  translate(texts) {
    const property = this.answer?.errors?.[0]?.path?.slice(1);
    const [own] = [property, this.code].flatMap((what) => /** @type {any} */ (texts)[`refused_${what}`] ?? []);
    this.message = own ?? this.words ?? say(this.key, { status: this.status, ...this.values }, texts);
    return this;
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
  const isElsewhere = !words && [NOT_FOUND, NOT_ALLOWED, NOT_IMPLEMENTED].includes(status);
  return new UploadError(isElsewhere ? 'wrongAddress' : 'serviceRefusal', { words, status, code, answer, values: { url } });
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
