// What a drop or a paste holds. A folder among it is no file that could be sent.

/** Each file with why it cannot be sent: 'folder', or nothing. */
export function filesOf(transfer) {
  const items = [...(transfer?.items ?? [])].filter((item) => item.kind === 'file');
  const found = items.map((item) => ({
    file: item.getAsFile(),
    reason: item.webkitGetAsEntry?.()?.isDirectory ? 'folder' : '',
  }));
  const files = found.filter(({ file }) => file);
  if (files.length) return files;
  return [...(transfer?.files ?? [])].map((file) => ({ file, reason: '' }));
}
