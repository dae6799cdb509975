// The button of a password field that shows and hides what is typed. Without scripts there is none.

/** Shows the buttons of the fields that are on the page. */
export function showUnmaskButtons() {
  for (const button of document.querySelectorAll('[data-unmask][hidden]')) button.hidden = false;
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-unmask]');
  if (!button) return;
  const field = document.getElementById(button.dataset.unmask);
  const isShown = field.type === 'password';
  field.type = isShown ? 'text' : 'password';
  button.setAttribute('aria-pressed', isShown);
});

// A password that is shown would otherwise be offered again as plain text.
document.addEventListener('submit', (event) => {
  for (const button of event.target.querySelectorAll('[data-unmask][aria-pressed=true]')) {
    document.getElementById(button.dataset.unmask).type = 'password';
    button.setAttribute('aria-pressed', 'false');
  }
}, { capture: true });

showUnmaskButtons();
