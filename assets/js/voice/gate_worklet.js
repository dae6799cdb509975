// Runs on the audio thread: measures how loud the microphone is, and lets sound through while it is
// louder than a threshold. What is let through is late by 20 ms, so that the first sound of a word,
// which opens the gate, is heard, too.

const LOOKAHEAD = 0.02; // s
const HOLD = 0.35; // s that the gate stays open after the last loud sound
const FADE = 0.005; // s in which it opens or closes
const REPORT_INTERVAL = 0.05; // s
const SILENCE = -100; // dB

const decibels = (power) => (power > 1e-10 ? 10 * Math.log10(power) : SILENCE);

class Gate extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.threshold = processorOptions.threshold; // dB; null lets everything through
    this.port.onmessage = ({ data }) => { this.threshold = data.threshold; };
    this.delayed = new Float32Array(Math.round(LOOKAHEAD * sampleRate));
    this.position = 0;
    this.openUntil = 0; // s, as currentTime
    this.gain = 0;
    this.loudest = 0; // power of the loudest block since the last report
    this.nextReport = 0;
  }

  process([[input]], [[output]]) {
    if (!input) return true;
    let power = 0;
    for (const sample of input) power += sample * sample;
    power /= input.length;
    this.loudest = Math.max(this.loudest, power);
    const passes = this.threshold === null;
    if (passes || decibels(power) > this.threshold) this.openUntil = currentTime + HOLD;
    const isOpen = currentTime < this.openUntil;
    if (output) this.write(input, output, isOpen);
    if (currentTime >= this.nextReport) {
      this.port.postMessage({ level: decibels(this.loudest), isOpen });
      this.loudest = 0;
      this.nextReport = currentTime + REPORT_INTERVAL;
    }
    return true;
  }

  write(input, output, isOpen) {
    const step = (isOpen ? 1 : -1) / (FADE * sampleRate);
    for (let n = 0; n < input.length; n++) {
      this.gain = Math.min(1, Math.max(0, this.gain + step));
      output[n] = this.delayed[this.position] * this.gain;
      this.delayed[this.position] = input[n];
      this.position = (this.position + 1) % this.delayed.length;
    }
  }
}

registerProcessor('voice-gate', Gate);
