// Turns rich text from the clipboard into Markdown. Loaded when something rich is pasted first.

const INLINE_MARKS = { B: '**', STRONG: '**', I: '*', EM: '*', S: '~~', DEL: '~~', STRIKE: '~~' };
const BLOCKS = new Set([
  'ADDRESS', 'ARTICLE', 'ASIDE', 'BLOCKQUOTE', 'DD', 'DIV', 'DL', 'DT', 'FIGURE', 'FOOTER', 'H1',
  'H2', 'H3', 'H4', 'H5', 'H6', 'HEADER', 'HR', 'LI', 'MAIN', 'OL', 'P', 'PRE', 'SECTION',
  'TABLE', 'UL',
]);
const IGNORED = new Set([
  'SCRIPT', 'STYLE', 'META', 'LINK', 'TITLE', 'HEAD', 'TEMPLATE', 'NOSCRIPT',
]);
const RICH = 'a[href], b, strong, i, em, s, del, strike, code, pre, h1, h2, h3, h4, h5, h6, '
  + 'ul, ol, blockquote, table, [data-style*="font-weight"], [data-style*="font-style"]';

/**
 * The document of a clipboard's HTML. Nothing in it is loaded or run. Styles in attributes are
 * renamed: the page's policy refuses them, also in a document like this.
 */
function parse(html) {
  const renamed = html.replace(/<[^>]*>/g, (tag) => tag.replace(/\sstyle=/gi, ' data-style='));
  return new DOMParser().parseFromString(renamed, 'text/html');
}

/** Whether clipboard HTML has more than its plain text says. */
export const isRich = (html) => Boolean(parse(html).querySelector(RICH));

/** The Markdown of clipboard HTML; empty where there is nothing to read. */
export function htmlToMarkdown(html) {
  return blocksOf(parse(html).body).join('\n\n').replace(/\n{3,}/g, '\n\n').trim();
}

/** The Markdown table of a pasted sheet's HTML, or nothing if it holds anything else. */
export function sheetToMarkdown(html) {
  const { body } = parse(html);
  const table = body.querySelector('table');
  if (!table || body.textContent.trim() !== table.textContent.trim()) return '';
  return tableOf(table);
}

/** The Markdown table of lines with tabs; nothing where they are not the rows of a table. */
export function tabsToMarkdown(text) {
  const rows = text.replace(/\s+$/, '').split(/\r?\n/).map((line) => line.split('\t'));
  const isTable = rows.length > 1 && rows[0].length > 1
    && rows.every((row) => row.length === rows[0].length) && rows.every((row) => row[0]);
  return isTable ? markdownTable(rows.map((row) => row.map((cell) => cellText(escape(cell))))) : '';
}

// Text ----------------------------------------------------------------------------------------

/** Text whose marks stay what they are. */
const escape = (text) => text.replace(/[\\`*]|~~|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&');
const escapeLineStart = (text) => text.replace(/^(#{1,6}\s|>|[-+]\s|\d+[.)]\s)/, (mark) => (
  /^\d/.test(mark) ? mark.replace(/[.)]/, '\\$&') : `\\${mark}`
));

/** Marks around text; white space at its ends stays outside. */
function marked(text, mark) {
  const [, before, inner, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text);
  return inner ? before + mark + inner + mark + after : text;
}

/** Google Docs wraps everything in a <b> that is not bold, and says what is in a style. */
function marksOf(element) {
  const { tagName } = element;
  const style = element.dataset.style ?? '';
  const valueOf = (name) => {
    const [, value] = new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;]+)`).exec(style) ?? [];
    return value?.trim();
  };
  const fontWeight = valueOf('font-weight'), fontStyle = valueOf('font-style');
  const isBold = fontWeight ? fontWeight === 'bold' || Number(fontWeight) >= 600
    : INLINE_MARKS[tagName] === '**';
  const isItalic = fontStyle ? fontStyle === 'italic' : INLINE_MARKS[tagName] === '*';
  const isStruck = INLINE_MARKS[tagName] === '~~'
    || /text-decoration[^;]*line-through/.test(style);
  return [isItalic && '*', isBold && '**', isStruck && '~~'].filter(Boolean);
}

