// api.js -- questions to reporting.  The token, or the key of a shared link, goes in a header
// and is kept for this session of the browser; it is never in an address that is sent.

import { root } from './state.js';

const KEY = 'analytics-key';
let memory = ''; // where the browser keeps nothing for us

export function setKey(key) {
  memory = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch { /* private windows may refuse */ }
}

function key() {
  try {
    return sessionStorage.getItem(KEY) || memory;
  } catch {
    return memory;
  }
}

// The key of a shared link stands in its fragment, which browsers do not send.
const shared = /^#key=(.+)$/.exec(location.hash);
if (shared) setKey(decodeURIComponent(shared[1]));

export const hasKey = () => Boolean(key());

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status; // 0: no answer at all
  }
}

async function request(path, parameters, signal) {
  const url = new URL(path, root);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value !== undefined) url.searchParams.set(name, value);
  }
  const headers = key() ? { Authorization: `Bearer ${key()}` } : {};
  let answer;
  try {
    answer = await fetch(url, { headers, signal, credentials: 'omit' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The server cannot be reached.');
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new ApiError(answer.status, body.error || `The server answered ${answer.status}.`);
}

export async function ask(path, parameters, signal) {
  return (await request(path, parameters, signal)).json();
}

/** Saves the answer as a CSV file: a link could not bring the token. */
export async function download(path, parameters, name) {
  const answer = await request(path, { ...parameters, format: 'csv' });
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
