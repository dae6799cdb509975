// Where the server's Markdown is not CommonMark's, for the preview of a message: lines after quotes
// and lists, numbers of items, boxes around tables, and texts that would show nothing.

const FENCE = /^[\s>]*(?:[-*+]|\d+[.)])?\s*(```+|~~~+)/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
// Letters, signs, white space and marks that have no shape of their own.
const INVISIBLE = /^[\s\p{Default_Ignorable_Code_Point}\p{M}\p{Cc}\u2800]*$/u;

const quoteDepth = (line) => (/^[ >]*/.exec(line)[0].match(/>/g) ?? []).length;

/** Separates lines from a quote or list before them that they have no mark or indentation of. */
export function separateLines(source) {
  const out = [];
  let [depth, isInList, fence] = [0, false, null];
  for (const line of source.split('\n')) {
    const [, mark] = FENCE.exec(line) ?? [];
    if (mark && (!fence || mark.startsWith(fence))) fence = fence ? null : mark;
    const [lineDepth, text] = [quoteDepth(line), line.replace(/^ {0,3}(?:> ?)+/, '')];
    const isItem = ITEM.test(text);
    const endsList = isInList && text && !isItem && !/^\s/.test(text);
    if (!fence && line && (lineDepth < depth || endsList)) out.push('>'.repeat(lineDepth));
    out.push(line);
    isInList = isItem || (isInList && text !== '' && !endsList);
    depth = line ? lineDepth : 0;
  }
  return out.join('\n');
}

/** The written number of an item of an ordered list. */
export const itemNumber = (item) => /^\s*(\d{1,9})[.)]/.exec(item.raw)?.[1];

/** Puts each table into a box that scrolls by itself, and shows a text of nothing as written. */
export function finishPreview(body, source) {
  for (const table of body.querySelectorAll('table')) {
    const box = document.createElement('div');
    table.replaceWith(box);
    box.append(table);
  }
  if (!INVISIBLE.test(body.textContent)) return;
  const lines = source.split('\n').flatMap((line) => [document.createElement('br'), line]);
  const paragraph = document.createElement('p');
  paragraph.append(...lines.slice(1));
  body.replaceChildren(paragraph);
}
