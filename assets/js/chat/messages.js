// What one may do with a message: edit in place, delete after a question, copy its link. Without this script the same
// links lead to pages that do the same.

import { announce, confirmed, words } from '../app.js';
import { rereadRegion } from '../live.js';

/** Edits the reader's own last message of a room. */
export function editLast(room) {
  const me = document.getElementById('app').dataset.me;
  const own = document.querySelectorAll(`#log-${room} > .msg[data-author="${me}"]:not([data-deleted])`);
  if (own.length) edit(own[own.length - 1]);
}

async function change(action, fields) {
  const answer = await fetch(`/act/${action}`, { method: 'POST', headers: { 'HX-Request': 'true' }, body: new URLSearchParams(fields) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(new DOMParser().parseFromString(text, 'text/html').body.textContent.trim());
  await htmx.swap({ sourceElement: document.body, target: '#live', swap: 'innerHTML swapEmpty:false', text, transition: false });
}

async function edit(message) {
  if (message.querySelector('form.edit')) return;
  const id = message.id.slice(2);
  const answer = await fetch(`/messages/${id}/source`, { headers: { 'HX-Request': 'true' } }).catch(() => null);
  if (!answer?.ok) return;
  const form = document.getElementById('editing').content.firstElementChild.cloneNode(true);
  const area = form.querySelector('textarea');
  area.value = await answer.text();
  // While it is being edited, frames leave it alone; what they brought is read again when the form goes.
  message.setAttribute('hx-morph-skip', '');
  message.classList.replace('open', 'editing') || message.classList.add('editing');
  const body = message.querySelector('.body');
  if (body) body.hidden = true;
  (body ?? message.querySelector('header')).after(form);
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
  const show = () => form.scrollIntoView({ block: 'nearest' });
  area.addEventListener('input', show);
  show();

  function leave() {
    message.removeAttribute('hx-morph-skip');
    message.classList.remove('editing');
    form.remove();
    if (body) body.hidden = false;
    message.querySelector('.when')?.focus();
  }
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      message.removeAttribute('hx-morph-skip');
      await change('chat.edit', { message: id, body: area.value });
      form.remove();
      document.querySelector('form.compose textarea')?.focus();
    } catch (error) {
      message.setAttribute('hx-morph-skip', '');
      const line = form.querySelector('.error');
      line.textContent = error.message;
      line.hidden = false;
    }
  });
  form.querySelector('[data-do=cancel]').addEventListener('click', () => {
    leave();
    rereadRegion(message.closest('.region'));
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

const does = {
  edit,
  async delete(message) {
    if (await confirmed(words.deleteAsk)) await change('chat.delete', { message: message.id.slice(2) }).catch((error) => announce(error.message));
  },
  async copy(message, link) {
    await navigator.clipboard?.writeText(link.href).catch(() => {});
    announce(words.copied);
  },
};

export function startMessages() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('.msg [data-act]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    does[link.dataset.act](link.closest('.msg'), link);
  }, { capture: true });

  // On touch a long press opens what hovering shows.
  document.addEventListener('contextmenu', (event) => {
    const message = matchMedia('(pointer: coarse)').matches && event.target.closest('.msg');
    if (!message || event.target.closest('a, input, textarea')) return;
    event.preventDefault();
    document.querySelectorAll('.msg.open').forEach((other) => other.classList.remove('open'));
    message.classList.add('open');
  });
}
