/** The field of the form: FilePond with its plugins, in the words of this page. */

import { clientTexts, say } from './language.js';
import { complete } from './rows.js';
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
  'image/*': say('pictures'),
  'audio/*': say('audio'),
  'video/*': say('video'),
  'text/plain': say('text'),
  'text/markdown': say('text'),
  'text/csv': say('text'),
  'application/pdf': 'PDF',
  'application/zip': 'ZIP',
  'application/x-zip-compressed': 'ZIP',
  'application/msword': say('office'),
  'application/vnd.ms-excel': say('office'),
  'application/vnd.ms-powerpoint': say('office'),
  'application/vnd.oasis.opendocument.text': say('office'),
  'application/vnd.oasis.opendocument.spreadsheet': say('office'),
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': say('office'),
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': say('office'),
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': say('office'),
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

const act = say(matchMedia('(pointer: coarse)').matches ? 'tap' : 'click');

const LABELS = {
  labelIdle: `${say('dropHere')} <span class="filepond--label-action">${say('browse')}</span>`,
  labelInvalidField: say('fieldInvalid'),
  labelFileWaitingForSize: '',
  labelFileSizeNotAvailable: say('sizeUnknown'),
  labelFileCountSingular: say('fileInList'),
  labelFileCountPlural: say('filesInList'),
  labelFileLoading: say('loading'),
  labelFileAdded: say('added'),
  labelFileRemoved: say('removed'),
  labelFileRemoveError: say('notRemoved'),
  labelFileProcessing: say('isUploading'),
  labelFileProcessingComplete: say('uploaded'),
  labelFileProcessingAborted: say('cancelled'),
  labelFileProcessingRevertError: say('notUndone'),
  // Why is told below the drop area, where there is room for it.
  labelFileProcessingError: say('notUploaded'),
  labelFileLoadError: say('notAdded'),
  labelTapToCancel: say('toCancel', { act }),
  labelTapToRetry: say('toRetry', { act }),
  labelTapToUndo: say('toUndo', { act }),
  labelButtonRemoveItem: say('remove'),
  labelButtonAbortItemLoad: say('cancel'),
  labelButtonRetryItemLoad: say('retry'),
  labelButtonAbortItemProcessing: say('cancel'),
  labelButtonUndoItemProcessing: say('undo'),
  labelButtonRetryItemProcessing: say('retry'),
  labelButtonProcessItem: say('upload'),
  labelFileTypeNotAllowed: say('wrongType'),
  fileValidateTypeLabelExpectedTypes: say('sendTypes'),
  labelMaxFileSizeExceeded: say('tooLargeFile'),
};

/** @type {Map<string, string>} what is wrong, by FilePond's id of the file */
export const failures = new Map();

export function isPossible() {
  return Boolean(FilePond);
}

/**
 * @param {import('./dom.js').Config} config
 * @param {{ id: string, files: { id: string }[] } | undefined} application what was sent before
 * @param {{ onchange: () => void, onprogress: (file: File, progress: import('./transfer.js').Progress) => void, onwait: (file: File, message: string) => void, onleftout: (files: File[], message: string) => void }} listeners
 * @returns {Pond}
 */
export function create(config, application, { onchange, onprogress, onwait, onleftout }) {
  FilePond.registerPlugin(FilePondPluginImagePreview, FilePondPluginFileValidateType, FilePondPluginFileValidateSize);
  const pond = FilestoreUploader.setup(config.uploadRootUrl ?? config.apiRootUrl, '#documents', {
    texts: clientTexts,
    // Not the page's address: that changes with the language.
    restoreAs: `application ${application?.id ?? ''}`,
    maxFileSize: config.maxFileSize,
    acceptedFileTypes: Object.keys(ACCEPTED),
    lifetime: config.unstoredFileLifetime,
    download: (id) => `${config.backendUrl}/files/${encodeURIComponent(id)}`,
    onprogress,
    onwait,
    onleftout,
    files: (application?.files ?? []).map(({ id }) => ({ source: id, options: { type: 'local' } })),
    credits: false,
    fileSizeBase: 1024,
    itemInsertLocation: 'after',
    maxFiles: MAX_FILES,
    imagePreviewMaxHeight: 180,
    fileValidateTypeDetectType: async ({ name }, type) => type || (UNKNOWN.get(/\.\w+$/.exec(name.toLowerCase())?.[0] ?? '') ?? ''),
    fileValidateTypeLabelExpectedTypesMap: ACCEPTED,
    ...LABELS,
    labelMaxFileSize: say('mayHave', { size: config.maxFileSize }),
  });
  complete(pond);
  const { on } = /** @type {any} */ (pond);
  on('processfile', (/** @type {{ body: string } | null} */ error, /** @type {{ id: string }} */ file) => {
    if (error) failures.set(file.id, error.body);
    else failures.delete(file.id);
  });
  on('error', (/** @type {any} */ error, /** @type {{ id: string } | undefined} */ file) => {
    const words = error.body || [error.main, error.sub].filter(Boolean).join('. ');
    if (file?.id) failures.set(file.id, words || say('unfetchedFile'));
  });
  // Another attempt is no failure yet.
  for (const event of ['addfilestart', 'processfilestart']) on(event, (/** @type {{ id: string }} */ file) => failures.delete(file.id));
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
  const settled = new Set([...ready, ...failed]);
  return { files, ready, failed, busy: files.filter((file) => !settled.has(file)) };
}
