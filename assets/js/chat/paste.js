// Pasting into a field for messages: text wins over a picture of the same, a table of a sheet
// becomes a Markdown table, rich text becomes Markdown, and an address makes the selection a link.

import { linkSelection, replaceText } from './formatting.js';

const MAX_CONVERTED = 1 << 20; // characters of HTML; a larger paste stays plain text
const MAX_INSERTED = 60000; // characters; more than a field is pleasant with

/** Whether the caret is in a code block, where text stays as it is. */
function isInFence({ value, selectionStart }) {
  const fences = value.slice(0, selectionStart).match(/^\s*```/gm);
  return (fences?.length ?? 0) % 2 === 1;
}

/** What is to be inserted: the text itself, or Markdown made of the HTML beside it. */
async function markdownOf(text, html) {
  if (html.length > MAX_CONVERTED) return text;
  const convert = await import('./html_to_markdown.js');
  if (!html) return convert.tabsToMarkdown(text) || text;
  const isSheet = text.includes('\t');
  const sheet = convert.sheetToMarkdown(html) || (isSheet && convert.tabsToMarkdown(text));
  if (sheet) return sheet;
  return convert.isRich(html) ? convert.htmlToMarkdown(html) || text : text;
}

/** A text that is inserted at the caret, or in place of the selection. */
function insert(area, text) {
  const { selectionStart, selectionEnd } = area;
  const end = selectionStart + text.length;
  replaceText(area, selectionStart, selectionEnd, text, end);
  return { start: selectionStart, end, text };
}

/**
 * Handles what is pasted into a field. `addFiles` gets pasted files, and texts that are too long
 * for a field; `afterInsert` gets the place and the text of what was inserted.
 */
export function startPaste(area, { addFiles, afterInsert = () => {} }) {
  area.addEventListener('paste', async (event) => {
    const data = event.clipboardData;
    const take = () => {
      event.preventDefault();
      event.stopPropagation();
    };
    const [text, html] = [data.getData('text/plain'), data.getData('text/html')];
    const files = [...data.files];
    if (!text && files.length) {
      take();
      addFiles(files);
      return;
    }
    if (!text && !html) return;
    if (text.length > MAX_INSERTED && addFiles(null, text)) {
      take();
      return;
    }
    const isConverted = (html || text.includes('\t')) && !isInFence(area);
    if (!isConverted) {
      if (linkSelection(area, text.trim())) take();
      else if (text) {
        take();
        afterInsert(insert(area, text.replace(/\r\n?/g, '\n')));
      }
      return;
    }
    take();
    const markdown = await markdownOf(text, html);
    if (linkSelection(area, markdown.trim())) return;
    afterInsert(insert(area, markdown.replace(/\r\n?/g, '\n')));
  });
}
