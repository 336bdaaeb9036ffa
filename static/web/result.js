/** What the page shows once the form is sent, and where in its life a file is. */

import { announce, element, make } from './dom.js';
import { say, sayCount } from './language.js';

/** @typedef {{ id: string, name: string }} SubmittedFile */

const COPIED_FOR = 2000;

element('copy-command').addEventListener('click', (event) => copy(event, element('command')));

/**
 * Where there is a back end, this page is one for people who apply. Else it is one for who builds a back end.
 *
 * @param {string} person
 * @param {SubmittedFile[]} files
 * @param {import('./dom.js').Config} config
 */
export function showResult(person, files, { apiRootUrl, backendUrl, storeOnLoad }) {
  const isForDevelopers = backendUrl === null;
  element('result-thanks').textContent = sayCount('thanks', files.length, { name: person.trim() });
  element('result-title').textContent = say(isForDevelopers ? 'idsTitle' : 'arrivedTitle');
  element('result-lead').textContent = say(isForDevelopers ? (storeOnLoad ? 'idsLeadStored' : 'idsLead') : 'arrivedLead');
  element('result-files').replaceChildren(...files.map((file) => fileRow(file, isForDevelopers)));
  element('for-developers').hidden = !isForDevelopers;
  if (isForDevelopers) showCommand(files, `${apiRootUrl}/files`, storeOnLoad);
  element('form').hidden = true;
  element('result').hidden = false;
  element('result-title').focus();
}

/**
 * @param {SubmittedFile[]} files
 * @param {string} url
 * @param {boolean} areStored
 */
function showCommand(files, url, areStored) {
  const ids = JSON.stringify(files.map(({ id }) => id)).replaceAll(',', ', ');
  element('command-title').textContent = say(areStored ? 'lookAtThem' : 'keepThem');
  element('command').textContent = [
    `curl -X ${areStored ? 'POST' : 'PUT'} '${url}' \\`,
    '  -H "x-api-key: $KEY" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d '${ids}'`,
  ].join('\n');
}

/** @param {string | undefined} current */
export function showStep(current) {
  for (const step of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-step]'))) {
    if (step.dataset.step === current) step.setAttribute('aria-current', 'step');
    else step.removeAttribute('aria-current');
  }
}

/**
 * @param {SubmittedFile} file
 * @param {boolean} withId
 */
function fileRow({ id, name }, withId) {
  const row = document.createElement('li');
  row.dataset.fileId = id;
  const label = make('span', 'file-name', name);
  label.title = name;
  label.dir = 'auto';
  row.append(label);
  if (!withId) return row;
  const code = make('code', 'file-id', id);
  const button = make('button', 'button small', say('copy'));
  button.setAttribute('type', 'button');
  button.setAttribute('aria-label', say('copyId', { name }));
  button.addEventListener('click', (event) => copy(event, code));
  row.append(code, button);
  return row;
}

/**
 * @param {Event} event
 * @param {HTMLElement} source
 */
async function copy(event, source) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
  } catch {
    // No clipboard without permission, nor on a page that came over plain http.
    getSelection()?.selectAllChildren(source);
    announce(say('selectedText'));
    return;
  }
  announce(say('copiedNow'));
  button.textContent = say('copied');
  setTimeout(() => {
    button.textContent = say('copy');
  }, COPIED_FOR);
}
