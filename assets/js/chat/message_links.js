// Shows beneath a message what its links to other messages lead to. The server answers each reader
// by their own rights, so the previews are no part of the messages, which all readers share.

import { request } from '../live.js';

const MAX_PREVIEWS = 3; // of one message
const MAX_KEPT = 100;
const PATH = /^\/messages\/(\d{1,20})$/;
const previews = new Map(); // id → a promise of the preview's HTML, or of nothing

async function fetchPreview(id) {
  const response = await request(`/messages/${id}/preview`).catch(() => null);
  return response?.ok ? response.text() : '';
}

function previewOf(id) {
  if (!previews.has(id)) {
    if (previews.size >= MAX_KEPT) previews.clear();
    previews.set(id, fetchPreview(id));
    setTimeout(() => previews.delete(id), 60_000); // messages change
  }
  return previews.get(id);
}

/** The messages of this server that a message links to. */
function linkedMessages(message) {
  const ids = [...message.querySelectorAll('.body a[href]')]
    .filter((link) => link.host === location.host)
    .map((link) => PATH.exec(link.pathname)?.[1])
    .filter(Boolean);
  return [...new Set(ids)].slice(0, MAX_PREVIEWS);
}

async function show(message) {
  const ids = linkedMessages(message);
  const found = (await Promise.all(ids.map(previewOf))).join('');
  if (!found || !message.isConnected || message.querySelector('.previews')) return;
  const box = document.createElement('div');
  box.className = 'previews';
  box.innerHTML = found;
  message.querySelector('.body').after(box);
}

// What is far away is not asked for.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    show(target);
  }
}, { rootMargin: '200px' });

/** Has the previews of the page's messages shown once they come into view. */
export function showMessageLinks() {
  for (const link of document.querySelectorAll('.msg .body a[href*="/messages/"]')) {
    const message = link.closest('.msg');
    if (!message.querySelector('.previews')) seen.observe(message);
  }
}
