import { serviceError, TOO_MANY_REQUESTS, unreachable, UploadError } from './errors.js';

/** @typedef {(key: import('./texts.js').TextKey | '') => void} Wait called with what is waited for, and with '' when it goes on */

export const ATTEMPTS = 5;
/** Whoever has sent half of a film waits longer for the rest: with pauses of up to 20 seconds, some minutes. */
export const PATIENT_ATTEMPTS = 20;
/** A throttle is no failure: twenty files at once are a reason to wait for one's turn, not to give up. */
const THROTTLED_ATTEMPTS = 30;
const LONGEST_WAIT = 20;
/** Milliseconds. API Gateway answers within 29 seconds; what takes longer is lost on the way. */
const LONGEST_CALL = 35_000;

/**
 * A request, repeated while what goes wrong may pass.
 *
 * @param {string} url
 * @param {{
 *   method: string,
 *   json?: unknown,
 *   headers?: Record<string, string>,
 *   credentials?: RequestCredentials,
 *   signal?: AbortSignal,
 *   wait?: Wait,
 *   attempts?: number,
 * }} request
 * @returns {Promise<Response>}
 */
export function call(url, { method, json, headers = {}, credentials = 'omit', signal, wait, attempts }) {
  /** @type {RequestInit} */
  const init = { method, headers, signal: signal ?? null, credentials, referrerPolicy: 'no-referrer' };
  // Lets an undo go out while its page is being left.
  if (method === 'DELETE') init.keepalive = true;
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers = { ...headers, 'Content-Type': 'application/json' };
  }
  return persist(
    async () => {
      /** @type {Response} */
      let response;
      try {
        response = await fetch(url, method === 'GET' ? init : { ...init, signal: atMost(LONGEST_CALL, signal) });
      } catch {
        signal?.throwIfAborted();
        throw unreachable();
      }
      if (!response.ok) throw await serviceError(response);
      return response;
    },
    signal,
    wait,
    attempts,
  );
}

/**
 * @template T
 * @param {() => Promise<T>} attempt
 * @param {AbortSignal} [signal]
 * @param {Wait} [wait]
 * @param {number} [attempts]
 * @returns {Promise<T>}
 */
export async function persist(attempt, signal, wait = () => undefined, attempts = ATTEMPTS) {
  let failed = 0;
  let throttled = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (reason) {
      if (!(reason instanceof UploadError) || !reason.passing) throw reason;
      if (!navigator.onLine) {
        wait('offline');
        await online(signal);
      } else {
        const isThrottle = reason.status === TOO_MANY_REQUESTS;
        if (isThrottle) throttled += 1;
        else failed += 1;
        if (failed === attempts || throttled === THROTTLED_ATTEMPTS) throw reason;
        wait(isThrottle ? 'busy' : reason.key === 'stalled' ? 'stalling' : 'again');
        const backoff = Math.min(2 ** (failed + throttled), LONGEST_WAIT);
        // Those that were turned away together must not come back together.
        await pause((reason.retryAfter + backoff * Math.random()) * 1000, signal);
      }
      wait('');
    }
  }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 * @returns {AbortSignal | null}
 */
function atMost(milliseconds, signal) {
  // Browsers before 2024 have none of it.
  if (!AbortSignal.any) return signal ?? null;
  return AbortSignal.any([AbortSignal.timeout(milliseconds), ...(signal ? [signal] : [])]);
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 */
function pause(milliseconds, signal) {
  return until((done) => {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  }, signal);
}

/** @param {AbortSignal} [signal] */
function online(signal) {
  return until((done) => {
    addEventListener('online', done);
    return () => removeEventListener('online', done);
  }, signal);
}

/**
 * @param {(done: () => void, fail: (reason: unknown) => void) => () => void} start returns how to stop, and calls
 *   neither before that
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function until(start, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    /** @param {() => void} settle */
    const end = (settle) => {
      stop();
      signal?.removeEventListener('abort', cancel);
      settle();
    };
    /** @param {unknown} reason */
    const fail = (reason) => end(() => reject(reason));
    const cancel = () => fail(signal?.reason);
    const stop = start(() => end(resolve), fail);
    signal?.addEventListener('abort', cancel);
  });
}
