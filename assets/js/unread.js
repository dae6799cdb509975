// Unread messages elsewhere: the number of unread notices in the title and on the installed app, or
// a mark in the title if there is none; a dot on the page's icon; and the marks of spaces whose
// rooms the sidebar does not list. Muted rooms do not count. Who does not want to be disturbed gets
// neither number nor dot.

import { onConnected, request } from './live.js';
import { endExpired, isBusy } from './until.js';

const REFETCH_DELAY = 2000; // ms between a mark of a room that is not listed and asking for all

const icon = document.querySelector('link[rel=icon]');
const plainIcon = icon.getAttribute('href');
const threads = new Set(); // those of the unread that are threads which the reader follows
const unread = new Map(); // room → its space; '' for a direct conversation, null: not known yet
let refetchTimer = null;
let isStarted = false;
let isKnown = false; // whether the server was asked for all
let countOnApp = null;

const app = () => document.getElementById('app');
const isReading = () => !document.hidden && document.hasFocus();

/** The sidebar's marks are changed by frames; this brings what is known up to date with them. */
function readSidebar() {
  const space = document.querySelector('.rail a[aria-current]')?.pathname.split('/')[2] ?? '';
  for (const link of document.querySelectorAll('.side a.room')) {
    const { room, muted } = link.dataset;
    if (!room || room === 'threads') continue; // the inbox has no room either
    if (muted !== undefined || !link.querySelector('.unread > i')) unread.delete(room);
    else if (!unread.has(room)) unread.set(room, link.closest('ul').dataset.direct ? '' : space);
  }
}

/** The number on the icon of the installed app, where there is one. */
function showOnApp(count) {
  if (count === countOnApp || !navigator.setAppBadge) return;
  countOnApp = count;
  navigator.setAppBadge(count).catch(() => {});
}

/** Shows what is unread, in rooms other than the one being read. */
export function showUnread() {
  if (!app()) return;
  endExpired(showUnread);
  readSidebar();
  const open = [...document.querySelectorAll('[data-room-page]')]
    .map(({ dataset: { roomPage } }) => roomPage);
  const elsewhere = [...unread].filter(([room]) => !open.includes(room) || !isReading());
  const count = parseInt(document.getElementById('mentions-inbox')?.textContent, 10) || 0;
  markThreads();
  const { title } = app().dataset;
  const isShown = (elsewhere.length || count) && !isBusy();
  const mark = count ? `(${count})` : '•';
  document.title = isShown ? `${mark} ${title}` : title;
  const wanted = isShown ? icon.dataset.unread : plainIcon;
  if (icon.getAttribute('href') !== wanted) icon.setAttribute('href', wanted);
  showOnApp(isShown ? count : 0);
  const spaces = new Set(elsewhere.map(([, space]) => space));
  for (const link of document.querySelectorAll('.rail a:has(.emblem)')) {
    const isMarked = spaces.has(link.pathname.split('/')[2]) && !link.ariaCurrent;
    link.toggleAttribute('data-unread', isMarked);
    link.querySelector('.words').hidden = !isMarked;
  }
}

/** The mark of the link to the threads that the reader follows. */
function markThreads() {
  const link = document.querySelector('.side a.room[data-room="threads"]');
  if (!link || !isKnown) return;
  const [mark, number] = ['.unread', '.mentions'].map((part) => link.querySelector(part));
  if (Boolean(mark.firstElementChild) !== threads.size > 0) {
    const text = Object.assign(document.createElement('i'), {
      className: 'sr', textContent: `, ${document.getElementById('words').dataset.unread}`,
    });
    mark.replaceChildren(...(threads.size ? [text] : []));
  }
  const count = [...threads].reduce((sum, thread) => sum + (mentions.get(thread) ?? 0), 0);
  if ((parseInt(number.textContent, 10) || 0) === count) return;
  const pill = Object.assign(document.createElement('span'), {
    className: 'pill mention', textContent: count,
  });
  number.replaceChildren(...(count ? [pill] : []));
}

async function fetchUnread() {
  refetchTimer = null;
  const response = await request('/unread').catch(() => null);
  if (!response?.ok) return;
  const rooms = await response.json();
  for (const known of [unread, threads]) known.clear();
  isKnown = true;
  for (const one of rooms) {
    unread.set(one.room, one.space ?? '');
    if (one.thread) threads.add(one.room);
  }
  showUnread();
}

/** Clients that get the same frame do not ask at the same moment. */
function scheduleFetch() {
  refetchTimer ??= setTimeout(fetchUnread, REFETCH_DELAY * (0.5 + Math.random() / 2));
}

// Frames set and remove marks, also of rooms that the sidebar does not list.
document.addEventListener('tide:frame', ({ detail: { feed, html } }) => {
  if (!feed.endsWith('/unread')) return;
  const marks = html.matchAll(/hx-target="#unread-(\d+)"[^>]*>(<i)?( data-thread)?/g);
  for (const [, room, mark, isThread] of marks) {
    if (isThread) threads.add(room); else threads.delete(room);
    if (!mark) unread.delete(room);
    else if (!unread.has(room)) {
      unread.set(room, isThread ? '' : null);
      if (!isThread && !document.getElementById(`unread-${room}`)) scheduleFetch();
    }
  }
  // The sidebar gets the frame after this event.
  setTimeout(showUnread);
});
onConnected(() => {
  // The page has just been loaded, or frames may have been missed.
  if (isStarted) scheduleFetch(); else fetchUnread();
  isStarted = true;
});
for (const kind of ['focus', 'blur']) addEventListener(kind, showUnread);
document.addEventListener('visibilitychange', showUnread);
for (const kind of ['htmx:after:swap', 'htmx:finally:swap']) {
  document.addEventListener(kind, showUnread);
}
showUnread();
