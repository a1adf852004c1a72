// chart.js -- the figures of a range as a line, those of the range before as a fainter one.
// The same figures stand in a table for those who cannot see it.

import { h, svg } from './dom.js';
import { METRICS, metric, moment, precise, tick } from './format.js';

const TOP = 12;
const BOTTOM = 24;
const LEFT = 52;
const RIGHT = 12;
const NOT_OVER = ' (not over)';

/** A round number at or above the greatest value, and the lines below it. */
export function scale(most, isTime = false) {
  const steps = isTime ? [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000] : null;
  const lines = 4;
  const wanted = Math.max(most, 1) / lines;
  let step;
  if (steps) {
    step = steps.find((s) => s >= wanted) || Math.ceil(wanted / 36000) * 36000;
  } else {
    const power = 10 ** Math.floor(Math.log10(wanted));
    step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((s) => s >= wanted && (s >= 1 ? Number.isInteger(s) : true));
    step = Math.max(step, most > 1 ? 1 : 0.25);
    if (step < 1) step = 1;
  }
  const top = Math.max(1, Math.ceil(most / step)) * step;
  return { top, marks: Array.from({ length: Math.round(top / step) + 1 }, (_, i) => i * step) };
}

const DAY = 86400e3;
const LENGTHS = { hour: 3600e3, day: DAY, week: 7 * DAY, month: 31 * DAY };

/** How far the figures go: last is the bucket of now, or the last of all, and what follows is
 * still to come; isOpen: that bucket is not over. */
export function progress({ results, as_of: asOf, interval, to }) {
  const now = Date.parse(asOf);
  const begin = (i) => Date.parse(results[i].time);
  let last = results.length - 1;
  while (last >= 0 && begin(last) > now) last--;
  if (last < 0 || last < results.length - 1) return { last, isOpen: last >= 0 };
  const offset = results[last].time.slice(19);
  const end = Math.min(begin(last) + LENGTHS[interval], Date.parse(`${to}T00:00:00${offset}`) + DAY);
  return { last, isOpen: now < end };
}

function line(points, from, to) {
  let text = '';
  let pen = 'M';
  for (let i = from; i <= to; i++) {
    if (points[i].y === null) {
      pen = 'M';
    } else {
      text += `${pen}${points[i].x.toFixed(1)} ${points[i].y.toFixed(1)}`;
      pen = 'L';
    }
  }
  return text;
}

function table(answer, name, hasPrevious, { last, isOpen }) {
  return h('div.unseen', null, h('table', null,
    h('caption', null, `${METRICS[name].name} by ${answer.interval}`),
    h('thead', null, h('tr', null, h('th', { scope: 'col' }, 'Time'), h('th', { scope: 'col' }, METRICS[name].name),
      hasPrevious && h('th', { scope: 'col' }, 'Period before'))),
    h('tbody', null, answer.results.slice(0, last + 1).map((row, i) => h('tr', null,
      h('th', { scope: 'row' }, moment(row.time, answer.interval), i === last && isOpen && NOT_OVER),
      h('td', null, precise(name, row[name])),
      hasPrevious && h('td', null, row.previous ? precise(name, row.previous[name]) : ''))))));
}

