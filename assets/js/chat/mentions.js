// Mentions: completes "@" with those whom the room's messages may mention, and marks the messages
// that mention one of the reader's roles or groups. Messages are the same for every reader; those
// that name the reader are marked by style rules.

import { request } from '../live.js';
import { addSource } from './completion.js';

const MAX_REMEMBERED = 50; // answers of the server, by what was typed
const SIGNS = { account: '@', role: '@', group: '@', everyone: '@' };

const answers = new Map();
let asking = Promise.resolve();
let latest = '';

async function ask(key) {
  if (key !== latest) return []; // more was typed meanwhile
  const [room, query] = JSON.parse(key);
  const response = await request(`/rooms/${room}/mentionable?${new URLSearchParams({ q: query })}`)
    .catch(() => null);
  if (!response?.ok) return [];
  const found = await response.json();
  if (answers.size >= MAX_REMEMBERED) answers.clear();
  answers.set(key, found);
  setTimeout(() => answers.delete(key), 30_000); // people come and go
  return found;
}

/** One request at a time: of several letters typed meanwhile only the last is asked for. */
async function findMentionable(query) {
  const room = document.querySelector('[data-room-page]')?.dataset.roomPage;
  if (!room) return [];
  const key = JSON.stringify([room, query]);
  latest = key;
  let found = answers.get(key);
  if (!found) {
    const answer = asking.then(() => answers.get(key) ?? ask(key));
    asking = answer.catch(() => {});
    found = await answer;
  }
  return found.map(({ kind, name, shown }) => ({
    text: `@${name}`,
    name,
    label: shown ?? name,
    detail: shown ? `@${name}` : '',
    sign: SIGNS[kind],
  }));
}

const letter = String.raw`[\p{L}\p{N}@/_&#]`;
const unspaced = String.raw`[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}]`;
const pattern = new RegExp(`(?:^|(?!${letter})[^]|${unspaced})@([^\\s@]{0,40})$`, 'u');

/** Completes "@" in the fields of this and later pages. */
addSource({ pattern, find: findMentionable });

/** Marks what mentions the reader's roles and groups, as the sidebar names them. */
export function markMentions() {
  const groups = document.getElementById('sidebar')?.dataset.groups?.split(' ') ?? [];
  for (const mention of document.querySelectorAll('.mention[data-group]')) {
    mention.classList.toggle('mine', groups.includes(mention.dataset.group));
  }
}
