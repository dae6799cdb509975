// A short note at the foot of the page about what was just done; it goes by itself.

import { announce } from './app.js';

const SHOWN_FOR = 4000; // ms

/** What an error's page or fragment says. */
export function errorText(html) {
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  body.querySelectorAll('[hidden]').forEach((part) => part.remove()); // words beside fields
  return body.textContent.trim();
}

/** Shows a note, and has screen readers read it out. */
export function showNote(text) {
  announce(text);
  document.querySelector('.note-line')?.remove();
  const line = document.createElement('p');
  line.className = 'note-line';
  line.ariaHidden = true; // it was read out
  line.textContent = text;
  document.body.append(line);
  setTimeout(() => line.remove(), SHOWN_FOR);
}
