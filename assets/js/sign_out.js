// Signing out: nothing of the account stays in this browser, and Back shows none of its pages.

import { expectSignOut, request } from './live.js';

const CLEANUP_TIMEOUT = 2000; // ms that the sign-out waits at most for what scripts clean up
const account = () => document.getElementById('app')?.dataset.me;

/**
 * Calls `cleanup(account)` before a sign-out. It may return a promise, which the sign-out waits
 * for.
 */
export function onSignOut(cleanup) {
  document.addEventListener('tide:sign-out', ({ detail }) => {
    detail.cleanups.push(cleanup(detail.account));
  });
}

/** Removes drafts, posts that were not sent and what the browser remembers of pages. */
function clearStorage(me) {
  const ofAccount = (key) => key.split(':')[1] === me;
  Object.keys(localStorage).filter(ofAccount).forEach((key) => localStorage.removeItem(key));
  sessionStorage.clear();
}

document.addEventListener('submit', async (event) => {
  const form = event.target;
  if (form.getAttribute('action') !== '/sign-out') return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const cleanups = [];
  const detail = { account: account(), cleanups };
  document.dispatchEvent(new CustomEvent('tide:sign-out', { detail }));
  const timeout = new Promise((resolve) => setTimeout(resolve, CLEANUP_TIMEOUT));
  await Promise.race([Promise.allSettled(cleanups), timeout]);
  clearStorage(detail.account);
  expectSignOut();
  form.submit(); // as a navigation, without htmx: it leaves nothing of this page
}, { capture: true });

/**
 * A page that the browser had kept is shown when the server says that its account is still signed
 * in. Otherwise it is loaded again.
 */
async function checkSession() {
  const me = account();
  if (!me) return;
  document.documentElement.hidden = true;
  const sidebar = await request('/sidebar', { cache: 'no-store' })
    .then((response) => (response.ok ? response.text() : ''))
    .catch(() => '');
  if (!sidebar.includes(`/accounts/${me}/`)) return location.reload();
  document.documentElement.hidden = false;
}

addEventListener('pageshow', ({ persisted }) => {
  const [navigation] = performance.getEntriesByType('navigation');
  if (persisted || navigation?.type === 'back_forward') checkSession();
});
