"""What the roll-up costs, by the shape of the load: processor time of its backend, and the
longest chunk.  No processor runs: events are inserted, and chunks taken, by SQL."""
import contextlib
import time

from bench import cpu, servers

# Columns beside those of every load, and their values: n is the number of the event, v of its
# visit, which has three events, a third of the load apart, so hardly ever in one chunk.
PAGE = "'/articles/' || n * 7919 %% 1000"
FILLED = ("visitor_id, hostname, source, channel, browser, os, device, country, city, language",
          "v, 'shop.example', 'Source ' || v %% 20, 'Organic Search', 'Chrome', "
          "'Windows', 'desktop', 'DE', 'City ' || v %% 100, 'de'")
LOADS = {
    "fields": (10, "n", PAGE, ("user_id", "'user-' || n * 104729 %% 100000")),
    "filled": (10, "v", PAGE, FILLED),
    "sites": (10_000, "v", PAGE, FILLED),
    "paths": (10, "n", "'/' || n", ("user_id", "'user-' || n %% 100000")),
}
INSERT = """INSERT INTO events (site_id, event_type, path, "timestamp", {names})
    SELECT 'site-' || {site} %% %(sites)s, 'page_view', {path}, now() - interval '1 hour'
           + n * interval '20 microseconds', {values}
      FROM (SELECT n, n %% (%(events)s / 3) AS v
              FROM generate_series(1, %(events)s::bigint) AS n) AS e"""

# Chunks grow and shrink as the processor makes them, by ROLLUP_CHUNK_MS.
FIRST_ROWS = 5_000
CHUNK_S = 0.8


def measure(bench):
    with contextlib.ExitStack() as stack:
        server = servers.start_postgres(stack)
        databases = servers.Databases(server, bench.scratch)
        for name in LOADS:
            with databases.ours() as database:
                _load(bench, database, name)
            bench.say(f"cliffs: {name}")


def _load(bench, database, name):
    sites, site, path, (names, values) = LOADS[name]
    count = bench.plan.cliff_events
    database.rows(INSERT.format(names=names, site=site, path=path, values=values),
                  {"sites": sites, "events": count})
    pid = database.value("SELECT pg_backend_pid()")
    before = cpu.of_process(pid)
    longest = 0
    rows = FIRST_ROWS
    is_done = False
    while not is_done:
        began = time.monotonic()
        (taken, is_done), = database.rows("SELECT b.taken, b.is_done FROM rollup_settled(1000) s, "
                                          "rollup_chunk(s, %s) b", (rows,))
        took = time.monotonic() - began
        longest = max(longest, took)
        rows = max(1, rows // 4, min(2 * rows, int(taken * CHUNK_S / took)))
    bench.samples.add("cliffs.us", name, (cpu.of_process(pid) - before) * 1e6 / count)
    bench.samples.add("cliffs.chunk", name, longest)
