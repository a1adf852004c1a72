// details.js -- all values of one property, with search, pages and a CSV file.

import { askFor, download, hasKey, urlOf } from './api.js';
import { fill, h } from './dom.js';
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

/** A plain link where that is enough; a token has to be sent along. */
function csvLink(status) {
  const name = `${state.site} ${property(state.details).title}.csv`;
  return h('a.button', {
    href: urlOf('stats/breakdown', { ...question(), format: 'csv' }).href, download: name, 'data-key': 'csv',
    onclick: (event) => {
      if (!hasKey()) return;
      event.preventDefault();
      download('stats/breakdown', question(), name).catch((error) => { status.textContent = error.message; });
    },
  }, 'CSV');
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

/** The field tells the state what is searched, once nothing has been typed for a moment: not
 * while signs are still being composed, as in Japanese. */
function searchField() {
  let timer;
  const tell = (event) => {
    clearTimeout(timer);
    if (event.isComposing) return;
    timer = setTimeout(() => go({ search: field.value, page: '1' }, { replace: true }), 250);
  };
  const field = h('input', {
    type: 'search', value: state.search, placeholder: 'Search', 'aria-label': 'Search', 'data-key': 'search',
    oninput: tell, oncompositionend: (event) => tell({ target: event.target }),
  });
  field.stop = () => clearTimeout(timer);
  return field;
}

/** The dialog; it asks for itself, again with each renew().  It is a modal one once shown. */
export function details() {
  const name = state.details;
  const body = h('div.body', { tabindex: 0, role: 'region', 'aria-label': property(name).title }, h('p.note', null, 'Loading …'));
  const status = h('span.note', { role: 'status' });
  const [head, foot] = [h('header'), h('footer')];
  const search = searchField();
  const link = h('span');
  fill(head, h('h2', null, property(name).title), search, link,
    h('button', { type: 'button', 'aria-label': 'Close', onclick: close }, '✕'));
  const dialog = h('dialog.details', { 'aria-label': property(name).title }, head, body, foot);

  function showFoot(answer) {
    const page = Number(state.page) || 1;
    const turn = (text, to, isThere) => h('button', {
      type: 'button', disabled: !isThere, 'data-key': text, onclick: () => go({ page: String(to) }),
    }, text);
    fill(foot, status, turn('Previous', page - 1, page > 1), h('span', null, `Page ${count(page)}`),
      turn('Next', page + 1, Boolean(answer?.more)));
  }

  dialog.renew = async () => {
    fill(link, csvLink(status));
    if (search !== document.activeElement) search.value = state.search;
    body.setAttribute('aria-busy', 'true');
    try {
      const answer = await askFor('details', 'stats/breakdown', { ...question(), limit: LIMIT, page: state.page });
      if (state.details !== name) return;
      fill(body, table(answer));
      body.scrollTop = 0;
      showFoot(answer);
      status.textContent = '';
    } catch (error) {
      if (error.name === 'AbortError') return;
      fill(body, h('p.note', { role: 'alert' }, error.message));
      showFoot();
    }
    body.removeAttribute('aria-busy');
  };
  dialog.stop = search.stop;
  dialog.of = name;
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener('click', (event) => event.target === dialog && close());
  showFoot();
  dialog.renew();
  return dialog;
}
