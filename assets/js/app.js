// Every page of a signed-in person: titles, dialogs, links, keys, and reports of activity for
// presence.

import { act, onConnected, syncFeeds } from './live.js';
import { foldSections } from './sections.js';
import './sign_out.js';
import { localizeTimes } from './times.js';
import { showUnread } from './unread.js';
import { countVisit } from './used.js';
import { showWaiting } from './waiting.js';

const ACTIVITY_INTERVAL = 30000; // ms between two reports that the person is active
const RETURN_KEY = 'return'; // of sessionStorage: the last page that is none of settings
const MAX_ANNOUNCEMENTS = 5; // lines left in the live region

/** Texts in the reader's language, translated by the server: <div id="words" data-…>. */
export const words = document.getElementById('words').dataset;

let shownPath = null;

/** Counts the visit of a page, and remembers it as the one that settings lead back to. */
function notePage() {
  const path = location.pathname + location.search;
  if (path === shownPath || !document.getElementById('app')) return;
  shownPath = path;
  countVisit();
  if (!document.querySelector('main [data-leave]')) sessionStorage.setItem(RETURN_KEY, path);
}

/** Loads a room's page again after a change of what the reader may do there; drafts are kept. */
function followRights() {
  const [shown, now] = ['app', 'sidebar'].map((id) => document.getElementById(id));
  const isRoom = document.querySelector('[data-room-page]');
  if (!isRoom || !now || shown.dataset.roomVersion === now.dataset.roomVersion) return;
  location.reload();
}

/** Opens what a region offers once the reader may enter, such as a space that accepted them. */
function enterWhenAdmitted() {
  const entry = document.querySelector('a[data-admitted]');
  if (!entry) return;
  delete entry.dataset.admitted;
  visit(entry);
}

function refreshPage() {
  followRights();
  enterWhenAdmitted();
  foldSections();
  showUnread();
  notePage();
  localizeTimes();
  if (document.querySelector('[data-zone], [data-time-zones], [data-browser-zone]')) {
    import('./time_zones.js').then(({ showZones }) => showZones(), () => {});
  }
  if (document.querySelector('[data-unmask][hidden]')) {
    import('./unmask.js').then(({ showUnmaskButtons }) => showUnmaskButtons());
  }
  if (document.querySelector('[data-passkey]')) {
    import('./passkeys.js').then(({ showPasskeys }) => showPasskeys());
  }
  // Controls that do nothing without scripts are rendered hidden.
  const controls = document.querySelectorAll(
    '.filter[hidden], [data-copy][hidden], [data-grip][hidden], '
      + '.compose :is(.hint, .tools, [data-emoji], [data-record])[hidden]',
  );
  for (const control of controls) control.hidden = false;
}

// Dialogs -------------------------------------------------------------------------------------

const keysDialog = document.getElementById('keys');
const gotoDialog = document.getElementById('goto');

/** Asks for confirmation of something that cannot be undone. Resolves to whether it was given. */
export function askConfirmation(question) {
  const dialog = document.getElementById('confirm');
  dialog.querySelector('h2').textContent = question;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** Shows the dialog at once, so that no key is lost while its script is loaded. */
async function openGoto() {
  if (gotoDialog.open) return;
  gotoDialog.querySelector('input').value = '';
  gotoDialog.showModal();
  (await import('./find.js')).start();
}

// Links ---------------------------------------------------------------------------------------

/** Opens a page of this server without closing the socket. The last of several requests wins. */
export async function visit({ href, pathname, search, hash }) {
  await showWaiting(htmx.ajax('GET', pathname + search, {
    source: '#app',
    target: '#app',
    select: '#app',
    swap: 'outerHTML',
    push: hash ? href : 'true',
    headers: { 'HX-Boosted': 'true' },
  }));
  if (hash) document.getElementById(hash.slice(1))?.scrollIntoView({ block: 'nearest' });
  startReading();
}

/** Has the keyboard and screen readers begin at the content of a page that was swapped in. */
function startReading() {
  const main = document.getElementById('main');
  announce(main?.querySelector('h1')?.textContent ?? '');
  // A composer takes the focus by itself, and what was focused meanwhile keeps it.
  if (document.activeElement === document.body) main?.focus({ preventScroll: true });
}

const hasModifier = (event) => event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
// Messages of other names of this server mark its links as if they led to another site.
const isBoostable = (link) => link.origin === location.origin
  && (!link.target || link.closest('.body, .topic'))
  && !link.hasAttribute('download') && document.getElementById('app');

// One listener on the window for all links, after every other listener: hx-boost would make htmx
// process each of hundreds of links in advance.
addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (!link || event.defaultPrevented || event.button || hasModifier(event)) return;
  if (link.matches('.msg .by, .mention, [data-card]')) {
    event.preventDefault();
    import('./person_card.js').then(({ showCard }) => showCard(link), () => visit(link));
    return;
  }
  if (!isBoostable(link)) return;
  link.closest('dialog')?.close();
  const isSamePage = link.pathname === location.pathname && link.search === location.search;
  if (link.hash && isSamePage) return;
  event.preventDefault();
  const back = 'leave' in link.dataset && sessionStorage.getItem(RETURN_KEY);
  visit(back ? new URL(back, location.href) : link);
});

