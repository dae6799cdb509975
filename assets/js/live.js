// The WebSocket of this tab: which feeds the page shows, the cursor up to which each has been
// applied, and how the page catches up when frames were missed.
//
// Elements name the feeds they show: data-feeds="room/12@4711 account/5/unread@Zk3xQ9aB.12". The
// cursor is the feed's position when the markup was rendered. Whenever such an element is added or
// was fetched again, its feed is followed from that cursor. Frames are idempotent, so one may be
// applied twice, but none may be skipped.

const OFFLINE_NOTICE_DELAY = 2000; // ms without a connection before the page shows it
const MAX_IDLE = 10000; // ms without a message from the server before a ping is sent
const PONG_TIMEOUT = 6000; // ms the server has to answer a ping
const CONNECT_TIMEOUT = 16000; // ms a connection may take to open
const CHECK_INTERVAL = 3000; // ms between two looks at the age of the connection
const REQUEST_TIMEOUT = 15000; // ms after which an HTTP request is aborted
const ANSWER_PRIORITY = 5000; // ms in which the answer to a sent form decides which page comes next
const REFETCH_RETRY_DELAY = 2000; // ms before a region that could not be fetched is tried again
const REFETCH_SPREAD = 300; // ms over which clients spread a refetch that a frame asks for
const SESSION_CHECK_EVERY = 3; // failed connections between two checks of the session

const feeds = new Map(); // feed → {cursor, pending}: pending counts unconfirmed subscriptions
const pendingActs = new Map(); // act id → {resolve, reject}
const followedLists = new WeakMap(); // element → the data-feeds it was followed with
const refetching = new Map(); // region → {again, done}: to fetch it once more, and once it is settled
const staleFeeds = new Set(); // feeds whose regions are fetched when `refetchTimer` fires
let connection = null;
let lastMessageAt = 0, lastPingAt = 0; // ms since the epoch
let offlineTimer = null, refetchTimer = null;
let failedConnects = 0, nextActId = 1;
let isSigningOut = false;

/** Sends an HTTP request as htmx does, and aborts it when the network swallows the response. */
export const request = (url, options = {}) => fetch(url, {
  headers: { 'HX-Request': 'true' },
  signal: AbortSignal.timeout(REQUEST_TIMEOUT),
  ...options,
});

/** The page signs out by itself: the end of its session is no reason to load it again. */
export const expectSignOut = () => { isSigningOut = true; };

/** Whether the socket is open. */
export const isConnected = () => connection?.socket?.readyState === WebSocket.OPEN;

const sendMessage = (message) => connection.socket.send(JSON.stringify(message));
const socketElement = () => document.getElementById('live');

// A cursor is "<number>", or "<instance>.<number>" where each instance counts for itself: then
// numbers are comparable within one instance only.
const instanceOf = (cursor) => cursor.slice(0, Math.max(cursor.lastIndexOf('.'), 0));
const numberOf = (cursor) => Number(cursor.slice(cursor.lastIndexOf('.') + 1));
const isBefore = (one, other) =>
  instanceOf(one) !== instanceOf(other) || numberOf(one) < numberOf(other);
const entriesOf = (list) => list.split(' ').filter(Boolean).map((entry) => entry.split('@'));

/** Runs an action over the socket. Rejects with the server's error, or without a connection. */
export function act(action, fields) {
  if (!isConnected()) return Promise.reject(new Error('not connected'));
  const id = String(nextActId++);
  sendMessage({ type: 'act', id, action, fields });
  return new Promise((resolve, reject) => pendingActs.set(id, { resolve, reject }));
}

/** Calls `callback` each time the socket has been opened, also after a lost connection. */
export function onConnected(callback) {
  document.addEventListener('tide:connected', callback);
}

function subscribe(feed, cursor) {
  const state = feeds.get(feed) ?? { pending: 0 };
  state.cursor = cursor;
  feeds.set(feed, state);
  if (isConnected()) {
    state.pending++;
    sendMessage({ type: 'subscribe', feed, cursor });
  }
}

/**
 * Follows a feed for markup that was fetched separately. The cursor only ever moves back: frames
 * that the rest of the page has not received yet must not be skipped.
 */
function follow(feed, cursor) {
  const state = feeds.get(feed);
  if (!state?.cursor || isBefore(cursor, state.cursor)) subscribe(feed, cursor);
}

/** Follows the feeds of markup that was fetched separately, so that it misses no frame. */
export function followFrom(list) {
  for (const [feed, cursor] of entriesOf(list)) follow(feed, cursor);
}

