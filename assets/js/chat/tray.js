// The tray of the composer: files that are to hang on the next message. They are picked, pasted or dropped, shown with their
// progress, paused, gone on with and removed.

import { words } from '../app.js';
import { upload, uploadsOf, whenUploadsChange } from './uploads.js';

const MOST = 10;
const pictures = new Map(); // id → address of a picture that is on its way

function preview(one) {
  if (!one.file || !/^image\/(png|jpeg|gif|webp)$/.test(one.type)) return '';
  if (!pictures.has(one.id)) pictures.set(one.id, URL.createObjectURL(one.file));
  return pictures.get(one.id);
}

function size(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${bytes < 10 && unit ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/** Files to hang on messages of a room. `fail` says what is wrong beside the composer. */
export function startTray(page, form, fail) {
  const room = page.dataset.roomPage;
  const list = form.querySelector('.tray');
  const input = form.elements.files;
  const button = form.querySelector('[data-attach]');
  const template = document.getElementById('attaching');
  form.classList.add('scripted');
  button.hidden = false;

  function show(one) {
    if (one.room !== room) return;
    let item = list.querySelector(`[data-upload="${one.id}"]`);
    if (one.state === 'gone') {
      item?.remove();
      URL.revokeObjectURL(pictures.get(one.id));
      pictures.delete(one.id);
    } else {
      if (!item) {
        item = template.content.firstElementChild.cloneNode(true);
        item.dataset.upload = one.id;
        item.querySelector('.name').textContent = one.name;
        item.querySelector('.size').textContent = size(one.size);
        const caption = item.querySelector('input');
        caption.value = one.caption;
        caption.setAttribute('aria-label', caption.getAttribute('aria-label').replace('{file}', one.name));
        const image = preview(one);
        if (image) item.querySelector('img').src = image;
        item.querySelector('img').hidden = !image;
        list.append(item);
      }
      item.dataset.state = one.state;
      item.querySelector('progress').value = one.size ? one.offset / one.size : 1;
      item.querySelector('progress').hidden = one.state === 'ready';
      item.querySelector('[data-do="pause"]').hidden = one.state !== 'sending';
      item.querySelector('[data-do="resume"]').hidden = !['paused', 'failed', 'lost'].includes(one.state);
      const state = item.querySelector('.state');
      const text = { failed: one.problem || words.attachFailed, lost: words.attachAgain, ready: words.attachReady }[one.state] ?? '';
      if (state.textContent !== text) state.textContent = text;
    }
    list.hidden = !list.children.length;
  }

  function add(files) {
    fail('');
    for (const file of files) {
      // A file that a reload interrupted goes on when it is chosen again.
      const lost = uploadsOf(room).find((one) => one.state === 'lost' && one.name === file.name && one.size === file.size);
      if (lost) lost.resume(file);
      else if (uploadsOf(room).length >= MOST) return fail(words.attachMany.replace('{n}', MOST));
      else upload(room, file);
    }
  }

  const stop = whenUploadsChange((one) => (page.isConnected ? show(one) : stop()));
  uploadsOf(room).forEach(show);
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    add([...input.files]);
    input.value = '';
  });
  form.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    add(files);
  });
  const carries = (event) => event.dataTransfer?.types.includes('Files');
  page.addEventListener('dragover', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    page.toggleAttribute('data-dropping', true);
  });
  page.addEventListener('dragleave', (event) => {
    if (!page.contains(event.relatedTarget)) page.removeAttribute('data-dropping');
  });
  page.addEventListener('drop', (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    page.removeAttribute('data-dropping');
    add([...event.dataTransfer.files]);
  });
  list.addEventListener('input', (event) => {
    const one = of(event);
    one.caption = event.target.value;
    one.keep();
  });
  // Enter in a caption sends the message, as in the text.
  list.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing || !event.target.matches('input')) return;
    event.preventDefault();
    form.requestSubmit();
  });
  list.addEventListener('click', (event) => {
    const action = event.target.closest('[data-do]')?.dataset.do;
    const one = action && of(event);
    if (!one) return;
    if (action === 'pause') one.pause();
    else if (action === 'remove') one.forget();
    else if (one.file) one.resume();
    else input.click();
    if (action === 'remove') form.elements.body.focus();
  });
  const of = (event) => uploadsOf(room).find((one) => one.id === event.target.closest('[data-upload]').dataset.upload);

  return {
    isEmpty: () => !uploadsOf(room).length,
    isReady: () => uploadsOf(room).every((one) => one.state === 'ready'),
    /** What is ready, to be posted; the tray is empty then. */
    take() {
      const files = uploadsOf(room).map((one) => ({ id: one.fileId, name: one.name, caption: one.caption }));
      uploadsOf(room).forEach((one) => one.forget(true));
      return files;
    },
  };
}
