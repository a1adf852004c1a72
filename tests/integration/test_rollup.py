"""The roll-up: at every moment exactly the aggregate of the raw events up to its position,
and soon after they are stored."""
import contextlib
import datetime
import random
import threading
import time

import pytest

from support import metrics, rollups
from support.events import Mix, event, job, new_id
from support.months import IN_BERLIN, clocks_went_back
from support.redis_server import QUEUE
from support.settings import patience, scaled
from support.wait import wait_until

INSERT = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES (%s, 'v', %s, %s, %s)")


def start(daemons, redis, database, **env):
    return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url, **env)


def roll_up(database):
    """As the processor does, without one."""
    while True:
        taken, is_done = database.row(
            "SELECT b.* FROM rollup_settled(5000) AS s, rollup_chunk(s, 1000000) AS b")
        if is_done:
            return taken


def raw_tops(database, site, day=None):
    return database.rows(
        'SELECT path, count(*) FROM events WHERE site_id = %s AND (%s::date IS NULL OR '
        '("timestamp" AT TIME ZONE \'UTC\')::date = %s) GROUP BY path '
        'ORDER BY count(*) DESC, path COLLATE "C" LIMIT 10', (site, day, day))


def tops(database, site, day=None):
    return database.rows("SELECT path, views FROM stats(%s, %s) WHERE path IS NOT NULL",
                         (site, day))


def insert_many(database, rows):
    conn = database.connect()
    try:
        conn.autocommit = False
        with conn.cursor() as cursor:
            cursor.executemany(INSERT, rows)
        conn.commit()
    finally:
        conn.close()


def test_rows_that_psql_inserts_are_rolled_up_within_two_seconds(daemons, redis, database):
    start(daemons, redis, database)
    began = time.monotonic()
    database.rows(INSERT, ("psql", "/", "u", "2025-11-14T10:00:00Z"))
    wait_until(lambda: database.value("SELECT total_views FROM stats('psql', NULL)") == 1, 10)
    assert time.monotonic() - began < patience(2)


