// Emoji: the list of all, which were used lately, the skin tone, and their completion after ":".

import { request } from '../live.js';
import { addSource } from './completion.js';

const MAX_RECENT = 24;
const SPACE_EMOJI_TTL = 60000; // ms before a space's emoji are read again
const TONED = 3; // where the variants of an entry begin
const TONE_KEY = 'emoji-tone'; // 0 for none, 1 (light) to 5 (dark)
const recentKey = () => `recent-emoji:${document.getElementById('app').dataset.me}`;

let loading = null;

/** The groups of all emoji: lists of {char, names, text, tones}. Fetched once. */
export function emojiGroups() {
  loading ??= fetchGroups().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function fetchGroups() {
  const response = await request('/emoji');
  if (!response.ok) throw new Error(response.status);
  const groups = await response.json();
  return groups.map((group) => group.map((entry) => ({
    char: entry[0],
    names: entry[1].split(' '),
    text: `${entry[1]} ${entry[2]}`.toLowerCase().replaceAll('_', ' '),
    tones: entry.slice(TONED),
  })));
}

const ofRooms = new Map(); // room → its space's emoji

/** The emoji of the space that the page's room belongs to: lists of {char, names, text, href}. */
export async function spaceEmoji() {
  const room = document.querySelector('[data-room-page]')?.dataset.roomPage;
  if (!room) return [];
  if (!ofRooms.has(room)) {
    const response = await request(`/rooms/${room}/emoji`);
    const all = response.ok ? await response.json() : [];
    ofRooms.set(room, all.map(([name, href]) => ({
      char: `:${name}:`, names: [name], text: name.replaceAll('_', ' '), tones: [], href,
    })));
    setTimeout(() => ofRooms.delete(room), SPACE_EMOJI_TTL);
  }
  return ofRooms.get(room);
}

/** What shows an emoji: its character, or its picture. */
export function signOf(emoji) {
  if (!emoji.href) return toned(emoji);
  return Object.assign(new Image(), { src: emoji.href, alt: emoji.char, className: 'emoji' });
}

export const skinTone = () => Number(localStorage.getItem(TONE_KEY) ?? 0);
export const setSkinTone = (tone) => localStorage.setItem(TONE_KEY, tone);

/** An emoji in the chosen skin tone. */
export const toned = ({ char, tones }) => tones[skinTone() - 1] ?? char;

export const recentEmoji = () => JSON.parse(localStorage.getItem(recentKey()) ?? '[]');

/** Notes that an emoji was used, so that it is offered first. */
export function noteUsed(char) {
  const others = recentEmoji().filter((other) => other !== char);
  localStorage.setItem(recentKey(), JSON.stringify([char, ...others].slice(0, MAX_RECENT)));
}

/** How well an emoji fits: less is better. */
function rank({ char, names, text }, query, recent) {
  const wasUsed = recent.includes(char) ? 0 : 0.5;
  const name = query.replaceAll(' ', '_');
  if (names.includes(name)) return wasUsed;
  if (names.some((other) => other.startsWith(name))) return 1 + wasUsed;
  return (text.startsWith(query) || text.includes(` ${query}`) ? 2 : 3) + wasUsed;
}

/** The emoji whose names or words hold the query, best first. */
export async function findEmoji(query) {
  const wanted = query.toLowerCase().trim();
  const words = wanted.replaceAll('_', ' ').split(/\s+/);
  const recent = recentEmoji();
  const found = [...await spaceEmoji(), ...(await emojiGroups()).flat()]
    .filter(({ text, names }) => names.some((name) => name.includes(wanted))
      || words.every((word) => text.includes(word)));
  return found
    .map((emoji) => [rank(emoji, wanted, recent), emoji])
    .sort(([one], [other]) => one - other)
    .map(([, emoji]) => emoji);
}

addSource({
  pattern: /(?:^|[\s([{]|[^\p{L}\p{N}:/]):([\p{L}\p{N}_+-]{2,32})$/u,
  async find(query) {
    const found = await findEmoji(query).catch(() => []);
    return found.map((emoji) => ({
      text: toned(emoji),
      sign: signOf(emoji),
      label: `:${emoji.names.find((name) => name.includes(query)) ?? emoji.names[0]}:`,
      taken: () => noteUsed(toned(emoji)),
    }));
  },
});
