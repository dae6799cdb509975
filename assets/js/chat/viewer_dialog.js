// The viewer: the pictures of a page, one at a time over all of it. It has an entry in the
// browser's history, so that Back closes it and leaves the page where it is.

import { PictureStage } from './picture_stage.js';

const STEP = 60; // px that an arrow key moves a picture that is larger than the window
const ZOOM_STEP = 1.5; // factor of a button or a key

const links = () => [
  ...document.querySelectorAll('#app [data-picture]:not([data-unshown] > *, .folded *)'),
];
const isReversed = () => document.documentElement.dir === 'rtl';
const prefersStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Loads the viewer's style sheet, once. */
const styles = new Promise((resolve) => {
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet';
  sheet.href = new URL('../../css/viewer.css', import.meta.url).href;
  sheet.onload = sheet.onerror = resolve;
  document.head.append(sheet);
});

class Viewer {
  constructor() {
    this.dialog = document.getElementById('viewing').content.firstElementChild.cloneNode(true);
    document.body.append(this.dialog);
    this.stage = new PictureStage(this.dialog.querySelector('.stage'), {
      swipe: (isForward) => this.step(isForward !== isReversed() ? 1 : -1),
      dismiss: () => this.close(),
    });
    this.current = ''; // data-picture of the link that is shown
    this.isMoving = false;
    this.hasEntry = false; // in the history
    this.pageUrl = ''; // of the entry before it
    this.skipsRestore = false;
    this.dialog.addEventListener('click', (event) => this.handleClick(event));
    this.dialog.addEventListener('keydown', (event) => this.handleKey(event));
    this.dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      this.close();
    });
    // Some browsers close a dialog unasked when Escape is pressed again.
    this.dialog.addEventListener('close', () => this.hasEntry && history.back());
    this.listenToHistory();
  }

  // Opening and closing -----------------------------------------------------------------------

  open(link) {
    if (!this.dialog.open) {
      this.dialog.showModal();
      history.pushState({ viewer: true }, '');
      this.hasEntry = true;
      this.pageUrl = location.href;
    }
    this.show(link);
  }

  /** Goes back to the entry of the page, which closes the dialog. */
  close() {
    if (this.hasEntry) history.back(); else this.finish();
  }

  finish() {
    this.hasEntry = false;
    this.dialog.close(); // if it is open still
    this.stage.clear();
    this.link()?.focus();
  }

  /**
   * Back to the page's own entry closes the viewer. htmx takes it for a navigation and would fetch
   * the page again, and the browser moves the focus away at its end.
   */
  listenToHistory() {
    addEventListener('popstate', () => {
      if (!this.hasEntry) return;
      this.skipsRestore = Boolean(history.state?.htmx) && location.href === this.pageUrl;
      this.finish();
      const focus = () => this.link()?.focus();
      window.navigation?.transition?.finished.then(focus, focus);
    });
    document.addEventListener('htmx:before:history:restore', (event) => {
      if (!this.skipsRestore) return;
      this.skipsRestore = false;
      event.preventDefault();
    });
  }

  // The picture -------------------------------------------------------------------------------

  /** The link of the shown picture: another element after the log was fetched again. */
  link() {
    return links().find((link) => link.dataset.picture === this.current);
  }

  show(link) {
    const { picture, size = '', moving } = link.dataset;
    const [width, height] = size.split('x').map(Number);
    this.current = picture;
    this.isMoving = moving === '' && !prefersStill();
    const preview = link.querySelector('img');
    const label = preview.alt;
    const isWhole = !link.classList.contains('cropped') && preview.complete;
    this.stage.show({
      width,
      height,
      label,
      url: this.urlOf(link),
      preview: isWhole ? preview.currentSrc : '',
      full: moving === undefined ? picture : '',
    });
    this.dialog.querySelector('[data-do="save"]').href = `${picture}?save`;
    this.dialog.querySelector('[data-do="original"]').href = picture;
    this.dialog.querySelector('.caption bdi').textContent = label;
    this.dialog.setAttribute('aria-label', label);
    this.showMotion(link);
    this.showPosition();
  }

  /** What is shown first: a version for a screen, where there is one, or what moves. */
  urlOf({ dataset: { picture, size } }, isMoving = this.isMoving) {
    return size && !isMoving ? `${picture}?size=large` : picture;
  }

  showMotion(link) {
    const button = this.dialog.querySelector('[data-do="play"]');
    const { play, pause } = document.getElementById('motion').content.firstElementChild.dataset;
    button.hidden = link.dataset.moving === undefined;
    button.title = this.isMoving ? pause : play;
    button.setAttribute('aria-label', button.title);
    const icon = button.querySelector('use');
    const href = icon.getAttribute('href').replace(/#.*/, this.isMoving ? '#pause' : '#play');
    icon.setAttribute('href', href);
  }

  toggleMotion() {
    const link = this.link();
    if (!link) return;
    this.isMoving = !this.isMoving;
    this.stage.replace(this.urlOf(link));
    this.showMotion(link);
  }

  /** "3 of 7", and which ways there are more. */
  showPosition() {
    const all = links();
    const index = all.findIndex((link) => link.dataset.picture === this.current);
    const count = this.dialog.querySelector('.count');
    count.textContent = count.dataset.pattern
      .replace('{n}', index + 1).replace('{all}', all.length);
    for (const [name, isPossible] of [['previous', index > 0], ['next', index < all.length - 1]]) {
      const button = this.dialog.querySelector(`[data-do="${name}"]`);
      // Not `disabled`: that would take the focus away, and keys with it.
      button.setAttribute('aria-disabled', String(!isPossible));
    }
    for (const near of [all[index + 1], all[index - 1]]) {
      if (near && near.dataset.moving === undefined) new Image().src = this.urlOf(near, false);
    }
  }

  step(by) {
    const all = links();
    const index = all.findIndex((link) => link.dataset.picture === this.current);
    const next = all[index + by];
    if (next) this.show(next);
  }

  // Controls ----------------------------------------------------------------------------------

  handleClick(event) {
    const action = event.target.closest('[data-do]')?.dataset.do;
    if (action === 'close') this.close();
    else if (action === 'previous') this.step(-1);
    else if (action === 'next') this.step(1);
    else if (action === 'larger') this.stage.zoomBy(ZOOM_STEP);
    else if (action === 'smaller') this.stage.zoomBy(1 / ZOOM_STEP);
    else if (action === 'play') this.toggleMotion();
  }

  handleKey(event) {
    event.stopPropagation(); // the page's own keys are for the page
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { stage } = this;
    const pan = (x, y) => () => stage.panBy(x * STEP, y * STEP);
    const along = (by) => () => this.step(isReversed() ? -by : by);
    const keys = {
      '+': () => stage.zoomBy(ZOOM_STEP),
      '=': () => stage.zoomBy(ZOOM_STEP),
      '-': () => stage.zoomBy(1 / ZOOM_STEP),
      0: () => stage.fit(),
      // Whatever overflows the window is moved; else they lead to the next picture.
      ArrowLeft: stage.overflowsWidth() ? pan(1, 0) : along(-1),
      ArrowRight: stage.overflowsWidth() ? pan(-1, 0) : along(1),
      ArrowUp: pan(0, 1),
      ArrowDown: pan(0, -1),
      PageUp: () => this.step(-1),
      PageDown: () => this.step(1),
    };
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

let viewer = null;

/** Shows the picture of a link. */
export async function openViewer(link) {
  await styles;
  viewer ??= new Viewer();
  viewer.open(link);
}
