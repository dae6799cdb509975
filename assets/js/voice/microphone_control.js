// One's own microphone in a call: opened anew for other choices or when it is unplugged, on while
// one is not muted and, with push-to-talk, holds the key; and a hint for who talks while muted.

import { differs, openMicrophone } from './microphone.js';
import { readPreferences } from './preferences.js';
import { PushToTalk, followButton, keyName } from './push_to_talk.js';

const LOUD = -40; // dB from which on somebody who is muted seems to talk
const LOUD_REPORTS = 6; // of twenty a second, after which they are told
const QUIET_WEIGHT = 0.5; // what a quiet report takes away: speech has gaps, typing has more
const HINT_TIME = 5000; // ms that a hint stays
const HINT_INTERVAL = 30000; // ms until it may come again

export class MicrophoneControl {
  /** `onTrack` is called when another track, or none, is to be sent; `hint` shows a text. */
  constructor(bar, { onTrack, hint }) {
    Object.assign(this, { bar, onTrack, hint });
    this.preferences = readPreferences();
    this.microphone = null;
    this.problem = null; // the name of a text of the bar
    this.doing = { muted: false, deafened: false };
    this.loudReports = 0;
    this.hintedAt = -HINT_INTERVAL;
    this.button = bar.querySelector('.hold-to-talk');
    followButton(this.button, (isHeld) => this.pushToTalk?.hold(isHeld));
    this.followKey();
  }

  get track() { return this.microphone?.track ?? null; }

  async open() {
    const { preferences } = this;
    const { microphone, problem } = await openMicrophone(preferences);
    if (this.isClosed) return microphone?.close();
    // Opening takes time, in which other choices may have been made.
    if (differs(preferences, this.preferences)) {
      microphone?.close();
      return this.open();
    }
    microphone?.update(this.preferences);
    this.microphone?.close();
    this.microphone = microphone ?? null;
    this.problem = problem ?? null;
    this.hint(problem && this.bar.dataset[problem]);
    microphone?.addEventListener('track', () => this.onTrack(this.track));
    microphone?.addEventListener('level', ({ detail }) => this.noteLevel(detail));
    microphone?.addEventListener('ended', () => this.microphone === microphone && this.reopen());
    this.apply();
  }

  async reopen() {
    await this.open();
    if (!this.isClosed) this.onTrack(this.track);
  }

  /** Takes over other choices. */
  async prefer(preferences) {
    const before = this.preferences;
    this.preferences = preferences;
    this.followKey();
    const isOther = before.microphone !== preferences.microphone;
    if (this.microphone ? differs(before, preferences) : isOther) await this.reopen();
    else this.microphone?.update(preferences);
    this.apply();
  }

  followKey() {
    const { mode, key } = this.preferences;
    this.button.hidden = mode !== 'key';
    this.button.querySelector('kbd').textContent = keyName(key);
    if (this.pushToTalk && mode === 'key' && this.pushToTalk.key === key) return;
    this.pushToTalk?.close();
    const onChange = () => this.apply();
    this.pushToTalk = mode === 'key' ? new PushToTalk({ key, onChange }) : null;
  }

  /** Has it sent or not, as one is muted or deafened. */
  setDoing({ muted, deafened }) {
    this.doing = { muted, deafened };
    this.apply();
  }

  apply() {
    const { muted, deafened } = this.doing;
    const isHeld = this.pushToTalk?.isHeld ?? true;
    this.microphone?.setOn(!muted && !deafened && isHeld);
    this.button.setAttribute('aria-pressed', String(Boolean(this.pushToTalk?.isHeld)));
  }

  /** Tells somebody who talks although they are muted. */
  noteLevel({ level }) {
    const isMuted = this.doing.muted && !this.doing.deafened;
    const change = level > LOUD ? 1 : -QUIET_WEIGHT;
    this.loudReports = isMuted ? Math.max(0, this.loudReports + change) : 0;
    const now = performance.now();
    if (this.loudReports < LOUD_REPORTS || now - this.hintedAt < HINT_INTERVAL) return;
    this.hintedAt = now;
    this.hint(this.bar.dataset.mutedHint);
    setTimeout(() => !this.isClosed && this.hint(''), HINT_TIME);
  }

  close() {
    this.isClosed = true;
    this.microphone?.close();
    this.pushToTalk?.close();
  }
}
