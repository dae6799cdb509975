// Predictive echo: what somebody types is shown at once, underlined, until the program's own output
// shows it or something else. Only on a row on which the program has echoed a key before, so that
// nothing is shown where it does not: for passwords, and for keys that are commands.

const MIN_DELAY = 50; // ms: below it, the program's own echo is quick enough
const MAX_PENDING = 64; // characters
const MIN_PATIENCE = 1000; // ms
// Single characters of one cell: other scripts compose, join or take two.
const PREDICTABLE = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u024f\u0370-\u0373\u0386-\u0481]$/;

export class Predictor {
  #terminal;
  #place;
  #shown = document.createElement('div');
  #pending = []; // { char, x }
  #row = null; // from the first row of the buffer
  #isConfirmed = false; // the program has echoed a key on this row
  #delay = 0; // ms
  #timer = null;

  /** For a terminal that is open in an element. */
  constructor(terminal, element) {
    this.#terminal = terminal;
    this.#place = element;
    this.#shown.className = 'terminal-prediction';
    this.#shown.hidden = true;
    this.#shown.ariaHidden = 'true';
    element.querySelector('.xterm-screen').append(this.#shown);
  }

  /** How long a key takes to the program and back. */
  set delay(delay) {
    this.#delay = delay;
    if (delay < MIN_DELAY) this.reset();
  }

  /** Somebody types, which is sent in any case. */
  type(data) {
    if (this.#delay < MIN_DELAY) return;
    if (data === '\x7f' && this.#pending.length > 0) {
      this.#pending.pop();
      this.#show();
      return;
    }
    const row = this.#cursorRow();
    if (!PREDICTABLE.test(data)) return this.reset();
    if (row !== this.#row) {
      this.reset();
      this.#row = row;
    }
    const x = (this.#pending.at(-1)?.x ?? this.#terminal.buffer.active.cursorX - 1) + 1;
    if (x >= this.#terminal.cols - 1 || this.#pending.length >= MAX_PENDING) return this.reset();
    this.#pending.push({ char: data, x });
    this.#show();
    this.#wait();
  }

  /** Output was drawn: what it shows is no prediction any more. */
  check() {
    if (this.#pending.length === 0) return;
    const { active } = this.#terminal.buffer;
    if (this.#cursorRow() !== this.#row) return this.reset();
    const line = active.getLine(this.#row);
    while (this.#pending.length > 0) {
      const { char, x } = this.#pending[0];
      if (active.cursorX === x) break;
      const cell = line?.getCell(x)?.getChars() || ' ';
      if (active.cursorX < x || cell !== char) return this.reset();
      this.#pending.shift();
      this.#isConfirmed = true;
    }
    this.#show();
    this.#wait();
  }

  /** Nothing is predicted before the program has echoed a key again. */
  reset() {
    clearTimeout(this.#timer);
    this.#pending = [];
    this.#row = null;
    this.#isConfirmed = false;
    this.#show();
  }

  #cursorRow() {
    const { active } = this.#terminal.buffer;
    return active.baseY + active.cursorY;
  }

  /** A program that shows nothing for long does not echo. */
  #wait() {
    clearTimeout(this.#timer);
    if (this.#pending.length === 0) return;
    this.#timer = setTimeout(() => this.reset(), Math.max(MIN_PATIENCE, 4 * this.#delay));
  }

  #show() {
    const { active } = this.#terminal.buffer;
    const isInView = active.viewportY === active.baseY;
    const isShown = this.#isConfirmed && isInView && this.#pending.length > 0;
    this.#shown.hidden = !isShown;
    if (!isShown) return this.#shown.replaceChildren();
    const screen = this.#place.querySelector('.xterm-screen');
    const width = screen.offsetWidth / this.#terminal.cols;
    const height = screen.offsetHeight / this.#terminal.rows;
    const { style } = this.#shown;
    style.fontFamily = this.#terminal.options.fontFamily;
    style.fontSize = `${this.#terminal.options.fontSize}px`;
    style.lineHeight = `${height}px`;
    style.top = `${(this.#row - active.baseY) * height}px`;
    style.left = `${this.#pending[0].x * width}px`;
    this.#shown.replaceChildren(...this.#pending.map(({ char }) => {
      const cell = document.createElement('b');
      cell.textContent = char;
      cell.style.width = `${width}px`;
      return cell;
    }));
  }
}
