// properties.js -- what a panel can show: one row for each property that visitors have.

import { country, flag, language, path } from './format.js';

const same = (value) => value;
const place = (code) => [flag(code), country(code)].filter(Boolean).join(' ');
const SCREENS = { mobile: 'Phone', tablet: 'Tablet', laptop: 'Laptop', desktop: 'Desktop' };
const DEVICES = { desktop: 'Desktop', mobile: 'Phone', tablet: 'Tablet', tv: 'Television', other: 'Other' };

/** name: of the tab; one: of a filter; title: of the details; metrics: as the API gives them for it. */
export const PROPERTIES = {
  page: { name: 'Top', one: 'Page', title: 'Pages', show: path, more: ['visitors', 'pageviews', 'time_on_page'] },
  entry_page: { name: 'Entry', one: 'Entry page', title: 'Entry pages', show: path },
  exit_page: { name: 'Exit', one: 'Exit page', title: 'Exit pages', show: path },
  channel: { name: 'Channel', one: 'Channel', title: 'Channels', show: same },
  source: { name: 'Source', one: 'Source', title: 'Sources', show: same },
  referrer: { name: 'Referrer', one: 'Referrer', title: 'Referrers', show: same },
  utm_campaign: { name: 'Campaign', one: 'Campaign', title: 'Campaigns', show: same },
  country: { name: 'Country', one: 'Country', title: 'Countries', show: place },
  region: { name: 'Region', one: 'Region', title: 'Regions', show: same },
  city: { name: 'City', one: 'City', title: 'Cities', show: same },
  language: { name: 'Language', one: 'Language', title: 'Languages', show: language },
  browser: { name: 'Browser', one: 'Browser', title: 'Browsers', show: same },
  os: { name: 'System', one: 'System', title: 'Operating systems', show: same },
  device: { name: 'Device', one: 'Device', title: 'Devices', show: (value) => DEVICES[value] || value },
  screen: { name: 'Screen', one: 'Screen', title: 'Screens', show: (value) => SCREENS[value] || value },
  event_type: { name: 'Events', one: 'Event', title: 'Events', show: same, more: ['visitors', 'events', 'conversion_rate'] },
  click: { name: 'Click id', one: 'Click id', title: 'Click ids', show: same },
  hostname: { name: 'Hostname', one: 'Hostname', title: 'Hostnames', show: same, more: ['visitors', 'pageviews', 'events'] },
  browser_version: { name: 'Version', one: 'Browser version', title: 'Browser versions', show: same },
  os_version: { name: 'Version', one: 'System version', title: 'System versions', show: same },
  utm_source: { name: 'Source tag', one: 'Source tag', title: 'Source tags', show: same },
  utm_medium: { name: 'Medium', one: 'Medium', title: 'Media', show: same },
  utm_content: { name: 'Content', one: 'Content', title: 'Contents', show: same },
  utm_term: { name: 'Term', one: 'Term', title: 'Terms', show: same },
};

const VISIT = ['visitors', 'visits', 'bounce_rate', 'visit_duration'];

/** The property's row; one of an event's own properties is prop:<key>. */
export function property(name) {
  if (PROPERTIES[name]) return PROPERTIES[name];
  const key = name.replace(/^prop:/, '');
  return { name: key, one: key, title: key, show: same, more: ['visitors', 'events', 'conversion_rate'] };
}

export const metricsOf = (name) => property(name).more || VISIT;

/** The panels of the first screen: the key of the state that holds the open tab, and the tabs. */
export const PANELS = [
  { key: 'sources', title: 'Sources', tabs: ['channel', 'source', 'referrer', 'utm_campaign'] },
  { key: 'pages', title: 'Pages', tabs: ['page', 'entry_page', 'exit_page'] },
  { key: 'places', title: 'Places', tabs: ['country', 'region', 'city', 'language'] },
  { key: 'devices', title: 'Devices', tabs: ['browser', 'os', 'device', 'screen'] },
  { key: 'events', title: 'Events', tabs: ['event_type'], wide: true, props: true },
];
