// details.js -- all values of one property, with search, pages and a CSV file.

import { ask, download } from './api.js';
import { h } from './dom.js';
import * as filters from './filters.js';
import { count, METRICS, precise } from './format.js';
import { cell } from './panel.js';
import { metricsOf, property } from './properties.js';
import { currentFilters, go, rangeOf, state } from './state.js';

const LIMIT = 50;
const close = () => go({ details: '', search: '', page: '1' });

function question() {
  const name = state.details;
  const list = currentFilters();
  // What is searched may stand anywhere in the value.
  if (state.search) list.push({ property: name, is: true, value: `*${filters.escape(state.search)}*` });
  return {
    site_id: state.site, ...rangeOf(state), property: name, metrics: metricsOf(name).join(','),
    filters: filters.format(list),
  };
}

function csv(status) {
  download('stats/breakdown', question(), `${state.site} ${property(state.details).title}.csv`)
    .catch((error) => { status.textContent = error.message; });
}

function table(answer) {
  const name = state.details;
  const metrics = metricsOf(name);
  if (answer.results.length === 0) {
    return h('p.note', null, state.search ? `Nothing has “${state.search}” in it.` : 'Nothing in this period.');
  }
  return h('table', null,
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, property(name).title),
      metrics.map((m) => h('th.number', { scope: 'col' }, METRICS[m].name)))),
    h('tbody', null, answer.results.map((row) => h('tr', null,
      h('th', { scope: 'row' }, cell(name, row)),
      metrics.map((m) => h('td.number', null, precise(m, row[m])))))));
}

/** The dialog; it asks for itself.  Returns the element, which is a modal dialog once shown. */
export function details() {
  const body = h('div.body', { 'aria-live': 'polite' }, h('p.note', null, 'Loading …'));
  const status = h('span.note', { role: 'status' });
  const page = Number(state.page) || 1;
  const earlier = h('button', { type: 'button', disabled: page <= 1, onclick: () => go({ page: String(page - 1) }) }, 'Previous');
  const later = h('button', { type: 'button', disabled: true, onclick: () => go({ page: String(page + 1) }) }, 'Next');
  let timer;
  const search = h('input', {
    type: 'search', value: state.search, placeholder: 'Search', 'aria-label': 'Search', 'data-key': 'search',
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => go({ search: search.value, page: '1' }, { replace: true }), 250);
    },
  });
  const dialog = h('dialog.details', { 'aria-label': property(state.details).title },
    h('header', null, h('h2', null, property(state.details).title), search,
      h('button', { type: 'button', onclick: () => csv(status) }, 'CSV'),
      h('button', { type: 'button', 'aria-label': 'Close', onclick: close }, '✕')),
    body,
    h('footer', null, status, earlier, h('span', null, `Page ${count(page)}`), later));
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener('click', (event) => event.target === dialog && close());
  const controller = new AbortController();
  dialog.stop = () => {
    clearTimeout(timer);
    controller.abort();
  };
  ask('stats/breakdown', { ...question(), limit: LIMIT, page }, controller.signal).then((answer) => {
    body.replaceChildren(table(answer));
    later.disabled = !answer.more;
  }).catch((error) => {
    if (error.name !== 'AbortError') body.replaceChildren(h('p.note', { role: 'alert' }, error.message));
  });
  return dialog;
}
