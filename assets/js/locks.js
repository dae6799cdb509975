// Locks that one tab at a time holds, for plain http, where browsers have no `navigator.locks`:
// tabs ask each other. Loaded only there.

const ANSWER_TIMEOUT = 250; // ms in which another tab says that it holds a lock
const RETRY_INTERVAL = 5000; // ms after which a tab asks again, for one that ended without a word

const channel = new BroadcastChannel('tidepool-locks');
const held = new Map(); // name → ticket of what this tab holds or asks for
const waiting = new Map(); // name → function that asks again

channel.addEventListener('message', ({ data: { type, name, ticket } }) => {
  // Of two tabs that ask at once the one with the lower ticket gets it.
  if (type === 'ask' && held.has(name) && held.get(name) <= ticket) {
    channel.postMessage({ type: 'held', name, ticket });
  } else if (type === 'free') waiting.get(name)?.();
});

/** Whether no other tab holds a lock. Takes it then. */
async function tryTake(name) {
  const ticket = `${Date.now()} ${Math.random()}`;
  held.set(name, ticket);
  const isFree = await new Promise((resolve) => {
    const listen = ({ data }) => {
      if (data.type === 'held' && data.ticket === ticket) finish(false);
    };
    const finish = (result) => {
      channel.removeEventListener('message', listen);
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => finish(true), ANSWER_TIMEOUT);
    channel.addEventListener('message', listen);
    channel.postMessage({ type: 'ask', name, ticket });
  });
  // As if it had been taken when it was asked for: whoever asks now has to wait.
  if (isFree) held.set(name, ''); else held.delete(name);
  return isFree;
}

function release(name) {
  held.delete(name);
  channel.postMessage({ type: 'free', name });
}

/**
 * Calls `use` in one tab at a time: in this one once no other holds the lock, until the promise
 * that it returns settles, or the tab closes.
 */
export async function withLock(name, use) {
  while (!await tryTake(name)) {
    await new Promise((resolve) => {
      waiting.set(name, resolve);
      setTimeout(resolve, RETRY_INTERVAL);
    });
    waiting.delete(name);
  }
  try {
    return await use();
  } finally {
    release(name);
  }
}

addEventListener('pagehide', () => {
  for (const name of held.keys()) channel.postMessage({ type: 'free', name });
});
