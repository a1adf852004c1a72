// view.js -- the page of a site, part by part.  A part is made anew only where it would look
// otherwise: what a person has opened, or types into, stays as it is when new figures come.

import { chart, progress } from './chart.js';
import { fill, h } from './dom.js';
import { failedFigures } from './empty.js';
import { change, compact, metric, METRICS, range } from './format.js';
import * as panel from './panel.js';
import * as pickers from './pickers.js';
import { PANELS } from './properties.js';
import { currentFilters, go, root, sharedKey, state } from './state.js';

export const FIGURES = ['visitors', 'visits', 'pageviews', 'views_per_visit', 'bounce_rate', 'visit_duration'];

const app = document.getElementById('app');
export const answers = {}; // by part: what was answered last, or an Error
let sites = null;
let retry = null; // asks for everything again

const seen = new WeakMap();

/** Fills an element with build(), unless it shows the same already. */
function renew(element, what, build) {
  const text = JSON.stringify(what);
  if (seen.get(element) === text) return;
  seen.set(element, text);
  fill(element, build());
}

/** What of an answer makes a difference to the eye. */
const told = (answer) => (answer instanceof Error ? answer.message : answer?.results);

// --- the parts ---------------------------------------------------------------------------

const part = {};
for (const name of ['chips', 'figures', 'graph', 'foot']) part[name] = h('div', { class: name });
for (const name of ['site', 'live']) part[name] = h('span', { class: name });
part.live.title = 'Visitors in the last 5 minutes';
part.form = h('div.form');
part.period = h('div.period', { role: 'group', 'aria-label': 'Period' });
part.compare = pickers.compare();
part.dates = pickers.dates();
part.add = h('button.add', { type: 'button', onclick: () => addFilter() }, '+ Filter');
part.notice = h('p.notice', { role: 'status' });
const home = h('h1', null, sharedKey ? 'Analytics' : h('a', { href: root.href, title: 'All sites' }, 'Analytics'));
const panels = PANELS.map((one) => ({ ...one, head: h('header'), rows: h('div.list'), foot: h('footer') }));

export const main = h('main', { id: 'main', tabindex: -1 },
  h('section.card', { 'aria-label': 'Figures' }, part.figures, part.graph),
  h('div.panels', null, panels.map((one) => h('section', {
    class: `panel${one.wide ? ' wide' : ''}`, 'aria-label': one.title,
  }, one.head, one.rows, one.foot))), part.foot);
const page = [
  h('header.top', null,
    h('div.top', null, home, part.site, part.live, h('span.gap'), part.add, part.compare, part.period, part.dates),
    part.chips, part.form, part.notice),
  main,
];

export const isShown = () => main.parentNode === app;

/** Something else in the place of the figures. */
export function showInstead(...children) {
  const top = h('header.top', null, h('div.top', null, h('h1', null,
    sharedKey ? 'Analytics' : h('a', { href: root.href }, 'Analytics'))));
  app.replaceChildren(top, h('main', { id: 'main', tabindex: -1 }, ...children));
}

export function setSites(list) {
  sites = list;
  showSite();
}

const showSite = () => renew(part.site, [state.site, sites], () => pickers.site(sites));

function showTop() {
  showSite();
  part.compare.update();
  part.dates.update();
  renew(part.period, [state.period, state.from, state.to], () => pickers.period(() => answers.figures));
  part.add.setAttribute('aria-expanded', String(part.form.hasChildNodes()));
}

function showLive() {
  const { realtime } = answers;
  renew(part.live, realtime?.visitors, () => (realtime
    ? [h('i', { 'aria-hidden': 'true' }), h('b', null, compact(realtime.visitors)), ' now'] : []));
}

function showChips() {
  renew(part.chips, state.filters, () => pickers.chips());
  part.chips.hidden = currentFilters().length === 0;
}

export function addFilter() {
  fill(part.form, pickers.filterForm(() => {
    part.form.replaceChildren();
    showTop();
    part.add.focus();
  }));
  showTop();
}

export function closeForm() {
  part.form.replaceChildren();
}

/** What is wrong with figures that stay in view. */
export function notice(text) {
  if (part.notice.textContent !== text) part.notice.textContent = text;
}

