"""Months are folded once they have ended, and old hours go; no answer changes by that."""
import datetime
import random
import zoneinfo

import pytest

from support import rollups
from support.months import month, wait_for_turn
from support.wait import wait_until

INSERT = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES (%s, %s, %s, %s, %s::timestamptz + %s * interval '1 hour')")
# Rows in which a month differs from the sum of its days.
DIFFERENCES = """
WITH days AS (
    SELECT c.site_no, c.dimension, date_trunc('month', c.day)::date AS day, c.value_id,
           sum(c.events) AS events, sum(c.pageviews) AS pageviews, sum(c.visits) AS visits,
           sum(c.bounces) AS bounces, sum(c.duration_ms) AS duration_ms,
           hll_cardinality(hll_union_agg(c.users)) AS users
    FROM counts c JOIN sites s USING (site_no) WHERE c.grain = 1 AND c.day < s.folded
    GROUP BY 1, 2, 3, 4
), months AS (SELECT *, hll_cardinality(users) AS n FROM counts WHERE grain = 3)
SELECT * FROM days d FULL JOIN months m USING (site_no, dimension, day, value_id)
WHERE (d.events, d.pageviews, d.visits, d.bounces, d.duration_ms, d.users)
      IS DISTINCT FROM (m.events, m.pageviews, m.visits, m.bounces, m.duration_ms, m.n)
"""
BREAKDOWN = ("SELECT value, users, visits, pageviews, events FROM report_breakdown(%s, 'page', "
             "%s, %s, NULL, NULL, 'visitors', NULL, NULL, NULL, NULL, 1000, 0) ORDER BY 1")


def roll_up(database):
    while not database.value("SELECT b.is_done FROM rollup_settled(5000) AS s, "
                             "rollup_chunk(s, 1000000) AS b"):
        pass


def insert(database, rand, count):
    for _ in range(count):
        database.rows(INSERT, (rand.choice(["demo", "other"]),
                               rand.choice(["page_view", "click"]), f"/{rand.randrange(9)}",
                               f"u{rand.randrange(20)}", month(-3), rand.randrange(24 * 95)))
    roll_up(database)


def answers(database):
    spans = [(month(-3), month(-1)), (month(-4), month(1)), (month(-2), month(0)),
             (month(-3), month(0))]
    return [database.rows(BREAKDOWN, (site, first, last))
            for site in ("demo", "other") for first, last in spans]


def keep(database):
    after = 0
    while after is not None:
        after = database.value("SELECT next FROM rollup_keep_sites(%s, 1)", (after,))


def months_of_sites():
    """The months that have not ended yet: they end at other times in the zones of the sites."""
    return {datetime.datetime.now(zoneinfo.ZoneInfo(zone)).date().replace(day=1)
            for zone in ("UTC", "Asia/Kathmandu")}


@pytest.fixture
def filled(database):
    wait_for_turn()
    database.rows("INSERT INTO sites (site_id, time_zone) VALUES ('demo', 'Asia/Kathmandu')")
    insert(database, random.Random(7), 300)
    return database


def test_a_processor_folds_months_that_have_ended(daemons, redis, filled):
    before = answers(filled)
    daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=filled.url,
                  UPKEEP_INTERVAL_MS=200)
    wait_until(lambda: {row[0] for row in filled.rows("SELECT folded FROM sites")}
               == months_of_sites(), 60, "the months to be folded")
    assert not filled.rows(DIFFERENCES)
    assert {row[0] for row in filled.rows("SELECT DISTINCT day FROM counts WHERE grain = 3")} \
        == {month(n) for n in (-3, -2, -1, 0) if month(n) < max(months_of_sites())}
    assert answers(filled) == before
    assert filled.value("SELECT count(*) FROM folds") == 0
    assert not rollups.differences(filled)


def test_what_comes_late_is_added_wherever_folding_stands(filled):
    rand = random.Random(8)
    steps = 0
    while filled.value("SELECT bool_or(site_fold_step(s, 2)) FROM sites s"):
        insert(filled, rand, 3)
        steps += 1
    assert steps > 20
    insert(filled, rand, 50)
    wait_until(lambda: filled.value("SELECT count(*) FROM stale_users") == 0 or filled.rows(
        "SELECT rollup_recount_users(10000)") == 0, 20, "users to be counted")
    assert not filled.rows(DIFFERENCES)
    assert filled.value("SELECT count(*) FROM counts WHERE grain = 3") > 50
    assert not rollups.differences(filled)


