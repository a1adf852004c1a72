// format.js -- numbers, times and names in the visitor's own language.

const locales = navigator.languages;
const exact = new Intl.NumberFormat(locales);
const short = new Intl.NumberFormat(locales, { notation: 'compact', maximumFractionDigits: 1 });
const rate = new Intl.NumberFormat(locales, { style: 'percent', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(locales, { style: 'percent', maximumFractionDigits: 0 });
const ratio = new Intl.NumberFormat(locales, { minimumFractionDigits: 1, maximumFractionDigits: 2 });

const NONE = '–';

export const count = (value) => (value === null ? NONE : exact.format(value));
export const compact = (value) => (value < 10000 ? exact.format(value) : short.format(value));
export const share = (part, all) => (all > 0 ? whole.format(part / all) : NONE);
export const change = (percent) => whole.format(Math.abs(percent) / 100);

function unit(value, name) {
  return new Intl.NumberFormat(locales, { style: 'unit', unit: name, unitDisplay: 'narrow' }).format(value);
}

export function duration(seconds) {
  if (seconds === null) return NONE;
  const s = Math.round(seconds);
  if (s < 60) return unit(s, 'second');
  if (s < 3600) return `${unit(Math.floor(s / 60), 'minute')} ${unit(s % 60, 'second')}`;
  return `${unit(Math.floor(s / 3600), 'hour')} ${unit(Math.floor((s % 3600) / 60), 'minute')}`;
}

/** The metrics: what they are called, how they are written, and which way is good. */
export const METRICS = {
  visitors: { name: 'Visitors', format: compact, good: 1 },
  visits: { name: 'Visits', format: compact, good: 1 },
  pageviews: { name: 'Page views', format: compact, good: 1 },
  events: { name: 'Events', format: compact, good: 1 },
  views_per_visit: { name: 'Views per visit', format: (v) => (v === null ? NONE : ratio.format(v)), good: 1 },
  bounce_rate: { name: 'Bounce rate', format: (v) => (v === null ? NONE : rate.format(v / 100)), good: -1 },
  visit_duration: { name: 'Visit duration', format: duration, good: 1 },
  conversion_rate: { name: 'Conversion', format: (v) => (v === null ? NONE : rate.format(v / 100)), good: 1 },
  time_on_page: { name: 'Time on page', format: duration, good: 1 },
};

/** The same with all digits. */
export const precise = (name, value) => (METRICS[name].format === compact && typeof value === 'number' ? count(value) : metric(name, value));

/** How a metric's value is written; what cannot be compact is exact in the title. */
export const metric = (name, value) => (value === null || value === undefined ? NONE : METRICS[name].format(value));

// A bucket's time has the site's offset written out; its figures are shown as they stand.
const wall = (time) => new Date(`${time.slice(0, 19)}Z`);
const formats = {};
function dateFormat(options) {
  const key = JSON.stringify(options);
  formats[key] ||= new Intl.DateTimeFormat(locales, { ...options, timeZone: 'UTC' });
  return formats[key];
}

const SHORT = {
  hour: { hour: 'numeric', minute: '2-digit' },
  day: { day: 'numeric', month: 'short' },
  week: { day: 'numeric', month: 'short' },
  month: { month: 'short', year: 'numeric' },
};
const LONG = {
  hour: { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' },
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  week: { day: 'numeric', month: 'long', year: 'numeric' },
  month: { month: 'long', year: 'numeric' },
};

export const tick = (time, interval) => dateFormat(SHORT[interval]).format(wall(time));

export function moment(time, interval) {
  const text = dateFormat(LONG[interval]).format(wall(time));
  return interval === 'week' ? `Week of ${text}` : text;
}

export const number = (value) => exact.format(value);

export function range(from, to) {
  const format = dateFormat({ day: 'numeric', month: 'short', year: 'numeric' });
  return format.formatRange(wall(`${from}T00:00:00`), wall(`${to}T00:00:00`));
}

// A path is shown decoded where that can be read back, and is always filtered as stored.
export function path(text) {
  try {
    const decoded = decodeURI(text);
    // Control and direction characters could make one path look like another.
    return /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(decoded) ? text : decoded;
  } catch {
    return text;
  }
}

function displayNames(type) {
  try {
    return new Intl.DisplayNames(locales, { type });
  } catch {
    return { of: (code) => code };
  }
}
const regions = displayNames('region');
const languages = displayNames('language');

function named(names, code) {
  try {
    return names.of(code) || code;
  } catch {
    return code;
  }
}

export const country = (code) => named(regions, code);
export const language = (code) => named(languages, code);
/** Whether flags are drawn: where no font has them, two letters or boxes stand side by side. */
let flags;
function hasFlags() {
  const context = document.createElement('canvas').getContext('2d');
  const width = (text) => context?.measureText(text).width ?? 0;
  flags ??= width('\u{1f1e9}\u{1f1ea}') < 1.5 * width('\u{1f1e9}');
  return flags;
}

export const flag = (code) => (/^[A-Z]{2}$/.test(code) && hasFlags()
  ? String.fromCodePoint(...[...code].map((c) => 0x1f1a5 + c.charCodeAt(0))) : '');
