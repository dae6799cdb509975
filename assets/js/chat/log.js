// The log of a room: it stays at the bottom if you were there, loads history both ways without moving what you read,
// draws the reader's own days, and says what was read.

import { announce, words } from '../app.js';
import { act, ask, followFrom, isConnected, rereadRegion } from '../live.js';
import { drawDividers } from './dividers.js';

const NEAR = 48; // px from the end that count as being there
const account = () => document.getElementById('app').dataset.me;
let current = null;

/** What a message says, for those who hear it. */
const textOf = (message) => [...message.querySelectorAll('.body, .caption, .attachment img[alt]:not([alt=""])')].map((part) => (part.alt ?? part.textContent).trim()).join(' ');

/** Shows the newest messages, of which the log may hold only older ones. */
export function toPresent() {
  if (!current) return;
  current.stuck = true;
  if (current.isLive()) current.toEnd();
  else rereadRegion(current.region());
}

export function startLog(page) {
  current?.stop();
  const room = page.dataset.roomPage;
  const scroller = page.querySelector('.scroller');
  const gone = new AbortController();
  const idOf = (message) => BigInt(message.id.slice(2));
  const view = current = {
    stuck: true, read: 0n, last: null, anchor: null,
    unseen: new Set(), // messages of others below what is before the eyes
    line: page.querySelector('.log > .new + .msg')?.id, // the message before which 'new' stands
    region: () => page.querySelector('.region'),
    log: () => document.getElementById(`log-${room}`),
    isLive: () => view.log().dataset.live !== undefined,
    toEnd() { scroller.scrollTop = scroller.scrollHeight; view.stuck = true; view.unseen.clear(); showPill(); },
    stop() { gone.abort(); watcher.disconnect(); sizes.disconnect(); changes.disconnect(); },
  };
  const pill = page.querySelector('.pill-new');
  const messages = () => [...view.log().children].filter((item) => item.classList.contains('msg'));
  const isAway = () => document.hidden || !document.hasFocus() || !view.stuck;

  function showPill() {
    if (!pill) return;
    pill.hidden = view.unseen.size === 0;
    pill.querySelector('span').textContent = words.newBelow.replace('{n}', view.unseen.size);
  }

  function markRead() {
    const last = page.isConnected && messages().at(-1);
    if (!last || isAway() || !view.isLive() || !isConnected()) return;
    const id = idOf(last);
    if (id <= view.read) return;
    view.read = id;
    act('chat.read', { room, message: String(id) }).catch(() => {
      view.read = 0n;
      setTimeout(markRead, 3000);
    });
  }

  /** What came since the last look: counts it, says it, and moves the line above it if all before had been read. */
  function notice() {
    const all = messages();
    const before = view.last;
    const fresh = before === null ? [] : all.filter((message) => idOf(message) > before);
    if (all.length) view.last = idOf(all.at(-1));
    const others = fresh.filter((message) => message.dataset.author !== account());
    if (!others.length) return;
    for (const message of others.slice(-3)) {
      announce(`${message.querySelector('header b').textContent}: ${textOf(message)}`);
    }
    if (isAway() && (!view.line || view.read >= before)) view.line = others[0].id;
    if (!view.stuck) others.forEach((message) => view.unseen.add(message.id));
  }

  /** The answer to a post may come before the feed has brought what was said earlier: ids tell the order. */
  function order() {
    const all = messages();
    for (let n = 1; n < all.length; n++) {
      if (idOf(all[n]) > idOf(all[n - 1])) continue;
      all.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1)).forEach((message, place) => place && all[place - 1].after(message));
      return;
    }
  }

  function settle() {
    if (!page.isConnected) return;
    order();
    // Code that is wider than the page scrolls by itself, so the keyboard has to reach it.
    for (const code of view.log().querySelectorAll('pre:not([tabindex])')) if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
    notice();
    drawDividers(view.log(), messages(), view.line);
    if (view.stuck) view.toEnd();
    showPill();
    watchEdges();
    markRead();
  }

  // What is before the eyes stays there, whatever comes above or below it. -----------------------------------------

  function hold() {
    const edge = scroller.getBoundingClientRect().top;
    const first = messages().find((message) => message.getBoundingClientRect().bottom > edge);
    view.anchor = first && !view.stuck ? { id: first.id, offset: first.getBoundingClientRect().top } : null;
    return first;
  }

  function release() {
    const held = view.anchor && document.getElementById(view.anchor.id);
    if (held) scroller.scrollTop += held.getBoundingClientRect().top - view.anchor.offset;
    view.anchor = null;
  }

  page.addEventListener('tide:reread', (event) => {
    if (event.target !== view.region()) return;
    const first = !view.stuck && hold();
    if (first) event.detail.url += `?at=${first.id.slice(2)}`;
    event.detail.before = hold;
  });

  // History --------------------------------------------------------------------------------------------------------

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) load(entry.target);
  }, { root: scroller, rootMargin: '600px' });

  function watchEdges() {
    watcher.disconnect();
    for (const edge of page.querySelectorAll('a[data-load]')) watcher.observe(edge);
  }

  async function load(edge) {
    const holder = edge.parentElement, url = edge.dataset.load;
    if (holder.classList.contains('htmx-request')) return;
    holder.classList.add('htmx-request');
    watcher.unobserve(edge);
    try {
      const answer = await ask(url);
      if (!answer.ok) throw new Error(answer.status);
      const part = new DOMParser().parseFromString(await answer.text(), 'text/html');
      // The log may have been read again meanwhile, and end elsewhere.
      if (!edge.isConnected || edge.dataset.load !== url) return;
      const up = holder.classList.contains('older');
      const log = view.log();
      const items = [...part.querySelectorAll('.msg')].filter((item) => !document.getElementById(item.id));
      const rest = part.querySelector(up ? '.older' : '.newer');
      hold();
      if (!up) view.last = null;
      log[up ? 'prepend' : 'append'](...items);
      if (!up && rest?.dataset.end !== undefined) log.dataset.live = '';
      if (rest) holder.replaceWith(rest); else holder.remove();
      htmx.process(log);
      document.dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));
      followFrom(part.querySelector('ol').dataset.feeds);
    } catch {
      setTimeout(watchEdges, 3000);
    } finally {
      holder.classList.remove('htmx-request');
    }
  }

  const on = (target, kind, does) => target.addEventListener(kind, does, { signal: gone.signal, passive: true });
  // Most frames are of other parts of the page, and settling measures the whole log.
  let changed = false, today = new Date().toDateString();
  const changes = new MutationObserver(() => { changed = true; });
  changes.observe(scroller, { childList: true, characterData: true, subtree: true });
  on(document, 'htmx:after:swap', () => {
    const now = new Date().toDateString();
    if (changed || changes.takeRecords().length || now !== today) settle();
    release();
    changes.takeRecords(); // what this itself has done
    [changed, today] = [false, now];
  });
  on(document, 'tide:frame', ({ detail: { feed, html } }) => {
    // A log that ends in the past cannot take it, but the way to the present can say so.
    const [, id, author] = /hx-swap="beforeend"><li[^>]* id="(m-\d+)" data-author="(\d+)"/.exec(html) ?? [];
    if (feed !== `room/${room}` || !id || view.isLive() || author === account()) return;
    view.unseen.add(id);
    showPill();
  });
  on(scroller, 'scroll', () => {
    view.stuck = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR && view.isLive();
    if (!view.stuck) return;
    view.unseen.clear();
    showPill();
    markRead();
  });
  if (pill) on(pill, 'click', toPresent);
  const sizes = new ResizeObserver(() => view.stuck && view.toEnd());
  sizes.observe(scroller);
  sizes.observe(view.log()); // a film is as high as its first picture, which comes late
  on(window, 'focus', markRead);
  on(document, 'visibilitychange', markRead);
  on(document, 'tide:connected', markRead);

  // A link followed within the page loses its fragment to the redirect; the address names the message all the same.
  const target = document.getElementById(`m-${new URLSearchParams(location.search).get('at') ?? location.hash.slice(3)}`);
  if (target) view.stuck = false;
  settle();
  changes.takeRecords();
  if (target) {
    target.scrollIntoView({ block: 'center' });
    target.classList.add('highlight');
  } else {
    const line = page.querySelector('.log > .new');
    if (line && line.offsetTop < scroller.scrollHeight - scroller.clientHeight) {
      view.stuck = false;
      scroller.scrollTop = line.offsetTop - 80;
    }
  }
}
