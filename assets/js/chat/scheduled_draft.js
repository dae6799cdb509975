// The form of a message for later begins with what was written in the room's composer.

/** Fills the form from the draft of its room; the draft goes when the form is sent. */
export function fillFromDraft(area) {
  const key = `draft:${document.getElementById('app').dataset.me}:${area.dataset.draftOf}`;
  if (!area.value) area.value = localStorage.getItem(key) ?? '';
  area.form.addEventListener('submit', () => {
    if (area.value.trim() === localStorage.getItem(key)?.trim()) localStorage.removeItem(key);
  });
}

/** Gives a field of a date and time its value by the clock of this browser. */
export function showLocally(field) {
  const at = new Date(field.dataset.local);
  const local = new Date(at - at.getTimezoneOffset() * 60_000);
  field.value = local.toISOString().slice(0, 16);
}
