// Actions on a message: edit in place, delete after a question, copy its link. Without this script
// the same links lead to pages that do the same.

import { announce, askConfirmation, words } from '../app.js';
import { copyText } from '../clipboard.js';
import { refetchRegion } from '../live.js';

const idOf = (message) => message.id.slice(2); // elements are called "m-<id>"

/** Edits the reader's own last message of a room. */
export function editLast(room) {
  const me = document.getElementById('app').dataset.me;
  const selector = `#log-${room} > .msg[data-author="${me}"]:not([data-deleted])`;
  const own = document.querySelectorAll(selector);
  if (own.length) edit(own[own.length - 1]);
}

/** Runs an action over HTTP and shows the frame it answers. Throws with the server's words. */
async function runAction(action, fields) {
  const response = await fetch(`/act/${action}`, {
    method: 'POST',
    headers: { 'HX-Request': 'true' },
    body: new URLSearchParams(fields),
  });
  const text = await response.text();
  if (!response.ok) {
    const page = new DOMParser().parseFromString(text, 'text/html');
    throw new Error(page.body.textContent.trim());
  }
  await htmx.swap({
    sourceElement: document.body,
    target: '#live',
    swap: 'innerHTML swapEmpty:false',
    text,
    transition: false,
  });
}

async function edit(message) {
  if (message.querySelector('form.edit')) return;
  const response = await fetch(`/messages/${idOf(message)}/source`, {
    headers: { 'HX-Request': 'true' },
  }).catch(() => null);
  if (!response?.ok) return;
  const form = document.getElementById('editing').content.firstElementChild.cloneNode(true);
  const area = form.querySelector('textarea');
  area.value = await response.text();
  // Frames must not replace the form; what they bring meanwhile is refetched when it is closed.
  message.setAttribute('hx-morph-skip', '');
  message.classList.replace('open', 'editing') || message.classList.add('editing');
  const body = message.querySelector('.body');
  if (body) body.hidden = true;
  (body ?? message.querySelector('header')).after(form);
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
  const scrollToForm = () => form.scrollIntoView({ block: 'nearest' });
  area.addEventListener('input', scrollToForm);
  scrollToForm();
  listenToForm(message, form, body);
}

function listenToForm(message, form, body) {
  const area = form.querySelector('textarea');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    saveEdit(message, form);
  });
  form.querySelector('[data-do=cancel]').addEventListener('click', () => {
    message.removeAttribute('hx-morph-skip');
    message.classList.remove('editing');
    form.remove();
    if (body) body.hidden = false;
    message.querySelector('.when')?.focus();
    refetchRegion(message.closest('.region'));
  });
  area.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') form.querySelector('[data-do=cancel]').click();
    else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

async function saveEdit(message, form) {
  const body = form.querySelector('textarea').value;
  try {
    message.removeAttribute('hx-morph-skip');
    await runAction('chat.edit', { message: idOf(message), body });
    form.remove();
    document.querySelector('form.compose textarea')?.focus();
  } catch (error) {
    message.setAttribute('hx-morph-skip', '');
    const line = form.querySelector('.error');
    line.textContent = error.message;
    line.hidden = false;
  }
}

const controls = { // value of data-act → what a click does
  edit,
  async delete(message) {
    if (!await askConfirmation(words.deleteAsk)) return;
    await runAction('chat.delete', { message: idOf(message) })
      .catch((error) => announce(error.message));
  },
  copy: (message, link) => copyText(link.href, link),
};

export function startMessages() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('.msg [data-act]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    controls[link.dataset.act](link.closest('.msg'), link);
  }, { capture: true });

  // On a touch screen a long press shows the controls that a mouse shows on hover.
  document.addEventListener('contextmenu', (event) => {
    const message = matchMedia('(pointer: coarse)').matches && event.target.closest('.msg');
    if (!message || event.target.closest('a, input, textarea')) return;
    event.preventDefault();
    document.querySelectorAll('.msg.open').forEach((other) => other.classList.remove('open'));
    message.classList.add('open');
  });
}
