// Loads writing.js with the first key, press or paste in the composer: a page is read more often
// than it is written on. What came before it was loaded is done afterwards.

import { isBreakKey } from './enter_key.js';

const FORMAT_KEYS = 'biek'; // with Ctrl or ⌘: see formatting.js

/** Whether a key does something in writing.js that the browser would not do by itself. */
function isForWriting(event, area) {
  if (isBreakKey(event)) return true;
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace(/^Key/, '');
  const hasSelection = area.selectionStart !== area.selectionEnd;
  return isCommand && letter.length === 1 && FORMAT_KEYS.includes(letter.toLowerCase())
    && (hasSelection || letter.toLowerCase() !== 'k');
}

/** A copy of what is pasted: a clipboard is only open while its event is handled. */
function copyOf({ clipboardData }) {
  const data = new DataTransfer();
  for (const type of ['text/plain', 'text/html']) {
    const text = clipboardData.getData(type);
    if (text) data.setData(type, text);
  }
  for (const file of clipboardData.files) data.items.add(file);
  return new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
}

/**
 * Calls `load` with the first key, press or paste in a field or its form. `load` returns a promise;
 * a key or paste that needs what it loads is repeated then.
 */
export function onFirstUse(area, form, load) {
  const listeners = new AbortController();
  const { signal } = listeners;
  const start = async (event, repeated) => {
    if (repeated) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    await load();
    listeners.abort();
    if (repeated) area.dispatchEvent(repeated);
  };
  area.addEventListener('keydown', (event) => {
    start(event, isForWriting(event, area) ? new KeyboardEvent('keydown', event) : null);
  }, { signal, capture: true });
  area.addEventListener('paste', (event) => {
    // Files alone are for attach.js.
    const hasText = event.clipboardData.types.some((type) => type.startsWith('text/'));
    start(event, hasText ? copyOf(event) : null);
  }, { signal, capture: true });
  form.addEventListener('pointerdown', (event) => start(event, null), { signal, passive: true });
}
