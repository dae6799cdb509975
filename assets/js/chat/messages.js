// Actions on a message: edit, delete after a question, copy its link. Without this script
// the same links lead to pages that do the same.

import { announce, askConfirmation, words } from '../app.js';
import { showWaiting } from '../waiting.js';
import { runAction } from './run_action.js';

const idOf = (message) => message.id.slice(2); // elements are called "m-<id>"

const BESIDE = '(min-width: 900px)'; // from here on a thread stands beside its room

const controls = { // value of data-act → what a click does
  async edit(message, link) {
    const editing = await showWaiting(import('./editing.js')).catch(() => null);
    if (editing) editing.edit(message);
    else location.assign(link.href); // the network is gone, or the server has another version
  },
  async delete(message) {
    if (!await askConfirmation(words.deleteAsk)) return;
    await runAction('chat.delete', { message: idOf(message) })
      .catch((error) => announce(error.message));
    // The link that had the focus is gone with the message.
    if (document.activeElement !== document.body) return;
    document.getElementById(message.id)?.querySelector('.when').focus({ preventScroll: true });
  },
  async thread(message, link) {
    const threads = await showWaiting(import('./threads.js')).catch(() => null);
    if (threads) threads.openThreadOf(message, link);
    else location.assign(link.href);
  },
  async copy(message, link) {
    const { copyText } = await import('../clipboard.js');
    await copyText(link.href, link);
  },
};

export function startMessages() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('.msg [data-act]');
    const control = controls[link?.dataset.act]; // others are links to pages
    if (!control || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (control === controls.thread && !matchMedia(BESIDE).matches) return; // a page of its own
    event.preventDefault();
    event.stopImmediatePropagation();
    control(link.closest('.msg'), link);
  }, { capture: true });

  // On a touch screen a long press shows the controls that a mouse shows on hover, until something
  // else is touched.
  const close = (but) => document.querySelectorAll('.msg.open')
    .forEach((message) => message === but || message.classList.remove('open'));
  document.addEventListener('contextmenu', (event) => {
    const message = matchMedia('(pointer: coarse)').matches && event.target.closest('.msg');
    if (!message || event.target.closest('a, input, textarea')) return;
    event.preventDefault();
    close();
    message.classList.add('open');
  });
  document.addEventListener('pointerdown', (event) => {
    close(event.target.closest('.msg'));
  }, { passive: true });
}
