/** The list of stored files, as far as it is loaded: what of it is shown, in which order, and what is selected. */

import { element } from './dom.js';
import { compare, sayCount } from './language.js';

/** @typedef {import('./files-row.js').Row} Row */

/** @type {Record<string, (one: Row, other: Row) => number>} */
const SORTS = {
  name: (one, other) => compare(one.file.name, other.file.name),
  largest: (one, other) => other.file.size - one.file.size,
  smallest: (one, other) => one.file.size - other.file.size,
};

const list = element('stored');
const search = /** @type {HTMLInputElement} */ (element('search'));
const sort = /** @type {HTMLSelectElement} */ (element('sort'));
const all = /** @type {HTMLInputElement} */ (element('select-all'));

/** @type {Map<string, Row>} by the file's id, in the order of the API */
const rows = new Map();
/** @type {Row[]} */
let shown = [];
let isWhole = false;

search.addEventListener('input', show);
element('clear-search').addEventListener('click', () => {
  search.value = '';
  show();
  search.focus();
});
all.addEventListener('change', () => {
  for (const { pick } of selectable()) pick.checked = all.checked;
  showSelection();
});

/**
 * @param {Row[]} added
 * @param {{ anew: boolean, isLast: boolean }} how
 */
export function add(added, { anew, isLast }) {
  if (anew) rows.clear();
  for (const row of added) rows.set(row.file.id, row);
  isWhole = isLast;
  show();
}

/**
 * @param {string} id
 * @param {Row} row what is shown in its place
 */
export function replace(id, row) {
  rows.set(id, row);
}

/** @param {string} id */
export function remove(id) {
  rows.delete(id);
}

/** @param {string} id */
export function find(id) {
  return rows.get(id);
}

export function isEmpty() {
  return rows.size === 0;
}

/** What is shown, in the order in which it is. */
export function shownRows() {
  return shown;
}

export function selectedRows() {
  return selectable().filter(({ pick }) => pick.checked);
}

function selectable() {
  return shown.filter(({ file }) => !file.deleted_at);
}

/** Shows what is asked for. Nothing is selected that is not shown. */
export function show() {
  const words = plain(search.value.trim());
  const order = SORTS[sort.value];
  const found = [...rows.values()].filter(({ file }) => plain(file.name).includes(words));
  shown = order ? found.sort(order) : found;
  const isShown = new Set(shown);
  for (const row of rows.values()) if (!isShown.has(row)) row.pick.checked = false;
  list.replaceChildren(...shown.map((row) => row.element));

  element('tools').hidden = false;
  for (const tool of document.querySelectorAll('#tools > .tool')) /** @type {HTMLElement} */ (tool).hidden = isEmpty();
  element('empty').hidden = !isEmpty() || !isWhole;
  element('not-found').hidden = isEmpty() || shown.length > 0;
  element('not-found-more').hidden = isWhole;
  element('more').hidden = isWhole;
  list.hidden = shown.length === 0;
  showTotal(words !== '');
  showSelection();
}

/** @param {boolean} isSearch */
function showTotal(isSearch) {
  const { size } = rows;
  let total = size > 0 || isSearch ? sayCount(isWhole ? 'files' : 'filesAndMore', size) : '';
  if (isSearch && size > 0) total = sayCount(isWhole ? 'filesFound' : 'filesFoundAndMore', size, { found: shown.length });
  if (element('total').textContent !== total) element('total').textContent = total;
}

export function showSelection() {
  const possible = selectable();
  const picked = selectedRows();
  element('selection').hidden = possible.length === 0;
  all.checked = possible.length > 0 && picked.length === possible.length;
  all.indeterminate = picked.length > 0 && picked.length < possible.length;
  element('selected').textContent = picked.length > 0 ? sayCount('selectedFiles', picked.length) : '';
  element('delete-selected').hidden = picked.length === 0;
}

/**
 * As people type it: without upper case, without accents.
 *
 * @param {string} text
 */
function plain(text) {
  return text.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase();
}