function linkOf(element, text) {
  const address = element.getAttribute('href');
  if (!/^(https?:|mailto:)/i.test(address) || !text.trim()) return text;
  if (text.trim() === address) return text.replace(/\\([\\`*_~])/g, '$1');
  const label = text.trim().replace(/[[\]]/g, '\\$&');
  return `[${label}](${address.replace(/[()\s]/g, encodeURIComponent)})`;
}

function codeOf(text) {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const ticks = '`'.repeat(longest + 1);
  const space = longest ? ' ' : '';
  return text.trim() ? ticks + space + text + space + ticks : text;
}

/** The Markdown of a node within a line. */
function inlineOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return escape(node.data.replace(/[\s\u00a0]+/g, ' '));
  if (node.nodeType !== Node.ELEMENT_NODE || IGNORED.has(node.tagName)) return '';
  const { tagName } = node;
  if (tagName === 'BR') return '\n';
  if (tagName === 'IMG') return escape(node.alt);
  if (['CODE', 'KBD', 'SAMP', 'TT'].includes(tagName)) return codeOf(node.textContent);
  const text = [...node.childNodes].map(inlineOf).join('');
  if (tagName === 'A') return linkOf(node, text);
  return marksOf(node).reduce(marked, text);
}

// Blocks --------------------------------------------------------------------------------------

const isBlock = (node) => node.nodeType === Node.ELEMENT_NODE
  && (BLOCKS.has(node.tagName) || [...node.children].some(isBlock));

/** The blocks in an element: Markdown texts of one or more lines. */
function blocksOf(element) {
  const blocks = [];
  let line = '';
  const endLine = () => {
    const lines = line.split('\n').map((part) => escapeLineStart(part.trim()));
    const text = lines.join('\n').trim();
    if (text) blocks.push(text);
    line = '';
  };
  for (const node of element.childNodes) {
    if (node.nodeType === Node.ELEMENT_NODE && IGNORED.has(node.tagName)) continue;
    if (isBlock(node)) {
      endLine();
      blocks.push(...blockOf(node));
    } else line += inlineOf(node);
  }
  endLine();
  return blocks;
}

const indent = (text, prefix) => text.replaceAll('\n', `\n${' '.repeat(prefix.length)}`);

function blockOf(element) {
  const { tagName } = element;
  if (/^H[1-6]$/.test(tagName)) {
    const text = blocksOf(element).join(' ').replaceAll('\n', ' ').replaceAll('**', '');
    return text ? [`${'#'.repeat(Number(tagName[1]))} ${text}`] : [];
  }
  if (tagName === 'PRE') return [fenceOf(element)];
  if (tagName === 'BLOCKQUOTE') {
    const lines = blocksOf(element).join('\n\n').split('\n');
    return [lines.map((line) => `> ${line}`.trim()).join('\n')];
  }
  if (tagName === 'UL' || tagName === 'OL') return [listOf(element)].filter(Boolean);
  if (tagName === 'TABLE') return [tableOf(element)].filter(Boolean);
  if (tagName === 'HR') return ['---'];
  return blocksOf(element);
}

function fenceOf(element) {
  const text = element.innerText ?? element.textContent;
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text.replace(/\n+$/, '')}\n${fence}`;
}

function listOf(list) {
  let number = list.start || 1;
  const items = [];
  for (const child of list.children) {
    // Word and Google Docs put an inner list beside the item it belongs to.
    if (child.matches('ul, ol') && items.length) {
      items[items.length - 1] += `\n  ${indent(listOf(child), '  ')}`;
    } else if (child.tagName === 'LI') {
      const prefix = list.tagName === 'OL' ? `${number++}. ` : '- ';
      items.push(prefix + indent(blocksOf(child).join('\n'), prefix));
    }
  }
  return items.join('\n');
}

// Tables --------------------------------------------------------------------------------------

const cellText = (text) => text.trim().replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');

function tableOf(table) {
  const rows = [...table.rows].map((row) => [...row.cells].flatMap((cell) => [
    cellText(blocksOf(cell).join(' ')), ...Array(Math.min(cell.colSpan, 50) - 1).fill(''),
  ]));
  const filled = rows.filter((row) => row.some(Boolean));
  if (!filled.length) return '';
  // A single cell is a text, not a table.
  if (filled.length === 1 && filled[0].length === 1) return filled[0][0];
  return markdownTable(filled);
}

function markdownTable(rows) {
  const columns = Math.max(...rows.map((row) => row.length));
  const lineOf = (row) => {
    const cells = Array.from({ length: columns }, (_, at) => row[at] ?? '');
    return `| ${cells.join(' | ')} |`;
  };
  const [head, ...body] = rows;
  return [lineOf(head), `|${' --- |'.repeat(columns)}`, ...body.map(lineOf)].join('\n');
}
