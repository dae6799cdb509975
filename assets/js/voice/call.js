// One call: joins, keeps what is sent and received as it should be, and comes back by itself after
// a lost connection. What it shows is the bar, which the server renders.

import { followFrom, onConnected, request, syncFeeds } from '../live.js';
import { Connection } from './connection.js';
import { openCamera, openScreen } from './devices.js';
import { MicrophoneControl } from './microphone_control.js';
import { onPreferences, readPreferences } from './preferences.js';
import { post } from './post.js';
import { Stage } from './stage.js';
import { Volumes } from './volumes.js';

const LOST_AFTER = 3000; // ms without a connection before the call is joined anew
const CONNECT_TIMEOUT = 12000; // ms for the media to reach the server
const RETRY_DELAYS = [300, 700, 1500, 2000]; // ms; the last one again and again
const GIVE_UP_AFTER = 60000; // ms of attempts to come back
const MISSING_AFTER = 1500; // ms without one's own entry in the list
const QUIET = 0.25; // of the volume, while somebody else is heard over others

/** A refusal that trying again does not change. */
const isFinal = ({ status }) => [400, 401, 403, 404, 409, 422].includes(status);
const wait = (time) => new Promise((done) => setTimeout(done, time));

export class Call {
  constructor(room, { doing, before, onChange, onEnd, announce }) {
    Object.assign(this, { room, onChange, onEnd, announce });
    this.doing = { muted: false, deafened: false, ...doing, camera: false, screen: false };
    this.before = before ?? null;
    this.participant = null;
    this.connection = null;
    this.microphone = null;
    this.preferences = readPreferences();
    this.names = new Map();
    this.speaking = new Set(); // participants
    this.hasEnded = false;
    this.work = Promise.resolve(); // one negotiation after another
  }

  /** What a reload needs to go on. */
  resumption() {
    const { muted, deafened } = this.doing;
    return { room: this.room, before: this.participant, doing: { muted, deafened } };
  }

  async start() {
    await this.showBar();
    this.microphone = new MicrophoneControl(this.bar, {
      onTrack: (track) => {
        this.connection?.setMicrophone(track)?.catch(() => {});
        this.show(this.bar.dataset.state);
        this.showButtons();
      },
      hint: (text) => this.hint(text),
    });
    this.microphone.setDoing(this.doing);
    await this.microphone.open();
    if (this.hasEnded) return;
    this.showButtons();
    this.stopFollowing = onPreferences((preferences) => this.prefer(preferences));
    await this.join();
    onConnected(() => this.check());
  }

  /** Other choices were made on the page of devices. */
  async prefer(preferences) {
    const before = this.preferences;
    this.preferences = preferences;
    this.connection?.setSpeaker(preferences.speaker);
    this.applyVolumes();
    await this.microphone.prefer(preferences);
    if (this.cameraTrack && before.camera !== preferences.camera) await this.changeCamera();
  }

  // The bar -----------------------------------------------------------------------------------

  async showBar() {
    const response = await request(`/rooms/${this.room}/voice/bar`);
    if (!response.ok) throw new Error('no bar');
    const { body } = new DOMParser().parseFromString(await response.text(), 'text/html');
    document.getElementById('voice-bar')?.remove();
    this.bar = document.importNode(body.querySelector('#voice-bar'), true);
    document.body.append(this.bar);
    document.documentElement.toggleAttribute('data-in-voice', true);
    this.sizes = new ResizeObserver(() => this.makeRoom());
    this.sizes.observe(this.bar);
    for (const { dataset } of this.bar.querySelectorAll('[data-feeds]')) followFrom(dataset.feeds);
    syncFeeds();
    this.stage = new Stage(this.bar.querySelector('.stage'), this.bar.dataset, () => this.sync());
    this.bar.addEventListener('click', (event) => {
      const button = event.target.closest('[data-do]');
      if (button) this[button.dataset.do]?.();
    });
    this.keys = (event) => {
      if (event.ctrlKey && event.shiftKey && event.code === 'KeyM') {
        event.preventDefault();
        this.mute();
      }
    };
    document.addEventListener('keydown', this.keys);
    const { dataset } = this.bar;
    const list = this.bar.querySelector('.volumes ul');
    this.volumes = new Volumes(list, dataset.volume, () => this.applyVolumes());
    this.show('connecting');
    this.showButtons();
  }

  /** The rest of the page leaves room for the bar, and the bar for the foot of the sidebar. */
  makeRoom() {
    const { style } = document.documentElement;
    style.setProperty('--voice-bar-size', `${this.bar.offsetHeight}px`);
    const foot = document.querySelector('.side > footer');
    if (foot?.offsetHeight) style.setProperty('--voice-foot', `${foot.offsetHeight}px`);
  }

