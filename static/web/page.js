/** The form: its documents are uploaded by FilePond, and what is submitted are their ids. */

import { announce, BackendError, callBackend, count, element, make, readConfig, remaining, showWhatIsTrue, size } from './dom.js';
import { FilestoreUploader } from './uploader.js';

/** @typedef {{ id: string, name: string }} SubmittedFile */
/** @typedef {{ id: string, name: string, email: string, position: string, note: string, files: SubmittedFile[] }} Application */

/** What PUT /files takes in one call. */
const MAX_FILES = 100;
const COPIED_FOR = 2000;

const click = matchMedia('(pointer: coarse)').matches ? 'tap' : 'click';

const ACCEPTED = {
  'image/*': 'pictures',
  'audio/*': 'audio',
  'video/*': 'video',
  'text/plain': 'text',
  'text/markdown': 'text',
  'text/csv': 'text',
  'application/pdf': 'PDF',
  'application/zip': 'ZIP',
  'application/msword': 'office documents',
  'application/vnd.ms-excel': 'office documents',
  'application/vnd.oasis.opendocument.text': 'office documents',
  'application/vnd.oasis.opendocument.spreadsheet': 'office documents',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'office documents',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'office documents',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'office documents',
};

const service = element('service');
const unavailable = element('unavailable');
const form = /** @type {HTMLFormElement} */ (element('form'));
const fields = /** @type {HTMLFieldSetElement} */ (element('fields'));
const submit = /** @type {HTMLButtonElement} */ (element('submit'));
const result = element('result');

/** @type {any} */
const { FilePond, FilePondPluginFileValidateSize, FilePondPluginFileValidateType, FilePondPluginImagePreview } = globalThis;

/** @type {import('filepond').FilePond | undefined} */
let pond;
/** @type {import('./dom.js').Config} */
let config;
/** @type {Application | undefined} what was sent before and is looked at again */
let application;
let sending = false;
/** @type {Map<string, string>} what is wrong, by FilePond's id of the file */
const failures = new Map();
/** @type {Map<File, string>} */
const waiting = new Map();

element('reconnect').addEventListener('click', connect);
form.addEventListener('submit', send);
element('again').addEventListener('click', startOver);
element('copy-command').addEventListener('click', (event) => copy(event, element('command')));
addEventListener('offline', () => setService('unavailable', 'Offline'));
addEventListener('online', () => setService('ready', 'Connected'));
setInterval(showCountdown, 1000);
connect();

