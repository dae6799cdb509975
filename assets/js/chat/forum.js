// The list of posts in a forum room: opens a post in the pane, and marks new ones as read while the
// page is looked at.

import { act } from '../live.js';
import { showWaiting } from '../waiting.js';

const BESIDE = '(min-width: 900px)'; // from here on a thread stands beside its room

const newestOf = (page) => [...page.querySelectorAll('.post')]
  .map((post) => BigInt(post.dataset.message))
  .reduce((one, other) => (other > one ? other : one), 0n);

function markRead(page) {
  const newest = newestOf(page);
  if (document.hidden || !page.isConnected || newest <= BigInt(page.dataset.newest)) return;
  page.dataset.newest = newest;
  act('chat.read', { room: page.dataset.forumPage, message: String(newest) }).catch(() => {});
}

const started = new WeakSet();

export function startForum(page) {
  if (started.has(page)) return;
  started.add(page);
  new MutationObserver(() => markRead(page)).observe(page, { childList: true, subtree: true });
  document.addEventListener('visibilitychange', () => markRead(page));
}

document.addEventListener('click', async (event) => {
  const link = event.target.closest('a[data-open-thread]');
  const isPlain = !event.defaultPrevented && event.button === 0
    && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !isPlain || !matchMedia(BESIDE).matches) return;
  event.preventDefault();
  event.stopPropagation();
  const threads = await showWaiting(import('./threads.js')).catch(() => null);
  if (threads) threads.openLinked(link);
  else location.assign(link.href);
}, { capture: true });