  show(state) {
    this.bar.dataset.state = state;
    const words = state === 'connected' && !this.microphone?.track ? 'listening' : state;
    this.bar.querySelector('.status').textContent = this.bar.dataset[words];
  }

  hint(text) {
    let hint = this.bar.querySelector('.problem');
    if (!hint) {
      hint = Object.assign(document.createElement('p'), { className: 'problem hint' });
      hint.setAttribute('role', 'alert');
      this.bar.querySelector('header').after(hint);
    }
    hint.textContent = text ?? '';
    hint.hidden = !text;
  }

  showButtons() {
    const { muted, deafened, camera, screen } = this.doing;
    const states = {
      mute: muted || deafened || !this.microphone?.track, deafen: deafened, camera, share: screen,
      raise: this.doing.hand, overrule: this.doing.priority,
    };
    for (const [name, pressed] of Object.entries(states)) {
      const button = this.bar.querySelector(`[data-do=${name}]`);
      button?.setAttribute('aria-pressed', String(pressed));
    }
    const share = this.bar.querySelector('[data-do=share]');
    share.hidden = this.listens || !navigator.mediaDevices?.getDisplayMedia;
    this.bar.querySelector('[data-do=camera]').hidden = this.listens || !navigator.mediaDevices;
    this.bar.querySelector('[data-do=raise]').hidden = !this.listens;
  }

  // Joining -----------------------------------------------------------------------------------

  async join() {
    const started = performance.now();
    for (let attempt = 0; !this.hasEnded; attempt++) {
      try {
        return await this.tryToJoin();
      } catch (error) {
        this.connection?.close();
        if (this.hasEnded) return;
        const isLate = performance.now() - started > GIVE_UP_AFTER;
        if (isFinal(error) || isLate) return this.end(error.message || this.bar.dataset.unreachable);
        await wait(RETRY_DELAYS[Math.min(attempt, RETRY_DELAYS.length - 1)]);
      }
    }
  }

  async tryToJoin() {
    const connection = new Connection(this.microphone.track, {
      onState: (state) => this.follow(connection, state),
      speaker: this.preferences.speaker,
    });
    this.connection = connection;
    const { offer, sources } = await connection.offer();
    const { participant, answer, bitrate } = await post('join', {
      room: this.room,
      offer,
      sources,
      host: location.hostname,
      doing: { ...this.doing, camera: false, screen: false },
      before: this.participant ?? this.before,
    });
    if (this.hasEnded) {
      post('leave', { room: this.room, participant }).catch(() => {});
      return;
    }
    this.participant = participant;
    this.joinedAt = performance.now();
    this.onChange();
    connection.bitrate = bitrate;
    await connection.answer(answer);
    this.applyDoing();
    this.followPeople();
    await this.bringBack();
    clearTimeout(this.connectTimer);
    this.connectTimer = setTimeout(() => {
      if (this.connection === connection && !connection.isConnected()) {
        this.hint(this.bar.dataset.unreachable);
        this.rejoin(connection);
      }
    }, CONNECT_TIMEOUT);
  }

  /** After a lost connection: what was shown before is shown again. */
  async bringBack() {
    const { cameraTrack, screen } = this;
    if (cameraTrack) await this.send('camera', cameraTrack);
    if (screen) await this.sendScreen(screen);
  }

  follow(connection, state) {
    if (this.connection !== connection || this.hasEnded) return;
    clearTimeout(this.lostTimer);
    if (state === 'connected') {
      this.show('connected');
      this.hint(this.microphone.problem && this.bar.dataset[this.microphone.problem]);
    } else if (state === 'failed' || state === 'closed') {
      this.rejoin(connection);
    } else if (state === 'disconnected') {
      this.lostTimer = setTimeout(() => this.rejoin(connection), LOST_AFTER);
    }
  }

  rejoin(connection) {
    if (this.connection !== connection || this.hasEnded || this.isRejoining) return;
    this.isRejoining = true;
    this.show('lost');
    connection.close();
    this.join().finally(() => { this.isRejoining = false; });
  }

  /** After the live socket came back: the server may have been started anew. */
  async check() {
    const { connection } = this;
    if (!this.participant || this.hasEnded) return;
    try {
      await this.tellDoing();
    } catch ({ status }) {
      if (status === 404) this.rejoin(connection);
    }
  }

  // Leaving -----------------------------------------------------------------------------------