document.addEventListener('htmx:before:history:restore', () => htmx.trigger('#app', 'htmx:abort'));

// A response that is no page of this server, such as a file or a proxy's error, is left to the
// browser.
document.addEventListener('htmx:before:response', (event) => {
  const { target, request, response } = event.detail.ctx;
  const isHtml = response.headers.get('content-type')?.startsWith('text/html');
  if (target.id !== 'app' || response.headers.has('hx-redirect') || isHtml) return;
  request.abort?.();
  loadPage(request.action, event);
});
document.addEventListener('htmx:after:request', (event) => {
  const { target, request, text } = event.detail.ctx;
  if (target.id === 'app' && text && !text.includes(' id="app"')) loadPage(request.action, event);
});

function loadPage(url, event) {
  event.preventDefault();
  location.assign(url);
}

// Keys and clicks -----------------------------------------------------------------------------

const isTextField = (element) => element.closest('input, textarea, select, [contenteditable]');

/** Opens the next (`step` 1) or previous (-1) room of the sidebar, or the next unread one. */
function openNextRoom(step, isUnreadOnly) {
  const rooms = [...document.querySelectorAll('.side a.room[href^="/rooms/"]')];
  const open = rooms.findIndex((room) => room.getAttribute('aria-current') === 'page');
  for (let n = 1; n <= rooms.length; n++) {
    const room = rooms[(open + step * n + rooms.length * 2) % rooms.length];
    if (!isUnreadOnly || room.querySelector('.unread > i')) return room.click();
  }
}

document.addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    openGoto();
  } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault();
    openNextRoom(event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
  } else if (event.key === '?' && !isTextField(event.target)) {
    event.preventDefault();
    keysDialog.showModal();
  }
});

document.addEventListener('click', async (event) => {
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    const field = document.getElementById(copy.dataset.copy);
    field.select();
    const { copyText } = await import('./clipboard.js');
    await copyText(field.value, copy);
  }
  if (event.target.closest('[data-open=goto]')) {
    event.preventDefault(); // without scripts it is a link
    openGoto();
  }
  if (event.target.closest('[data-open=keys]')) {
    gotoDialog.close();
    keysDialog.showModal();
  }
  if (event.target.closest('#newer-version button')) location.reload();
  const dialog = event.target.closest('dialog');
  if (dialog && event.target.closest('[data-close]')) dialog.close();
});

// What cannot be undone asks first.
document.addEventListener('submit', (event) => {
  const { target: form, submitter } = event;
  const asks = form.elements.ask;
  // A button that asks leaves the other buttons of its form alone.
  if (!asks || (asks instanceof HTMLButtonElement && asks !== submitter)) return;
  event.preventDefault();
  import('./ask.js').then(({ ask }) => ask(form, submitter), () => form.submit());
});

// Where frames show what became of a form, the page stays.
document.addEventListener('submit', (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || !('inPlace' in form.dataset)) return;
  event.preventDefault();
  import('./send_in_place.js')
    .then(({ sendInPlace }) => sendInPlace(form, submitter), () => form.submit());
});

// What stands in an order of one's own is dragged: in the rail by a mouse, elsewhere by its grip.
document.addEventListener('pointerdown', (event) => {
  const isInRail = event.pointerType === 'mouse' && event.target.closest('.rail [data-item]');
  if (event.button || !(isInRail || event.target.closest('[data-grip]'))) return;
  import('./sorting.js').then(({ startSorting }) => startSorting(event), () => {});
});

// A menu closes by a click elsewhere and by Esc, which gives the focus back.
const openMenu = () => document.querySelector('details.menu[open]');
document.addEventListener('click', (event) => {
  const menu = openMenu();
  if (menu && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener('keydown', (event) => {
  const menu = event.key === 'Escape' && openMenu();
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});

/** Has screen readers read a text out. */
export function announce(text) {
  const line = document.createElement('p');
  line.textContent = text;
  const liveRegion = document.getElementById('said');
  liveRegion.append(line);
  while (liveRegion.childElementCount > MAX_ANNOUNCEMENTS) liveRegion.firstElementChild.remove();
}

// The filter of a list of people.
document.addEventListener('input', (event) => {
  if (!event.target.matches('.filter, .filter input')) return;
  const query = event.target.value.trim().toLocaleLowerCase();
  for (const row of event.target.closest('.picker').querySelectorAll('li')) {
    row.hidden = !row.textContent.toLocaleLowerCase().includes(query);
  }
});

// Presence ------------------------------------------------------------------------------------

let reportedAt = Date.now();
for (const kind of ['pointerdown', 'keydown', 'wheel', 'focus']) {
  addEventListener(kind, () => {
    if (Date.now() - reportedAt < ACTIVITY_INTERVAL) return;
    reportedAt = Date.now();
    act('presence.active', {}).catch(() => {});
  }, { passive: true, capture: true });
}

onConnected(({ detail }) => {
  document.getElementById('newer-version').hidden = !detail.newer;
});

document.addEventListener('htmx:after:swap', refreshPage);
refreshPage();
setTimeout(syncFeeds); // in a task of its own: opening the socket must not delay the first input
