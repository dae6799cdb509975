// Plays voice messages, one at a time. The sound is an element of its own, outside of the log:
// frames do not touch it, and what is shown of it is drawn anew after each of them. Loaded when a
// page has a voice message.

const SPEEDS = [1, 1.5, 2];
const SPEED_KEY = 'voiceSpeed';
const STEP = 5; // s that an arrow key moves
const LARGE_STEP = 15; // s that a page key moves
const END = 0.05; // s before the end to which one goes: at the end, playing begins anew
const FAR = 1e7; // s; beyond the end of any recording

const audio = new Audio();
let playing = null; // what is played, or was last: {id, duration} with its length in s
let wanted = null; // s to go to, while the length of the sound is looked for
let resumes = false; // whether it goes on playing there
let frame = 0;

const playersOf = (id) => document.querySelectorAll(`.player[data-voice="${id}"]`);
const isShown = (player) => playing?.id === player.dataset.voice;
const durationOf = (player) => Number(player.dataset.duration) / 1000;
const position = () => {
  const at = wanted ?? audio.currentTime;
  return at < playing.duration - 2 * END ? at : playing.duration;
};
const speed = () => {
  const stored = Number(localStorage.getItem(SPEED_KEY));
  return SPEEDS.includes(stored) ? stored : 1;
};

function timeOf(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

// What is shown -------------------------------------------------------------------------------

/** Makes the drawing a slider, with a second drawing over it of what was played. */
function prepare(player) {
  const wave = player.querySelector('.wave');
  if (wave.role === 'slider') return wave;
  const done = wave.querySelector('svg').cloneNode(true);
  done.classList.add('done');
  wave.append(done);
  wave.tabIndex = 0;
  wave.role = 'slider';
  wave.ariaLabel = wave.dataset.label;
  wave.ariaValueMin = 0;
  return wave;
}

function show(player) {
  const wave = prepare(player);
  const duration = durationOf(player);
  const at = isShown(player) ? position() : 0;
  const isPlaying = isShown(player) && !audio.paused;
  const play = player.querySelector('.play');
  play.dataset.label ??= play.title;
  play.title = isPlaying ? play.dataset.pause : play.dataset.label;
  play.ariaLabel = play.title;
  player.toggleAttribute('data-playing', isPlaying);
  wave.style.setProperty('--played', `${100 * at / duration}%`);
  wave.ariaValueMax = Math.round(duration);
  wave.ariaValueNow = Math.round(at);
  wave.ariaValueText = wave.dataset.pattern
    .replace('{now}', timeOf(at)).replace('{all}', timeOf(Math.max(duration, 1)));
  player.querySelector('.time').textContent = timeOf(at || Math.max(duration, 1));
  const button = player.querySelector('.speed');
  button.textContent = `${speed()}×`;
  button.ariaLabel = `${button.title}: ${button.textContent}`;
}

const showPlaying = () => playing && playersOf(playing.id).forEach(show);

/** Follows the sound while it plays. */
function follow() {
  cancelAnimationFrame(frame);
  showPlaying();
  if (!audio.paused) frame = requestAnimationFrame(follow);
}

/** Shows the voice messages of a page, and stops one that has left it. */
export function showVoices() {
  document.querySelectorAll('.player[data-voice]').forEach(show);
  if (playing && !playersOf(playing.id).length) audio.pause();
}

// Playing -------------------------------------------------------------------------------------

function load(player) {
  if (isShown(player)) return;
  const before = playing;
  wanted = null;
  playing = { id: player.dataset.voice, duration: durationOf(player) };
  audio.src = player.dataset.src;
  audio.defaultPlaybackRate = speed(); // what it begins with
  audio.playbackRate = speed();
  if (before) playersOf(before.id).forEach(show);
}

function play(player) {
  load(player);
  audio.play().catch(() => {}); // the error event tells why
}

/** Stops what plays. */
export const pausePlaying = () => audio.pause();

/**
 * Goes to a time in s. A recording of a browser does not say how long it is, and cannot be moved in
 * before that is known: going far beyond its end has the browser find out.
 */
function seek(player, to) {
  load(player);
  if (wanted === null) resumes = !audio.paused;
  wanted = Math.min(Math.max(to, 0), playing.duration);
  showPlaying();
  goOn();
}

function goOn() {
  if (wanted === null || audio.readyState === 0) return; // it goes on once its head is loaded
  if (audio.duration === Infinity) {
    if (audio.currentTime < FAR) audio.currentTime = FAR;
    return;
  }
  audio.currentTime = Math.min(wanted, Math.max(audio.duration - END, 0));
  wanted = null;
  if (resumes) audio.play().catch(() => {}); // looking for the end may have stopped it
  showPlaying();
}

const on = (names, listener) => names.split(' ')
  .forEach((name) => audio.addEventListener(name, listener));
on('loadedmetadata durationchange seeked', goOn);
on('play pause timeupdate seeked', follow);
on('ended', () => {
  if (wanted !== null || !audio.ended) return; // only its length was looked for
  audio.currentTime = 0;
  follow();
});
on('error', () => {
  if (!playing || !audio.getAttribute('src')) return;
  for (const player of playersOf(playing.id)) {
    const line = player.parentElement.querySelector('.cannot');
    if (line) line.hidden = false;
  }
  playing = null;
  showVoices();
});
audio.preload = 'auto';

// What is done with it ------------------------------------------------------------------------

document.addEventListener('click', (event) => {
  const player = event.target.closest('.player');
  if (!player) return;
  if (event.target.closest('.play')) {
    if (isShown(player) && !audio.paused) audio.pause();
    else play(player);
  } else if (event.target.closest('.speed')) {
    const next = SPEEDS[(SPEEDS.indexOf(speed()) + 1) % SPEEDS.length];
    localStorage.setItem(SPEED_KEY, next);
    audio.defaultPlaybackRate = next;
    audio.playbackRate = next;
    showVoices();
  }
});

// Time goes from left to right here in every language, as in the players of browsers.
document.addEventListener('pointerdown', (event) => {
  const wave = event.button === 0 && event.target.closest('.player .wave');
  if (!wave) return;
  const player = wave.closest('.player');
  const move = ({ clientX }) => {
    const { left, width } = wave.getBoundingClientRect();
    seek(player, durationOf(player) * (clientX - left) / width);
  };
  const stop = () => {
    removeEventListener('pointermove', move);
    removeEventListener('pointerup', stop);
    removeEventListener('pointercancel', stop);
  };
  addEventListener('pointermove', move);
  addEventListener('pointerup', stop);
  addEventListener('pointercancel', stop);
  move(event);
});

document.addEventListener('keydown', (event) => {
  const wave = event.target.closest?.('.player .wave');
  if (!wave || event.ctrlKey || event.metaKey || event.altKey) return;
  const player = wave.closest('.player');
  const [at, duration] = [isShown(player) ? position() : 0, durationOf(player)];
  const step = Math.min(STEP, duration / 4);
  const to = {
    ArrowRight: at + step,
    ArrowUp: at + step,
    ArrowLeft: at - step,
    ArrowDown: at - step,
    PageUp: at + LARGE_STEP,
    PageDown: at - LARGE_STEP,
    Home: 0,
    End: duration,
  }[event.key];
  if (to !== undefined) seek(player, to);
  else if (event.key === ' ' || event.key === 'Enter') player.querySelector('.play').click();
  else return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });
