// The composer: Enter sends, Shift+Enter breaks the line, ↑ edits your last message. A draft is
// stored for each room until it is sent, so that no text is lost.

import { words } from '../app.js';
import { act } from '../live.js';
import { showNewest } from './log.js';
import { editLast } from './messages.js';
import { send } from './outbox.js';
import { startTray } from './tray.js';
import { restoreUploads } from './uploads.js';

const MAX_CHARS = 4000; // graphemes; the server's limit
const MAX_BYTES = 16384; // in UTF-8; the server's limit
const SHOW_BELOW = 400; // graphemes left from which on they are shown
const TYPING_INTERVAL = 2500; // ms between two signs of typing; pages drop one after six seconds
const MARKS = { // value of data-wrap → what is put before and after the selection
  bold: ['**', '**'],
  italic: ['*', '*'],
  code: ['`', '`'],
  list: ['\n- ', ''],
  quote: ['\n> ', ''],
};
let segmenter = null; // created on first use

/** How many graphemes a message has room for besides this text; negative if it is too long. */
function charsLeft(text) {
  // Counting is slow; a text has no more graphemes than code units, of three bytes at most.
  if (text.length < MAX_CHARS - SHOW_BELOW) return MAX_CHARS - text.length;
  let count = 0;
  for (const _ of (segmenter ??= new Intl.Segmenter()).segment(text)) count++;
  const bytes = new TextEncoder().encode(text).length;
  return Math.min(MAX_CHARS - count, Math.floor((MAX_BYTES - bytes) * count / bytes));
}

function wrapSelection(area, [before, after]) {
  const selected = area.value.slice(area.selectionStart, area.selectionEnd);
  area.focus();
  area.setRangeText(before + selected + after, area.selectionStart, area.selectionEnd, 'end');
  if (!selected) area.selectionEnd = area.selectionStart -= after.length;
  area.dispatchEvent(new Event('input'));
}

export function startComposer(page) {
  const form = page.querySelector('form.compose');
  if (form) new Composer(page, form).start();
}

class Composer {
  constructor(page, form) {
    this.form = form;
    this.room = page.dataset.roomPage;
    this.area = form.elements.body;
    this.draftKey = `draft:${document.getElementById('app').dataset.me}:${this.room}`;
    this.typingSentAt = 0;
    this.tray = startTray(page, form, (text) => this.showError(text));
  }

  start() {
    const { area, form } = this;
    if (!area.value) area.value = localStorage.getItem(this.draftKey) ?? '';
    this.showCount();
    area.addEventListener('input', () => this.afterInput());
    area.addEventListener('keydown', (event) => this.handleKey(event));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
      area.focus();
    });
    form.addEventListener('click', (event) => {
      const button = event.target.closest('[data-wrap]');
      if (button) wrapSelection(area, MARKS[button.dataset.wrap]);
    });
    const hasMouse = matchMedia('(pointer: fine)').matches;
    if (hasMouse && document.activeElement === document.body) area.focus({ preventScroll: true });
  }

  afterInput() {
    const text = this.area.value;
    if (text) localStorage.setItem(this.draftKey, text);
    else localStorage.removeItem(this.draftKey);
    this.showCount();
    if (text && Date.now() - this.typingSentAt > TYPING_INTERVAL) {
      this.typingSentAt = Date.now();
      act('chat.type', { room: this.room }).catch(() => {});
    }
  }

  handleKey(event) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === 'ArrowUp' && !this.area.value) {
      event.preventDefault();
      editLast(this.room);
    } else if (event.key === 'Escape') this.area.blur();
  }

  /** Shows how much room is left, and returns it. */
  showCount() {
    const count = this.form.querySelector('.count');
    const left = charsLeft(this.area.value);
    count.hidden = left > SHOW_BELOW;
    count.textContent = left;
    count.toggleAttribute('data-over', left < 0);
    return left;
  }

  showError(text) {
    const line = this.form.querySelector('.error');
    line.textContent = text;
    line.hidden = !text;
  }

  async submit() {
    await restoreUploads(); // its attachments may have been stored before a reload
    const { area, tray } = this;
    const body = area.value.replace(/\s+$/, '').replace(/^\n+/, '');
    if (!body.trim() && tray.isEmpty()) return;
    const left = this.showCount();
    if (left < 0) return this.showError(words.tooLong.replace('{n}', -left));
    if (!tray.isReady()) return this.showError(tray.waitReason());
    this.showError('');
    area.value = '';
    localStorage.removeItem(this.draftKey);
    this.typingSentAt = 0;
    this.showCount();
    send(this.room, body, tray.takeFiles());
    showNewest();
  }
}
