// What one hears and sees of a call that rings: a soft tone, and a notification of the desktop where
// the person allowed those and looks at something else.

const PAUSE = 2500; // ms between two tones
const LONGEST = 35000; // ms after which it ends by itself, should nobody say so

function playTone(context) {
  for (const [start, frequency] of [[0, 523], [0.18, 659], [0.36, 784]]) {
    const oscillator = new OscillatorNode(context, { frequency });
    const gain = new GainNode(context, { gain: 0 });
    const at = context.currentTime + start;
    gain.gain.linearRampToValueAtTime(0.12, at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.35);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.4);
  }
}

/** Rings for a card; `stop()` ends it. */
export function startRinging(card) {
  const context = 'AudioContext' in window ? new AudioContext() : null;
  const tone = () => context?.state === 'running' && playTone(context);
  context?.resume?.().then(tone, () => {});
  const timer = setInterval(tone, PAUSE);
  const end = setTimeout(() => card.remove(), LONGEST);
  let notification = null;
  if (document.hidden && window.Notification?.permission === 'granted') {
    notification = new Notification(card.getAttribute('aria-label'), { tag: card.id });
    notification.onclick = () => window.focus();
  }
  return {
    stop() {
      clearInterval(timer);
      clearTimeout(end);
      context?.close();
      notification?.close();
    },
  };
}
