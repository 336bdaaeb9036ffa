/**
 * FilePond as a field of a form: the form is not sent before its files are uploaded, and what it sends are ids alone.
 *
 * FilePond's events come to the document, from every FilePond of the page, however it was made.
 */

import { wasSubmitted } from './client.js';
import { sayOfField } from './field-texts.js';
import { settled } from './filepond-server.js';

/** @typedef {import('filepond').FilePond & { element: HTMLElement, server: { process: Function }, maxFiles: number | null, name: string, labelFileLoadError: any }} Pond */
/**
 * @typedef {object} Settings
 * @property {string | false} restoreAs
 * @property {import('./filepond-running.js').AllRunning} running
 * @property {import('./client.js').Texts} [texts]
 * @property {any} labelFileLoadError
 * @property {(files: File[], message: string) => void} [onleftout]
 */

/** Those of FilePond.FileStatus and FilePond.FileOrigin, for pages where FilePond is no global. */
const IDLE = 2;
const PROCESSING_COMPLETE = 5;
const PROCESSING_ERROR = 6;
const LOAD_ERROR = 8;
const PROCESSING_REVERT_ERROR = 10;
const INPUT = 1;
const LOCAL = 3;
const FINAL = 410;

const EVENTS = ['init', 'addfile', 'processfilestart', 'processfile', 'processfileabort', 'removefile', 'error', 'warning', 'destroy'];

/**
 * By the function that a FilePond calls for its uploads.
 *
 * @type {WeakMap<Function, Settings>}
 */
const settingsOf = new WeakMap();
/** @type {Map<Pond, Settings>} */
const ponds = new Map();
/**
 * A component that is shown again gives its FilePond another one, while uploads of the one before go on.
 *
 * @type {WeakMap<Pond, Set<import('./filepond-running.js').AllRunning>>}
 */
const uploadsOf = new WeakMap();
/** @type {WeakMap<object, Pond>} */
const opened = new WeakMap();
/** @type {WeakSet<HTMLFormElement>} */
const forms = new WeakSet();
let isWatching = false;

/**
 * @param {Function} process
 * @param {Settings} settings
 */
export function watch(process, settings) {
  settingsOf.set(process, settings);
  if (isWatching || typeof document === 'undefined') return;
  isWatching = true;
  for (const name of EVENTS) {
    document.addEventListener(`FilePond:${name}`, (event) => onevent(name, /** @type {CustomEvent} */ (event).detail));
  }
  addEventListener('pageshow', ({ persisted }) => persisted && removeSubmitted());
}

/** @param {string | false} restoreAs */
export function isShown(restoreAs) {
  return [...ponds.values()].some((settings) => settings.restoreAs === restoreAs);
}

/**
 * Says something below a field.
 *
 * @param {Element} field
 * @param {string} message nothing when it is empty
 */
export function tell(field, message) {
  const next = field.nextElementSibling;
  const shown = next?.classList.contains('filestore-message') ? next : undefined;
  if (!message) {
    shown?.remove();
  } else if (shown) {
    if (shown.textContent !== message) shown.textContent = message;
  } else {
    const paragraph = document.createElement('p');
    paragraph.className = 'filestore-message';
    paragraph.setAttribute('role', 'alert');
    paragraph.textContent = message;
    field.after(paragraph);
  }
}

/**
 * Where there is no FilePond, a form would send the names of its files.
 *
 * @param {Element} field
 * @param {string} message
 */
export function close(field, message) {
  tell(field, message);
  const form = field.closest('form');
  form?.addEventListener('submit', stop, true);
  form?.addEventListener('formdata', ({ formData }) => formData.delete(field.getAttribute('name') ?? ''));
}

/**
 * What FilePond's events carry has descriptors in the place of properties.
 *
 * @param {any} raw
 * @returns {Pond}
 */
function open(raw) {
  if (raw.element instanceof Element) return raw;
  const known = opened.get(raw);
  if (known) return known;
  /** @type {any} */
  const pond = {};
  for (const [name, value] of Object.entries(raw)) Object.defineProperty(pond, name, value?.get ? value : { value });
  opened.set(raw, pond);
  return pond;
}

/**
 * @param {string} name
 * @param {{ pond: unknown, error?: any, file?: any }} detail
 */
function onevent(name, { pond: raw, error, file }) {
  const pond = open(raw);
  const process = pond.server?.process;
  const settings = process && settingsOf.get(process);
  if (!settings) return;
  if (name === 'destroy') {
    ponds.delete(pond);
    return;
  }
  if (!ponds.has(pond)) pond.labelFileLoadError = settings.labelFileLoadError;
  ponds.set(pond, settings);
  const { running } = settings;
  const all = uploadsOf.get(pond) ?? running.all;
  uploadsOf.set(pond, all.add(running));
  running.pond = pond;
  running.all = all;
  guard(pond.element.closest('form'));
  if (name === 'processfile' && pond.getFiles().some(({ id }) => id === file?.id)) settled.add(file.serverId);
  if (name === 'processfile' && file.serverId) {
    // What was interrupted has gone on.
    const before = pond.getFiles().find(({ source }) => String(source).startsWith(`${file.serverId}/`));
    if (before) pond.removeFile(before.id, { revert: false });
  }
  if (name === 'removefile' && file) {
    for (const each of all) for (const upload of each) if (upload.file === file.file) upload.stop();
  }
  if (name === 'warning' && Array.isArray(file)) takeWhatFits(pond, file, settings);
  else if (file?.id) offerRetry(pond, file.id, error?.code !== FINAL);
  if (name !== 'warning' && !problem(pond)) tell(pond.element, '');
}

