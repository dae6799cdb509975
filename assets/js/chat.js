// A room's page: starts its log, its composer and its outbox. Each part has a file in chat/.

import { startComposer } from './chat/composer.js';
import { restoreEdits } from './chat/editing.js';
import { startLog } from './chat/log.js';
import { startMessages } from './chat/messages.js';
import { showPending } from './chat/outbox.js';
import './chat/viewer.js';

const started = new WeakSet();

function start() {
  const page = document.querySelector('[data-room-page]');
  if (!page || started.has(page)) return;
  started.add(page);
  startLog(page);
  // In a task of its own, so that it does not delay the reader's first input.
  setTimeout(() => {
    if (!page.isConnected) return;
    startComposer(page);
    showPending(page);
    restoreEdits();
  });
}

startMessages();
document.addEventListener('htmx:after:swap', start);
start();
