// api.js -- questions to reporting.  The token, or the key of a shared link, goes in a header
// and is kept for this session of the browser; it is never in an address that is sent.

import { root, sharedKey } from './state.js';

const KEY = 'analytics-key';
let memory = ''; // where the browser keeps nothing for us

export function setKey(key) {
  memory = key;
  try {
    sessionStorage.setItem(KEY, key);
  } catch { /* private windows may refuse */ }
}

function key() {
  if (sharedKey) return sharedKey;
  try {
    return sessionStorage.getItem(KEY) || memory;
  } catch {
    return memory;
  }
}

export const hasKey = () => Boolean(key());

export class ApiError extends Error {
  constructor(status, message, waitSeconds) {
    super(message);
    this.status = status; // 0: no answer at all
    this.waitMs = waitSeconds > 0 ? waitSeconds * 1000 : 0;
  }

  /** Whether the same question may be answered later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export function urlOf(path, parameters) {
  const url = new URL(path, root);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}

async function request(path, parameters, signal) {
  const headers = key() ? { Authorization: `Bearer ${key()}` } : {};
  let answer;
  try {
    answer = await fetch(urlOf(path, parameters), { headers, signal, credentials: 'omit' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The server cannot be reached.');
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new ApiError(answer.status, body.error || `The server answered ${answer.status}.`,
    Number(answer.headers.get('Retry-After')));
}

export async function ask(path, parameters, signal) {
  return (await request(path, parameters, signal)).json();
}

const underWay = {};

/** Asks for a part of the page.  A newer question for the same part ends this one, which then
 * fails with AbortError: what comes late never takes the place of what was asked later. */
export async function askFor(part, path, parameters) {
  underWay[part]?.abort();
  const controller = new AbortController();
  underWay[part] = controller;
  try {
    const answer = await ask(path, parameters, controller.signal);
    controller.signal.throwIfAborted();
    return answer;
  } finally {
    if (underWay[part] === controller) delete underWay[part];
  }
}

export const areUnderWay = (parts) => parts.some((part) => underWay[part]);

export function stopAsking() {
  for (const part of Object.keys(underWay)) underWay[part].abort();
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
