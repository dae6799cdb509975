// How loud a recording is over time, and the drawing of that: what src/modules/chat/voice.rs draws.

const MAX_SAMPLES = 64; // the server's limit
const SAMPLE_RATE = 8000; // Hz to which a recording is decoded: enough to tell how loud it is
const QUIET = -50; // dB below the loudest possible sound, for a bar without height
const LOUD = -6; // dB, for one of full height

/** The path of a drawing of bytes. */
export const pathOf = (samples) => [...samples].map((sample, index) => {
  const height = 2 + Math.floor(sample * 24 / 255);
  return `M${index * 4 + 2} ${Math.floor((28 - height) / 2)}v${height}`;
}).join('');

/** How loud a piece of sound is, as a byte. */
export function loudness(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  const decibels = 10 * Math.log10(sum / values.length || 1e-9);
  return Math.round(255 * Math.min(Math.max((decibels - QUIET) / (LOUD - QUIET), 0), 1));
}

/** The bytes as text. */
export const hexOf = (samples) => [...samples]
  .map((sample) => sample.toString(16).padStart(2, '0')).join('');

/** As many samples as fit, of a longer or shorter list of them. */
export function resample(samples) {
  const count = Math.min(MAX_SAMPLES, samples.length);
  return Array.from({ length: count }, (_, index) => (
    samples[Math.floor(index * samples.length / count)]
  ));
}

/** The length in ms and the waveform of a recording. Fails where it cannot be decoded. */
export async function measureSound(blob) {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  const values = sound.getChannelData(0);
  const count = Math.min(MAX_SAMPLES, values.length);
  const samples = Array.from({ length: count }, (_, index) => loudness(values.subarray(
    Math.floor(index * values.length / count),
    Math.floor((index + 1) * values.length / count),
  )));
  return { duration: sound.duration * 1000, samples };
}
