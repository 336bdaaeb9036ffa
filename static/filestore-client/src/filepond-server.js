/** What FilePond asks of a server, answered by the client. */

import { call, claim, FilestoreClient, group, UploadError, wasSubmitted } from './client.js';
import { download as get } from './download.js';
import { sayOfField } from './field-texts.js';
import { clientOptions } from './filepond-options.js';
import { FEW, rest, together } from './filepond-rest.js';
import { AllRunning } from './filepond-running.js';
import { standIn } from './stand-in.js';

/**
 * Its own senders are no use here: they run encodeURI over the URL, which breaks the signature of a presigned one.
 *
 * @typedef {object} Server
 * @property {import('filepond').ProcessServerConfigFunction} process
 * @property {import('filepond').RevertServerConfigFunction} revert
 * @property {import('filepond').RestoreServerConfigFunction} restore
 * @property {import('filepond').LoadServerConfigFunction | null} load
 * @property {null} fetch
 */

/**
 * A file that FilePond's plugins have made into several, such as the sizes of a picture.
 *
 * @typedef {{ name: string | null, file: File }[]} Variants
 */

/**
 * @typedef {object} Running
 * @property {File} file
 * @property {import('./filepond-running.js').AllRunning} among
 * @property {string} description where it goes, and what is said of it
 * @property {Promise<import('./client.js').UploadedFile[]>} done
 * @property {boolean} isOver FilePond has the ids, or nobody wants them
 * @property {number} sent bytes
 * @property {number} size bytes
 * @property {() => void} tell
 * @property {() => void} stop
 * @property {() => void} pause
 * @property {() => void} resume
 */

const NOT_FOUND = 404;
/** FilePond takes it for an error that no repetition will mend. */
const FINAL = 410;
/** Milliseconds. */
const MOMENT = 20;
/** Milliseconds after which FilePond has given a file the id of its upload. */
const SETTLED = 1000;

/**
 * The uploads of each FilePond, by the function that it calls for them.
 *
 * @type {WeakMap<Function, AllRunning>}
 */
export const runningOf = new WeakMap();

/**
 * Those that FilePond has not asked for yet. It may have been given other options meanwhile, and with them a server.
 *
 * @type {WeakMap<File, Running>}
 */
const early = new WeakMap();

/**
 * The ids of uploads of which it is known what became of them: they came to be in a field, or were taken back.
 *
 * @type {Set<string>}
 */
export const settled = new Set();

/**
 * @param {string} apiRootUrl the stack's output ApiRootUrl
 * @param {import('./filepond.js').UploaderOptions} [options]
 * @returns {Server} FilePond's `server` option
 */
