// Slow mode: above the composer, in how many seconds the reader may send the next message. The server
// is the judge; this only tells. Moderators do not wait, and see no countdown.

import { announce } from '../app.js';

let timer = null;

const line = () => document.querySelector('[data-slow-until]');

/** Shows what is left, and says it once where it begins. */
function showLeft(isNew = false) {
  const shown = line();
  const left = shown ? Math.ceil((new Date(shown.dataset.slowUntil) - Date.now()) / 1000) : 0;
  if (!shown || left <= 0) {
    clearInterval(timer);
    timer = null;
    if (shown) shown.querySelector('output').textContent = '';
    return;
  }
  const text = shown.dataset.left.replace('{n}', left);
  shown.querySelector('output').textContent = text;
  if (isNew) announce(text);
}

function start(isNew) {
  clearInterval(timer);
  timer = setInterval(showLeft, 1000);
  showLeft(isNew);
}

/** Begins to count: the page was opened, or a message was sent, or refused for some seconds. */
export function startSlowMode() {
  const shown = line();
  if (shown && new Date(shown.dataset.slowUntil) > Date.now()) start(false);
}

document.addEventListener('tide:posted', ({ detail: { room, seconds } }) => {
  const shown = line();
  if (!shown || !document.querySelector(`[data-room-page="${room}"]`)) return;
  const wait = seconds ?? Number(shown.dataset.slow);
  shown.dataset.slowUntil = new Date(Date.now() + 1000 * wait).toISOString();
  start(true);
});
