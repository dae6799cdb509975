// Who is typing, in words. Frames add and replace a mark for each person, which expires by itself;
// the line beside them says it for all.

import { words } from '../app.js';

/** `{name}` and `{other}` of a pattern, each set apart from the direction of the text around it. */
function sentence(pattern, names) {
  return pattern.split(/(\{\w+\})/).map((part) => {
    if (!(part in names)) return part;
    return Object.assign(document.createElement('bdi'), { textContent: names[part] });
  });
}

export function startTyping(page) {
  const marks = page.querySelector('.typing > p');
  if (!marks) return;
  const line = marks.nextElementSibling;
  const { me } = document.getElementById('app').dataset;
  const show = () => {
    const others = [...marks.querySelectorAll(`[data-typing]:not([data-typing="${me}"])`)];
    const [name, other] = others.map((mark) => mark.textContent);
    const pattern = ['', words.typingOne, words.typingTwo][others.length] ?? words.typingMany;
    line.replaceChildren(...sentence(pattern, { '{name}': name, '{other}': other }));
  };
  new MutationObserver(show).observe(marks, { childList: true, subtree: true });
  marks.addEventListener('animationend', ({ animationName, target }) => {
    if (animationName === 'expire') target.closest('[data-typing]')?.remove();
  });
}
