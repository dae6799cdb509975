// The tray of the composer: the attachments of the next message. Files are shown with their
// progress, paused, resumed, captioned and removed. attach.js loads it with the first file.

import { words } from '../app.js';
import { keepPreview } from './pending_files.js';
import { onUploadChange, restoreUploads, upload, uploadsOf } from './uploads.js';

const MAX_FILES = 10; // the server's limit for one message
/** Media types and names of files from which the server removes metadata. */
const HAS_METADATA = /^(image|video)\/|\.(avif|cr2|cr3|dng|hei[cf]|mov|nef|arw|tiff?)$/i;
const previews = new Map(); // upload id → object URL of its picture

function previewOf(one) {
  if (!one.file || !/^image\/(png|jpeg|gif|webp)$/.test(one.type)) return '';
  if (!previews.has(one.id)) previews.set(one.id, URL.createObjectURL(one.file));
  return previews.get(one.id);
}

function formatSize(bytes) {
  const units = ['B', 'KB', 'MB', 'GB'];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${bytes < 10 && unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** Starts the tray of a room's composer. `showError` shows a text beside the composer. */
export function startTray(page, form, showError) {
  const tray = new Tray(page, form, showError);
  tray.start();
  return tray;
}

class Tray {
  constructor(page, form, showError) {
    this.page = page;
    this.form = form;
    this.showError = showError;
    this.room = page.dataset.roomPage;
    this.list = form.querySelector('.tray');
    this.input = form.elements.files;
  }

  start() {
    const stop = onUploadChange((one) => (this.page.isConnected ? this.show(one) : stop()));
    this.uploads().forEach((one) => this.show(one));
    this.listenToItems();
  }

  uploads() { return uploadsOf(this.room); }

  isEmpty() { return !this.uploads().length; }

  isReady() { return this.uploads().every((one) => one.state === 'ready'); }

  /** Empties the tray and returns its files, to be posted. */
  takeFiles() {
    const taken = this.uploads();
    const files = taken.map(
      ({ fileId: id, name, caption, voice }) => ({ id, name, caption, voice }),
    );
    for (const one of taken) {
      if (previewOf(one)) keepPreview(one.fileId, one.file);
      one.remove(true);
    }
    return files;
  }

  /** Why a message with this tray cannot be sent yet. */
  waitReason() {
    const hasFailed = this.uploads().some((one) => ['failed', 'lost'].includes(one.state));
    return hasFailed ? document.getElementById('attaching').dataset.blocked : words.attachWait;
  }

  /** Resolves once the uploads of an earlier visit are in the tray. */
  restored() { return restoreUploads(); }

  /** Adds files, each with the reason why it cannot be sent, if there is one. */
  add(found) {
    this.showError('');
    for (const { file, reason } of found) {
      // Picking the file of an interrupted upload again continues that upload, and one that was
      // changed meanwhile is sent from its beginning.
      const earlier = this.uploads().filter((one) => one.name === file.name && !one.file);
      const lost = earlier.find((one) => one.state === 'lost' && one.size === file.size);
      earlier.find((one) => one.state === 'failed' && one.reason !== 'folder')?.remove();
      if (lost && !reason) lost.resume(file);
      else if (this.uploads().length >= MAX_FILES) {
        return this.showError(words.attachMany.replace('{n}', MAX_FILES));
      } else upload(this.room, file, reason);
    }
  }

  // Items -------------------------------------------------------------------------------------

  show(one) {
    if (one.room !== this.room) return;
    const item = this.list.querySelector(`[data-upload="${one.id}"]`);
    if (one.state === 'removed') {
      item?.remove();
      URL.revokeObjectURL(previews.get(one.id));
      previews.delete(one.id);
    } else this.showState(item ?? this.createItem(one), one);
    this.list.hidden = !this.list.children.length;
  }

  createItem(one) {
    const template = document.getElementById('attaching');
    const item = template.content.firstElementChild.cloneNode(true);
    item.dataset.upload = one.id;
    item.querySelector('.name').textContent = one.name;
    item.querySelector('.size').textContent = formatSize(one.size);
    const caption = item.querySelector('.input');
    const label = caption.getAttribute('aria-label').replace('{file}', one.name);
    caption.value = one.caption;
    caption.setAttribute('aria-label', label);
    const intact = item.querySelector('.intact');
    intact.hidden = !HAS_METADATA.test(`${one.type} ${one.name}`);
    intact.firstElementChild.checked = one.intact;
    const preview = previewOf(one);
    const image = item.querySelector('img');
    if (preview) image.src = preview;
    image.hidden = !preview;
    this.list.append(item);
    return item;
  }

  showState(item, one) {
    const progress = item.querySelector('progress');
    const isStopped = ['paused', 'failed', 'lost'].includes(one.state);
    item.dataset.state = one.state;
    progress.value = one.size ? one.offset / one.size : 1;
    progress.hidden = one.state === 'ready' || one.state === 'failed';
    item.querySelector('[data-do="pause"]').hidden = one.state !== 'sending';
    // An empty file and a folder stay what they are.
    const isHopeless = ['empty', 'folder'].includes(one.reason);
    item.querySelector('[data-do="resume"]').hidden = !isStopped || isHopeless;
    item.querySelector('.input').hidden = isHopeless;
    item.querySelector('.intact > input').disabled = !one.file;
    const reasons = document.getElementById('attaching').dataset;
    const texts = {
      failed: reasons[one.reason] || one.problem || words.attachFailed,
      lost: words.attachAgain,
      ready: words.attachReady,
    };
    const line = item.querySelector('.state');
    const text = texts[one.state] ?? '';
    if (line.textContent !== text) line.textContent = text;
  }

  uploadOf(event) {
    const id = event.target.closest('[data-upload]').dataset.upload;
    return this.uploads().find((one) => one.id === id);
  }

  listenToItems() {
    this.list.addEventListener('input', (event) => {
      const one = this.uploadOf(event);
      if (event.target.matches('.intact > *')) return one.setIntact(event.target.checked);
      one.caption = event.target.value;
      one.save();
    });
    // Enter in a caption sends the message, as it does in the text.
    this.list.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing || !event.target.matches('.input')) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.list.addEventListener('click', (event) => {
      const action = event.target.closest('[data-do]')?.dataset.do;
      const one = action && this.uploadOf(event);
      if (!one) return;
      if (action === 'pause') one.pause();
      else if (action === 'remove') one.remove();
      else if (one.file) one.resume();
      else this.input.click();
      if (action === 'remove') this.form.elements.body.focus();
    });
  }
}
