// What this browser does when a notice comes: a notification of the desktop and a short sound, each
// if it was asked for on this device. Of several tabs one does it. The number in title and icon:
// unread.js.

import { visit } from './app.js';
import { request } from './live.js';
import { showPush } from './push.js';

const ALERT_DELAY = 1000; // ms in which a tab that shows the message marks it as read
const TONE_SECONDS = 0.18;
const TONES = [660, 880]; // Hz

const me = () => document.getElementById('app')?.dataset.me;
const key = (name) => `notices:${me()}:${name}`;
const isOn = (name) => localStorage.getItem(key(name)) === 'on';
const setOn = (name, on) => (on
  ? localStorage.setItem(key(name), 'on') : localStorage.removeItem(key(name)));
const canNotify = () => 'Notification' in window && isSecureContext;
const notifies = () => isOn('desktop') && canNotify() && Notification.permission === 'granted';

const shown = new Map(); // id → Notification that this tab shows
let timer = null;

async function fetchNewest(after) {
  const response = await request(`/inbox/newest?after=${after}`).catch(() => null);
  return response?.ok ? response.json() : null;
}

/** Calls `use` in one tab at a time, also over plain http, where there are no locks. */
async function withLock(use) {
  if (navigator.locks) return navigator.locks.request('tidepool-notices', use);
  const locks = await import('./locks.js');
  return locks.withLock('tidepool-notices', use);
}

function playSound() {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.connect(context.destination);
  TONES.forEach((frequency, n) => {
    const tone = context.createOscillator();
    const start = context.currentTime + n * TONE_SECONDS;
    tone.frequency.value = frequency;
    tone.connect(gain);
    tone.start(start);
    tone.stop(start + TONE_SECONDS);
  });
  const end = context.currentTime + TONES.length * TONE_SECONDS;
  gain.gain.setValueAtTime(0.12, context.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.001, end);
  setTimeout(() => context.close(), TONES.length * TONE_SECONDS * 1000 + 100);
}

function show({ id, room, title, body, href }) {
  const icon = document.querySelector('link[rel=icon]').href;
  const notification = new Notification(title, { body, icon, tag: room ?? id, lang: 'und' });
  shown.set(id, notification);
  notification.addEventListener('close', () => shown.delete(id));
  notification.addEventListener('click', () => {
    window.focus();
    notification.close();
    visit(new URL(href, location.href));
  });
}

/** Draws attention to the notices that are still unread, and that no other tab has shown. */
async function alert() {
  timer = null;
  if (!notifies() && !isOn('sound')) return;
  await withLock(async () => {
    const after = localStorage.getItem(key('newest')) ?? '0';
    const newest = await fetchNewest(after);
    if (!newest?.length) return;
    localStorage.setItem(key('newest'), newest[0].id);
    if (notifies()) newest.reverse().forEach(show);
    if (isOn('sound')) playSound();
  });
}

/** Closes the notifications of what was read elsewhere. */
async function closeRead() {
  if (!shown.size) return;
  const unread = await fetchNewest('0');
  if (!unread) return;
  const ids = new Set(unread.map(({ id }) => id));
  for (const [id, notification] of shown) if (!ids.has(id)) notification.close();
}

document.addEventListener('tide:frame', ({ detail: { feed, html } }) => {
  if (!feed.endsWith('/unread') || !html.includes('#mentions-inbox')) return;
  closeRead();
  const [, newest] = /data-newest="(\d+)"/.exec(html) ?? [];
  if (!newest || (!notifies() && !isOn('sound'))) return;
  if (BigInt(newest) <= BigInt(localStorage.getItem(key('newest')) ?? 0)) return;
  timer ??= setTimeout(alert, ALERT_DELAY);
});

// The page of settings -------------------------------------------------------------------------

function showSettings() {
  showPush();
  const desktop = document.querySelector('[data-notices=desktop]');
  if (!desktop) return;
  document.querySelector('[data-notices=scriptless]').hidden = true;
  const sound = document.querySelector('[data-notices=sound]');
  desktop.hidden = false;
  sound.hidden = false;
  const isDenied = canNotify() && Notification.permission === 'denied';
  desktop.querySelector('[data-state=insecure]').hidden = canNotify();
  desktop.querySelector('[data-state=denied]').hidden = !isDenied;
  desktop.querySelector('[data-do=desktop-on]').hidden = !canNotify() || isDenied || notifies();
  desktop.querySelector('[data-do=desktop-off]').hidden = !notifies();
  sound.querySelector('[data-do=sound-on]').hidden = isOn('sound');
  sound.querySelector('[data-do=sound-off]').hidden = !isOn('sound');
}

document.addEventListener('click', async ({ target }) => {
  const wanted = target.closest('[data-notices] [data-do]')?.dataset.do;
  if (!wanted || wanted === 'push-on') return;
  const [what, state] = wanted.split('-');
  if (what === 'desktop' && state === 'on') await Notification.requestPermission();
  setOn(what, state === 'on');
  // What came before is not told now.
  const newest = await fetchNewest('0');
  if (newest?.length) localStorage.setItem(key('newest'), newest[0].id);
  if (wanted === 'sound-on') playSound();
  showSettings();
});

document.addEventListener('htmx:after:swap', showSettings);
showSettings();
