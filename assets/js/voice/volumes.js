// How loud each of the others is heard: a list in the bar, with a slider for each.

import { readPreferences, setVolume } from './preferences.js';

export class Volumes {
  constructor(list, label, onChange) {
    Object.assign(this, { list, label, onChange });
    list.addEventListener('input', ({ target }) => {
      setVolume(target.dataset.account, target.valueAsNumber / 100);
      this.onChange();
    });
  }

  /** Of an account, from 0 to 1. */
  of(account) {
    const volume = Number(readPreferences().volumes[account] ?? 1);
    return Math.min(1, Math.max(0, volume || 0));
  }

  /** Shows these people, and leaves a slider alone that is being moved. */
  show(people) {
    const known = new Set(people.map(({ account }) => account));
    for (const entry of [...this.list.children]) {
      if (!known.has(entry.dataset.account)) entry.remove();
    }
    for (const { account, name } of people) {
      if (this.list.querySelector(`li[data-account="${account}"]`)) continue;
      const entry = document.createElement('li');
      entry.dataset.account = account;
      const label = Object.assign(document.createElement('label'), { dir: 'auto' });
      label.append(name);
      const slider = Object.assign(document.createElement('input'), {
        type: 'range', min: 0, max: 100, step: 5, value: Math.round(this.of(account) * 100),
      });
      slider.dataset.account = account;
      slider.setAttribute('aria-label', this.label.replace('{name}', name));
      label.append(slider);
      entry.append(label);
      this.list.append(entry);
    }
  }
}
