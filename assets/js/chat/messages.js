// Actions on a message: react, reply, edit, delete after a question, copy its link, and a menu of
// everything else. Without this script the same links lead to pages that do the same.

import { askConfirmation, words } from '../app.js';
import { showNote } from '../note.js';
import { showWaiting } from '../waiting.js';
import { runAction } from './run_action.js';

const MAX_EXCERPT = 140; // characters of the message that is answered
const idOf = (message) => message.id.slice(2); // elements are called "m-<id>"

const BESIDE = '(min-width: 900px)'; // from here on a thread stands beside its room
const run = (action, fields) => runAction(action, fields).catch((error) => showNote(error.message));

/** What the composer shows of a message that is being answered. */
function answered(message) {
  const body = message.querySelector('.main > .body')?.textContent ?? '';
  const file = message.querySelector('.attachment .player')?.ariaLabel
    ?? message.querySelector('.attachment .caption bdi')?.textContent ?? '';
  const text = (body || file).replace(/\s+/g, ' ').trim();
  const name = message.querySelector('.by b').textContent;
  return { id: idOf(message), name, text: [...text].slice(0, MAX_EXCERPT).join('') };
}

const controls = { // value of data-act → what a click does
  async react(message, link) {
    const picker = showWaiting(import('./emoji_picker.js')).catch(() => null);
    const { openEmojiPicker } = await picker ?? {};
    if (!openEmojiPicker) return location.assign(link.href);
    return openEmojiPicker((emoji) => run('chat.react', { message: idOf(message), emoji }));
  },
  reply(message, link) {
    const form = message.closest('[data-room-page]')?.querySelector('form.compose');
    if (!form) return location.assign(link.href);
    return form.dispatchEvent(new CustomEvent('tide:reply', { detail: answered(message) }));
  },
  async edit(message, link) {
    const editing = await showWaiting(import('./editing.js')).catch(() => null);
    if (editing) editing.edit(message);
    else location.assign(link.href); // the network is gone, or the server has another version
  },
  async delete(message) {
    if (!await askConfirmation(words.deleteAsk)) return;
    await run('chat.delete', { message: idOf(message) });
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
    if (await copyText(link.href, link) && link.closest('#message-menu')) showNote(words.copied);
    // Copying takes the focus, and what had it may be out of view by now.
    if (document.activeElement !== document.body) return;
    document.getElementById(message.id)?.querySelector('.when').focus({ preventScroll: true });
  },
  async menu(message, link) {
    const menu = await showWaiting(import('./message_menu.js')).catch(() => null);
    if (menu) menu.openMenu(message, link);
    else location.assign(link.href);
  },
};

/** The message that a control belongs to: around it, or the one whose menu it is in. */
function messageOf(link) {
  const menu = link.closest('#message-menu .message-menu');
  return menu ? document.getElementById(`m-${menu.dataset.message}`) : link.closest('.msg');
}

export function startMessages() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('[data-act]');
    const control = controls[link?.dataset.act]; // others are links to pages
    if (!control || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const message = messageOf(link);
    if (!message?.closest('.log')) return;
    if (control === controls.thread && !matchMedia(BESIDE).matches) return; // a page of its own
    event.preventDefault();
    event.stopImmediatePropagation();
    const menu = link.closest('#message-menu');
    if (menu) {
      message.querySelector('[data-act=menu]')?.focus({ preventScroll: true });
      menu.hidePopover();
    }
    control(message, link);
  }, { capture: true });

  document.addEventListener('submit', (event) => {
    const form = event.target.closest('.msg :is(form.reactions, form.poll, form.dismiss)');
    if (!form) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { name, value } = event.submitter;
    const fields = { message: form.elements.message.value, [name]: value };
    run(new URL(form.action).pathname.replace('/act/', ''), fields);
  }, { capture: true });

  // A spoiler stays uncovered until it is chosen again; without scripts, as long as it has the focus.
  const uncover = (event) => {
    const spoiler = event.target.closest('.spoiler');
    if (!spoiler || event.target.closest('.spoiler.shown a')) return;
    event.preventDefault();
    if (!spoiler.classList.toggle('shown')) spoiler.blur();
  };
  document.addEventListener('click', uncover);
  document.addEventListener('keydown', (event) => {
    if (event.target.matches('.spoiler') && [' ', 'Enter'].includes(event.key)) uncover(event);
  });

  // A quote leads to what it quotes, without leaving the page where that is on it.
  document.addEventListener('click', (event) => {
    const quote = event.target.closest('.quote a[data-at], .preview-card');
    const target = quote && document.getElementById(`m-${quote.dataset.at}`);
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.querySelectorAll('.msg.highlight').forEach((one) => one.classList.remove('highlight'));
    target.classList.add('highlight');
    target.scrollIntoView({ block: 'center' });
    target.querySelector('.when')?.focus({ preventScroll: true });
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
