// Files for the sharer's folder: dropped on the screen, or chosen in the form below it. They are
// sent without leaving the page, where the screen goes on.

import { request } from '../live.js';
import { errorText, showNote } from '../note.js';
import { showWaiting } from '../waiting.js';
import { words } from '../app.js';

async function send(form) {
  const sending = request(form.action, { method: 'POST', body: new FormData(form) });
  const response = await showWaiting(sending).catch(() => null);
  if (!response) showNote(words.notReached);
  else if (!response.ok) showNote(errorText(await response.text()));
  else form.reset();
}

/** Has a form take what is dropped on an element, as long as that is allowed. */
export function takeDrops(element, form, isAllowed) {
  if (!form) return;
  const input = form.querySelector('input[type="file"]');
  const holdsFiles = (event) => event.dataTransfer?.types.includes('Files') && isAllowed();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(form);
  });
  element.addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    element.dataset.drop = '';
  });
  element.addEventListener('dragleave', () => delete element.dataset.drop);
  element.addEventListener('drop', (event) => {
    delete element.dataset.drop;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}
