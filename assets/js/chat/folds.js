// Folds the messages of people whom the reader blocks or ignores to one line each. The sidebar
// names these people, and is refetched when they change; messages are the same for every reader.

import { words } from '../app.js';

const shownIds = new Set(); // messages that the reader asked to see

const idsIn = (list) => new Set(list?.split(' '));

function lineElement(message, text) {
  const line = Object.assign(document.createElement('p'), { className: 'fold' });
  const button = Object.assign(document.createElement('button'), {
    type: 'button', textContent: words.foldShow,
  });
  button.addEventListener('click', () => {
    shownIds.add(message.id);
    unfold(message);
    message.querySelector('.by')?.focus({ preventScroll: true }); // the button is gone
  });
  const span = Object.assign(document.createElement('span'), { textContent: text });
  line.append(span, '\u00a0· ', button);
  return line;
}

function unfold(message) {
  message.classList.remove('folded');
  message.querySelector(':scope > .fold')?.remove();
}

function fold(message, text) {
  message.classList.add('folded');
  const line = message.querySelector(':scope > .fold');
  if (!line) message.append(lineElement(message, text));
  else if (line.firstChild.textContent !== text) line.firstChild.textContent = text;
}

/** Folds and unfolds the messages of the page as its sidebar says. */
export function foldMessages() {
  const lists = document.getElementById('sidebar')?.dataset;
  const blocked = idsIn(lists?.blocked), ignored = idsIn(lists?.ignored);
  const isFoldedAuthor = ({ dataset: { author } }) => blocked.has(author) || ignored.has(author);
  for (const message of document.querySelectorAll('.msg:is([data-author], .folded)')) {
    if (!isFoldedAuthor(message)) {
      shownIds.delete(message.id); // to be folded again by a later block
      if (message.classList.contains('folded')) unfold(message);
    } else if (!shownIds.has(message.id)) {
      const isBlocked = blocked.has(message.dataset.author);
      fold(message, isBlocked ? words.foldBlocked : words.foldIgnored);
    }
  }
}
