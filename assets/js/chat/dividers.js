// The dividers of a log: where the reader's own days begin, which the server does not know, and where what is new begins.

import { told, words } from '../app.js';

function divider(kind, text) {
  const line = Object.assign(document.createElement('li'), { className: kind });
  line.append(Object.assign(document.createElement('span'), { textContent: text }));
  return line;
}

function nameOf(at) {
  const now = new Date();
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  return told(at.getFullYear() === now.getFullYear() ? words.day : words.dayOfYear, at);
}

/** Draws the dividers of `log` between its messages; 'New' before the message with the id `firstNew`. A divider that goes or comes
    has the browser restyle every message below it, so those that are right stay. */
export function drawDividers(log, messages, firstNew) {
  const wanted = [];
  let before = null;
  for (const message of messages) {
    const at = new Date(message.dataset.at);
    const key = at.toDateString();
    if (key !== before) wanted.push([message, 'day', nameOf(at)]);
    if (message.id === firstNew) wanted.push([message, 'new', words.newLine]);
    before = key;
  }
  const present = [...log.querySelectorAll(':scope > :is(.day, .new)')];
  const isPlaced = (line, [message, kind], n) => line.className === kind && [message, present[n + 1]].includes(line.nextElementSibling);
  if (present.length !== wanted.length || !present.every((line, n) => isPlaced(line, wanted[n], n))) {
    present.forEach((line) => line.remove());
    for (const [message, kind, text] of wanted) message.before(divider(kind, text));
  } else {
    present.forEach((line, n) => { if (line.textContent !== wanted[n][2]) line.firstElementChild.textContent = wanted[n][2]; });
  }
}
