"""/stats on a large site and a small one, the original's queries on the same rows, and how
exact unique_users is.

Each site has N events of N users on one day, and N more of N/2 other users on the 89 days
before, each of them on two days: so the exact numbers are known by construction, and the
union over 90 days is what /stats without a date gives.
"""
import concurrent.futures
import contextlib
import datetime
import json
import os
import threading
import time
import urllib.request

from bench import events, servers, sides

SMALL = 5_000  # users of the small site: 10,000 events

# Rows number %(low)s to %(high)s of a site.  Row i < N is of the one day and of user i; the
# others are spread over the earlier days, two rows of different days to a user.
INSERT = """
    INSERT INTO events (event_id, site_id, event_type, path, user_id, "timestamp")
    SELECT ('0' || to_hex(1763000000000 + i) || '70008000'
            || lpad(to_hex(hash), 12, '0'))::uuid,
           %(site)s, 'page_view', '/articles/' || floor(power(1000, hash::float8 / 268435456))::int,
           'user-' || CASE WHEN i < %(users)s THEN i
                           ELSE %(users)s + (i - %(users)s) %% ((%(users)s + 1) / 2) END,
           %(day)s::timestamptz
           + (CASE WHEN i < %(users)s THEN 0
                   ELSE -1 - ((i - %(users)s)::bigint * 89 / %(users)s)::int END
              * 86400::float8 + 80000::float8 * (i %% %(users)s) / %(users)s) * interval '1 second'
      FROM (SELECT i, hashint4(i) & 268435455 AS hash
              FROM generate_series(%(low)s, %(high)s - 1) AS i OFFSET 0) AS n
"""



def day():
    """A whole day before the present one, as a date."""
    return (events.today() - datetime.timedelta(days=1)).date()


def measure(bench):
    with contextlib.ExitStack() as stack:
        databases = servers.Databases(servers.start_postgres(stack), bench.scratch)
        database = stack.enter_context(databases.ours())
        peers = stack.enter_context(databases.peers())
        _load(bench, databases, database, peers)
        reporting = sides.start_daemon(stack, bench.scratch, "reporting",
                                       DATABASE_URL=database.url)
        node = sides.start_node(stack, bench.peer, bench.scratch, "reporting",
                                DATABASE_URL=peers.url)
        _ask(bench, reporting.port, node.port)
        _count_users(bench, reporting.port)


def site(users):
    return f"users-{users}"


# --- the rows ------------------------------------------------------------------


def _load(bench, databases, database, peers):
    """Ours by INSERT through the parent table, two sessions at once, and rolled up by the
    processor's own functions; the peer's table by COPY of the large and the small site."""
    began = time.monotonic()
    counts = bench.plan.user_counts
    for users in counts[:-1]:
        _insert(database, users, 0, 2 * users)
    _in_parallel([lambda: _insert(database, counts[-1], 0, counts[-1]),
                  lambda: _insert(database, counts[-1], counts[-1], 2 * counts[-1])])
    inserted = time.monotonic()
    _in_parallel([lambda: _roll_up(database),
                  lambda: _fill_peer(database, peers, (SMALL, counts[-1]))])
    for one in (database, peers):
        one.rows("VACUUM ANALYZE")
        one.rows("CHECKPOINT")
    bench.say(f"/stats: {2 * sum(counts):,} rows inserted in {inserted - began:.0f} s, "
              f"rolled up and copied in {time.monotonic() - inserted:.0f} s")


def _in_parallel(jobs):
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


def _insert(database, users, low, high):
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, {"site": site(users), "users": users, "low": low,
                                    "high": high, "day": f"{day()} 00:00:00+00"})
    finally:
        connection.close()


def _roll_up(database):
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            is_done = False
            while not is_done:
                cursor.execute("SELECT b.is_done FROM rollup_settled(5000) s, "
                               "rollup_chunk(s, 250000) b")
                is_done = cursor.fetchone()[0]
    finally:
        connection.close()


def _fill_peer(database, peers, counts):
    """The same rows in the peer's table; its indexes are made afterwards, which is faster
    and leaves them in the best of states."""
    columns = 'site_id, event_type, path, user_id, "timestamp"'
    sites = ", ".join(f"'{site(users)}'" for users in counts)
    peers.rows("DROP INDEX idx_events_site_date, idx_events_path")
    _pipe(database, f"COPY (SELECT {columns} FROM events WHERE site_id IN ({sites})) TO STDOUT",
          peers, f"COPY events ({columns}) FROM STDIN")
    for line in (servers.HERE / "peer" / "schema.sql").read_text().splitlines():
        if line.startswith("CREATE INDEX"):
            peers.rows(line)


def _pipe(source, reading, target, writing):
    read_end, write_end = os.pipe()

    def read():
        connection = source.connect()
        try:
            with connection.cursor() as cursor, os.fdopen(write_end, "wb") as out:
                cursor.copy_expert(reading, out)
        finally:
            connection.close()
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    connection = target.connect()
    try:
        with connection.cursor() as cursor, os.fdopen(read_end, "rb") as rows:
            cursor.copy_expert(writing, rows)
    finally:
        connection.close()
    reader.join()


# --- the questions -------------------------------------------------------------


def _ask(bench, port, peer_port):
    large, small = (f"/stats?site_id={site(users)}"
                    for users in (bench.plan.user_counts[-1], SMALL))
    for number in range(bench.plan.stats_rounds):
        for name, target in (("small", small), ("large", large)):
            result = bench.wrk.get(port, target, 1)
            bench.samples.add("stats.p50_ms", name, result.p50)
            bench.samples.add("stats.p99_ms", name, result.p99)
            bench.samples.add("stats.rate", name, result.rate)
            if not result.is_clean:
                bench.samples.fault("stats.p50_ms", f"{name}: {result}")
    ours = _get(port, large)
    for number in range(bench.plan.peer_queries):
        began = time.monotonic()
        theirs = _get(peer_port, large)
        bench.samples.add("stats.p50_ms", "peer", 1000 * (time.monotonic() - began))
    if ours["total_views"] != theirs["total_views"]:
        bench.samples.fault("stats.p50_ms", f"{ours['total_views']} views, and the peer "
                                            f"has {theirs['total_views']}")


def _get(port, target):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=300) as answer:
        return json.load(answer)


def _count_users(bench, port):
    """Against what is known by construction: of one day, and of the union of 90 days."""
    worst = 0.0
    for users in bench.plan.user_counts:
        answers = ((f"&date={day()}", users), ("", users + -(-users // 2)))
        for more, exact in answers:
            counted = _get(port, f"/stats?site_id={site(users)}{more}")["unique_users"]
            error = 100 * abs(counted - exact) / exact
            bench.samples.add("users.error_percent", f"{users}{' union' if not more else ''}",
                              error)
            worst = max(worst, error)
    bench.samples.add("users.error_percent", "largest", worst)
