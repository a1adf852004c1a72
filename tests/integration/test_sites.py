"""processor --sites: with the pipeline and readers at work, and killed half-way."""
import re
import subprocess
import threading

import pytest

from support import rollups
from support.daemon import base_environment, binary, run
from support.events import event, job
from support.redis_server import QUEUE
from support.roles import OWNER, PROCESSOR, make_roles, migrate, url_as
from support.settings import scaled
from support.wait import wait_until

INSERT = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES (%s, 'page_view', %s, %s, %s)")
STEP = "SELECT phase, counted FROM site_rebuild_step(%s, %s)"


@pytest.fixture
def sites(database, tmp_path):
    def call(*words, status=0):
        done = run("processor", "--sites", *words, cwd=tmp_path,
                   env={"DATABASE_URL": database.url}, timeout=60)
        assert done.returncode == status, done
        return done.stdout if status == 0 else done.stderr
    return call


def roll_up(database):
    while not database.value("SELECT b.is_done FROM rollup_settled(5000) AS s, "
                             "rollup_chunk(s, 1000000) AS b"):
        pass


def insert(database, *rows):
    for row in rows:
        database.rows(INSERT, row)
    roll_up(database)


def days(database, site="demo"):
    return dict(database.rows("SELECT day::text, events FROM site_days WHERE site_id = %s "
                              "ORDER BY 1", (site,)))


def wait_rolled_up(database):
    wait_until(lambda: database.value("SELECT waiting FROM rollup_pending()") == 0, 30)


def assert_clean(database):
    """No number is left but those of the sites, and all is counted as it should be."""
    roll_up(database)
    assert not rollups.differences(database)
    for table in ("site_rebuilds", "sites_gone", "folds"):
        assert database.value(f"SELECT count(*) FROM {table}") == 0
    for table in ("totals", "counts", "visits"):
        assert database.value(f"SELECT count(*) FROM {table} WHERE site_no NOT IN "
                              "(SELECT site_no FROM sites)") == 0
    assert database.value("SELECT count(*) FROM dictionary WHERE home_no NOT IN "
                          "(SELECT home_no FROM sites)") == 0


def test_a_site_is_made_and_listed(database, sites):
    assert sites("list").split() == ["site", "time", "zone", "events", "first", "day", "last",
                                     "day"]
    assert sites("set", "new", "--time-zone=asia/kathmandu") == \
        "new: days are those of Asia/Kathmandu\n"
    insert(database, ("new", "/", "u", "2026-11-14T18:20:00Z"))
    assert sites("list").splitlines()[1].split() == ["new", "Asia/Kathmandu", "1", "2026-11-15",
                                                     "2026-11-15"]
    assert sites("set", "new", "--time-zone", "Asia/Kathmandu") == \
        "new: days are those of Asia/Kathmandu, as before\n"
    assert_clean(database)


def test_a_list_moves_no_cursor(database, sites):
    """Whoever may send names sites."""
    for name in ("\x1b]0;x\x07\x1b[2J", "a\nb", "\u202eevil", "ö" * 255, "\\"):
        database.rows(INSERT, (name, "/", "u", "2026-11-14T18:20:00Z"))
    roll_up(database)
    shown = sites("list")
    assert shown.count("\n") == 6 and shown.isprintable() is False
    assert all(line.isprintable() for line in shown.split("\n"))
    for word in (r"\x1b]0;x\x07\x1b[2J  ", r"a\nb  ", "ö" * 255, r"\\  "):
        assert word in shown


@pytest.mark.parametrize("words,status,told", [
    (("set", "s"), 2, "which zone?"),
    (("set", "--time-zone=UTC"), 2, "which site?"),
    (("set", "s", "--time-zone=Mars/Olympus"), 2,
     '"Mars/Olympus" is no time zone that Postgres knows'),
    (("set", "s", "--time-zone=FOO3"), 2, "is no time zone"),
    (("rebuild",), 2, "which site?"),
    (("rebuild", "nobody"), 1, 'there is no site "nobody"'),
    (("delete", "nobody"), 1, 'there is no site "nobody"'),
    (("forget", "nobody", "--user=u"), 1, 'there is no site "nobody"'),
    (("forget", "s"), 2, "which user?"),
    (("paint", "s"), 2, "list|set|rebuild|forget|delete"),
])
def test_what_is_wrong_is_said(sites, words, status, told):
    assert told in sites(*words, status=status)


