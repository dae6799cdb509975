// Records a voice message: a bar in place of the composer's field. What was recorded is uploaded
// like any file, with its length and waveform, and posted once it has arrived. Loaded with the
// first recording.

import { words } from '../app.js';
import { showWaiting } from '../waiting.js';
import { showNewest } from './log.js';
import { send } from './outbox.js';
import { onUploadChange, upload } from './uploads.js';
import { pausePlaying, showVoices } from './voice_player.js';
import { hexOf, loudness, measureSound, pathOf, resample } from './waveform.js';

const MAX_TIME = 600_000; // ms; the server's limit
const BITRATE = 32_000; // bits per second: clear speech
const LEVEL_INTERVAL = 100; // ms between two bars of what is heard now
const SHOWN_LEVELS = 40;
const LONG_FROM = 10_000; // ms from which on a recording is not discarded by one press
const TYPES = { // what browsers record, the first one that this one can → the end of its name
  'audio/webm;codecs=opus': 'webm',
  'audio/mp4;codecs=mp4a.40.2': 'm4a',
  'audio/mp4': 'm4a',
  'audio/ogg;codecs=opus': 'ogg',
  'audio/webm': 'webm',
};

let current = null; // the recorder whose microphone is on

const texts = () => document.getElementById('recording').dataset;

/** Why this browser or page cannot record; nothing where it can. */
function obstacle() {
  if (!isSecureContext) return texts().insecure;
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return texts().unsupported;
  return '';
}

/** What to do when the microphone cannot be had. */
const problemOf = ({ name }) => ({
  NotAllowedError: texts().refused,
  SecurityError: texts().refused,
  NotFoundError: texts().missing,
  OverconstrainedError: texts().missing,
}[name] ?? texts().busy);

/** Begins to record in the place of a composer, or shows why that is not possible. */
export async function record(composer) {
  const { form } = composer;
  if (form.hasAttribute('data-recording')) return;
  const problem = obstacle();
  composer.showError(problem);
  if (problem) return;
  form.setAttribute('data-recording', '');
  const sound = { channelCount: 1, echoCancellation: true, noiseSuppression: true };
  try {
    const stream = await showWaiting(navigator.mediaDevices.getUserMedia({ audio: sound }));
    if (current) await current.stop();
    pausePlaying();
    new Recorder(composer, stream).start();
  } catch (error) {
    form.removeAttribute('data-recording');
    composer.showError(problemOf(error));
  }
}