/** Follows the feeds that the page shows now, and unsubscribes from all others. */
export function syncFeeds() {
  const wanted = new Set();
  for (const element of document.querySelectorAll('[data-feeds]')) {
    const list = element.dataset.feeds;
    const isNew = followedLists.get(element) !== list;
    followedLists.set(element, list);
    for (const [feed, cursor] of entriesOf(list)) {
      wanted.add(feed);
      // A region that is being fetched brings its own new cursor.
      if ((refetching.has(element) || staleFeeds.has(feed)) && !isNew) continue;
      if (isNew || !feeds.has(feed)) follow(feed, cursor);
    }
  }
  for (const feed of feeds.keys()) {
    if (wanted.has(feed)) continue;
    feeds.delete(feed);
    if (isConnected()) sendMessage({ type: 'unsubscribe', feed });
  }
  if (!connection && wanted.size) connect();
}

// Connection ----------------------------------------------------------------------------------

function connect() {
  const old = socketElement();
  const replacement = old.cloneNode(false);
  replacement.setAttribute('hx-ws:connect', '/live');
  old.replaceWith(replacement);
  htmx.process(replacement);
}

/** Opens a new socket now instead of waiting for htmx's next attempt. */
function reconnect() {
  const previous = connection?.socket;
  connect();
  previous?.close();
}

