// Keeps the names of messages that a page shows as those of the people's pane, which changes by
// frames: a message's own markup does not change with its author's name.

function rename(person) {
  const { account, name } = person.dataset;
  if (!account || !name) return;
  for (const shown of document.querySelectorAll(`.msg[data-author="${account}"] header b`)) {
    if (shown.textContent !== name) shown.textContent = name;
  }
  for (const mention of document.querySelectorAll(`.mention[data-account="${account}"]`)) {
    if (mention.textContent !== `@${name}`) mention.textContent = `@${name}`;
  }
}

/** Follows the people's panes of this and later pages. */
export function followNames() {
  const observer = new MutationObserver((changes) => {
    for (const { target } of changes) if (target.matches('.person')) rename(target);
  });
  const options = { subtree: true, attributes: true, attributeFilter: ['data-name'] };
  observer.observe(document.body, options);
}
