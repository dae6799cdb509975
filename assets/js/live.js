// The socket of this tab: which feeds the page shows, how far each has been applied, and what to do when some was missed.
//
// Elements say what they show: data-feeds="room/12@cursor account/5@cursor". The cursor is the feed's state in their
// markup. Whenever such an element is new or was fetched again, its feed is followed from that cursor on; frames can be
// applied twice without harm, but none may be left out.

const SAY_LOST_AFTER = 2000; // ms without a connection before the page says so
const QUIET = 10000; // ms without a word from the server before it is asked
const ANSWER = 6000; // ms the server has to answer
const DEAD = 16000; // ms a connection may take to open
const SLOW = 15000; // ms after which a request is given up
const feeds = new Map(); // feed → {cursor, waiting}: waiting counts subscriptions not confirmed yet
const asked = new Map(); // act id → {resolve, reject}
const shown = new WeakMap(); // element → the data-feeds it was followed with
const rereading = new Map(); // element → whether to read it once more
const stale = new Set(); // feeds whose regions are read again at the moment that `rereadAt` waits for
let connection = null, heard = 0, pinged = 0, lost = null, rereadAt = null, tries = 0, next = 1;

/** Asks the server as htmx does, and gives up where a network swallows the answer. */
export const ask = (url, options = {}) => fetch(url, { headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(SLOW), ...options });

/** Whether there is a connection to act over. */
export const isConnected = () => connection?.socket?.readyState === WebSocket.OPEN;

const say = (message) => connection.socket.send(JSON.stringify(message));
const place = () => document.getElementById('live');
const instance = (cursor) => cursor.slice(0, cursor.lastIndexOf('.'));
const isBefore = (one, other) => instance(one) !== instance(other) || number(one) < number(other);
const number = (cursor) => Number(cursor.slice(cursor.lastIndexOf('.') + 1));

/** Does an action over the socket. Rejects with the server's error, or when there is no connection. */
export function act(action, fields) {
  if (!isConnected()) return Promise.reject(new Error('not connected'));
  const id = String(next++);
  say({ type: 'act', id, action, fields });
  return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
}

/** Calls back each time the connection is there (again). */
export function whenConnected(callback) {
  document.addEventListener('tide:connected', callback);
}

function subscribe(feed, cursor) {
  const state = feeds.get(feed) ?? { waiting: 0 };
  state.cursor = cursor;
  feeds.set(feed, state);
  if (isConnected()) {
    state.waiting++;
    say({ type: 'subscribe', feed, cursor });
  }
}

/** Follows a feed also for something that was read later. Only ever back: what is on its way to the rest of the page must
 *  not be passed over, and to apply a frame twice does no harm. */
function follow(feed, cursor) {
  const state = feeds.get(feed);
  if (!state?.cursor || isBefore(cursor, state.cursor)) subscribe(feed, cursor);
}

/** Follows feeds from where something that was read later leaves off, so that it misses no frame either. */
export function followFrom(list) {
  for (const entry of list.split(' ').filter(Boolean)) follow(...entry.split('@'));
}

/** Follows what the page shows now and nothing else. */
export function sync() {
  const wanted = new Set();
  for (const element of document.querySelectorAll('[data-feeds]')) {
    const list = element.dataset.feeds;
    const fresh = shown.get(element) !== list;
    shown.set(element, list);
    for (const entry of list.split(' ').filter(Boolean)) {
      const [feed, cursor] = entry.split('@');
      wanted.add(feed);
      // What is being read again says by itself where to go on.
      if ((rereading.has(element) || stale.has(feed)) && !fresh) continue;
      if (fresh || !feeds.has(feed)) follow(feed, cursor);
    }
  }
  for (const feed of feeds.keys()) {
    if (wanted.has(feed)) continue;
    feeds.delete(feed);
    if (isConnected()) say({ type: 'unsubscribe', feed });
  }
  if (!connection && wanted.size) connect();
}

function connect() {
  const old = place();
  const fresh = old.cloneNode(false);
  fresh.setAttribute('hx-ws:connect', '/live');
  old.replaceWith(fresh);
  htmx.process(fresh);
}

/** Opens a new socket now instead of waiting for the next try. */
function reconnect() {
  const stale = connection?.socket;
  connect();
  stale?.close();
}

