// A room: its log, its composer and what waits to be sent. Each part is a file of its own below chat/.

import { startComposer } from './chat/composer.js';
import { startLog } from './chat/log.js';
import { startMessages } from './chat/messages.js';
import { showWaiting } from './chat/outbox.js';
import './chat/viewer.js';

const started = new WeakSet();

function start() {
  const page = document.querySelector('[data-room-page]');
  if (!page || started.has(page)) return;
  started.add(page);
  startLog(page);
  // In a task of its own, so that what a reader does first is not kept waiting for the whole of it.
  setTimeout(() => {
    if (!page.isConnected) return;
    startComposer(page);
    showWaiting(page);
  });
}

startMessages();
document.addEventListener('htmx:after:swap', start);
start();
