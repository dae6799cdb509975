// The outbox: every post is stored here under its own key until the server has answered. The
// server posts once per key, so a post whose response was lost is simply sent again.

import { words } from '../app.js';
import { onConnected, request } from '../live.js';
import { errorText } from '../note.js';
import { showPartials } from './run_action.js';

const LOCK_RETRY_DELAY = 500; // ms, while another tab sends
const RETRY_DELAY = 3000; // ms, without a network or a Retry-After
const CONTINUES_WITHIN = 5 * 60000; // ms after a message of the same author: the server's rule

const account = () => document.getElementById('app').dataset.me;
const storageKey = () => `outbox:${account()}`;
const readPosts = () => JSON.parse(localStorage.getItem(storageKey()) ?? '[]');
const writePosts = (posts) => localStorage.setItem(storageKey(), JSON.stringify(posts));
let retryTimer = null;
let preview = null; // markdown_preview.js, once it is loaded
const sentWaiters = new Set(); // called when a post has been answered

/** Loads what shows a text as it will look as a message. */
export async function loadPreview(text) {
  try {
    preview ??= await import('./markdown_preview.js');
    if (text.includes(':')) await preview.loadEmojiNames();
  } catch { /* without it the text is shown as written */ }
}

/** Resolves once no post for a room is on its way. */
export async function whenSent(room) {
  const isOnWay = () => readPosts().some((post) => post.room === room && !post.failed);
  while (isOnWay()) await new Promise((resolve) => sentWaiters.add(resolve));
}

function wakeWaiters() {
  sentWaiters.forEach((resolve) => resolve());
  sentWaiters.clear();
}

/** A key that no other client has chosen. */
export function randomKey() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return numbers.reduce((text, n) => text + n.toString(36).padStart(7, '0'), '');
}

/** Sends a post, with files that have been uploaded; `reply` is the message that it answers. */
export function send(room, body, files = [], reply = null) {
  const post = { key: randomKey(), room, body, files, reply, at: new Date().toISOString() };
  writePosts([...readPosts(), post]);
  showPost(post);
  flush();
}

/** Shows the unsent posts in the room of a page. */
export function showPending(page) {
  readPosts().filter((post) => post.room === page.dataset.roomPage).forEach(showPost);
  flush();
}

function showPost(post) {
  const list = document.getElementById(`pending-${post.room}`);
  if (!list || list.querySelector(`[data-pending="${post.key}"]`)) return;
  const item = document.getElementById('waiting').content.firstElementChild.cloneNode(true);
  item.dataset.pending = post.key;
  item.dataset.author = account();
  item.dataset.at = post.at;
  item.toggleAttribute('data-continues', continues(post, list));
  const body = item.querySelector('.body');
  body.textContent = post.body;
  body.hidden = !post.body;
  if (post.reply) showReply(item.querySelector('.quote'), post.reply);
  if (post.files?.length) showFiles(item, post.files);
  const show = () => preview.showPreview(body, post.body);
  if (!post.body) body.classList.remove('plain');
  else if (preview) show();
  else loadPreview(post.body).then(() => preview && body.isConnected && show());
  item.querySelector('time').dateTime = post.at;
  list.append(item);
  showState(post);
  document.dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));
}

function showReply(quote, { id, name, text }) {
  quote.hidden = false;
  quote.querySelector('a').href = `/messages/${id}`;
  quote.querySelector('bdi').textContent = name;
  quote.querySelector('.text').textContent = text;
}

/** Shows the files of a post; by their names only while that cannot be loaded. */
function showFiles(item, files) {
  const names = document.createElement('p');
  names.textContent = files.map((file) => file.caption || file.name).join(', ');
  item.querySelector('.body').after(names);
  import('./pending_files.js').then((pending) => {
    names.remove();
    pending.showFiles(item, files);
    document.dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));
  }, () => {});
}

/** Whether a post follows another of the same author so soon that they share a header. */
function continues(post, list) {
  if (post.reply) return false;
  const log = document.querySelectorAll(`#log-${post.room}[data-live] > .msg`);
  const last = list.lastElementChild ?? [...log].at(-1);
  return last?.dataset.author === account() && last.dataset.deleted === undefined
    && new Date(post.at) - new Date(last.dataset.at) < CONTINUES_WITHIN;
}

function showState(post) {
  const item = document.querySelector(`[data-pending="${post.key}"]`);
  if (!item) return;
  item.toggleAttribute('data-waiting', !post.failed);
  item.toggleAttribute('data-failed', Boolean(post.failed));
  item.querySelector('.failed').hidden = !post.failed;
  const problem = post.failed ? `${words.notSent} ${post.failed}` : '';
  item.querySelector('.failed span').textContent = problem;
}

function updatePost(key, changes) {
  writePosts(readPosts().map((post) => {
    if (post.key !== key) return post;
    const updated = { ...post, ...changes };
    showState(updated);
    return updated;
  }));
}

function removePost(key) {
  writePosts(readPosts().filter((post) => {
    if (post.key !== key) return true;
    document.querySelector(`[data-pending="${key}"]`)?.remove();
    if (post.files?.length) {
      import('./pending_files.js').then((pending) => pending.dropPreviews(post.files), () => {});
    }
    return false;
  }));
  wakeWaiters();
}

function scheduleFlush(delay) {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(flush, delay);
}

/** Sends the stored posts in order, from one tab at a time. */
export function flush() {
  if (!navigator.locks) return sendAll();
  return navigator.locks.request('tidepool-outbox', { ifAvailable: true }, (lock) => (
    lock ? sendAll() : scheduleFlush(LOCK_RETRY_DELAY)
  ));
}

function formFields(post) {
  const fields = new URLSearchParams({ room: post.room, body: post.body, key: post.key });
  if (post.reply) fields.append('reply_to', post.reply.id);
  if (post.body.startsWith('/')) { // a command may name a time
    fields.append('zone', Intl.DateTimeFormat().resolvedOptions().timeZone ?? '');
  }
  for (const file of post.files ?? []) {
    fields.append('files', file.id);
    fields.append('captions', file.caption);
    fields.append('voices', file.voice ?? '');
  }
  return fields;
}

/** Tells that a post was taken, or refused for some seconds. */
function tellPosted(room, seconds) {
  document.dispatchEvent(new CustomEvent('tide:posted', { detail: { room, seconds } }));
}

async function sendAll() {
  for (;;) {
    const post = readPosts().find((one) => !one.failed);
    if (!post) return;
    let response;
    try {
      response = await request('/act/chat.post', { method: 'POST', body: formFields(post) });
    } catch {
      return scheduleFlush(RETRY_DELAY);
    }
    if (response.status === 401) return location.reload();
    if (response.status === 429 || response.status >= 500) {
      const seconds = response.headers.get('Retry-After') ?? RETRY_DELAY / 1000;
      if (response.status === 429) tellPosted(post.room, Number(seconds));
      return scheduleFlush(1000 * Number(seconds));
    }
    const text = await response.text();
    if (!response.ok) {
      const problem = errorText(text);
      updatePost(post.key, { failed: problem || ' ' });
      wakeWaiters();
      continue;
    }
    // The response holds the same frame as the feed; whichever comes second changes nothing.
    await showPartials(text);
    removePost(post.key);
    tellPosted(post.room);
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-pending] button');
  if (!button) return;
  const key = button.closest('[data-pending]').dataset.pending;
  if (button.dataset.do === 'retry') {
    updatePost(key, { failed: '' });
    flush();
  } else removePost(key);
});

onConnected(flush);
