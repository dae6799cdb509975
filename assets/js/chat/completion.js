// Completion of what is being typed in a field: emoji after ":", rooms after "#", and whom a
// message mentions after "@" (mentions.js). A list opens over the field; ↑ and ↓ choose, Enter or
// Tab takes, Esc closes it.

import { announce, words } from '../app.js';
import { replaceText } from './formatting.js';

const MAX_ITEMS = 8;
const sources = []; // {pattern, find(query) → [{text, label, sign, taken}] or a promise of them}

/** Adds what is completed. `pattern` ends at the caret and captures the name after its mark. */
export function addSource(source) { sources.push(source); }

/** The mark and the beginning of a name before the caret. */
function typedName({ value, selectionStart, selectionEnd }) {
  if (selectionStart !== selectionEnd) return null;
  const before = value.slice(Math.max(0, selectionStart - 48), selectionStart);
  for (const source of sources) {
    const match = source.pattern.exec(before);
    if (match) return { source, query: match[1], start: selectionStart - match[1].length - 1 };
  }
  return null;
}

/** Completes names in a field; the list is put into `holder`. */
export function startCompletion(area, holder) {
  const completion = new Completion(area, holder);
  area.addEventListener('input', () => completion.update());
  // Before the field's other listeners: Enter takes a completion before it sends.
  area.addEventListener('keydown', (event) => completion.handleKey(event), { capture: true });
  area.addEventListener('blur', () => completion.close());
  area.addEventListener('click', () => completion.close());
  if (document.activeElement === area) completion.update(); // of what was typed meanwhile
}

class Completion {
  constructor(area, holder) {
    this.area = area;
    this.items = [];
    this.itemsOf = null; // what was typed when they were found
    this.heldKey = null; // Enter or Tab, pressed before they were found
    this.chosen = 0;
    this.list = document.createElement('ul');
    this.list.className = 'completion';
    this.list.id = `${area.id}-completion`;
    this.list.hidden = true;
    this.list.setAttribute('role', 'listbox');
    this.list.setAttribute('aria-label', words.completions);
    // A press must not take the focus from the field.
    this.list.addEventListener('pointerdown', (event) => event.preventDefault());
    this.list.addEventListener('click', (event) => {
      const index = [...this.list.children].indexOf(event.target.closest('li'));
      if (index >= 0) this.take(index);
    });
    holder.append(this.list);
    area.setAttribute('aria-autocomplete', 'list');
  }

  isOpen() { return !this.list.hidden; }

  async update() {
    const typed = typedName(this.area);
    if (!typed) return this.close();
    this.typed = typed;
    this.heldKey = null;
    const found = await typed.source.find(typed.query);
    if (this.typed !== typed) return; // more was typed meanwhile
    this.items = found.slice(0, MAX_ITEMS);
    this.itemsOf = typed;
    const key = this.heldKey;
    this.show();
    if (!key) return;
    if (this.isOpen()) this.take(0);
    else this.area.dispatchEvent(new KeyboardEvent('keydown', key));
  }

  show() {
    // Where the name is written out already, Enter sends.
    const [first] = this.items;
    const isComplete = this.items.length === 1
      && (first.name ?? first.label) === this.typed.query;
    if (!this.items.length || isComplete) return this.close();
    this.chosen = 0;
    this.list.replaceChildren(...this.items.map((item, index) => this.createItem(item, index)));
    if (!this.isOpen()) announce(words.completionsOpen);
    this.list.hidden = false;
    this.area.setAttribute('aria-controls', this.list.id);
    this.choose(0);
  }

  createItem({ sign, label, detail }, index) {
    const item = document.createElement('li');
    item.id = `${this.list.id}-${index}`;
    item.setAttribute('role', 'option');
    const name = document.createElement('bdi');
    name.textContent = label;
    item.append(sign, ' ', name);
    if (detail) {
      const more = document.createElement('bdi');
      more.className = 'soft';
      more.textContent = detail;
      item.append(' ', more);
    }
    return item;
  }

  choose(index) {
    this.chosen = (index + this.items.length) % this.items.length;
    [...this.list.children].forEach((item, at) => {
      item.setAttribute('aria-selected', at === this.chosen);
    });
    this.area.setAttribute('aria-activedescendant', `${this.list.id}-${this.chosen}`);
    this.list.children[this.chosen].scrollIntoView({ block: 'nearest' });
  }

  close() {
    this.typed = null;
    this.heldKey = null;
    if (!this.isOpen()) return;
    this.list.hidden = true;
    this.area.removeAttribute('aria-activedescendant');
    this.area.removeAttribute('aria-controls');
  }

  take(index) {
    const { start } = this.typed;
    const item = this.items[index];
    this.close();
    const text = `${item.text} `;
    const end = this.area.selectionStart;
    replaceText(this.area, start, end, text, start + text.length);
    item.taken?.();
    this.close();
  }

  /** Takes what is chosen; where the list is still of fewer letters, as soon as it is not. */
  takeChosen({ key }) {
    if (this.itemsOf === this.typed) this.take(this.chosen);
    else this.heldKey = { key, bubbles: true, cancelable: true };
  }

  /** Keys that are for the list do not reach the field's other listeners. */
  handleKey(event) {
    if (!this.isOpen() || event.isComposing || event.ctrlKey || event.metaKey) return;
    const handlers = {
      ArrowDown: () => this.choose(this.chosen + 1),
      ArrowUp: () => this.choose(this.chosen - 1),
      Enter: () => this.takeChosen(event),
      Tab: () => this.takeChosen(event),
      Escape: () => this.close(),
    };
    if (!handlers[event.key] || event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    handlers[event.key]();
  }
}

// Rooms ---------------------------------------------------------------------------------------

const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

function findRooms(query) {
  const wanted = fold(query);
  const selector = '.side a.room:has(use[href$="#hash"], use[href$="#lock"]) .name';
  const rooms = [...document.querySelectorAll(selector)].map((name) => name.textContent.trim());
  const isFirst = (room) => fold(room).startsWith(wanted);
  return [...new Set(rooms)]
    .filter((room) => fold(room).includes(wanted))
    .sort((one, other) => isFirst(other) - isFirst(one))
    .map((room) => ({ text: `#${room}`, label: room, sign: '#' }));
}

addSource({ pattern: /(?:^|[\s([{])#([^\s#]{1,40})$/u, find: findRooms });
