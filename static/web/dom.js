/** What both pages need to show things, and to find out where their services are. */

import { say, sayProblem } from './language.js';

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
    throw new Error(say('noConfig'));
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

/** @typedef {{ code?: string, message?: string }} Problem */

/** What the back end refuses, with what is wrong by file id. */
export class BackendError extends Error {
  /**
   * @param {string} message
   * @param {Record<string, Problem>} [problems]
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
    throw new BackendError(say('backendSilent'));
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new BackendError(sayProblem(answer) ?? say('backendRefuses', { status: response.status }), answer.problems);
  return answer;
}

/** @param {unknown} reason */
export function wordsOf(reason) {
  return reason instanceof Error ? reason.message : String(reason);
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

/** @param {string} name */
export function extensionOf(name) {
  return (/\.(\w{1,4})$/.exec(name)?.[1] ?? 'file').toUpperCase();
}

/** @param {{ name: string, type: string, url?: string | null }} file */
export function thumbnail({ name, type, url }) {
  const tile = make('span', 'thumbnail', extensionOf(name));
  tile.setAttribute('aria-hidden', 'true');
  if (!url || !type.startsWith('image/')) return tile;
  const image = /** @type {HTMLImageElement} */ (make('img', 'thumbnail'));
  image.alt = '';
  image.loading = 'lazy';
  image.addEventListener('error', () => image.replaceWith(tile));
  image.src = url;
  return image;
}
