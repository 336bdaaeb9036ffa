/** What this browser has uploaded and not sent. */

import { element, make, thumbnail } from './dom.js';
import { unsubmitted } from './filestore-client/src/client.js';
import { duration, say, size } from './language.js';

/** @param {import('./dom.js').Config} config */
export function watchWaiting({ storeOnLoad, unstoredFileLifetime }) {
  const show = () => showWaiting(storeOnLoad, unstoredFileLifetime * 1000);
  setInterval(show, 1000);
  show();
}

/**
 * @param {boolean} storeOnLoad
 * @param {number} lifetime milliseconds
 */
function showWaiting(storeOnLoad, lifetime) {
  const uploads = unsubmitted();
  const list = element('waiting-files');
  element('waiting').hidden = uploads.length === 0;
  const known = new Map([...list.children].map((shown) => [/** @type {HTMLElement} */ (shown).dataset.fileId, shown]));
  list.replaceChildren(
    ...uploads.map((upload) => {
      const shown = known.get(upload.id) ?? waitingRow(upload, storeOnLoad);
      const left = upload.expiresAt - Date.now();
      const time = shown.querySelector('.left');
      if (time) time.textContent = say('removedIn', { time: duration(left) });
      const meter = shown.querySelector('progress');
      if (meter) meter.value = lifetime > 0 ? left / lifetime : 0;
      return shown;
    }),
  );
}

/**
 * @param {import('./filestore-client/src/client.js').UnsubmittedUpload} upload
 * @param {boolean} storeOnLoad
 */
function waitingRow(upload, storeOnLoad) {
  const created = document.createElement('li');
  created.dataset.fileId = upload.id;
  const about = make('div', 'about');
  const details = make('p', 'hint', size(upload.size));
  about.append(make('p', 'file-name', upload.name), details);
  created.append(thumbnail(upload), about);
  if (storeOnLoad) return created;
  details.append(' · ', make('span', 'left'));
  const meter = document.createElement('progress');
  meter.setAttribute('aria-label', say('timeToSend', { name: upload.name }));
  created.append(meter);
  return created;
}