async function connect() {
  setService('loading', 'Connecting');
  try {
    if (!FilePond) throw new Error('The uploader could not be loaded. Reload the page to try again.');
    config = await readConfig();
    await reach(config.apiRootUrl);
    application ??= await readApplication();
  } catch (reason) {
    setService('unavailable', 'Not connected');
    element('unavailable-reason').textContent = reason instanceof Error ? reason.message : String(reason);
    form.hidden = true;
    unavailable.hidden = false;
    return;
  }
  unavailable.hidden = true;
  form.hidden = false;
  element('to-files').hidden = element('result-to-files').hidden = config.backendUrl === null;
  element('documents-limit').textContent = `, up to ${size(config.maxFileSize)} each and ${MAX_FILES} in all`;
  showWhatIsTrue(config.storeOnLoad);
  element('lifetime').textContent = ` after ${remaining(config.unstoredFileLifetime * 1000)}`;
  if (application) showApplication(application);
  pond ??= setUpPond();
  fields.disabled = false;
  form.removeAttribute('aria-busy');
  setService('ready', 'Connected');
  showProgress();
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

/** @returns {Promise<Application | undefined>} the one that the page's address names */
async function readApplication() {
  const id = new URLSearchParams(location.search).get('application');
  return id && config.backendUrl ? callBackend(`${config.backendUrl}/applications/${encodeURIComponent(id)}`) : undefined;
}

/** @param {Application} application */
function showApplication(application) {
  for (const name of /** @type {const} */ (['name', 'email', 'position', 'note'])) {
    /** @type {HTMLInputElement} */ (element(name)).value = application[name];
  }
  element('form-title').textContent = 'Change your application';
  element('form-lead').textContent = 'What you sent is here. Add documents, or take some away; it is changed when you press Send.';
}

function setUpPond() {
  FilePond.registerPlugin(FilePondPluginImagePreview, FilePondPluginFileValidateType, FilePondPluginFileValidateSize);
  const created = FilestoreUploader.setup(config.apiRootUrl, '#documents', {
    maxFileSize: config.maxFileSize,
    acceptedFileTypes: Object.keys(ACCEPTED),
    lifetime: config.unstoredFileLifetime,
    download: (id) => `${config.backendUrl}/files/${encodeURIComponent(id)}`,
    onwait: (file, message) => {
      if (message) waiting.set(file, message);
      else waiting.delete(file);
      showProgress();
    },
    files: (application?.files ?? []).map(({ id }) => ({ source: id, options: { type: 'local' } })),
    credits: false,
    fileSizeBase: 1024,
    itemInsertLocation: 'after',
    maxFiles: MAX_FILES,
    imagePreviewMaxHeight: 180,
    fileValidateTypeLabelExpectedTypesMap: ACCEPTED,
    labelFileTypeNotAllowed: 'This type is not accepted',
    fileValidateTypeLabelExpectedTypes: 'Send {allButLastType} or {lastType}',
    labelMaxFileSizeExceeded: 'Too large',
    labelMaxFileSize: 'A file may have up to {filesize}',
    labelIdle: 'Drop your files here, or <span class="filepond--label-action">browse</span>',
    labelFileProcessingComplete: 'Uploaded',
    // Why is told below the drop area, where there is room for it.
    labelFileProcessingError: 'Not uploaded',
    labelFileLoadError: 'Not there any more',
    labelTapToCancel: `${click} to cancel`,
    labelTapToRetry: `${click} to retry`,
    labelTapToUndo: `${click} to undo`,
  });
  const { on } = /** @type {any} */ (created);
  on('processfile', (/** @type {{ body: string } | null} */ error, /** @type {{ id: string }} */ file) => {
    if (error) failures.set(file.id, error.body);
    else failures.delete(file.id);
  });
  on('error', (/** @type {any} */ error, /** @type {{ id: string } | undefined} */ file) => {
    if (file) failures.set(file.id, error.body ?? [error.main, error.sub].join('. '));
  });
  const events = ['addfile', 'processfilestart', 'processfile', 'processfileabort', 'processfilerevert', 'removefile', 'error'];
  for (const event of events) on(event, showProgress);
  on('warning', () => setStatus(`At most ${MAX_FILES} files can be sent at once.`));
  return created;
}

function showProgress() {
  if (!pond) return;
  const { PROCESSING_COMPLETE, PROCESSING_ERROR, LOAD_ERROR, IDLE } = FilePond.FileStatus;
  const files = pond.getFiles();
  const local = (/** @type {import('filepond').FilePondFile} */ file) => file.origin === FilePond.FileOrigin.LOCAL;
  const ready = files.filter((file) => file.status === PROCESSING_COMPLETE || (local(file) && file.status === IDLE));
  const failed = files.filter(({ id, status }) => [PROCESSING_ERROR, LOAD_ERROR].includes(status) || failures.has(id));
  const busy = files.length - new Set([...ready, ...failed]).size;

  submit.disabled = sending || busy + failed.length > 0;
  showFailures(failed.map(({ id, filename }) => `${filename}: ${failures.get(id) ?? 'It cannot be read.'}`));
  if (sending) setStatus('Sending …');
  else if (busy > 0) setStatus([`Uploading ${count(busy)} …`, ...new Set(waiting.values())].join(' '));
  else if (failed.length > 0) setStatus(`${count(failed.length)} could not be uploaded. Retry or remove to go on.`);
  else setStatus(ready.length > 0 ? `${count(ready.length)} ready to send.` : '');
  showStep(busy > 0 ? 'pending' : ready.length > 0 ? arrived() : undefined);
  showCountdown();
}

/** The step of a file that has arrived. */
function arrived() {
  return config.storeOnLoad ? 'stored' : 'uploaded';
}

/** @param {string[]} texts */
function showFailures(texts) {
  const shown = element('failures');
  if (shown.textContent !== texts.join('')) shown.replaceChildren(...texts.map((text) => make('p', '', text)));
}

/** Not announced: nobody wants to hear every second. */
function showCountdown() {
  const ids = new Set(pond?.getFiles().map(({ serverId }) => serverId));
  const unsent = FilestoreUploader.unsubmitted().filter(({ id }) => ids.has(id));
  const countdown = element('countdown');
  countdown.hidden = unsent.length === 0 || form.hidden || config.storeOnLoad;
  if (countdown.hidden) return;
  const left = Math.min(...unsent.map(({ expiresAt }) => expiresAt)) - Date.now();
  countdown.textContent = `Unless you send them, they are removed in ${remaining(left)}.`;
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  if (!pond) return;
  const data = new FormData(form);
  const documents = data.getAll('documents').filter(Boolean).map(String);
  const names = new Map(pond.getFiles().map(({ serverId, filename }) => [serverId, filename]));
  const files = documents.map((id) => ({ id, name: names.get(id) ?? '' }));
  const person = Object.fromEntries(['name', 'email', 'position', 'note'].map((name) => [name, String(data.get(name) ?? '')]));
  if (config.backendUrl) {
    sending = true;
    showProgress();
    try {
      const url = `${config.backendUrl}/applications`;
      if (application) await callBackend(`${url}/${application.id}`, 'PUT', { ...person, documents });
      else await callBackend(url, 'POST', { ...person, documents });
    } catch (reason) {
      showRefusal(reason, names);
      return;
    } finally {
      sending = false;
      submit.disabled = false;
    }
  }
  FilestoreUploader.submitted(documents);
  showResult(person.name ?? '', files);
}

/**
 * @param {unknown} reason
 * @param {Map<string, string>} names by file id
 */
function showRefusal(reason, names) {
  const problems = reason instanceof BackendError ? Object.entries(reason.problems) : [];
  for (const [id, problem] of problems) {
    const file = pond?.getFiles().find(({ serverId }) => serverId === id);
    if (file) failures.set(file.id, `${problem} Remove it and add it again.`);
  }
  sending = false;
  showProgress();
  if (problems.length === 0) showFailures([reason instanceof Error ? reason.message : String(reason)]);
  setStatus(problems.length > 0 ? `Not sent: ${problems.length} of ${count(names.size)} could not be kept.` : 'Not sent.');
}

/**
 * @param {string} person
 * @param {SubmittedFile[]} files
 */
function showResult(person, files) {
  const ids = JSON.stringify(files.map(({ id }) => id)).replaceAll(',', ', ');
  const received = config.backendUrl !== null;
  const stored = received || config.storeOnLoad;
  element('result-thanks').textContent = `Thank you, ${person.trim()}. ${count(files.length)} sent.`;
  element('result-title').textContent = received
    ? `Your back end ${config.storeOnLoad ? 'knows' : 'has stored'} these files`
    : 'Your back end receives these file ids';
  element('result-lead').textContent = received
    ? 'The form carried their ids, not the files. With an id, a back end can look at a file, download it or delete it.'
    : `The form carries ids, not files. That is all a back end needs to ${config.storeOnLoad ? '' : 'keep, '}inspect or delete them.`;
  element('result-files').replaceChildren(...files.map(fileRow));
  element('command-title').textContent = stored ? 'Look at them' : 'Keep them';
  element('command').textContent = [
    `curl -X ${stored ? 'POST' : 'PUT'} '${config.apiRootUrl}/files' \\`,
    '  -H "x-api-key: $API_KEY" \\',
    "  -H 'Content-Type: application/json' \\",
    `  -d '${ids}'`,
  ].join('\n');
  form.hidden = true;
  result.hidden = false;
  showStep(received ? 'stored' : arrived());
  element('result-title').focus();
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

function startOver() {
  if (application) {
    location.assign('index.html');
    return;
  }
  form.reset();
  // The files belong to the back end now: nothing is to be undone.
  pond?.removeFiles({ revert: false });
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
  const status = element('status');
  if (status.textContent !== text) status.textContent = text;
}