const timeOf = (time) => {
  const seconds = Math.floor(time / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

class Recorder {
  constructor(composer, stream) {
    Object.assign(this, { composer, stream });
    this.form = composer.form;
    this.chunks = [];
    this.levels = []; // of each LEVEL_INTERVAL
    this.recorded = 0; // ms before the last pause
    this.since = 0; // when recording began or went on
    this.sound = null; // {blob, duration, samples}, once it has stopped
  }

  start() {
    current = this;
    const type = Object.keys(TYPES).find((one) => MediaRecorder.isTypeSupported(one));
    this.extension = TYPES[type] ?? 'webm';
    const options = { mimeType: type, audioBitsPerSecond: BITRATE };
    this.recorder = new MediaRecorder(this.stream, options);
    this.recorder.addEventListener('dataavailable', ({ data }) => this.chunks.push(data));
    this.stopped = new Promise((resolve) => this.recorder.addEventListener('stop', resolve));
    // Also when the microphone is pulled out: what there is, is kept.
    this.recorder.addEventListener('stop', () => this.finish());
    this.context = new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.context.createMediaStreamSource(this.stream).connect(this.analyser);
    this.recorder.start(1000);
    this.since = performance.now();
    this.open();
    this.timer = setInterval(() => this.tick(), LEVEL_INTERVAL);
  }

  open() {
    this.bar = document.getElementById('recording').content.firstElementChild.cloneNode(true);
    this.form.querySelector('footer').before(this.bar);
    this.bar.addEventListener('click', (event) => {
      const button = event.target.closest('[data-do]');
      if (button) this[button.dataset.do]();
    });
    this.bar.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault(); // a thread stays open
      this.cancel();
    });
    this.say(texts().started);
    this.button('stop').focus();
    this.leaving = () => this.form.isConnected || this.leave();
    document.addEventListener('htmx:after:swap', this.leaving);
  }

  button(name) { return this.bar.querySelector(`[data-do="${name}"]`); }

  say(text) { this.bar.querySelector('.state').textContent = text; }

  elapsed() {
    const isRunning = this.recorder.state === 'recording';
    return Math.min(this.recorded + (isRunning ? performance.now() - this.since : 0), MAX_TIME);
  }

  tick() {
    if (this.recorder.state !== 'recording') return;
    const values = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(values);
    this.levels.push(loudness(values));
    const shown = this.levels.slice(-SHOWN_LEVELS);
    const path = pathOf([...new Array(SHOWN_LEVELS - shown.length).fill(0), ...shown]);
    this.bar.querySelector('.level path').setAttribute('d', path);
    this.bar.querySelector('.live .time').textContent = timeOf(this.elapsed());
    if (this.elapsed() < MAX_TIME) return;
    this.stop();
    this.say(texts().full);
  }

  pause() {
    this.recorded = this.elapsed();
    this.recorder.pause();
    this.showPaused(true);
  }

  resume() {
    this.since = performance.now();
    this.recorder.resume();
    this.showPaused(false);
  }

  showPaused(isPaused) {
    this.bar.toggleAttribute('data-paused', isPaused);
    this.button('pause').hidden = isPaused;
    this.button('resume').hidden = !isPaused;
    this.button(isPaused ? 'resume' : 'pause').focus();
    this.say(isPaused ? texts().paused : texts().started);
  }

  /** Ends the recording, which can be listened to then. */
  async stop() {
    this.recorded = this.elapsed();
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    await this.stopped;
    await this.finish();
  }

  /** Lets go of the microphone, measures what was recorded and offers it to be heard, once. */
  finish() {
    this.finishing ??= this.measure().then(() => this.showSound());
    return this.finishing;
  }

  async measure() {
    this.release();
    const blob = new Blob(this.chunks, { type: this.recorder.mimeType });
    if (!blob.size) return;
    let measured = { duration: this.recorded, samples: resample(this.levels) };
    try {
      measured = await measureSound(blob);
    } catch { /* what was measured while it was recorded is near enough */ }
    const duration = Math.min(Math.max(Math.round(measured.duration), 1), MAX_TIME);
    const samples = measured.samples.length ? measured.samples : [0];
    this.sound = { blob, duration, samples };
  }

  release() {
    clearInterval(this.timer);
    this.stream.getTracks().forEach((track) => track.stop());
    if (this.context.state !== 'closed') this.context.close();
    if (current === this) current = null;
  }

  showSound() {
    if (this.isClosed) return;
    if (!this.sound) {
      this.close();
      return this.composer.showError(texts().empty);
    }
    const { blob, duration, samples } = this.sound;
    const player = this.bar.querySelector('.player');
    this.url = URL.createObjectURL(blob);
    Object.assign(player.dataset, { voice: this.url, src: this.url, duration });
    player.querySelector('svg:not(.icon)').setAttribute('viewBox', `0 0 ${samples.length * 4} 28`);
    player.querySelector('path').setAttribute('d', pathOf(samples));
    player.hidden = false;
    const isFocused = this.bar.contains(document.activeElement);
    const done = '.live, [data-do=pause], [data-do=resume], [data-do=stop]';
    for (const part of this.bar.querySelectorAll(done)) part.hidden = true;
    if (this.bar.querySelector('.state').textContent !== texts().full) this.say('');
    showVoices();
    if (isFocused) player.querySelector('.play').focus();
  }

  /** Removes the bar and forgets the recording. */
  close() {
    this.isClosed = true;
    document.removeEventListener('htmx:after:swap', this.leaving);
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    this.release();
    if (this.url) {
      pausePlaying();
      URL.revokeObjectURL(this.url);
    }
    const isFocused = this.bar.contains(document.activeElement);
    this.bar.remove();
    this.form.removeAttribute('data-recording');
    if (isFocused) this.form.querySelector('[data-record]').focus();
  }

  /** Discards the recording; a long one stops first, and the next press discards it. */
  async cancel() {
    if (this.recorder.state === 'inactive' || this.elapsed() < LONG_FROM) return this.close();
    await this.stop();
    if (this.sound && !this.isClosed) this.say(texts().again);
  }

  /** Uploads the recording for the room. */
  upload() {
    const { blob, duration, samples } = this.sound;
    const now = new Date();
    const local = new Date(now - now.getTimezoneOffset() * 60_000).toISOString();
    const at = `${local.slice(0, 10)} ${local.slice(11, 19).replaceAll(':', '.')}`;
    const type = blob.type.split(';')[0];
    const file = new File([blob], `${texts().name} ${at}.${this.extension}`, { type });
    return upload(this.composer.room, file, '', `${duration} ${hexOf(samples)}`);
  }

  async send() {
    this.button('send').setAttribute('aria-busy', 'true');
    try {
      await this.stop();
      if (!this.sound || this.isClosed) return;
      await showWaiting(this.composer.attachments.load()); // shows how the upload goes on
    } catch {
      return this.composer.showError(words.notReached);
    } finally {
      this.button('send').removeAttribute('aria-busy');
    }
    if (this.isClosed) return;
    const { composer } = this;
    postWhenUploaded(this.upload(), composer.reply);
    composer.setReply(null);
    composer.showError('');
    this.close();
  }

  /** The room was left: what was recorded waits among the files of its next message. */
  async leave() {
    document.removeEventListener('htmx:after:swap', this.leaving);
    await this.stop();
    if (this.sound) this.upload();
    this.close();
  }
}

/** Posts an upload alone as soon as it has arrived, unless it is removed or sent before. */
function postWhenUploaded(one, reply) {
  const stop = onUploadChange((changed) => {
    if (changed !== one) return;
    if (one.state === 'removed') return stop();
    if (one.state !== 'ready') return;
    stop();
    queueMicrotask(() => { // after it has been stored
      const { fileId: id, name, caption, voice, room } = one;
      one.remove(true);
      send(room, '', [{ id, name, caption, voice }], reply);
      showNewest(room);
    });
  });
}
