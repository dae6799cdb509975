// <tide-terminal>: somebody watches a terminal over a socket of its own, and types if they may.
//
// Messages are binary: a kind, a position of 64 bits, and the rest (src/modules/terminals/core).
// The position of output counts its bytes since the program began; a page that comes back asks for
// what follows its position, and gets that or the whole screen.

import { Predictor } from './predict.js';
import { createScreen } from './screen.js';

const OUTPUT = 1, SNAPSHOT = 2, RESIZE = 3, EXIT = 4, INPUT = 5, ACK = 6;
const PING = 7, PONG = 8;
const HEADER_BYTES = 9;
const INPUT_BYTES = 4096; // of one message
const ACK_DELAY = 40; // ms
const ACK_BYTES = 32768; // acknowledged at once
const PING_INTERVAL = 2000; // ms
const MIN_RETRY_DELAY = 500; // ms
const MAX_RETRY_DELAY = 8000;
const OVER = 4410, REFUSED = 4403; // close codes after which one does not come back
const KEYS = { ArrowUp: 'A', ArrowDown: 'B', ArrowRight: 'C', ArrowLeft: 'D' };

function message(kind, position, bytes = new Uint8Array()) {
  const whole = new Uint8Array(HEADER_BYTES + bytes.length);
  whole[0] = kind;
  new DataView(whole.buffer).setBigUint64(1, BigInt(position));
  whole.set(bytes, HEADER_BYTES);
  return whole;
}

class TideTerminal extends HTMLElement {
  #screen = null;
  #socket = null;
  #position = null; // of the next byte of output
  #ackedAt = 0; // position
  #typed = 0; // bytes
  #state = { mayType: false };
  #retryDelay = MIN_RETRY_DELAY;
  #retryTimer = null;
  #ackTimer = null;
  #pingTimer = null;
  #pinged = { number: 0, at: 0 };
  #predictor = null;
  #sticky = { ctrl: false, alt: false };

