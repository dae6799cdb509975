// The card of a person over the page, for links to them beside messages and in the list of people.
// Without scripts, and where the card cannot be fetched, the link opens the person's page.

import { request } from './live.js';
import { localizeTimes } from './times.js';

const dialog = document.getElementById('profile-card');
const inside = dialog.querySelector('.inside');

dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close(); // beside it
});
// The focus goes back by itself when a dialog closes, to what had it.
dialog.addEventListener('close', () => inside.replaceChildren());

/** Shows the card that a link leads to. */
export async function showCard(link) {
  const response = await request(`${link.pathname}?card`).catch(() => null);
  if (!response?.ok) {
    location.assign(link.href);
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const card = page.querySelector('.person-card');
  if (!card || dialog.open) return;
  inside.replaceChildren(document.adoptNode(card));
  link.focus({ preventScroll: true });
  dialog.showModal();
  localizeTimes();
  if (inside.querySelector('[data-zone]')) {
    import('./time_zones.js').then(({ showZones }) => showZones(), () => {});
  }
}