  leave() {
    const { room, participant, connection } = this;
    // Closed once the server knows: it takes the end of a connection for leaving, too.
    this.connection = null;
    connection?.setDeafened(true);
    this.end();
    const left = participant ? post('leave', { room, participant }) : Promise.resolve();
    left.catch(() => {}).finally(() => connection?.close());
  }

  /** The page goes: others need not wait until the silence is noticed. */
  pause() {
    const { room, participant } = this;
    if (!participant) return;
    const body = JSON.stringify({ room, participant });
    navigator.sendBeacon('/act/voice.leave', new Blob([body], { type: 'application/json' }));
  }

  end(message) {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearTimeout(this.lostTimer);
    clearTimeout(this.connectTimer);
    this.connection?.close();
    const { cameraTrack, screen } = this;
    [cameraTrack, ...(screen?.tracks ?? [])].forEach((track) => track?.stop());
    this.microphone?.close();
    this.stopFollowing?.();
    document.removeEventListener('keydown', this.keys);
    this.stage.close();
    this.sizes.disconnect();
    this.bar.remove();
    document.documentElement.toggleAttribute('data-in-voice', false);
    syncFeeds();
    this.onEnd(message);
  }

  // What one does -----------------------------------------------------------------------------

  applyDoing() {
    const { muted, deafened } = this.doing;
    this.microphone?.setDoing({ muted, deafened });
    this.connection?.setDeafened(deafened);
    this.showButtons();
  }

  tellDoing() {
    const { room, participant, doing } = this;
    return participant ? post('set-doing', { room, participant, ...doing }) : Promise.resolve();
  }

  change(doing) {
    Object.assign(this.doing, doing);
    this.applyDoing();
    this.onChange();
    return this.tellDoing().catch(() => {});
  }

  mute() {
    if (!this.microphone.track) return this.askForMicrophone();
    const isOff = this.doing.muted || this.doing.deafened;
    return this.change({ muted: !isOff, deafened: false });
  }

  overrule() { return this.change({ priority: !this.doing.priority }); }

  raise() { return this.change({ hand: !this.doing.hand }); }

  deafen() { return this.change({ deafened: !this.doing.deafened }); }

  /** Who could not speak before may have plugged one in, or allowed it. */
  async askForMicrophone() {
    await this.microphone.open();
    if (!this.microphone.track || this.hasEnded) return;
    await this.connection.setMicrophone(this.microphone.track);
    await this.change({ muted: false, deafened: false });
    this.show(this.bar.dataset.state);
  }

  async camera() {
    if (this.cameraTrack) return this.stopCamera();
    const track = await openCamera(this.preferences.camera).catch(() => null);
    if (!track || this.hasEnded) return track?.stop();
    this.cameraTrack = track;
    track.addEventListener('ended', () => this.cameraTrack === track && this.stopCamera());
    await this.send('camera', track);
  }

  async send(source, track) {
    this.stage.showOwn(source, track);
    await this.run(() => this.connection.send(source, track));
    await this.change({ [source]: true });
  }

  stopCamera() {
    this.cameraTrack?.stop();
    this.cameraTrack = null;
    this.stage.hideOwn('camera');
    this.connection.send('camera', null);
    return this.change({ camera: false });
  }

  /** Another camera in place of the one that is shown. */
  async changeCamera() {
    const track = await openCamera(this.preferences.camera).catch(() => null);
    if (!track || this.hasEnded || !this.cameraTrack) return track?.stop();
    this.cameraTrack.stop();
    this.cameraTrack = track;
    track.addEventListener('ended', () => this.cameraTrack === track && this.stopCamera());
    this.stage.showOwn('camera', track);
    await this.connection.send('camera', track);
  }

  async share() {
    if (this.screen) return this.stopScreen();
    const tracks = await openScreen(this.preferences.share).catch(() => null);
    if (!tracks || this.hasEnded) return tracks?.forEach((track) => track.stop());
    this.screen = { tracks };
    tracks[0].addEventListener('ended', () => this.stopScreen());
    await this.sendScreen(this.screen);
  }

  async sendScreen({ tracks: [picture, sound] }) {
    if (sound) await this.run(() => this.connection.send('screen-sound', sound));
    await this.send('screen', picture);
  }

  stopScreen() {
    this.screen?.tracks.forEach((track) => track.stop());
    this.screen = null;
    this.stage.hideOwn('screen');
    this.connection.send('screen', null);
    this.connection.send('screen-sound', null);
    return this.change({ screen: false });
  }

  // What others do ----------------------------------------------------------------------------

