"""The test support itself: servers start, stop and come back, and the judge judges."""
import psycopg2
import pytest
import redis

from support import rollups
from support.events import Mix, event, new_id
from support.judge import Judge
from support.postgres_server import Database
from support.process import free_port
from support.settings import POSTGRES_ZONE
from support.wait import wait_until


def test_redis_keeps_its_data_when_killed(private_redis):
    server = private_redis(appendfsync="always")
    server.client().lpush("list", "a", "b")
    server.kill()
    server.start()
    assert server.client().llen("list") == 2


def test_a_paused_redis_does_not_answer(private_redis):
    server = private_redis()
    server.pause()
    with pytest.raises(redis.TimeoutError):
        server.client(socket_timeout=0.1).ping()
    server.resume()
    assert server.client().ping()


def test_postgres_is_not_in_utc_and_not_root(postgres, empty_database):
    assert empty_database.value("SHOW TimeZone") == POSTGRES_ZONE
    assert empty_database.value("SHOW server_encoding") == "UTF8"
    with open(f"/proc/{postgres.process.pid}/status") as status:
        uid = next(line.split()[1] for line in status if line.startswith("Uid:"))
    assert uid != "0"


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_postgres_comes_back_with_its_data(private_postgres, how):
    server = private_postgres()
    database = Database(server, server.create_database())
    database.rows("CREATE TABLE kept (n integer); INSERT INTO kept VALUES (7)")
    if how == "kill":
        server.kill()
    else:
        server.stop(how)
    with pytest.raises(psycopg2.OperationalError):
        server.connect()
    server.start()
    with pytest.raises((psycopg2.OperationalError, psycopg2.InterfaceError)):
        database.rows("SELECT 1")  # the old connection
    database.close()
    assert database.value("SELECT n FROM kept") == 7


def test_a_paused_postgres_goes_on_where_it_was(private_postgres):
    server = private_postgres()
    database = Database(server, server.create_database())
    database.rows("SELECT 1")
    server.pause()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(server.url(), connect_timeout=2)
    server.resume()
    assert database.value("SELECT 1") == 1


def test_databases_are_separate(postgres, empty_database):
    empty_database.rows("CREATE TABLE mine (n integer)")
    other = Database(postgres, postgres.create_database())
    try:
        assert other.value("SELECT to_regclass('mine')") is None
    finally:
        other.drop()


def test_free_ports_differ():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_wait_until_says_what_it_waited_for():
    with pytest.raises(AssertionError, match="for: the moon to rise .last seen: False"):
        wait_until(lambda: False, 0.05, "the moon to rise")


def test_the_mix_is_repeatable():
    assert Mix(7).take(500) == Mix(7).take(500)
    assert Mix(7).take(500) != Mix(8).take(500)


TABLES = """
CREATE EXTENSION hll;
CREATE TABLE events (event_id uuid, site_id text, event_type text, path text,
                     user_id text, "timestamp" timestamptz, hostname text,
                     duration_ms integer, visitor_id bigint, source text, browser text);
CREATE TABLE dead_letters (event_id uuid);
CREATE TABLE rollup_state (hours_days integer);
INSERT INTO rollup_state VALUES (40000);
CREATE TABLE sites (site_id text, site_no integer, time_zone text DEFAULT 'UTC');
CREATE TABLE dimensions (dimension integer, name text, kind text);
INSERT INTO dimensions VALUES (1, 'page', 'event'), (2, 'event_type', 'event'),
                              (4, 'entry_page', 'visit');
CREATE TABLE dictionary (value_id bigint, value text);
CREATE TABLE totals (site_no integer, grain integer, day date, hour timestamptz,
                     events bigint, pageviews bigint, users hll,
                     top_pages bigint[] DEFAULT '{}', visits integer DEFAULT 0,
                     bounces integer DEFAULT 0, visit_views integer DEFAULT 0,
                     duration_ms bigint DEFAULT 0);
CREATE TABLE counts (site_no integer, dimension integer, grain integer, day date,
                     value_id bigint, events bigint, pageviews bigint, users hll,
                     visits integer DEFAULT 0, bounces integer DEFAULT 0,
                     duration_ms bigint DEFAULT 0);
"""


def store(database, *events):
    for one in events:
        database.rows("INSERT INTO events VALUES (%(event_id)s, %(site_id)s, "
                      "%(event_type)s, %(path)s, %(user_id)s, %(timestamp)s)", one)