export function chart(answer, name, width, height) {
  const rows = answer.results;
  const hasPrevious = rows.some((row) => row.previous);
  const { last, isOpen } = progress(answer);
  const all = rows.flatMap((row, i) => [i <= last ? row[name] : null, row.previous?.[name]]).filter((v) => v !== null && v !== undefined);
  const { top, marks } = scale(Math.max(0, ...all), name === 'visit_duration');
  const inner = Math.max(width - LEFT - RIGHT, 10);
  const x = (i) => LEFT + (rows.length > 1 ? (i * inner) / (rows.length - 1) : inner / 2);
  const y = (v) => TOP + (1 - v / top) * (height - TOP - BOTTOM);
  const place = (of) => rows.map((row, i) => {
    const value = of(row, i);
    return { x: x(i), y: value === null || value === undefined ? null : y(value) };
  });
  const points = place((row, i) => (i <= last ? row[name] : null));
  const before = place((row) => row.previous?.[name]);
  const solid = isOpen ? last - 1 : last;

  const grid = marks.map((mark) => [
    svg('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(mark), y2: y(mark) }),
    svg('text', { class: 'tick', x: LEFT - 8, y: y(mark) + 4, 'text-anchor': 'end' }, metric(name, mark)),
  ]);
  // Hours of several days are told apart by their days.
  const isDays = answer.interval === 'hour' && rows.length > 30;
  const most = Math.max(2, Math.floor(inner / 90));
  const unit = isDays ? 24 : 1;
  const every = unit * Math.max(1, Math.ceil(rows.length / unit / most));
  const ticks = rows.map((row, i) => i % every === 0 && svg('text', {
    class: 'tick', x: x(i), y: height - 6,
    'text-anchor': x(i) > width - RIGHT - 30 ? 'end' : 'middle',
  }, tick(row.time, isDays ? 'day' : answer.interval)));
  const area = last > 0 && `${line(points, 0, last)}L${x(last)} ${y(0)}L${x(0)} ${y(0)}Z`;
  const marker = svg('g', { class: 'marker', visibility: 'hidden' },
    svg('line', { y1: TOP, y2: height - BOTTOM }), svg('circle', { r: 4 }));
  const drawing = svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    grid, ticks,
    hasPrevious && svg('path', { class: 'before', d: line(before, 0, rows.length - 1) }),
    area && !points.slice(0, last + 1).some((p) => p.y === null) && svg('path', { class: 'area', d: area }),
    svg('path', { class: 'now', d: line(points, 0, solid) }),
    isOpen && last > 0 && svg('path', { class: 'now open', d: line(points, last - 1, last) }),
    // One point is no line.
    points.map((p, i) => p.y !== null && (points[i - 1]?.y ?? null) === null && (points[i + 1]?.y ?? null) === null
      && svg('circle', { class: 'alone', cx: p.x, cy: p.y, r: 3 })),
    isOpen && points[last].y !== null && svg('circle', { class: 'present', cx: points[last].x, cy: points[last].y, r: 3.5 }),
    marker);
  const tip = h('div', { class: 'tip', hidden: true, role: 'status' });
  const box = h('div', {
    class: 'chart', tabindex: 0, 'data-key': 'chart', role: 'group',
    'aria-label': `${METRICS[name].name} by ${answer.interval}; the arrow keys move from one to the next`,
  }, drawing, tip, table(answer, name, hasPrevious, { last, isOpen }));

  let at = -1;
  function show(i) {
    at = Math.max(0, Math.min(rows.length - 1, i));
    const row = rows[at];
    marker.setAttribute('visibility', 'visible');
    marker.setAttribute('transform', `translate(${x(at)} 0)`);
    marker.lastChild.setAttribute('visibility', points[at].y === null ? 'hidden' : 'inherit');
    marker.lastChild.setAttribute('cy', points[at].y ?? y(0));
    tip.replaceChildren(
      h('strong', null, moment(row.time, answer.interval), at > last ? ' (to come)' : at === last && isOpen ? NOT_OVER : ''),
      ...(at > last ? [] : [h('span', null, `${METRICS[name].name} `, h('b', null, precise(name, row[name])))]),
      ...(row.previous ? [h('span.faint', null, 'Period before ', h('b', null, precise(name, row.previous[name])))] : []));
    tip.hidden = false;
    const half = tip.offsetWidth / 2;
    tip.style.setProperty('left', `${Math.max(half, Math.min(width - half, x(at)))}px`);
  }
  function hide() {
    at = -1;
    marker.setAttribute('visibility', 'hidden');
    tip.hidden = true;
  }
  box.addEventListener('pointermove', (event) => {
    const offset = event.clientX - box.getBoundingClientRect().left - LEFT;
    show(rows.length > 1 ? Math.round((offset / inner) * (rows.length - 1)) : 0);
  });
  box.addEventListener('pointerleave', hide);
  box.addEventListener('blur', hide);
  box.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    show(move);
  });
  box.shown = () => at;
  box.show = show;
  return box;
}
