// Editing a message in place. What is written is stored until it is saved or cancelled, so that it
// survives leaving the room; a change that was made elsewhere meanwhile is shown, not overwritten.

import { refetchRegion, request } from '../live.js';
import { showWaiting } from '../waiting.js';
import { isComposing, isSendKey } from './enter_key.js';
import { runAction } from './run_action.js';
import { whenSent } from './outbox.js';
import { startWriting } from './writing.js';

const MAX_STORED = 20; // edits of an account that are kept in this browser

const account = () => document.getElementById('app').dataset.me;
const idOf = (message) => message.id.slice(2); // elements are called "m-<id>"
const storageKey = () => `edits:${account()}`;

// Stored edits --------------------------------------------------------------------------------

const readEdits = () => JSON.parse(localStorage.getItem(storageKey()) ?? '{}');

function storeEdit(id, edit) {
  const edits = Object.entries(readEdits()).filter(([other]) => other !== id);
  if (edit) edits.push([id, edit]);
  localStorage.setItem(storageKey(), JSON.stringify(Object.fromEntries(edits.slice(-MAX_STORED))));
}

/** Opens the stored edits of the messages that a page shows. */
export function restoreEdits() {
  for (const [id, edit] of Object.entries(readEdits())) {
    const message = document.getElementById(`m-${id}`);
    if (message && !message.querySelector('form.edit')) new Edit(message, edit).open(false);
  }
}

/** Edits the newest of one's own messages in a room, also one that is just being sent. */
export async function editLast(room) {
  await whenSent(room);
  const selector = `#log-${room} > .msg[data-author="${account()}"]:not([data-deleted])`;
  const own = [...document.querySelectorAll(selector)];
  if (own.length) await edit(own.at(-1));
}

/** Edits a message. */
export async function edit(message) {
  if (message.querySelector('form.edit')) return;
  const source = await fetchSource(idOf(message));
  if (source) new Edit(message, { ...source, base: source.body }).open(true);
}

/** A message as written, and its revision. Nothing if it cannot be had. */
async function fetchSource(id) {
  const response = await showWaiting(request(`/messages/${id}/source`)).catch(() => null);
  if (!response?.ok) return null;
  return { body: await response.text(), revision: response.headers.get('Tidepool-Revision') };
}

/** One message being edited: `base` is the text it had, in `revision`; `body` what it is to be. */
class Edit {
  constructor(message, { body, base, revision }) {
    Object.assign(this, { message, body, base, revision });
    this.id = idOf(message);
    this.form = document.getElementById('editing').content.firstElementChild.cloneNode(true);
    this.area = this.form.querySelector('textarea');
    this.shown = message.querySelector('.body');
  }

  open(isFocused) {
    const { message, form, area, shown } = this;
    area.id = `editing-${this.id}`;
    form.querySelector('label').htmlFor = area.id;
    area.value = this.body;
    // Frames must not replace the form; what they bring is fetched again when it is closed.
    message.setAttribute('hx-morph-skip', '');
    message.classList.remove('open');
    message.classList.add('editing');
    if (shown) shown.hidden = true;
    (shown ?? message.querySelector('header')).after(form);
    this.listen();
    if (!isFocused) return;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    this.scrollTo();
  }

  scrollTo() { this.form.scrollIntoView({ block: 'nearest' }); }

  listen() {
    const { form, area } = this;
    startWriting(area, form, { addFiles: () => false });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.save();
    });
    form.querySelector('[data-do=cancel]').addEventListener('click', () => this.cancel());
    area.addEventListener('input', () => {
      const { base, revision } = this;
      const isChanged = area.value !== base;
      storeEdit(this.id, isChanged ? { body: area.value, base, revision } : null);
      this.scrollTo();
    });
    area.addEventListener('keydown', (event) => {
      if (isComposing(event)) return;
      if (event.key === 'Escape') this.cancel();
      else if (isSendKey(event)) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    const frames = ({ detail }) => {
      if (!form.isConnected) document.removeEventListener('tide:frame', frames);
      else if (detail.html?.includes(` id="m-${this.id}"`)) this.compare();
    };
    document.addEventListener('tide:frame', frames);
  }

  close() {
    storeEdit(this.id, null);
    this.message.removeAttribute('hx-morph-skip');
    this.message.classList.remove('editing');
    this.form.remove();
    if (this.shown) this.shown.hidden = false;
  }

  cancel() {
    const region = this.message.closest('.region');
    this.close();
    focusComposer(this.message);
    if (region) refetchRegion(region);
  }

  /** Shows what the message says now, if it was changed since it was read. Whether it was. */
  async compare() {
    const now = await fetchSource(this.id);
    if (!now || now.revision === this.revision || !this.form.isConnected) return false;
    this.revision = now.revision;
    if (now.body === this.base || now.body === this.area.value) return false; // its files changed
    this.base = now.body;
    this.form.querySelector('.changed').hidden = false;
    this.form.querySelector('.changed .body').textContent = now.body;
    storeEdit(this.id, { body: this.area.value, base: this.base, revision: this.revision });
    this.scrollTo();
    return true;
  }

  async save() {
    const button = this.form.querySelector('.btn');
    const line = this.form.querySelector('.error');
    const fields = { message: this.id, body: this.area.value, revision: this.revision };
    button.setAttribute('aria-busy', 'true');
    line.hidden = true;
    try {
      this.message.removeAttribute('hx-morph-skip');
      await runAction('chat.edit', fields);
      this.close();
      focusComposer(this.message);
    } catch (error) {
      this.message.setAttribute('hx-morph-skip', '');
      if (error.status === 409) {
        const before = this.revision;
        if (!await this.compare() && this.revision !== before) return this.save();
      }
      line.textContent = error.message;
      line.hidden = false;
    } finally {
      button.removeAttribute('aria-busy');
    }
  }
}

const focusComposer = (message) => message.closest('[data-room-page]')
  ?.querySelector('form.compose textarea')?.focus({ preventScroll: true });