function address() {
  const query = [...feeds].map(([feed, { cursor }]) => `feed=${feed}${cursor ? `@${cursor}` : ''}`).join('&');
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live?${query}`;
}

function looksLost() {
  lost ??= setTimeout(() => { document.getElementById('connection').hidden = false; }, SAY_LOST_AFTER);
}

function isBack(hello) {
  clearTimeout(lost);
  lost = null;
  tries = 0;
  document.getElementById('connection').hidden = true;
  const newer = hello.version !== document.querySelector('meta[name=version]').content;
  document.documentElement.toggleAttribute('data-newer-version', newer);
  document.dispatchEvent(new CustomEvent('tide:connected', { detail: { newer } }));
}

/** Fetches again, at a random moment within so many ms, every region that shows this feed: everybody is told at once, and
 *  not everybody has to ask at once. What is told meanwhile is read at the same moment, each region once. */
function rereadWithin(feed, within) {
  stale.add(feed);
  rereadAt ??= setTimeout(() => {
    const gone = [...stale];
    stale.clear();
    rereadAt = null;
    reread(gone);
  }, Math.random() * within);
}

function reread(gone) {
  const regions = new Set();
  for (const feed of gone) {
    const showing = [...document.querySelectorAll('[data-refresh]')]
      .filter((element) => element.dataset.feeds.split(' ').some((entry) => entry.startsWith(feed + '@')));
    for (const region of showing) regions.add(region);
    // What has no state to read, such as who is writing, simply goes on from now.
    if (!showing.length && document.querySelector(`[data-feeds*="${feed}@"]`)) subscribe(feed);
  }
  regions.forEach(rereadRegion);
}

/** Fetches a region of the page again and follows its feeds from what it then shows. */
export async function rereadRegion(region) {
  if (rereading.has(region)) return rereading.set(region, true);
  rereading.set(region, false);
  let again = false;
  try {
    const wish = new CustomEvent('tide:reread', { bubbles: true, detail: { url: region.dataset.refresh, before() {} } });
    region.dispatchEvent(wish);
    const answer = await ask(wish.detail.url);
    if ([401, 403, 404].includes(answer.status)) return location.reload();
    if (!answer.ok) throw new Error(`answered ${answer.status}`);
    const text = await answer.text();
    if (!region.isConnected) return;
    wish.detail.before();
    shown.delete(region); // its feeds are followed anew, whatever their cursor
    await htmx.swap({ sourceElement: region, target: region, swap: 'outerMorph', text, transition: false });
  } catch {
    again = true; // no network, or the server is busy: the region is stale until it has been read
    await new Promise((done) => setTimeout(done, 2000));
  } finally {
    again ||= rereading.get(region);
    rereading.delete(region);
  }
  if (again && region.isConnected) rereadRegion(region);
}

const control = {
  hello(message) {
    // What came onto the page while the socket was opening is not in its address.
    for (const [feed, state] of [...feeds]) if (!state.waiting) subscribe(feed, state.cursor);
    isBack(message);
  },
  subscribed({ feed, cursor }) {
    const state = feeds.get(feed);
    if (state && --state.waiting === 0) state.cursor = cursor;
  },
  refresh({ feed, within }) {
    feeds.delete(feed);
    rereadWithin(feed, within);
  },
  refused: ({ feed }) => feeds.delete(feed),
  revoked({ feed }) {
    feeds.delete(feed);
    // What the page is about may not be seen any more: let the server say so.
    const shows = [...document.querySelectorAll('main [data-feeds]')].some((element) => element.dataset.feeds.includes(feed + '@'));
    if (shows) location.reload();
  },
  reply({ id, result }) { asked.get(id)?.resolve(result); asked.delete(id); },
  error({ id, error }) { asked.get(id)?.reject(Object.assign(new Error(error.message), error)); asked.delete(id); },
  pong() {},
};

/** Nobody answers any more what was asked on the last connection. */
function giveUp() {
  for (const { reject } of asked.values()) reject(new Error('connection lost'));
  asked.clear();
}

document.addEventListener('htmx:ws:before:connection', (event) => {
  connection = event.detail.connection;
  heard = Date.now();
  giveUp();
  connection.url = address();
  for (const state of feeds.values()) state.waiting = 1;
});

document.addEventListener('htmx:ws:after:connection', () => { heard = Date.now(); });

document.addEventListener('htmx:ws:close', (event) => {
  if (event.detail.connection !== connection) return;
  giveUp();
  looksLost();
  if (event.detail.code === 4401) location.reload();
  // A refused handshake looks like a lost network; after a few, ask plainly whether we are still signed in.
  if (++tries % 3 === 0) {
    ask('/sidebar').then((answer) => answer.status === 401 && location.reload()).catch(() => {});
  }
});

document.addEventListener('htmx:ws:before:message:incoming', (event) => {
  if (event.detail.connection !== connection) return event.preventDefault();
  heard = Date.now();
  const data = event.detail.message.data;
  if (data.startsWith('{')) {
    const message = JSON.parse(data);
    return control[message.type]?.(message);
  }
  const [head, feed, cursor, reading] = /^<!--(\S+) (\S+?)-->(<!--reread-->)?/.exec(data) ?? [];
  const state = feeds.get(feed);
  // Frames on their way from before the feed was followed anew come again in their place.
  if (!head || !state || state.waiting > 0 || number(cursor) <= number(state.cursor)) return event.preventDefault();
  state.cursor = cursor;
  document.dispatchEvent(new CustomEvent('tide:frame', { detail: { feed, html: data } }));
  if (reading) {
    rereadWithin(feed, 300);
    event.preventDefault();
  }
});

setInterval(() => {
  // A network that swallows everything leaves a socket open, or opening, for minutes.
  if (!connection || connection.socket?.readyState === WebSocket.CLOSED) return;
  // Asked first, given up only when the answer does not come: a hidden tab looks at its clock once a minute.
  const now = Date.now();
  if (isConnected() ? pinged > heard && now - pinged > ANSWER : now - heard > DEAD) {
    looksLost();
    reconnect();
  } else if (isConnected() && now - heard > QUIET && pinged <= heard) {
    pinged = now;
    say({ type: 'ping' });
  }
}, 3000);

addEventListener('offline', looksLost);
addEventListener('online', () => connection && reconnect());
document.addEventListener('visibilitychange', () => { if (!document.hidden && connection && !isConnected()) reconnect(); });
document.addEventListener('htmx:after:swap', sync);