def test_help(sites):
    out = sites("list", "--help")
    for word in ("--sites", "--time-zone", "--user", "set|rebuild"):
        assert word in out


def test_no_site_is_made_beyond_sites_max(database, sites):
    database.rows("UPDATE rollup_state SET sites_max = 1")
    sites("set", "one", "--time-zone=UTC")
    assert "SITES_MAX" in sites("set", "two", "--time-zone=UTC", status=1)
    database.rows(INSERT, ("two", "/", "u", "2026-11-14T18:20:00Z"))
    roll_up(database)
    database.rows("UPDATE rollup_state SET sites_max = 2")
    sites("set", "two", "--time-zone=UTC")
    assert days(database, "two") == {"2026-11-14": 1}, "what was left out is counted"
    assert_clean(database)


def test_a_zone_is_set_while_events_arrive_and_readers_read(daemons, redis, database, sites):
    """Readers see the days of one zone or of the other; nothing is lost or counted twice.  The
    day on which clocks go back has 25 hours."""
    daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    count = scaled(20000)
    database.rows(
        "INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
        "SELECT site, 'page_view', '/' || i %% 30, 'u' || i %% 50, "
        "timestamptz '2026-10-24 20:00Z' + i * interval '30 hours' / %s "
        "FROM generate_series(0, %s - 1) i, (VALUES ('demo'), ('other')) AS s (site)",
        (count, count))
    wait_rolled_up(database)
    before = days(database)
    stop, seen, problems = threading.Event(), [], []

    def read():
        while not stop.is_set():
            seen.append((days(database), database.value(
                "SELECT total_views FROM stats('demo', NULL)")))

    def write():
        try:
            with redis.client() as client:
                n = 0
                while not stop.wait(0.005):
                    n += 1
                    client.lpush(QUEUE, job(event(timestamp="2026-11-01T12:00:00Z",
                                                  user_id=f"late{n % 3}")))
        except Exception as error:  # told below
            problems.append(error)
    threads = [threading.Thread(target=work) for work in (read, write)]
    for thread in threads:
        thread.start()
    try:
        out = sites("set", "demo", "--time-zone=Europe/Berlin")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not problems
    assert re.search(r"counted \d+ events anew\n(.*\n)*demo: days are those of Europe/Berlin\n$", out)
    wait_until(redis.is_drained, 30)
    wait_rolled_up(database)
    assert_clean(database)
    after = days(database)
    assert after["2026-10-25"] == count * 25 // 30 and after != before
    for found, total in seen:
        old = {day: n for day, n in found.items() if day < "2026-11-01"}
        assert old in (before, {d: n for d, n in after.items() if d < "2026-11-01"})
        assert total >= count
    assert database.value("SELECT count(*) FROM totals JOIN sites USING (site_no) WHERE "
                          "site_id = 'demo' AND grain = 2 AND day = '2026-10-25'") == 25


def test_a_rebuild_that_is_killed_is_run_again(database, sites, tmp_path):
    database.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                  "SELECT 'demo', 'page_view', '/' || i %% 30, 'u', "
                  "timestamptz '2026-11-01Z' + i * interval '1 minute' "
                  "FROM generate_series(1, %s) i", (scaled(20000),))
    roll_up(database)
    before = days(database)
    command = subprocess.Popen(
        [binary("processor"), "--sites", "set", "demo", "--time-zone=America/New_York"],
        cwd=tmp_path, env={**base_environment(tmp_path), "DATABASE_URL": database.url},
        stdout=subprocess.DEVNULL)
    wait_until(lambda: database.value("SELECT sum(counted) FROM site_rebuilds"), 20,
               interval=0.001)
    command.kill()
    command.wait()
    assert database.value("SELECT count(*) FROM site_rebuilds") == 1, "it was done already"
    assert days(database) == before
    insert(database, ("demo", "/late", "v", "2026-11-01T03:00:00Z"))
    sites("set", "demo", "--time-zone=America/New_York")
    assert days(database)["2026-10-31"] == 60 * 4
    assert database.value("SELECT sum(visitors) FROM site_values WHERE property = 'exit_page'") \
        == database.value("SELECT count(*) FROM site_visits")
    assert_clean(database)


