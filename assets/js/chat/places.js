// Where the reader was in a log, for each entry of the tab's history: Back leads to the same place.

import { refetchRegion } from '../live.js';

const STORAGE_KEY = 'places';
const MAX_PLACES = 50; // entries of the history; older ones open as if they were new
const MAX_HIDDEN = 1000; // ms that a log may be hidden until the part to return to is there

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY)) ?? {};
  } catch {
    return {};
  }
}

/** The name of the current entry of the history. It has one from the first call on. */
export function historyEntry() {
  if (!history.state?.place) {
    const place = Math.random().toString(36).slice(2);
    // `htmx` has the entry restored by htmx.
    history.replaceState({ ...history.state, htmx: true, place }, '');
  }
  return history.state.place;
}

/** The place that was saved for an entry: {id, offset} of a message, {isAtEnd}, or nothing. */
export const placeOf = (entry) => load()[entry];

export function savePlace(entry, place) {
  const { [entry]: _, ...places } = load();
  const kept = Object.entries(places).slice(1 - MAX_PLACES);
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(
    Object.fromEntries([...kept, [entry, place]]),
  ));
}

/** The first visible message and its offset in px from the top of the log. */
export function placeIn(log) {
  if (log.place) return log.place; // still on the way there
  const first = !log.isAtEnd && log.saveAnchor();
  if (!first) return { isAtEnd: true };
  const { offset } = log.anchor;
  log.anchor = null; // the page may be shown again, and scrolled, before anything changes
  return { id: first.id, offset: offset - log.top() };
}

/** Opens a log where the reader left it, with that part of the history. */
export async function returnTo(log, place) {
  log.isAtEnd = false;
  log.update();
  log.changes.takeRecords();
  if (document.getElementById(place.id)) {
    log.anchor = { id: place.id, offset: place.offset + log.top() };
    log.restoreAnchor();
    return;
  }
  log.place = place;
  log.scroller.style.visibility = 'hidden'; // it would jump
  const show = () => { log.scroller.style.visibility = ''; };
  setTimeout(show, MAX_HIDDEN);
  await refetchRegion(log.region());
  log.place = null;
  show();
}
