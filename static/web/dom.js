/** What both pages need to show things, and to find out where their services are. */

export { readableSize as size } from './filestore-client/src/client.js';

/**
 * @typedef {object} Config config.json
 * @property {string} apiRootUrl
 * @property {string} [uploadRootUrl] where to ask for uploads, if it is another
 * @property {string | null} backendUrl
 * @property {boolean} storeOnLoad whether files are stored as they arrive
 * @property {number} unstoredFileLifetime seconds
 * @property {number} maxFileSize bytes
 */

/** @returns {Promise<Config>} */
export async function readConfig() {
  try {
    return await (await fetch('config.json', { cache: 'no-store' })).json();
  } catch {
    throw new Error('This page could not find out where its service is (config.json).');
  }
}

/**
 * Of the texts that depend on when files are stored, show those that are true.
 *
 * @param {boolean} storeOnLoad
 */
export function showWhatIsTrue(storeOnLoad) {
  for (const text of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-store-on-load]'))) {
    text.hidden = text.dataset.storeOnLoad !== String(storeOnLoad);
  }
}

/** What the back end refuses, with what is wrong by file id. */
export class BackendError extends Error {
  /**
   * @param {string} message
   * @param {Record<string, string>} [problems]
   */
  constructor(message, problems = {}) {
    super(message);
    this.problems = problems;
  }
}

/**
 * A call of the back end.
 *
 * @param {string} url
 * @param {string} [method]
 * @param {unknown} [json]
 * @returns {Promise<any>}
 */
export async function callBackend(url, method = 'GET', json) {
  /** @type {RequestInit} */
  const init = { method };
  if (json !== undefined) {
    init.body = JSON.stringify(json);
    init.headers = { 'Content-Type': 'application/json' };
  }
  const response = await fetch(url, init).catch(() => {
    throw new BackendError('The back end does not answer. Try again in a moment.');
  });
  if (response.status === 204) return undefined;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new BackendError(answer.message ?? `The back end refuses (${response.status}).`, answer.problems);
  return answer;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element #${id}.`);
  return found;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function make(tag, className, text = '') {
  const created = document.createElement(tag);
  created.className = className;
  created.textContent = text;
  return created;
}

/** @param {string} text for those who listen to the page */
export function announce(text) {
  element('announcement').textContent = text;
}

/** @param {number} files */
export function count(files) {
  return files === 1 ? '1 file' : `${files} files`;
}

/** @param {number} milliseconds */
export function remaining(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 48) return `${Math.floor(hours / 24)} days`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  return `${minutes}:${String(seconds % 60).padStart(2, '0')} min`;
}
