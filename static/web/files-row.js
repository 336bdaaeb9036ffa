/** A stored file as a row of the list. */

import { make, thumbnail } from './dom.js';
import { addressOf, date, say, size } from './language.js';

/**
 * @typedef {object} StoredFile
 * @property {string} id
 * @property {string} name
 * @property {string} type
 * @property {number} size bytes
 * @property {string} stored_at
 * @property {string} [deleted_at]
 * @property {string} [url]
 * @property {string | null} application_id null where the file was stored by other means than the form, as the next two
 * @property {string | null} applicant
 * @property {string | null} position
 */

/**
 * @typedef {object} Row
 * @property {StoredFile} file
 * @property {HTMLLIElement} element
 * @property {HTMLInputElement} pick
 * @property {(reason: string) => void} complain says why the file is still there
 */

/**
 * @param {StoredFile} file
 * @param {string} backendUrl
 * @param {{ onpick: () => void, ondelete: (row: Row) => void }} listeners
 * @returns {Row}
 */
export function storedRow(file, backendUrl, { onpick, ondelete }) {
  const { id, name, deleted_at: deletedAt } = file;
  const element = document.createElement('li');
  element.dataset.fileId = id;
  const pick = document.createElement('input');
  pick.type = 'checkbox';
  pick.className = 'pick';
  pick.setAttribute('aria-label', say('select', { name }));
  pick.addEventListener('change', onpick);
  const problem = make('p', 'row-problem');
  problem.hidden = true;
  /** @type {Row} */
  const row = {
    file,
    element,
    pick,
    complain: (reason) => {
      problem.hidden = false;
      problem.textContent = say('notDeleted', { problem: reason });
    },
  };
  const about = make('div', 'about');
  const label = make('p', 'file-name', name);
  label.title = name;
  label.dir = 'auto';
  about.append(label, details(file), problem);
  if (deletedAt) {
    element.className = 'is-deleted';
    element.append(make('span', 'pick'), thumbnail({ ...file, url: null }), about);
    return row;
  }
  const actions = make('div', 'row-actions');
  actions.id = `actions-${id}`;
  actions.append(
    link(say('download'), say('downloadFile', { name }), `${backendUrl}/files/${encodeURIComponent(id)}`),
    ...(file.application_id ? [link(say('change'), say('changeFile', { name }), addressOf('index.html', { application: file.application_id }))] : []),
    button('delete', say('deleteNow'), say('deleteFile', { name }), () => ondelete(row)),
  );
  element.append(pick, thumbnail(file), about, menu(element, actions, name), actions);
  return row;
}

/** @param {StoredFile} file */
function details({ size: bytes, stored_at: storedAt, deleted_at: deletedAt, applicant, position }) {
  const shown = make('p', 'hint', `${size(bytes)} · `);
  const time = make('time', '', deletedAt ? say('deletedOn', { date: date(deletedAt) }) : date(storedAt));
  time.setAttribute('datetime', deletedAt ?? storedAt);
  shown.append(time);
  if (applicant) shown.append(` · ${say('sentBy', { applicant, position: position ?? '' })}`);
  return shown;
}

/**
 * What opens the actions where the screen has no room for them.
 *
 * @param {HTMLElement} row
 * @param {HTMLElement} actions
 * @param {string} name
 */
function menu(row, actions, name) {
  const opener = button('menu', '⋯', say('actionsFor', { name }), () => turn(!row.classList.contains('is-open')));
  opener.setAttribute('aria-controls', actions.id);
  /** @param {boolean} isOpen */
  const turn = (isOpen) => {
    row.classList.toggle('is-open', isOpen);
    opener.setAttribute('aria-expanded', String(isOpen));
  };
  turn(false);
  row.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !row.classList.contains('is-open')) return;
    turn(false);
    opener.focus();
  });
  return opener;
}

/**
 * @param {string} text
 * @param {string} label which file it is, for those who hear one control at a time
 * @param {string} url
 */
function link(text, label, url) {
  const created = make('a', 'button small', text);
  created.setAttribute('href', url);
  created.setAttribute('aria-label', label);
  return created;
}

/**
 * @param {string} name
 * @param {string} text
 * @param {string} label
 * @param {() => void} onclick
 */
function button(name, text, label, onclick) {
  const created = make('button', `button small ${name}`, text);
  created.setAttribute('type', 'button');
  created.setAttribute('aria-label', label);
  created.addEventListener('click', onclick);
  return created;
}
