// What is on its way: every post waits here under its own key until the server has answered. A key posts once, however
// often it is sent, so a post made without a network is simply sent again.

import { words } from '../app.js';
import { ask, whenConnected } from '../live.js';

const account = () => document.getElementById('app').dataset.me;
const store = () => `outbox:${account()}`;
const read = () => JSON.parse(localStorage.getItem(store()) ?? '[]');
const write = (posts) => localStorage.setItem(store(), JSON.stringify(posts));
let retry = null;

/** Puts a post on its way, with files that are there already. */
export function send(room, body, files = []) {
  const key = crypto.getRandomValues(new Uint32Array(4)).reduce((text, n) => text + n.toString(36).padStart(7, '0'), '');
  const post = { key, room, body, files, at: new Date().toISOString() };
  write([...read(), post]);
  show(post);
  flush();
}

/** Shows what still waits for the room of a page. */
export function showWaiting(page) {
  read().filter((post) => post.room === page.dataset.roomPage).forEach(show);
  flush();
}

function show(post) {
  const list = document.getElementById(`pending-${post.room}`);
  if (!list || list.querySelector(`[data-pending="${post.key}"]`)) return;
  const item = document.getElementById('waiting').content.firstElementChild.cloneNode(true);
  item.dataset.pending = post.key;
  item.dataset.author = account();
  item.querySelector('.body').textContent = [post.body, ...(post.files ?? []).map((file) => file.caption || file.name)].filter(Boolean).join('\n');
  item.querySelector('time').dateTime = post.at;
  list.append(item);
  mark(post);
  document.dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));
}

function mark(post) {
  const item = document.querySelector(`[data-pending="${post.key}"]`);
  if (!item) return;
  item.toggleAttribute('data-waiting', !post.failed);
  item.toggleAttribute('data-failed', Boolean(post.failed));
  item.querySelector('.failed').hidden = !post.failed;
  item.querySelector('.failed span').textContent = post.failed ? `${words.notSent} ${post.failed}` : '';
}

function update(key, change) {
  write(read().flatMap((post) => {
    if (post.key !== key) return [post];
    const changed = change && { ...post, ...change };
    if (changed) mark(changed);
    else document.querySelector(`[data-pending="${key}"]`)?.remove();
    return changed ? [changed] : [];
  }));
}

function again(after) {
  clearTimeout(retry);
  retry = setTimeout(flush, after);
}

/** Sends what waits, in order, from one tab at a time. */
export function flush() {
  if (navigator.locks) return navigator.locks.request('tidepool-outbox', { ifAvailable: true }, (lock) => (lock ? sendAll() : again(500)));
  return sendAll();
}

async function sendAll() {
  for (;;) {
    const post = read().find((one) => !one.failed);
    if (!post) return;
    let answer;
    try {
      const fields = new URLSearchParams({ room: post.room, body: post.body, key: post.key });
      for (const file of post.files ?? []) {
        fields.append('files', file.id);
        fields.append('captions', file.caption);
      }
      answer = await ask('/act/chat.post', { method: 'POST', body: fields });
    } catch {
      return again(3000);
    }
    if (answer.status === 401) return location.reload();
    if (answer.status === 429 || answer.status >= 500) return again(1000 * Number(answer.headers.get('Retry-After') ?? 3));
    const text = await answer.text();
    if (!answer.ok) {
      const words = new DOMParser().parseFromString(text, 'text/html').body.textContent.trim();
      update(post.key, { failed: words || ' ' });
      continue;
    }
    // The answer holds the message as everybody gets it; what the feed brought first is not shown twice.
    await htmx.swap({ sourceElement: document.body, target: '#live', swap: 'innerHTML swapEmpty:false', text, transition: false });
    update(post.key, null);
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-pending] button');
  if (!button) return;
  const key = button.closest('[data-pending]').dataset.pending;
  if (button.dataset.do === 'retry') {
    update(key, { failed: '' });
    flush();
  } else update(key, null);
});

whenConnected(flush);
