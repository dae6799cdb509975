// A room's page: starts its log, its composer and its outbox. Each part has a file in chat/.

import { preloadTray } from './chat/attach.js';
import { startComposer } from './chat/composer.js';
import { startLog } from './chat/log.js';
import { startMessages } from './chat/messages.js';
import { showPending } from './chat/outbox.js';
import { startSlowMode } from './chat/slow_mode.js';
import { startTyping } from './chat/typing.js';
import './chat/viewer.js';

const PRELOAD_DELAY = 5000; // ms after which a page may load what its first use would load

const started = new WeakSet();

/** Opens the edits of messages that were begun and not saved, if there are any. */
function restoreEdits() {
  const stored = localStorage.getItem(`edits:${document.getElementById('app').dataset.me}`);
  if (!stored || stored === '{}') return;
  import('./chat/editing.js').then((editing) => editing.restoreEdits(), () => {});
}

/** Puts the caret where one writes, unless a touch keyboard would open or a field has it. */
function focusComposer(page) {
  const isBusy = document.activeElement?.matches('input, textarea, select')
    || document.querySelector('dialog[open]');
  if (isBusy || matchMedia('(pointer: coarse)').matches) return;
  page.querySelector('.compose textarea')?.focus({ preventScroll: true });
}

/** Starts the rooms of the page: its own, and the thread beside it. */
function start() {
  for (const page of document.querySelectorAll('[data-room-page]')) {
    if (!started.has(page)) startRoom(page);
  }
  const forum = document.querySelector('[data-forum-page]');
  if (forum) import('./chat/forum.js').then(({ startForum }) => startForum(forum), () => {});
  if (document.querySelector('.pane.thread')) import('./chat/threads.js').catch(() => {});
}

function startRoom(page) {
  started.add(page);
  startLog(page);
  startTyping(page);
  startSlowMode(page);
  if (page.querySelector('.receipts')) {
    import('./chat/receipts.js').then(({ startReceipts }) => startReceipts(page), () => {});
  }
  // In a task of its own, so that it does not delay the reader's first input.
  setTimeout(() => {
    if (!page.isConnected) return;
    startComposer(page);
    showPending(page);
    restoreEdits();
    focusComposer(page);
  });
}

let voices = null;

/** Shows voice messages with what was chosen for them; loaded once there are any. */
function showVoices() {
  if (voices) return voices.showVoices();
  if (!document.querySelector('.msg .player')) return undefined;
  return import('./chat/voice_player.js').then((loaded) => {
    voices = loaded;
    voices.showVoices();
  }, () => {});
}

/** Loads what moves, and what some browsers cannot show, where a page has any. */
function startMedia() {
  if (document.querySelector('a[data-moving], .attachment.image, .attachment.video')) {
    import('./chat/media.js').then(({ scanMedia }) => scanMedia(), () => {});
  }
}

let marking = null;

/** Marks messages that mention the reader's roles and groups; loaded once there are any. */
function markMentions() {
  if (marking) return marking.markMentions();
  if (!document.querySelector('.mention[data-group]')) return undefined;
  return import('./chat/mentions.js').then((loaded) => {
    marking = loaded;
    marking.markMentions();
  }, () => {});
}

let folding = null;

/** Folds messages of people whom the reader blocks or ignores; loaded once there are any. */
function foldMessages() {
  if (folding) return folding.foldMessages();
  if (!document.querySelector('#sidebar:is([data-blocked], [data-ignored])')) return undefined;
  return import('./chat/folds.js').then((loaded) => {
    folding = loaded;
    folding.foldMessages();
  }, () => {});
}

let linking = null;

/** Shows what links to messages lead to; loaded once there are any. */
function showMessageLinks() {
  if (linking) return linking.showMessageLinks();
  if (!document.querySelector('.msg .body a[href*="/messages/"]')) return undefined;
  return import('./chat/message_links.js').then((loaded) => {
    linking = loaded;
    linking.showMessageLinks();
  }, () => {});
}

/** Begins the form of a message for later with the draft of its room. */
function fillForms() {
  const [area, field] = ['[data-draft-of]', '[data-local]'].map((one) => document.querySelector(one));
  if (!area && !field) return;
  import('./chat/scheduled_draft.js').then(({ fillFromDraft, showLocally }) => {
    if (area) fillFromDraft(area);
    if (field) showLocally(field);
  }, () => {});
}

/** Shift+Esc marks everything as read. */
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !event.shiftKey || event.isComposing) return;
  if (document.querySelector('dialog[open]')) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  import('./chat/run_action.js').then(({ runAction }) => runAction('chat.read-all', {})).catch(() => {});
}, { capture: true });

/** Loads what comes with its first use: by then the network may be gone. */
function preload() {
  const parts = ['./chat/threads.js', './chat/writing.js', './chat/editing.js', './clipboard.js',
    './ask.js'];
  parts.forEach((part) => import(part).catch(() => {}));
  import('./chat/names.js').then(({ followNames }) => followNames(), () => {});
  preloadTray();
}

setTimeout(() => (window.requestIdleCallback ?? setTimeout)(preload), PRELOAD_DELAY);

startMessages();
document.addEventListener('htmx:after:swap', () => {
  foldMessages(); // before the log measures, and announces what is not folded
  markMentions();
  showMessageLinks();
  fillForms();
  start();
  startMedia();
  showVoices();
});
foldMessages();
markMentions();
showMessageLinks();
fillForms();
start();
startMedia();
showVoices();