  people() {
    const entries = this.bar.querySelectorAll('[data-participant]');
    return [...entries].map(({ dataset }) => ({
      id: dataset.participant,
      account: dataset.account,
      name: dataset.name,
      camera: 'camera' in dataset,
      screen: 'screen' in dataset,
      listens: 'listens' in dataset,
      hasPriority: 'priority' in dataset,
    }));
  }

  /** The list of who is inside has changed. */
  followPeople() {
    if (!this.participant || this.hasEnded) return;
    const people = this.people();
    const before = this.names;
    this.names = new Map(people.map(({ id, name }) => [id, name]));
    const isOther = ([id]) => id !== this.participant;
    if (before.size) {
      const say = (text, name) => this.announce(text.replace(/\{name\}/, name));
      [...this.names].filter(([id]) => !before.has(id)).filter(isOther)
        .forEach(([, name]) => say(this.bar.dataset.joined, name));
      [...before].filter(([id]) => !this.names.has(id)).filter(isOther)
        .forEach(([, name]) => say(this.bar.dataset.left, name));
    }
    this.followStage(people.find(({ id }) => id === this.participant));
    this.sync();
    clearTimeout(this.missingTimer);
    if (!this.names.has(this.participant)) {
      const { connection } = this;
      this.missingTimer = setTimeout(() => {
        if (!this.people().some(({ id }) => id === this.participant)) this.rejoin(connection);
      }, MISSING_AFTER);
    }
  }

  /** On a stage one listens, may raise a hand, and is told when one is let speak. */
  followStage(own) {
    const listens = own?.listens ?? this.listens;
    if (listens === this.listens) return;
    const { maySpeak, onlyListen } = this.bar.dataset;
    if (listens) {
      this.hint(onlyListen);
      if (this.cameraTrack) this.stopCamera();
      if (this.screen) this.stopScreen();
    } else if (this.listens) {
      this.hint('');
      this.announce(maySpeak);
      Object.assign(this.doing, { hand: false });
    }
    this.listens = listens;
    this.bar.toggleAttribute('data-listens', Boolean(listens));
    this.showButtons();
  }

  showSpeaking(participants) {
    this.speaking = participants;
    this.applyVolumes();
    this.stage?.showSpeaking(participants, this.participant);
  }

  /** Wants of the others what they send and the page shows. */
  sync() {
    if (this.isSyncing) {
      this.syncAgain = true;
      return;
    }
    this.isSyncing = true;
    this.syncAgain = false;
    this.run(() => this.receive())
      .catch(() => {})
      .finally(() => {
        this.isSyncing = false;
        if (this.syncAgain) this.sync();
      });
  }

  async receive() {
    const { connection } = this;
    if (!this.participant || this.hasEnded) return;
    const others = this.people().filter(({ id }) => id !== this.participant);
    this.stage.arrange(others);
    const wanted = others.flatMap((person) => [
      { from: person.id, source: 'microphone' },
      ...(person.camera ? [{ from: person.id, source: 'camera' }] : []),
      ...(person.screen ? [{ from: person.id, source: 'screen' },
        { from: person.id, source: 'screen-sound' }] : []),
    ]).map((one) => ({ ...one, layer: this.stage.layerOf(one) }))
      .filter(({ layer }) => layer !== null);
    const { streams, isNew } = connection.assign(wanted, this.stage);
    this.volumes.show(others);
    this.applyVolumes();
    if (isNew) await this.negotiate(connection);
    const list = JSON.stringify(streams.map((stream) => ({ ...stream, mid: stream.mid() })));
    if (connection.told === list) return;
    await post('receive', {
      room: this.room, participant: this.participant, streams: JSON.parse(list),
    });
    connection.told = list;
  }

  /** As loud as each is wanted, and quieter while somebody speaks who is heard over others. */
  applyVolumes() {
    if (!this.volumes) return;
    const people = this.people();
    const leads = people.some(({ id, hasPriority }) => hasPriority && this.speaking.has(id));
    for (const { id, account, hasPriority } of people) {
      const volume = this.volumes.of(account) * (leads && !hasPriority ? QUIET : 1);
      for (const source of ['microphone', 'screen-sound']) {
        this.connection?.setVolume(`${id}/${source}`, volume);
      }
    }
  }

  async negotiate(connection) {
    const { offer, sources } = await connection.offer();
    const { room, participant } = this;
    const { answer } = await post('negotiate', { room, participant, offer, sources });
    await connection.answer(answer);
  }

  /** Does one thing after another; negotiates anew if it says so. */
  run(task) {
    const { connection } = this;
    this.work = this.work.catch(() => {}).then(async () => {
      const needsOffer = await task();
      if (needsOffer === true) await this.negotiate(connection);
    });
    return this.work;
  }
}
