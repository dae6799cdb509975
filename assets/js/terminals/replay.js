// <tide-replay>: plays a recording (asciicast v3), at other speeds, from a moment on.

import { createScreen } from './screen.js';

const MAX_IDLE = 3; // s: longer pauses are shortened
const PART_HEADER = 'x-part';

/** All events of a recording with their times in seconds, and its size. */
async function load(address) {
  let text = '', after = 0;
  for (;;) {
    const response = await fetch(`${address}?after=${after}`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const part = await response.text();
    if (!part) break;
    text += part;
    after = response.headers.get(PART_HEADER);
  }
  const [header, ...lines] = text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  let at = 0;
  const events = lines.map(([since, kind, data]) => {
    at += Math.min(since, MAX_IDLE);
    return { at, kind, data };
  });
  return { size: header?.term ?? { cols: 80, rows: 24 }, events, end: at };
}

const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

class TideReplay extends HTMLElement {
  #screen = null;
  #recording = null;
  #next = 0; // index of the next event
  #at = 0; // s
  #playing = false;
  #lastFrame = 0; // ms

  async connectedCallback() {
    this.#screen = await createScreen(this, { disableStdin: true, cursorBlink: false });
    this.#recording = await load(this.dataset.recording);
    if (!this.isConnected) return;
    const player = this.querySelector('.terminal-player');
    const range = player.querySelector('input');
    range.max = String(this.#recording.end);
    player.hidden = false;
    player.querySelector('[data-play]').addEventListener('click', () => this.#toggle());
    range.addEventListener('input', () => this.#seek(Number(range.value)));
    this.#seek(Number(/#t=([\d.]+)/.exec(location.hash)?.[1] ?? 0));
  }

  disconnectedCallback() {
    this.#playing = false;
    this.#screen?.dispose();
  }

  #seek(at) {
    const { size } = this.#recording;
    if (at < this.#at || this.#next === 0) {
      this.#screen.resize(size.cols, size.rows);
      this.#screen.terminal.reset();
      this.#next = 0;
    }
    this.#at = Math.min(at, this.#recording.end);
    this.#draw();
  }

  /** Draws everything up to the moment. */
  #draw() {
    const { events, end } = this.#recording;
    while (this.#next < events.length && events[this.#next].at <= this.#at) {
      const { kind, data } = events[this.#next++];
      if (kind === 'o') this.#screen.terminal.write(data);
      if (kind === 'r') {
        const [cols, rows] = data.split('x').map(Number);
        this.#screen.terminal.write('', () => this.#screen.resize(cols, rows));
      }
    }
    this.querySelector('input').value = String(this.#at);
    this.querySelector('output').textContent = `${clock(this.#at)} / ${clock(end)}`;
    this.querySelector('.moment').hash = `t=${this.#at.toFixed(1)}`;
    if (this.#at >= end) this.#setPlaying(false);
  }

  #toggle() {
    if (this.#at >= this.#recording.end) this.#seek(0);
    this.#setPlaying(!this.#playing);
  }

  #setPlaying(isPlaying) {
    const button = this.querySelector('[data-play]');
    button.dataset.start ??= button.textContent;
    button.textContent = isPlaying ? button.dataset.pause : button.dataset.start;
    const begins = isPlaying && !this.#playing;
    this.#playing = isPlaying;
    if (!begins) return;
    this.#lastFrame = performance.now();
    requestAnimationFrame((now) => this.#step(now));
  }

  #step(now) {
    if (!this.#playing) return;
    const speed = Number(this.querySelector('select').value);
    this.#at = Math.min(this.#at + (now - this.#lastFrame) / 1000 * speed, this.#recording.end);
    this.#lastFrame = now;
    this.#draw();
    requestAnimationFrame((next) => this.#step(next));
  }
}

customElements.define('tide-replay', TideReplay);
