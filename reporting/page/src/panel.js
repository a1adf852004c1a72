// panel.js -- the most frequent values of a property, as rows that filter when clicked.

import { ask } from './api.js';
import { h } from './dom.js';
import * as filters from './filters.js';
import { count, metric, METRICS, share } from './format.js';
import { metricsOf, property } from './properties.js';
import { address, currentFilters, go, rangeOf, setFilters, sharedKey, state } from './state.js';

export const ROWS = 9;

function choose(name, row) {
  const list = currentFilters();
  const at = list.findIndex((f) => f.property === name && f.is && f.value === filters.escape(row[name]));
  setFilters(at >= 0 ? filters.without(list, at) : filters.add(list, name, row[name]));
}

/** A value in a row: a button that filters, but for what is summed up as "(other)". */
export function cell(name, row) {
  const text = row.other ? 'Other' : property(name).show(row[name]);
  if (row.other) return h('span.value', null, text);
  return h('button.value', {
    type: 'button', title: row[name], 'data-key': `${name} ${row[name]}`,
    'aria-pressed': String(filters.has(currentFilters(), name, row[name])),
    onclick: () => choose(name, row),
  }, h('bdi', null, text));
}

function bar(name, row, most, total) {
  const first = metricsOf(name)[0];
  const last = name === 'event_type' || name.startsWith('prop:')
    ? metric('conversion_rate', row.conversion_rate) : share(row[first], total);
  return h('li.row', null,
    h('i.bar', { css: { 'inline-size': `${(100 * row[first]) / Math.max(most, 1)}%` } }),
    cell(name, row),
    h('span.number', { title: count(row[first]) }, metric(first, row[first])),
    h('span.share', null, last));
}

/** The names of events' own properties, from raw events: asked when somebody is about to choose. */
async function suggest(list) {
  const { results } = await ask('stats/breakdown', { site_id: state.site, ...rangeOf(state), property: 'prop', metrics: 'visitors' });
  list.replaceChildren(...results.map((row) => h('option', { value: row.prop })));
}

function propertyForm(panel) {
  const list = h('datalist', { id: 'properties' });
  const field = h('input', {
    list: 'properties', onfocus: () => suggest(list).catch(() => {}), // it can be typed as well
    type: 'text', maxlength: 100, required: true, placeholder: 'Property', 'aria-label': 'Property of events', 'data-key': 'property',
  });
  return h('form.property', {
    onsubmit: (event) => {
      event.preventDefault();
      go({ [panel.key]: `prop:${field.value}` }, { replace: true });
    },
  }, field, list, h('button', { type: 'submit' }, 'Show'));
}

function tabs(panel) {
  const names = panel.tabs.includes(state[panel.key]) ? panel.tabs : [...panel.tabs, state[panel.key]];
  if (names.length === 1) return null;
  return h('div.tabs', { role: 'group', 'aria-label': panel.title }, names.map((name) => h('button', {
    type: 'button', 'aria-pressed': String(state[panel.key] === name), 'data-key': `${panel.key} ${name}`,
    onclick: () => go({ [panel.key]: name }, { replace: true }),
  }, property(name).name)));
}

const skeleton = () => h('ol.rows', { 'aria-busy': 'true' }, Array.from({ length: ROWS }, (_, i) => h('li.row.wait', null,
  h('i', { class: `w${i}` }))));

/** The panel's heading and its tabs. */
export const head = (panel) => [h('h2', null, panel.title), tabs(panel), panel.props && !sharedKey && propertyForm(panel)];

/** Its rows; answer is undefined while it is asked for, an Error when that failed. */
export function rows(panel, answer, total) {
  const name = state[panel.key];
  if (answer instanceof Error) return h('p.note', { role: 'alert' }, answer.message);
  if (!answer) return skeleton();
  if (answer.results.length === 0) return h('p.note', null, 'Nothing in this period.');
  const first = metricsOf(name)[0];
  const most = Math.max(...answer.results.map((row) => row[first]));
  return h('ol.rows', null, answer.results.map((row) => bar(name, row, most, total)));
}

export function foot(panel) {
  const name = state[panel.key];
  return [
    h('span.what', null, METRICS[metricsOf(name)[0]].name),
    h('a', {
      href: address({ details: name, search: '', page: '1' }), 'data-key': `${panel.key} details`,
      'aria-label': `Details: ${property(name).title}`,
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go({ details: name, search: '', page: '1' });
      },
    }, 'Details'),
  ];
}