def test_a_site_counted_anew_is_folded_again(filled):
    keep(filled)
    before = answers(filled)
    number = filled.value("SELECT number FROM site_rebuild_begin('demo', '')")
    while filled.value("SELECT phase FROM site_rebuild_step(%s, 50)", (number,)) != "done":
        pass
    assert answers(filled) == before
    keep(filled)
    assert answers(filled) == before
    assert not filled.rows(DIFFERENCES)
    assert filled.value("SELECT count(*) FROM sites_gone") == 0


def test_hours_that_are_too_old_go(filled):
    filled.rows("SELECT rollup_configure(1000, 1000, 40)")
    keep(filled)
    oldest = filled.value("SELECT min(day) FROM totals WHERE grain = 2")
    assert oldest == filled.value("SELECT min(day) FROM totals WHERE grain = 1 AND day >= "
                                  "(now() AT TIME ZONE 'UTC')::date - 40")
    assert filled.value("SELECT min(day) FROM totals WHERE grain = 1") < oldest
    insert(filled, random.Random(9), 30)
    assert filled.value("SELECT min(day) FROM totals WHERE grain = 2") >= oldest
    assert not rollups.differences(filled)


def test_what_a_killed_command_has_left_goes_after_a_day(filled):
    filled.rows("SELECT site_rebuild_begin('demo', '')")
    keep(filled)
    assert filled.value("SELECT count(*) FROM site_rebuilds") == 1
    filled.rows("UPDATE site_rebuilds SET touched_at = now() - interval '25 hours'")
    keep(filled)
    for table in ("site_rebuilds", "sites_gone"):
        assert filled.value(f"SELECT count(*) FROM {table}") == 0


def test_visits_go_with_their_raw_events(filled):
    filled.rows("SELECT rollup_configure(1000, 1000, 400)")
    filled.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                "VALUES ('demo', 'v', '/', 'edge', %s::timestamptz - interval '10 minutes'), "
                "('demo', 'v', '/', 'edge', %s::timestamptz + interval '10 minutes')",
                (f"{month(-2)}Z", f"{month(-2)}Z"))
    roll_up(filled)
    total = filled.value("SELECT sum(visits) FROM totals WHERE grain = 0")
    filled.rows("UPDATE rollup_state SET raw_from = %s", (f"{month(-2)}Z",))
    keep(filled)
    assert filled.value("SELECT min(ended_at) >= %s FROM visits", (f"{month(-2)}Z",))
    assert filled.value("SELECT count(*) FROM site_visits WHERE began_at < %s AND ended_at > %s",
                        (f"{month(-2)}Z", f"{month(-2)}Z")) >= 1
    assert filled.value("SELECT sum(visits) FROM totals WHERE grain = 0") == total


def exit_users(database):
    return database.rows("SELECT day, value, visitors FROM site_values WHERE property = 'exit_page' "
                         "AND site_id = 'demo' ORDER BY 1, 2")


def test_a_late_event_takes_no_users_from_a_day_whose_visits_are_gone(filled):
    """What a day's users are counted anew from went with its raw events."""
    wait_until(lambda: filled.value("SELECT count(*) FROM stale_users") == 0 or filled.rows(
        "SELECT rollup_recount_users(10000)") == 0, 20, "users to be counted")
    before = exit_users(filled)
    day = next(row[0] for row in before if row[2] > 0)
    filled.rows("UPDATE rollup_state SET raw_from = %s", (f"{month(0)}Z",))
    keep(filled)
    assert filled.value("SELECT count(*) FROM visits WHERE ended_at < %s", (f"{month(0)}Z",)) == 0
    for _ in range(2):  # the second one changes the visit of the first
        filled.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) VALUES "
                    "('demo', 'page_view', '/late', 'late', %s::timestamptz + "
                    "interval '12 hours' + random() * interval '9 minutes')", (f"{day}Z",))
        roll_up(filled)
    keep(filled)
    assert [row for row in exit_users(filled) if row[1] != "/late"] == before
    assert [row for row in exit_users(filled) if row[1] == "/late"] == [(day, "/late", 1)]


def test_upkeep_counts_what_the_chunks_had_no_time_for(filled):
    """The users of many days at once, and where no further event comes."""
    keep(filled)
    filled.rows("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
                "SELECT 'many' || n %% 7, 'page_view', '/', 'u', %s::timestamptz "
                "+ n / 7 * interval '1 day' FROM generate_series(0, 2000) AS n", (month(-11),))
    roll_up(filled)
    assert filled.value("SELECT count(*) FROM stale_users") > 1000
    keep(filled)
    assert filled.value("SELECT count(*) FROM stale_users") == 0
    assert not rollups.differences(filled)
    keep(filled)
