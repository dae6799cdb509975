// Push-to-talk: whether the key, or the button of the bar, is held. Browsers tell a page of keys
// while its tab has the focus only.

const PRINTING = /^(Key|Digit|Numpad|Space|Back|Quote|Semicolon|Comma|Period|Slash|Minus|Equal|Bracket|Intl)/;
const isEditable = (element) => element?.closest?.('input, textarea, select, [contenteditable]');

export class PushToTalk {
  constructor({ key, onChange }) {
    Object.assign(this, { key, onChange });
    this.isHeld = false;
    this.listeners = {
      keydown: (event) => {
        if (event.code !== this.key || event.repeat) return;
        // A key that writes goes on writing.
        if (PRINTING.test(event.code)) {
          if (isEditable(event.target)) return;
          event.preventDefault();
        }
        this.hold(true);
      },
      keyup: ({ code }) => code === this.key && this.hold(false),
      blur: () => this.hold(false),
    };
    for (const [kind, listener] of Object.entries(this.listeners)) addEventListener(kind, listener);
  }

  hold(isHeld) {
    if (this.isHeld === isHeld) return;
    this.isHeld = isHeld;
    this.onChange(isHeld);
  }

  close() {
    for (const [kind, listener] of Object.entries(this.listeners)) {
      removeEventListener(kind, listener);
    }
  }
}

/** Tells `hold` whether a button is pressed, by whatever means. */
export function followButton(button, hold) {
  button.addEventListener('pointerdown', (event) => {
    button.setPointerCapture(event.pointerId);
    hold(true);
  });
  for (const kind of ['pointerup', 'pointercancel', 'lostpointercapture', 'keyup', 'blur']) {
    button.addEventListener(kind, () => hold(false));
  }
  button.addEventListener('keydown', ({ key, repeat }) => {
    if (!repeat && (key === ' ' || key === 'Enter')) hold(true);
  });
  button.addEventListener('contextmenu', (event) => event.preventDefault());
}

/** What a key is called, as well as the browser tells. */
export function keyName(code) {
  return code.replace(/^(Key|Digit)/, '').replace(/([a-z])([A-Z])/g, '$1 $2');
}
