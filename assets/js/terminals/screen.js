// The screen of a terminal: xterm.js, within the content security policy, and without all that a
// program could make it say or do.

import { useWidths } from './widths.js';

const MAX_FONT_SIZE = 15; // px
const MIN_FONT_SIZE = 5;
const URL_PATTERN = /https?:\/\/[^\s"'<>`]+[^\s"'<>`.,;:!?)\]}]/g;
const THEME = { background: '#10181c', foreground: '#dfe7e9', cursor: '#7fd1c7' };

/** A stand-in for a style element, which the content security policy forbids. */
function styleElement() {
  const element = document.createElement('i');
  const sheet = new CSSStyleSheet();
  element.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', { set: (rules) => sheet.replaceSync(rules) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

/** Colours of single runs are set as attributes, which the policy forbids, too. */
function setAttribute(name, value) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** Has what xterm.js makes keep to the policy. It takes the page's own document for it. */
function keepToPolicy() {
  if (Object.hasOwn(document, 'createElement')) return;
  const { createElement } = Document.prototype;
  document.createElement = (tag, options) => {
    if (tag === 'style') return styleElement();
    const element = createElement.call(document, tag, options);
    if (tag === 'span') element.setAttribute = setAttribute;
    return element;
  };
}

/** Only the sharer's terminal answers what a program asks: those of all who watch would, too. */
function silence(terminal) {
  const { parser } = terminal;
  const handled = () => true;
  for (const id of [
    { final: 'c' }, { prefix: '>', final: 'c' }, { prefix: '=', final: 'c' },
    { final: 'n' }, { prefix: '?', final: 'n' }, { final: 't' },
    { intermediates: '$', final: 'p' }, { prefix: '?', intermediates: '$', final: 'p' },
    { prefix: '>', final: 'q' },
  ]) parser.registerCsiHandler(id, handled);
  parser.registerDcsHandler({ intermediates: '$', final: 'q' }, handled);
  for (const number of [4, 10, 11, 12]) {
    parser.registerOscHandler(number, (data) => data.includes('?'));
  }
  parser.registerOscHandler(52, handled); // nobody's clipboard is a program's
}

function openLink(uri) {
  if (/^https?:\/\//.test(uri) && confirm(uri)) open(uri, '_blank', 'noopener,noreferrer');
}

/** Addresses in the text of a line. */
const linkProvider = (terminal) => ({
  provideLinks(row, callback) {
    const text = terminal.buffer.active.getLine(row - 1)?.translateToString(true) ?? '';
    const links = [...text.matchAll(URL_PATTERN)].map((match) => ({
      text: match[0],
      range: {
        start: { x: match.index + 1, y: row },
        end: { x: match.index + match[0].length, y: row },
      },
      activate: (_, uri) => openLink(uri),
    }));
    callback(links.length > 0 ? links : undefined);
  },
});

async function loadStyle(address) {
  if (document.querySelector(`link[href="${address}"]`)) return;
  const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: address });
  await new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

/** A terminal in an element that names its script and style sheet; it fits the element's width. */
export async function createScreen(host, options = {}) {
  const { script, style, label } = host.dataset;
  keepToPolicy();
  const [{ Terminal }] = await Promise.all([import(script), loadStyle(style)]);
  const place = host.querySelector('.terminal-screen');
  const mono = getComputedStyle(document.documentElement).getPropertyValue('--mono').trim();
  const terminal = new Terminal({
    fontFamily: mono || 'ui-monospace, monospace',
    fontSize: MAX_FONT_SIZE,
    scrollback: 5000,
    theme: THEME,
    allowProposedApi: true,
    minimumContrastRatio: 4.5,
    linkHandler: { activate: (_, uri) => openLink(uri), allowNonHttpProtocols: false },
    ...options,
  });
  useWidths(terminal);
  silence(terminal);
  terminal.registerLinkProvider(linkProvider(terminal));
  terminal.open(place);
  terminal.textarea.setAttribute('aria-label', label);

  // The size is the sharer's: the letters fit the page instead.
  const fit = () => {
    const screen = place.querySelector('.xterm-screen');
    const available = place.clientWidth;
    if (!screen || screen.offsetWidth === 0 || available === 0) return;
    const fitting = terminal.options.fontSize * available / (screen.offsetWidth + 16);
    const size = Math.min(MAX_FONT_SIZE, Math.max(MIN_FONT_SIZE, Math.floor(fitting * 4) / 4));
    if (Math.abs(size - terminal.options.fontSize) >= 0.25) terminal.options.fontSize = size;
  };
  const observer = new ResizeObserver(fit);
  observer.observe(place);
  return {
    terminal,
    resize(cols, rows) {
      terminal.resize(cols, rows);
      terminal.options.fontSize = MAX_FONT_SIZE;
      requestAnimationFrame(fit);
    },
    dispose() {
      observer.disconnect();
      terminal.dispose();
    },
  };
}
