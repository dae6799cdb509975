// Sections of the sidebar that are folded: remembered in this browser.

const KEY = 'folded'; // of localStorage: ids of folded sections, separated by spaces

function folded() {
  try {
    return new Set((localStorage.getItem(KEY) ?? '').split(' ').filter(Boolean));
  } catch {
    return new Set(); // storage is refused
  }
}

/** Folds what was folded, after the sidebar was shown anew. */
export function foldSections() {
  const ids = folded();
  for (const section of document.querySelectorAll('details[data-fold]')) {
    section.open = !ids.has(section.dataset.fold);
  }
}

// By a click, not by `toggle`: that one also comes from showing the sidebar anew.
document.addEventListener('click', (event) => {
  const section = event.target.closest?.('details[data-fold] > summary')?.parentElement;
  if (!section) return;
  const ids = folded();
  // The click has not folded it yet.
  if (section.open) ids.add(section.dataset.fold);
  else ids.delete(section.dataset.fold);
  try {
    localStorage.setItem(KEY, [...ids].join(' '));
  } catch {
    // It stays folded until the next page.
  }
});
