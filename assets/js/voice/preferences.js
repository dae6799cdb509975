// What somebody chose for voice on this device. Kept in this browser alone: devices have other
// names on every machine.

const KEY = 'voice-preferences'; // of localStorage
const MAX_VOLUMES = 500; // people whose volume is remembered

const DEFAULTS = {
  microphone: '', // a device's id; empty for the system's choice
  camera: '',
  speaker: '',
  mode: 'open', // `open`, `gate`: only what is louder than the threshold, or `key`: while held
  threshold: -50, // dB below full scale
  key: 'ControlRight', // of KeyboardEvent.code
  noise: 'browser', // what removes noise: `off`, `browser` or `rnnoise`
  echo: true, // whether echo is cancelled
  share: 'detail', // what a shared screen is sent for: `detail` or `motion`
  volumes: {}, // account → 0 to 1, of people who are not heard as loud as they come
};

/** All choices; storage that is refused or was changed by hand counts as none. */
export function readPreferences() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const known = Object.entries(DEFAULTS).map(([name, value]) => [
      name, typeof stored[name] === typeof value && stored[name] !== null ? stored[name] : value,
    ]);
    return Object.fromEntries(known);
  } catch {
    return { ...DEFAULTS, volumes: {} };
  }
}

/** Stores choices, and tells the call of this tab. Those of other tabs hear of it from storage. */
export function changePreferences(changes) {
  const preferences = { ...readPreferences(), ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // They hold until the page is left.
  }
  document.dispatchEvent(new CustomEvent('voice:preferences', { detail: preferences }));
}

/** Remembers how loud somebody is heard. */
export function setVolume(account, volume) {
  const { volumes } = readPreferences();
  const others = Object.entries(volumes).filter(([other]) => other !== account);
  const kept = others.slice(-(MAX_VOLUMES - 1));
  if (volume < 1) kept.push([account, volume]);
  changePreferences({ volumes: Object.fromEntries(kept) });
}

/** Calls `callback` with the choices after each change. Returns what ends that. */
export function onPreferences(callback) {
  const onChange = ({ detail }) => callback(detail);
  const onStorage = ({ key }) => key === KEY && callback(readPreferences());
  document.addEventListener('voice:preferences', onChange);
  addEventListener('storage', onStorage);
  return () => {
    document.removeEventListener('voice:preferences', onChange);
    removeEventListener('storage', onStorage);
  };
}