/**
 * FilePond asks whether to add a file before it draws it.
 *
 * @param {import('./filepond-running.js').AllRunning} running
 * @param {import('filepond').FilePondOptions['beforeAddFile']} beforeAddFile
 */
export function goAhead(running, beforeAddFile) {
  return (/** @type {import('filepond').FilePondFile} */ file) => {
    const answer = beforeAddFile?.(file) ?? true;
    Promise.resolve(answer).then(
      (isAdded) => isAdded && isReady(running.pond, file) && running.goAhead(/** @type {File} */ (file.file), file.getMetadata()),
      () => undefined,
    );
    return answer;
  };
}

/**
 * Whether what FilePond has now is what it will upload.
 *
 * @param {any} pond
 * @param {import('filepond').FilePondFile} file
 */
function isReady(pond, { origin }) {
  return pond?.instantUpload && !pond.allowImageTransform && !pond.beforePrepareFile && origin === INPUT;
}

/** @param {HTMLFormElement | null} form */
function guard(form) {
  if (!form || forms.has(form)) return;
  forms.add(form);
  form.addEventListener('submit', hold, true);
  form.addEventListener('formdata', onlyIds);
}

/** @param {HTMLFormElement} form */
function fieldsOf(form) {
  return [...ponds].filter(([pond]) => form.contains(pond.element));
}

/** @param {SubmitEvent} event */
function hold(event) {
  for (const [pond, { texts }] of fieldsOf(/** @type {HTMLFormElement} */ (event.currentTarget))) {
    const key = problem(pond);
    if (!key) continue;
    stop(event);
    tell(pond.element, sayOfField(key, {}, texts));
    // Those that wait for somebody to say so.
    for (const { id, status } of leftIn(pond)) if (status === IDLE) pond.processFile(id).catch(() => undefined);
  }
}

/** @param {Event} event */
function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/**
 * The files that have no id to be sent.
 *
 * @param {Pond} pond
 */
function leftIn(pond) {
  return pond
    .getFiles()
    .filter(({ status, origin }) => status !== PROCESSING_COMPLETE && !(origin === LOCAL && status === IDLE));
}

/**
 * Why a form cannot be sent.
 *
 * @param {Pond} pond
 * @returns {'failedLeft' | 'uploading' | undefined}
 */
function problem(pond) {
  const left = leftIn(pond);
  if (left.length === 0) return undefined;
  const failures = [PROCESSING_ERROR, LOAD_ERROR, PROCESSING_REVERT_ERROR];
  return left.every(({ status }) => failures.includes(status)) ? 'failedLeft' : 'uploading';
}

/**
 * Also where a script sends the form, which no event announces.
 *
 * @param {FormDataEvent} event
 */
function onlyIds({ formData, target }) {
  for (const [{ name }] of fieldsOf(/** @type {HTMLFormElement} */ (target))) {
    const values = formData.getAll(name);
    formData.delete(name);
    // A file that was made into several has the ids of all.
    for (const value of values) if (typeof value === 'string') for (const id of value.split(',')) if (id) formData.append(name, id);
  }
}

/**
 * FilePond refuses all when there are more files than it may have.
 *
 * @param {Pond} pond
 * @param {File[]} files
 * @param {Settings} settings
 */
function takeWhatFits(pond, files, { texts, onleftout = (_, message) => tell(pond.element, message) }) {
  const most = pond.allowMultiple === false ? 1 : (pond.maxFiles ?? files.length);
  const room = Math.max(0, most - pond.getFiles().length);
  const left = files.slice(room);
  pond.addFiles(files.slice(0, room)).catch(() => undefined);
  if (left.length > 0) onleftout(left, sayOfField('tooMany', { count: most, names: left.map(({ name }) => name).join(', ') }, texts));
}

/**
 * What nothing will mend is not to be tried again, and FilePond has no such state of an upload.
 *
 * @param {Pond} pond
 * @param {string} id
 * @param {boolean} isWorthIt
 */
function offerRetry(pond, id, isWorthIt) {
  const shown = pond.element.querySelectorAll(`#filepond--item-${id} :is(.filepond--action-retry-item-processing, .filepond--file-status-sub)`);
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (shown)) each.hidden = !isWorthIt;
}

/** The browser has gone back to a page whose form was sent. */
function removeSubmitted() {
  for (const pond of ponds.keys()) {
    for (const { id, serverId } of pond.getFiles()) {
      if (serverId?.split(',').every(wasSubmitted)) pond.removeFile(id, { revert: false });
    }
  }
}
