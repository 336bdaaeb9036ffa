/** The form: its documents are uploaded by FilePond, and what is submitted are their ids. */

import { BackendError, callBackend, element, make, readConfig, showWhatIsTrue, wordsOf } from './dom.js';
import { addressOf, duration, say, sayCount, sayProblem, translate } from './language.js';
import { create, failures, isPossible, look, MAX_FILES } from './pond.js';
import { showResult, showStep } from './result.js';
import { startAnew, summary, track } from './transfer.js';
import { FilestoreUploader } from './uploader.js';

/** @typedef {import('./result.js').SubmittedFile} SubmittedFile */
/** @typedef {{ id: string, name: string, email: string, position: string, note: string, files: SubmittedFile[] }} Application */

const service = element('service');
const unavailable = element('unavailable');
const form = /** @type {HTMLFormElement} */ (element('form'));
const fields = /** @type {HTMLFieldSetElement} */ (element('fields'));
const submit = /** @type {HTMLButtonElement} */ (element('submit'));
const result = element('result');

/** @type {import('./pond.js').Pond | undefined} */
let pond;
/** @type {import('./dom.js').Config} */
let config;
/** @type {Application | undefined} what was sent before and is looked at again */
let application;
let sending = false;
let isPaused = false;
const pauseButton = element('pause');
/** @type {Map<File, string>} */
const waiting = new Map();

translate();
element('reconnect').addEventListener('click', connect);
form.addEventListener('submit', send);
element('again').addEventListener('click', startOver);
pauseButton.addEventListener('click', pauseOrResume);
addEventListener('offline', () => showConnection('unavailable', say('offlineNow')));
addEventListener('online', () => showConnection('ready', say('connected')));
setInterval(showCountdown, 1000);
connect();

async function connect() {
  setService('loading', say('connecting'));
  try {
    if (!isPossible()) throw new Error(say('uploaderMissing'));
    config = await readConfig();
    await reach(config.apiRootUrl);
    application ??= await readApplication();
  } catch (reason) {
    setService('unavailable', say('notConnected'));
    element('unavailable-reason').textContent = wordsOf(reason);
    form.hidden = true;
    unavailable.hidden = false;
    return;
  }
  unavailable.hidden = true;
  form.hidden = false;
  element('to-files').hidden = element('result-to-files').hidden = config.backendUrl === null;
  element('documents-limit').textContent = say('limits', { size: config.maxFileSize, count: MAX_FILES });
  showWhatIsTrue(config.storeOnLoad);
  element('lifetime').textContent = say('lifetimeIs', { time: duration(config.unstoredFileLifetime * 1000) });
  if (application) showApplication(application);
  pond ??= create(config, application, { onchange: showProgress, onprogress: track, onwait, onleftout });
  fields.disabled = false;
  form.removeAttribute('aria-busy');
  setService('ready', say('connected'));
  showProgress();
}

/**
 * Answered by API Gateway itself, so asking costs nothing and leaves nothing behind.
 *
 * @param {string} url
 */
async function reach(url) {
  const response = await fetch(`${url}/file`, { method: 'OPTIONS' }).catch(() => undefined);
  if (!response?.ok) throw new Error(say('serviceSilent', { host: new URL(url).host }));
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
  element('form-title').textContent = say('changeTitle');
  element('form-lead').textContent = say('changeLead');
}

/**
 * @param {File} file
 * @param {string} message
 */
function onwait(file, message) {
  if (message) waiting.set(file, message);
  else waiting.delete(file);
  showProgress();
}

/**
 * @param {File[]} _files
 * @param {string} message
 */
function onleftout(_files, message) {
  element('left-out').textContent = message;
  if (message) element('left-out').scrollIntoView({ block: 'nearest' });
}

function showProgress() {
  if (!pond) return;
  const { ready, failed, busy } = look(pond);
  const offline = !navigator.onLine;
  submit.disabled = sending || offline || busy.length + failed.length > 0;
  showFailures(failed.map(({ id, filename }) => `${filename}: ${failures.get(id) ?? say('unreadableFile')}`));
  if (busy.length === 0) {
    isPaused = false;
    FilestoreUploader.resume(pond);
    startAnew();
  }
  pauseButton.hidden = busy.length === 0 || sending;
  pauseButton.textContent = say(isPaused ? 'resume' : 'pause');
  if (sending) setStatus(say('sending'));
  else if (isPaused) setStatus(sayCount('pausedFiles', busy.length));
  else if (busy.length > 0) setStatus([sayCount('uploadingFiles', busy.length), ...new Set(waiting.values())].join(' '));
  else if (failed.length > 0) setStatus(sayCount('failedFiles', failed.length));
  else if (offline) setStatus(say('sendLater'));
  else setStatus(ready.length > 0 ? sayCount('readyFiles', ready.length) : '');
  showStep(busy.length > 0 ? 'pending' : ready.length > 0 ? arrived() : undefined);
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

function pauseOrResume() {
  if (!pond) return;
  isPaused = !isPaused;
  if (isPaused) FilestoreUploader.pause(pond);
  else FilestoreUploader.resume(pond);
  showProgress();
}

function transferred() {
  if (!pond) return '';
  const { files, busy } = look(pond);
  const known = (/** @type {typeof files} */ all) => all.flatMap(({ file }) => (file instanceof File ? [file] : []));
  return summary(known(files), known(busy));
}

/** Not announced: nobody wants to hear every second. */
function showCountdown() {
  const transfer = pauseButton.hidden ? '' : transferred();
  if (transfer) {
    element('countdown').hidden = false;
    element('countdown').textContent = `${transfer}.`;
    return;
  }
  const ids = new Set(pond?.getFiles().map(({ serverId }) => serverId));
  const unsent = FilestoreUploader.unsubmitted().filter(({ id }) => ids.has(id));
  const countdown = element('countdown');
  countdown.hidden = unsent.length === 0 || form.hidden || config.storeOnLoad;
  if (countdown.hidden) return;
  const left = Math.min(...unsent.map(({ expiresAt }) => expiresAt)) - Date.now();
  countdown.textContent = say('unlessSent', { time: duration(left) });
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
      submit.disabled = !navigator.onLine;
    }
  }
  FilestoreUploader.submitted(documents);
  showResult(person.name ?? '', files, config);
  showStep(config.backendUrl ? 'stored' : arrived());
}

/**
 * @param {unknown} reason
 * @param {Map<string, string>} names by file id
 */
function showRefusal(reason, names) {
  const problems = reason instanceof BackendError ? Object.entries(reason.problems) : [];
  for (const [id, problem] of problems) {
    const file = pond?.getFiles().find(({ serverId }) => serverId === id);
    if (file) failures.set(file.id, say('addAgain', { problem: sayProblem(problem) ?? '' }));
  }
  sending = false;
  showProgress();
  if (problems.length === 0) showFailures([wordsOf(reason)]);
  setStatus(problems.length > 0 ? sayCount('notKept', names.size, { failed: problems.length }) : say('notSent'));
}

function startOver() {
  if (application) {
    location.assign(addressOf('index.html'));
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
 * @param {'ready' | 'unavailable'} state
 * @param {string} text
 */
function showConnection(state, text) {
  setService(state, text);
  showProgress();
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
