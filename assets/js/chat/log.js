// The message log of a room: it stays at the end while the reader is there, loads history in both
// directions without moving what is being read, draws dividers, and reports what was read.

import { announce, words } from '../app.js';
import { act, followFrom, isConnected, refetchRegion, request } from '../live.js';
import { drawDividers } from './dividers.js';
import { historyEntry, placeIn, placeOf, returnTo, savePlace } from './places.js';

const END_DISTANCE = 48; // px from the end within which the log counts as being at its end
const LOAD_DISTANCE = '600px'; // how far ahead of the reader history is loaded
const UNREAD_OFFSET = 80; // px of read messages shown above the divider of unread ones
const RETRY_DELAY = 3000; // ms
const MAX_ANNOUNCED = 3; // messages read out after one swap

const ownAccount = () => document.getElementById('app').dataset.me;
const idOf = (message) => BigInt(message.id.slice(2)); // elements are called "m-<id>"
/** Whether somebody else wrote it: not the reader, and no line about who joined. */
const isOfOther = ({ dataset: { author } }) => author && author !== ownAccount();
const today = () => new Date().toDateString();
const logs = new Map(); // room → its log: a page may show a room and a thread

/** The text of a message, for screen readers. */
const textOf = (message) => [
  ...message.querySelectorAll('.body, .caption, .attachment img[alt]:not([alt=""])'),
].map((part) => (part.alt ?? part.textContent).trim()).join(' ');

/** Scrolls to the newest messages; fetches them first if the log holds only older ones. */
export function showNewest(room) {
  const log = logs.get(room);
  if (!log) return;
  log.isAtEnd = true;
  if (log.isLive()) log.scrollToEnd();
  else refetchRegion(log.region());
}

export function startLog(page) {
  for (const [room, log] of logs) {
    if (log.page.isConnected) continue;
    log.stop();
    logs.delete(room);
  }
  const log = new Log(page);
  logs.set(log.room, log);
  log.start();
}

