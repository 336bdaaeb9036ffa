/** The page's own script: a form whose documents are uploaded by FilePond. */

import { FilestoreUploader } from './uploader.js';

/** @typedef {{ id: string, name: string }} SubmittedFile */
/** @typedef {{ id: string, serverId: string | null, filename: string, status: number }} PondFile */

/** What PUT /files takes in one call. */
const MAX_FILES = 100;

/** Canvases of larger images make a page stutter. */
const MAX_PREVIEW_SIZE = '20MB';

const COPIED_FOR = 2000;

const service = element('service');
const unavailable = element('unavailable');
const form = /** @type {HTMLFormElement} */ (element('form'));
const fields = /** @type {HTMLFieldSetElement} */ (element('fields'));
const submit = /** @type {HTMLButtonElement} */ (element('submit'));
const result = element('result');

/** @type {any} */
const { FilePond, FilePondPluginImagePreview } = globalThis;

/** @type {any} */
let pond;
let apiRootUrl = '';
/** @type {Map<string, string>} */
const failures = new Map();

element('reconnect').addEventListener('click', connect);
form.addEventListener('submit', (event) => {
  event.preventDefault();
  showResult(submittedFiles());
});
element('again').addEventListener('click', startOver);
element('copy-command').addEventListener('click', (event) => copy(event, element('command')));
connect();

async function connect() {
  setService('loading', 'Connecting');
  try {
    if (!FilePond) throw new Error('The uploader could not be loaded. Reload the page to try again.');
    apiRootUrl = await readApiRootUrl();
    await reach(apiRootUrl);
  } catch (reason) {
    setService('unavailable', 'Not connected');
    element('unavailable-reason').textContent = reason instanceof Error ? reason.message : String(reason);
    form.hidden = true;
    unavailable.hidden = false;
    return;
  }
  unavailable.hidden = true;
  form.hidden = false;
  pond ??= setUpPond();
  fields.disabled = false;
  form.removeAttribute('aria-busy');
  setService('ready', 'Connected');
}

async function readApiRootUrl() {
  try {
    const response = await fetch('config.json', { cache: 'no-store' });
    return String((await response.json()).apiRootUrl);
  } catch {
    throw new Error('This page could not find out where its service is (config.json).');
  }
}

/**
 * Answered by API Gateway itself, so asking costs nothing and leaves nothing behind.
 *
 * @param {string} url
 */
async function reach(url) {
  const response = await fetch(`${url}/file`, { method: 'OPTIONS' }).catch(() => undefined);
  if (!response?.ok) throw new Error(`The service at ${new URL(url).host} does not answer. Try again in a moment.`);
}

function setUpPond() {
  FilePond.registerPlugin(FilePondPluginImagePreview);
  const created = FilestoreUploader.setup(apiRootUrl, '#documents', {
    credits: false,
    fileSizeBase: 1024,
    itemInsertLocation: 'after',
    maxFiles: MAX_FILES,
    maxParallelUploads: 3,
    imagePreviewMaxFileSize: MAX_PREVIEW_SIZE,
    imagePreviewMaxHeight: 180,
    labelIdle: 'Drop your files here, or <span class="filepond--label-action">browse</span>',
    labelFileProcessingComplete: 'Uploaded',
    // Why is told below the drop area, where there is room for it.
    labelFileProcessingError: 'Not uploaded',
    labelTapToCancel: 'click to cancel',
    labelTapToRetry: 'click to retry',
    labelTapToUndo: 'click to undo',
  });
  created.on('processfile', (/** @type {{ body: string } | null} */ error, /** @type {{ id: string }} */ file) => {
    if (error) failures.set(file.id, error.body);
  });
  for (const event of ['addfile', 'processfilestart', 'processfile', 'processfileabort', 'processfilerevert', 'removefile']) {
    created.on(event, showProgress);
  }
  created.on('warning', () => setStatus(`At most ${MAX_FILES} files can be sent at once.`));
  return created;
}

function showProgress() {
  const { PROCESSING_COMPLETE, PROCESSING_ERROR, LOAD_ERROR } = FilePond.FileStatus;
  /** @type {PondFile[]} */
  const files = pond.getFiles();
  const ready = files.filter(({ status }) => status === PROCESSING_COMPLETE).length;
  const failed = files.filter(({ status }) => status === PROCESSING_ERROR || status === LOAD_ERROR);
  const busy = files.length - ready - failed.length;

  submit.disabled = busy + failed.length > 0;
  element('failures').replaceChildren(
    ...failed.map(({ id, filename }) => textElement('li', '', `${filename}: ${failures.get(id) ?? 'It cannot be read.'}`)),
  );
  if (busy > 0) setStatus(`Uploading ${count(busy)}…`);
  else if (failed.length > 0) setStatus(`${count(failed.length)} could not be uploaded. Retry or remove to go on.`);
  else setStatus(ready > 0 ? `${count(ready)} ready to send.` : '');
  showStep(busy > 0 ? 'pending' : ready > 0 ? 'uploaded' : undefined);
}

/** @returns {SubmittedFile[]} what the form submits, as a back end would read it, with the names for people */
function submittedFiles() {
  const names = new Map(pond.getFiles().map((/** @type {PondFile} */ { serverId, filename }) => [serverId, filename]));
  return new FormData(form).getAll('documents').map((id) => ({ id: String(id), name: names.get(String(id)) ?? '' }));
}

/** @param {SubmittedFile[]} files */
function showResult(files) {
  const ids = files.map(({ id }) => `"${id}"`);
  const person = String(new FormData(form).get('name')).trim();
  element('result-thanks').textContent = `Thank you, ${person}. ${count(files.length)} sent.`;
  element('result-files').replaceChildren(...files.map(fileRow));
  element('command').textContent = [
    `curl -X PUT '${apiRootUrl}/files' \\`,
    '  -H "x-api-key: $API_KEY" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d '[${ids.join(', ')}]'`,
  ].join('\n');
  form.hidden = true;
  result.hidden = false;
  element('result-title').focus();
}

/** @param {SubmittedFile} file */
function fileRow({ id, name }) {
  const row = document.createElement('li');
  row.dataset.fileId = id;
  const label = textElement('span', 'file-name', name);
  label.title = name;
  const code = textElement('code', 'file-id', id);
  const button = textElement('button', 'button small', 'Copy');
  button.setAttribute('type', 'button');
  button.setAttribute('aria-label', `Copy the id of ${name}`);
  button.addEventListener('click', (event) => copy(event, code));
  row.append(label, code, button);
  return row;
}

function startOver() {
  form.reset();
  // The files belong to the back end now: nothing is to be undone.
  pond.removeFiles({ revert: false });
  result.hidden = true;
  form.hidden = false;
  showProgress();
  element('name').focus();
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

/** @param {string | undefined} current */
function showStep(current) {
  for (const step of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-step]'))) {
    if (step.dataset.step === current) step.setAttribute('aria-current', 'step');
    else step.removeAttribute('aria-current');
  }
}

/**
 * @param {'loading' | 'ready' | 'unavailable'} state
 * @param {string} text
 */
function setService(state, text) {
  service.dataset.state = state;
  service.textContent = text;
}

/** @param {string} text */
function setStatus(text) {
  element('status').textContent = text;
}

/** @param {string} text */
function announce(text) {
  element('announcement').textContent = text;
}

/** @param {number} files */
function count(files) {
  return files === 1 ? '1 file' : `${files} files`;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function textElement(tag, className, text) {
  const created = document.createElement(tag);
  created.className = className;
  created.textContent = text;
  return created;
}

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element #${id}.`);
  return found;
}
