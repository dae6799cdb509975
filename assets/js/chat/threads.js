// A thread beside its room: opens in the right pane, with a log and composer of its own. The
// address names it, so that the page shows the same when it is loaded again.

import { act, request } from '../live.js';
import { showWaiting } from '../waiting.js';

const openPane = () => document.querySelector('#app > .pane.thread');
const room = () => {
  const page = document.querySelector('main :is([data-room-page], [data-forum-page])');
  return page?.dataset.roomPage ?? page?.dataset.forumPage;
};

let openedFrom = null; // the id of the message whose thread was opened

/** Has every part of the page see what was added and removed. */
const tellSwapped = () => document
  .dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));

function showAddress(thread) {
  const query = thread ? `?thread=${thread}` : '';
  if (room()) history.replaceState(history.state, '', `/rooms/${room()}${query}`);
}

/** Opens the thread of a message, and begins it if there is none. */
export async function openThreadOf(message, link) {
  let { thread } = link.dataset;
  try {
    thread ??= message.querySelector('.thread-line')?.dataset.thread
      ?? (await showWaiting(act('chat.thread', { message: message.id.slice(2) }))).thread;
  } catch {
    return location.assign(link.href); // the page says why it cannot be
  }
  openedFrom = message.id;
  return openThread(thread);
}

/** Opens a thread that a link names, and gives the focus back to it once it is closed. */
export function openLinked(link) {
  openedFrom = link.closest('[id]').id;
  return openThread(link.dataset.openThread);
}

async function openThread(thread) {
  const response = await showWaiting(request(`/rooms/${thread}?pane`)).catch(() => null);
  if (!response?.ok) return location.assign(`/rooms/${thread}`);
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const pane = page.querySelector('.pane.thread');
  openPane()?.remove();
  document.getElementById('app').append(pane);
  htmx.process(pane);
  showAddress(thread);
  tellSwapped();
  // After the composer was started, which restores what was being written.
  const close = pane.querySelector('[data-close-thread]');
  setTimeout(() => (pane.querySelector('.compose textarea') ?? close).focus());
}

function closeThread() {
  openPane().remove();
  showAddress(null);
  tellSwapped();
  const message = openedFrom && document.getElementById(openedFrom);
  const target = message?.querySelector('.thread-line, [data-open-thread]') ?? message?.querySelector('.when')
    ?? document.querySelector('main .compose textarea');
  target?.focus({ preventScroll: true });
}

document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-close-thread]') || !openPane()) return;
  event.preventDefault();
  closeThread();
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented) return;
  const isElsewhere = event.target !== document.body && !openPane()?.contains(event.target);
  if (!openPane() || isElsewhere || document.querySelector('dialog[open], .menu[open]')) return;
  if (event.target.closest('form.edit')) return; // ends the edit
  closeThread();
});

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (!form.matches('.pane.thread form[data-follow]')) return;
  event.preventDefault();
  const { follow, thread } = form.elements;
  const button = form.querySelector('button');
  try {
    await act('chat.follow-thread', { thread: thread.value, follow: follow.value });
  } catch {
    return form.submit();
  }
  follow.value = follow.value === 'yes' ? 'no' : 'yes';
  [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
});
