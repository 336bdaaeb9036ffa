/** The field of the form: FilePond with its plugins, in the words of this page. */

import { FilestoreUploader } from './uploader.js';

/**
 * The plugins' options come with their types.
 *
 * @typedef {typeof import('filepond-plugin-file-validate-size')} ValidateSize
 * @typedef {typeof import('filepond-plugin-file-validate-type')} ValidateType
 * @typedef {typeof import('filepond-plugin-image-preview')} ImagePreview
 */

/** @typedef {import('filepond').FilePond} Pond */

/** What PUT /files takes in one call. */
export const MAX_FILES = 100;

const ACCEPTED = {
  'image/*': 'pictures',
  'audio/*': 'audio',
  'video/*': 'video',
  'text/plain': 'text',
  'text/markdown': 'text',
  'text/csv': 'text',
  'application/pdf': 'PDF',
  'application/zip': 'ZIP',
  'application/x-zip-compressed': 'ZIP',
  'application/msword': 'office documents',
  'application/vnd.ms-excel': 'office documents',
  'application/vnd.ms-powerpoint': 'office documents',
  'application/vnd.oasis.opendocument.text': 'office documents',
  'application/vnd.oasis.opendocument.spreadsheet': 'office documents',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'office documents',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'office documents',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'office documents',
};

/** Types that some browsers or systems do not know, by the end of the name. */
const UNKNOWN = new Map([
  ['.avif', 'image/avif'],
  ['.csv', 'text/csv'],
  ['.heic', 'image/heic'],
  ['.heif', 'image/heif'],
  ['.md', 'text/markdown'],
  ['.webp', 'image/webp'],
]);

/** @type {any} */
const { FilePond, FilePondPluginFileValidateSize, FilePondPluginFileValidateType, FilePondPluginImagePreview } = globalThis;

const click = matchMedia('(pointer: coarse)').matches ? 'tap' : 'click';

/** @type {Map<string, string>} what is wrong, by FilePond's id of the file */
export const failures = new Map();

export function isPossible() {
  return Boolean(FilePond);
}

/**
 * @param {import('./dom.js').Config} config
 * @param {string[]} stored the ids of files that are stored already
 * @param {{ onchange: () => void, onprogress: (file: File, progress: import('./transfer.js').Progress) => void, onwait: (file: File, message: string) => void, onleftout: (files: File[], message: string) => void }} listeners
 * @returns {Pond}
 */
export function create(config, stored, { onchange, onprogress, onwait, onleftout }) {
  FilePond.registerPlugin(FilePondPluginImagePreview, FilePondPluginFileValidateType, FilePondPluginFileValidateSize);
  const pond = FilestoreUploader.setup(config.uploadRootUrl ?? config.apiRootUrl, '#documents', {
    maxFileSize: config.maxFileSize,
    acceptedFileTypes: Object.keys(ACCEPTED),
    lifetime: config.unstoredFileLifetime,
    download: (id) => `${config.backendUrl}/files/${encodeURIComponent(id)}`,
    onprogress,
    onwait,
    onleftout,
    files: stored.map((id) => ({ source: id, options: { type: 'local' } })),
    credits: false,
    fileSizeBase: 1024,
    itemInsertLocation: 'after',
    maxFiles: MAX_FILES,
    imagePreviewMaxHeight: 180,
    fileValidateTypeDetectType: async ({ name }, type) => type || (UNKNOWN.get(/\.\w+$/.exec(name.toLowerCase())?.[0] ?? '') ?? ''),
    fileValidateTypeLabelExpectedTypesMap: ACCEPTED,
    labelFileTypeNotAllowed: 'This type is not accepted',
    fileValidateTypeLabelExpectedTypes: 'Send {allButLastType} or {lastType}',
    labelMaxFileSizeExceeded: 'Too large',
    labelMaxFileSize: 'A file may have up to {filesize}',
    labelIdle: 'Drop your files here, or <span class="filepond--label-action">browse</span>',
    labelFileProcessingComplete: 'Uploaded',
    // Why is told below the drop area, where there is room for it.
    labelFileProcessingError: 'Not uploaded',
    labelFileLoadError: 'Not added',
    labelTapToCancel: `${click} to cancel`,
    labelTapToRetry: `${click} to retry`,
    labelTapToUndo: `${click} to undo`,
  });
  const { on } = /** @type {any} */ (pond);
  on('processfile', (/** @type {{ body: string } | null} */ error, /** @type {{ id: string }} */ file) => {
    if (error) failures.set(file.id, error.body);
    else failures.delete(file.id);
  });
  on('error', (/** @type {any} */ error, /** @type {{ id: string } | undefined} */ file) => {
    const words = error.body || [error.main, error.sub].filter(Boolean).join('. ');
    if (file?.id) failures.set(file.id, words || 'It could not be fetched from its address. Save it, and add it from your device.');
  });
  const events = ['addfile', 'processfilestart', 'processfile', 'processfileabort', 'processfilerevert', 'removefile', 'error'];
  for (const event of events) on(event, onchange);
  on('removefile', () => onleftout([], ''));
  return pond;
}

/**
 * What becomes of the files in the field.
 *
 * @param {Pond} pond
 */
export function look(pond) {
  const { PROCESSING_COMPLETE, PROCESSING_ERROR, LOAD_ERROR, IDLE } = FilePond.FileStatus;
  const files = pond.getFiles();
  const local = (/** @type {import('filepond').FilePondFile} */ file) => file.origin === FilePond.FileOrigin.LOCAL;
  const ready = files.filter((file) => file.status === PROCESSING_COMPLETE || (local(file) && file.status === IDLE));
  const failed = files.filter(({ id, status }) => [PROCESSING_ERROR, LOAD_ERROR].includes(status) || failures.has(id));
  const busy = files.length - new Set([...ready, ...failed]).size;
  return { ready, failed, busy };
}
