// main.js -- the page: asks for what the state names, and shows it.

import { ask, hasKey } from './api.js';
import { chart } from './chart.js';
import { details } from './details.js';
import { fill, h } from './dom.js';
import { askForKey, emptySite, failed, noSites } from './empty.js';
import { change, compact, metric, METRICS, range } from './format.js';
import { ROWS, view } from './panel.js';
import * as pickers from './pickers.js';
import { metricsOf, PANELS } from './properties.js';
import { go, onChange, rangeOf, root, state } from './state.js';

const FIGURES = ['visitors', 'visits', 'pageviews', 'views_per_visit', 'bounce_rate', 'visit_duration'];
const REFRESH_MS = 30000;
const EMPTY_MS = 2000;

const app = document.getElementById('app');
const answers = {}; // by part: what was answered last, or an Error
let controller = new AbortController();
let sites = null;
let isEmpty = false;
let form = null; // of one more filter
let dialog = null;
let timer = 0;

// --- the parts ---------------------------------------------------------------------------

const part = {};
for (const name of ['top', 'chips', 'figures', 'graph', 'foot', ...PANELS.map((panel) => panel.key)]) {
  part[name] = h('div', { class: name });
}
const panels = h('div.panels', null, PANELS.map((panel) => h('section', {
  class: `panel${panel.wide ? ' wide' : ''}`, 'aria-label': panel.title,
}, part[panel.key])));
const main = h('main', { id: 'main', tabindex: -1 },
  h('section.card', { 'aria-label': 'Figures' }, part.figures, part.graph), panels, part.foot);
const page = [h('header.top', null, part.top, part.chips), main];

function showTop() {
  const realtime = answers.realtime;
  fill(part.top,
    h('h1', null, h('a', { href: root.href, title: 'All sites' }, 'Analytics')),
    pickers.sites(sites),
    h('span.live', { 'aria-live': 'off', title: 'Visitors in the last 5 minutes' },
      realtime && !(realtime instanceof Error) && [h('i', { 'aria-hidden': 'true' }), h('b', null, compact(realtime.visitors)), ' now']),
    h('span.gap'), h('button.add', { type: 'button', 'data-key': 'add', 'aria-expanded': String(Boolean(form)), onclick: addFilter }, '+ Filter'),
    pickers.compare(), pickers.period(answers.figures));
}

function showChips() {
  fill(part.chips, pickers.chips(), form);
  part.chips.hidden = !part.chips.firstChild;
}

function addFilter() {
  form = pickers.filterForm(() => {
    form = null;
    showTop();
    showChips();
    part.top.querySelector('[data-key="add"]').focus();
  });
  showTop();
  showChips();
}

function difference(name, figure) {
  if (figure?.change === undefined || figure.change === null) return h('span.change', null, ' ');
  const way = Math.sign(figure.change) * METRICS[name].good;
  return h('span', {
    class: `change ${way > 0 ? 'good' : way < 0 ? 'bad' : ''}`,
    title: `${metric(name, figure.previous)} in the period before`,
  }, figure.change > 0 ? '▲ ' : figure.change < 0 ? '▼ ' : '', h('span.unseen', null, figure.change > 0 ? 'up ' : figure.change < 0 ? 'down ' : ''), change(figure.change));
}

function showFigures() {
  const answer = answers.figures;
  if (answer instanceof Error) {
    fill(part.figures, h('p.note', { role: 'alert' }, answer.message));
    return;
  }
  fill(part.figures, FIGURES.map((name) => {
    const figure = answer?.results?.[name];
    return h('button.figure', {
      type: 'button', 'aria-pressed': String(state.metric === name), 'data-key': `figure ${name}`,
      onclick: () => go({ metric: name }, { replace: true }),
    }, h('span.name', null, METRICS[name].name),
    h('span.value', null, figure ? metric(name, figure.value) : h('i.wait')),
    difference(name, figure));
  }));
}

function intervals(answer) {
  const days = answer ? (Date.parse(answer.to) - Date.parse(answer.from)) / 86400000 + 1 : 30;
  const fits = { hour: days <= 14, day: days > 1, week: days > 13, month: days > 58 };
  const present = answer?.interval;
  return h('div.tabs', { role: 'group', 'aria-label': 'Interval' }, Object.keys(fits).filter((name) => fits[name] || name === present)
    .map((name) => h('button', {
      type: 'button', 'aria-pressed': String(name === present), 'data-key': `interval ${name}`,
      onclick: () => go({ interval: name }, { replace: true }),
    }, name[0].toUpperCase() + name.slice(1))));
}

