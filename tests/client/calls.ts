// Calls every operation of both daemons through a client whose types openapi-typescript has
// made of /openapi.json.  The compiler checks the questions and the answers, the run what
// really comes.
//
//   INGESTION=URL REPORTING=URL INGEST_KEY=KEY REPORTING_TOKEN=TOKEN node calls.js
import createClient, {type Middleware} from 'openapi-fetch';
import type {components, operations, paths} from './schema.js';

declare const process: {env: Record<string, string>};

type Event = components['schemas']['Event'];

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

// Lists go by commas.
const querySerializer = {array: {style: 'form', explode: false}} as const;

function connect(url: string, secret: string) {
  const client = createClient<paths>({baseUrl: url, querySerializer});
  const withSecret: Middleware = {
    onRequest({request}) {
      request.headers.set('Authorization', `Bearer ${secret}`);
      request.headers.set('User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0');
    },
  };
  client.use(withSecret);
  return client;
}

const ingestion = connect(setting('INGESTION'), setting('INGEST_KEY'));
const reporting = connect(setting('REPORTING'), setting('REPORTING_TOKEN'));
const stranger = createClient<paths>({baseUrl: setting('REPORTING'), querySerializer});

function expect(holds: boolean, what: string, ...more: unknown[]): asserts holds {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(more)}`);
}

// The answer of a call that went well.
function good<T>(told: {data?: T; error?: unknown; response: Response}): T {
  expect(told.response.status === 200 && told.data !== undefined, told.response.url,
         told.response.status, told.error);
  return told.data;
}

// The same where the answer may be a table, too, and none was asked for.
function json<T>(told: {data?: T; error?: unknown; response: Response}): Exclude<T, string> {
  const data = good(told);
  expect(typeof data !== 'string', told.response.url, data);
  return data as Exclude<T, string>;
}

const event: Event = {site_id: 'demo', event_type: 'signup', path: '/', user_id: null,
                      timestamp: '2025-11-14T10:00:00Z', props: {plan: 'pro', seats: 3}};
const november = {site_id: 'demo', from: '2025-11-01', to: '2025-11-30'};

// One call for each operation: the compiler refuses this when one is missing.
const calls: {[id in keyof operations]: () => Promise<void>} = {
  async sendEvent() {
    expect(good(await ingestion.POST('/event', {body: event})).status === 'ok', 'event');
    const byUrl: Event = {site_id: 'demo', event_type: 'x', url: 'https://a.example/b',
                          timestamp: '2025-11-14'};
    expect(good(await ingestion.POST('/event', {body: byUrl})).status === 'ok', 'event by url');
    const {error, response} = await ingestion.POST('/event', {body: {...event, path: ''}});
    expect(response.status === 400 && error?.error === '"path" is not allowed to be empty',
           'refused', error);
    // @ts-expect-error a field that there is not
    const odd: Event = {...event, zzz: 1};
    // @ts-expect-error nothing nested
    const nested: Event = {...event, props: {a: {b: 1}}};
    // @ts-expect-error neither path nor url
    const nowhere: Event = {site_id: 'demo', event_type: 'x', timestamp: '2025-11-14'};
    for (const body of [odd, nested, nowhere])
      expect((await ingestion.POST('/event', {body})).response.status === 400, 'taken', body);
  },
  async sendBatch() {
    const wrong: Event = {...event, timestamp: 'x'};
    const part = good(await ingestion.POST('/batch', {body: [event, wrong]}));
    expect(part.accepted === 1 && part.errors[0]?.index === 1, 'batch', part);
    const {error} = await ingestion.POST('/batch', {body: {batch: [wrong]}});
    expect(error !== undefined && 'rejected' in error && error.rejected === 1, 'none', error);
  },
  async collect() {
    const told = good(await ingestion.POST('/collect', {body: {site_id: 'demo', path: '/a'}}));
    expect(told.status === 'ok', 'collect', told);
    good(await ingestion.POST('/collect', {body: [{site_id: 'demo', url: 'http://a.example/'}]}));
  },
  async pixel() {
    const query = {site_id: 'demo', path: '/', screen_width: 800, props: JSON.stringify({plan: 'pro'})};
    const gif = await ingestion.GET('/pixel.gif', {params: {query}, parseAs: 'arrayBuffer'});
    expect((gif.data as ArrayBuffer).byteLength === 43, 'pixel', gif.error);
  },
  async tracker() {
    const script = good(await ingestion.GET('/t.js', {parseAs: 'text'}));
    expect(script.length > 500, 'tracker');
  },
  async stats() {
    const told = good(await reporting.GET('/stats', {params: {query: {site_id: 'demo'}}}));
    expect(told.date === null && told.total_views === 3 && told.top_paths[0]?.path === '/',
           'stats', told);
    const day = {site_id: 'demo', date: '2025-11-14', exact: 'true'} as const;
    const exact = good(await reporting.GET('/stats', {params: {query: day}}));
    expect(exact.unique_users === told.unique_users, 'exact', exact);
    // @ts-expect-error no site
    const {error} = await reporting.GET('/stats', {params: {query: {}}});
    expect(error?.error === 'site_id required', 'no site', error);
  },
  async aggregate() {
    const query = {...november, metrics: ['visitors', 'bounce_rate'],
                   compare: 'previous_period'} satisfies
                  operations['aggregate']['parameters']['query'];
    const {results} = json(await reporting.GET('/stats/aggregate', {params: {query}}));
    expect(results.visitors?.value === 2 && results.visitors.previous === 0, 'aggregate', results);
    expect(results.visitors.change === null && results.pageviews === undefined, 'metrics', results);
    const {error} = await reporting.GET('/stats/aggregate', {params: {query: {
      site_id: 'demo',
      // @ts-expect-error a metric that goes with pages alone
      metrics: ['time_on_page']}}});
    expect(typeof error?.error === 'string', 'metric', error);
  },
  async timeseries() {
    const query = {...november, interval: 'day'} as const;
    const told = json(await reporting.GET('/stats/timeseries', {params: {query}}));
    const full: number = told.results[13]?.pageviews ?? 0;
    expect(told.results.length === 30 && full === 2 && told.interval === 'day', 'series', told);
  },
  async breakdown() {
    const query = {...november, property: 'page', filters: 'event_type==signup|page_view',
                   limit: 1} as const;
    const told = json(await reporting.GET('/stats/breakdown', {params: {query}}));
    expect(told.more && told.results[0]?.page === '/', 'breakdown', told);
    const own = {...november, property: 'prop:plan'};
    const plans = json(await reporting.GET('/stats/breakdown', {params: {query: own}}));
    expect(plans.source === 'events' && plans.results.length === 1, 'property', plans);
    const {data} = await reporting.GET('/stats/breakdown', {
      params: {query: {...november, property: 'page', format: 'csv'}}, parseAs: 'text'});
    expect(String(data).startsWith('page,visitors,pageviews\r\n'), 'csv', data);
  },
  async realtime() {
    const query = {site_id: 'demo'};
    const told = good(await reporting.GET('/stats/realtime', {params: {query}}));
    expect(told.minutes.length === 30 && told.pages.length === 0, 'realtime', told);
  },
  async sites() {
    const told = json(await reporting.GET('/sites', {params: {query: {limit: 10, page: 1}}}));
    const [first] = told.results;
    expect(first?.site_id === 'demo' && first.time_zone === 'UTC' && !told.more, 'sites', told);
  },
  async export() {
    const query = {...november, format: 'ndjson'} as const;
    const text = good(await reporting.GET('/export', {params: {query}, parseAs: 'text'}));
    const rows = text.trim().split('\n').map(
      (line) => JSON.parse(line) as components['schemas']['StoredEvent']);
    expect(rows.length === 3 && rows[0]?.props?.['plan'] === 'pro', 'export', rows);
  },
  async openapi() {
    const told = good(await reporting.GET('/openapi.json'));
    expect(Object.keys(told.paths).length > 15, 'document');
    const {error, response} = await stranger.GET('/openapi.json');
    expect(response.status === 401 && error?.error === 'unauthorized', 'no token', error);
  },
  async dashboard() {
    expect(good(await reporting.GET('/', {parseAs: 'text'})).startsWith('<!doctype'), 'page');
  },
  async dashboardOfSite() {
    const path = {site_id: 'demo'};
    good(await reporting.GET('/site/{site_id}', {params: {path}, parseAs: 'text'}));
  },
  async dashboardFile() {
    const page = good(await reporting.GET('/', {parseAs: 'text'}));
    const file = /page\/([0-9a-f]+\.js)/.exec(page)?.[1] ?? 'none';
    good(await reporting.GET('/page/{file}', {params: {path: {file}}, parseAs: 'text'}));
    const none = await reporting.GET('/page/{file}', {params: {path: {file: 'none.js'}}});
    expect(none.response.status === 404 && none.error?.error === 'not found', 'file', none.error);
  },
  async alive() {
    for (const daemon of [ingestion, reporting])
      expect(good(await daemon.GET('/healthz')).status === 'ok', 'alive');
  },
  async ready() {
    for (const daemon of [ingestion, reporting])
      expect(good(await daemon.GET('/readyz')).status === 'ready', 'ready');
  },
  async metrics() {
    for (const daemon of [ingestion, reporting])
      expect(good(await daemon.GET('/metrics', {parseAs: 'text'})).includes('# TYPE'), 'metrics');
  },
};

for (const [id, call] of Object.entries(calls)) {
  try {
    await call();
  } catch (error) {
    throw new Error(`${id} went wrong`, {cause: error});
  }
}
console.log(`${Object.keys(calls).length} operations called`);
