// The composer: Enter sends, Shift+Enter breaks the line, ↑ edits your last message. It never loses a letter: what is
// typed is kept for each room until it is sent.

import { words } from '../app.js';
import { act } from '../live.js';
import { toPresent } from './log.js';
import { editLast } from './messages.js';
import { send } from './outbox.js';
import { startTray } from './tray.js';
import { takeUp } from './uploads.js';

const LONGEST = 4000; // characters as a person counts them
const COUNT_FROM = 3600;
const TYPING_EVERY = 2500; // ms between two signs of writing; pages forget one after six seconds
let segments = null; // made when it is wanted
const marks = { bold: ['**', '**'], italic: ['*', '*'], code: ['`', '`'], list: ['\n- ', ''], quote: ['\n> ', ''] };

function length(text) {
  // Counting by graphemes is slow; a text that is short in code units is short in characters.
  if (text.length < COUNT_FROM) return text.length;
  let count = 0;
  for (const _ of (segments ??= new Intl.Segmenter()).segment(text)) count++;
  return count;
}

export function startComposer(page) {
  const form = page.querySelector('form.compose');
  if (!form) return;
  const room = page.dataset.roomPage;
  const area = form.elements.body;
  const draft = `draft:${document.getElementById('app').dataset.me}:${room}`;
  const count = form.querySelector('.count');
  let signed = 0;

  function refresh() {
    const used = length(area.value);
    count.hidden = used < COUNT_FROM;
    count.textContent = LONGEST - used;
    count.toggleAttribute('data-over', used > LONGEST);
    return used;
  }

  async function submit() {
    await takeUp(); // files that hang on it may be known of only now
    const body = area.value.replace(/\s+$/, '').replace(/^\n+/, '');
    if (!body.trim() && tray.isEmpty()) return;
    if (refresh() > LONGEST) return fail(words.tooLong.replace('{n}', LONGEST));
    if (!tray.isReady()) return fail(words.attachWait);
    fail('');
    area.value = '';
    localStorage.removeItem(draft);
    signed = 0;
    refresh();
    send(room, body, tray.take());
    toPresent();
  }

  function fail(text) {
    const line = form.querySelector('.error');
    line.textContent = text;
    line.hidden = !text;
  }

  const tray = startTray(page, form, fail);
  if (!area.value) area.value = localStorage.getItem(draft) ?? '';
  refresh();
  area.addEventListener('input', () => {
    if (area.value) localStorage.setItem(draft, area.value); else localStorage.removeItem(draft);
    refresh();
    if (area.value && Date.now() - signed > TYPING_EVERY) {
      signed = Date.now();
      act('chat.type', { room }).catch(() => {});
    }
  });
  area.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && !area.value) {
      event.preventDefault();
      editLast(room);
    } else if (event.key === 'Escape') area.blur();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    area.focus();
  });
  form.addEventListener('click', (event) => {
    const button = event.target.closest('[data-wrap]');
    if (!button) return;
    const [before, after] = marks[button.dataset.wrap];
    const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
    area.focus();
    area.setRangeText(before + chosen + after, area.selectionStart, area.selectionEnd, 'end');
    if (!chosen) area.selectionEnd = area.selectionStart -= after.length;
    area.dispatchEvent(new Event('input'));
  });
  if (matchMedia('(pointer: fine)').matches && document.activeElement === document.body) area.focus({ preventScroll: true });
}
