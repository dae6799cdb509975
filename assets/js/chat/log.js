// The log of a room: it stays at the bottom if you were there, loads history both ways without moving what you read,
// draws the reader's own days, and says what was read.

import { announce, words } from '../app.js';
import { act, rereadRegion, sync } from '../live.js';

const NEAR = 48; // px from the end that count as being there
const day = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: 'long', day: 'numeric', month: 'long' });
const account = () => document.getElementById('app').dataset.me;
let current = null;

/** Shows the newest messages, of which the log may hold only older ones. */
export function toPresent() {
  if (!current) return;
  if (current.log().dataset.live === undefined) {
    current.stuck = true;
    rereadRegion(current.region());
  } else current.toEnd();
}

export function startLog(page) {
  const room = page.dataset.roomPage;
  const scroller = page.querySelector('.scroller');
  const view = current = {
    room, stuck: true, unseen: 0, read: 0n, last: null,
    region: () => page.querySelector('.region'),
    log: () => document.getElementById(`log-${room}`),
    toEnd() { scroller.scrollTop = scroller.scrollHeight; this.stuck = true; this.unseen = 0; showPill(); },
  };
  const pill = page.querySelector('.pill-new');

  function showPill() {
    if (!pill) return;
    pill.hidden = view.unseen === 0;
    pill.querySelector('span').textContent = words.newBelow.replace('{n}', view.unseen);
  }

  function markRead() {
    const last = view.log()?.querySelector(':scope > .msg:last-of-type');
    if (!last || document.hidden || !document.hasFocus() || !view.stuck || view.log().dataset.live === undefined) return;
    const id = BigInt(last.id.slice(2));
    if (id <= view.read) return;
    view.read = id;
    act('chat.read', { room, message: String(id) }).catch(() => { view.read = 0n; });
  }

  function drawDays() {
    const log = view.log();
    let before = null;
    for (const item of [...log.children]) {
      if (item.matches('.day')) item.remove();
    }
    for (const message of log.querySelectorAll(':scope > .msg')) {
      const at = new Date(message.dataset.at);
      const key = at.toDateString();
      if (key !== before) {
        const line = document.createElement('li');
        line.className = 'day';
        line.append(Object.assign(document.createElement('span'), { textContent: nameOf(at) }));
        const anchor = message.previousElementSibling?.matches('.new') ? message.previousElementSibling : message;
        anchor.before(line);
      }
      before = key;
    }
  }

  function nameOf(at) {
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
    return days === 0 ? words.today : days === 1 ? words.yesterday : day.format(at);
  }

  /** What came since the last look: counts it, says it, draws the line above it. */
  function notice() {
    const log = view.log();
    const messages = [...log.querySelectorAll(':scope > .msg')];
    const fresh = view.last === null ? [] : messages.filter((message) => BigInt(message.id.slice(2)) > view.last);
    if (messages.length) view.last = BigInt(messages.at(-1).id.slice(2));
    const others = fresh.filter((message) => message.dataset.author !== account());
    if (!others.length) return;
    for (const message of others.slice(-3)) {
      announce(`${message.querySelector('header b').textContent}: ${message.querySelector('.body').textContent.trim()}`);
    }
    const away = document.hidden || !document.hasFocus() || !view.stuck;
    if (away && !log.querySelector('.new')) {
      const line = Object.assign(document.createElement('li'), { className: 'new', textContent: words.newLine });
      others[0].before(line);
    }
    if (!view.stuck) view.unseen += others.length;
  }

  function settle() {
    if (!page.isConnected) return;
    notice();
    drawDays();
    if (view.stuck) view.toEnd();
    showPill();
    watchEdges();
    markRead();
  }

  // History --------------------------------------------------------------------------------------------------------

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) load(entry.target);
  }, { root: scroller, rootMargin: '600px' });

  function watchEdges() {
    watcher.disconnect();
    for (const edge of page.querySelectorAll('a[data-load]')) watcher.observe(edge);
  }

  async function load(edge) {
    const holder = edge.parentElement;
    if (holder.classList.contains('htmx-request')) return;
    holder.classList.add('htmx-request');
    watcher.unobserve(edge);
    try {
      const answer = await fetch(edge.dataset.load, { headers: { 'HX-Request': 'true' } });
      if (!answer.ok) throw new Error(answer.status);
      const part = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const up = holder.classList.contains('older');
      const log = view.log();
      const items = [...part.querySelectorAll('.msg')].filter((item) => !document.getElementById(item.id));
      const height = scroller.scrollHeight, top = scroller.scrollTop;
      log[up ? 'prepend' : 'append'](...items);
      const rest = part.querySelector(up ? '.older' : '.newer');
      if (!up && rest?.dataset.end !== undefined) log.dataset.live = '';
      if (rest) holder.replaceWith(rest); else holder.remove();
      if (!up) view.last = null;
      htmx.process(log);
      document.dispatchEvent(new CustomEvent('htmx:after:swap', { detail: {} }));
      if (up) scroller.scrollTop = top + scroller.scrollHeight - height;
      sync();
    } catch {
      holder.classList.remove('htmx-request');
      setTimeout(watchEdges, 3000);
    }
  }

  // Reading again after an absence: keep before the eyes what is before them. --------------------------------------

  page.addEventListener('tide:reread', (event) => {
    if (event.target !== view.region() || view.stuck) return;
    const edge = scroller.getBoundingClientRect().top;
    const first = [...page.querySelectorAll('.log > .msg')].find((message) => message.getBoundingClientRect().bottom > edge);
    if (!first) return;
    view.anchor = { id: first.id, offset: first.getBoundingClientRect().top };
    event.detail.url += `?at=${first.id.slice(2)}`;
  });

  document.addEventListener('htmx:after:swap', () => {
    if (current !== view) return;
    settle();
    const anchor = view.anchor && document.getElementById(view.anchor.id);
    if (anchor) scroller.scrollTop += anchor.getBoundingClientRect().top - view.anchor.offset;
    view.anchor = null;
  });

  scroller.addEventListener('scroll', () => {
    view.stuck = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR && view.log().dataset.live !== undefined;
    if (view.stuck) {
      view.unseen = 0;
      showPill();
      markRead();
    }
  }, { passive: true });
  pill?.addEventListener('click', toPresent);
  new ResizeObserver(() => view.stuck && view.toEnd()).observe(scroller);
  addEventListener('focus', markRead);
  document.addEventListener('tide:connected', markRead);

  const target = location.hash.startsWith('#m-') && document.getElementById(location.hash.slice(1));
  settle();
  if (target) {
    target.scrollIntoView({ block: 'center' });
    target.classList.add('highlight');
    view.stuck = false;
  } else {
    const line = page.querySelector('.log > .new');
    if (line && line.offsetTop < scroller.scrollHeight - scroller.clientHeight) scroller.scrollTop = line.offsetTop - 80;
  }
}
