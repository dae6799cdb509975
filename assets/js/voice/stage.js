// The pictures of a call: a tile for each camera and screen, one of them enlarged if one likes. A
// tile asks for no more pixels than it shows, and one that is not seen for none.

const SMALL = 200, MEDIUM = 420; // device pixels of a tile's height up to which a layer is enough
const RESIZE_DELAY = 250; // ms after the last change of size

function button(name, label) {
  const made = Object.assign(document.createElement('button'), {
    type: 'button', className: name, title: label,
  });
  made.setAttribute('aria-label', label);
  return made;
}

export class Stage {
  constructor(element, words, onChange) {
    Object.assign(this, { element, words, onChange });
    this.tiles = new Map(); // key → figure
    this.seen = new Set();
    this.resizes = new ResizeObserver(() => this.changeSoon());
    this.views = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.seen.add(target.dataset.key);
        else this.seen.delete(target.dataset.key);
      }
      this.changeSoon();
    });
    this.onVisibility = () => this.changeSoon();
    document.addEventListener('visibilitychange', this.onVisibility);
    element.addEventListener('click', (event) => {
      const tile = event.target.closest('figure');
      if (event.target.closest('.window')) this.showInWindow(tile);
      else if (tile) this.enlarge(tile);
    });
  }

  close() {
    this.resizes.disconnect();
    this.views.disconnect();
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.onVisibility);
  }

  changeSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onChange, RESIZE_DELAY);
  }

  enlarge(tile) {
    const isLarge = tile.hasAttribute('data-large');
    for (const other of this.tiles.values()) {
      const isThis = other === tile && !isLarge;
      other.toggleAttribute('data-large', isThis);
      other.querySelector('.enlarge').setAttribute('aria-pressed', String(isThis));
    }
    this.element.toggleAttribute('data-enlarged', !isLarge);
    this.changeSoon();
  }

  /** Shows a picture in a window of its own, above other programs, or takes it back. */
  showInWindow(tile) {
    const video = tile.querySelector('video');
    const isShown = document.pictureInPictureElement === video;
    const change = isShown ? document.exitPictureInPicture() : video.requestPictureInPicture();
    change.then(() => this.changeSoon(), () => {});
  }

  /** What a picture is called. */
  caption(key, name) {
    if (key === 'own/camera') return this.words.ownCamera;
    if (key === 'own/screen') return this.words.ownScreen;
    return key.endsWith('/screen') ? this.words.shareOf.replace('{name}', name) : name;
  }

  tile(key, name) {
    const known = this.tiles.get(key);
    if (known) return known;
    const figure = document.createElement('figure');
    figure.dataset.key = key;
    const caption = this.caption(key, name);
    const video = Object.assign(document.createElement('video'), {
      autoplay: true, playsInline: true, muted: true,
    });
    video.addEventListener('leavepictureinpicture', () => this.changeSoon());
    figure.append(
      video,
      button('enlarge', `${this.words.enlarge}: ${caption}`),
      Object.assign(document.createElement('figcaption'), { dir: 'auto', textContent: caption }),
    );
    if (document.pictureInPictureEnabled) {
      figure.append(button('window', `${this.words.window}: ${caption}`));
    }
    this.tiles.set(key, figure);
    this.element.append(figure);
    this.resizes.observe(figure);
    this.views.observe(figure);
    this.count();
    return figure;
  }

  remove(key) {
    const figure = this.tiles.get(key);
    if (!figure) return;
    this.resizes.unobserve(figure);
    this.views.unobserve(figure);
    this.seen.delete(key);
    if (figure.hasAttribute('data-large')) this.element.removeAttribute('data-enlarged');
    figure.remove();
    this.tiles.delete(key);
    this.count();
  }

  count() {
    this.element.hidden = !this.tiles.size;
    const columns = Math.ceil(Math.sqrt(this.tiles.size));
    this.element.style.setProperty('--columns', String(columns));
  }

  /** Has a tile for each picture of these people, and no others but one's own. */
  arrange(people) {
    const wanted = new Map(people.flatMap(({ id, name, camera, screen }) => [
      ...(screen ? [[`${id}/screen`, name]] : []),
      ...(camera ? [[`${id}/camera`, name]] : []),
    ]));
    for (const key of [...this.tiles.keys()]) {
      if (!key.startsWith('own/') && !wanted.has(key)) this.remove(key);
    }
    for (const [key, name] of wanted) this.tile(key, name);
  }

  /** The layer that a stream is wanted in: 0 for sound; null for a picture that nobody sees. */
  layerOf({ from, source }) {
    if (source === 'microphone' || source === 'screen-sound') return 0;
    const key = `${from}/${source}`;
    const tile = this.tiles.get(key);
    const isInWindow = document.pictureInPictureElement
      && document.pictureInPictureElement === tile?.querySelector('video');
    if (isInWindow) return 2;
    if (!tile || document.hidden || !this.seen.has(key)) return null;
    const height = tile.clientHeight * devicePixelRatio;
    return height <= SMALL ? 0 : height <= MEDIUM ? 1 : 2;
  }

  attach(key, track) {
    const video = this.tiles.get(key)?.querySelector('video');
    if (!video) return;
    video.srcObject = new MediaStream([track]);
    video.play().catch(() => {});
  }

  detach(key) {
    const video = this.tiles.get(key)?.querySelector('video');
    if (video) video.srcObject = null;
  }

  showOwn(source, track) {
    const figure = this.tile(`own/${source}`, '');
    figure.toggleAttribute('data-own', true);
    figure.querySelector('video').srcObject = new MediaStream([track]);
  }

  hideOwn(source) { this.remove(`own/${source}`); }

  showSpeaking(participants, own) {
    for (const [key, figure] of this.tiles) {
      const [id] = key.split('/');
      const speaks = participants.has(id === 'own' ? own : id);
      figure.toggleAttribute('data-is-speaking', speaks && key.endsWith('/camera'));
    }
  }
}
