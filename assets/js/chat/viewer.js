// Shows a picture large in a dialog. It stays a link, so that it also opens without this script,
// and in a new tab with Ctrl or the middle button.

import { words } from '../app.js';

let dialog = null;

function createDialog() {
  dialog = document.createElement('dialog');
  dialog.className = 'viewer';
  dialog.innerHTML = '<img alt=""><form method="dialog"><button class="btn"></button></form>';
  dialog.querySelector('button').textContent = words.close;
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
}

function open(link) {
  if (!dialog) createDialog();
  const image = dialog.querySelector('img');
  image.alt = link.querySelector('img').alt;
  image.src = link.href;
  dialog.setAttribute('aria-label', image.alt);
  dialog.showModal();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-picture]');
  if (!link || event.defaultPrevented || event.button) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});
