/** The files that the back end has stored, and what this browser has uploaded and not sent. */

import { askAndDelete } from './files-deleting.js';
import { announce, callBackend, element, readConfig, showWhatIsTrue, wordsOf } from './dom.js';
import { say, sayCount, translate } from './language.js';
import { add, find, isEmpty, remove, replace, selectedRows, show, shownRows, showSelection } from './files-list.js';
import { storedRow } from './files-row.js';
import { watchWaiting } from './files-waiting.js';

/** @typedef {import('./files-row.js').Row} Row */
/** @typedef {import('./files-row.js').StoredFile} StoredFile */

const list = element('stored');
const more = /** @type {HTMLButtonElement} */ (element('more'));
const sort = /** @type {HTMLSelectElement} */ (element('sort'));
const deletedToo = /** @type {HTMLInputElement} */ (element('deleted'));
const needConnection = /** @type {HTMLButtonElement[]} */ ([more, element('delete-selected'), element('confirm-delete')]);

let backendUrl = '';
/** @type {string | null} the cursor of the next page */
let next = null;
/** What the list is ordered by, where it comes from. */
let order = 'desc';
/** The newest question: what answers an older one is not wanted any more. */
let latest = {};

translate();
more.addEventListener('click', () => load(false));
element('retry').addEventListener('click', start);
element('delete-selected').addEventListener('click', () => deleteRows(selectedRows(), '.pick'));
deletedToo.addEventListener('change', () => load(true));
sort.addEventListener('change', sortAnew);
addEventListener('offline', showConnection);
addEventListener('online', () => {
  showConnection();
  if (!element('unavailable').hidden) start();
});
showConnection();
start();

async function start() {
  try {
    if (!backendUrl) {
      const config = await readConfig();
      if (config.backendUrl === null) throw new Error(say('noBackend'));
      backendUrl = config.backendUrl;
      showWhatIsTrue(config.storeOnLoad);
      watchWaiting(config);
    }
  } catch (reason) {
    showUnavailable(reason);
    return;
  }
  await load(true);
}

/** @param {boolean} anew whether from the start, else what comes next */
async function load(anew) {
  const question = {};
  latest = question;
  element('unavailable').hidden = element('more-failure').hidden = true;
  element('more-failure').textContent = '';
  list.hidden = false;
  list.setAttribute('aria-busy', 'true');
  /** @type {StoredFile[]} */
  let files;
  /** @type {string | null} */
  let cursor = anew ? null : next;
  try {
    do {
      // A page may be empty, and yet not be the last.
      ({ files, next: cursor } = await callBackend(`${backendUrl}/files?${query(cursor)}`));
    } while (files.length === 0 && cursor !== null && question === latest);
  } catch (reason) {
    if (question !== latest) return;
    if (anew) showUnavailable(reason);
    else showMoreFailure(reason);
    return;
  } finally {
    if (question === latest) list.removeAttribute('aria-busy');
  }
  if (question !== latest) return;
  next = cursor;
  const rows = files.map(rowOf);
  add(rows, { anew, isLast: next === null });
  if (anew) return;
  announce(sayCount('loadedFiles', files.length));
  if (more.hidden) focusOn(rows[0], '.pick');
}

/** @param {string | null} cursor */
function query(cursor) {
  return new URLSearchParams({
    order,
    ...(deletedToo.checked && { deleted: 'yes' }),
    ...(cursor !== null && { cursor }),
  });
}

/** @param {StoredFile} file */
function rowOf(file) {
  return storedRow(file, backendUrl, { onpick: showSelection, ondelete: (row) => deleteRows([row], '.delete') });
}

/** The API has two orders. By anything else it is what is loaded that is sorted. */
function sortAnew() {
  if ((sort.value === 'desc' || sort.value === 'asc') && sort.value !== order) {
    order = sort.value;
    load(true);
  } else {
    show();
  }
}

/**
 * @param {Row[]} rows
 * @param {string} control where those go on who use the keyboard
 */
async function deleteRows(rows, control) {
  const place = Math.min(...rows.map((row) => shownRows().indexOf(row)));
  const outcome = await askAndDelete(rows.map(({ file }) => file), backendUrl);
  if (!outcome) return;
  const { deleted, left } = outcome;
  for (const id of deleted) {
    const row = find(id);
    if (row && deletedToo.checked) replace(id, rowOf({ ...row.file, deleted_at: new Date().toISOString() }));
    else remove(id);
  }
  for (const [id, reason] of left) find(id)?.complain(reason);
  show();
  const [first] = rows;
  const done = deleted.length === 1 && rows.length === 1 && first ? say('deletedFile', { name: first.file.name }) : sayCount('deletedFiles', deleted.length);
  announce([deleted.length > 0 ? done : '', left.size > 0 ? sayCount('leftFiles', left.size) : ''].join(' ').trim());
  const [failed = ''] = left.keys();
  focusOn(find(failed) ?? shownRows()[place] ?? shownRows().at(-1), control);
  if (isEmpty() && next !== null) await load(false);
}

/**
 * @param {Row | undefined} row
 * @param {string} control
 */
function focusOn(row, control) {
  for (const selector of [control, '.menu', '.pick']) {
    const found = /** @type {HTMLElement | null | undefined} */ (row?.element.querySelector(`${selector}:is(button, input)`));
    if (!found?.checkVisibility()) continue;
    found.focus();
    return;
  }
  element('title').focus();
}

/** @param {unknown} reason */
function showUnavailable(reason) {
  element('unavailable-reason').textContent = wordsOf(reason);
  element('unavailable').hidden = false;
  for (const name of ['stored', 'more', 'empty', 'not-found', 'tools', 'selection']) element(name).hidden = true;
  element('total').textContent = '';
  list.removeAttribute('aria-busy');
}

/** @param {unknown} reason */
function showMoreFailure(reason) {
  element('more-failure').hidden = false;
  element('more-failure').textContent = wordsOf(reason);
}

function showConnection() {
  element('offline').hidden = navigator.onLine;
  for (const button of needConnection) button.disabled = !navigator.onLine;
}
