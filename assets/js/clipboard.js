// Copying to the clipboard, also over plain http, where browsers have no `navigator.clipboard`.

import { announce, words } from './app.js';

const SHOWN_FOR = 2000; // ms that a control shows that its text was copied

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text); // there is no clipboard, or it may not be used
  }
}

/** Copies by selecting a hidden field. Old, but allowed everywhere in response to a click. */
function copySelection(text) {
  const field = document.createElement('textarea');
  const focused = document.activeElement;
  field.value = text;
  field.readOnly = true;
  field.className = 'sr';
  (focused?.closest('dialog[open]') ?? document.body).append(field);
  field.select();
  let isCopied = false;
  try { isCopied = document.execCommand('copy'); } catch { /* not allowed */ }
  field.remove();
  focused?.focus({ preventScroll: true });
  return isCopied;
}

/** Shows the text selected, for the reader to copy it. */
function showText(text) {
  const dialog = document.getElementById('copying');
  const field = dialog.querySelector('input');
  if (navigator.platform?.startsWith('Mac')) {
    const title = dialog.querySelector('h2');
    title.textContent = title.textContent.replace('Ctrl+', '⌘');
  }
  field.value = text;
  dialog.showModal();
  field.select();
}

/**
 * Copies what a control offers, and says so; where that fails, shows it to be copied by hand.
 * Resolves to whether it was copied.
 */
export async function copyText(text, control) {
  if (!await write(text)) {
    showText(text);
    return false;
  }
  announce(words.copied);
  const icon = control.querySelector('use');
  const href = icon?.getAttribute('href');
  if (!href || href.endsWith('#check')) return true;
  icon.setAttribute('href', href.replace(/#.*/, '#check'));
  setTimeout(() => icon.setAttribute('href', href), SHOWN_FOR);
  return true;
}