function showGraph() {
  const answer = answers.graph;
  const style = getComputedStyle(part.graph);
  const width = Math.max(240, part.graph.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
  const height = innerWidth < 600 ? 200 : 280;
  let body = h('div.wait', { 'aria-busy': 'true' });
  if (answer instanceof Error) body = h('p.note', { role: 'alert' }, answer.message);
  else if (answer) body = chart(answer, answer.metric, width, height);
  fill(part.graph, h('div.legend', null, h('span', null, answer?.from ? range(answer.from, answer.to) : ' '), h('span.gap'), intervals(answer)), body);
}

function showPanel(panel) {
  const total = answers.figures?.results?.visitors.value;
  fill(part[panel.key], view(panel, answers[panel.key], total));
}

function showFoot() {
  const figures = answers.figures;
  fill(part.foot, figures?.as_of && h('span', null, 'As of ', h('time', { datetime: figures.as_of },
    new Date(figures.as_of).toLocaleTimeString()), `; days of ${figures.time_zone}`),
  h('span.gap'), h('button', { type: 'button', onclick: () => go({ help: '1' }, { replace: true }) }, 'Keys (?)'));
}

function showAll() {
  if (main.parentNode !== app) fill(app, page);
  document.title = `${state.site} · Analytics`;
  showTop();
  showChips();
  showFigures();
  showGraph();
  PANELS.forEach(showPanel);
  showFoot();
}

// --- the questions -----------------------------------------------------------------------

function base() {
  return { site_id: state.site, ...rangeOf(state), filters: state.filters };
}

const compared = () => (state.compare === 'on' && state.period !== 'all' ? { compare: 'previous_period' } : {});

const questions = {
  figures: () => ['stats/aggregate', { ...base(), ...compared(), metrics: FIGURES.join(',') }],
  graph: () => ['stats/timeseries', { ...base(), ...compared(), metrics: state.metric, interval: state.interval }],
};
for (const panel of PANELS) {
  questions[panel.key] = () => {
    const metrics = metricsOf(state[panel.key]);
    const wanted = metrics.includes('conversion_rate') ? metrics : metrics.slice(0, 1);
    return ['stats/breakdown', { ...base(), property: state[panel.key], metrics: wanted.join(','), limit: ROWS }];
  };
}

const shows = { figures: () => { showFigures(); showTop(); showFoot(); PANELS.forEach(showPanel); }, graph: showGraph, realtime: showTop };
for (const panel of PANELS) shows[panel.key] = () => showPanel(panel);

async function load(name, signal) {
  try {
    const [path, parameters] = questions[name]();
    const { metric: wanted } = state;
    const answer = await ask(path, parameters, signal);
    answers[name] = name === 'graph' ? { ...answer, metric: wanted } : answer;
  } catch (error) {
    if (error.name === 'AbortError') return;
    answers[name] = error;
    // A question that cannot be answered leaves the page as it is, so that it can be changed.
    if (name === 'figures' && error.status !== 400) throw error;
  }
  if (!signal.aborted && main.parentNode === app) shows[name]();
}

async function loadRealtime(signal) {
  try {
    answers.realtime = await ask('stats/realtime', { site_id: state.site }, signal);
    if (main.parentNode === app) showTop();
  } catch { /* the next one may succeed; figures say what is wrong */ }
}

/** Whether the site has ever had an event, filters and period aside. */
async function checkEmpty(signal) {
  if (isEmpty || (answers.figures?.results?.visits.value === 0 && answers.figures.results.pageviews.value === 0)) {
    const all = await ask('stats/aggregate', { site_id: state.site, period: 'all', metrics: 'events' }, signal);
    isEmpty = all.results.events.value === 0;
  }
}

function showError(error) {
  if (error.status === 401 || error.status === 403) fill(app, h('main', { id: 'main' }, askForKey({ ...error, status: error.status, again: hasKey() }, start)));
  else fill(app, h('main', { id: 'main' }, failed(error, start)));
  if (error.status === 401 || error.status === 403) app.querySelector('input').focus();
}

async function refresh(names, { isQuiet = false } = {}) {
  controller.abort();
  controller = new AbortController();
  const { signal } = controller;
  clearTimeout(timer);
  if (!isQuiet) {
    for (const name of names) delete answers[name];
    showAll();
  }
  let next = REFRESH_MS;
  try {
    if (isEmpty) await checkEmpty(signal);
    if (!isEmpty) {
      await Promise.all([...names.map((name) => load(name, signal)), loadRealtime(signal)]);
      await checkEmpty(signal);
      if (signal.aborted) return;
      if (main.parentNode !== app) showAll();
    }
    if (isEmpty) {
      next = EMPTY_MS;
      // What is there may be half copied.
      if (!app.querySelector('.copy')) fill(app, h('main', { id: 'main' }, emptySite()));
    }
  } catch (error) {
    if (error.name === 'AbortError' || signal.aborted) return;
    showError(error);
    if (error.status !== 0 && error.status !== 503) return;
    next = EMPTY_MS;
  }
  timer = setTimeout(again, next);
}

const everything = () => Object.keys(questions);

function again() {
  if (document.hidden) return; // visibilitychange comes back here
  const wasEmpty = isEmpty;
  refresh(everything(), { isQuiet: true }).then(() => wasEmpty && !isEmpty && showAll());
}

document.addEventListener('visibilitychange', () => !document.hidden && state.site && again());
addEventListener('online', () => state.site && again());

// --- changes of the state ----------------------------------------------------------------

function showDialog() {
  const hadSearch = document.activeElement?.dataset?.key === 'search';
  if (dialog) {
    dialog.stop?.();
    dialog.close(); // gives the focus back
    dialog.remove();
    dialog = null;
  }
  if (!state.details && !state.help) return;
  dialog = state.help ? pickers.help() : details();
  document.body.append(dialog);
  dialog.showModal();
  if (hadSearch) {
    const field = dialog.querySelector('[data-key="search"]');
    field?.focus();
    field?.setSelectionRange(field.value.length, field.value.length);
  }
}

/** What has to be asked again when the state goes from one to the other. */
function asked(before, after) {
  const differs = (...keys) => keys.some((key) => before[key] !== after[key]);
  if (differs('site', 'period', 'date', 'from', 'to', 'filters', 'compare')) return everything();
  return [...(differs('metric', 'interval') ? ['graph'] : []), ...PANELS.map((p) => p.key).filter((key) => differs(key))];
}

onChange((before) => {
  if (before.site !== state.site) {
    start();
    return;
  }
  if (['details', 'search', 'page', 'help'].some((key) => before[key] !== state[key])) showDialog();
  const names = asked(before, state);
  if (names.length === 0) return;
  if (names.length === everything().length) refresh(names);
  else refreshParts(names);
});

/** Some parts alone: what is under way for the others goes on. */
function refreshParts(names) {
  const { signal } = controller;
  for (const name of names) {
    delete answers[name];
    shows[name]();
    load(name, signal);
  }
  showFigures();
}

const keys = {
  d: () => go({ period: 'today', date: '', from: '', to: '', interval: '' }),
  w: () => go({ period: '7d', date: '', from: '', to: '', interval: '' }),
  m: () => go({ period: '30d', date: '', from: '', to: '', interval: '' }),
  y: () => go({ period: '12mo', date: '', from: '', to: '', interval: '' }),
  x: () => go({ filters: '' }),
  ArrowLeft: () => pickers.step(-1, answers.figures),
  ArrowRight: () => pickers.step(1, answers.figures),
  '?': () => go({ help: '1' }, { replace: true }),
  '/': () => addFilter(),
};

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !state.site) return;
  if (event.target.closest('input, select, textarea')) return;
  if (dialog) {
    if (event.key !== '/') return;
    event.preventDefault();
    dialog.querySelector('[data-key="search"]')?.focus();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!keys[key] || main.parentNode !== app) return;
  event.preventDefault();
  keys[key]();
});

new ResizeObserver(() => main.parentNode === app && answers.graph && showGraph()).observe(document.documentElement);

// --- the beginning -----------------------------------------------------------------------

async function start() {
  clearTimeout(timer);
  isEmpty = false;
  for (const name of Object.keys(answers)) delete answers[name];
  const asking = ask('sites', { limit: 1000 }).then((answer) => {
    sites = answer.results;
    if (main.parentNode === app) showTop();
  });
  if (state.site) {
    asking.catch(() => {}); // a shared link may not read the list
    await refresh(everything());
    showDialog();
    return;
  }
  try {
    await asking;
    if (sites.length === 1) go({ site: sites[0].site_id }, { replace: true });
    else if (sites.length) fill(app, pickers.siteList(sites));
    else fill(app, h('main', { id: 'main' }, noSites(go)));
  } catch (error) {
    showError(error);
  }
}

start();
