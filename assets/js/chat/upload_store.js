// Where uploads are stored until they are posted, so that they survive a reload of the page.

let database = null;

function openDatabase() {
  database ??= new Promise((resolve, reject) => {
    const opening = indexedDB.open('tidepool', 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore('uploads', { keyPath: 'id' });
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  return database;
}

/** The result of `use(store)`; undefined where the browser stores nothing, or not this file. */
export async function inStore(mode, use) {
  try {
    const transaction = (await openDatabase()).transaction('uploads', mode);
    const request = use(transaction.objectStore('uploads'));
    return await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return undefined; // without a store uploads work, but do not survive a reload
  }
}
