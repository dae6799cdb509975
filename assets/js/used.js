// Which rooms and spaces the reader opens, how often and how lately: what is found is sorted by it.
// Stored in this browser only, and removed at sign-out.

const MAX_STORED = 100; // rooms and spaces; those used least are forgotten
const MAX_SENT = 40; // keys; the server reads no more
const HALF_LIFE = 7 * 86400000; // ms after which a visit counts half

const storageKey = () => `used:${document.getElementById('app').dataset.me}`;

function load() {
  try {
    return JSON.parse(localStorage.getItem(storageKey())) ?? {};
  } catch {
    return {};
  }
}

const scoreNow = ([score, at]) => score * 0.5 ** ((Date.now() - at) / HALF_LIFE);
const byScore = (used) => Object.keys(used).sort(
  (one, other) => scoreNow(used[other]) - scoreNow(used[one]),
);

/** What was used, the most used first: "r12" is a room, "s3" a space. */
export const usedKeys = () => byScore(load()).slice(0, MAX_SENT);

/** Counts a visit of the page that is shown. */
export function countVisit() {
  const [, kind, id] = /^\/(room|space)s\/(\d+)$/.exec(location.pathname) ?? [];
  if (!kind) return;
  const used = load();
  const key = kind[0] + id;
  used[key] = [scoreNow(used[key] ?? [0, 0]) + 1, Date.now()];
  const kept = byScore(used).slice(0, MAX_STORED);
  localStorage.setItem(storageKey(), JSON.stringify(
    Object.fromEntries(kept.map((name) => [name, used[name]])),
  ));
}