def test_many_mixed_events_are_counted_to_the_last(daemons, redis, database):
    start(daemons, redis, database, ROLLUP_MAX_ROWS=5000)
    with redis.client() as client:
        for chunk in range(10):
            client.lpush(QUEUE, *[job(e) for e in Mix(100 + chunk).take(scaled(4000) // 10)])
    wait_until(redis.is_drained, 60, "the queue to drain")
    rollups.wait_equal(database, 60)
    for site in (row[0] for row in database.rows("SELECT DISTINCT site_id FROM events")):
        assert tops(database, site) == raw_tops(database, site)


def test_late_events_are_nothing_special(daemons, redis, database):
    start(daemons, redis, database)
    with redis.client() as client:
        for day in ("2025-11-14", "1999-01-01", "0001-01-01", "9999-12-31", "2025-11-14"):
            client.lpush(QUEUE, job(event(timestamp=f"{day}T23:59:59.999Z", user_id=day)))
            wait_until(redis.is_drained, 20)
            rollups.wait_equal(database)
    assert database.row("SELECT total_views, unique_users FROM stats('demo', NULL)") == (5, 4)
    assert database.row("SELECT total_views, unique_users FROM stats('demo', '9999-12-31')"
                        ) == (1, 1)


def test_days_are_those_of_utc(daemons, redis, database):
    """Neither the machine nor Postgres runs in UTC."""
    start(daemons, redis, database)
    with redis.client() as client:
        client.lpush(QUEUE, job(event(timestamp="2025-11-14T23:59:59.999Z")),
                     job(event(timestamp="2025-11-15T00:00:00Z")))
    wait_until(redis.is_drained, 20)
    rollups.wait_equal(database)
    assert database.rows("SELECT day::text, events FROM totals WHERE grain < 2 ORDER BY day") == [
        ("-infinity", 2), ("2025-11-14", 1), ("2025-11-15", 1)]


def test_users_null_and_empty(database):
    insert_many(database, [("s", "/", user, "2025-11-14T10:00:00Z")
                           for user in (None, None, "", "", "a", "b", "a")])
    insert_many(database, [("nobody", "/", None, "2025-11-14T10:00:00Z")])
    roll_up(database)
    assert database.row("SELECT total_views, unique_users FROM stats('s', NULL)") == (7, 3)
    assert database.row("SELECT total_views, unique_users FROM stats('nobody', NULL)") == (1, 0)


@pytest.mark.parametrize("users,error", [(1, 0), (2047, 0), (50000, 0.03)])
def test_users_are_exact_up_to_2048(database, users, error):
    database.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                  "SELECT 's', 'v', '/', 'user-' || i, '2025-11-14T10:00:00Z' "
                  "FROM generate_series(1, %s) i", (users,))
    while database.row("SELECT b.* FROM rollup_settled(5000) s, rollup_chunk(s, 7000) b")[0]:
        pass
    found = database.value("SELECT unique_users FROM stats('s', NULL)")
    assert abs(found - users) <= users * error


def test_the_top_ten_stay_right_bite_by_bite(database):
    """They are kept, not searched for: compared with the raw events after each chunk, with
    many ties, over several days and sites."""
    rand = random.Random(21)
    days = ["2025-11-13T12:00:00Z", "2025-11-14T12:00:00Z", "2025-11-15T12:00:00Z"]
    for turn in range(40):
        spread = rand.choice([3, 12, 60])
        insert_many(database, [
            (f"s{rand.randrange(2)}", f"/p{int(spread * rand.random() ** 2)}", None,
             rand.choice(days)) for _ in range(rand.choice([1, 5, 40]))])
        roll_up(database)
        for site in ("s0", "s1"):
            assert tops(database, site) == raw_tops(database, site), turn
            for day in ("2025-11-13", "2025-11-14", "2025-11-15"):
                assert tops(database, site, day) == raw_tops(database, site, day), turn
    assert not rollups.differences(database)


def test_ties_are_in_the_order_of_bytes(database):
    paths = ["/b", "/a", "/B", "/ä", "/Z", "/z", "a", "/", "//", "/a/", "\u007f", "\U0001F600",
             "\uFFFD", " "]
    insert_many(database, [("s", path, None, "2025-11-14T10:00:00Z") for path in paths])
    roll_up(database)
    assert [row[0] for row in tops(database, "s")] == \
        sorted(paths, key=lambda path: path.encode())[:10]


def test_a_bite_takes_no_more_than_it_may(database):
    insert_many(database, [("s", "/", None, "2025-11-14T10:00:00Z")] * 10)
    bound = database.value("SELECT rollup_settled(1000)")
    assert database.row("SELECT * FROM rollup_chunk(%s, 4)", (bound,)) == (4, False)
    assert database.row("SELECT * FROM rollup_chunk(%s, 6)", (bound,)) == (6, True)
    assert database.row("SELECT * FROM rollup_chunk(%s, 6)", (bound,)) == (0, True)
    assert database.row("SELECT * FROM rollup_chunk(%s, 6)", (bound - 3,)) == (0, True)
    assert not rollups.differences(database)


def test_only_one_roll_up_runs_at_a_time(database):
    insert_many(database, [("s", "/", None, "2025-11-14T10:00:00Z")])
    other = database.connect()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(rollup_lock_key())")
    assert database.row("SELECT * FROM rollup_chunk(1, 1000)") == (None, None)
    other.close()
    wait_until(lambda: database.row("SELECT * FROM rollup_chunk("
                                    "rollup_settled(1000), 1000)") == (1, True), 10)


def test_a_roll_up_that_fails_leaves_nothing_behind(database):
    insert_many(database, [("s", f"/{n}", "u", "2025-11-14T10:00:00Z") for n in range(20)])
    database.rows("ALTER TABLE totals ADD CONSTRAINT no CHECK (events < 5)")
    with pytest.raises(Exception, match='"no"'):
        roll_up(database)
    assert database.value("SELECT count(*) FROM counts") == 0
    assert database.value("SELECT position FROM rollup_state") == 0
    database.rows("ALTER TABLE totals DROP CONSTRAINT no")
    roll_up(database)
    assert not rollups.differences(database)


# --- the settled bound

def test_a_row_of_a_slow_writer_is_never_left_out(database):
    """It has an id below those of others that are committed already."""
    slow = database.connect()
    slow.autocommit = False
    with slow.cursor() as cursor:
        cursor.execute(INSERT, ("slow", "/", None, "2025-11-14T10:00:00Z"))
    insert_many(database, [("fast", "/", None, "2025-11-14T10:00:00Z")])
    with pytest.raises(Exception, match="has not ended"):
        database.value("SELECT rollup_settled(50)")
    slow.commit()
    slow.close()
    roll_up(database)
    assert not rollups.differences(database)


def test_a_slow_writer_delays_the_roll_up_and_no_other_writer(daemons, redis, database):
    processor = start(daemons, redis, database)
    slow = database.connect()
    slow.autocommit = False
    with slow.cursor() as cursor:
        cursor.execute(INSERT, ("slow", "/", None, "2025-11-14T10:00:00Z"))
    insert_many(database, [("fast", "/", None, "2025-11-14T10:00:00Z")])
    wait_until(lambda: database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%rollup_await%%' "
        "AND application_name = 'analytics-rollup' AND state = 'active' "
        "AND datname = current_database()") == 1, 20, "the roll-up to wait")
    longest = 0
    for _ in range(50):
        began = time.monotonic()
        insert_many(database, [("fast", "/", None, "2025-11-14T10:00:00Z")])
        longest = max(longest, time.monotonic() - began)
    assert longest < patience(0.5)
    assert database.value("SELECT total_views FROM stats('fast', NULL)") == 0
    assert processor.ready_status() == 200
    slow.rollback()
    slow.close()
    rollups.wait_equal(database, 10)


LONG_REST = {"ROLLUP_LAG_MAX_MS": 600_000, "ROLLUP_PAUSE_TIMES": 100}


def pretend_a_long_bite(database):
    """After which the roll-up would rest for three minutes."""
    database.rows("UPDATE rollup_state SET took_ms = 200000, finished_at = clock_timestamp()")


def test_the_roll_up_does_not_rest_when_nobody_writes(daemons, redis, database):
    start(daemons, redis, database, **LONG_REST)
    pretend_a_long_bite(database)
    with redis.client() as client:
        client.lpush(QUEUE, *[job(e) for e in Mix(7).take(300)])
    wait_until(redis.is_drained, 20, "the queue to drain")
    rollups.wait_equal(database, 20)


def test_the_roll_up_rests_while_somebody_writes(daemons, redis, database):
    """A transaction that is open has no new ids either, and yet it is at work."""
    start(daemons, redis, database, **LONG_REST)
    slow = database.connect()
    slow.autocommit = False
    with slow.cursor() as cursor:
        pretend_a_long_bite(database)
        cursor.execute(INSERT, ("slow", "/", None, "2025-11-14T10:00:00Z"))
    looked = ("SELECT count(*) FROM pg_stat_activity WHERE application_name = "
              "'analytics-rollup' AND query LIKE '%%rollup_writers%%' "
              "AND datname = current_database()")
    wait_until(lambda: database.value(looked) == 1, 20, "the roll-up to look for writers",
               interval=0.001)
    wait_until(lambda: database.value(looked) == 0, 20, "the roll-up to rest on",
               interval=0.001)
    assert database.value("SELECT position FROM rollup_state") == 0
    slow.commit()
    slow.close()
    rollups.wait_equal(database, 20)


def test_a_clock_that_goes_back_does_not_stop_the_roll_up(daemons, redis, database):
    """Somebody writes all the time, so it would rest until the clock has caught up."""
    start(daemons, redis, database)
    ended = threading.Event()

    def write():
        with contextlib.closing(database.connect()) as conn, conn.cursor() as cursor:
            while not ended.wait(0.002):
                cursor.execute(INSERT, ("steady", "/", None, "2025-11-14T10:00:00Z"))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: database.value("SELECT position FROM rollup_state") > 0, 20,
                   "the first chunk")
        database.rows("UPDATE rollup_state SET took_ms = 200, "
                      "finished_at = clock_timestamp() + interval '1 hour'")
        wait_until(lambda: database.value(
            "SELECT finished_at <= clock_timestamp() FROM rollup_state"), 20, "a chunk")
    finally:
        ended.set()
        writer.join()


