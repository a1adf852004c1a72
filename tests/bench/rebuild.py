"""How long it takes to count a site anew: `processor --sites rebuild`, of events of 30 days in
visits of three, with 1,000 pages."""
import contextlib
import time

from bench import servers
from support.daemon import run

INSERT = """
    INSERT INTO events (site_id, event_type, path, "timestamp", visitor_id, source, channel,
                        browser, os, device, country, city, language, hostname)
    SELECT 'site', 'page_view', '/articles/' || n * 7919 %% 1000,
           date_trunc('day', now()) - interval '30 days'
           + n / 3 * 3 * 2592000.0 / %(events)s * interval '1 second'
           + n %% 3 * interval '40 seconds',
           n / 3, 'Source ' || n / 3 %% 20, 'Referral', 'Chrome', 'Windows', 'desktop', 'DE',
           'City ' || n / 3 %% 100, 'de', 'shop.example'
      FROM generate_series(0::bigint, %(events)s - 1) AS n"""
# The events are there and counted, as far as the roll-up knows; what a rebuild makes does not
# depend on what was counted before.
PASS = """UPDATE rollup_state SET position = (SELECT last_value FROM events_id_seq)"""


def measure(bench):
    count = bench.plan.rebuild_events
    with contextlib.ExitStack() as stack:
        server = servers.start_postgres(stack)
        database = stack.enter_context(servers.Databases(server, bench.scratch).ours())
        database.rows("SELECT events_add_partitions(2, 1)")
        database.rows("SELECT site_make('site', 'UTC')")
        database.rows(INSERT, {"events": count})
        database.rows(PASS)
        bench.say(f"rebuild: {count} events are there")
        began = time.monotonic()
        done = run("processor", "--sites", "rebuild", "site", cwd=bench.scratch, timeout=3600,
                   env={"DATABASE_URL": database.url})
        took = time.monotonic() - began
        if done.returncode != 0:
            raise RuntimeError(f"processor --sites rebuild failed:\n{done.stderr}")
        counted = database.value("SELECT t.events FROM totals t JOIN sites USING (site_no) "
                                 "WHERE t.grain = 0")
        if counted != count:
            raise RuntimeError(f"{counted} of {count} events were counted")
    bench.samples.add("rebuild.s", "events", took)
    bench.samples.add("rebuild.us", "events", took * 1e6 / count)
    bench.say("rebuild: done")
