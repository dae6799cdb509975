// The service worker: shows push messages, and a page that says that there is no connection. It
// keeps that page and its style sheets, never a page with content. SETTINGS precede it: see
// src/modules/notices/app.rs.

const CACHE = `offline-${SETTINGS.version}`;
const OFFLINE = '/offline';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE)
    .then((cache) => cache.addAll([OFFLINE, ...SETTINGS.files]))
    .then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const deleteOld = async () => {
    const names = (await caches.keys()).filter((name) => name !== CACHE);
    await Promise.all(names.map((name) => caches.delete(name)));
    // Pages are asked for while the worker is being started.
    await self.registration.navigationPreload?.enable();
    await self.clients.claim();
  };
  event.waitUntil(deleteOld());
});

const navigate = async ({ request, preloadResponse }) => await preloadResponse ?? fetch(request);

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { pathname } = new URL(request.url);
  if (request.mode === 'navigate') {
    event.respondWith(navigate(event).catch(() => caches.match(OFFLINE)));
  } else if (SETTINGS.files.includes(pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(pathname)));
  }
});

// The message is that of declarative web push, which Safari shows without this.
self.addEventListener('push', (event) => {
  const { notification, app_badge: badge } = event.data?.json() ?? {};
  if (!notification) return;
  const { title, body, navigate, tag, dir } = notification;
  const options = { body, tag, dir, icon: SETTINGS.icon, data: { navigate } };
  event.waitUntil(Promise.all([
    self.registration.showNotification(title, options),
    navigator.setAppBadge?.(badge),
  ]));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const target = new URL(event.notification.data?.navigate ?? '/', self.location.href);
  if (target.origin !== self.location.origin) return;
  const open = async () => {
    const pages = await self.clients.matchAll({ type: 'window' });
    const page = await pages[0]?.focus().catch(() => null);
    if (page) await page.navigate(target.href);
    else await self.clients.openWindow(target.href);
  };
  event.waitUntil(open());
});
