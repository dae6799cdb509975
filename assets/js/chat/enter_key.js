// What Enter does in a field for messages: it sends, or breaks the line where there is no keyboard
// with a Shift key. Either can be chosen, for this browser.

const STORAGE_KEY = 'enter-breaks';
const COMPOSITION_MARGIN = 50; // ms between an input method's end and the key that ended it

/** Whether Enter breaks the line, and Ctrl+Enter sends. */
export function enterBreaks() {
  const chosen = localStorage.getItem(STORAGE_KEY);
  return chosen === null ? matchMedia('(pointer: coarse)').matches : chosen === 'yes';
}

/** Whether a key belongs to an input method that is composing text, or ends its composition. */
export function isComposing(event) {
  // 229 is the code of a key that an input method has taken. In Safari the composition ends before
  // the key that ends it is told of.
  return event.isComposing || event.keyCode === 229
    || event.timeStamp - composedAt < COMPOSITION_MARGIN;
}

let composedAt = -Infinity;
document.addEventListener('compositionend', (event) => { composedAt = event.timeStamp; }, true);

/** Whether a key sends the message. */
export function isSendKey(event) {
  if (event.key !== 'Enter' || event.shiftKey || event.altKey || isComposing(event)) return false;
  return (event.ctrlKey || event.metaKey) === enterBreaks();
}

/** Whether a key breaks the line where the browser would not do so by itself. */
export function isBreakKey(event) {
  return event.key === 'Enter' && !enterBreaks() && !isComposing(event)
    && (event.ctrlKey || event.metaKey);
}

function showChoice() {
  const isBreak = enterBreaks();
  document.querySelectorAll('[data-enter]').forEach((part) => {
    part.hidden = part.dataset.enter !== (isBreak ? 'breaks' : 'sends');
  });
  document.querySelectorAll('.enter-choice').forEach((choice) => {
    choice.hidden = false;
    choice.querySelector('input').checked = isBreak;
  });
}

document.addEventListener('change', (event) => {
  if (!event.target.matches('.enter-choice input')) return;
  localStorage.setItem(STORAGE_KEY, event.target.checked ? 'yes' : 'no');
  showChoice();
});
document.addEventListener('htmx:after:swap', showChoice);
showChoice();
