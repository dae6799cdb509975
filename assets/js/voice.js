// Voice on every page: the buttons to join, the marks of who speaks, and the call that goes on
// while one browses. What a call needs is loaded when the first one begins.

import { announce, words } from './app.js';
import { request } from './live.js';
import { showNote } from './note.js';

const RESUME_KEY = 'voice'; // of sessionStorage: the call that a reload goes on with
const speaking = new Map(); // room → the participants who speak

let call = null;

/** Whether this browser can talk at all. */
const isCapable = () => 'RTCPeerConnection' in window;

function markSpeaking() {
  for (const entry of document.querySelectorAll('[data-participant]')) {
    const room = entry.parentElement?.id.split('-').at(-1);
    const speaks = speaking.get(room)?.has(entry.dataset.participant) ?? false;
    entry.toggleAttribute('data-is-speaking', speaks);
  }
  call?.showSpeaking(speaking.get(call.room) ?? new Set());
}

function showButtons() {
  for (const button of document.querySelectorAll('[data-voice-join]')) {
    button.hidden = !isCapable() || call?.room === button.dataset.voiceJoin;
  }
}

function showSettings() {
  const page = document.querySelector('[data-voice-devices][hidden]');
  if (page) import('./voice/settings_page.js').then((module) => module.showSettings(page), () => {});
}

function refresh() {
  showSettings();
  showButtons();
  markSpeaking();
  call?.followPeople();
}

async function start(room, doing, before) {
  const { Call } = await import('./voice/call.js');
  call?.leave();
  const next = new Call(room, {
    doing,
    before,
    onChange: () => sessionStorage.setItem(RESUME_KEY, JSON.stringify(next.resumption())),
    onEnd(message) {
      if (call === next) {
        call = null;
        sessionStorage.removeItem(RESUME_KEY);
        refresh();
      }
      if (message) showNote(message);
    },
    announce,
  });
  call = next;
  await next.start();
  refresh();
}

function join(room) {
  if (call?.room === room) return;
  start(room).catch(() => showNote(words.notReached));
}

/** Goes on with the call that was there before the page was loaded anew. */
function resume() {
  const stored = sessionStorage.getItem(RESUME_KEY);
  if (!stored || !isCapable()) return;
  sessionStorage.removeItem(RESUME_KEY);
  const { room, doing, before } = JSON.parse(stored);
  start(room, doing, before).catch(() => {});
}

// Calls that ring: the server adds them, and takes them away when they are answered or over.
const rings = Object.assign(document.createElement('div'), { id: 'voice-rings' });
document.body.append(rings);
let tone = null;

/** A moderator moved this page's call to another room. */
function followMove(mark) {
  if (call?.participant === mark.dataset.voiceMoved) join(mark.dataset.room);
  mark.remove();
}

function ring() {
  rings.querySelectorAll('[data-voice-moved]').forEach(followMove);
  const [first] = rings.children;
  if (!first) {
    tone?.stop();
    tone = null;
  } else if (!tone) {
    import('./voice/ring.js').then(({ startRinging }) => {
      if (rings.children.length && !tone) tone = startRinging(rings.firstElementChild);
    }, () => {});
  }
  showButtons();
}
new MutationObserver(ring).observe(rings, { childList: true });

document.addEventListener('click', (event) => {
  const joining = event.target.closest?.('[data-voice-join]');
  if (joining) {
    const card = joining.closest('.voice-ring');
    join(joining.dataset.voiceJoin);
    card?.remove();
  }
  const declining = event.target.closest?.('[data-voice-decline]');
  if (declining) {
    const body = new URLSearchParams({ room: declining.dataset.voiceDecline });
    request('/act/voice.decline', { method: 'POST', body }).catch(() => {});
    declining.closest('.voice-ring').remove();
  }
});

document.addEventListener('tide:frame', ({ detail: { feed, html } }) => {
  const [, room] = /^room\/(\d+)\/voice$/.exec(feed) ?? [];
  if (!room) return;
  const [, ids] = /data-speaking="([\d ]*)"/.exec(html) ?? [];
  if (ids !== undefined) speaking.set(room, new Set(ids.split(' ').filter(Boolean)));
  setTimeout(refresh); // once the frame is in the page
});
document.addEventListener('htmx:after:swap', refresh);
addEventListener('pagehide', () => call?.pause());
// A page that was kept while one browsed elsewhere has paused its call; others go on as they were.
addEventListener('pageshow', (event) => { if (event.persisted && call) location.reload(); });

refresh();
resume();
