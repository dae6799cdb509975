// Asks the server for something of voice.

const TIMEOUT = 10000; // ms

/** Runs an action of voice. Rejects with the server's words and the `status`, 0 without answer. */
export async function post(action, fields) {
  const response = await fetch(`/act/voice.${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(fields),
    signal: AbortSignal.timeout(TIMEOUT),
  }).catch(() => null);
  if (!response) throw Object.assign(new Error(''), { status: 0 });
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  throw Object.assign(new Error(answer?.message ?? answer?.error?.message ?? ''), {
    status: response.status,
  });
}
