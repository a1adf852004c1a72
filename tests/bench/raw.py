"""Questions that the counts cannot answer, from raw events and visits: of a site with 10,000
pages, whose range of 30 days has some million events in visits of three.  The time of an answer,
and the processor time of Postgres with its parallel workers."""
import contextlib
import time
import urllib.parse
import urllib.request

from bench import cpu, servers, sides

QUESTIONS = {
    "page": ("breakdown", {"property": "page", "filters": "source==Source 1|Source 2"}),
    "pages": ("breakdown", {"property": "page", "filters": "country!=DE"}),
    "source": ("breakdown", {"property": "source", "filters": "page==/articles/1*"}),
    "two": ("aggregate", {"filters": "page==/articles/7;country==FR"}),
    "events": ("aggregate", {"filters": "page==/articles/7;event_type==page_view",
                             "metrics": "visitors,pageviews"}),
    "series": ("timeseries", {"filters": "source==Source 1;country==FR"}),
    "prop": ("breakdown", {"property": "prop:plan"}),
    "own": ("breakdown", {"property": "prop:plan", "filters": "prop:plan==pro"}),
}
# Events of a visit are 40 seconds apart; in the mean a page is as frequent as its number is small.
INSERT = """
    INSERT INTO events (site_id, event_type, path, "timestamp", visitor_id, source, channel,
                        country, browser, os, device, language, hostname, props)
    SELECT %(site)s, CASE WHEN n %% 10 = 9 THEN 'signup' ELSE 'page_view' END,
           '/articles/' || floor(power(10000, (hashint8(n) & 268435455) / 268435456.0::float8)),
           date_trunc('day', now()) - interval '30 days'
           + visit * 2592000.0 / %(events)s * 3 * interval '1 second' + n %% 3 * interval '40 seconds',
           visit * 7919, 'Source ' || hash %% 20, 'Referral',
           (ARRAY['DE', 'DE', 'FR', 'US', 'JP', 'GB', 'NP', 'BR'])[1 + hash / 32 %% 8],
           (ARRAY['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + hash / 512 %% 4], 'Windows', 'desktop',
           'de', 'shop.example',
           CASE WHEN n %% 5 = 0 THEN jsonb_build_object(
               'plan', (ARRAY['free', 'pro', 'team'])[1 + hash / 4096 %% 3], 'size', n %% 7) END
      FROM (SELECT n, n / 3 AS visit, hashint8(n / 3) & 268435455 AS hash
              FROM generate_series(0::bigint, %(events)s - 1) AS n) AS e
"""


def measure(bench):
    with contextlib.ExitStack() as stack:
        server = servers.start_postgres(stack)
        database = stack.enter_context(servers.Databases(server, bench.scratch).ours())
        reporting = sides.start_daemon(stack, bench.scratch, "reporting",
                                       DATABASE_URL=database.url, RAW_QUERY_TIMEOUT_MS=120000)
        for count in bench.plan.raw_events:
            _load(bench, database, count)
            _ask(bench, server, reporting.port, count)


def _load(bench, database, count):
    began = time.monotonic()
    database.rows("SELECT events_add_partitions(2, 1)")
    database.rows(INSERT, {"site": f"site-{count}", "events": count})
    inserted = time.monotonic()
    is_done = False
    while not is_done:
        is_done = database.value("SELECT b.is_done FROM rollup_settled(5000) s, "
                                 "rollup_chunk(s, 100000) b")
    database.rows("VACUUM ANALYZE")
    database.rows("CHECKPOINT")
    bench.say(f"raw: {count:,} events inserted in {inserted - began:.0f} s, rolled up in "
              f"{time.monotonic() - inserted:.0f} s")


def _ask(bench, server, port, count):
    for name, (path, asked) in QUESTIONS.items():
        asked = {"site_id": f"site-{count}", "period": "30d", **asked}
        target = f"http://127.0.0.1:{port}/stats/{path}?{urllib.parse.urlencode(asked)}"
        for _ in range(bench.plan.raw_rounds):
            before = cpu.of_server(server)
            began = time.monotonic()
            with urllib.request.urlopen(target, timeout=150) as answer:
                if b'"source":"events"' not in answer.read():
                    bench.samples.fault("raw.ms", f"{name} came from the counts")
            bench.samples.add("raw.ms", f"{name}-{count}", 1000 * (time.monotonic() - began))
            bench.samples.add("raw.cpu_ms", f"{name}-{count}",
                              1000 * (cpu.of_server(server) - before))
        bench.say(f"raw: {name} of {count:,}: "
                  f"{bench.samples.median('raw.ms', f'{name}-{count}'):.0f} ms, processor "
                  f"{bench.samples.median('raw.cpu_ms', f'{name}-{count}'):.0f} ms")
