// The emoji picker: all emoji in their groups, with search, those used lately, and skin tones.
// Loaded when it is opened first.

import { words } from '../app.js';
import {
  emojiGroups, findEmoji, noteUsed, recentEmoji, setSkinTone, signOf, skinTone, spaceEmoji, toned,
} from './emoji.js';

const MAX_FOUND = 120;
let dialog = null;
let pick = null; // called with the chosen emoji

/** Opens the picker. `onPick` is called with each emoji that is chosen. */
export async function openEmojiPicker(onPick) {
  pick = onPick;
  dialog ??= createDialog();
  dialog.querySelector('input').value = '';
  await showAll();
  dialog.showModal();
}

function createDialog() {
  const element = document.createElement('dialog');
  element.className = 'emoji-picker';
  element.setAttribute('aria-label', words.emojiPick);
  element.innerHTML = `<header><input type="search" class="input" autocomplete="off" dir="auto">
    <select class="input"></select>
    <form method="dialog"><button class="act">
      <svg class="icon" aria-hidden="true"><use></use></svg></button></form></header>
    <div class="all"></div>`;
  const search = element.querySelector('input');
  search.placeholder = search.ariaLabel = words.emojiSearch;
  const close = element.querySelector('button');
  close.ariaLabel = close.title = words.close;
  const icon = document.querySelector('#keys header use');
  close.querySelector('use').setAttribute('href', icon.getAttribute('href'));
  fillTones(element.querySelector('select'));
  search.addEventListener('input', showFound);
  element.addEventListener('click', handleClick);
  element.addEventListener('keydown', handleKey);
  document.body.append(element);
  return element;
}

function fillTones(select) {
  const tones = words.emojiTones.split(', ');
  const hands = ['✋', '✋🏻', '✋🏼', '✋🏽', '✋🏾', '✋🏿'];
  select.ariaLabel = select.title = words.emojiTone;
  select.replaceChildren(...hands.map((hand, tone) => {
    const option = new Option(hand, tone, false, tone === skinTone());
    option.ariaLabel = tones[tone];
    return option;
  }));
  select.addEventListener('change', () => {
    setSkinTone(select.value);
    showFound();
  });
}

function button(emoji) {
  const element = document.createElement('button');
  element.type = 'button';
  element.value = toned(emoji);
  element.append(signOf(emoji));
  element.title = element.ariaLabel = nameOf(emoji);
  return element;
}

const nameOf = ({ names, text }) => (names[0] || text).replaceAll('_', ' ');

function section(title, emoji) {
  const element = document.createElement('section');
  const heading = document.createElement('h3');
  const grid = document.createElement('div');
  heading.textContent = title;
  grid.className = 'emoji-grid';
  grid.append(...emoji.map(button));
  element.append(heading, grid);
  return element;
}

async function showAll() {
  const groups = await emojiGroups();
  const titles = words.emojiGroups.split(', ');
  const own = await spaceEmoji();
  const all = [...own, ...groups.flat()];
  const known = (char) => all.find((one) => one.char === char || one.tones.includes(char));
  const recent = recentEmoji().filter(known).map((char) => ({ ...known(char), char, tones: [] }));
  dialog.querySelector('.all').replaceChildren(
    ...(recent.length ? [section(words.emojiRecent, recent)] : []),
    ...(own.length ? [section(words.emojiSpace, own)] : []),
    ...groups.map((group, index) => section(titles[index], group)),
  );
}

async function showFound() {
  const query = dialog.querySelector('input').value.trim();
  if (!query) return showAll();
  const found = (await findEmoji(query)).slice(0, MAX_FOUND);
  if (dialog.querySelector('input').value.trim() !== query) return;
  const list = dialog.querySelector('.all');
  if (found.length) list.replaceChildren(section('', found));
  else {
    const none = document.createElement('p');
    none.className = 'hint';
    none.textContent = words.emojiNone;
    list.replaceChildren(none);
  }
}

function take(char) {
  noteUsed(char);
  dialog.close();
  pick(char);
}

function handleClick(event) {
  if (event.target === dialog) dialog.close();
  const chosen = event.target.closest('.emoji-grid button');
  if (chosen) take(chosen.value);
}

/** Arrow keys move among the emoji; Enter in the search takes the first one found. */
function handleKey(event) {
  const buttons = [...dialog.querySelectorAll('.emoji-grid button')];
  const at = buttons.indexOf(document.activeElement);
  if (event.key === 'Enter' && event.target.matches('input')) {
    event.preventDefault();
    if (buttons.length && event.target.value.trim()) take(buttons[0].value);
    return;
  }
  if (at < 0) {
    if (event.key === 'ArrowDown' && event.target.matches('input')) {
      event.preventDefault();
      buttons[0]?.focus();
    }
    return;
  }
  const isRtl = getComputedStyle(dialog).direction === 'rtl' ? -1 : 1;
  const columns = buttons.filter((one) => one.parentElement === buttons[at].parentElement
    && one.offsetTop === buttons[at].parentElement.firstElementChild.offsetTop).length;
  const step = {
    ArrowRight: isRtl, ArrowLeft: -isRtl, ArrowDown: columns, ArrowUp: -columns,
  }[event.key];
  if (!step) return;
  event.preventDefault();
  (buttons[at + step] ?? (at + step < 0 ? dialog.querySelector('input') : buttons.at(-1))).focus();
}
