// Runs an action over HTTP and shows what it answers.

import { words } from '../app.js';
import { request } from '../live.js';
import { errorText, showNote } from '../note.js';
import { showWaiting } from '../waiting.js';

/** Puts the partials of a response into the page. */
export async function showPartials(text) {
  await htmx.swap({
    sourceElement: document.body,
    target: '#live',
    swap: 'innerHTML swapEmpty:false',
    text,
    transition: false,
  });
  const note = document.getElementById('note');
  if (note.textContent) showNote(note.textContent);
  note.textContent = '';
}

/** Runs an action. Throws an error with the server's words and status, or 0 without an answer. */
export async function runAction(action, fields) {
  const body = new URLSearchParams(fields);
  const answer = request(`/act/${action}`, { method: 'POST', body });
  const response = await showWaiting(answer).catch(() => null);
  if (!response) throw Object.assign(new Error(words.notReached), { status: 0 });
  const text = await response.text();
  if (!response.ok) throw Object.assign(new Error(errorText(text)), { status: response.status });
  await showPartials(text);
}
