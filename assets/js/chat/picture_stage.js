// The place in which the viewer shows a picture: fits it into the window, zooms and moves it.

const MAX_SCALE = 8; // window pixels for one of the picture, or times the scale that fits
const LONG_RATIO = 3; // of sides, from which on a picture fills the window in one direction only
const SWIPE_DISTANCE = 50; // px
const DOUBLE_TAP_INTERVAL = 300; // ms
const DOUBLE_TAP_DISTANCE = 30; // px
const MOVE_TOLERANCE = 6; // px that a click may move

const clamp = (value, min, max) => Math.min(Math.max(value, min), max);

export class PictureStage {
  /** `handlers` has `swipe(isForward)` and `dismiss()`. */
  constructor(element, handlers) {
    this.element = element;
    this.image = element.querySelector('img');
    this.problem = element.querySelector('.problem');
    this.handlers = handlers;
    this.pointers = new Map(); // id → where it is
    this.request = 0; // counts what was asked for: answers to earlier requests are ignored
    this.width = this.height = 0; // of the picture, in its own pixels
    this.isFitted = true;
    this.scale = 1;
    this.x = this.y = 0; // px from the middle of the stage to that of the picture
    this.lastTap = { at: -Infinity, x: 0, y: 0 };
    new ResizeObserver(() => (this.isFitted ? this.fit() : this.place())).observe(element);
    this.listenToPointers();
    element.addEventListener('wheel', (event) => this.handleWheel(event), { passive: false });
  }

  // Loading -----------------------------------------------------------------------------------

  /**
   * Shows a picture: first its preview, then what is at `url`, and what is at `full` once it is
   * zoomed so far that this has more to show. Without a size it is shown once it is loaded.
   */
  show({ width = 0, height = 0, label, url, preview, full }) {
    this.width = width;
    this.height = height;
    this.full = full;
    this.isFitted = true;
    this.image.alt = label;
    this.image.removeAttribute('src');
    if (preview && width) this.image.src = preview;
    this.fit();
    this.replace(url);
  }

  /** Loads another version of the picture, and shows it in place of the current one. */
  async replace(url) {
    const request = ++this.request;
    const loading = new Image();
    this.problem.hidden = true;
    this.element.setAttribute('aria-busy', 'true');
    loading.src = url;
    const isLoaded = await new Promise((resolve) => {
      loading.onload = () => resolve(true);
      loading.onerror = () => resolve(false);
    });
    if (request !== this.request) return;
    this.element.removeAttribute('aria-busy');
    this.problem.hidden = isLoaded || Boolean(this.image.naturalWidth);
    if (!isLoaded) return;
    this.image.src = url;
    if (url === this.full) this.full = '';
    this.pixels = loading.naturalWidth;
    if (this.width) return this.place();
    this.width = loading.naturalWidth;
    this.height = loading.naturalHeight;
    this.fit();
  }

  clear() {
    this.request++;
    this.image.removeAttribute('src');
    this.pointers.clear();
  }

  /** Loads the picture in full where the window shows more pixels than the current version has. */
  loadFull() {
    const shown = this.width * this.scale * devicePixelRatio;
    if (!this.full || !this.pixels || this.pixels >= this.width) return;
    if (shown <= this.pixels * 1.25) return;
    const url = this.full;
    this.full = '';
    this.replace(url);
  }

  // Scale and place ---------------------------------------------------------------------------

  box() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  isLong() {
    const { width, height } = this;
    return Math.max(width, height) > LONG_RATIO * Math.min(width, height);
  }

  /** The scale at which the whole picture is seen; never enlarged. */
  wholeScale() {
    const box = this.box();
    return Math.min(1, box.width / this.width, box.height / this.height);
  }

  /** The scale of a picture when it opens. Of a long one the beginning is seen. */
  fittingScale() {
    if (!this.isLong()) return this.wholeScale();
    const box = this.box();
    const isTall = this.height > this.width;
    return Math.min(1, isTall ? box.width / this.width : box.height / this.height);
  }

  fit() {
    if (!this.width) return;
    this.isFitted = true;
    this.scale = this.fittingScale();
    const isReversed = document.documentElement.dir === 'rtl';
    this.x = isReversed ? -Infinity : Infinity; // the beginning: placed within its bounds
    this.y = Infinity;
    this.place();
  }

  overflowsWidth() { return this.width * this.scale > this.box().width + 1; }

  overflowsHeight() { return this.height * this.scale > this.box().height + 1; }

