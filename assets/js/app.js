// Every page of someone who is signed in: local times, titles, dialogs, keys, and the sign that somebody is there.

import { act, sync, whenConnected } from './live.js';

const MOVED_EVERY = 30000; // ms between two signs that the person moved

/** Words the server knows: <div id="words" data-…>. */
export const words = document.getElementById('words').dataset;

// Days and times are told in the page's own words: the first thing that is asked of Intl keeps a page from answering for 25 to
// 50 ms on a quick machine.
const twoDigits = (n) => String(n).padStart(2, '0');
const timeOfDay = (at) => `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}`;

/** Fills a day into a pattern of the page's words. */
export const told = (pattern, at) => pattern.replace(/\{(\w+)\}/g, (_, name) => ({
  weekday: words.weekdays.split(', ')[at.getDay()], day: at.getDate(),
  month: words.months.split(', ')[at.getMonth()], year: at.getFullYear(),
})[name]);

const localised = new WeakMap(); // what a time reads since

/** Shows times in the reader's own time zone: of messages the time of day, of other things the day, too, or only that. */
function localise() {
  for (const time of document.querySelectorAll('time[datetime]:not(.edited > time, .day time)')) {
    if (localised.get(time) === time.textContent) continue;
    const at = new Date(time.dateTime), clock = timeOfDay(at);
    const text = time.closest('.when') ? clock : told(words.date, at) + (time.textContent.includes(':') ? `, ${clock}` : '');
    if (time.textContent !== text) time.textContent = text;
    localised.set(time, text);
  }
}

// The whole of it when somebody asks.
document.addEventListener('pointerover', ({ target }) => {
  const time = target.closest('time[datetime]');
  if (!time) return;
  const at = new Date(time.dateTime);
  time.title = `${told(words.dayOfYear, at)}, ${timeOfDay(at)}`;
}, { passive: true });

function refreshPage() {
  const app = document.getElementById('app');
  if (app.dataset.title) document.title = app.dataset.title;
  localise();
  // Controls that only a script can serve are hidden until there is one.
  for (const control of document.querySelectorAll('.filter[hidden], [data-copy][hidden], .compose .hint[hidden], .compose .tools[hidden]')) control.hidden = false;
}

// Dialogs --------------------------------------------------------------------------------------------------------

const keys = document.getElementById('keys');
const goto = document.getElementById('goto');

/** Asks before something that cannot be undone. */
export function confirmed(question) {
  const dialog = document.getElementById('confirm');
  dialog.querySelector('h2').textContent = question;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
}

function fillGoto() {
  const wish = goto.querySelector('input').value.trim().toLocaleLowerCase();
  const list = goto.querySelector('.found');
  const places = [...document.querySelectorAll('.rail a[href], .side a.room')];
  const found = places.filter((link) => link.textContent.toLocaleLowerCase().includes(wish)).slice(0, 12);
  list.replaceChildren(...found.map((link, index) => {
    const item = document.createElement('li');
    const copy = document.createElement('a');
    copy.href = link.href;
    copy.textContent = (link.querySelector('.name, .sr') ?? link).textContent.trim() || link.getAttribute('aria-label') || link.title;
    if (index === 0) copy.dataset.chosen = '';
    item.append(copy);
    return item;
  }));
}

function openGoto() {
  goto.querySelector('input').value = '';
  fillGoto();
  goto.showModal();
}

goto.querySelector('input').addEventListener('input', fillGoto);
goto.addEventListener('keydown', (event) => {
  const found = [...goto.querySelectorAll('.found a')];
  const at = found.findIndex((link) => 'chosen' in link.dataset);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
  if (to !== undefined && found.length) {
    event.preventDefault();
    delete found[at].dataset.chosen;
    found[(to + found.length) % found.length].dataset.chosen = '';
  } else if (event.key === 'Enter' && found[at]) {
    event.preventDefault();
    found[at].click();
  }
});

// Links ----------------------------------------------------------------------------------------------------------

/** Goes to a page of this server without losing the socket. Of several asked for at once, the last is shown. */
async function visit({ href, pathname, search, hash }) {
  const headers = { 'HX-Boosted': 'true' };
  await htmx.ajax('GET', pathname + search, { source: '#app', target: '#app', select: '#app', swap: 'outerHTML', push: hash ? href : 'true', headers });
  if (hash) document.getElementById(hash.slice(1))?.scrollIntoView({ block: 'nearest' });
}

// One listener for all links, behind everybody else's, where htmx would prepare each of hundreds before it is wanted.
addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute('download') || !document.getElementById('app')) return;
  link.closest('dialog')?.close();
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
  event.preventDefault();
  visit(link);
});

document.addEventListener('htmx:before:history:restore', () => htmx.trigger('#app', 'htmx:abort'));

// What is no page of ours, such as a file or a proxy's error, is the browser's to show.
document.addEventListener('htmx:before:response', (event) => {
  const { target, request, response } = event.detail.ctx;
  if (target.id !== 'app' || response.headers.has('hx-redirect') || response.headers.get('content-type')?.startsWith('text/html')) return;
  request.abort?.();
  leaveTo(request.action, event);
});
document.addEventListener('htmx:after:request', (event) => {
  const { target, request, text } = event.detail.ctx;
  if (target.id === 'app' && text && !text.includes(' id="app"')) leaveTo(request.action, event);
});

function leaveTo(address, event) {
  event.preventDefault();
  location.assign(address);
}

// Keys -----------------------------------------------------------------------------------------------------------

const isWriting = (element) => element.closest('input, textarea, select, [contenteditable]');

function otherRoom(step, unread) {
  const rooms = [...document.querySelectorAll('.side a.room')];
  const at = rooms.findIndex((room) => room.getAttribute('aria-current') === 'page');
  for (let n = 1; n <= rooms.length; n++) {
    const room = rooms[(at + step * n + rooms.length * 2) % rooms.length];
    if (!unread || room.querySelector('.unread > i')) return room.click();
  }
}

document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    openGoto();
  } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    otherRoom(event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
  } else if (event.key === '?' && !isWriting(event.target)) {
    event.preventDefault();
    keys.showModal();
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
  if (event.target.closest('[data-open=keys]')) keys.showModal();
  if (event.target.closest('#newer-version button')) location.reload();
  const dialog = event.target.closest('dialog');
  if (dialog && event.target.closest('[data-close]')) dialog.close();
});

/** Tells people who listen to the page instead of looking at it. */
export function announce(text) {
  const line = document.createElement('p');
  line.textContent = text;
  const said = document.getElementById('said');
  said.append(line);
  while (said.childElementCount > 5) said.firstElementChild.remove();
}

// The filter of a list of people.
document.addEventListener('input', (event) => {
  if (!event.target.matches('.filter, .filter input')) return;
  const wish = event.target.value.trim().toLocaleLowerCase();
  for (const row of event.target.closest('.picker').querySelectorAll('li')) row.hidden = !row.textContent.toLocaleLowerCase().includes(wish);
});

// Presence -------------------------------------------------------------------------------------------------------

let moved = Date.now();
for (const kind of ['pointerdown', 'keydown', 'wheel', 'focus']) {
  addEventListener(kind, () => {
    if (Date.now() - moved < MOVED_EVERY) return;
    moved = Date.now();
    act('presence.active', {}).catch(() => {});
  }, { passive: true, capture: true });
}

whenConnected(({ detail }) => {
  document.getElementById('newer-version').hidden = !detail.newer;
});

document.addEventListener('htmx:after:swap', refreshPage);
refreshPage();
setTimeout(sync); // opening the socket is a task of its own, so that the page can answer before
