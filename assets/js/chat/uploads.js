// Uploads: files sent to the server in chunks over tus 1.0. An upload survives a lost network, a
// restart of the server and a reload of the page: its record and, up to MAX_STORED_SIZE, its file
// are stored in IndexedDB until it is posted or removed. It belongs to no page: the reader may
// leave the room meanwhile.

import { randomKey } from './outbox.js';
import { inStore } from './upload_store.js';

const CHUNK_SIZE = 4 << 20; // bytes per request
const MAX_STORED_SIZE = 256 << 20; // bytes; a larger file has to be picked again after a reload
const RETRY_DELAYS = [500, 1000, 2000, 5000, 10000]; // ms; the last one repeats
const LOCK_TIMEOUT = 600; // ms after which an upload is taken to belong to another tab
const RESTORE_TIMEOUT = 1000; // ms that a submit waits at most for IndexedDB
const TEMPORARY_STATUSES = [401, 409, 423, 429, 460];

const uploads = new Map(); // id → upload
const listeners = new Set();
const currentAccount = () => document.getElementById('app').dataset.me;
/** The key of localStorage that tells attach.js of stored uploads. */
const noteKey = (account) => `uploads:${account}`;

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/**
 * One file. `state` is 'sending', 'paused', 'failed' (see `problem`, the server's words, or
 * `reason`, a name of an attribute of the tray's template), 'lost' (the file has to be picked
 * again), 'ready' (see `fileId`) or 'removed'. `intact` says that its metadata is kept, `voice`
 * what the server is told of a recording.
 */
class Upload {
  constructor(fields) {
    Object.assign(this, {
      offset: 0, url: '', caption: '', voice: '', fileId: '', intact: false, state: 'sending',
      problem: '', reason: '', ...fields,
    });
    this.retries = 0;
    uploads.set(this.id, this);
  }

  save() {
    const { id, room, account, name, size, type, url, caption, voice, fileId, intact } = this;
    const file = this.file && this.size <= MAX_STORED_SIZE && !fileId ? this.file : null;
    const stored = {
      id, room, account, name, size, type, url, caption, voice, fileId, intact, file,
      state: this.state,
    };
    localStorage.setItem(noteKey(account), 'stored');
    return inStore('readwrite', (store) => store.put(stored));
  }

  notify() {
    listeners.forEach((listener) => listener(this));
  }

  setState(state, problem = '', reason = '') {
    Object.assign(this, { state, problem, reason });
    this.notify();
    this.save();
  }

  pause() {
    this.setState('paused');
    this.xhr?.abort();
  }

  resume(file = null) {
    if (file) this.file = file;
    this.retries = 0;
    this.setState(this.file ? 'sending' : 'lost');
    this.run();
  }

  /** Sends it again from its beginning, with its metadata or without. */
  setIntact(intact) {
    const { url } = this;
    Object.assign(this, { intact, url: '', fileId: '', offset: 0, retries: 0 });
    this.xhr?.abort();
    if (url) this.request('DELETE', url).catch(() => {});
    this.setState('sending');
    this.run();
  }

  /** Removes it from the tray, and from the server unless it was posted. */
  remove(isPosted = false) {
    this.state = 'removed';
    this.xhr?.abort();
    uploads.delete(this.id);
    inStore('readwrite', (store) => store.delete(this.id)).then(() => dropNote(this.account));
    if (this.url && !isPosted) this.request('DELETE', this.url).catch(() => {});
    this.notify();
  }

  /** Sends chunks until the upload is ready, failed, paused or removed. */
  async run() {
    if (this.isRunning) return;
    this.isRunning = true;
    while (this.state === 'sending') {
      try {
        if (!this.url) await this.read(0, 1); // before the server reserves room for it
        if (!this.url) await this.create();
        else await this.fetchOffset();
        while (this.state === 'sending' && !this.fileId) await this.sendChunk();
        if (this.fileId) this.setState('ready');
      } catch (error) {
        if (this.state !== 'sending') break;
        if (error.isFinal) this.setState('failed', error.message, error.reason);
        else await this.waitForRetry();
      }
    }
    this.isRunning = false;
  }

  /** Waits for the retry delay or for the network, whichever is first. */
  waitForRetry() {
    const delay = RETRY_DELAYS[Math.min(this.retries++, RETRY_DELAYS.length - 1)];
    return new Promise((resolve) => {
      const timer = setTimeout(finish, delay);
      function finish() {
        clearTimeout(timer);
        removeEventListener('online', finish);
        resolve();
      }
      addEventListener('online', finish);
    });
  }

  async create() {
    const metadata = { filename: this.name, kind: 'chat.attachment', place: this.room };
    if (this.intact) metadata.intact = 'yes';
    const response = await this.request('POST', '/uploads', {
      'Upload-Length': this.size,
      'Upload-Metadata': Object.entries(metadata)
        .map(([name, value]) => `${name} ${base64(value)}`)
        .join(','),
    });
    this.url = response.getResponseHeader('Location');
    this.offset = 0;
    await this.save();
  }

  async fetchOffset() {
    this.applyProgress(await this.request('HEAD', this.url));
  }

  async sendChunk() {
    const start = this.offset;
    const chunk = await this.read(start, Math.min(start + CHUNK_SIZE, this.size));
    if (this.state !== 'sending') return;
    const response = await this.request('PATCH', this.url, {
      'Upload-Offset': start,
      'Content-Type': 'application/offset+octet-stream',
    }, chunk, (sent) => {
      this.offset = start + sent;
      this.notify();
    });
    this.retries = 0;
    this.applyProgress(response);
  }