  place() {
    if (!this.width) return;
    const box = this.box();
    const width = this.width * this.scale, height = this.height * this.scale;
    const maxX = Math.max(0, (width - box.width) / 2);
    const maxY = Math.max(0, (height - box.height) / 2);
    this.x = clamp(this.x, -maxX, maxX);
    this.y = clamp(this.y, -maxY, maxY);
    const { style } = this.image;
    style.width = `${width}px`;
    style.height = `${height}px`;
    const left = (box.width - width) / 2 + this.x, top = (box.height - height) / 2 + this.y;
    style.transform = `translate(${left}px, ${top}px)`;
    this.element.classList.toggle('movable', maxX > 0 || maxY > 0);
    this.loadFull();
  }

  /** Zooms around a point of the stage; around its middle by default. */
  zoomBy(factor, point = null) {
    if (!this.width) return;
    const box = this.box();
    const x = point ? point.x - box.width / 2 : 0, y = point ? point.y - box.height / 2 : 0;
    const max = Math.max(MAX_SCALE, this.wholeScale() * MAX_SCALE);
    const scale = clamp(this.scale * factor, this.wholeScale(), max);
    const ratio = scale / this.scale;
    this.x = x - (x - this.x) * ratio;
    this.y = y - (y - this.y) * ratio;
    this.scale = scale;
    this.isFitted = false;
    this.place();
  }

  panBy(x, y) {
    this.x += x;
    this.y += y;
    this.isFitted = false;
    this.place();
  }

  /** Zooms to the picture's own pixels, or twice the fitting scale; and back. */
  toggleZoom(point) {
    const fitting = this.fittingScale();
    if (this.scale > fitting * 1.01) this.fit();
    else this.zoomBy(Math.max(1, fitting * 2) / this.scale, point);
  }

  // Wheel and pointers ------------------------------------------------------------------------

  pointOf(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** The wheel zooms. It scrolls a long picture, as it would a page, unless Ctrl is held. */
  handleWheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 20;
    if (this.isLong() && !event.ctrlKey && !event.metaKey) {
      const isTall = this.height > this.width;
      const along = event.deltaX || (isTall ? 0 : event.deltaY);
      this.panBy(-along * unit, isTall ? -event.deltaY * unit : 0);
    } else {
      const change = clamp(-event.deltaY * unit, -200, 200);
      this.zoomBy(Math.exp(change / 400), this.pointOf(event));
    }
  }

  listenToPointers() {
    const { element } = this;
    element.addEventListener('pointerdown', (event) => this.press(event));
    element.addEventListener('pointermove', (event) => this.drag(event));
    element.addEventListener('pointerup', (event) => this.release(event));
    element.addEventListener('pointercancel', (event) => this.pointers.delete(event.pointerId));
  }

  press(event) {
    if (event.button || event.target.closest('button')) return;
    this.element.setPointerCapture(event.pointerId);
    const point = this.pointOf(event);
    this.pointers.set(event.pointerId, point);
    this.start = this.pointers.size === 1 ? point : null; // none of a pinch: it is no swipe
    this.pressed = event.target;
    this.canPan = this.overflowsWidth() || this.overflowsHeight();
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const point = this.pointOf(event);
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId);
      this.pinch(other[1], before, point);
    } else if (this.canPan) this.panBy(point.x - before.x, point.y - before.y);
    this.pointers.set(event.pointerId, point);
  }

  /** One finger moved while another stayed. */
  pinch(other, before, after) {
    const distance = (point) => Math.hypot(point.x - other.x, point.y - other.y);
    const middle = { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 };
    if (distance(before)) this.zoomBy(distance(after) / distance(before), middle);
    this.panBy((after.x - before.x) / 2, (after.y - before.y) / 2);
  }

  release(event) {
    if (!this.pointers.delete(event.pointerId) || !this.start || this.pointers.size) return;
    const point = this.pointOf(event);
    const x = point.x - this.start.x, y = point.y - this.start.y;
    if (Math.hypot(x, y) <= MOVE_TOLERANCE) return this.tap(event, point);
    if (this.canPan || event.pointerType === 'mouse') return;
    if (Math.abs(x) > SWIPE_DISTANCE && Math.abs(x) > 2 * Math.abs(y)) {
      this.handlers.swipe(x < 0);
    } else if (y > 2 * SWIPE_DISTANCE && y > 2 * Math.abs(x)) this.handlers.dismiss();
  }

  /** Twice on the picture zooms; once beside it closes the viewer. */
  tap(event, point) {
    if (this.pressed !== this.image) return this.handlers.dismiss();
    const { at, x, y } = this.lastTap;
    const isNear = Math.hypot(point.x - x, point.y - y) < DOUBLE_TAP_DISTANCE;
    const isDouble = event.timeStamp - at < DOUBLE_TAP_INTERVAL && isNear;
    this.lastTap = { at: isDouble ? -Infinity : event.timeStamp, ...point };
    if (isDouble) this.toggleZoom(point);
  }
}
