// What every field for messages can do, the composer's and that of a message being edited:
// formatting by keys, completion, and pasting.

import { startCompletion } from './completion.js';
import './emoji.js';
import './commands.js';
import './mentions.js';
import { isBreakKey, isComposing } from './enter_key.js';
import { formatByKey, replaceText } from './formatting.js';
import { startPaste } from './paste.js';

export { format, replaceText } from './formatting.js';

/**
 * Starts a field. The list of completions is put into `holder`; `paste` says what becomes of
 * pasted files and texts (see `startPaste`).
 */
export function startWriting(area, holder, paste) {
  startCompletion(area, holder);
  area.addEventListener('keydown', (event) => {
    if (isComposing(event)) return;
    if (isBreakKey(event)) {
      event.preventDefault();
      const { selectionStart: start, selectionEnd: end } = area;
      replaceText(area, start, end, '\n', start + 1);
    } else formatByKey(area, event);
  });
  startPaste(area, paste);
}
