// Pictures open in the viewer, which is loaded on first use. A picture stays a link, so that it
// also opens without scripts, and in a new tab with Ctrl or the middle button.

document.addEventListener('click', async (event) => {
  const link = event.target.closest('[data-picture]');
  if (!link || event.defaultPrevented || event.button) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  try {
    (await import('./viewer_dialog.js')).openViewer(link);
  } catch {
    location.assign(link.href); // the network is gone, or the server has another version
  }
});
