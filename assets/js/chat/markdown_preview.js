// A message as it will look, before the server has answered. The server renders Markdown with
// another program; this follows its rules closely enough that nothing moves when the message comes.
// Loaded when something is written first.

import { Marked, Renderer } from '../../vendor/marked.esm.js';
import { emojiGroups } from './emoji.js';
import { finishPreview, itemNumber, separateLines } from './markdown_rules.js';
import { linkRooms } from './room_names.js';

const ATTRIBUTES = {
  A: ['href'], LI: ['value'], OL: ['start'], SPAN: ['class'], TD: ['align'], TH: ['align'],
};
const TAGS = new Set([
  'A', 'BLOCKQUOTE', 'BR', 'CODE', 'DEL', 'EM', 'H3', 'H4', 'H5', 'H6', 'HR', 'LI', 'OL', 'P',
  'PRE', 'SPAN', 'STRONG', 'TABLE', 'TBODY', 'TD', 'TH', 'THEAD', 'TR', 'UL',
]);
const EMOJI_BASE = String.raw`\p{Regional_Indicator}{2}|[\d#*]\uFE0F?\u20E3|`
  + String.raw`\p{Emoji_Presentation}|\p{Emoji}\uFE0F`;
const EMOJI_SUFFIX = String.raw`\p{Emoji_Modifier}|\uFE0F|\u200D\p{Emoji}|[\u{E0020}-\u{E007F}]`;
/** At most six emoji, which is the server's limit, and nothing else. */
const ONLY_EMOJI = new RegExp(`^(?:\\s*(?:${EMOJI_BASE})(?:${EMOJI_SUFFIX})*){1,6}\\s*$`, 'u');

const escapeHtml = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
const lines = (text) => escapeHtml(text.trimEnd()).replaceAll('\n', '<br>');

let outline = []; // the depths of the headings that the next one is under: no level is skipped

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    // What is raw HTML is shown as it was written.
    html: ({ text, block }) => (block ? `<p>${lines(text)}</p>` : escapeHtml(text)),
    image({ href, text }) {
      return `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`;
    },
    heading({ tokens, depth }) {
      while (outline.at(-1) >= depth) outline.pop();
      outline.push(depth);
      const level = Math.min(outline.length + 2, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
    },
    listitem(item) {
      const [html, number] = [Renderer.prototype.listitem.call(this, item), itemNumber(item)];
      return number ? html.replace('<li>', `<li value="${number}">`) : html;
    },
    code: ({ text }) => `<pre><code>${escapeHtml(text)}\n</code></pre>`,
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

marked.use({
  extensions: [{
    name: 'spoiler',
    level: 'inline',
    start: (source) => source.indexOf('||'),
    tokenizer(source) {
      const [raw, text] = /^\|\|(?=[^\s|])([^]*?[^\s|])\|\|(?!\|)/.exec(source) ?? [];
      return raw && { type: 'spoiler', raw, tokens: this.lexer.inlineTokens(text) };
    },
    renderer({ tokens }) {
      return `<span class="spoiler">${this.parser.parseInline(tokens)}</span>`;
    },
  }],
});

/** Drops every tag and attribute that messages do not have. */
function sanitize(root) {
  for (const element of root.querySelectorAll('*')) {
    const allowed = ATTRIBUTES[element.tagName] ?? [];
    for (const { name } of [...element.attributes]) {
      if (!allowed.includes(name)) element.removeAttribute(name);
    }
    const isLink = element.tagName === 'A';
    const isAllowed = isLink ? /^(https?:\/\/|mailto:)/i.test(element.getAttribute('href') ?? '')
      : TAGS.has(element.tagName);
    if (!isAllowed) element.replaceWith(...element.childNodes);
  }
}

let names = null; // emoji by name, once they are loaded

/** Loads the names of emoji, so that `:name:` can be shown as one. */
export async function loadEmojiNames() {
  if (names) return;
  const all = (await emojiGroups()).flat();
  names = new Map(all.flatMap((emoji) => emoji.names.map((name) => [name, emoji.char])));
}

const withEmoji = (source) => (names ? source.replace(
  /(?<![\p{L}\p{N}:/`]):([\w+-]+):(?![\p{L}\p{N}])/gu,
  (whole, name) => names.get(name) ?? whole,
) : source);

/** Shows a message's Markdown in an element. */
export function showPreview(element, source) {
  const text = source.includes('`') ? source : withEmoji(source);
  outline = [];
  const page = new DOMParser().parseFromString(marked.parse(separateLines(text)), 'text/html');
  sanitize(page.body);
  linkRooms(page.body);
  finishPreview(page.body, source);
  element.replaceChildren(...page.body.childNodes);
  element.classList.remove('plain');
  element.classList.toggle('emoji-only', ONLY_EMOJI.test(text.replaceAll('\n', ' ')));
}
