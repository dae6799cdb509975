// Every page of a signed-in person: titles, dialogs, links, keys, and reports of activity for
// presence.

import { act, onConnected, syncFeeds } from './live.js';
import './sign_out.js';
import { localizeTimes } from './times.js';
import { showWaiting } from './waiting.js';

const ACTIVITY_INTERVAL = 30000; // ms between two reports that the person is active
const MAX_FOUND = 12; // links that the quick switcher lists
const MAX_ANNOUNCEMENTS = 5; // lines left in the live region

/** Texts in the reader's language, translated by the server: <div id="words" data-…>. */
export const words = document.getElementById('words').dataset;

function refreshPage() {
  const app = document.getElementById('app');
  if (app.dataset.title) document.title = app.dataset.title;
  localizeTimes();
  // Controls that do nothing without scripts are rendered hidden.
  const controls = document.querySelectorAll(
    '.filter[hidden], [data-copy][hidden], .compose :is(.hint, .tools, [data-emoji])[hidden]',
  );
  for (const control of controls) control.hidden = false;
}

// Dialogs -------------------------------------------------------------------------------------

const keysDialog = document.getElementById('keys');
const gotoDialog = document.getElementById('goto');

/** Asks for confirmation of something that cannot be undone. Resolves to whether it was given. */
export function askConfirmation(question) {
  const dialog = document.getElementById('confirm');
  dialog.querySelector('h2').textContent = question;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

const hasText = (element, query) => element.textContent.toLocaleLowerCase().includes(query);

function linkLabel(link) {
  const name = (link.querySelector('.name, .sr') ?? link).textContent.trim();
  return name || link.getAttribute('aria-label') || link.title;
}

function fillGoto() {
  const query = gotoDialog.querySelector('input').value.trim().toLocaleLowerCase();
  const links = [...document.querySelectorAll('.rail a[href], .side a.room')];
  const found = links.filter((link) => hasText(link, query)).slice(0, MAX_FOUND);
  gotoDialog.querySelector('.found').replaceChildren(...found.map((link, index) => {
    const item = document.createElement('li');
    const copy = document.createElement('a');
    copy.href = link.href;
    copy.textContent = linkLabel(link);
    if (index === 0) copy.dataset.chosen = '';
    item.append(copy);
    return item;
  }));
}

function openGoto() {
  gotoDialog.querySelector('input').value = '';
  fillGoto();
  gotoDialog.showModal();
}

gotoDialog.querySelector('input').addEventListener('input', fillGoto);
gotoDialog.addEventListener('keydown', (event) => {
  const found = [...gotoDialog.querySelectorAll('.found a')];
  const chosen = found.findIndex((link) => 'chosen' in link.dataset);
  const next = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
  if (next !== undefined && found.length) {
    event.preventDefault();
    delete found[chosen].dataset.chosen;
    found[(next + found.length) % found.length].dataset.chosen = '';
  } else if (event.key === 'Enter' && found[chosen]) {
    event.preventDefault();
    found[chosen].click();
  }
});

// Links ---------------------------------------------------------------------------------------

/** Opens a page of this server without closing the socket. The last of several requests wins. */
async function visit({ href, pathname, search, hash }) {
  await showWaiting(htmx.ajax('GET', pathname + search, {
    source: '#app',
    target: '#app',
    select: '#app',
    swap: 'outerHTML',
    push: hash ? href : 'true',
    headers: { 'HX-Boosted': 'true' },
  }));
  if (hash) document.getElementById(hash.slice(1))?.scrollIntoView({ block: 'nearest' });
}

const hasModifier = (event) => event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
const isBoostable = (link) => link.origin === location.origin && !link.target
  && !link.hasAttribute('download') && document.getElementById('app');

// One listener on the window for all links, after every other listener: hx-boost would make htmx
// process each of hundreds of links in advance.
addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (!link || event.defaultPrevented || event.button || hasModifier(event)) return;
  if (!isBoostable(link)) return;
  link.closest('dialog')?.close();
  const isSamePage = link.pathname === location.pathname && link.search === location.search;
  if (link.hash && isSamePage) return;
  event.preventDefault();
  visit(link);
});

document.addEventListener('htmx:before:history:restore', () => htmx.trigger('#app', 'htmx:abort'));

// A response that is no page of this server, such as a file or a proxy's error, is left to the
// browser.
document.addEventListener('htmx:before:response', (event) => {
  const { target, request, response } = event.detail.ctx;
  const isHtml = response.headers.get('content-type')?.startsWith('text/html');
  if (target.id !== 'app' || response.headers.has('hx-redirect') || isHtml) return;
  request.abort?.();
  loadPage(request.action, event);
});
document.addEventListener('htmx:after:request', (event) => {
  const { target, request, text } = event.detail.ctx;
  if (target.id === 'app' && text && !text.includes(' id="app"')) loadPage(request.action, event);
});

function loadPage(url, event) {
  event.preventDefault();
  location.assign(url);
}

// Keys and clicks -----------------------------------------------------------------------------

const isTextField = (element) => element.closest('input, textarea, select, [contenteditable]');

/** Opens the next (`step` 1) or previous (-1) room of the sidebar, or the next unread one. */
function openNextRoom(step, isUnreadOnly) {
  const rooms = [...document.querySelectorAll('.side a.room')];
  const open = rooms.findIndex((room) => room.getAttribute('aria-current') === 'page');
  for (let n = 1; n <= rooms.length; n++) {
    const room = rooms[(open + step * n + rooms.length * 2) % rooms.length];
    if (!isUnreadOnly || room.querySelector('.unread > i')) return room.click();
  }
}

document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    openGoto();
  } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    openNextRoom(event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
  } else if (event.key === '?' && !isTextField(event.target)) {
    event.preventDefault();
    keysDialog.showModal();
  }
});

document.addEventListener('click', async (event) => {
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    const field = document.getElementById(copy.dataset.copy);
    field.select();
    await navigator.clipboard?.writeText(field.value).catch(() => {});
    announce(words.copied);
  }
  if (event.target.closest('[data-open=goto]')) openGoto();
  if (event.target.closest('[data-open=keys]')) keysDialog.showModal();
  if (event.target.closest('#newer-version button')) location.reload();
  const dialog = event.target.closest('dialog');
  if (dialog && event.target.closest('[data-close]')) dialog.close();
});

/** Has screen readers read a text out. */
export function announce(text) {
  const line = document.createElement('p');
  line.textContent = text;
  const liveRegion = document.getElementById('said');
  liveRegion.append(line);
  while (liveRegion.childElementCount > MAX_ANNOUNCEMENTS) liveRegion.firstElementChild.remove();
}

// The filter of a list of people.
document.addEventListener('input', (event) => {
  if (!event.target.matches('.filter, .filter input')) return;
  const query = event.target.value.trim().toLocaleLowerCase();
  for (const row of event.target.closest('.picker').querySelectorAll('li')) {
    row.hidden = !hasText(row, query);
  }
});

// Presence ------------------------------------------------------------------------------------

let reportedAt = Date.now();
for (const kind of ['pointerdown', 'keydown', 'wheel', 'focus']) {
  addEventListener(kind, () => {
    if (Date.now() - reportedAt < ACTIVITY_INTERVAL) return;
    reportedAt = Date.now();
    act('presence.active', {}).catch(() => {});
  }, { passive: true, capture: true });
}

onConnected(({ detail }) => {
  document.getElementById('newer-version').hidden = !detail.newer;
});

document.addEventListener('htmx:after:swap', refreshPage);
refreshPage();
setTimeout(syncFeeds); // in a task of its own: opening the socket must not delay the first input