  /**
   * Reads a piece of the file. Read before it is sent, so that a file that is gone or was changed
   * is not mistaken for a network that is gone.
   */
  async read(from, to) {
    const fail = (reason) => Object.assign(new Error(), { isFinal: true, reason });
    let bytes;
    try {
      bytes = await this.file.slice(from, to).arrayBuffer();
    } catch (error) {
      this.file = null; // has to be picked again
      throw fail(error.name === 'NotFoundError' ? 'gone' : 'changed');
    }
    if (bytes.byteLength < to - from) {
      this.file = null;
      throw fail('changed');
    }
    return bytes;
  }

  applyProgress(response) {
    this.offset = Number(response.getResponseHeader('Upload-Offset'));
    this.fileId = response.getResponseHeader('Tidepool-File') ?? '';
    this.notify();
  }

  /** Sends with XMLHttpRequest, because fetch does not report how much was sent. */
  request(method, url, headers = {}, body = null, onProgress = null) {
    return new Promise((resolve, reject) => {
      const xhr = this.xhr = new XMLHttpRequest();
      xhr.open(method, url);
      const all = { 'Tus-Resumable': '1.0.0', Accept: 'application/json', ...headers };
      for (const [name, value] of Object.entries(all)) xhr.setRequestHeader(name, value);
      if (onProgress) xhr.upload.onprogress = (event) => onProgress(event.loaded);
      xhr.onerror = xhr.onabort = () => reject(new Error('not connected'));
      xhr.onload = () => {
        if (xhr.status >= 200 && xhr.status < 300) resolve(xhr);
        else reject(this.errorOf(xhr, method));
      };
      xhr.send(body);
    });
  }

  /** The error of a response. `isFinal` says that trying again is pointless. */
  errorOf({ status, responseText }, method) {
    if (status === 401) location.reload();
    // An upload that the server no longer has is created again, and so its 404 is temporary.
    if (status === 404 && this.url) this.url = '';
    const isTemporary = TEMPORARY_STATUSES.includes(status)
      || (status >= 500 && status !== 507)
      || (status === 404 && !this.url && method !== 'POST');
    let message = '';
    try { message = JSON.parse(responseText).error.message; } catch { /* not JSON: no message */ }
    return Object.assign(new Error(message), { isFinal: !isTemporary });
  }
}

/** Removes the note once nothing is stored: the uploads of other tabs are, too. */
async function dropNote(account) {
  const count = await inStore('readonly', (store) => store.count());
  if (count === 0) localStorage.removeItem(noteKey(account));
}

/** Starts to upload a file for a room, or shows the reason why it cannot be sent. */
export function upload(room, file, reason = '', voice = '') {
  const { size, type } = file;
  const fields = {
    id: randomKey(), room, account: currentAccount(), name: file.name || 'file', size, type, voice,
  };
  const problem = reason || (size ? '' : 'empty');
  if (problem) {
    const failed = new Upload({ ...fields, state: 'failed', reason: problem });
    failed.notify();
    return failed;
  }
  const one = new Upload({ ...fields, file });
  one.notify();
  one.save();
  withLock(one.id, () => runUntilRemoved(one));
  return one;
}

/** The uploads of the current account for a room, in order. */
export const uploadsOf = (room) => [...uploads.values()]
  .filter((one) => one.room === room && one.account === currentAccount());

/** Calls `listener` whenever an upload changes. Returns a function that ends this. */
export function onUploadChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls `use` in one tab at a time; in the next one when its promise settles or the tab closes. */
async function withLock(id, use) {
  const name = `tidepool-upload-${id}`;
  if (navigator.locks) return navigator.locks.request(name, use);
  const locks = await import('../locks.js').catch(() => null);
  return locks ? locks.withLock(name, use) : use();
}

/** Sends it, and holds its lock until it is posted or removed: no other tab may show it. */
async function runUntilRemoved(one) {
  const removed = new Promise((resolve) => {
    const stop = onUploadChange((changed) => {
      if (changed !== one || one.state !== 'removed') return;
      stop();
      resolve();
    });
  });
  await one.run();
  return removed;
}

/** Restores one stored upload, unless another tab has it. Resolves once it is in `uploads`. */
function restoreUpload(id) {
  return new Promise((resolve) => {
    setTimeout(resolve, LOCK_TIMEOUT);
    withLock(id, async () => {
      const stored = await inStore('readonly', (store) => store.get(id));
      if (!stored || uploads.has(id)) return resolve(); // the other tab posted or removed it
      const one = new Upload(stored);
      if (!one.file && !one.fileId) one.state = 'lost';
      one.notify();
      resolve();
      return runUntilRemoved(one);
    });
  });
}

async function restoreAll() {
  const stored = (await inStore('readonly', (store) => store.getAll())) ?? [];
  const own = stored.filter((one) => one.account === currentAccount());
  await Promise.all(own.map((one) => restoreUpload(one.id)));
}

let restored = null;

/** Restores, once, the uploads that a reload interrupted. Resolves within RESTORE_TIMEOUT. */
export const restoreUploads = () => restored ??= Promise.race([
  restoreAll(),
  new Promise((resolve) => setTimeout(resolve, RESTORE_TIMEOUT)),
]);

restoreUploads();

/** Removes all uploads of an account that signs out. */
export async function removeAll(account) {
  const isOwn = (upload) => upload.account === account;
  [...uploads.values()].filter(isOwn).forEach((upload) => upload.remove());
  const stored = (await inStore('readonly', (store) => store.getAll())) ?? [];
  const ids = stored.filter(isOwn).map(({ id }) => id);
  await Promise.all(ids.map((id) => inStore('readwrite', (store) => store.delete(id))));
}