def test_rows_of_aborted_transactions_leave_only_gaps(database):
    for n in range(5):
        conn = database.connect()
        conn.autocommit = False
        with conn.cursor() as cursor:
            cursor.execute(INSERT, ("s", "/", None, "2025-11-14T10:00:00Z"))
        conn.rollback() if n % 2 else conn.commit()
        conn.close()
    roll_up(database)
    assert not rollups.differences(database)
    assert database.value("SELECT waiting FROM rollup_pending()") == 0


def test_exact_at_every_moment_under_concurrent_writers(database):
    """Snapshots taken all the while: what the rollups say is the aggregate of the raw rows
    up to the position, never a row more or less."""
    stop = threading.Event()
    problems = []

    def write(seed):
        rand = random.Random(seed)
        conn = database.connect()
        conn.autocommit = False
        try:
            with conn.cursor() as cursor:
                while not stop.is_set():
                    for _ in range(rand.randrange(1, 20)):
                        cursor.execute(INSERT, (f"s{rand.randrange(3)}",
                                                f"/{rand.randrange(20)}", f"u{seed}",
                                                "2025-11-14T10:00:00Z"))
                    conn.rollback() if rand.random() < 0.2 else conn.commit()
        except Exception as error:  # told below, in the test's own thread
            problems.append(error)
        finally:
            conn.close()
    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(60):
            database.row("SELECT b.* FROM rollup_settled(5000) s, rollup_chunk(s, 100) b")
            raw, rolled = database.row(
                "SELECT (SELECT count(*) FROM events, rollup_state WHERE id <= position), "
                "(SELECT coalesce(sum(events), 0) FROM totals WHERE grain = 0)")
            assert raw == rolled
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not problems
    roll_up(database)
    assert not rollups.differences(database)


