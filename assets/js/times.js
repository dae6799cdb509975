// Dates and times in the reader's own time zone and way of counting hours, and the turn of the day.
// They are worded by the page's own strings: the first use of Intl blocks a page for 25 to 50 ms on
// a fast machine.

const CLOCK_CHECK_INTERVAL = 60000; // ms: timers stand still while a computer sleeps

/** Texts in the reader's language: <div id="words" data-…>. */
const words = document.getElementById('words').dataset;

// Languages whose speakers count to twelve, and after the colon the regions where they do not. For
// the languages after '24' it is the reverse. From CLDR, as Chromium's Intl has it.
const TWELVE = 'am ar:IL,KM,MA as bn el en:AI,AT,BE,BI,BW,BZ,CC,CH,CK,CM,CX,CZ,DE,DG,DK,EE,ES,FI,'
  + 'FK,FR,GB,GE,GG,GI,GS,HU,ID,IE,IL,IM,IO,IT,JE,JP,KE,LT,LV,MG,MS,MT,MU,MV,NF,NG,NL,NO,NR,NU,PL,'
  + 'PN,PT,RO,RW,SC,SE,SH,SI,SK,SX,TK,TV,TZ,UA,UG,ZA,ZW,150 fil gu hi kn ko:CN kok ml mr ms:ID pa '
  + 'sd ta:LK te ur '
  + '24 af:NA es:AR,BO,CL,CO,CR,CU,DO,EC,GT,HN,MX,NI,PA,PE,PH,PR,PY,SV,US,UY,VE,419 '
  + 'fr:DJ,DZ,MR,SY,TD,TN,VU pt:MO tr:CY zh:HK,MO,MY,SG,TW';

/** Whether the hours of a language tag such as `en-US` go to twelve. */
export function countsToTwelve(tag) {
  const [language, ...subtags] = tag.split('-');
  const region = subtags.find((part) => /^([A-Za-z]{2}|\d{3})$/.test(part))?.toUpperCase()
    ?? (subtags.includes('Hant') ? 'TW' : '');
  const entries = TWELVE.split(' ');
  const index = entries.findIndex((entry) => entry.split(':')[0] === language.toLowerCase());
  if (index < 0) return false;
  const isException = entries[index].split(/[:,]/).slice(1).includes(region);
  return isException !== (index < entries.indexOf('24'));
}

const languageHasTwelve = countsToTwelve(navigator.language ?? '');

/** Whether this reader's hours go to twelve: by the account's setting, else by the language. */
function hasTwelve() {
  const { clock } = document.getElementById('app').dataset;
  return clock ? clock === '12' : languageHasTwelve;
}

const twoDigits = (n) => String(n).padStart(2, '0');
const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** The time of day: `14:05`, or `2:05 PM`. */
export function timeOfDay(at) {
  const [hour, minute] = [at.getHours(), twoDigits(at.getMinutes())];
  if (!hasTwelve()) return `${twoDigits(hour)}:${minute}`;
  const period = hour < 12 ? words.am : words.pm;
  return fill(words.timeOf12, { hour: hour % 12 || 12, minute, period });
}

/** Fills the {weekday}, {day}, {month} and {year} of a pattern. */
export const formatDate = (pattern, at) => fill(pattern, {
  weekday: words.weekdays.split(', ')[at.getDay()],
  day: at.getDate(),
  month: words.months.split(', ')[at.getMonth()],
  year: at.getFullYear(),
});

/** How many midnights ago it was; negative for days to come. */
export function daysAgo(at) {
  const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
  return Math.round((midnight(Date.now()) - midnight(at)) / 86400000);
}

let localTexts = new WeakMap(); // <time> → the local text that was put into it

/** A message shows its time of day; anything else its date, with the time if it had one. */
function localText(time) {
  const at = new Date(time.dateTime);
  if (time.closest('.when')) return timeOfDay(at);
  const hasTime = time.textContent.includes(':');
  const pattern = hasTime && { 0: words.todayAt, 1: words.yesterdayAt }[daysAgo(at)];
  if (pattern) return fill(pattern, { time: timeOfDay(at) });
  const date = formatDate(words.date, at);
  return hasTime ? `${date}, ${timeOfDay(at)}` : date;
}

/** Words the times of the page that have not been worded yet. */
export function localizeTimes() {
  const selector = 'time[datetime]:not(.edited > time, .day time)';
  for (const time of document.querySelectorAll(selector)) {
    if (localTexts.get(time) === time.textContent) continue;
    const text = localText(time);
    if (time.textContent !== text) time.textContent = text;
    localTexts.set(time, text);
  }
}

// The full date and time as a tooltip.
document.addEventListener('pointerover', ({ target }) => {
  const time = target.closest('time[datetime]');
  if (!time) return;
  const at = new Date(time.dateTime);
  time.title = `${formatDate(words.dayOfYear, at)}, ${timeOfDay(at)}`;
}, { passive: true });

// At midnight 'today' becomes 'yesterday'. Whoever shows days listens for `tide:day`.
let day = new Date().toDateString();
let timer;

function checkDay() {
  clearTimeout(timer);
  const now = new Date();
  const untilMidnight = new Date(now).setHours(24, 0, 0, 0) - now;
  timer = setTimeout(checkDay, Math.min(untilMidnight, CLOCK_CHECK_INTERVAL));
  if (now.toDateString() === day) return;
  day = now.toDateString();
  localTexts = new WeakMap();
  localizeTimes();
  document.dispatchEvent(new Event('tide:day'));
}

checkDay();
document.addEventListener('visibilitychange', checkDay);
addEventListener('pageshow', checkDay);
addEventListener('focus', checkDay);
