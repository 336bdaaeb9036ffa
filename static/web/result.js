/** What the page shows once the form is sent, and where in its life a file is. */

import { announce, count, element, make } from './dom.js';

/** @typedef {{ id: string, name: string }} SubmittedFile */

const COPIED_FOR = 2000;

element('copy-command').addEventListener('click', (event) => copy(event, element('command')));

/**
 * @param {string} person
 * @param {SubmittedFile[]} files
 * @param {import('./dom.js').Config} config
 */
export function showResult(person, files, { apiRootUrl, backendUrl, storeOnLoad }) {
  const ids = JSON.stringify(files.map(({ id }) => id)).replaceAll(',', ', ');
  const received = backendUrl !== null;
  const stored = received || storeOnLoad;
  element('result-thanks').textContent = `Thank you, ${person.trim()}. ${count(files.length)} sent.`;
  element('result-title').textContent = received
    ? `Your back end ${storeOnLoad ? 'knows' : 'has stored'} these files`
    : 'Your back end receives these file ids';
  element('result-lead').textContent = received
    ? 'The form carried their ids, not the files. With an id, a back end can look at a file, download it or delete it.'
    : `The form carries ids, not files. That is all a back end needs to ${storeOnLoad ? '' : 'keep, '}inspect or delete them.`;
  element('result-files').replaceChildren(...files.map(fileRow));
  element('command-title').textContent = stored ? 'Look at them' : 'Keep them';
  element('command').textContent = [
    `curl -X ${stored ? 'POST' : 'PUT'} '${apiRootUrl}/files' \\`,
    '  -H "x-api-key: $KEY" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d '${ids}'`,
  ].join('\n');
  element('form').hidden = true;
  element('result').hidden = false;
  element('result-title').focus();
}

/** @param {string | undefined} current */
export function showStep(current) {
  for (const step of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-step]'))) {
    if (step.dataset.step === current) step.setAttribute('aria-current', 'step');
    else step.removeAttribute('aria-current');
  }
}

/** @param {SubmittedFile} file */
function fileRow({ id, name }) {
  const row = document.createElement('li');
  row.dataset.fileId = id;
  const label = make('span', 'file-name', name);
  label.title = name;
  const code = make('code', 'file-id', id);
  const button = make('button', 'button small', 'Copy');
  button.setAttribute('type', 'button');
  button.setAttribute('aria-label', `Copy the id of ${name}`);
  button.addEventListener('click', (event) => copy(event, code));
  row.append(label, code, button);
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
    announce('Selected. Press Control or Command and C to copy.');
    return;
  }
  announce('Copied.');
  button.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = 'Copy';
  }, COPIED_FOR);
}