function difference(name, figure) {
  if (figure?.change === undefined || figure.change === null) return h('span.change', null, ' ');
  const rounded = Math.sign(figure.change) * Math.round(Math.abs(figure.change)); // as it is written: 0 % is neither up nor down
  const way = Math.sign(rounded) * METRICS[name].good;
  const [sign, word] = rounded > 0 ? ['▲', 'up'] : rounded < 0 ? ['▼', 'down'] : ['', ''];
  return h('span', {
    class: `change ${way > 0 ? 'good' : way < 0 ? 'bad' : ''}`,
    title: `${metric(name, figure.previous)} in the period before`,
  }, sign && [h('span', { 'aria-hidden': 'true' }, `${sign} `), h('span.unseen', null, `${word} `)], change(figure.change));
}

function figure(name, one) {
  return h('button.figure', {
    type: 'button', 'aria-pressed': String(state.metric === name), 'data-key': `figure ${name}`, 'data-metric': name,
    onclick: () => go({ metric: name }, { replace: true }),
  }, h('span.name', null, METRICS[name].name),
  h('span.value', null, one ? metric(name, one.value) : h('i.wait')), difference(name, one));
}

function showFigures() {
  const answer = answers.figures;
  renew(part.figures, [told(answer), state.metric, answer?.status], () => (answer instanceof Error
    ? failedFigures(answer, () => retry()) : FIGURES.map((name) => figure(name, answer?.results[name]))));
}

function intervals(answer) {
  const days = answer?.from ? (Date.parse(answer.to) - Date.parse(answer.from)) / 86400000 + 1 : 30;
  const fits = { hour: days <= 14, day: days > 1, week: days > 13, month: days > 58 };
  const present = answer?.interval;
  return h('div.tabs', { role: 'group', 'aria-label': 'Interval' }, Object.keys(fits).filter((name) => fits[name] || name === present)
    .map((name) => h('button', {
      type: 'button', 'aria-pressed': String(name === present), 'data-key': `interval ${name}`,
      onclick: () => go({ interval: name }, { replace: true }),
    }, name[0].toUpperCase() + name.slice(1))));
}

function drawing(answer, width) {
  if (!answer) return h('div.wait', { 'aria-busy': 'true' });
  if (!(answer instanceof Error)) return chart(answer, answer.metric, width, innerWidth <= 600 ? 200 : 280);
  return answers.figures instanceof Error ? [] : h('p.note', { role: 'alert' }, answer.message);
}

export function showGraph() {
  const answer = answers.graph;
  const style = getComputedStyle(part.graph);
  const width = Math.max(240, part.graph.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
  const before = part.graph.querySelector('.chart')?.shown() ?? -1;
  const what = [told(answer), answer?.metric, answer?.interval, answer?.results && progress(answer), width,
    answers.figures instanceof Error];
  renew(part.graph, what, () => [
    h('div.legend', null, h('span', null, answer?.from ? range(answer.from, answer.to) : ' '),
      answer?.results?.some((row) => row.previous) && h('span.key', null, h('i', { 'aria-hidden': 'true' }), 'Period before'),
      h('span.gap'), intervals(answer)),
    drawing(answer, width)]);
  const now = part.graph.querySelector('.chart');
  if (before >= 0 && now && now.shown() < 0) now.show(before);
}

function showPanel(one) {
  const answer = answers[one.key];
  const tab = state[one.key];
  const total = answers.figures?.results?.visitors.value;
  renew(one.head, tab, () => panel.head(one));
  renew(one.rows, [told(answer), tab, total, state.filters, answers.figures instanceof Error], () => (
    answers.figures instanceof Error && answer instanceof Error ? h('p.note', null, 'No figures.') : panel.rows(one, answer, total)));
  // A link's address has the whole state in it, but for what a dialog adds.
  renew(one.foot, { ...state, details: '', search: '', page: '', help: '' }, () => panel.foot(one));
}

function showFoot() {
  const { figures } = answers;
  renew(part.foot, [figures?.as_of, figures?.time_zone], () => [
    figures?.as_of && h('span', null, 'As of ', h('time', { datetime: figures.as_of },
      new Date(figures.as_of).toLocaleTimeString(navigator.languages)), `; days of ${figures.time_zone}`),
    h('span.gap'), h('button', { type: 'button', 'data-key': 'help', onclick: () => go({ help: '1' }, { replace: true }) }, 'Keys (?)')]);
}

export function showAll(onRetry) {
  retry = onRetry || retry;
  if (!isShown()) app.replaceChildren(...page);
  document.title = `${state.site} · Analytics`;
  for (const show of [showTop, showLive, showChips, showFigures, showGraph, showFoot]) show();
  panels.forEach(showPanel);
}

/** Whether what is asked for is still to come. */
export function showBusy(isBusy) {
  if (isBusy) main.setAttribute('aria-busy', 'true');
  else main.removeAttribute('aria-busy');
}
