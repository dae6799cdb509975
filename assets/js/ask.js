// Asks in a dialog before what cannot be undone, in place of the page that the server answers to a
// form with a field `ask`. Its words are those of that page.

import { showWaiting } from './waiting.js';

/** Sends a form as its button would, with the question that the button names. */
function send(form, action, submitter) {
  if (submitter?.name) {
    const field = document.createElement('input');
    Object.assign(field, { type: 'hidden', name: submitter.name, value: submitter.value });
    form.append(field);
  }
  form.action = action;
  form.submit();
}

/**
 * Shows the question of a form, or of the button that sends it. Where it cannot be fetched, the form
 * is sent as it is.
 */
export async function ask(form, submitter) {
  const action = submitter?.hasAttribute('formaction') ? submitter.formAction : form.action;
  const body = new URLSearchParams(new FormData(form, submitter));
  const answer = fetch(action, { method: 'POST', body });
  const html = await showWaiting(answer).then((response) => response.text(), () => '');
  const page = new DOMParser().parseFromString(html, 'text/html');
  const question = page.getElementById('question');
  if (!question) return send(form, action, submitter);
  const dialog = document.createElement('dialog');
  dialog.className = 'confirm';
  const title = document.createElement('h2');
  title.id = 'question-title';
  title.textContent = question.querySelector('h1').textContent;
  const text = question.querySelector('p');
  text.id = 'question-text';
  text.className = 'soft';
  dialog.setAttribute('aria-labelledby', title.id);
  dialog.setAttribute('aria-describedby', text.id);
  const yes = question.querySelector('form');
  dialog.append(title, text, yes);
  dialog.addEventListener('click', (event) => {
    if (!event.target.closest('[data-close]')) return;
    event.preventDefault(); // on the page it is a link
    dialog.close();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    form.querySelector('button')?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector('[data-close]').focus();
}
