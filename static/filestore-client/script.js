/** For pages that load the client with a plain script tag: what modules import is global there. */

import { FilestoreClient } from './src/client.js';
import { FilestoreUploader } from './src/filepond.js';

Object.assign(globalThis, { FilestoreClient, FilestoreUploader });
