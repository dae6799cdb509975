// Attaching files: the button, paste and drop. What sends and shows files is loaded with the first
// one, or where an earlier visit left some.

import { words } from '../app.js';
import { onConnected } from '../live.js';
import { onSignOut } from '../sign_out.js';
import { showWaiting } from '../waiting.js';
import { filesOf } from './dropped_files.js';

const IDLE_TIMEOUT = 500; // ms after which left uploads are restored on a busy page, too

/** Where uploads.js notes that it has stored some: opening its database takes time. */
const areStored = () => localStorage.getItem(
  `uploads:${document.getElementById('app').dataset.me}`,
) !== null;

let started = []; // the attachments of the composers that are shown
let isLoaded = false;
let failedLoads = 0;

/** Loads tray.js. Each try has an address of its own: some browsers remember that one failed. */
async function importTray() {
  try {
    const tray = await import(failedLoads ? `./tray.js?${failedLoads}` : './tray.js');
    isLoaded = true;
    return tray;
  } catch (error) {
    failedLoads++;
    throw error;
  }
}

/** The attachments of a room's composer. `showError` shows a text beside the composer. */
export class Attachments {
  constructor(page, form, showError) {
    Object.assign(this, { page, form, showError });
    this.loading = null;
    this.waiting = []; // files that were added while the tray could not be loaded
  }

  start() {
    started = [...started.filter(({ page }) => page.isConnected), this];
    const { form, page } = this;
    const button = form.querySelector('[data-attach]');
    const input = form.elements.files;
    form.classList.add('scripted');
    button.hidden = false;
    button.addEventListener('click', () => input.click());
    input.addEventListener('change', () => {
      this.add([...input.files].map((file) => ({ file, reason: '' })));
      input.value = '';
    });
    form.addEventListener('paste', (event) => {
      const files = filesOf(event.clipboardData);
      if (!files.length) return;
      event.preventDefault();
      this.add(files);
    });
    this.acceptDrops(page);
    if (isLoaded) this.load();
    else if (areStored()) {
      const restore = () => this.load().catch(() => {});
      if (window.requestIdleCallback) requestIdleCallback(restore, { timeout: IDLE_TIMEOUT });
      else setTimeout(restore);
    }
  }

  /** Resolves to the tray. What failed to load is tried again by the next call. */
  load() {
    this.loading ??= importTray()
      .then(({ startTray }) => startTray(this.page, this.form, this.showError));
    this.loading.catch(() => { this.loading = null; });
    return this.loading;
  }

  /**
   * Adds files, each with the reason why it cannot be sent, if there is one. A drop or paste is
   * only readable while its event is handled: take its files out first.
   */
  async add(files) {
    this.waiting.push(...files);
    try {
      const tray = await showWaiting(this.load());
      tray.add(this.waiting.splice(0));
    } catch {
      this.showError(words.notReached);
    }
  }

  /**
   * The tray with all that is attached, once it is there; null where nothing is, or where what an
   * earlier visit left cannot be loaded yet. Fails when files were added that cannot be.
   */
  async settle() {
    if (!this.loading && !this.waiting.length && !areStored()) return null;
    try {
      const tray = await this.load();
      await tray.restored();
      return tray;
    } catch (error) {
      if (this.waiting.length) throw error;
      return null;
    }
  }

  acceptDrops(page) {
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    page.addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      page.toggleAttribute('data-dropping', true);
    });
    page.addEventListener('dragleave', (event) => {
      if (!page.contains(event.relatedTarget)) page.removeAttribute('data-dropping');
    });
    page.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      page.removeAttribute('data-dropping');
      this.add(filesOf(event.dataTransfer));
    });
  }
}

/** Loads what comes with the first file: by then the network may be gone. */
export const preloadTray = () => {
  const shown = started.find(({ page }) => page.isConnected);
  return (shown ? shown.load() : importTray()).catch(() => {});
};

onConnected(() => {
  for (const one of started) if (one.waiting.length && one.page.isConnected) one.add([]);
});

// Files of the account that signs out do not stay in this browser.
onSignOut((account) => import('./uploads.js').then(
  (uploads) => uploads.removeAll(account),
  () => indexedDB.deleteDatabase('tidepool'), // also what others left, rather than none
));