# --- pace

def test_three_roll_ups_stay_out_of_each_others_way(daemons, redis, database):
    for _ in range(3):
        start(daemons, redis, database, BATCH_MAX=100)
    with redis.client() as client:
        for made in Mix(31).take(scaled(5000)):
            client.lpush(QUEUE, job(made))
    wait_until(redis.is_drained, 60, "the queue to drain")
    rollups.wait_equal(database, 60)


def test_a_bite_that_takes_too_long_is_made_smaller(daemons, redis, database):
    database.rows("INSERT INTO events (site_id, event_type, path, timestamp) "
                  "SELECT 's' || i, 'v', '/' || i, '2025-11-14T10:00:00Z' "
                  "FROM generate_series(1, %s) i", (scaled(20000),))
    start(daemons, redis, database, ROLLUP_TIMEOUT_MS=300)
    rollups.wait_equal(database, 120)


def test_a_hundred_thousand_sites_in_one_bite(database):
    """The sketch of a site takes 128 KB while it is made: not all at once."""
    count = scaled(20000)
    database.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                  "SELECT 's' || i, 'v', '/', 'u', '2025-11-14T10:00:00Z' "
                  "FROM generate_series(1, %s) i", (count,))
    roll_up(database)
    assert database.value("SELECT count(*) FROM totals WHERE grain < 2") == 2 * count
    assert not rollups.differences(database)


def test_stats_of_a_site_with_a_hundred_thousand_paths_is_fast(database):
    database.rows("UPDATE rollup_state SET values_max = 100000")
    database.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                  "SELECT 'wide', 'v', '/' || md5(i::text), 'u' || i, "
                  "'2025-11-14T10:00:00Z' FROM generate_series(1, %s) i", (scaled(100000),))
    roll_up(database)
    assert tops(database, "wide") == raw_tops(database, "wide")
    began = time.monotonic()
    for _ in range(20):
        database.rows("SELECT * FROM stats('wide', NULL)")
    assert (time.monotonic() - began) / 20 < patience(0.02)


def test_the_day_of_an_event_is_found_across_the_calendar(database):
    first = datetime.date(2024, 2, 1)
    insert_many(database, [("s", "/", None, f"{first + datetime.timedelta(n)}T12:00:00Z")
                           for n in range(60)])
    roll_up(database)
    assert database.value("SELECT total_views FROM stats('s', '2024-02-29')") == 1
    assert database.value("SELECT count(*) FROM totals WHERE grain = 1") == 60
    assert not rollups.differences(database)


