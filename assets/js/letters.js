// The desk of a letter: saves the draft while one writes. The button saves, too, without scripts.

const SAVE_DELAY = 1200; // ms without a key until the draft is saved

let timer = null;
let saving = null; // the request that is on its way, if any

const desk = () => document.querySelector('form[data-letter-desk]');

function say(form, what) {
  const status = document.querySelector('#letter-saved');
  if (status) status.textContent = status.dataset[what];
}

async function send(form) {
  say(form, 'saving');
  const fields = Object.fromEntries(new FormData(form));
  delete fields.ask;
  try {
    const answer = await fetch('/act/letters.save', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify(fields),
    });
    if (!answer.ok) return say(form, 'failed');
    const { revision } = await answer.json();
    if (revision !== undefined) form.elements.revision.value = revision;
    say(form, 'saved');
  } catch {
    say(form, 'failed');
  }
}

/** One request at a time: each names the revision that the one before it made. */
async function save() {
  clearTimeout(timer);
  const form = desk();
  if (!form) return;
  if (saving) await saving;
  saving = send(form);
  await saving;
  saving = null;
}

document.addEventListener('input', ({ target }) => {
  const form = target.closest?.('form[data-letter-desk]');
  if (!form) return;
  const sheet = form.querySelector('.sheet');
  const paper = new FormData(form).get('paper');
  if (sheet && paper) sheet.className = `sheet paper-${paper}`;
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_DELAY);
});

// What is sent by a button has all of it.
document.addEventListener('submit', ({ target }) => {
  if (target.matches?.('form[data-letter-desk]')) clearTimeout(timer);
}, true);
