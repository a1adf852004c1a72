"""The time of /stats does not grow with the number of events, and plans say why."""
import statistics
import time

import pytest

from support.http import Connection, build
from support.settings import scaled
from support.site_data import roll_up

MANY = scaled(200000, at_least=20000)
FEW = 10
REQUESTS = 300


@pytest.fixture(scope="module")
def filled(postgres, migrated_template):
    """A database with one site of many events and one of few."""
    from support.postgres_server import Database
    database = Database(postgres, postgres.create_database(migrated_template))
    for site, count in (("many", MANY), ("few", FEW)):
        database.rows("""
            INSERT INTO events (site_id, event_type, path, user_id, "timestamp")
            SELECT %s, 'page_view', '/p/' || (n::bigint * 7919 %% 50000),
                   'u' || n::bigint * 31 %% 100000,
                   '2025-11-01Z'::timestamptz + n %% 30 * interval '1 day'
              FROM generate_series(1, %s) AS n""", [site, count])
    # Sites enough for an index to be worth its while.
    database.rows("""
        INSERT INTO events (site_id, event_type, path, user_id, "timestamp")
        SELECT 'site-' || n, 'page_view', '/', 'u', '2025-11-14Z'
          FROM generate_series(1, 3000) AS n""")
    roll_up(database)
    database.rows("VACUUM ANALYZE")
    yield database
    database.drop()


def measure(daemon, target):
    """Seconds of each of REQUESTS requests, one after the other."""
    times = []
    with Connection(daemon.port) as connection:
        for _ in range(REQUESTS):
            began = time.monotonic()
            connection.send(build("GET", target))
            assert connection.read_response().status == 200
            times.append(time.monotonic() - began)
    return sorted(times)


def test_many_events_take_no_longer_than_few(filled, daemons):
    daemon = daemons.start("reporting", DATABASE_URL=filled.url)
    assert daemon.stats("many")["total_views"] == MANY
    medians = {}
    for site in ("few", "many"):
        for day in ("", "&date=2025-11-14"):
            times = measure(daemon, f"/stats?site_id={site}{day}")
            medians[site, day] = statistics.median(times)
            print(f"\n{site} {day or 'all time'}: p50 {medians[site, day] * 1e3:.2f} ms, "
                  f"p99 {times[int(REQUESTS * .99)] * 1e3:.2f} ms", end="")
    began = time.monotonic()
    exact = daemon.stats("many", "2025-11-14", exact="true")["total_views"]
    print(f"\nexact, a day of {exact} events: {(time.monotonic() - began) * 1e3:.0f} ms")
    assert exact == daemon.stats("many", "2025-11-14")["total_views"]
    for day in ("", "&date=2025-11-14"):
        # A sketch of 100,000 users is a few hundred microseconds more than one of ten.
        assert medians["many", day] < 2 * medians["few", day] + 0.002


@pytest.mark.parametrize("call", ["stats('many', '-infinity')", "stats('many', '2025-11-14')",
                                  "stats_exact_day('few', '2025-11-10')",
                                  "stats_exact_all('few')"])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_plans_use_indexes(filled, call, mode):
    name, arguments = call.rstrip(")").split("(")
    parameters = ", ".join(f"${n + 1}" for n in range(arguments.count(",") + 1))
    types = ", ".join(["text", "date"][:arguments.count(",") + 1])
    conn = filled.connect()
    try:
        with conn.cursor() as cursor:
            cursor.execute(f"SET plan_cache_mode = {mode}")
            cursor.execute(f"PREPARE asked({types}) AS SELECT * FROM {name}({parameters})")
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE asked({arguments})")
            plan = "\n".join(row[0] for row in cursor.fetchall())
    finally:
        conn.close()
    used = [line for line in plan.splitlines() if "Index" in line and "never" not in line]
    assert used, plan
    for line in plan.splitlines():
        if "Seq Scan" in line and "never executed" not in line:
            assert "rows=0 " in line.split("actual")[1], plan
