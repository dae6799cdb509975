// Terminals: what a page needs to show one is loaded when the first is on it.

function loadShown() {
  if (document.querySelector('tide-terminal:not(:defined)')) import('./terminals/live.js');
  if (document.querySelector('tide-replay:not(:defined)')) import('./terminals/replay.js');
}

document.addEventListener('htmx:after:swap', loadShown);
loadShown();
