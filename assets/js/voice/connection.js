// The WebRTC connection of a call: one line for each source that is sent, and a pool of lines on
// which streams of others come. Which stream comes on which line is told to the server, so that
// people come and go without a new offer.

const FIRST_SOUNDS = 4; // lines for sound in the first offer
const MAX_SOUNDS = 50, MAX_PICTURES = 30; // lines of each kind
const LAYERS = [ // of a camera; the names are those of the server
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];
const SCREEN = [{ maxBitrate: 3_000_000, maxFramerate: 30 }];

const isSound = (source) => source === 'microphone' || source === 'screen-sound';

/** Only what the server speaks: an offer of all codecs is ten times as long. */
function preferCodecs(transceiver, kind) {
  const known = kind === 'audio' ? /\/opus$/i : /\/(vp8|rtx)$/i;
  const codecs = RTCRtpReceiver.getCapabilities?.(kind)?.codecs
    .filter(({ mimeType }) => known.test(mimeType));
  if (codecs?.length) transceiver.setCodecPreferences?.(codecs);
}

/** Has the encoder send nothing in silence, what mends the loss of a packet, and this bitrate. */
const withSound = (sdp, bitrate) => sdp.replace(/^(a=fmtp:\d+ .*useinbandfec=1).*$/gm,
  `$1;usedtx=1;maxaveragebitrate=${bitrate * 1000}`);

export class Connection {
  constructor(microphone, { onState, speaker = '' }) {
    this.peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.peer.addEventListener('connectionstatechange', () => onState(this.peer.connectionState));
    this.senders = new Map(); // source → transceiver
    this.slots = []; // {kind, transceiver, key, element}
    this.isDeafened = false;
    this.speaker = speaker;
    this.bitrate = 40; // kbit/s of a voice
    this.told = null;
    this.sounds = document.querySelector('#voice-bar .sounds');
    this.sounds.replaceChildren();
    this.addSender('microphone', microphone ?? 'audio');
    for (let slot = 0; slot < FIRST_SOUNDS; slot++) this.addSlot('audio');
  }

  isConnected() { return this.peer.connectionState === 'connected'; }

  close() {
    this.peer.close();
    this.sounds.replaceChildren();
  }

  addSender(source, track) {
    const kind = isSound(source) ? 'audio' : 'video';
    const encodings = source === 'camera' ? LAYERS : source === 'screen' ? SCREEN : undefined;
    const transceiver = this.peer.addTransceiver(track, {
      direction: 'sendonly',
      ...(encodings && { sendEncodings: encodings }),
    });
    preferCodecs(transceiver, kind);
    this.senders.set(source, transceiver);
  }

  addSlot(kind) {
    const transceiver = this.peer.addTransceiver(kind, { direction: 'recvonly' });
    preferCodecs(transceiver, kind);
    const slot = { kind, transceiver, key: null, element: null };
    if (kind === 'audio') {
      slot.element = Object.assign(document.createElement('audio'), { autoplay: true });
      slot.element.srcObject = new MediaStream([transceiver.receiver.track]);
      this.sounds.append(slot.element);
      if (this.speaker) slot.element.setSinkId?.(this.speaker).catch(() => {});
      slot.element.play().catch(() => this.playOnGesture());
    }
    this.slots.push(slot);
    return slot;
  }

  /** After a reload browsers play no sound before the person does something on the page. */
  playOnGesture() {
    if (this.waitsForGesture) return;
    this.waitsForGesture = true;
    const play = () => {
      this.slots.forEach(({ element }) => element?.play?.().catch(() => {}));
      ['pointerdown', 'keydown'].forEach((kind) => removeEventListener(kind, play, true));
      this.waitsForGesture = false;
    };
    ['pointerdown', 'keydown'].forEach((kind) => addEventListener(kind, play, true));
  }

  async offer() {
    await this.peer.setLocalDescription(await this.peer.createOffer());
    const sources = [...this.senders].map(([source, { mid }]) => [mid, source]);
    return { offer: this.peer.localDescription.sdp, sources };
  }

  answer(sdp) {
    return this.peer.setRemoteDescription({ type: 'answer', sdp: withSound(sdp, this.bitrate) });
  }

  setMicrophone(track) { return this.senders.get('microphone').sender.replaceTrack(track); }

  /** Sends a track, or nothing any more. True when that needs a new offer. */
  async send(source, track) {
    const transceiver = this.senders.get(source);
    if (!transceiver) {
      if (!track) return false;
      this.addSender(source, track);
      return true;
    }
    await transceiver.sender.replaceTrack(track);
    return false;
  }

  setDeafened(isDeafened) {
    this.isDeafened = isDeafened;
    for (const { kind, element } of this.slots) if (kind === 'audio') element.muted = isDeafened;
  }

  /** Plays on another device; empty for the system's choice. */
  setSpeaker(speaker) {
    if (this.speaker === speaker) return;
    this.speaker = speaker;
    for (const { element } of this.slots) element?.setSinkId?.(speaker).catch(() => {});
  }

  /** Sets how loud a stream is, from 0 to 1. */
  setVolume(key, volume) {
    const slot = this.slots.find((one) => one.key === key);
    if (slot?.element) slot.element.volume = volume;
  }

  /**
   * Gives each wanted stream a line. Streams that are not wanted any more free theirs. `isNew` says
   * that lines were added, which needs a new offer.
   */
  assign(wanted, stage) {
    const keyOf = ({ from, source }) => `${from}/${source}`;
    const keys = new Set(wanted.map(keyOf));
    for (const slot of this.slots.filter(({ key }) => key && !keys.has(key))) {
      if (slot.kind === 'video') stage.detach(slot.key);
      slot.key = null;
    }
    const streams = [];
    let isNew = false;
    for (const one of wanted) {
      const key = keyOf(one);
      const kind = isSound(one.source) ? 'audio' : 'video';
      const ofKind = this.slots.filter((slot) => slot.kind === kind);
      let slot = ofKind.find((other) => other.key === key)
        ?? ofKind.find((other) => !other.key);
      if (!slot) {
        if (ofKind.length >= (kind === 'audio' ? MAX_SOUNDS : MAX_PICTURES)) continue;
        slot = this.addSlot(kind);
        isNew = true;
      }
      if (slot.key !== key) {
        slot.key = key;
        if (kind === 'video') stage.attach(key, slot.transceiver.receiver.track);
        else slot.element.muted = this.isDeafened;
      }
      const { transceiver } = slot;
      streams.push({ ...one, mid: () => transceiver.mid });
    }
    return { streams, isNew };
  }
}
