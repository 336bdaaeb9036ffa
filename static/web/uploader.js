/** The uploader for FilePond. What it is made of is in filestore-client, which has to lie beside this file. */

export * from './filestore-client/src/filepond.js';
