// Where the reader was in a log, for each entry of the tab's history: Back leads to the same place.

const STORAGE_KEY = 'places';
const MAX_PLACES = 50; // entries of the history; older ones open as if they were new

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
