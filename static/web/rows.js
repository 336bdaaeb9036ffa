/** What the rows of FilePond do not have: buttons that say which file they are of, the page's own way of writing sizes, icons. */

import { extensionOf } from './dom.js';
import { say, size } from './language.js';

/** @param {import('filepond').FilePond} pond */
export function complete(pond) {
  const { element } = /** @type {{ element: HTMLElement }} */ (/** @type {unknown} */ (pond));
  const observer = new MutationObserver((changes) => {
    const items = changes.flatMap(({ target, addedNodes }) => [target, ...addedNodes]).map(itemOf);
    for (const item of new Set(items)) if (item) completeItem(pond, item);
  });
  observer.observe(element, { childList: true, characterData: true, subtree: true });
}

/** @param {Node} node */
function itemOf(node) {
  return (node instanceof Element ? node : node.parentElement)?.closest('.filepond--item');
}

/**
 * @param {import('filepond').FilePond} pond
 * @param {Element} item
 */
function completeItem(pond, item) {
  const file = pond.getFile(item.id.replace('filepond--item-', ''));
  if (!file) return;
  for (const button of item.querySelectorAll('.filepond--file-action-button')) {
    button.setAttribute('aria-label', say('buttonOf', { act: button.textContent ?? '', name: file.filename }));
  }
  const shown = item.querySelector('.filepond--file-info-sub')?.firstChild;
  const words = size(file.fileSize);
  if (shown?.nodeValue && Number.isInteger(file.fileSize) && shown.nodeValue !== words) shown.nodeValue = words;
  const info = /** @type {HTMLElement | null} */ (item.querySelector('.filepond--file-info'));
  if (!info) return;
  if (item.querySelector('.filepond--image-preview-wrapper')) delete info.dataset.icon;
  else info.dataset.icon = extensionOf(file.filename);
}
