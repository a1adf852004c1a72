// main.js -- the beginning, the keys, and what follows from a change of the state.

import { ask, hasKey } from './api.js';
import { details } from './details.js';
import { askForKey, failed, noSites } from './empty.js';
import { again, begin, end, PARTS, refresh, refreshParts } from './load.js';
import * as pickers from './pickers.js';
import { PANELS } from './properties.js';
import { go, onChange, sharedKey, state } from './state.js';
import { addFilter, answers, closeForm, isShown, setSites, showAll, showGraph, showInstead } from './view.js';

// --- dialogs -----------------------------------------------------------------------------

let dialog = null;

function showDialog() {
  if (dialog && state.details && dialog.of === state.details) {
    dialog.renew();
    return;
  }
  if (dialog) {
    dialog.stop?.();
    dialog.close(); // gives the focus back
    dialog.remove();
    dialog = null;
  }
  if (!isShown() || (!state.details && !state.help)) return;
  dialog = state.help ? pickers.help() : details();
  document.body.append(dialog);
  dialog.showModal();
}

// --- changes of the state ----------------------------------------------------------------

/** What has to be asked again when the state goes from one to the other. */
function asked(before, after) {
  const differs = (...keys) => keys.some((key) => before[key] !== after[key]);
  if (differs('period', 'date', 'from', 'to', 'filters', 'compare')) return PARTS;
  return [...(differs('metric', 'interval') ? ['graph'] : []), ...PANELS.map((p) => p.key).filter((key) => differs(key))];
}

onChange((before) => {
  if (before.site !== state.site) {
    start();
    return;
  }
  if (!isShown()) return;
  const names = asked(before, state);
  // Rows of another property are no answer to this one.
  for (const { key } of PANELS) if (before[key] !== state[key]) delete answers[key];
  showAll();
  if (['details', 'search', 'page', 'help'].some((key) => before[key] !== state[key])) showDialog();
  if (names === PARTS) refresh(names);
  else if (names.length) refreshParts(names);
});

const period = (name) => go({ period: name, date: '', from: '', to: '', interval: '' });
const keys = {
  d: () => period('today'),
  w: () => period('7d'),
  m: () => period('30d'),
  y: () => period('12mo'),
  x: () => go({ filters: '' }),
  ArrowLeft: () => pickers.step(-1, answers.figures),
  ArrowRight: () => pickers.step(1, answers.figures),
  '?': () => go({ help: '1' }, { replace: true }),
  '/': () => addFilter(),
};

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing || !state.site) return;
  if (event.target.closest('input, select, textarea')) return;
  if (dialog) {
    if (event.key !== '/') return;
    event.preventDefault();
    dialog.querySelector('[data-key="search"]')?.focus();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!keys[key] || !isShown()) return;
  event.preventDefault();
  keys[key]();
});

// The skip link would put its own fragment in the place of a shared link's key.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  document.getElementById('main').focus();
});

document.addEventListener('visibilitychange', () => !document.hidden && again());
addEventListener('online', again);
new ResizeObserver(() => isShown() && showGraph()).observe(document.documentElement);

// --- the beginning -----------------------------------------------------------------------

let retry = 0;
let tries = 0;

async function sites() {
  const { results } = await ask('sites', { limit: 1000 });
  setSites(results);
  return results;
}

async function chooseSite() {
  clearTimeout(retry);
  try {
    const list = await sites();
    tries = 0;
    if (list.length === 1) go({ site: list[0].site_id }, { replace: true });
    else if (!state.site) showInstead(list.length ? pickers.siteList(list) : noSites(go));
  } catch (error) {
    if (state.site) return;
    if (error.status === 401 || error.status === 403) {
      showInstead(askForKey({ status: error.status, again: hasKey() }, chooseSite));
      document.querySelector('#main input')?.focus();
      return;
    }
    showInstead(failed(error, chooseSite));
    if (error.isPassing) retry = setTimeout(chooseSite, Math.max(error.waitMs, Math.min(60000, 2000 * 2 ** tries++)));
  }
}

async function start() {
  closeForm();
  clearTimeout(retry);
  if (!state.site) {
    end();
    document.title = 'Analytics';
    await chooseSite();
    return;
  }
  if (!sharedKey) sites().catch(() => {}); // figures say what is wrong
  await begin(start);
  showDialog();
}

start();
