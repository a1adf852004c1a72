// pickers.js -- what is chosen above the figures: the site, the period, filters.

import { askFor } from './api.js';
import { h } from './dom.js';
import * as filters from './filters.js';
import { number, range } from './format.js';
import { PANELS, property } from './properties.js';
import { address, currentFilters, go, isAll, isOwn, PERIODS, rangeOf, setFilters, shift, state } from './state.js';

export function site(list) {
  if (!list || list.length < 2) return h('span', null, h('bdi', null, state.site));
  const known = list.map((site) => site.site_id);
  if (!known.includes(state.site)) known.unshift(state.site);
  return h('select.site', {
    'aria-label': 'Site', 'data-key': 'site',
    onchange: (event) => go({ site: event.target.value, filters: '', details: '', search: '', page: '1' }),
  }, known.map((id) => h('option', { value: id, selected: id === state.site }, id)));
}

export const step = (steps, shown) => {
  const next = shift(state, steps, shown);
  if (next) go(next);
};

/** shown: gives the answer in view, whose range a custom one begins with. */
export function period(shown) {
  const choose = (event) => {
    const value = event.target.value;
    if (value !== 'own') go({ period: value, from: '', to: '', date: '', interval: '' });
    else if (shown()?.from) go({ period: '30d', from: shown().from, to: shown().to, date: '' });
  };
  const arrow = (steps, sign, name, keyName) => h('button', {
    type: 'button', 'aria-label': name, title: `${name} (${keyName})`, disabled: isAll(state),
    'data-key': name, onclick: () => step(steps, shown()),
  }, sign);
  return [
    arrow(-1, '‹', 'Period before', '←'),
    h('select', { 'aria-label': 'Period', 'data-key': 'period', onchange: choose },
      Object.entries(PERIODS).map(([key, name]) => h('option', { value: key, selected: !isOwn(state) && key === state.period }, name)),
      h('option', { value: 'own', selected: isOwn(state) }, isOwn(state) ? range(state.from, state.to) : 'Custom range')),
    arrow(1, '›', 'Period after', '→'),
  ];
}

/** The fields of a custom range stay while they are typed into; update() gives them the state's. */
export function dates() {
  let timer;
  const fields = ['from', 'to'].map((key) => {
    const field = h('input', { type: 'date', min: '1970-01-01', max: '9999-12-31', required: true, 'aria-label': key === 'from' ? 'From' : 'To' });
    field.addEventListener('change', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (!field.checkValidity()) return;
        const next = { from: state.from, to: state.to, [key]: field.value };
        if (next.from > next.to) next[key === 'from' ? 'to' : 'from'] = field.value;
        go(next);
      }, 600); // each digit of a year makes a date
    });
    return field;
  });
  const box = h('span.dates', { hidden: true }, fields);
  box.update = () => {
    box.hidden = !isOwn(state);
    fields.forEach((field, i) => {
      const value = [state.from, state.to][i];
      if (field !== document.activeElement || field.value === '') field.value = value;
    });
  };
  return box;
}

export function compare() {
  const field = h('input', {
    type: 'checkbox', onchange: () => go({ compare: field.checked ? 'on' : 'off' }),
  });
  const label = h('label.compare', null, field, 'Compare');
  label.update = () => {
    field.checked = state.compare === 'on' && !isAll(state);
    field.disabled = isAll(state); // there is nothing before
  };
  return label;
}

/** The filters in force; each can be turned round or taken away. */
export function chips() {
  const list = currentFilters();
  return list.map((filter, i) => {
    const { one, show } = property(filter.property);
    const text = filters.values(filter).map(show).join(' or ');
    return h('span.chip', null,
      h('button', {
        type: 'button', title: filter.is ? 'Show all others instead' : 'Show only these instead', 'data-key': `turn ${i}`,
        onclick: () => setFilters(list.map((f, at) => (at === i ? { ...f, is: !f.is } : f))),
      }, `${one} `, h('b', null, filter.is ? 'is' : 'is not'), ' ', h('bdi', null, text)),
      h('button', {
        type: 'button', 'aria-label': `Remove the filter ${one}`, 'data-key': `remove ${i}`,
        onclick: () => setFilters(filters.without(list, i)),
      }, '✕'));
  });
}

/** A form for one more filter, with what there is as suggestions. */
export function filterForm(onDone) {
  const names = [...new Set(PANELS.flatMap((panel) => panel.tabs))];
  const options = h('datalist', { id: 'values' });
  const which = h('select', { 'aria-label': 'Property' },
    names.map((name) => h('option', { value: name, selected: name === 'page' }, property(name).one)));
  const is = h('select', { 'aria-label': 'Comparison' }, h('option', { value: 'yes' }, 'is'), h('option', { value: 'no' }, 'is not'));
  const value = h('input', { type: 'text', list: 'values', required: true, 'aria-label': 'Value', placeholder: 'Value; * stands for anything', maxlength: 2048 });
  const suggest = () => askFor('values', 'stats/breakdown', { site_id: state.site, ...rangeOf(state), property: which.value, limit: 100 })
    .then((answer) => options.replaceChildren(...answer.results.filter((row) => !row.other)
      .map((row) => h('option', { value: row[which.value] }))))
    .catch((error) => error.name !== 'AbortError' && options.replaceChildren()); // a value can be typed all the same
  which.addEventListener('change', suggest);
  suggest();
  const form = h('form.filter', {
    onsubmit: (event) => {
      event.preventDefault();
      onDone();
      // A star typed by a person is one that stands for anything.
      const text = value.value.replace(/[\\;|]/g, '\\$&');
      setFilters([...currentFilters(), { property: which.value, is: is.value === 'yes', value: text }]);
    },
    onkeydown: (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      onDone();
    },
  }, which, is, value, options, h('button', { type: 'submit' }, 'Filter'), h('button', { type: 'button', onclick: onDone }, 'Cancel'));
  queueMicrotask(() => value.focus());
  return form;
}

export const KEYS = [
  ['/', 'Add a filter, or search in details'], ['d', 'Today'], ['w', 'Last 7 days'], ['m', 'Last 30 days'],
  ['y', 'Last 12 months'], ['x', 'Take all filters away'], ['← →', 'Period before, period after'],
  ['Esc', 'Close'], ['?', 'These keys'],
];

export function help() {
  const close = () => go({ help: '' }, { replace: true });
  const dialog = h('dialog.help', { 'aria-label': 'Keys' }, h('h2', null, 'Keys'),
    h('dl', null, KEYS.map(([key, what]) => h('div', null, h('dt', null, h('kbd', null, key)), h('dd', null, what)))),
    h('button', { type: 'button', onclick: close }, 'Close'));
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener('click', (event) => event.target === dialog && close());
  return dialog;
}

/** All sites, when none is chosen. */
export function siteList(list) {
  return h('section.sites', null, h('h1', null, 'Sites'),
    h('ul', null, list.map((site) => h('li', null, h('a', { href: address({ site: site.site_id }) }, h('bdi', null, site.site_id)),
      h('span.faint', null, `${number(site.views_today)} page views today`)))));
}