def test_events_sent_again_are_not_counted_again(daemons, redis, database):
    start(daemons, redis, database)
    again = [job(event(event_id=new_id(), path=f"/{n % 7}")) for n in range(100)]
    with redis.client() as client:
        for _ in range(3):
            client.lpush(QUEUE, *again)
            wait_until(redis.is_drained, 20)
    rollups.wait_equal(database)
    assert database.value("SELECT total_views FROM stats('demo', NULL)") == 100


# --- sites and their days

def test_days_and_hours_are_those_of_the_site(database):
    """Midnight in three zones, and the night in which clocks go back."""
    zones = {"utc": "UTC", "nepal": "Asia/Kathmandu", "berlin": "Europe/Berlin"}
    for site, zone in zones.items():
        database.rows("INSERT INTO sites (site_id, time_zone) VALUES (%s, %s)", (site, zone))
    changed = clocks_went_back(IN_BERLIN)
    insert_many(database, [
        (site, "/", "u", f"{changed + datetime.timedelta(days)}T{hour:02}:14:59.999Z")
        for site in zones for days in (-1, 0, 1) for hour in range(24)])
    roll_up(database)
    assert not rollups.differences(database)
    hours = ("SELECT count(*) FROM totals JOIN sites USING (site_no) WHERE site_id = %s "
             f"AND grain = 2 AND day = '{changed}'")
    assert [database.value(hours, (site,)) for site in zones] == [24, 24, 25]
    for site in zones:
        assert database.rows("SELECT * FROM stats(%s, %s)", (site, changed)) == \
            database.rows("SELECT * FROM stats_exact_day(%s, %s)", (site, changed))


def test_what_is_no_event_is_in_no_count(database):
    insert_many(database, [("s", "/", "u", "2026-11-14T10:00:00Z")])
    database.rows("INSERT INTO events (site_id, event_type, path, visitor_id, timestamp, "
                  "duration_ms) VALUES ('s', 'v', '/', 7, '2026-11-14T10:00:30Z', 30000)")
    roll_up(database)
    for stats in ("stats('s', NULL)", "stats_exact_all('s')"):
        assert database.rows(f"SELECT * FROM {stats}") == [(1, 1, "/", 1)]
    assert not rollups.differences(database)
    assert database.rows("SELECT DISTINCT duration_ms FROM counts WHERE dimension = 1 "
                         "AND grain = 1") == [(30000,)]


def test_a_visitor_without_a_name_is_a_user(database):
    database.rows("INSERT INTO events (site_id, event_type, path, user_id, visitor_id, "
                  "timestamp) SELECT 's', 'page_view', '/', v.*, '2026-11-14T10:00:00Z' "
                  "FROM (VALUES ('a', 1), ('a', 2), (NULL, 1), (NULL, 3), (NULL, NULL)) v")
    roll_up(database)
    assert database.row("SELECT * FROM stats('s', NULL)")[:2] == (5, 3)
    assert not rollups.differences(database)


def test_there_are_no_more_sites_than_there_may_be(daemons, redis, database):
    """The settings of the processor say so; what is left out is a metric."""
    processor = start(daemons, redis, database, SITES_MAX=2, ROLLUP_VALUES_MAX=77,
                      ROLLUP_HOURS_DAYS=30)
    assert database.row("SELECT sites_max, values_max, hours_days FROM rollup_state") == (
        2, 77, 30)
    for sites in (("a",), ("a", "b", "c"), ("b", "c", "d")):
        insert_many(database, [(site, "/", None, "2025-11-14T10:00:00Z") for site in sites])
        wait_until(lambda: database.value("SELECT waiting FROM rollup_pending()") == 0, 20)
    assert database.rows("SELECT site_id, events FROM totals JOIN sites USING (site_no) "
                         "WHERE grain = 0 ORDER BY 1") == [("a", 2), ("b", 2)]
    assert database.value("SELECT count(*) FROM events") == 7

    def shown(name):
        return metrics.scrape(processor).value(f"analytics_processor_rollup_{name}")
    wait_until(lambda: shown("left_out_events") == 3, 20, "the metric of the events left out")
    assert shown("position") == 7
    assert metrics.scrape(processor).value("analytics_processor_visits_open") == 0
