// Files on their way to the server, piece by piece over tus 1.0. An upload goes on after a lost network, a restart of the
// server and a reload of the page: what it is and, unless it is very large, the file itself are kept in the browser until
// it has arrived. It does not belong to a page: one may leave the room meanwhile.

const PIECE = 4 << 20; // bytes of one request
const KEPT = 256 << 20; // bytes up to which a file is kept over a reload; a larger one is asked for again
const PATIENCE = [500, 1000, 2000, 5000, 10000]; // ms before the next try
const ELSEWHERE = 300; // ms after which an upload is taken to be another tab's
const uploads = new Map(); // id → upload
const listeners = new Set();
const account = () => document.getElementById('app').dataset.me;
let database = null;

function openDatabase() {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open('tidepool', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('uploads', { keyPath: 'id' });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  return database;
}

async function inStore(mode, use) {
  try {
    const request = use((await openDatabase()).transaction('uploads', mode).objectStore('uploads'));
    return await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return undefined; // without a store uploads work all the same, only not over a reload
  }
}

/** One file on its way. `state`: sending, paused, failed (with `problem`), lost (its file is needed again) or ready. */
class Upload {
  constructor(fields) {
    Object.assign(this, { offset: 0, url: '', caption: '', fileId: '', state: 'sending', problem: '' }, fields);
    this.tries = 0;
    uploads.set(this.id, this);
  }

  keep() {
    const { id, room, account, name, size, type, url, caption, fileId, state } = this;
    const file = this.file && this.size <= KEPT && !fileId ? this.file : null;
    return inStore('readwrite', (store) => store.put({ id, room, account, name, size, type, url, caption, fileId, state, file }));
  }

  tell() {
    listeners.forEach((listener) => listener(this));
  }

  become(state, problem = '') {
    Object.assign(this, { state, problem });
    this.tell();
    this.keep();
  }

  pause() {
    this.become('paused');
    this.request?.abort();
  }

  resume(file = null) {
    if (file) this.file = file;
    this.tries = 0;
    this.become(this.file ? 'sending' : 'lost');
    this.run();
  }

  /** Takes it off the page; what came of it is deleted, unless it was posted. */
  forget(posted = false) {
    this.state = 'gone';
    this.request?.abort();
    uploads.delete(this.id);
    inStore('readwrite', (store) => store.delete(this.id));
    if (this.url && !posted) this.ask('DELETE', this.url).catch(() => {});
    this.tell();
  }

  async run() {
    if (this.running) return;
    this.running = true;
    while (this.state === 'sending') {
      try {
        if (!this.url) await this.begin();
        else await this.stand();
        while (this.state === 'sending' && !this.fileId) await this.send();
        if (this.fileId) this.become('ready');
      } catch (error) {
        if (this.state !== 'sending') break;
        if (error.final) this.become('failed', error.message);
        else await this.wait();
      }
    }
    this.running = false;
  }

  wait() {
    const after = PATIENCE[Math.min(this.tries++, PATIENCE.length - 1)];
    return new Promise((resolve) => {
      const timer = setTimeout(go, after);
      function go() {
        clearTimeout(timer);
        removeEventListener('online', go);
        resolve();
      }
      addEventListener('online', go);
    });
  }

  async begin() {
    const text = (value) => btoa(String.fromCharCode(...new TextEncoder().encode(value)));
    const metadata = `filename ${text(this.name)},kind ${text('chat.attachment')},place ${text(this.room)}`;
    const answer = await this.ask('POST', '/uploads', { 'Upload-Length': this.size, 'Upload-Metadata': metadata });
    this.url = answer.getResponseHeader('Location');
    this.offset = 0;
    await this.keep();
  }

  async stand() {
    const answer = await this.ask('HEAD', this.url);
    this.arrived(answer);
  }

  async send() {
    const headers = { 'Upload-Offset': this.offset, 'Content-Type': 'application/offset+octet-stream' };
    const from = this.offset;
    const answer = await this.ask('PATCH', this.url, headers, this.file.slice(from, from + PIECE), (sent) => {
      this.offset = from + sent;
      this.tell();
    });
    this.tries = 0;
    this.arrived(answer);
  }

  arrived(answer) {
    this.offset = Number(answer.getResponseHeader('Upload-Offset'));
    this.fileId = answer.getResponseHeader('Tidepool-File') ?? '';
    this.tell();
  }

  ask(method, url, headers = {}, body = null, progress = null) {
    return new Promise((resolve, reject) => {
      const request = this.request = new XMLHttpRequest();
      request.open(method, url);
      for (const [name, value] of Object.entries({ 'Tus-Resumable': '1.0.0', Accept: 'application/json', ...headers })) request.setRequestHeader(name, value);
      if (progress) request.upload.onprogress = (event) => progress(event.loaded);
      request.onerror = request.onabort = () => reject(new Error('not connected'));
      request.onload = () => {
        const { status } = request;
        if (status >= 200 && status < 300) return resolve(request);
        if (status === 401) location.reload();
        // What the server forgot is begun anew; what stands elsewhere is asked for; what may pass is tried again.
        if (status === 404 && this.url) this.url = '';
        const passes = [401, 409, 423, 429, 460].includes(status) || (status >= 500 && status !== 507) || (status === 404 && !this.url && method !== 'POST');
        let words = '';
        try { words = JSON.parse(request.responseText).error.message; } catch { /* no words */ }
        reject(Object.assign(new Error(words), { final: !passes }));
      };
      request.send(body);
    });
  }
}

/** Begins to send a file to a room. */
export function upload(room, file) {
  const one = new Upload({ id: crypto.randomUUID(), room, account: account(), name: file.name || 'file', size: file.size, type: file.type, file });
  one.tell();
  one.keep();
  alone(one.id, () => sendToTheEnd(one));
  return one;
}

/** The uploads of a room, in order. */
export const uploadsOf = (room) => [...uploads.values()].filter((one) => one.room === room && one.account === account());

/** Calls back whenever an upload changes. */
export function whenUploadsChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Calls back in one tab at a time: in the others as soon as this one lets go of it, at the latest when it is closed. */
function alone(id, use) {
  if (navigator.locks) navigator.locks.request(`tidepool-upload-${id}`, use); else use();
}

/** Sends it. The tab that has it keeps it until it is posted or removed, so that no other shows it, too. */
async function sendToTheEnd(one) {
  const gone = new Promise((resolve) => {
    const stop = whenUploadsChange((changed) => changed === one && one.state === 'gone' && (stop(), resolve()));
  });
  await one.run();
  return gone;
}

/** Takes up one that was kept, unless another tab has it. Settles when it is in the tray. */
function takeUpOne(id) {
  return new Promise((known) => {
    setTimeout(known, ELSEWHERE);
    alone(id, async () => {
      const kept = await inStore('readonly', (store) => store.get(id));
      if (!kept || uploads.has(id)) return known(); // posted or removed by the tab that had it
      const one = new Upload(kept);
      if (!one.file && !one.fileId) one.state = 'lost';
      one.tell();
      known();
      return sendToTheEnd(one);
    });
  });
}

async function takeUpKept() {
  const kept = (await inStore('readonly', (store) => store.getAll())) ?? [];
  await Promise.all(kept.filter((one) => one.account === account()).map((one) => takeUpOne(one.id)));
}

let taken = null;

/** Takes up what a reload interrupted, once. Settles when that is known, and within a second whatever the browser's store does. */
export const takeUp = () => taken ??= Promise.race([takeUpKept(), new Promise((done) => setTimeout(done, 1000))]);

// When the page has time: most have nothing to take up, and opening a database is work.
if (window.requestIdleCallback) requestIdleCallback(takeUp, { timeout: 500 }); else setTimeout(takeUp);
