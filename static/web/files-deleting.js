/** Deletes files, after a question. */

import { callBackend, element, make, wordsOf } from './dom.js';
import { say, sayCount, sayProblem } from './language.js';

/** @typedef {import('./files-row.js').StoredFile} StoredFile */
/** @typedef {{ deleted: string[], left: Map<string, string> }} Outcome the ids of what is gone, and why the others are not */

/** What DELETE /files takes in one call. */
const AT_ONCE = 100;
/** As many as can be read at a glance. */
const NAMED = 5;

const dialog = /** @type {HTMLDialogElement} */ (element('confirm'));
const yes = /** @type {HTMLButtonElement} */ (element('confirm-delete'));
const no = /** @type {HTMLButtonElement} */ (element('confirm-keep'));

/** @type {(() => void) | undefined} */
let confirmed;
let isDeleting = false;

yes.addEventListener('click', () => confirmed?.());
no.addEventListener('click', () => dialog.close());
dialog.addEventListener('cancel', (event) => isDeleting && event.preventDefault());

/**
 * @param {StoredFile[]} files
 * @param {string} backendUrl
 * @returns {Promise<Outcome | undefined>} undefined where they are to be kept
 */
export function askAndDelete(files, backendUrl) {
  const [{ name } = { name: '' }] = files;
  element('confirm-title').textContent = sayCount('deleteTitle', files.length, { name });
  element('confirm-lead').textContent = sayCount('deleteLead', files.length);
  const names = files.slice(0, NAMED).map((file) => make('li', 'file-name', file.name));
  const more = files.length - names.length;
  if (more > 0) names.push(make('li', 'hint', sayCount('andMore', more)));
  element('confirm-names').replaceChildren(...names);
  element('confirm-names').hidden = files.length === 1;
  show(false);
  dialog.showModal();
  return new Promise((resolve) => {
    /** @type {Outcome | undefined} */
    let outcome;
    dialog.addEventListener('close', () => resolve(outcome), { once: true });
    confirmed = async () => {
      confirmed = undefined;
      show(true);
      outcome = await deleteAll(files.map(({ id }) => id), backendUrl);
      show(false);
      dialog.close();
    };
  });
}

/** @param {boolean} isUnderWay */
function show(isUnderWay) {
  isDeleting = no.disabled = isUnderWay;
  yes.textContent = say(isUnderWay ? 'deleting' : 'deleteNow');
}

/**
 * @param {string[]} ids
 * @param {string} backendUrl
 */
async function deleteAll(ids, backendUrl) {
  /** @type {Outcome} */
  const outcome = { deleted: [], left: new Map() };
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE);
    try {
      /** @type {{ deleted: string[], problems: Record<string, import('./dom.js').Problem> }} */
      const { deleted, problems } = await callBackend(`${backendUrl}/files`, 'DELETE', some);
      outcome.deleted.push(...deleted);
      for (const [id, problem] of Object.entries(problems)) outcome.left.set(id, sayProblem(problem) ?? '');
    } catch (reason) {
      for (const id of some) outcome.left.set(id, wordsOf(reason));
    }
  }
  return outcome;
}
