// The connection test: sends silence to the server for a few seconds, and says which way it goes.

import { post } from './post.js';

const CONNECT_TIMEOUT = 12000; // ms in which the media has to reach the server
const MEASURE_TIME = 3500; // ms of measuring
const MEASURE_INTERVAL = 250; // ms

/** A track of silence: no microphone is needed. */
function silence() {
  const context = new AudioContext();
  const { stream } = context.createMediaStreamDestination();
  return { track: stream.getAudioTracks()[0], close: () => context.close() };
}

/** Resolves to whether the media reached the server. */
function connected(peer) {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), CONNECT_TIMEOUT);
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'connected') resolve(true);
      if (peer.connectionState === 'failed') resolve(false);
    });
  });
}

/** The pair of addresses that media goes by, and what the server reports of what it received. */
async function sample(peer) {
  const stats = await peer.getStats();
  const all = [...stats.values()];
  const { selectedCandidatePairId } = all.find(({ type }) => type === 'transport') ?? {};
  const pair = stats.get(selectedCandidatePairId)
    ?? all.find(({ type, nominated, state }) =>
      type === 'candidate-pair' && nominated && state === 'succeeded');
  const local = stats.get(pair?.localCandidateId);
  return {
    protocol: local?.relayProtocol ?? local?.protocol,
    trip: pair?.currentRoundTripTime,
    lost: all.find(({ type }) => type === 'remote-inbound-rtp')?.fractionLost ?? 0,
  };
}

async function measure(peer) {
  const samples = [];
  const until = performance.now() + MEASURE_TIME;
  while (performance.now() < until) {
    await new Promise((done) => setTimeout(done, MEASURE_INTERVAL));
    samples.push(await sample(peer));
  }
  const trips = samples.map(({ trip }) => trip).filter(Number.isFinite).sort((a, b) => a - b);
  return {
    protocol: samples.at(-1).protocol,
    milliseconds: (trips[trips.length >> 1] ?? 0) * 1000,
    lostPercent: Math.max(...samples.map(({ lost }) => lost)) * 100,
  };
}

/**
 * Resolves to what was found: `way` (`udp`, `tcp` or `failed`), `milliseconds`, `lostPercent`, and
 * what the server told: `port`, `addresses`, `isPrivate`. Rejects when the server refuses the test.
 */
export async function testConnection() {
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  const sound = silence();
  try {
    const { mid } = await offered(peer, sound.track);
    const told = await post('test', {
      offer: peer.localDescription.sdp,
      sources: [[mid, 'microphone']],
      host: location.hostname,
    });
    const isConnected = connected(peer);
    await peer.setRemoteDescription({ type: 'answer', sdp: told.answer });
    if (!await isConnected) return { ...told, way: 'failed' };
    const figures = await measure(peer);
    return { ...told, ...figures, way: figures.protocol === 'tcp' ? 'tcp' : 'udp' };
  } finally {
    peer.close();
    sound.close();
  }
}

async function offered(peer, track) {
  const transceiver = peer.addTransceiver(track, { direction: 'sendonly' });
  await peer.setLocalDescription(await peer.createOffer());
  return transceiver;
}
