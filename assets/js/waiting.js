// Shows that an answer is awaited: a bar at the top of the page, where an answer takes longer than
// a tenth of a second (the delay is in base.css).

let waiting = 0;

/** Shows that a promise is awaited, and returns it. */
export function showWaiting(promise) {
  const root = document.documentElement;
  root.toggleAttribute('data-waiting', ++waiting > 0);
  const end = () => root.toggleAttribute('data-waiting', --waiting > 0);
  promise.then(end, end);
  return promise;
}
