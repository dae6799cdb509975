// The page of devices: chooses them, lets one hear oneself, and tests the connection.

import { canChooseSpeaker, listDevices, openCamera } from './devices.js';
import { differs, openMicrophone } from './microphone.js';
import { changePreferences, onPreferences, readPreferences } from './preferences.js';
import { keyName } from './push_to_talk.js';

const QUIETEST = -80; // dB at the left end of the meter
const TONE_SECONDS = 0.6;

const percent = (level) => `${Math.min(100, Math.max(0, (1 - level / QUIETEST) * 100))}%`;

/** Puts values into a text: `{name}` stands for the value of that name. */
const fill = (text, values) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

class SettingsPage {
  constructor(root) {
    this.root = root;
    this.words = root.dataset;
    this.preferences = readPreferences();
    root.addEventListener('change', ({ target }) => this.choose(target));
    root.addEventListener('input', ({ target }) => target.type === 'range' && this.choose(target));
    root.addEventListener('click', ({ target }) => {
      const button = target.closest('[data-do]');
      if (button) this[button.dataset.do.replace(/-./g, ([, one]) => one.toUpperCase())](button);
    });
    this.onDevices = () => this.showDevices();
    navigator.mediaDevices?.addEventListener('devicechange', this.onDevices);
    this.stopFollowing = onPreferences((preferences) => this.prefer(preferences));
    // The page goes without being told: what is open is closed then.
    this.watcher = new MutationObserver(() => root.isConnected || this.close());
    this.watcher.observe(document.body, { childList: true, subtree: true });
    root.hidden = false;
    root.parentElement.querySelector('[data-scriptless]').hidden = true;
    this.show();
    this.showDevices();
    if (!navigator.mediaDevices?.getUserMedia) this.showProblem('insecure');
  }

  find(selector) { return this.root.querySelector(selector); }

  // Choices -----------------------------------------------------------------------------------

  choose({ dataset: { choice }, type, checked, value, valueAsNumber }) {
    if (!choice) return;
    const chosen = type === 'checkbox' ? checked : type === 'range' ? valueAsNumber : value;
    changePreferences({ [choice]: chosen });
  }

  async prefer(preferences) {
    const before = this.preferences;
    this.preferences = preferences;
    this.show();
    this.sound?.setSinkId?.(preferences.speaker).catch(() => {});
    if (this.microphone && differs(before, preferences)) await this.hear();
    else this.microphone?.update(preferences);
    if (this.camera && before.camera !== preferences.camera) {
      this.stopPreview();
      await this.startPreview();
    }
  }

  /** Has the controls say what is chosen. */
  show() {
    for (const control of this.root.querySelectorAll('[data-choice]')) {
      const value = this.preferences[control.dataset.choice];
      if (control.type === 'checkbox') control.checked = value;
      else if (control.type === 'radio') control.checked = control.value === value;
      else if (control.value !== String(value)) control.value = value;
    }
    const { mode, threshold, key } = this.preferences;
    for (const part of this.root.querySelectorAll('[data-for]')) {
      part.hidden = part.dataset.for !== mode;
    }
    const mark = this.find('.voice-meter .threshold');
    mark.hidden = mode !== 'gate';
    mark.style.insetInlineStart = percent(threshold);
    this.find('[data-key]').textContent = keyName(key);
  }

  async showDevices() {
    this.find('[data-speakers]').hidden = !canChooseSpeaker();
    for (const select of this.root.querySelectorAll('[data-kind]')) {
      const devices = await listDevices(select.dataset.kind);
      const options = devices.map(({ id, name }, at) =>
        new Option(name || fill(this.words.unnamed, { number: at + 1 }), id));
      select.replaceChildren(new Option(this.words.system, ''), ...options);
      const chosen = this.preferences[select.dataset.choice];
      select.value = devices.some(({ id }) => id === chosen) ? chosen : '';
    }
  }

  chooseKey(button) {
    const label = button.textContent;
    button.textContent = this.words.pressKey;
    const onKey = (event) => {
      event.preventDefault();
      event.stopPropagation();
      stop();
      if (event.code && event.code !== 'Escape' && event.code !== 'Tab') {
        changePreferences({ key: event.code });
      }
    };
    const stop = () => {
      button.textContent = label;
      removeEventListener('keydown', onKey, true);
      button.removeEventListener('blur', stop);
    };
    addEventListener('keydown', onKey, true);
    button.addEventListener('blur', stop);
  }

  // Hearing oneself ---------------------------------------------------------------------------

  showProblem(problem) {
    const line = this.find('[data-problem]');
    line.hidden = !problem;
    line.textContent = problem ? this.words[problem] : '';
  }

  press(name, isOn) {
    const button = this.find(`[data-do=${name}]`);
    button.setAttribute('aria-pressed', String(isOn));
    button.textContent = isOn ? button.dataset.on : button.dataset.off;
  }

  async listen() {
    if (this.microphone) return this.stopListening();
    await this.hear();
  }

