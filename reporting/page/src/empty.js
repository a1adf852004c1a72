// empty.js -- what to do where there are no figures yet, or where they may not be seen.

import { setKey } from './api.js';
import { h } from './dom.js';
import { address, ingestion, sharedKey, state } from './state.js';

function copyable(text) {
  const button = h('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch { // without a secure origin there is no clipboard
      getSelection().selectAllChildren(button.previousSibling);
    }
  });
  return h('div.copy', null, h('pre', { tabindex: 0 }, h('code', null, text)), button);
}

const attribute = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
const scriptLine = (site) => `<script defer src="${ingestion}/t.js" data-site="${attribute(site)}"></script>`;
// In a shell's single quotes, where nothing but a single quote is special.
const quoted = (text) => `'${text.replace(/'/g, `'\\''`)}'`;

function curlLine(site) {
  const event = { site_id: site, event_type: 'page_view', path: '/', timestamp: new Date().toISOString() };
  return `curl -X POST ${ingestion}/event -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(event))}`;
}

export function emptySite() {
  return h('section.empty', null,
    h('h1', null, 'Waiting for the first event of ', h('bdi', null, state.site)),
    h('p', null, 'Paste this line into the head of each page of the site:'),
    copyable(scriptLine(state.site)),
    h('p', null, 'Or send an event from a terminal:'),
    copyable(curlLine(state.site)),
    h('p.faint', { role: 'status' }, 'This page shows the figures as soon as the first event has arrived.'));
}

/** No site at all yet: the name is chosen by whoever sends the first event. */
export function noSites(go) {
  const name = h('input', { type: 'text', required: true, maxlength: 255, value: 'demo', 'aria-label': 'Name of the site' });
  return h('section.empty', null, h('h1', null, 'No site yet'),
    h('p', null, 'Choose a name for the first one, for example its domain. It appears with its first event.'),
    h('form.filter', {
      onsubmit: (event) => {
        event.preventDefault();
        go({ site: name.value });
      },
    }, name, h('button', { type: 'submit' }, 'Go on')));
}

export function askForKey(error, onKey) {
  if (sharedKey) {
    return h('section.empty', { role: 'alert' }, h('h1', null, 'This link does not work'),
      h('p', null, 'Its key opens nothing here: it belongs to another site, or the token that it was made from has been changed. Ask whoever sent it for a new one.'));
  }
  const field = h('input', { type: 'password', required: true, autocomplete: 'current-password', 'aria-label': 'Token' });
  const wrong = error.status === 403 || error.again;
  return h('section.empty', null, h('h1', null, 'A token is needed'),
    h('p', { role: wrong ? 'alert' : undefined }, wrong ? 'That token does not open this. Try another one.'
      : 'This server shows figures only to those who know its token (REPORTING_TOKEN).'),
    h('form.filter', {
      onsubmit: (event) => {
        event.preventDefault();
        setKey(field.value);
        onKey();
      },
    }, field, h('button', { type: 'submit' }, 'Show the figures')));
}

/** What to do about an error. */
export const advice = (error) => (error.status === 0 ? 'Is it running? The page tries again by itself.'
  : error.isPassing ? 'The page tries again by itself.'
    : error.status === 400 ? 'The address of this page has a question that cannot be answered.' : '');

export function failed(error, onRetry) {
  return h('section.empty', { role: 'alert' }, h('h1', null, 'No figures'), h('p', null, error.message), h('p', null, advice(error)),
    h('button', { type: 'button', onclick: onRetry }, 'Try again'));
}

/** The same in the place of the figures, where the question can still be changed. */
export function failedFigures(error, onRetry) {
  return h('div.note', { role: 'alert' }, h('p', null, error.message), h('p', null, advice(error)),
    error.status === 400
      ? h('a', { href: address({ period: '30d', from: '', to: '', date: '', filters: '', interval: '', details: '' }) }, 'Start over')
      : h('button', { type: 'button', 'data-key': 'again', onclick: onRetry }, 'Try again'));
}