def test_days_without_raw_events_stay_as_they_were(database, sites):
    """And what is late for them is counted all the same; each event is counted once."""
    insert(database, *[("demo", f"/{n % 3}", f"u{n % 5}", f"2024-0{n % 4 + 1}-{day}T{n:02}:10:00Z")
                       for n in range(24) for day in (10, 28)],
           ("demo", "/", "u", "2024-03-31T20:00:00Z"), ("demo", "/", "u", "2024-04-01T01:00:00Z"))
    before = days(database)
    # As retention does that has removed what is before April.
    database.rows("DELETE FROM events WHERE timestamp < '2024-04-01Z'")
    database.rows("UPDATE rollup_state SET raw_from = '2024-04-01Z'")
    out = sites("set", "demo", "--time-zone=Asia/Tokyo")
    assert "7 days stay as they were counted, in the zone UTC" in out
    assert "2024-01-10 to 2024-03-31" in out
    after = days(database)
    assert {d: n for d, n in after.items() if d < "2024-04-01"} == \
        {d: n for d, n in before.items() if d < "2024-04-01"}
    assert sum(after.values()) == sum(before.values())
    assert database.value("SELECT total_views FROM stats('demo', NULL)") == sum(before.values())
    assert database.rows("SELECT path, views FROM stats('demo', '2024-01-10')") == [
        ("/0", 2), ("/1", 2), ("/2", 2)]
    assert database.value("SELECT count(*) FROM site_rebuilds") == 0
    assert database.value("SELECT count(*) FROM totals WHERE site_no NOT IN "
                          "(SELECT site_no FROM sites)") == 0


def test_old_days_that_change_while_a_site_is_counted_anew(database):
    """Step by step: an event for a day that was copied already."""
    insert(database, *[("demo", "/", "u", f"2024-03-{day}T10:00:00Z") for day in range(10, 30)],
           ("demo", "/", "u", "2024-05-01T20:00:00Z"))
    database.rows("DELETE FROM events WHERE timestamp < '2024-04-01Z'")
    database.rows("UPDATE rollup_state SET raw_from = '2024-04-01Z'")
    number = database.value("SELECT number FROM site_rebuild_begin('demo', 'America/New_York')")
    phase = "count"
    while phase != "catch":
        phase, counted = database.row(STEP, (number, 10))
    assert counted == 1
    insert(database, ("demo", "/late", "v", "2024-03-12T03:00:00Z"),
           ("demo", "/new", "v", "2024-05-02T03:00:00Z"))
    before = days(database)
    while phase != "done":
        phase, counted = database.row(STEP, (number, 1))
    assert counted == 2
    expected = {**before, "2024-05-01": 2}
    del expected["2024-05-02"]
    assert days(database) == expected and before["2024-03-12"] == 2
    assert database.rows("SELECT path, views FROM stats('demo', NULL) WHERE path <> '/' "
                         "ORDER BY 1") == [("/late", 1), ("/new", 1)]


def test_many_events_of_one_moment_and_one_that_is_set_aside(database):
    insert(database, *[("demo", f"/{n}", None, "2026-11-14T10:00:00Z") for n in range(35)],
           ("demo", "/", None, "2026-11-14T10:00:00.001Z"))
    database.rows("INSERT INTO events (site_id, event_type, path, timestamp) VALUES "
                  "('demo', 'v', '/aside', '2026-11-14T10:00:00Z')")
    aside = database.value("SELECT max(id) FROM events")
    database.rows("SELECT rollup_set_aside(%s, 'a test')", (aside,))
    number = database.value("SELECT number FROM site_rebuild_begin('demo', '')")
    steps = 0
    while database.value(STEP, (number, 10)) != "catch":
        steps += 1
    assert steps > 3
    assert database.value("SELECT counted FROM rollup_retry_aside()") == 1
    assert database.row(STEP, (number, 1000))[0] == "done"
    while not database.value("SELECT is_done FROM site_sweep(7)"):
        pass
    assert not rollups.differences(database)
    assert database.row(STEP, (number, 10))[0] == "gone"


