// The installed app: registers the service worker, and has notices pushed to this device. Only in
// secure contexts: elsewhere browsers have neither.

import { act } from './live.js';
import { onSignOut } from './sign_out.js';

export const canWork = () => 'serviceWorker' in navigator;
export const canPush = () => canWork() && 'PushManager' in window && 'Notification' in window;
const isAppleTab = () => /iPhone|iPad|iPod/.test(navigator.userAgent) && !navigator.standalone;

const subscription = async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  return registration?.pushManager.getSubscription();
};

async function subscribe(key) {
  if (await Notification.requestPermission() !== 'granted') return;
  const registration = await navigator.serviceWorker.ready;
  const own = await registration.pushManager.subscribe({
    userVisibleOnly: true, applicationServerKey: key,
  });
  const { endpoint, keys: { p256dh, auth } } = own.toJSON();
  await act('notices.subscribe-device', { endpoint, p256dh, auth });
  location.reload();
}

/** Shows what this device can do, on the page of settings. */
export function showPush() {
  const part = document.querySelector('[data-notices=push]');
  if (!part) return;
  const state = (name, isShown) => {
    part.querySelector(`[data-state=${name}]`).hidden = !isShown;
  };
  const isDenied = canPush() && Notification.permission === 'denied';
  part.hidden = false;
  state('apple', isAppleTab());
  state('insecure', !isSecureContext);
  state('missing', isSecureContext && !canPush() && !isAppleTab());
  state('denied', isDenied);
  const button = part.querySelector('[data-do=push-on]');
  button.hidden = !canPush() || isDenied || 'here' in part.dataset;
  if (button.dataset.ready) return;
  button.dataset.ready = 'yes';
  button.addEventListener('click', async () => {
    button.disabled = true;
    const failed = part.querySelector('[data-state=failed]');
    failed.hidden = true;
    await subscribe(part.dataset.key).catch(() => { failed.hidden = false; });
    button.disabled = false;
  });
}

// A device that signs out is sent nothing any more.
onSignOut(async () => canPush() && (await subscription())?.unsubscribe());

if (canWork()) navigator.serviceWorker.register('/sw.js').catch(() => {});
