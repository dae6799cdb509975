// A picture large, over the page. Without this script its link opens it by itself, which is why it stays a link: a click
// with Ctrl or the middle button does so still.

import { words } from '../app.js';

let dialog = null;

function open(link) {
  if (!dialog) {
    dialog = document.createElement('dialog');
    dialog.className = 'viewer';
    dialog.innerHTML = '<img alt=""><form method="dialog"><button class="btn"></button></form>';
    dialog.querySelector('button').textContent = words.close;
    dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
  }
  const image = dialog.querySelector('img');
  image.alt = link.querySelector('img').alt;
  image.src = link.href;
  dialog.setAttribute('aria-label', image.alt);
  dialog.showModal();
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-picture]');
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});
