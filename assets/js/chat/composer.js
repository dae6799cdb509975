// The composer: sends what is written, formats it, and edits your last message with ↑. A draft is
// stored for each room until it is sent, so that no text is lost.

import { announce, words } from '../app.js';
import { act } from '../live.js';
import { showWaiting } from '../waiting.js';
import { Attachments } from './attach.js';
import { isComposing, isSendKey } from './enter_key.js';
import { onFirstUse } from './first_use.js';
import { showNewest } from './log.js';
import { loadPreview, send } from './outbox.js';

const MAX_CHARS = 4000; // graphemes; the server's limit
const MAX_BYTES = 16384; // in UTF-8; the server's limit
const SHOW_BELOW = 400; // graphemes left from which on they are shown
const LONG_PASTE = 2000; // characters from which on a paste may rather be a file
const LONG_PASTE_LINES = 40;
const TYPING_INTERVAL = 2500; // ms between two signs of typing; pages drop one after six seconds
let segmenter = null; // created on first use

/** How many graphemes a text has, and how many a message of such text may have. */
function measure(text) {
  // Counting is slow; a text has no more graphemes than code units, of three bytes at most.
  if (text.length < MAX_CHARS - SHOW_BELOW) return { count: text.length, max: MAX_CHARS };
  let count = 0;
  for (const _ of (segmenter ??= new Intl.Segmenter()).segment(text)) count++;
  const bytes = new TextEncoder().encode(text).length;
  const left = Math.min(MAX_CHARS - count, Math.floor((MAX_BYTES - bytes) * count / bytes));
  return { count, max: count + left };
}

const withNumbers = (text, numbers) => text.replace(/\{(\w+)\}/g, (_, name) => (
  String(numbers[name]).replace(/\B(?=(\d{3})+$)/g, words.thousands)
));

export function startComposer(page) {
  const form = page.querySelector('form.compose');
  if (form) new Composer(page, form).start();
}

class Composer {
  constructor(page, form) {
    this.form = form;
    this.room = page.dataset.roomPage;
    this.area = form.elements.body;
    this.draftKey = `draft:${document.getElementById('app').dataset.me}:${this.room}`;
    this.typingSentAt = 0;
    this.replyKey = `reply:${this.draftKey}`;
    this.reply = null; // the message that is being answered: {id, author, name, text}
    this.attachments = new Attachments(page, form, (text) => this.showError(text));
  }

