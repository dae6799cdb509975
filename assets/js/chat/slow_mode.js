// Slow mode: above the composer, in how many seconds the reader may send the next message. The
// server is the judge; this only tells. Moderators do not wait, and see no countdown.

import { announce } from '../app.js';

const timers = new WeakMap(); // line → its timer

const lineOf = (page) => page?.querySelector('[data-slow-until]');

function stop(line) {
  clearInterval(timers.get(line));
  timers.delete(line);
}

/** Shows what is left, and says it once where it begins. */
function showLeft(line, isNew = false) {
  const left = Math.ceil((new Date(line.dataset.slowUntil) - Date.now()) / 1000);
  if (!line.isConnected || left <= 0) {
    stop(line);
    line.querySelector('output').textContent = '';
    return;
  }
  const text = line.dataset.left.replace('{n}', left);
  line.querySelector('output').textContent = text;
  if (isNew) announce(text);
}

function start(line, isNew) {
  stop(line);
  timers.set(line, setInterval(() => showLeft(line), 1000));
  showLeft(line, isNew);
}

/** Begins to count: the page was opened, or a message was sent, or refused for some seconds. */
export function startSlowMode(page) {
  const line = lineOf(page);
  if (line && new Date(line.dataset.slowUntil) > Date.now()) start(line, false);
}

document.addEventListener('tide:posted', ({ detail: { room, seconds } }) => {
  const line = lineOf(document.querySelector(`[data-room-page="${room}"]`));
  if (!line) return;
  const wait = seconds ?? Number(line.dataset.slow);
  line.dataset.slowUntil = new Date(Date.now() + 1000 * wait).toISOString();
  start(line, true);
});
