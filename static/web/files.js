/** The files that the back end has stored, and what this browser has uploaded and not sent. */

import { announce, callBackend, count, element, make, readConfig, remaining, showWhatIsTrue, size } from './dom.js';
import { unsubmitted } from './filestore-client/src/client.js';

/**
 * @typedef {object} StoredFile
 * @property {string} id
 * @property {string} application_id
 * @property {string} applicant
 * @property {string} position
 * @property {string} name
 * @property {string} type
 * @property {number} size
 * @property {string} stored_at
 * @property {string | null} url
 */

const stored = element('stored');
const more = /** @type {HTMLButtonElement} */ (element('more'));
const confirmation = /** @type {HTMLDialogElement} */ (element('confirm'));

let backendUrl = '';
let lifetime = 0;
let storeOnLoad = false;
let total = 0;
/** @type {number | null} */
let next = 0;
/** @type {() => Promise<void>} */
let confirmed = async () => undefined;

more.addEventListener('click', load);
element('retry').addEventListener('click', start);
element('confirm-keep').addEventListener('click', () => confirmation.close());
element('confirm-delete').addEventListener('click', () => confirmed());
setInterval(showWaiting, 1000);
start();

async function start() {
  element('unavailable').hidden = true;
  stored.hidden = false;
  try {
    const config = await readConfig();
    if (config.backendUrl === null) throw new Error('This page was published without a back end.');
    ({ backendUrl, storeOnLoad } = config);
    lifetime = config.unstoredFileLifetime * 1000;
  } catch (reason) {
    showUnavailable(reason);
    return;
  }
  showWhatIsTrue(storeOnLoad);
  showWaiting();
  await load();
}

async function load() {
  stored.setAttribute('aria-busy', 'true');
  more.disabled = true;
  try {
    const page = await callBackend(`${backendUrl}/files?offset=${next ?? 0}`);
    if (next === 0) stored.replaceChildren();
    stored.append(...page.files.map(row));
    ({ total, next } = page);
  } catch (reason) {
    showUnavailable(reason);
    return;
  } finally {
    stored.removeAttribute('aria-busy');
    more.disabled = false;
  }
  showTotal();
}

function showTotal() {
  element('total').textContent = total > 0 ? count(total) : '';
  element('empty').hidden = total > 0;
  stored.hidden = total === 0;
  more.hidden = next === null;
}

/** @param {unknown} reason */
function showUnavailable(reason) {
  element('unavailable-reason').textContent = reason instanceof Error ? reason.message : String(reason);
  element('unavailable').hidden = false;
  stored.hidden = more.hidden = element('empty').hidden = true;
}

/** @param {StoredFile} file */
function row(file) {
  const created = document.createElement('li');
  created.dataset.fileId = file.id;

  const about = make('div', 'about');
  const name = make('p', 'file-name', file.name);
  name.title = file.name;
  const date = make('time', '', new Date(file.stored_at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }));
  date.setAttribute('datetime', file.stored_at);
  const details = make('p', 'hint', `${size(file.size)} · `);
  details.append(date, ` · ${file.applicant}, ${file.position}`);
  about.append(name, details);

  const actions = make('div', 'row-actions');
  actions.append(
    action('a', 'Download', file.name, { href: `${backendUrl}/files/${encodeURIComponent(file.id)}` }),
    action('a', 'Change', `the application with ${file.name}`, { href: `index.html?application=${encodeURIComponent(file.application_id)}` }),
  );
  const remove = action('button', 'Delete', file.name, { type: 'button' });
  remove.addEventListener('click', () => askToDelete(file, created));
  actions.append(remove);

  created.append(thumbnail(file), about, actions);
  return created;
}

/**
 * @param {string} tag
 * @param {string} text
 * @param {string} object what it is done to, for those who hear one control at a time
 * @param {Record<string, string>} attributes
 */
function action(tag, text, object, attributes) {
  const created = make(tag, 'button small', text);
  created.append(make('span', 'unseen', ` ${object}`));
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  return created;
}

/** @param {{ name: string, type: string, url?: string | null }} file */
function thumbnail({ name, type, url }) {
  const extension = /\.(\w{1,4})$/.exec(name)?.[1] ?? 'file';
  const tile = make('span', 'thumbnail', extension.toUpperCase());
  tile.setAttribute('aria-hidden', 'true');
  if (!url || !type.startsWith('image/')) return tile;
  const image = /** @type {HTMLImageElement} */ (make('img', 'thumbnail'));
  image.alt = '';
  image.loading = 'lazy';
  image.addEventListener('error', () => image.replaceWith(tile));
  image.src = url;
  return image;
}

/**
 * @param {StoredFile} file
 * @param {HTMLElement} shown
 */
function askToDelete(file, shown) {
  element('confirm-title').textContent = `Delete ${file.name}?`;
  element('confirm-failure').textContent = '';
  confirmed = async () => {
    try {
      await callBackend(`${backendUrl}/files/${encodeURIComponent(file.id)}`, 'DELETE');
    } catch (reason) {
      element('confirm-failure').textContent = reason instanceof Error ? reason.message : String(reason);
      return;
    }
    confirmation.close();
    shown.remove();
    total -= 1;
    if (next !== null) next -= 1;
    showTotal();
    announce(`${file.name} is deleted.`);
    element('title').focus();
  };
  confirmation.showModal();
}

function showWaiting() {
  // How they are shown is in the configuration.
  if (!backendUrl) return;
  const uploads = unsubmitted();
  const list = element('waiting-files');
  element('waiting').hidden = uploads.length === 0;
  const known = new Map([...list.children].map((shown) => [/** @type {HTMLElement} */ (shown).dataset.fileId, shown]));
  list.replaceChildren(
    ...uploads.map((upload) => {
      const shown = known.get(upload.id) ?? waitingRow(upload);
      const left = upload.expiresAt - Date.now();
      const time = shown.querySelector('.left');
      if (time) time.textContent = `removed in ${remaining(left)}`;
      const meter = shown.querySelector('progress');
      if (meter) meter.value = lifetime > 0 ? left / lifetime : 0;
      return shown;
    }),
  );
}

/** @param {import('./filestore-client/src/client.js').UnsubmittedUpload} upload */
function waitingRow(upload) {
  const created = document.createElement('li');
  created.dataset.fileId = upload.id;
  const about = make('div', 'about');
  const details = make('p', 'hint', size(upload.size));
  about.append(make('p', 'file-name', upload.name), details);
  created.append(thumbnail(upload), about);
  if (storeOnLoad) return created;
  details.append(' · ', make('span', 'left'));
  const meter = document.createElement('progress');
  meter.setAttribute('aria-label', `Time left to send ${upload.name}`);
  created.append(meter);
  return created;
}