  async hear() {
    const { preferences } = this;
    const { microphone, problem } = await openMicrophone(preferences);
    // Opening takes time, in which other choices may have been made.
    if (this.root.isConnected && differs(preferences, this.preferences)) {
      microphone?.close();
      return this.hear();
    }
    microphone?.update(this.preferences);
    this.microphone?.close();
    this.microphone = null;
    this.showProblem(problem);
    if (!microphone || !this.root.isConnected) {
      microphone?.close();
      return this.stopListening();
    }
    this.microphone = microphone;
    if (this.preferences.noise === 'rnnoise' && !microphone.hasRnnoise) {
      this.showProblem('noRnnoise');
    }
    microphone.addEventListener('level', ({ detail }) => this.showLevel(detail));
    microphone.addEventListener('track', () => this.playBack(microphone));
    microphone.addEventListener('ended', () => this.stopListening());
    this.playBack(microphone);
    this.press('listen', true);
    // Only now browsers tell what devices are called.
    this.showDevices();
  }

  playBack(microphone) {
    if (this.microphone !== microphone) return;
    this.sound ??= Object.assign(document.createElement('audio'), { autoplay: true });
    this.sound.srcObject = new MediaStream([microphone.track]);
    this.sound.setSinkId?.(this.preferences.speaker).catch(() => {});
    this.sound.play().catch(() => {});
  }

  stopListening() {
    this.microphone?.close();
    this.microphone = null;
    if (this.sound) this.sound.srcObject = null;
    this.showLevel({ level: QUIETEST, isOpen: false });
    this.press('listen', false);
  }

  showLevel({ level, isOpen }) {
    const meter = this.find('.voice-meter');
    const shown = Math.max(QUIETEST, Math.round(level));
    meter.setAttribute('aria-valuenow', String(shown));
    meter.toggleAttribute('data-open', isOpen);
    meter.querySelector('.filled').style.inlineSize = percent(shown);
  }

  /** Plays a tone on the chosen speaker. */
  play() {
    const context = new AudioContext();
    const output = context.createMediaStreamDestination();
    const tone = new OscillatorNode(context, { frequency: 523 });
    const gain = new GainNode(context, { gain: 0.15 });
    const end = context.currentTime + TONE_SECONDS;
    gain.gain.setTargetAtTime(0, end - 0.1, 0.03);
    tone.connect(gain).connect(output);
    const sound = Object.assign(document.createElement('audio'), { srcObject: output.stream });
    sound.setSinkId?.(this.preferences.speaker).catch(() => {});
    sound.play().catch(() => {});
    tone.start();
    tone.stop(end);
    tone.addEventListener('ended', () => context.close());
  }

  // The camera --------------------------------------------------------------------------------

  preview() { return this.camera ? this.stopPreview() : this.startPreview(); }

  async startPreview() {
    const track = await openCamera(this.preferences.camera).catch(() => null);
    const line = this.find('[data-camera-problem]');
    line.hidden = Boolean(track);
    line.textContent = track ? '' : this.words.noCamera;
    if (!track || !this.root.isConnected) return track?.stop();
    this.camera = track;
    track.addEventListener('ended', () => this.camera === track && this.stopPreview());
    const video = this.find('.voice-preview');
    video.srcObject = new MediaStream([track]);
    video.hidden = false;
    this.press('preview', true);
    this.showDevices();
  }

  stopPreview() {
    this.camera?.stop();
    this.camera = null;
    const video = this.find('.voice-preview');
    video.srcObject = null;
    video.hidden = true;
    this.press('preview', false);
  }

  // The connection ----------------------------------------------------------------------------

  async test(button) {
    const result = this.find('[data-result]');
    const words = result.dataset;
    const say = (...lines) => {
      result.replaceChildren(...lines.map((text) =>
        Object.assign(document.createElement('p'), { textContent: text })));
    };
    if (!('RTCPeerConnection' in window)) return say(words.unsupported);
    button.disabled = true;
    say(words.running);
    delete result.dataset.way;
    try {
      const { testConnection } = await import('./connection_test.js');
      const found = await testConnection();
      const values = {
        port: found.port,
        addresses: found.addresses.join(', '),
        time: Math.max(1, Math.round(found.milliseconds ?? 0)),
        lost: Math.round((found.lostPercent ?? 0) * 10) / 10,
      };
      const hasFailed = found.way === 'failed';
      say(
        fill(words[found.way], values),
        ...(hasFailed ? [] : [fill(words.figures, values)]),
        ...(found.addresses.length ? [] : [words.nowhere]),
        ...(found.isPrivate ? [fill(words.private, values)] : []),
      );
      result.dataset.way = found.way;
    } catch (error) {
      say(error.message || fill(words.failed, { port: '', addresses: '' }));
      result.dataset.way = 'refused';
    } finally {
      button.disabled = false;
    }
  }

  close() {
    this.watcher.disconnect();
    this.stopFollowing();
    navigator.mediaDevices?.removeEventListener('devicechange', this.onDevices);
    this.microphone?.close();
    this.camera?.stop();
    if (this.sound) this.sound.srcObject = null;
  }
}

/** Brings the page to life, once. */
export function showSettings(root) {
  if (root.hidden) new SettingsPage(root);
}
