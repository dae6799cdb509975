// The time of day in somebody's time zone, and the list of zones that this browser knows.

const UPDATE_INTERVAL = 20000; // ms between two looks at the clock
let timer = null;

/** "15:42" in a zone; nothing for a zone that the browser does not know. */
function timeIn(zone) {
  const { clock } = document.getElementById('app')?.dataset ?? {};
  const hourCycle = clock && (clock === '12' ? 'h12' : 'h23');
  const options = { timeZone: zone, hour: 'numeric', minute: '2-digit', hourCycle };
  try {
    return new Intl.DateTimeFormat(document.documentElement.lang, options).format();
  } catch {
    return null;
  }
}

/** Words the elements with `data-zone`, again as the clock goes on, and fills the list of zones. */
export function showZones() {
  clearTimeout(timer);
  const zones = document.querySelectorAll('[data-zone]');
  for (const element of zones) {
    const time = timeIn(element.dataset.zone);
    if (time) element.textContent = `${time} (${element.dataset.zone.replaceAll('_', ' ')})`;
  }
  if (zones.length) timer = setTimeout(showZones, UPDATE_INTERVAL);
  for (const field of document.querySelectorAll('[data-browser-zone]')) {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? '';
  }
  const list = document.querySelector('[data-time-zones]');
  if (!list || list.options.length || !Intl.supportedValuesOf) return;
  list.append(...Intl.supportedValuesOf('timeZone').map((zone) => new Option('', zone)));
}
