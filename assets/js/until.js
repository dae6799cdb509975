// What ends at a time of its own: a status is hidden, and one's own presence is automatic again.

const MAX_DELAY = 60_000; // ms until times are looked at again

let timer = null;

/** Whether the reader does not want to be disturbed now. */
export function isBusy() {
  const own = document.querySelector('footer.me');
  return own?.dataset.state === 'busy';
}

/** Ends what has ended. `changed` is called when it was the reader's own presence. */
export function endExpired(changed) {
  clearTimeout(timer);
  let next = Infinity;
  for (const element of document.querySelectorAll('[data-until]')) {
    const left = Date.parse(element.dataset.until) - Date.now();
    if (left > 0) next = Math.min(next, left);
    else if (element.matches('footer.me')) {
      element.dataset.state = 'here';
      element.removeAttribute('data-until');
      changed();
    } else element.hidden = true;
  }
  if (next < Infinity) timer = setTimeout(endExpired, Math.min(next + 50, MAX_DELAY), changed);
}