class Log {
  constructor(page) {
    this.page = page;
    this.room = page.dataset.roomPage;
    this.scroller = page.querySelector('.scroller');
    this.pill = page.querySelector('.pill-new');
    this.isAtEnd = true;
    this.lastReadId = 0n; // reported to the server
    this.lastSeenId = null; // the newest message at the last update
    this.anchor = null; // the message that must not move, and its offset in px
    this.unseenIds = new Set(); // messages of others below the visible part
    this.firstUnreadId = [...page.querySelectorAll('.log > .new ~ .msg')].find(isOfOther)?.id;
    this.isDirty = false; // whether the log changed since the last update
    this.drawnDay = today(); // the dividers were drawn on this day
    this.isBeside = Boolean(page.closest('.pane')); // the address is not its own
    this.entry = this.isBeside ? null : historyEntry(); // of the tab's history
    this.place = null; // where to go back to, while its part of the history is fetched
    this.listeners = new AbortController();
    this.edges = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.loadHistory(entry.target);
    }, { root: this.scroller, rootMargin: LOAD_DISTANCE });
    this.sizes = new ResizeObserver(() => this.isAtEnd && this.scrollToEnd());
    this.changes = new MutationObserver(() => { this.isDirty = true; });
  }

  region() { return this.page.querySelector('.region'); }

  list() { return document.getElementById(`log-${this.room}`); }

  messages() { return [...this.list().children].filter((item) => item.classList.contains('msg')); }

  /** Whether the log ends with the newest message, so that frames can append to it. */
  isLive() { return this.list().dataset.live !== undefined; }

  /** Whether the reader cannot see the newest message. */
  isAway() { return document.hidden || !document.hasFocus() || !this.isAtEnd; }

  start() {
    this.changes.observe(this.scroller, { childList: true, characterData: true, subtree: true });
    this.listen();
    this.sizes.observe(this.scroller);
    this.sizes.observe(this.list()); // a video has its height only once its first frame is loaded
    const place = this.entry && placeOf(this.entry);
    if (place?.id) returnTo(this, place);
    else if (place && !this.isLive()) showNewest(this.room);
    else this.scrollToStart();
  }

  stop() {
    this.listeners.abort();
    this.edges.disconnect();
    this.sizes.disconnect();
    this.changes.disconnect();
  }

  listen() {
    const on = (target, kind, listener) => {
      target.addEventListener(kind, listener, { signal: this.listeners.signal, passive: true });
    };
    const markRead = () => this.markRead();
    // The page goes with its listeners.
    this.page.addEventListener('tide:refetch', (event) => this.prepareRefetch(event));
    on(document, 'htmx:after:swap', () => this.afterSwap());
    on(document, 'tide:day', () => this.afterSwap());
    on(document, 'tide:frame', ({ detail }) => this.countFrame(detail));
    on(this.scroller, 'scroll', () => this.afterScroll());
    this.pill.addEventListener('click', (event) => {
      event.preventDefault(); // without scripts it is a link
      showNewest(this.room);
    });
    const leave = () => this.entry && this.page.isConnected && savePlace(this.entry, placeIn(this));
    on(document, 'htmx:before:swap', ({ detail }) => detail.ctx.target?.id === 'app' && leave());
    on(window, 'pagehide', leave);
    on(window, 'focus', markRead);
    on(document, 'visibilitychange', markRead);
    on(document, 'tide:connected', markRead);
  }

  // Scrolling ---------------------------------------------------------------------------------

  /** Where a page opens: at the message its address names, at the unread ones, or at the end. */
  scrollToStart() {
    // A redirect drops the fragment of a link followed within the page; `at` names the message.
    const id = new URLSearchParams(location.search).get('at') ?? location.hash.slice(3);
    const named = this.isBeside ? null : document.getElementById(`m-${id}`);
    const target = this.list().contains(named) ? named : null;
    if (target) this.isAtEnd = false;
    this.update();
    this.changes.takeRecords();
    if (target) {
      target.scrollIntoView({ block: 'center' });
      target.classList.add('highlight');
      return;
    }
    const divider = this.page.querySelector('.log > .new');
    const maxScroll = this.scroller.scrollHeight - this.scroller.clientHeight;
    if (divider && divider.offsetTop < maxScroll) {
      this.isAtEnd = false;
      this.scroller.scrollTop = divider.offsetTop - UNREAD_OFFSET;
    }
  }

  scrollToEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.isAtEnd = true;
    this.unseenIds.clear();
    this.showPill();
  }

  afterScroll() {
    if (!this.page.isConnected) return;
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < END_DISTANCE && this.isLive();
    if (this.isAtEnd) this.unseenIds.clear();
    this.showPill();
    if (this.isAtEnd) this.markRead();
  }

  /** Remembers where the first visible message is, and returns the message. */
  saveAnchor() {
    const edge = this.scroller.getBoundingClientRect().top;
    const first = this.messages().find((message) => message.getBoundingClientRect().bottom > edge);
    this.anchor = first && !this.isAtEnd
      ? { id: first.id, offset: first.getBoundingClientRect().top }
      : null;
    return first;
  }

  top() { return this.scroller.getBoundingClientRect().top; }

  /** Scrolls so that the remembered message is where it was. */
  restoreAnchor() {
    const message = this.anchor && document.getElementById(this.anchor.id);
    if (message) {
      this.scroller.scrollTop += message.getBoundingClientRect().top - this.anchor.offset;
    }
    this.anchor = null;
  }

  /** Refetches the part of the history that is being read, and does not move it. */
  prepareRefetch(event) {
    if (event.target !== this.region()) return;
    const { place } = this;
    if (place) {
      event.detail.url += `?at=${place.id.slice(2)}`;
      event.detail.beforeSwap = () => {
        this.anchor = { id: place.id, offset: place.offset + this.top() };
      };
      return;
    }
    const first = !this.isAtEnd && this.saveAnchor();
    if (first) event.detail.url += `?at=${first.id.slice(2)}`;
    event.detail.beforeSwap = () => this.saveAnchor();
  }

  // Updates -----------------------------------------------------------------------------------

  afterSwap() {
    // Most frames are of other parts of the page, and an update measures the whole log.
    const day = today();
    if (this.isDirty || this.changes.takeRecords().length || day !== this.drawnDay) this.update();
    this.restoreAnchor();
    this.changes.takeRecords(); // the update's own changes
    this.isDirty = false;
    this.drawnDay = day;
  }

  update() {
    if (!this.page.isConnected) return;
    this.sortMessages();
    // Wide code scrolls by itself, so it must be reachable with the keyboard.
    for (const code of this.list().querySelectorAll('pre:not([tabindex])')) {
      if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
    }
    this.announceNew();
    drawDividers(this.list(), this.messages(), this.firstUnreadId);
    if (this.isAtEnd) this.scrollToEnd();
    this.showPill();
    this.observeEdges();
    this.markRead();
  }

  /** Sorts by id: the response to a post may arrive before frames of earlier messages. */
  sortMessages() {
    const all = this.messages();
    const isSorted = all.every((message, index) => !index || idOf(message) > idOf(all[index - 1]));
    if (isSorted) return;
    all.sort((one, other) => (idOf(one) < idOf(other) ? -1 : 1));
    all.forEach((message, index) => index && all[index - 1].after(message));
  }

  /**
   * Announces messages of others that came since the last update, counts those out of view, and
   * moves the divider of unread messages above them if everything before them had been read.
   */
  announceNew() {
    const all = this.messages();
    const previous = this.lastSeenId;
    const added = previous === null ? [] : all.filter((message) => idOf(message) > previous);
    if (all.length) this.lastSeenId = idOf(all.at(-1));
    const others = added.filter((message) => message.dataset.author !== ownAccount());
    if (!others.length) return;
    const shown = others.filter((message) => !message.classList.contains('folded'));
    for (const message of shown.slice(-MAX_ANNOUNCED)) {
      const author = message.querySelector('header b')?.textContent; // none of who joined
      announce(author ? `${author}: ${textOf(message)}` : textOf(message));
    }
    const unread = others.filter(isOfOther);
    if (unread.length && this.isAway() && (!this.firstUnreadId || this.lastReadId >= previous)) {
      this.firstUnreadId = unread[0].id;
    }
    if (!this.isAtEnd) unread.forEach((message) => this.unseenIds.add(message.id));
  }

  /** Counts a posted message that a log ending in the past cannot append. */
  countFrame({ feed, html }) {
    const post = /hx-swap="beforeend"><li[^>]* id="(m-\d+)" data-author="(\d+)"/.exec(html);
    if (feed !== `room/${this.room}` || !post || this.isLive()) return;
    const [, id, author] = post;
    if (author === ownAccount()) return;
    this.unseenIds.add(id);
    this.showPill();
  }

  showPill() {
    if (!this.page.isConnected) return;
    const count = this.unseenIds.size;
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const isFar = !this.isLive() || scrollHeight - scrollTop > 2 * clientHeight;
    this.pill.hidden = this.isAtEnd || (!count && !isFar);
    const text = count ? words.newBelow.replace('{n}', count) : words.newest;
    this.pill.querySelector('span').textContent = text;
  }

  markRead() {
    const last = this.page.isConnected && this.messages().at(-1);
    if (!last || this.isAway() || !this.isLive() || !isConnected()) return;
    const id = idOf(last);
    if (id <= this.lastReadId) return;
    this.lastReadId = id;
    act('chat.read', { room: this.room, message: String(id) }).catch(() => {
      this.lastReadId = 0n;
      setTimeout(() => this.markRead(), RETRY_DELAY);
    });
  }

  // History -----------------------------------------------------------------------------------

  observeEdges() {
    this.edges.disconnect();
    for (const edge of this.page.querySelectorAll('a[data-load]')) this.edges.observe(edge);
  }

  async loadHistory(edge) {
    const holder = edge.parentElement, url = edge.dataset.load;
    if (holder.classList.contains('htmx-request')) return;
    holder.classList.add('htmx-request');
    this.edges.unobserve(edge);
    try {
      const response = await request(url);
      if (!response.ok) throw new Error(response.status);
      const part = new DOMParser().parseFromString(await response.text(), 'text/html');
      // A refetch may have replaced the log meanwhile, with other edges.
      if (!edge.isConnected || edge.dataset.load !== url) return;
      this.insertHistory(part, holder);
    } catch {
      setTimeout(() => this.observeEdges(), RETRY_DELAY);
    } finally {
      holder.classList.remove('htmx-request');
    }
  }

  /** Inserts a page of history in place of the link that loaded it. */
  insertHistory(part, holder) {
    const isOlder = holder.classList.contains('older');
    const list = this.list();
    const items = [...part.querySelectorAll('.msg')]
      .filter((item) => !document.getElementById(item.id));
    const nextLink = part.querySelector(isOlder ? '.older' : '.newer');
    this.saveAnchor();
    if (!isOlder) this.lastSeenId = null;
    list[isOlder ? 'prepend' : 'append'](...items);
    if (!isOlder && nextLink?.dataset.end !== undefined) list.dataset.live = '';
    if (nextLink) holder.replaceWith(nextLink); else holder.remove();
    htmx.process(list);
    document.dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));
    followFrom(part.querySelector('ol').dataset.feeds);
  }
}
