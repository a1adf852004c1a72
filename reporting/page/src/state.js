// state.js -- what is looked at.  The address bar is the only place where it is kept.

import * as filters from './filters.js';

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;

// Where the server is: the page may lie below a path that a proxy cuts off.
export const root = new URL(meta('root'), location.href.replace(/#.*$/, ''));

// The key of a shared link stands in its fragment, which browsers do not send, and stays there,
// so that the address can be passed on with the filters of the moment.
const fragment = /^#key=./.test(location.hash) ? location.hash : '';
export const sharedKey = decoded(fragment.slice(5));
addEventListener('hashchange', () => /^#key=./.test(location.hash) && location.hash !== fragment && location.reload());

/** Where events are sent to: the setting, else the same host at port 3000. */
export const ingestion = meta('ingestion') || `${location.protocol}//${location.hostname}:3000`;

export const PERIODS = {
  today: 'Today', yesterday: 'Yesterday', '24h': 'Last 24 hours', '7d': 'Last 7 days', '28d': 'Last 28 days',
  '30d': 'Last 30 days', '91d': 'Last 91 days', month: 'Month to date', last_month: 'Last month',
  '6mo': 'Last 6 months', '12mo': 'Last 12 months', year: 'Year to date', all: 'All time',
};

const DEFAULTS = {
  period: '30d', date: '', from: '', to: '', interval: '', metric: 'visitors', compare: 'on', filters: '',
  pages: 'page', sources: 'source', places: 'country', devices: 'browser', events: 'event_type',
  details: '', search: '', page: '1', help: '',
};

/** What an address has in place of other characters may be no text at all; then it is taken as it is. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function read() {
  const rest = location.pathname.slice(root.pathname.length);
  const found = /^site\/([^/]+)\/?$/.exec(rest);
  const query = new URLSearchParams(location.search);
  const state = { site: found ? decoded(found[1]) : '' };
  for (const key of Object.keys(DEFAULTS)) state[key] = query.get(key) ?? DEFAULTS[key];
  return state;
}

export let state = read();
const listeners = new Set();
export const onChange = (fn) => listeners.add(fn);

export function address(change) {
  const next = { ...state, ...change };
  const query = new URLSearchParams();
  for (const [key, initial] of Object.entries(DEFAULTS)) {
    if (next[key] !== initial) query.set(key, next[key]);
  }
  const text = query.toString();
  const path = next.site ? `site/${encodeURIComponent(next.site)}` : '';
  return new URL(path + (text ? `?${text}` : '') + fragment, root).href;
}

function renew() {
  const before = state;
  state = read();
  for (const fn of listeners) fn(before);
}

/** Goes to another state: a step of the browser's history, unless it replaces the present one. */
export function go(change, { replace = false } = {}) {
  const next = address(change);
  if (next === location.href) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', next);
  renew();
}

addEventListener('popstate', renew);

export const currentFilters = () => filters.parse(state.filters);
export const setFilters = (list) => go({ filters: filters.format(list), details: '', search: '', page: '1' });

/** Whether the range has a first and a last day of its own; a period beside them says nothing. */
export const isOwn = (s) => Boolean(s.from && s.to);
export const isAll = (s) => s.period === 'all' && !isOwn(s);

/** The parameters of the range in question, as the API takes them. */
export function rangeOf(s) {
  if (isOwn(s)) return { from: s.from, to: s.to };
  return s.date ? { period: s.period, date: s.date } : { period: s.period };
}

const MONTHS = { month: 1, last_month: 1, '6mo': 6, '12mo': 12, year: 12 };

/** How many whole months the days are, or 0. */
function wholeMonths(from, to) {
  const next = new Date(to);
  next.setUTCDate(next.getUTCDate() + 1);
  if (from.getUTCDate() !== 1 || next.getUTCDate() !== 1) return 0;
  return (next.getUTCFullYear() - from.getUTCFullYear()) * 12 + next.getUTCMonth() - from.getUTCMonth();
}

/** The range one step to the past (-1) or to the future (1). */
export function shift(s, steps, shown) {
  if (!shown?.from || isAll(s)) return null;
  const [from, to] = [shown.from, shown.to].map((text) => new Date(`${text}T00:00:00Z`));
  const months = isOwn(s) ? wholeMonths(from, to) : MONTHS[s.period] || 0;
  if (!isOwn(s) && s.period === '24h') from.setTime(to); // from there on by whole days
  const days = Math.round((to - from) / 86400000) + 1;
  if (months) {
    from.setUTCMonth(from.getUTCMonth() + steps * months);
    to.setTime(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months, 0));
  } else {
    for (const date of [from, to]) date.setUTCDate(date.getUTCDate() + steps * days);
  }
  const format = (date) => date.toISOString().slice(0, 10);
  return { period: DEFAULTS.period, from: format(from), to: format(to), date: '' };
}
