// Formatting of the text in a field. Each command acts on the whole selection, takes back what is
// already there, and is undone by Ctrl+Z.

const LINE_PREFIX = /^(?:\s*(?:>|[-*+]|\d{1,9}[.)])\s+)*/; // what a line has before its text
const KEYS = { b: 'bold', i: 'italic', e: 'code', k: 'link' }; // with Ctrl or ⌘
const FENCE = /^\s*(`{3,})[^`]*$/;

/**
 * Replaces a part of a field's text and selects another part of it, as typing would: the change
 * can be undone and fires `input`.
 */
export function replaceText(area, start, end, text, selectStart, selectEnd = selectStart) {
  area.focus();
  area.setSelectionRange(start, end);
  const isDone = text
    ? document.execCommand('insertText', false, text)
    : start === end || document.execCommand('delete');
  if (!isDone) {
    area.setRangeText(text, start, end, 'end');
    area.dispatchEvent(new Event('input', { bubbles: true }));
  }
  area.setSelectionRange(selectStart, selectEnd);
}

/** The selection without the white space at its ends. */
function selection({ value, selectionStart: start, selectionEnd: end }) {
  const text = value.slice(start, end);
  const trimmed = text.trim();
  if (!trimmed) return { start, end };
  const before = text.indexOf(trimmed);
  return { start: start + before, end: start + before + trimmed.length };
}

/** The selection, widened to whole lines. */
function selectedLines({ value, selectionStart, selectionEnd }) {
  const start = value.lastIndexOf('\n', selectionStart - 1) + 1;
  // A selection that ends where a line begins does not hold that line.
  const last = selectionEnd > selectionStart && value[selectionEnd - 1] === '\n'
    ? selectionEnd - 1 : selectionEnd;
  const end = value.indexOf('\n', last);
  return { start, end: end < 0 ? value.length : end };
}

// Marks around text ---------------------------------------------------------------------------

/** How many of `mark` are at the end of a text, or at its start. */
const lengthOf = (text, pattern) => new RegExp(pattern).exec(text)?.[0].length ?? 0;
const countAtEnd = (text, mark) => lengthOf(text, `\\${mark}+$`);
const countAtStart = (text, mark) => lengthOf(text, `^\\${mark}+`);

/** Whether a run of so many asterisks makes text bold (2), italic (1) or both (3). */
const hasEmphasis = (count, wanted) => (wanted === 2 ? count >= 2 : count % 2 === 1);

/** Whether marks of this length stand directly inside or outside of a part of the text. */
function placeOfMarks(value, start, end, mark, length) {
  const isMarked = (count) => (mark === '*' ? hasEmphasis(count, length) : count === length);
  const text = value.slice(start, end);
  const inside = Math.min(countAtStart(text, mark), countAtEnd(text, mark));
  if (text.length > 2 * length && isMarked(inside)) return 'inside';
  const outside = Math.min(
    countAtEnd(value.slice(0, start), mark), countAtStart(value.slice(end), mark),
  );
  return isMarked(outside) ? 'outside' : '';
}

/** The text parts of the selected lines, after the prefixes of lists and quotes. */
function partsOfLines(value, start, end) {
  const parts = [];
  let from = start;
  for (const line of value.slice(start, end).split('\n')) {
    const isWhole = from === 0 || value[from - 1] === '\n';
    const prefix = isWhole ? LINE_PREFIX.exec(line)[0].length : 0;
    const text = line.slice(prefix);
    const trimmed = text.trim();
    if (trimmed) {
      const at = from + prefix + text.indexOf(trimmed);
      parts.push({ start: at, end: at + trimmed.length });
    }
    from += line.length + 1;
  }
  return parts;
}

/** Text without the pairs of marks in it: around all of it they would end the outer ones. */
function withoutMarks(text, marks) {
  const pattern = { '**': /\*\*/g, '*': /(?<!\*)\*(?!\*)/g }[marks];
  return pattern && text.match(pattern)?.length % 2 === 0 ? text.replace(pattern, '') : text;
}

/** Puts marks around the selected text, line by line, or takes them away where all have them. */
function toggleMarks(area, mark, length) {
  const { value } = area;
  const { start, end } = selection(area);
  const marks = mark.repeat(length);
  const parts = start === end ? [] : partsOfLines(value, start, end);
  if (!parts.length) {
    const isEmptyPair = placeOfMarks(value, start, start, mark, length) === 'outside';
    if (isEmptyPair) replaceText(area, start - length, start + length, '', start - length);
    else replaceText(area, start, end, marks + marks, start + length);
    return;
  }
  const places = parts.map((part) => placeOfMarks(value, part.start, part.end, mark, length));
  const isMarked = places.every(Boolean);
  const first = parts[0].start - (isMarked && places[0] === 'outside' ? length : 0);
  const last = parts.at(-1).end + (isMarked && places.at(-1) === 'outside' ? length : 0);
  let text = '', from = first;
  parts.forEach((part, index) => {
    const outside = isMarked && places[index] === 'outside' ? length : 0;
    const inside = isMarked && places[index] === 'inside' ? length : 0;
    const inner = withoutMarks(value.slice(part.start + inside, part.end - inside), marks);
    text += value.slice(from, part.start - outside) + (isMarked ? inner : marks + inner + marks);
    from = part.end + outside;
  });
  // What was selected stays selected, without the marks.
  const around = isMarked || parts.length > 1 ? 0 : length;
  replaceText(area, first, last, text, first + around, first + text.length - around);
}

