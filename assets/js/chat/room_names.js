// Rooms that are named in the preview of a message: `#name` becomes a link, as the server does it.

const JOINS = /[\p{L}\p{N}#&/_]$/u; // a sign after one of these begins no name: C#, a#b
const WORD = /^[A-Za-z0-9_]/;

/** The rooms of the sidebar by name, in small letters, as [name, address], the longest first. */
function roomsByName() {
  const selector = '.side a.room:has(use[href$="#hash"], use[href$="#lock"])';
  const rooms = [...document.querySelectorAll(selector)]
    .map((link) => [link.querySelector('.name').textContent.trim().toLowerCase(), link.pathname]);
  return rooms.sort(([one], [other]) => other.length - one.length);
}

function roomAt(text, rooms) {
  const lower = text.toLowerCase();
  return rooms.find(([name]) => {
    const [last, next] = [name.at(-1), text.slice(name.length)];
    return name && lower.startsWith(name) && !(WORD.test(last) && WORD.test(next));
  });
}

/** A text with its names of rooms as links. */
function linked(text, rooms) {
  const parts = [];
  let done = 0;
  for (let sign = text.indexOf('#'); sign >= 0; sign = text.indexOf('#', sign + 1)) {
    const room = !JOINS.test(text.slice(0, sign)) && roomAt(text.slice(sign + 1), rooms);
    if (!room) continue;
    const [name, address] = room;
    const link = document.createElement('a');
    const end = sign + 1 + name.length;
    link.setAttribute('href', address);
    link.textContent = text.slice(sign, end);
    parts.push(text.slice(done, sign), link);
    done = end;
  }
  return [...parts, text.slice(done)].filter((part) => part !== '');
}

/** Links the names of rooms in an element, except in code and links. */
export function linkRooms(root) {
  if (!root.textContent.includes('#')) return;
  const rooms = roomsByName();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (text.data.includes('#') && !text.parentElement.closest('a, code, pre')) {
      text.replaceWith(...linked(text.data, rooms));
    }
  }
}
