// Read receipts: who has read one's newest message, where it is the newest of a conversation. Frames
// and the server's line say how far each of the others has read.

import { onConnected, refetchRegion } from '../live.js';

export function startReceipts(page) {
  const line = () => page.querySelector('.receipts');
  const { me } = document.getElementById('app').dataset;

  /** The id of the newest message, if it is one's own and was posted. */
  const ownNewest = () => {
    const last = [...page.querySelectorAll('.log[data-live] > .msg')].at(-1);
    const isOwn = last?.dataset.author === me && !('deleted' in last.dataset);
    return isOwn && /^m-\d+$/.test(last.id) ? BigInt(last.id.slice(2)) : null;
  };

  const show = () => {
    const newest = ownNewest();
    const readers = [...line()?.querySelectorAll('[data-reader]') ?? []];
    for (const reader of readers) {
      reader.hidden = newest === null || BigInt(reader.dataset.read) < newest;
    }
    line()?.toggleAttribute('hidden', readers.every((reader) => reader.hidden));
  };

  const observer = new MutationObserver(show);
  observer.observe(page.querySelector('.scroller'), { childList: true, subtree: true });
  observer.observe(page.querySelector('.typing'), { childList: true, subtree: true });
  onConnected(() => {
    if (page.isConnected && line()) refetchRegion(line()); // what was read meanwhile
  });
  show();
}
