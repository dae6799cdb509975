// Sends a form without leaving the page, which frames bring up to date: loading it anew would
// interrupt a call or a terminal.

import { words } from './app.js';
import { request } from './live.js';
import { errorText, showNote } from './note.js';
import { showWaiting } from './waiting.js';

/** Sends a form, as its button says, and shows why it was refused if it was. */
export async function sendInPlace(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  const response = await showWaiting(request(form.action, { method: 'POST', body }))
    .catch(() => null);
  if (!response) showNote(words.notReached);
  else if (!response.ok) showNote(errorText(await response.text()));
}
