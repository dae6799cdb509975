// Results while one types: the list of the page is fetched again, one request at a time.

import { request } from './live.js';
import { localizeTimes } from './times.js';

const isSearch = (form) => form?.matches('form.search');
let isAsking = false;

async function update(form) {
  if (isAsking) return; // the loop below asks again
  isAsking = true;
  let asked = null;
  while (form.isConnected) {
    const query = new URLSearchParams(new FormData(form)).toString();
    if (query === asked) break;
    asked = query;
    const html = await request(`/search/results?${query}`)
      .then((response) => (response.ok ? response.text() : null))
      .catch(() => null);
    const list = document.getElementById('search-results');
    if (html !== null && list) {
      list.innerHTML = html;
      localizeTimes();
      history.replaceState(history.state, '', `/search?${query}`);
    }
  }
  isAsking = false;
}

document.addEventListener('input', ({ target }) => {
  if (isSearch(target.form)) update(target.form);
});