export function createServer(apiRootUrl, options = {}) {
  const { restoreAs = false, download, onprogress = () => undefined, onwait = () => undefined, fileValidateTypeDetectType: detectType, texts } = options;
  const client = new FilestoreClient(apiRootUrl, { ...clientOptions(options), restoreAs });
  const running = new AllRunning();
  running.texts = texts;
  const tellTogether = together(running);
  const describe = (/** @type {unknown} */ metadata) => apiRootUrl.replace(/\/+$/, '') + JSON.stringify(metadata);

  /**
   * @param {File} file
   * @param {File | Variants} given
   * @param {Record<string, unknown>} metadata
   * @returns {Running}
   */
  const begin = (file, given, metadata) => {
    const variants = Array.isArray(given) ? given : [{ name: null, file: given }];
    const size = sum(variants.map((each) => each.file), 'size');
    const shares = variants.map(() => ({ loaded: 0, total: 0 }));
    const uploads = variants.map(({ name, file: variant }, index) =>
      client.upload(variant, {
        metadata,
        name: (name ?? '') + variant.name,
        ...(detectType && { type: detectType(variant, variant.type) }),
        onprogress: (share) => {
          shares[index] = share;
          const loaded = sum(shares, 'loaded');
          entry.sent = loaded;
          entry.tell();
          onprogress(variants[0]?.file ?? file, { ...share, loaded, total: size });
        },
        onwait: (message) => onwait(variants[0]?.file ?? file, message),
      }),
    );
    /** @type {Running} */
    const entry = {
      file,
      among: running,
      description: describe(metadata),
      done: Promise.all(uploads.map(({ done }) => done)),
      isOver: false,
      sent: 0,
      size,
      tell: () => undefined,
      stop: () => {
        if (entry.isOver) return;
        entry.isOver = true;
        entry.among.delete(entry);
        for (const upload of uploads) {
          upload.abort();
          upload.done.then(({ id }) => client.undo(id)).catch(() => undefined);
        }
      },
      pause: () => uploads.forEach((upload) => upload.pause()),
      resume: () => uploads.forEach((upload) => upload.resume()),
    };
    entry.done.catch(() => undefined);
    running.add(entry);
    return entry;
  };

  /** @type {import('filepond').ProcessServerConfigFunction} */
  const process = (_fieldName, given, metadata, load, error, progress, abort) => {
    const file = /** @type {File} */ (given);
    const ahead = early.get(file);
    early.delete(file);
    // What was said of it meanwhile goes along.
    const isSame = ahead && !ahead.isOver && ahead.description === describe(metadata);
    if (!isSame) ahead?.stop();
    const entry = isSame ? ahead : begin(file, /** @type {File | Variants} */ (given), metadata);
    entry.among.delete(entry);
    entry.among = running.add(entry);
    const { stop, done } = entry;
    const show = () => entry.isOver || entry.size === 0 || progress(true, entry.sent || 1, entry.size);
    entry.tell = () => tellTogether(entry, show);
    // FilePond takes no progress in the moment in which it asks. Until it has some a wheel turns, which is dear to draw.
    const told = new Promise((resolve) => setTimeout(resolve, MOMENT)).then(entry.tell);
    /** @param {import('./client.js').UploadedFile[]} arrived */
    const finish = (arrived) => {
      show();
      if (entry.isOver) return;
      entry.isOver = true;
      running.delete(entry);
      const ids = arrived.map(({ id }) => id);
      group(ids);
      const source = ids.join();
      load(source);
      // Removed meanwhile, where a plugin has made another file of it and `stop` was not called.
      setTimeout(() => {
        const { pond } = running;
        if (!pond || settled.has(source) || pond.getFiles().some(({ serverId }) => serverId === source)) return;
        undo(client, source).catch(() => undefined);
      }, SETTLED);
    };
    Promise.all([done, told]).then(
      ([arrived]) => tellTogether(entry, () => finish(arrived)),
      (reason) => {
        if (entry.isOver) return;
        stop();
        const code = reason instanceof UploadError && !reason.passing ? FINAL : 0;
        error(/** @type {any} */ ({ type: 'error', code, body: client.explain(reason) }));
      },
    );
    return {
      abort() {
        // By default FilePond shows progress for a moment longer than there is any. What is uploaded by then is
        // taken back through revert.
        stop();
        abort();
      },
    };
  };
  runningOf.set(process, running);
  running.goAhead = (file, metadata) => {
    if (early.has(file)) return;
    const ahead = begin(file, file, metadata);
    early.set(file, ahead);
    if (running.size > FEW) rest(running);
    ahead.done.then(() => early.has(file) && rest(running)).catch(() => undefined);
  };

  return {
    process,

    revert(source, load, error) {
      settled.add(String(source));
      undo(client, String(source)).then(load, (reason) => error(client.explain(reason)));
    },

    restore(source, load, error) {
      const [id = ''] = String(source).split('/');
      const [upload] = claim((known) => (known.group ?? known.id) === id);
      if (upload && !upload.pending) {
        // A bare file would be copied by FilePond, and with that lose its size.
        load(/** @type {any} */ ({ body: standIn(upload) }));
      } else {
        if (upload && !upload.goesOn) undo(client, id).catch(() => undefined);
        const reason = gone(sayOfField(!upload ? 'expired' : upload.goesOn ? 'goesOn' : 'interrupted', {}, texts));
        const fail = () => error(/** @type {any} */ (reason));
        // A field that has not shown itself does not know yet how to tell a reason.
        if (running.pond) fail();
        else document.addEventListener('FilePond:init', () => setTimeout(fail), { once: true });
      }
      return { abort: () => undefined };
    },

    load: download
      ? (id, load, error, progress, abort) => {
          const controller = new AbortController();
          const { signal } = controller;
          progress(false, 0, 0);
          Promise.resolve(download(String(id)))
            .then((url) => get(url, String(id), signal))
            .then(load, (reason) => {
              if (signal.aborted) return;
              const missing = reason instanceof UploadError && reason.status === NOT_FOUND;
              error(missing ? /** @type {any} */ (gone(sayOfField('missing', {}, texts))) : client.explain(reason));
            });
          return {
            abort() {
              controller.abort();
              abort();
            },
          };
        }
      : null,

    fetch: null,
  };
}

/**
 * @param {FilestoreClient} client
 * @param {string} ids
 */
async function undo(client, ids) {
  await Promise.all(ids.split(',').map((id) => (wasSubmitted(id) ? undefined : client.undo(id.split('/')[0] ?? id))));
}

/** @param {string} message */
function gone(message) {
  return { type: 'error', code: FINAL, body: message };
}

/**
 * @template {string} Key
 * @param {Record<Key, number>[]} all
 * @param {Key} key
 */
function sum(all, key) {
  return all.reduce((total, each) => total + each[key], 0);
}
