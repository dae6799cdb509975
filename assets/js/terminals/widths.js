// How many cells a character takes, as the server's screen has it (Unicode 16): xterm.js by itself
// knows emoji as narrow.

const VERSION = 'tidepool';
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const EMOJI = /^\p{Emoji_Presentation}$/u;
const SOFT_HYPHEN = 0xad;
// First and last characters that take two cells (East Asian Width W and F), without emoji.
const WIDE = [
  [0x1100, 0x115f], [0x2329, 0x232a], [0x2e80, 0x303e], [0x3041, 0x4dbf], [0x4e00, 0xa4cf],
  [0xa960, 0xa97c], [0xac00, 0xd7a3], [0xf900, 0xfaff], [0xfe10, 0xfe19], [0xfe30, 0xfe6f],
  [0xff01, 0xff60], [0xffe0, 0xffe6], [0x16fe0, 0x18cff], [0x1aff0, 0x1b2ff], [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

function widthOf(codepoint) {
  if (codepoint < 0x20 || (codepoint >= 0x7f && codepoint < 0xa0)) return 0;
  if (codepoint < 0x300) return 1;
  const character = String.fromCodePoint(codepoint);
  if (codepoint !== SOFT_HYPHEN && NONE.test(character)) return 0;
  if (WIDE.some(([first, last]) => codepoint >= first && codepoint <= last)) return 2;
  const isFlagLetter = codepoint >= 0x1f1e6 && codepoint <= 0x1f1ff;
  return EMOJI.test(character) && !isFlagLetter ? 2 : 1;
}

const known = new Map();

function wcwidth(codepoint) {
  let width = known.get(codepoint);
  if (width === undefined) {
    width = widthOf(codepoint);
    known.set(codepoint, width);
  }
  return width;
}

/** What xterm.js keeps of a character: its width, and whether it joins the one before. */
function charProperties(codepoint, preceding) {
  let width = wcwidth(codepoint);
  const precedingWidth = (preceding >> 1) & 3;
  const joins = width === 0 && preceding !== 0 && precedingWidth !== 0;
  if (joins) width = precedingWidth;
  return (width << 1) | Number(joins);
}

/** Has a terminal take these widths. */
export function useWidths(terminal) {
  terminal.unicode.register({ version: VERSION, wcwidth, charProperties });
  terminal.unicode.activeVersion = VERSION;
}
