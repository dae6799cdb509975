// The menu of a message: the list of its menu page, opened beside the message. Loaded with its first
// use.

import { request } from '../live.js';
import { showNote } from '../note.js';
import { showWaiting } from '../waiting.js';
import { runAction } from './run_action.js';

const GAP = 4; // px between the button and the menu, and around it
let menu = null;
let opener = null; // gets the focus back
let marked = null; // the message whose controls stay in view while its menu is open

function createMenu() {
  menu = document.createElement('div');
  menu.id = 'message-menu';
  menu.popover = 'auto';
  menu.addEventListener('keydown', moveFocus);
  menu.addEventListener('click', (event) => event.target.closest('a') && menu.hidePopover());
  menu.addEventListener('submit', submit);
  menu.addEventListener('toggle', ({ newState }) => {
    if (newState === 'open') return;
    if (menu.contains(document.activeElement) || document.activeElement === document.body) {
      opener?.focus({ preventScroll: true });
    }
    marked?.removeAttribute('data-menu'); // what has the focus keeps them in view
    marked = null;
  });
  document.body.append(menu);
}

/** Opens the menu of a message at its button. */
export async function openMenu(message, button) {
  if (!menu) createMenu();
  opener = button;
  marked?.removeAttribute('data-menu');
  const response = await showWaiting(request(`${button.pathname}?only=list`)).catch(() => null);
  if (!response?.ok) return location.assign(button.href);
  menu.innerHTML = await response.text();
  for (const item of items()) item.setAttribute('role', 'menuitem');
  const list = menu.querySelector('ul');
  list.setAttribute('role', 'menu');
  list.setAttribute('aria-label', button.ariaLabel);
  list.querySelectorAll('li').forEach((item) => item.setAttribute('role', 'none'));
  marked = message;
  marked.dataset.menu = '';
  menu.showPopover();
  place(button.isConnected ? button : message);
  items()[0]?.focus({ preventScroll: true });
  return undefined;
}

const items = () => [...menu.querySelectorAll('a, button')];

/** Beside the button, within the window. */
function place(button) {
  const shown = button.checkVisibility() ? button : button.closest('.msg') ?? button;
  const [at, size] = [shown.getBoundingClientRect(), menu.getBoundingClientRect()];
  const isRtl = getComputedStyle(document.body).direction === 'rtl';
  const start = isRtl ? at.left : at.right - size.width;
  const left = Math.min(Math.max(start, GAP), innerWidth - size.width - GAP);
  const below = at.bottom + GAP;
  const fits = below + size.height < innerHeight - GAP;
  menu.style.left = `${Math.max(left, GAP)}px`;
  menu.style.top = `${fits ? below : Math.max(GAP, at.top - size.height - GAP)}px`;
}

function moveFocus(event) {
  const all = items();
  const at = all.indexOf(document.activeElement);
  const next = {
    ArrowDown: (at + 1) % all.length,
    ArrowUp: (at + all.length - 1) % all.length,
    Home: 0,
    End: all.length - 1,
  }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  all[next].focus();
}

async function submit(event) {
  event.preventDefault();
  const form = event.target;
  const [action, said] = [form.action.split('/').at(-1), event.submitter.dataset.said];
  menu.hidePopover();
  await runAction(action, new FormData(form)).then(
    () => showNote(said),
    (error) => showNote(error.message),
  );
}