def test_a_rebuild_begins_anew_when_retention_comes_in_between(database):
    insert(database, ("demo", "/", "u", "2024-05-01T20:00:00Z"))
    number = database.value("SELECT number FROM site_rebuild_begin('demo', '')")
    database.rows("UPDATE rollup_state SET raw_from = '2024-04-01Z'")
    assert database.row(STEP, (number, 10))[0] == "stale"
    assert database.row(STEP, (number, 10))[0] == "gone"


def test_a_user_is_forgotten(database, sites):
    insert(database, *[("demo", "/", user, f"2026-11-14T{hour}:00:00Z")
                       for user in ("anna", "ben", None) for hour in (10, 11, 12)],
           ("other", "/", "anna", "2026-11-14T10:00:00Z"))
    letters = [b'{"site_id":"demo","user_id":"anna"', b'{"site_id":"demo","user_id":"anna"}',
               b'{"site_id":"demo","user_id":"ben"}', b'{"site_id":"other","user_id":"anna"}',
               b'{"site_id":"demo","user_id":7,"x":"anna"}', b"\xff\x00"]
    for n, letter in enumerate(letters):
        database.rows("INSERT INTO dead_letters (event_id, site_id, payload, payload_bytes, "
                      "reason, batch_id, batch_place) VALUES (gen_random_uuid(), %s, %s, 1, 'r', "
                      "'b', %s)", (["demo", None][n % 2], letter, n))
    out = sites("forget", "demo", "--user=anna")
    assert "deleted 3 events\n" in out and "deleted 2 dead letters\n" in out
    assert "cannot be undone" in out
    assert database.rows("SELECT site_id, visitors, events FROM site_days ORDER BY 1") == [
        ("demo", 1, 6), ("other", 1, 1)]
    assert database.value("SELECT count(*) FROM events WHERE user_id = 'anna'") == 1
    assert {bytes(row[0]) for row in database.rows("SELECT payload FROM dead_letters")} == \
        set(letters[2:])
    assert_clean(database)
    assert "deleted 0 events\n" in sites("forget", "demo", "--user=anna")


def test_a_site_is_deleted(database, sites):
    insert(database, *[(site, f"/{n}", "u", "2026-11-14T10:00:00Z")
                       for site in ("demo", "other") for n in range(50)])
    database.rows("INSERT INTO dead_letters (event_id, site_id, payload, payload_bytes, reason, "
                  "batch_id, batch_place) VALUES (gen_random_uuid(), 'demo', 'x', 1, 'r', 'b', 0)")
    out = sites("delete", "demo")
    assert "deleted 50 events\n" in out and "deleted 1 dead letters\n" in out
    assert database.rows("SELECT DISTINCT site_id FROM events") == [("other",)]
    assert_clean(database)
    insert(database, ("demo", "/again", "u", "2026-11-14T10:00:00Z"))
    assert days(database) == {"2026-11-14": 1}
    assert_clean(database)


def test_sites_by_the_processors_role(empty_database, tmp_path):
    database = empty_database
    make_roles(database)
    migrate(database, OWNER, tmp_path)
    for user in "uv":
        database.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                      "VALUES ('s', 'e', '/', %s, '2026-11-14T23:00:00Z')", (user,))
    database.rows("SELECT rollup_chunk(rollup_settled(1000), 10)")

    def sites(*words):
        done = run("processor", "--sites", *words, cwd=tmp_path,
                   env={"DATABASE_URL": url_as(database, PROCESSOR)})
        assert done.returncode == 0, done.stderr
        return done.stdout
    sites("set", "s", "--time-zone=Europe/Berlin")
    sites("forget", "s", "--user=u")
    assert sites("list").splitlines()[1].split() == ["s", "Europe/Berlin", "1", "2026-11-15",
                                                     "2026-11-15"]
    sites("delete", "s")
    assert len(sites("list").splitlines()) == 1