/** The longest run of backticks in a text. */
const longestTicks = (text) => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

function toggleCode(area) {
  const { value } = area;
  const { start, end } = selection(area);
  const text = value.slice(start, end);
  if (text.includes('\n')) toggleFence(area);
  else if (text.includes('`') && !placeOfMarks(value, start, end, '`', 1)) {
    const ticks = '`'.repeat(longestTicks(text) + 1);
    const before = `${ticks} `;
    const selected = start + before.length;
    replaceText(area, start, end, `${before}${text} ${ticks}`, selected, selected + text.length);
  } else toggleMarks(area, '`', 1);
}

/** Makes the selected lines a code block, or a code block its lines. */
function toggleFence(area) {
  const { value } = area;
  const { start, end } = selectedLines(area);
  const lines = value.slice(start, end).split('\n');
  const before = value.slice(0, start).split('\n').at(-2) ?? '';
  const after = value.slice(end + 1).split('\n')[0];
  if (lines.length > 1 && FENCE.test(lines[0]) && FENCE.test(lines.at(-1))) {
    const text = lines.slice(1, -1).join('\n');
    replaceText(area, start, end, text, start, start + text.length);
  } else if (FENCE.test(before) && FENCE.test(after)) {
    const from = start - before.length - 1, to = end + after.length + 1;
    const text = lines.join('\n');
    replaceText(area, from, to, text, from, from + text.length);
  } else {
    const text = lines.join('\n');
    const fence = '`'.repeat(Math.max(3, longestTicks(text) + 1));
    const from = start + fence.length + 1;
    replaceText(area, start, end, `${fence}\n${text}\n${fence}`, from, from + text.length);
  }
}

// Lines ---------------------------------------------------------------------------------------

/** Puts a prefix before each selected line, or takes it away where all have it. */
function toggleLines(area, prefix, pattern, isForBlankLines) {
  const { start, end } = selectedLines(area);
  const lines = area.value.slice(start, end).split('\n');
  const isText = (line) => line.trim() || isForBlankLines || lines.length === 1;
  const isMarked = lines.every((line) => !isText(line) || pattern.test(line));
  const changed = lines.map((line) => {
    if (isMarked) return line.replace(pattern, '');
    return isText(line) && !pattern.test(line) ? prefix + line : line;
  });
  const text = changed.join('\n');
  const hasSelection = area.selectionStart !== area.selectionEnd;
  const after = start + text.length;
  replaceText(area, start, end, text, hasSelection ? start : after, after);
}

// Links ---------------------------------------------------------------------------------------

const isAddress = (text) => /^(https?:\/\/|mailto:)\S+$/i.test(text);

function toggleLink(area) {
  const { start, end } = selection(area);
  const text = area.value.slice(start, end);
  const link = /^\[([^\]]*)\]\([^)]*\)$/.exec(text);
  if (link) {
    replaceText(area, start, end, link[1], start, start + link[1].length);
  } else if (isAddress(text)) {
    replaceText(area, start, end, `[](${text})`, start + 1);
  } else {
    const address = 'https://';
    const from = start + text.length + 3; // after the brackets and "("
    const selected = text ? [from, from + address.length] : [start + 1];
    replaceText(area, start, end, `[${text.replaceAll('\n', ' ')}](${address})`, ...selected);
  }
}

/** Makes the selection a link to an address. Whether there was a selection that can be one. */
export function linkSelection(area, address) {
  const { start, end } = selection(area);
  const text = area.value.slice(start, end);
  if (!text || !isAddress(address) || isAddress(text) || /[\n[\]]/.test(text)) return false;
  const link = `[${text}](${address})`;
  replaceText(area, start, end, link, start + link.length);
  return true;
}

const commands = {
  bold: (area) => toggleMarks(area, '*', 2),
  italic: (area) => toggleMarks(area, '*', 1),
  code: toggleCode,
  list: (area) => toggleLines(area, '- ', /^\s*[-*+] /, false),
  quote: (area) => toggleLines(area, '> ', /^> ?/, true),
  link: toggleLink,
};

/** Runs a command of a formatting button: a value of `data-format`. */
export const format = (area, command) => commands[command](area);

/** Runs the command of a key. Whether it is one. */
export function formatByKey(area, event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return false;
  // On a keyboard without Latin letters the key's place counts.
  const letter = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace(/^Key/, '');
  const command = KEYS[letter.toLowerCase()];
  // Ctrl+K goes anywhere unless there is something to make a link of.
  if (!command || (command === 'link' && area.selectionStart === area.selectionEnd)) return false;
  event.preventDefault();
  event.stopPropagation();
  commands[command](area);
  return true;
}
