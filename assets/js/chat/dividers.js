// The dividers of a message log: one where each day of the reader's time zone begins, which the
// server does not know, and one where unread messages begin.

import { words } from '../app.js';
import { daysAgo, formatDate } from '../times.js';

function dividerElement(kind, text) {
  const line = Object.assign(document.createElement('li'), { className: kind });
  line.append(Object.assign(document.createElement('span'), { textContent: text }));
  return line;
}

function dayName(at) {
  const days = daysAgo(at);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  const isThisYear = at.getFullYear() === new Date().getFullYear();
  return formatDate(isThisYear ? words.day : words.dayOfYear, at);
}

/** The dividers that belong between these messages, as [message after it, kind, text]. */
function wantedDividers(messages, firstUnreadId) {
  const wanted = [];
  let previousDay = null;
  for (const message of messages) {
    const at = new Date(message.dataset.at);
    const day = at.toDateString();
    if (day !== previousDay) wanted.push([message, 'day', dayName(at)]);
    if (message.id === firstUnreadId) wanted.push([message, 'new', words.newLine]);
    previousDay = day;
  }
  return wanted;
}

/**
 * Draws the dividers of `log` between its messages; 'New' before the message `firstUnreadId`.
 * Adding or removing a divider makes the browser restyle every message below it, so dividers that
 * already are where they belong are left alone.
 */
export function drawDividers(log, messages, firstUnreadId) {
  const wanted = wantedDividers(messages, firstUnreadId);
  const present = [...log.querySelectorAll(':scope > :is(.day, .new)')];
  const isPlaced = (line, [message, kind], index) => line.className === kind
    && [message, present[index + 1]].includes(line.nextElementSibling);
  const areAllPlaced = present.length === wanted.length
    && present.every((line, index) => isPlaced(line, wanted[index], index));
  if (!areAllPlaced) {
    present.forEach((line) => line.remove());
    for (const [message, kind, text] of wanted) message.before(dividerElement(kind, text));
    return;
  }
  present.forEach((line, index) => {
    const [, , text] = wanted[index];
    if (line.textContent !== text) line.firstElementChild.textContent = text;
  });
}
