// What moves in a log moves while it is seen, and stops at a button; what the browser cannot show
// is offered to be saved. Loaded when a page has such media.

const stopped = new Map(); // data-picture → whether the reader stopped it, or started it
const seen = new Set(); // links of animations in view
const prefersStill = matchMedia('(prefers-reduced-motion: reduce)');

const stillOf = (link) => `${link.dataset.picture}?size=small`;

function shouldMove(link) {
  const { picture, moving } = link.dataset;
  if (!seen.has(link) || document.hidden) return false;
  return stopped.has(picture) ? !stopped.get(picture) : moving === '' && !prefersStill.matches;
}

/** Whether it moves when it is in view, which its button shows. */
const isStopped = ({ dataset: { picture, moving } }) => (
  stopped.has(picture) ? stopped.get(picture) : moving !== '' || prefersStill.matches
);

/** Shows the animation or its first frame. */
function update(link) {
  const image = link.querySelector('img');
  const url = shouldMove(link) ? link.dataset.picture : stillOf(link);
  if (image.getAttribute('src') !== url) image.src = url;
  let button = link.parentElement.querySelector('.motion');
  if (!button) {
    button = document.getElementById('motion').content.firstElementChild.cloneNode(true);
    link.after(button);
  }
  const isStill = isStopped(link);
  button.toggleAttribute('data-stopped', isStill);
  button.title = isStill ? button.dataset.play : button.dataset.pause;
  button.setAttribute('aria-label', `${button.title}: ${image.alt}`);
}

const animations = () => document.querySelectorAll('#app a[data-moving]');
const updateAll = () => animations().forEach(update);

const view = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) seen.add(target); else seen.delete(target);
    if (target.isConnected) update(target);
    else view.unobserve(target);
  }
});

document.addEventListener('click', (event) => {
  const button = event.target.closest('#app .motion');
  const link = button?.parentElement.querySelector('a[data-moving]');
  if (!link) return;
  stopped.set(link.dataset.picture, !isStopped(link));
  update(link);
});
document.addEventListener('visibilitychange', updateAll);
prefersStill.addEventListener('change', updateAll);

// What cannot be shown -------------------------------------------------------------------------

const UNDECODED = '.attachment.image img, .attachment.video video';

function showSaveOnly(media) {
  const item = media.closest('.attachment');
  item.toggleAttribute('data-unshown', true);
  item.querySelector('.cannot').hidden = false;
}

const isUnplayable = (video) => [
  MediaError.MEDIA_ERR_DECODE, MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED,
].includes(video.error?.code);

document.addEventListener('error', ({ target }) => {
  if (!(target instanceof Element) || !target.matches(UNDECODED)) return;
  if (target.matches('img') || isUnplayable(target)) showSaveOnly(target);
}, { capture: true });
// A video whose sound alone can be decoded.
document.addEventListener('loadedmetadata', ({ target }) => {
  if (target.matches('.attachment.video video') && !target.videoWidth) showSaveOnly(target);
}, { capture: true });

const checked = new WeakSet();

/** Starts what came to the page since the last call. */
export function scanMedia() {
  for (const link of animations()) {
    view.observe(link); // once more has no effect
    update(link);
  }
  for (const media of document.querySelectorAll(UNDECODED)) {
    if (checked.has(media)) continue;
    checked.add(media);
    // It may have failed before this script was loaded.
    if (media.matches('video') ? isUnplayable(media) : media.complete && !media.naturalWidth) {
      media.src = media.getAttribute('src');
    }
  }
}