  start() {
    const { area, form } = this;
    if (!area.value) area.value = localStorage.getItem(this.draftKey) ?? '';
    this.showCount();
    this.restoreReply();
    this.attachments.start();
    onFirstUse(area, form, () => this.loadWriting());
    area.addEventListener('input', () => this.afterInput());
    area.addEventListener('keydown', (event) => this.handleKey(event));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
      area.focus();
    });
    form.addEventListener('click', (event) => this.handleClick(event));
    form.addEventListener('tide:reply', ({ detail }) => {
      this.setReply(detail);
      area.focus();
    });
    this.followOtherTabs();
  }

  // Answering ---------------------------------------------------------------------------------

  /** What was being answered when the page was left, or what its address names. */
  restoreReply() {
    const named = this.form.elements.reply_to?.value;
    if (named) {
      const line = this.form.querySelector('.replying');
      const [name, text] = [line.querySelector('b'), line.querySelector('.text')];
      this.form.elements.reply_to.remove(); // it goes with the post
      this.setReply({ id: named, name: name.textContent, text: text.textContent });
    } else this.setReply(JSON.parse(localStorage.getItem(this.replyKey) ?? 'null'));
  }

  setReply(reply) {
    this.reply = reply;
    if (reply) localStorage.setItem(this.replyKey, JSON.stringify(reply));
    else localStorage.removeItem(this.replyKey);
    const line = this.form.querySelector('.replying');
    line.hidden = !reply;
    line.querySelector('b').textContent = reply?.name ?? '';
    line.querySelector('.text').textContent = reply?.text ?? '';
    if (reply) announce(line.innerText);
  }

  /** Loads and starts what formats, completes and pastes. Resolves to it, or to nothing. */
  loadWriting() {
    this.writing ??= showWaiting(import('./writing.js')).then((writing) => {
      writing.startWriting(this.area, this.form, {
        addFiles: (files, text) => this.addPasted(files, text),
        afterInsert: (inserted) => this.offerFile(inserted),
      });
      return writing;
    }, () => {
      this.writing = null; // the next use tries again
      this.showError(words.notReached);
    });
    return this.writing;
  }

  /** Puts a text in place of a part of the field's, as typing would. */
  async replace(start, end, text) {
    const writing = await this.loadWriting();
    writing?.replaceText(this.area, start, end, text, start + text.length);
  }

  /** A draft that was sent or discarded in another tab is gone in this one. */
  followOtherTabs() {
    const listener = ({ key, oldValue, newValue }) => {
      if (!this.form.isConnected) return removeEventListener('storage', listener);
      if (key !== this.draftKey || this.area.value !== (oldValue ?? '')) return;
      this.area.value = newValue ?? '';
      this.showCount();
    };
    addEventListener('storage', listener);
  }

  afterInput() {
    const text = this.area.value;
    this.storeDraft();
    if (text) loadPreview(text);
    this.showError('');
    const { start, end, text: offered } = this.offered ?? {};
    if (offered && text.slice(start, end) !== offered) this.showOffer(null);
    this.showCount();
    if (text && Date.now() - this.typingSentAt > TYPING_INTERVAL) {
      this.typingSentAt = Date.now();
      act('chat.type', { room: this.room }).catch(() => {});
    }
  }

  storeDraft() {
    const text = this.area.value;
    if (text) localStorage.setItem(this.draftKey, text);
    else localStorage.removeItem(this.draftKey);
  }

  handleKey(event) {
    if (isComposing(event)) return;
    if (isSendKey(event)) {
      event.preventDefault();
      this.submit();
    } else if (event.key === 'ArrowUp' && !this.area.value) {
      event.preventDefault();
      const editing = showWaiting(import('./editing.js'));
      editing.then(({ editLast }) => editLast(this.room), () => this.showError(words.notReached));
    } else if (event.key === 'Escape') {
      if (!this.reply) return this.area.blur();
      event.preventDefault(); // a thread stays open
      this.setReply(null);
    }
  }

  handleClick(event) {
    const command = event.target.closest('[data-format]')?.dataset.format;
    if (command) this.loadWriting().then((writing) => writing?.format(this.area, command));
    if (event.target.closest('[data-emoji]')) this.pickEmoji();
    if (event.target.closest('[data-record]')) this.record();
    if (event.target.closest('[data-do="no-reply"]')) {
      event.preventDefault(); // without scripts it is a link
      this.setReply(null);
      this.area.focus();
    }
    const answer = event.target.closest('.offer [data-do]')?.dataset.do;
    if (answer) this.answerOffer(answer);
  }

  async pickEmoji() {
    const pick = (char) => this.replace(this.area.selectionStart, this.area.selectionEnd, char);
    const picker = import('./emoji_picker.js').then((module) => module.openEmojiPicker(pick));
    await showWaiting(picker).catch(() => this.showError(words.notReached));
  }

  async record() {
    const recorder = await showWaiting(import('./voice_recorder.js')).catch(() => null);
    if (recorder) recorder.record(this);
    else this.showError(words.notReached);
  }

  // Long texts --------------------------------------------------------------------------------

  /** Adds pasted files, or a text as one. */
  addPasted(files, text) {
    const name = `${words.pastedName}.txt`;
    const added = files ?? [new File([text], name, { type: 'text/plain' })];
    this.attachments.add(added.map((file) => ({ file, reason: '' })));
    return true;
  }

  /** Offers to send a long text that was pasted as a file. */
  offerFile(inserted) {
    const { text } = inserted;
    const isLong = text.length > LONG_PASTE || text.split('\n').length > LONG_PASTE_LINES;
    if (isLong) this.showOffer(inserted);
  }

  showOffer(inserted) {
    this.offered = inserted;
    const offer = this.form.querySelector('.offer');
    offer.hidden = !inserted;
    if (inserted) announce(offer.querySelector('span').textContent);
  }

  async answerOffer(answer) {
    const { start, end, text } = this.offered;
    const isUnchanged = this.area.value.slice(start, end) === text;
    this.showOffer(null);
    if (answer === 'file' && isUnchanged) {
      await this.replace(start, end, '');
      this.addPasted(null, text);
    }
    this.area.focus();
  }

  /** Shows how long the text is when it comes near the limit. Whether it is too long. */
  showCount() {
    const output = this.form.querySelector('.count');
    const length = measure(this.area.value);
    output.hidden = length.max - length.count > SHOW_BELOW;
    output.textContent = withNumbers(words.composeCount, { n: length.count, max: length.max });
    output.toggleAttribute('data-over', length.count > length.max);
    return length;
  }

  showError(text) {
    const line = this.form.querySelector('.error');
    line.textContent = text;
    line.hidden = !text;
  }

  /** Says once that the text is too long, in place of the count, and offers the way out. */
  refuseLength(n, max) {
    this.showError(withNumbers(words.tooLong, { n, max }));
    this.form.querySelector('.count').hidden = true;
    const text = this.area.value;
    this.showOffer({ start: 0, end: text.length, text });
  }

  async submit() {
    const { area } = this;
    const text = area.value;
    const body = text.replace(/\s+$/, '').replace(/^\n+/, '');
    const { count, max } = this.showCount();
    if (count > max) return this.refuseLength(count, max);
    // Emptied at once: what is typed from now on is the next message. The stored draft stays until
    // the message is in the outbox.
    area.value = '';
    this.showCount();
    let tray = null, problem = '';
    try {
      tray = await this.attachments.settle(); // some may have been stored before a reload
      if (tray && !tray.isReady()) problem = tray.waitReason();
    } catch {
      problem = words.notReached;
    }
    if (problem) {
      area.value = [text, area.value].filter(Boolean).join('\n');
      return this.showError(problem);
    }
    const isEmpty = !body.trim() && (tray?.isEmpty() ?? true);
    if (!isEmpty) {
      send(this.room, body, tray?.takeFiles(), this.reply);
      this.setReply(null);
    }
    this.storeDraft();
    this.showError('');
    this.showOffer(null);
    if (isEmpty) return;
    this.typingSentAt = 0;
    showNewest(this.room);
  }
}
