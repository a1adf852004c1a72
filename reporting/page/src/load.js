// load.js -- the questions of the page: asked when the state changes, and again from time to
// time while somebody looks.

import { areUnderWay, ask, askFor, hasKey, stopAsking } from './api.js';
import { askForKey, emptySite } from './empty.js';
import { metricsOf, PANELS } from './properties.js';
import { ROWS } from './panel.js';
import { isAll, rangeOf, state } from './state.js';
import { answers, FIGURES, isShown, notice, showAll, showBusy, showInstead } from './view.js';

const REFRESH_MS = 30000;
const EMPTY_MS = 2000;
const RETRY_MS = 2000; // twice as long after each failure
const RETRY_MAX_MS = 60000;

let timer = 0;
let turn = 0;
let failures = 0;
let emptyName = null; // the site that waits for its first event
let isLocked = false;
let restart = null; // with another token

const base = () => ({ site_id: state.site, ...rangeOf(state), filters: state.filters });
const compared = () => (state.compare === 'on' && !isAll(state) ? { compare: 'previous_period' } : {});

const questions = {
  figures: () => ['stats/aggregate', { ...base(), ...compared(), metrics: FIGURES.join(',') }],
  graph: () => ['stats/timeseries', { ...base(), ...compared(), metrics: state.metric, interval: state.interval }],
  realtime: () => ['stats/realtime', { site_id: state.site }],
};
for (const { key } of PANELS) {
  questions[key] = () => {
    const metrics = metricsOf(state[key]);
    const wanted = metrics.includes('conversion_rate') ? metrics : metrics.slice(0, 1);
    return ['stats/breakdown', { ...base(), property: state[key], metrics: wanted.join(','), limit: ROWS }];
  };
}

export const PARTS = Object.keys(questions);

/** Asks for one part and keeps what comes: undefined, or the error. */
async function load(name, isQuiet) {
  const { metric } = state;
  try {
    const [path, parameters] = questions[name]();
    answers[name] = { ...await askFor(name, path, parameters), metric };
    return undefined;
  } catch (error) {
    // What is in view answers the same question, and stays while the server is away.
    const stays = isQuiet && error.isPassing && answers[name]?.results;
    if (error.name !== 'AbortError' && name !== 'realtime' && !stays) answers[name] = error;
    return error;
  }
}

const hasNothing = () => answers.figures?.results?.visitors.value === 0 && answers.figures.results.pageviews.value === 0;

/** Whether the site has ever had an event, filters and period aside. */
async function isEmpty() {
  const all = await ask('stats/aggregate', { site_id: state.site, period: 'all', metrics: 'events' });
  return all.results.events.value === 0;
}

function backOff(errors) {
  failures += 1;
  const own = Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (failures - 1));
  return Math.max(own, ...errors.map((error) => error.waitMs || 0)) * (1 + Math.random() / 5);
}

function showLocked(error) {
  isLocked = true;
  stopAsking();
  showInstead(askForKey({ status: error.status, again: hasKey() }, restart));
  document.querySelector('#main input')?.focus();
}

/** Shows what has come.  Returns the errors after which it is worth to ask again. */
async function settle(errors) {
  const locked = errors.find((error) => error.part === 'figures' && (error.status === 401 || error.status === 403));
  if (locked) {
    showLocked(locked);
    return [];
  }
  if (hasNothing() && await isEmpty()) {
    emptyName = state.site;
    showInstead(emptySite());
  }
  return errors.filter((error) => error.isPassing);
}

async function wholeTurn(names, isQuiet, mine) {
  if (emptyName === state.site) {
    if (await isEmpty()) return [];
    emptyName = null;
    for (const name of PARTS) delete answers[name];
    if (mine === turn) showAll();
  }
  const errors = [];
  await Promise.all(names.map(async (name) => {
    const error = await load(name, isQuiet);
    if (error && error.name !== 'AbortError') errors.push(Object.assign(error, { part: name }));
    if (mine === turn && isShown()) showAll();
  }));
  return mine === turn ? settle(errors) : [];
}

function whatIsWrong(errors) {
  const error = errors[0];
  if (!error) return '';
  return `${error.message} These figures may be out of date; the page tries again by itself.`;
}

/** Asks for these parts; quietly: what is in view stays until the new has come. */
export async function refresh(names, { isQuiet = false } = {}) {
  const mine = turn += 1;
  clearTimeout(timer);
  isLocked = false;
  let errors;
  if (!isQuiet && isShown()) showBusy(true);
  try {
    errors = await wholeTurn(names, isQuiet, mine);
  } catch (error) {
    errors = error.isPassing ? [error] : [];
  }
  if (mine !== turn) return;
  showBusy(areUnderWay(PARTS));
  if (isLocked) return;
  notice(isShown() && answers.figures?.results ? whatIsWrong(errors) : '');
  if (errors.length === 0) failures = 0;
  const usual = emptyName === state.site ? EMPTY_MS : REFRESH_MS;
  const isUseless = !answers.figures?.results && emptyName !== state.site;
  timer = setTimeout(again, errors.length === 0 ? usual : isUseless ? backOff(errors) : Math.max(usual, backOff(errors)));
}

/** Some parts alone: what is under way for the others goes on. */
export async function refreshParts(names) {
  showBusy(true);
  await Promise.all(names.map(async (name) => {
    await load(name, false);
    if (isShown()) showAll();
  }));
  showBusy(areUnderWay(PARTS));
}

export function again() {
  if (document.hidden || isLocked || !state.site) return; // visibilitychange comes back here
  refresh(PARTS, { isQuiet: true });
}

/** A site from its beginning; onKey is called when a token has been given. */
export function begin(onKey) {
  restart = onKey;
  stopAsking();
  clearTimeout(timer);
  failures = 0;
  emptyName = null;
  for (const name of Object.keys(answers)) delete answers[name];
  notice('');
  showAll(() => begin(onKey));
  return refresh(PARTS);
}

export function end() {
  turn += 1;
  clearTimeout(timer);
  stopAsking();
}
