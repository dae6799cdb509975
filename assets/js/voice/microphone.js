// The microphone, and what is done to its sound before it is sent: noise removal and a gate, as the
// person likes. Without either, the browser's own track is sent.

const RNNOISE_RATE = 48000; // Hz, the only rate that RNNoise knows
const vendor = (file) => new URL(`../../vendor/${file}`, import.meta.url);

/** The module of the smallest program that uses SIMD, to ask whether the browser knows it. */
const SIMD = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10,
  10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11]);

async function openTrack({ microphone, noise, echo }) {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: {
      ...(microphone && { deviceId: { ideal: microphone } }),
      echoCancellation: echo,
      noiseSuppression: noise === 'browser',
      autoGainControl: true,
      channelCount: 1,
    },
  });
  return stream.getAudioTracks()[0];
}

/** The microphone, or why there is none, as the name of a text of the page. */
export async function openMicrophone(preferences) {
  if (!navigator.mediaDevices?.getUserMedia) return { problem: 'insecure' };
  try {
    const source = await openTrack(preferences);
    const microphone = new Microphone(source, preferences);
    await microphone.listen();
    return { microphone };
  } catch (error) {
    const isMissing = ['NotFoundError', 'OverconstrainedError'].includes(error.name);
    return { problem: isMissing ? 'noDevice' : 'denied' };
  }
}

/** Whether the microphone has to be opened anew for other choices. */
export const differs = (one, other) =>
  ['microphone', 'noise', 'echo'].some((name) => one[name] !== other[name])
    || (one.mode === 'gate') !== (other.mode === 'gate');

/**
 * An open microphone. Events: `track` when another track is to be sent, `level` (detail: level in
 * dB below full scale, isOpen) twenty times a second, and `ended` when the device is gone.
 */
export class Microphone extends EventTarget {
  constructor(source, preferences) {
    super();
    Object.assign(this, { source, preferences });
    this.track = source;
    this.isOn = true;
    source.addEventListener('ended', () => this.dispatchEvent(new Event('ended')));
  }

  /** Whether anything is done to the sound before it is sent. */
  get isProcessed() {
    return this.preferences.noise === 'rnnoise' || this.preferences.mode === 'gate';
  }

  /** Whether noise is removed by RNNoise now. */
  get hasRnnoise() { return Boolean(this.rnnoise); }

  /** Begins to measure, and to process if that is wanted. What fails leaves the sound as it is. */
  async listen() {
    if (!('AudioWorkletNode' in window)) return;
    try {
      await this.build();
    } catch {
      this.stopProcessing();
    }
  }

  async build() {
    const wantsRnnoise = this.preferences.noise === 'rnnoise';
    const context = new AudioContext(wantsRnnoise ? { sampleRate: RNNOISE_RATE } : {});
    this.context = context;
    // Switching the sent track off leaves this one on: who is muted is still measured.
    this.heard = this.source.clone();
    let node = context.createMediaStreamSource(new MediaStream([this.heard]));
    if (wantsRnnoise) {
      this.rnnoise = await createRnnoise(context);
      node = node.connect(this.rnnoise);
    }
    await context.audioWorklet.addModule(new URL('./gate_worklet.js', import.meta.url));
    this.gate = new AudioWorkletNode(context, 'voice-gate', {
      channelCount: 1,
      channelCountMode: 'explicit',
      outputChannelCount: [1],
      processorOptions: { threshold: this.threshold() },
    });
    this.gate.port.onmessage = ({ data }) =>
      this.dispatchEvent(new CustomEvent('level', { detail: data }));
    node.connect(this.gate);
    this.output = context.createMediaStreamDestination();
    this.gate.connect(this.output);
    context.addEventListener('statechange', () => this.chooseTrack());
    context.resume().catch(() => {});
    this.resumeOnGesture();
    this.chooseTrack();
  }

  /** After a reload browsers run no context before the person does something on the page. */
  resumeOnGesture() {
    const kinds = ['pointerdown', 'keydown'];
    const resume = () => {
      this.context?.resume().catch(() => {});
      kinds.forEach((kind) => removeEventListener(kind, resume, true));
    };
    if (this.context.state !== 'running') {
      kinds.forEach((kind) => addEventListener(kind, resume, true));
    }
  }

  threshold() {
    const { mode, threshold } = this.preferences;
    return mode === 'gate' ? threshold : null;
  }

  /** Sends the processed sound once there is any: a context that waits would be silent. */
  chooseTrack() {
    const isRunning = this.isProcessed && this.context?.state === 'running';
    const track = isRunning ? this.output.stream.getAudioTracks()[0] : this.source;
    if (track === this.track) return;
    this.track = track;
    this.setOn(this.isOn);
    this.dispatchEvent(new Event('track'));
  }

  /** Whether anything is sent. */
  setOn(isOn) {
    this.isOn = isOn;
    this.track.enabled = isOn;
    // What is processed comes from the copy.
    if (this.track !== this.source) this.source.enabled = true;
  }

  /** Takes over choices that need no new microphone. */
  update(preferences) {
    this.preferences = preferences;
    this.gate?.port.postMessage({ threshold: this.threshold() });
  }

  stopProcessing() {
    this.rnnoise?.port.postMessage('destroy');
    this.context?.close().catch(() => {});
    this.heard?.stop();
    Object.assign(this, { context: null, heard: null, gate: null, rnnoise: null });
    this.chooseTrack();
  }

  close() {
    this.stopProcessing();
    this.source.stop();
  }
}

async function createRnnoise(context) {
  const file = WebAssembly.validate(SIMD) ? 'rnnoise_simd.wasm' : 'rnnoise.wasm';
  const response = await fetch(vendor(file));
  if (!response.ok) throw new Error('no RNNoise');
  const wasmBinary = await response.arrayBuffer();
  await context.audioWorklet.addModule(vendor('rnnoise.worklet.js'));
  return new AudioWorkletNode(context, '@sapphi-red/web-noise-suppressor/rnnoise', {
    channelCount: 1,
    channelCountMode: 'explicit',
    outputChannelCount: [1],
    processorOptions: { maxChannels: 1, wasmBinary },
  });
}