  async connectedCallback() {
    this.#say(this.dataset.connecting);
    const screen = await createScreen(this, { disableStdin: true });
    if (!this.isConnected) return screen.dispose();
    this.#screen = screen;
    const { terminal } = screen;
    this.#predictor = new Predictor(terminal, this.querySelector('.terminal-screen'));
    terminal.onWriteParsed(() => this.#predictor.check());
    terminal.onScroll(() => this.#predictor.check());
    const form = document.querySelector('.terminal-files form');
    const mayOffer = () => ['host', 'typist'].includes(this.#state.role);
    if (form) import('./drop.js').then(({ takeDrops }) => takeDrops(this, form, mayOffer));
    this.#pingTimer = setInterval(() => this.#ping(), PING_INTERVAL);
    terminal.onData((data) => this.#type(data));
    terminal.onBinary((data) => this.#send(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    terminal.attachCustomKeyEventHandler((event) => this.#takesKey(event));
    this.querySelector('.terminal-keys').addEventListener('click', (event) => this.#press(event));
    this.#connect();
  }

  disconnectedCallback() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#ackTimer);
    clearInterval(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#screen?.dispose();
    this.#screen = null;
  }

  #say(text) {
    const status = this.querySelector('.terminal-status');
    if (status.textContent !== text) status.textContent = text;
  }

  #connect() {
    const url = new URL(this.dataset.watch, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (this.#position !== null) url.searchParams.set('position', this.#position);
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket) return;
      this.#retryDelay = MIN_RETRY_DELAY;
      if (this.#pinged.number === 0) this.#ping();
      if (typeof data === 'string') this.#show(JSON.parse(data));
      else this.#take(data);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.#closed(code);
    };
  }

  /** Asks how long the way to the program is. */
  #ping() {
    if (document.hidden || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#pinged = { number: this.#pinged.number + 1, at: performance.now() };
    this.#socket.send(message(PING, this.#pinged.number));
  }

  #showDelay(number, sharerDelay) {
    if (number !== this.#pinged.number) return;
    const delay = Math.round(performance.now() - this.#pinged.at) + sharerDelay;
    const place = this.querySelector('.terminal-latency');
    place.hidden = false;
    place.querySelector('bdi').textContent = `${delay} ms`;
    this.#predictor.delay = delay;
  }

  #closed(code) {
    this.#socket = null;
    this.#show({ mayType: false });
    if (code === OVER) return this.#say(this.dataset.over);
    if (code === REFUSED) {
      this.#screen.terminal.reset();
      return this.#say(this.dataset.removed);
    }
    this.#say(code === 1013 ? this.dataset.away : this.dataset.lost);
    const delay = this.#retryDelay * (0.5 + Math.random() / 2);
    this.#retryDelay = Math.min(this.#retryDelay * 2, MAX_RETRY_DELAY);
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
  }

  /** What the server says of this watcher, and of the terminal. */
  #show(state) {
    this.#state = state;
    this.dataset.role = state.role ?? '';
    this.#screen.terminal.options.disableStdin = !state.mayType;
    this.querySelector('.terminal-keys').hidden = !state.mayType;
    if (!state.mayType) this.#predictor.reset();
    if (!this.#socket) this.querySelector('.terminal-latency').hidden = true;
    if (state.away) this.#say(this.dataset.away);
    else if (state.lost > 0) this.#say(this.dataset.missing);
    else if (state.waits) this.#say(this.dataset.waiting);
    else if (state.mayType) this.#say(this.dataset.typing);
    else if (state.role) this.#say(this.dataset.watching);
  }

  #take(data) {
    const view = new DataView(data);
    const kind = view.getUint8(0);
    const position = Number(view.getBigUint64(1));
    const { terminal } = this.#screen;
    if (kind === SNAPSHOT) {
      this.#screen.resize(view.getUint16(9), view.getUint16(11));
      terminal.reset();
      this.#position = position;
      terminal.write(new Uint8Array(data, 13), () => this.#ack(position));
    } else if (kind === OUTPUT) {
      const known = this.#position - position;
      const bytes = new Uint8Array(data, HEADER_BYTES);
      if (this.#position === null || known < 0) {
        // Something is missing: the whole screen comes instead.
        this.#position = null;
        this.#socket?.close();
        return;
      }
      this.#position = Math.max(this.#position, position + bytes.length);
      const end = this.#position;
      terminal.write(bytes.subarray(known), () => this.#ack(end));
    } else if (kind === RESIZE) {
      // Behind the output before it.
      const [cols, rows] = [view.getUint16(9), view.getUint16(11)];
      terminal.write('', () => this.#screen?.resize(cols, rows));
    } else if (kind === PONG) {
      this.#showDelay(position, view.getUint32(HEADER_BYTES));
    } else if (kind === EXIT) {
      this.#say(this.dataset.over);
    }
  }

  #ack(position) {
    const send = () => {
      this.#ackTimer = null;
      this.#ackedAt = this.#position;
      if (this.#socket?.readyState === WebSocket.OPEN) {
        this.#socket.send(message(ACK, position));
      }
    };
    if (Math.abs(position - this.#ackedAt) >= ACK_BYTES) {
      clearTimeout(this.#ackTimer);
      send();
    } else {
      clearTimeout(this.#ackTimer);
      this.#ackTimer = setTimeout(send, ACK_DELAY);
    }
  }

  /** Whether a key is the program's. Shift and Escape give the keyboard back to the page. */
  #takesKey(event) {
    if (!this.#state.mayType) return false;
    if (event.key !== 'Escape' || !event.shiftKey) return true;
    this.#screen.terminal.blur();
    return false;
  }

  #type(data) {
    // Not a key: the program wants to know where the focus is.
    if (data === '\x1b[I' || data === '\x1b[O') return;
    const { ctrl, alt } = this.#sticky;
    if (data.length === 1 && ctrl) {
      data = String.fromCharCode(data.toUpperCase().charCodeAt(0) & 31);
    }
    if (alt) data = `\x1b${data}`;
    this.#stick('ctrl', false);
    this.#stick('alt', false);
    if (this.#state.mayType) this.#predictor.type(data);
    this.#send(new TextEncoder().encode(data));
  }

  #send(bytes) {
    if (!this.#state.mayType || this.#socket?.readyState !== WebSocket.OPEN) return;
    for (let start = 0; start < bytes.length; start += INPUT_BYTES) {
      const piece = bytes.subarray(start, start + INPUT_BYTES);
      this.#socket.send(message(INPUT, this.#typed, piece));
      this.#typed += piece.length;
    }
  }

  #stick(name, isOn) {
    this.#sticky[name] = isOn;
    this.querySelector(`[data-sticky="${name}"]`).ariaPressed = String(isOn);
  }

  async #press({ target }) {
    const button = target.closest('button');
    if (!button) return;
    const { terminal } = this.#screen;
    const { key, sticky } = button.dataset;
    if (sticky) {
      this.#stick(sticky, !this.#sticky[sticky]);
    } else if ('paste' in button.dataset) {
      const text = await navigator.clipboard?.readText().catch(() => '');
      if (text) terminal.paste(text);
    } else if (key in KEYS) {
      const isApplication = terminal.modes.applicationCursorKeysMode;
      this.#type(`\x1b${isApplication ? 'O' : '['}${KEYS[key]}`);
    } else {
      this.#type(key === 'Tab' ? '\t' : '\x1b');
    }
    terminal.focus();
  }
}

customElements.define('tide-terminal', TideTerminal);
