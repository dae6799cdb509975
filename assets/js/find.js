// The dialog that finds rooms, people and spaces by name. The lists that the page has are filtered
// at once; the server, which knows everything that the reader may open, is asked for each change of
// the text, one request at a time, and its answer takes their place.

import { announce, visit, words } from './app.js';
import { request } from './live.js';
import { usedKeys } from './used.js';

const MAX_LOCAL = 12; // results shown before the server has answered

const dialog = document.getElementById('goto');
const field = dialog.querySelector('input');
const list = document.getElementById('goto-found');
const nothing = document.getElementById('goto-none');
let isAsking = false;
let askedText = null; // the text that the server was asked for last

const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

// Results -------------------------------------------------------------------------------------

function localItem(link) {
  const [, kind, id] = /^\/(room|space)s\/(\d+)$/.exec(link.pathname) ?? [];
  if (!kind) return null;
  const item = document.createElement('li');
  item.dataset.key = kind[0] + id;
  item.dataset.href = link.pathname;
  const sign = link.querySelector('.icon, .emblem').cloneNode(true);
  const name = document.createElement('span');
  name.className = 'name';
  name.dir = 'auto';
  name.textContent = (link.querySelector('.name') ?? link.querySelector('.sr')).textContent;
  item.append(sign, name);
  return item;
}

/** What the page itself links to, the most used first. */
function localItems(text) {
  const query = fold(text);
  const used = usedKeys();
  const rank = ({ dataset }) => (used.indexOf(dataset.key) + 1 || used.length + 1);
  return [...document.querySelectorAll('.side a.room, .rail a:has(.emblem)')]
    .map(localItem)
    .filter((item) => item && fold(item.textContent).includes(query))
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MAX_LOCAL);
}

const options = () => [...list.children];
const chosen = () => list.querySelector('[aria-selected=true]');

function choose(option) {
  chosen()?.setAttribute('aria-selected', 'false');
  option?.setAttribute('aria-selected', 'true');
  option?.scrollIntoView({ block: 'nearest' });
  if (option) field.setAttribute('aria-activedescendant', option.id);
  else field.removeAttribute('aria-activedescendant');
}

/** Shows results. What was chosen stays chosen if it is still there and was moved to. */
function show(items) {
  const before = list.dataset.moved ? chosen()?.dataset.key : null;
  for (const item of items) {
    item.id = `goto-${item.dataset.key}`;
    item.setAttribute('role', 'option');
    item.setAttribute('aria-selected', 'false');
  }
  list.replaceChildren(...items);
  list.hidden = !items.length;
  field.setAttribute('aria-expanded', String(items.length > 0));
  choose(items.find((item) => item.dataset.key === before) ?? items[0]);
}

/** The items of a list that the server answers with; null if it does not. */
async function itemsOf(address) {
  const html = await request(address)
    .then((response) => (response.ok ? response.text() : null))
    .catch(() => null);
  if (html === null) return null;
  return [...new DOMParser().parseFromString(html, 'text/html').querySelectorAll('li')];
}

async function ask() {
  if (isAsking) return; // the loop below asks again
  isAsking = true;
  while (dialog.open && askedText !== field.value) {
    askedText = field.value;
    const parameters = new URLSearchParams({ q: askedText, used: usedKeys().join(',') });
    const lists = [`/find/results?${parameters}`, `/search/brief?${parameters}`];
    const [names, messages] = await Promise.all(lists.map(itemsOf));
    if (names === null || askedText !== field.value) continue;
    const items = [...names, ...(messages ?? [])];
    show(items);
    // The last one leads to the page of search, whatever was found.
    nothing.hidden = items.some(({ dataset }) => dataset.key !== 'all');
    if (!nothing.hidden) announce(nothing.textContent);
  }
  isAsking = false;
}

function update() {
  delete list.dataset.moved;
  nothing.hidden = true;
  show(localItems(field.value));
  ask();
}

// Choosing ------------------------------------------------------------------------------------

async function hrefOf({ dataset }) {
  if (dataset.href) return dataset.href;
  // A person without a conversation yet.
  const response = await request('/act/community.open-direct', {
    method: 'POST',
    headers: { Accept: 'application/json' },
    body: new URLSearchParams({ people: dataset.person }),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
  return `/rooms/${(await response.json()).room}`;
}

async function open(option, inNewTab) {
  try {
    const href = await hrefOf(option);
    dialog.close();
    if (inNewTab) window.open(href, '_blank', 'noopener');
    else await visit(new URL(href, location.href));
  } catch (error) {
    announce(error.message || words.notSent);
  }
}

field.addEventListener('input', update);
field.form.addEventListener('submit', (event) => event.preventDefault());
dialog.addEventListener('keydown', (event) => {
  if (event.isComposing) return;
  const all = options();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && all.length) {
    event.preventDefault();
    list.dataset.moved = 'yes';
    choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  } else if (event.key === 'Enter') {
    event.preventDefault();
    if (chosen()) open(chosen(), event.ctrlKey || event.metaKey);
  } else if (event.key === 'Escape') {
    event.preventDefault();
    dialog.close();
  }
});
list.addEventListener('click', (event) => {
  const option = event.target.closest('[role=option]');
  if (option) open(option, event.ctrlKey || event.metaKey);
});
dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});

/** Starts with nothing typed. The dialog is shown already. */
export function start() {
  askedText = null;
  update();
}
