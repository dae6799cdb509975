// Passkeys: adding one on the page of one's security, and signing in with one. Browsers have them
// on secure pages only (https, or the own machine).

const toBytes = (text) => Uint8Array.from(
  atob(text.replaceAll('-', '+').replaceAll('_', '/')),
  (character) => character.charCodeAt(0),
);
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** Whether this browser can use passkeys on this page. */
const isUsable = () => isSecureContext && Boolean(window.PublicKeyCredential);

/** Posts JSON. Throws an error with the server's words. */
async function post(path, fields) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(fields),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

/** Runs a step of a form and shows below it why it failed. */
async function attempt(form, run) {
  const problem = form.querySelector('[data-problem]');
  const button = form.querySelector('button:not([data-unmask])');
  problem.hidden = true;
  button.disabled = true;
  try {
    await run();
  } catch (error) {
    // The browser's own errors are in its language, not the page's; each means that it was left.
    const isBrowsers = error instanceof DOMException;
    problem.textContent = isBrowsers ? problem.dataset.cancelled : error.message;
    problem.hidden = false;
  }
  button.disabled = false;
}

async function addPasskey(form) {
  const { challenge, rp_id: id, known, user, name } = await post('/account/passkeys/challenge', {});
  const account = new DataView(new ArrayBuffer(8));
  account.setBigUint64(0, BigInt(user));
  const { response } = await navigator.credentials.create({
    publicKey: {
      challenge: toBytes(challenge),
      rp: { id, name: document.title.split(' · ').pop() },
      user: { id: account.buffer, name, displayName: name },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -8 }],
      excludeCredentials: known.map((one) => ({ type: 'public-key', id: toBytes(one) })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    },
  });
  await post('/account/passkeys', {
    name: form.elements.name.value,
    current_password: form.elements.current_password.value,
    client_data: toText(response.clientDataJSON),
    authenticator_data: toText(response.getAuthenticatorData()),
  });
  location.assign('/account/security?done=passkey');
}

async function signIn(form) {
  const { challenge, rp_id: rpId } = await post('/sign-in/passkey/challenge', {});
  const { id, response } = await navigator.credentials.get({
    publicKey: { challenge: toBytes(challenge), rpId, userVerification: 'required' },
  });
  const { next } = await post('/sign-in/passkey', {
    id,
    client_data: toText(response.clientDataJSON),
    authenticator_data: toText(response.authenticatorData),
    signature: toText(response.signature),
    next: form.elements.next.value,
  });
  location.assign(next);
}

/** Shows the forms of the page that can be used here, or why they cannot. */
export function showPasskeys() {
  for (const form of document.querySelectorAll('[data-passkey][hidden]')) {
    form.hidden = !isUsable();
  }
  for (const reason of document.querySelectorAll('[data-no-passkeys]')) {
    reason.hidden = isUsable();
  }
}

document.addEventListener('submit', (event) => {
  const form = event.target.closest('[data-passkey]');
  if (!form) return;
  event.preventDefault();
  const run = form.dataset.passkey === 'add' ? addPasskey : signIn;
  attempt(form, () => run(form));
});

showPasskeys();
