// The desk of a letter saves the draft while one writes, and a courier's round keeps scans while
// there is no connection. The buttons work without scripts, too.

const SAVE_DELAY = 1200; // ms without a key until the draft is saved

let timer = null;
let saving = null; // the request that is on its way, if any

const desk = () => document.querySelector('form[data-letter-desk]');

function say(form, what) {
  const status = document.querySelector('#letter-saved');
  if (status) status.textContent = status.dataset[what];
}

async function send(form) {
  say(form, 'saving');
  const fields = Object.fromEntries(new FormData(form));
  delete fields.ask;
  try {
    const answer = await fetch('/act/letters.save', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify(fields),
    });
    if (!answer.ok) return say(form, 'failed');
    const { revision } = await answer.json();
    if (revision !== undefined) form.elements.revision.value = revision;
    say(form, 'saved');
  } catch {
    say(form, 'failed');
  }
}

/** One request at a time: each names the revision that the one before it made. */
async function save() {
  clearTimeout(timer);
  const form = desk();
  if (!form) return;
  if (saving) await saving;
  saving = send(form);
  await saving;
  saving = null;
}

document.addEventListener('input', ({ target }) => {
  const form = target.closest?.('form[data-letter-desk]');
  if (!form) return;
  const sheet = form.querySelector('.sheet');
  const paper = new FormData(form).get('paper');
  if (sheet && paper) sheet.className = `sheet paper-${paper}`;
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_DELAY);
});

// What is sent by a button has all of it.
document.addEventListener('submit', ({ target }) => {
  if (target.matches?.('form[data-letter-desk]')) clearTimeout(timer);
}, true);

// A courier's scans ----------------------------------------------------------------------------

const MAX_SCANS = 200; // that wait in this browser
const SCAN_RETRY_DELAY = 5000; // ms

let sending = null; // the round of sending that goes on, if any
let scanTimer = null;

const me = () => document.getElementById('app')?.dataset.me;
// Signing out removes what has the account in its key.
const scansKey = () => `letter-scans:${me()}`;
const scanForm = () => document.querySelector('form[data-letter-scan]');

function scans() {
  try {
    return JSON.parse(localStorage.getItem(scansKey())) ?? [];
  } catch {
    return [];
  }
}

function keepScans(list) {
  if (list.length) localStorage.setItem(scansKey(), JSON.stringify(list));
  else localStorage.removeItem(scansKey());
}

/** The code alone, of what a scanner types: it may be the address of the sticker. */
const codeOf = (text) => text.trim().split('/').pop();

// `crypto.randomUUID` is missing on plain http.
function scanId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function showScans() {
  const box = scanForm()?.querySelector('.scan-queue');
  if (!box) return;
  const all = scans();
  const lines = [];
  for (const [kind, label] of [[false, box.dataset.waiting], [true, box.dataset.refused]]) {
    const some = all.filter(({ refused }) => Boolean(refused) === kind);
    if (!some.length) continue;
    const line = document.createElement('p');
    line.append(`${label} `);
    const codes = document.createElement('code');
    codes.translate = false;
    codes.textContent = some.map(({ code }) => code).join(' ');
    line.append(codes);
    if (kind) line.append(` ${some.at(-1).refused}`);
    lines.push(line);
  }
  box.replaceChildren(...lines);
}

/** Sends one scan: `true` when it is settled, with why it was refused if it was. */
async function sendScan(scan) {
  const { code, deed, key } = scan;
  let answer;
  try {
    answer = await fetch('/act/letters.scan', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ code, deed, key }),
    });
  } catch {
    return false; // no connection
  }
  if (answer.ok) return true;
  if (answer.status === 401 || answer.status === 429 || answer.status >= 500) return false;
  const body = await answer.json().catch(() => null);
  const unknown = scanForm()?.querySelector('.scan-queue').dataset.unknown;
  const words = (answer.status === 404 && unknown) || body?.error?.message;
  scan.refused = words || String(answer.status);
  return true;
}

/** Sends what waits, in order: a later scan of a letter stands on an earlier one. */
async function sendAll() {
  let sent = 0;
  for (;;) {
    const next = scans().find(({ refused }) => !refused);
    if (!next) break;
    if (!(await sendScan(next))) {
      scanTimer = setTimeout(syncScans, SCAN_RETRY_DELAY);
      break;
    }
    const rest = scans().filter(({ key }) => key !== next.key);
    keepScans(next.refused ? [...rest, next].slice(-MAX_SCANS) : rest);
    if (!next.refused) sent += 1;
    showScans();
  }
  return sent;
}

async function syncScans() {
  clearTimeout(scanTimer);
  if (sending || !me() || !scans().some(({ refused }) => !refused)) return showScans();
  // Of several windows one sends; the keys make a second one harmless where there are no locks.
  const run = () => sendAll();
  sending = navigator.locks ? navigator.locks.request(scansKey(), run) : run();
  const sent = await sending.catch(() => 0);
  sending = null;
  if (sent && scanForm() && navigator.onLine) location.reload();
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!form.matches?.('form[data-letter-scan]')) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const fields = new FormData(form);
  const list = scans().filter(({ refused }) => !refused);
  if (list.length >= MAX_SCANS) {
    form.querySelector('.scan-queue').textContent =
      form.querySelector('.scan-queue').dataset.full;
    return;
  }
  const [code, deed] = [codeOf(fields.get('code')), fields.get('deed')];
  keepScans([...list, { code, deed, key: scanId() }]);
  form.elements.code.value = '';
  form.elements.code.focus();
  showScans();
  syncScans();
}, true);

addEventListener('online', syncScans);
document.addEventListener('tide:connected', syncScans);
syncScans();
