// The files of a message on its way: pictures as they are, others by name. Loaded with the first
// message that has some.

const previews = new Map(); // file id → object URL, of pictures picked since the page was loaded

/** Keeps a picture, so that it is seen while its message is on its way. */
export function keepPreview(fileId, picture) {
  previews.set(fileId, URL.createObjectURL(picture));
}

/** Lets go of the pictures of a message that was sent or discarded. */
export function dropPreviews(files) {
  for (const { id } of files) {
    URL.revokeObjectURL(previews.get(id));
    previews.delete(id);
  }
}

function iconOf(name) {
  const icon = document.querySelector('.compose [data-attach] svg').cloneNode(true);
  const use = icon.querySelector('use');
  use.setAttribute('href', use.getAttribute('href').replace(/#.*/, `#${name}`));
  icon.classList.add('s');
  return icon;
}

function textOf(text) {
  const part = document.createElement('bdi');
  part.textContent = text;
  return part;
}

function itemOf({ id, name, caption }) {
  const item = document.createElement('li');
  const line = document.createElement('p');
  line.className = 'caption';
  const preview = previews.get(id);
  item.className = `attachment ${preview ? 'picture' : 'file'}`;
  if (preview) {
    const link = document.createElement('a');
    const image = new Image(240, 180);
    Object.assign(image, { src: preview, alt: caption || name });
    link.append(image);
    item.append(link);
  } else line.append(iconOf('file'), ' ', textOf(name));
  if (caption) line.append(' ', textOf(caption));
  if (line.hasChildNodes()) item.append(line);
  return item;
}

/** Shows the files of a message in its element, below its text. */
export function showFiles(message, files) {
  const list = document.createElement('ul');
  list.className = 'attachments';
  list.append(...files.map(itemOf));
  message.querySelector('.body').after(list);
}
