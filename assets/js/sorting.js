// Putting spaces, rooms and categories in an order by dragging them, with a mouse or a finger. The
// buttons that move them one place do the same without a pointer, and without scripts.
//
// `data-sort` names what a list holds, `data-item` what can be moved in it, `data-group` a category
// with the rooms under it (`data-list`), and `data-grip` where a finger or mouse takes hold.

import { act } from './live.js';
import { announce } from './app.js';

const DRAG_DISTANCE = 5; // pixels from which a press is a drag, and no click
const SCROLL_EDGE = 48; // pixels at the ends of the view in which a drag scrolls it
const SCROLL_STEP = 12; // pixels of one step

const itemsOf = (list) => [...list.querySelectorAll(':scope > [data-item]')];
const idOf = (element, name) => element?.dataset[name] ?? '';

/** What a press takes hold of: a room or space, or a category by its heading. */
function heldBy(target) {
  const grip = target.closest('[data-grip]');
  if (grip?.dataset.grip === 'group') return grip.closest('[data-group]');
  return target.closest('[data-item]');
}

/** The element that the pointer is over among others: before which the held one would stand. */
function nextAt(elements, y) {
  return elements.find((element) => {
    const { top, height } = element.getBoundingClientRect();
    return y < top + height / 2;
  });
}

/** Moves the held element to where the pointer is. */
function moveTo(held, sorted, y) {
  if (held.dataset.group !== undefined) {
    // Rooms without a category stay above all categories.
    const groups = [...sorted.querySelectorAll(':scope > [data-group]')];
    const others = groups.filter((group) => group !== held && group.dataset.group);
    sorted.insertBefore(held, nextAt(others, y) ?? null);
    return;
  }
  const lists = sorted.dataset.sort === 'rooms'
    ? [...sorted.querySelectorAll('[data-list]')] : [sorted];
  const parents = lists.map((list) => list.closest('[data-group]') ?? list);
  const over = parents.findLastIndex((parent) => parent.getBoundingClientRect().top <= y);
  const list = lists[Math.max(over, 0)];
  const items = itemsOf(list).filter((item) => item !== held);
  const end = items.at(-1)?.nextSibling ?? null; // what follows the items is no item
  list.insertBefore(held, nextAt(items, y) ?? end);
}

/** Has the server put it where it stands now. */
function save(held, sorted) {
  const next = (name) => {
    let after = held.nextElementSibling;
    while (after && !idOf(after, name)) after = after.nextElementSibling;
    return idOf(after, name);
  };
  if (held.dataset.group) {
    const { space } = sorted.dataset;
    const category = held.dataset.group;
    return act('community.put-category', { space, category, before: next('group') });
  }
  if (sorted.dataset.sort === 'spaces') {
    const spaces = itemsOf(sorted).map((item) => item.dataset.item);
    return act('community.order-spaces', { spaces });
  }
  const category = idOf(held.closest('[data-group]'), 'group');
  const fields = { room: held.dataset.item, category, before: next('item') };
  return act('community.put-room', fields);
}

function scrollAt(sorted, y) {
  const view = sorted.closest('.view, .rail') ?? document.scrollingElement;
  const { top, bottom } = view.getBoundingClientRect();
  if (y < top + SCROLL_EDGE) view.scrollBy(0, -SCROLL_STEP);
  if (y > bottom - SCROLL_EDGE) view.scrollBy(0, SCROLL_STEP);
}

/** Begins with a press; the element is moved once the pointer has gone some way. */
export function startSorting(press) {
  const held = heldBy(press.target);
  const sorted = held?.closest('[data-sort]');
  if (!sorted) return;
  const before = { parent: held.parentNode, next: held.nextSibling };
  const ended = new AbortController();
  const options = { signal: ended.signal };
  let isDragged = false;

  function putBack() {
    before.parent.insertBefore(held, before.next);
  }

  function end() {
    ended.abort();
    held.classList.remove('dragged');
  }

  // Pictures and links would be dragged by the browser itself.
  addEventListener('dragstart', (event) => event.preventDefault(), options);
  addEventListener('pointermove', (event) => {
    if (event.pointerId !== press.pointerId) return;
    const distance = Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY);
    if (!isDragged && distance < DRAG_DISTANCE) return;
    isDragged = true;
    held.classList.add('dragged');
    scrollAt(sorted, event.clientY);
    moveTo(held, sorted, event.clientY);
  }, options);
  addEventListener('pointerup', async (event) => {
    if (event.pointerId !== press.pointerId) return;
    end();
    const isBack = held.parentNode === before.parent && held.nextSibling === before.next;
    if (!isDragged || isBack) return;
    const name = held.querySelector('a, h2')?.textContent.trim() ?? '';
    try {
      await save(held, sorted);
      announce(`${name} ${sorted.dataset.moved}`);
    } catch {
      putBack();
    }
  }, options);
  addEventListener('pointercancel', () => {
    end();
    putBack();
  }, options);
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    end();
    putBack();
  }, options);
  // The end of a drag is no click on what was dragged.
  addEventListener('click', (event) => {
    if (!isDragged || !held.contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true, once: true });
}