def test_the_judge_sees_what_is_lost_doubled_unexpected_altered(empty_database):
    empty_database.rows(TABLES)
    judge = Judge()
    good, lost, doubled, refused, altered, recovered, dead = (
        event(event_id=new_id()) for _ in range(7))
    stranger = event(event_id=new_id())
    for one in (good, lost, doubled, refused, altered, recovered, dead):
        judge.attempt(one)
    for one in (good, lost, doubled, altered, dead):
        judge.outcome(one, 200)
    judge.outcome(refused, 400)
    judge.outcome(recovered, None)
    store(empty_database, good, doubled, doubled, refused, {**altered, "path": "/other"},
          recovered, stranger)
    empty_database.rows("INSERT INTO dead_letters VALUES (%s)", [dead["event_id"]])
    verdict = judge.verdict(empty_database)
    assert verdict.lost == [lost["event_id"]]
    assert verdict.doubled == [doubled["event_id"]]
    assert sorted(verdict.unexpected) == sorted([refused["event_id"], stranger["event_id"]])
    assert verdict.altered == [altered["event_id"]]
    assert (verdict.recovered, verdict.dead, verdict.is_clean) == (3, 1, False)
    with pytest.raises(AssertionError, match="lost 1"):
        judge.assert_clean(empty_database)


def test_the_judge_sees_a_batch_that_is_torn(empty_database):
    empty_database.rows(TABLES)
    judge = Judge()
    whole, none, torn, mixed = ([event(event_id=new_id()) for _ in range(2)] for _ in range(4))
    for batch in (whole, none, torn, mixed):
        judge.attempt_batch(batch)
    judge.attempt(mixed[0])  # once more, alone
    store(empty_database, *whole, torn[0], mixed[0])
    verdict = judge.verdict(empty_database)
    assert verdict.torn == [torn[0]["event_id"]] and not verdict.is_clean


def test_the_comparison_of_rollups_finds_every_kind_of_difference(empty_database):
    empty_database.rows(TABLES)
    assert rollups.differences(empty_database) == []
    # 19:30 in Newfoundland is the next day in UTC.
    store(empty_database, event(event_id=new_id(), timestamp="2025-11-14T23:30:00Z"),
          event(event_id=new_id(), timestamp="2025-11-14T01:00:00Z", user_id=None))
    assert [row[0] for row in rollups.differences(empty_database)] == ["unknown"]
    empty_database.rows("INSERT INTO sites VALUES ('demo', 1)")
    assert len(rollups.differences(empty_database)) == 4 + 3 + 2 + 2
    empty_database.rows("""
        INSERT INTO dictionary VALUES (1, '/'), (2, 'page_view');
        CREATE VIEW who AS
            SELECT hll_add_agg(hll_hash_text(user_id), 14, 5, 2048, 1) AS users FROM events;
        INSERT INTO counts SELECT 1, v.dimension, v.grain, v.day::date, v.value_id, 2, 2,
                   CASE WHEN v.grain = 0 THEN hll_empty(14, 5, 2048, 1) ELSE users END
            FROM who, (VALUES (1, 1, '2025-11-14', 1), (1, 0, '-infinity', 1),
                              (2, 1, '2025-11-14', 2)) AS v (dimension, grain, day, value_id);
        INSERT INTO counts VALUES (1, 4, 1, '2025-11-14', 1, 1, 1, NULL, 1, 1, 0);
        INSERT INTO totals SELECT 1, v.grain, v.day::date, '-infinity', 2, 2, users, '{1}'
            FROM who, (VALUES (0, '-infinity'), (1, '2025-11-14')) AS v (grain, day);
        INSERT INTO totals SELECT 1, 2, '2025-11-14', date_trunc('hour', "timestamp", 'UTC'), 1,
            1, CASE WHEN user_id IS NULL THEN hll_empty(14, 5, 2048, 1) ELSE users END
            FROM who, events;
        UPDATE totals SET visits = 1, bounces = 1, visit_views = 1 WHERE grain = 1""")
    assert rollups.differences(empty_database) == []
    rollups.wait_equal(empty_database, 1)
    for damage in ("UPDATE totals SET events = 3 WHERE grain = 1",
                   "UPDATE totals SET pageviews = 1 WHERE grain = 0",
                   "UPDATE totals SET hour = hour + interval '1 minute' WHERE grain = 2",
                   "UPDATE totals SET users = hll_add(users, hll_hash_text('x'))",
                   "UPDATE counts SET users = hll_add(users, hll_hash_text('x'))",
                   "UPDATE counts SET events = 1 WHERE grain = 0",
                   "UPDATE counts SET pageviews = 1 WHERE dimension = 2",
                   "UPDATE totals SET top_pages = '{2}' WHERE grain = 0",
                   "UPDATE totals SET top_pages = '{}' WHERE grain = 1",
                   "UPDATE counts SET day = '2025-11-15' WHERE grain = 1",
                   "UPDATE totals SET visits = 2 WHERE grain = 1",
                   "UPDATE counts SET bounces = 0 WHERE dimension = 4",
                   "DELETE FROM totals WHERE grain = 0",
                   "DELETE FROM sites",
                   "DELETE FROM events WHERE user_id IS NULL"):
        conn = empty_database.connect()
        conn.autocommit = False
        with conn.cursor() as cursor:
            cursor.execute(damage)

            class InTransaction:
                @staticmethod
                def rows(sql):
                    cursor.execute(sql)
                    return cursor.fetchall()
            assert rollups.differences(InTransaction), damage
        conn.rollback()
        conn.close()
