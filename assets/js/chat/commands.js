// Completes "/" at the beginning of a message with the commands that one can use in its room.

import { request } from '../live.js';
import { addSource } from './completion.js';

const TTL = 60_000; // ms before the list is read again: rights change
const ofRooms = new Map(); // room → a promise of its commands

async function fetchCommands(room) {
  const response = await request(`/rooms/${room}/commands`).catch(() => null);
  return response?.ok ? response.json() : [];
}

function commandsIn(room) {
  if (!ofRooms.has(room)) {
    ofRooms.set(room, fetchCommands(room));
    setTimeout(() => ofRooms.delete(room), TTL);
  }
  return ofRooms.get(room);
}

addSource({
  pattern: /^\/([a-z-]{0,32})$/,
  async find(query) {
    const area = document.activeElement;
    const room = area?.form?.elements.room?.value;
    // Only what a message begins with is a command.
    if (!room || area.value.trimStart().indexOf(`/${query}`) !== 0) return [];
    if (area.value.slice(0, area.selectionStart) !== `/${query}`) return [];
    const found = (await commandsIn(room)).filter(({ name }) => name.startsWith(query));
    return found.map(({ name, usage, about }) => ({
      text: `/${name}`, name, label: `/${name}`, sign: '', detail: [usage, about].filter(Boolean).join(' · '),
    }));
  },
});