function socketUrl() {
  const parameters = [...feeds].map(([feed, { cursor }]) => (
    `feed=${feed}${cursor ? `@${cursor}` : ''}`
  ));
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}/live?${parameters.join('&')}`;
}

function scheduleOfflineNotice() {
  offlineTimer ??= setTimeout(() => {
    document.getElementById('connection').hidden = false;
  }, OFFLINE_NOTICE_DELAY);
}

function markConnected(hello) {
  clearTimeout(offlineTimer);
  offlineTimer = null;
  failedConnects = 0;
  document.getElementById('connection').hidden = true;
  const newer = hello.version !== document.querySelector('meta[name=version]').content;
  document.documentElement.toggleAttribute('data-newer-version', newer);
  document.dispatchEvent(new CustomEvent('tide:connected', { detail: { newer } }));
}

// Regions that are fetched again --------------------------------------------------------------

/**
 * Fetches every region that shows this feed at a random moment within `spread` ms: all clients get
 * the message at once and must not all send a request at once. Feeds that become stale meanwhile
 * share the moment, and each region is fetched once.
 */
function scheduleRefetch(feed, spread) {
  staleFeeds.add(feed);
  refetchTimer ??= setTimeout(() => {
    const due = [...staleFeeds];
    staleFeeds.clear();
    refetchTimer = null;
    refetchFeeds(due);
  }, Math.random() * spread);
}

const isShowing = (element, feed) =>
  element.dataset.feeds.split(' ').some((entry) => entry.startsWith(feed + '@'));

function refetchFeeds(due) {
  const regions = new Set();
  for (const feed of due) {
    const showing = [...document.querySelectorAll('[data-refresh]')]
      .filter((element) => isShowing(element, feed));
    for (const region of showing) regions.add(region);
    // A feed without state to fetch, such as who is typing, continues from now.
    if (!showing.length && document.querySelector(`[data-feeds*="${feed}@"]`)) subscribe(feed);
  }
  regions.forEach(refetchRegion);
}

/**
 * Fetches a region of the page again and follows its feeds from the cursors it then has. Done once
 * nobody has asked for it again meanwhile.
 */
export function refetchRegion(region) {
  const current = refetching.get(region);
  if (current) {
    current.again = true; // what is on its way may be older than what is asked for now
    return current.done;
  }
  const state = { again: false };
  refetching.set(region, state);
  state.done = settleRegion(region, state);
  return state.done;
}

/** Fetches a region until nobody has asked for it meanwhile. */
async function settleRegion(region, state) {
  do {
    state.again = false;
    try {
      await fetchRegion(region);
    } catch {
      state.again = true; // no network, or the server is busy: it is stale until it was fetched
      await new Promise((done) => setTimeout(done, REFETCH_RETRY_DELAY));
    }
  } while (state.again && region.isConnected);
  refetching.delete(region);
}

async function fetchRegion(region) {
  // Listeners may change the URL, or act right before the swap.
  const event = new CustomEvent('tide:refetch', {
    bubbles: true,
    detail: { url: region.dataset.refresh, beforeSwap() {} },
  });
  region.dispatchEvent(event);
  const response = await request(event.detail.url);
  if ([403, 404].includes(response.status)) return showClosed();
  if (response.status === 401) return location.reload();
  if (!response.ok) throw new Error(`status ${response.status}`);
  const text = await response.text();
  if (!region.isConnected) return;
  event.detail.beforeSwap();
  followedLists.delete(region); // its feeds are followed anew, whatever their cursor
  await htmx.swap({
    sourceElement: region, target: region, swap: 'outerMorph', text, transition: false,
  });
}

// Messages of the server ----------------------------------------------------------------------

function settleAct(id, settle) {
  const pending = pendingActs.get(id);
  pendingActs.delete(id);
  if (pending) settle(pending);
}

let formSentAt = -Infinity;
addEventListener('submit', (event) => {
  if (!event.defaultPrevented) formSentAt = performance.now();
});

/**
 * Goes to the page that says why the viewer may not read this room or space any more. If it is the
 * viewer who deleted or left it, what their form is answered with says so, and comes first.
 */
function showClosed() {
  const wait = formSentAt + ANSWER_PRIORITY - performance.now();
  if (wait > 0) return setTimeout(showClosed, wait);
  const [place] = /^\/(rooms|spaces)\/\d+/.exec(location.pathname) ?? [];
  if (place) location.replace(`${place}/closed`);
  else location.reload();
}

const handlers = {
  hello(message) {
    // Feeds that were added while the socket was opening are not in its URL.
    for (const [feed, state] of [...feeds]) if (!state.pending) subscribe(feed, state.cursor);
    markConnected(message);
  },
  subscribed({ feed, cursor }) {
    const state = feeds.get(feed);
    if (state && --state.pending === 0) state.cursor = cursor;
  },
  refresh({ feed, within }) {
    feeds.delete(feed);
    scheduleRefetch(feed, within);
  },
  refused: ({ feed }) => feeds.delete(feed),
  revoked({ feed }) {
    feeds.delete(feed);
    // If the page itself shows what may no longer be read, the server decides what to show.
    const isShown = [...document.querySelectorAll('main [data-feeds]')]
      .some((element) => element.dataset.feeds.includes(feed + '@'));
    if (isShown) showClosed();
  },
  reply({ id, result }) { settleAct(id, ({ resolve }) => resolve(result)); },
  error({ id, error }) {
    settleAct(id, ({ reject }) => reject(Object.assign(new Error(error.message), error)));
  },
  pong() {},
};

/** Rejects all pending actions: the server replies only on the connection that sent them. */
function rejectPendingActs() {
  for (const { reject } of pendingActs.values()) reject(new Error('connection lost'));
  pendingActs.clear();
}

document.addEventListener('htmx:ws:before:connection', (event) => {
  connection = event.detail.connection;
  lastMessageAt = Date.now();
  rejectPendingActs();
  connection.url = socketUrl();
  for (const state of feeds.values()) state.pending = 1;
});

document.addEventListener('htmx:ws:after:connection', () => { lastMessageAt = Date.now(); });

document.addEventListener('htmx:ws:close', (event) => {
  if (event.detail.connection !== connection) return;
  rejectPendingActs();
  scheduleOfflineNotice();
  if (event.detail.code === 4401 && !isSigningOut) location.reload();
  // A refused handshake looks like a lost network, so ask over HTTP whether the session still is
  // valid.
  if (++failedConnects % SESSION_CHECK_EVERY === 0) {
    request('/sidebar')
      .then((response) => response.status === 401 && location.reload())
      .catch(() => {});
  }
});

document.addEventListener('htmx:ws:before:message:incoming', (event) => {
  if (event.detail.connection !== connection) return event.preventDefault();
  lastMessageAt = Date.now();
  const data = event.detail.message.data;
  if (data.startsWith('{')) {
    const message = JSON.parse(data);
    return handlers[message.type]?.(message);
  }
  const [head, feed, cursor, refetches] =
    /^<!--(\S+) (\S+?)-->(<!--reread-->)?/.exec(data) ?? [];
  const state = feeds.get(feed);
  // Frames sent before a pending subscription was made are sent again after it is confirmed.
  if (!head || !state || state.pending > 0 || numberOf(cursor) <= numberOf(state.cursor)) {
    return event.preventDefault();
  }
  state.cursor = cursor;
  document.dispatchEvent(new CustomEvent('tide:frame', { detail: { feed, html: data } }));
  if (refetches) {
    scheduleRefetch(feed, REFETCH_SPREAD);
    event.preventDefault();
  }
});

setInterval(() => {
  // A network that drops packets leaves a socket open, or opening, for minutes.
  if (!connection || connection.socket?.readyState === WebSocket.CLOSED) return;
  // Only a missing pong counts, never silence alone: timers of a hidden tab run once a minute.
  const now = Date.now();
  const isDead = isConnected()
    ? lastPingAt > lastMessageAt && now - lastPingAt > PONG_TIMEOUT
    : now - lastMessageAt > CONNECT_TIMEOUT;
  if (isDead) {
    scheduleOfflineNotice();
    reconnect();
  } else if (isConnected() && now - lastMessageAt > MAX_IDLE && lastPingAt <= lastMessageAt) {
    lastPingAt = now;
    sendMessage({ type: 'ping' });
  }
}, CHECK_INTERVAL);

addEventListener('offline', scheduleOfflineNotice);
addEventListener('online', () => connection && reconnect());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && connection && !isConnected()) reconnect();
});
document.addEventListener('htmx:after:swap', syncFeeds);
