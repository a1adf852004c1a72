"""The schema: migrations, partitions, retention, and that /stats goes by indexes."""
import concurrent.futures
import datetime
import hashlib
import json
import re

import psycopg2
import pytest

from support.event_fields import fields
from support import rollups
from support.daemon import run
from support.events import event, job
from support.months import month, name_of, wait_for_turn
from support.postgres_server import Database
from support.redis_server import QUEUE
from support.settings import SOURCE, scaled
from support.wait import wait_until

MIGRATIONS = sorted((SOURCE / "sql/tables").glob("[0-9]*.sql"))
FUNCTIONS = sorted((SOURCE / "sql/functions").glob("*.sql"))

INSERT = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES (%s, 'v', %s, %s, %s)")


def migrate(database, tmp_path):
    return run("processor", "--migrate", cwd=tmp_path, env={"DATABASE_URL": database.url},
               timeout=60)


def partitions(database):
    return [row[0] for row in database.rows(
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = 'events'::regclass ORDER BY 1")]


@pytest.fixture(autouse=True)
def one_month():
    """No month ends within a test."""
    wait_for_turn()


# --- migrations

def test_migrate_fills_an_empty_database_and_then_does_nothing(empty_database, tmp_path):
    assert migrate(empty_database, tmp_path).returncode == 0
    rows = empty_database.rows("SELECT version, name, checksum FROM schema_version "
                               "ORDER BY version")
    assert rows == [(n, path.name, hashlib.sha256(path.read_bytes()).hexdigest())
                    for n, path in enumerate(MIGRATIONS, 1)]
    before = empty_database.rows("SELECT * FROM schema_version ORDER BY version")
    assert migrate(empty_database, tmp_path).returncode == 0
    assert empty_database.rows("SELECT * FROM schema_version ORDER BY version") == before


def test_a_database_of_other_migrations_is_refused_with_advice(daemons, redis,
                                                               empty_database, tmp_path):
    assert migrate(empty_database, tmp_path).returncode == 0
    empty_database.rows("UPDATE schema_version SET checksum = repeat('0', 64)")
    done = migrate(empty_database, tmp_path)
    assert done.returncode != 0
    for words in ("migration 1 of the database is not the one of this program",
                  "make the database anew", "an empty one in DATABASE_URL", "remove var/"):
        assert words in done.stderr, done.stderr
    empty_database.rows("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert migrate(empty_database, tmp_path).returncode == 0


def test_a_database_that_is_newer_is_refused_with_advice(database, tmp_path):
    database.rows("INSERT INTO schema_version (version, name, checksum, readable_since)"
                  " VALUES (999, '999_future.sql', '', 999)")
    done = migrate(database, tmp_path)
    assert done.returncode != 0 and "Use the newer program" in done.stderr


@pytest.fixture
def owner_of(postgres):
    """A function that gives a database to a role without superuser rights; the role's URL."""
    made = []

    def give(database):
        role = f"plain_{database.name}"
        database.rows(f"CREATE ROLE {role} LOGIN PASSWORD 'plain'")
        made.append((database, role))
        database.rows(f"ALTER DATABASE {database.name} OWNER TO {role}")
        return database.url.replace("analytics:pg-secret@", f"{role}:plain@")
    yield give
    for database, role in made:
        database.drop()
        admin = postgres.connect()
        with admin.cursor() as cursor:
            cursor.execute(f"DROP ROLE {role}")
        admin.close()


@pytest.mark.parametrize("language", ["C", "de_DE.UTF-8"])
def test_an_owner_without_the_extension_is_told_who_makes_it(empty_database, owner_of,
                                                             tmp_path, language):
    url = owner_of(empty_database)
    if language not in {row[0] for row in empty_database.rows(
            "SELECT boot_val FROM pg_settings WHERE name = 'lc_messages' UNION ALL"
            " SELECT replace(collname, 'utf8', 'UTF-8') FROM pg_collation UNION SELECT 'C'")}:
        pytest.skip("the machine has no such locale")
    empty_database.rows(f"ALTER DATABASE {empty_database.name} SET lc_messages = '{language}'")
    done = run("processor", "--migrate", cwd=tmp_path, env={"DATABASE_URL": url}, timeout=60)
    assert done.returncode != 0
    assert "a superuser runs CREATE EXTENSION hll" in done.stderr, done.stderr
    empty_database.rows("CREATE EXTENSION hll")
    done = run("processor", "--migrate", cwd=tmp_path, env={"DATABASE_URL": url}, timeout=60)
    assert done.returncode == 0, done.stderr


def functions_in_force(database):
    """What the functions of the schema consist of, by name; those of hll left out."""
    return dict(database.rows("""
        SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc p
         WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS
               (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')"""))


def test_functions_of_an_older_program_are_replaced(daemons, redis, database, tmp_path):
    """With what is set for them, in a database that has events already."""
    in_force = functions_in_force(database)
    for n in range(100):
        database.rows(INSERT, (f"s{n % 3}", f"/{n % 7}", f"u{n % 11}",
                               f"2025-11-{n % 28 + 1:02}T10:00:00Z"))
    database.rows("CREATE OR REPLACE FUNCTION events_partition_name(p_month date)"
                  "RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'other' $$;"
                  "UPDATE schema_functions SET checksum = 'other', program = '0.9.12'")
    processor = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    assert processor.has_logged("applied=1")
    assert functions_in_force(database) == in_force
    assert database.value("SELECT checksum <> 'other' AND program <> '0.9.12' "
                          "FROM schema_functions")
    rollups.wait_equal(database)
    with redis.client() as client:
        client.lpush(QUEUE, job(event(site_id="s1")))
    wait_until(lambda: database.value("SELECT total_views FROM stats('s1', NULL)") == 34, 10)


def test_functions_of_a_newer_program_stay(database, tmp_path):
    """Or processors of two versions would replace each other's at every start."""
    database.rows("UPDATE schema_functions SET checksum = 'other', program = '999.10.0'")
    assert migrate(database, tmp_path).returncode == 0
    assert database.rows("SELECT checksum, program FROM schema_functions") \
        == [("other", "999.10.0")]


def test_each_file_of_functions_can_be_applied_again(database):
    for path in FUNCTIONS:
        database.rows(path.read_text())
        database.rows(path.read_text())


def test_the_table_of_fields_is_the_columns_of_events(database):
    found = dict(database.rows(
        "SELECT column_name, data_type || ' ' || is_nullable FROM information_schema.columns"
        " WHERE table_name = 'events' AND column_name NOT IN ('id', 'created_at')"))
    types = {"TEXT": "text", "TIME": "timestamp with time zone", "UUID": "uuid", "INT": "integer",
             "PROPS": "jsonb", "ID64": "bigint"}
    wanted = {field.key: types[field.type] for field in fields() if field.is_column}
    assert {key: value.rsplit(" ", 1)[0] for key, value in found.items()} == wanted
    assert {key for key, value in found.items() if value.endswith(" NO")} \
        == {field.key for field in fields() if field.presence == "REQUIRED"} | {"event_id"}


def test_several_processors_start_on_an_empty_database(daemons, redis, empty_database):
    started = [daemons.start("processor", wait=False, REDIS_URL=redis.url,
                             DATABASE_URL=empty_database.url) for _ in range(4)]
    for processor in started:
        processor.wait_ready()
    assert sum(p.has_logged("migrated the database") for p in started) == 1
    assert empty_database.value("SELECT count(*) FROM schema_version") == len(MIGRATIONS)
    wait_until(lambda: len(partitions(empty_database)) == 17, 10)


def test_migrate_beside_migrate(empty_database, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: migrate(empty_database, tmp_path), range(4)))
    assert [d.returncode for d in done] == [0] * 4, [d.stderr for d in done]
    assert empty_database.value("SELECT count(*) FROM schema_version") == len(MIGRATIONS)


def test_a_newer_database_is_refused(daemons, redis, database, tmp_path):
    database.rows("INSERT INTO schema_version (version, name, checksum, readable_since) "
                  "VALUES (999, '999_later.sql', 'x', 999)")
    done = migrate(database, tmp_path)
    assert done.returncode == 1 and "999" in done.stderr and "too old" in done.stderr
    with redis.client() as client:
        client.lpush(QUEUE, job(event()))
    processor = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                              DATABASE_URL=database.url)
    processor.expected_exit = 1
    assert processor.wait_exit(20) == 1
    assert "999" in processor.stderr()
    assert redis.queue_length() == 1 and database.value("SELECT count(*) FROM events") == 0


def test_a_migration_that_was_changed_is_refused(database, tmp_path):
    database.rows("UPDATE schema_version SET checksum = 'other' WHERE version = 1")
    done = migrate(database, tmp_path)
    assert done.returncode == 1 and "migration 1" in done.stderr
    assert "001_schema.sql" in done.stderr


def test_a_migration_that_fails_leaves_nothing_behind(empty_database, tmp_path):
    empty_database.rows("CREATE TABLE totals (in_the_way integer)")
    done = migrate(empty_database, tmp_path)
    assert done.returncode == 1 and "001_schema.sql" in done.stderr
    assert empty_database.value("SELECT to_regclass('events')") is None
    empty_database.rows("DROP TABLE totals")
    assert migrate(empty_database, tmp_path).returncode == 0


def test_migrate_says_when_there_is_no_server(tmp_path):
    done = run("processor", "--migrate", cwd=tmp_path,
               env={"DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"})
    assert done.returncode == 1 and "could not migrate" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("setting,value", [
    ("DATABASE_URL", "postgresql://u:secret@h:port/db"), ("DATABASE_URL", "host=x secret"),
    ("REDIS_URL", "http://u:secret@h"), ("PROCESSOR_WORKERS", "0"), ("BATCH_MAX", "many"),
    ("EVENTS_RETENTION_MONTHS", "-1")])
def test_a_wrong_setting_ends_it(tmp_path, setting, value):
    done = run("processor", cwd=tmp_path, env={setting: value})
    assert done.returncode == 2 and setting in done.stderr and "secret" not in done.stderr


# --- partitions

def test_months_near_the_present_have_partitions(database):
    expected = [name_of(month(n)) for n in range(-12, 4)]
    assert partitions(database) == sorted(expected + ["events_default"])
    for n in range(-12, 4):
        database.rows(INSERT, ("s", "/", None, f"{month(n)}T00:00:00Z"))
        last = month(n + 1) - datetime.timedelta(days=1)
        database.rows(INSERT, ("s", "/", None, f"{last}T23:59:59.999Z"))
    for n in range(-12, 4):
        assert database.value(f"SELECT count(*) FROM {name_of(month(n))}") == 2
    assert database.value("SELECT count(*) FROM events_default") == 0


def test_hostile_timestamps_make_no_partitions(daemons, redis, database):
    before = partitions(database)
    daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    with redis.client() as client:
        client.lpush(QUEUE, *[job(event(timestamp=f"{year:04}-01-01T00:00:00Z"))
                              for year in range(1, 9999, 13)])
    wait_until(redis.is_drained, 30)
    assert partitions(database) == before
    assert database.value("SELECT count(*) FROM events_default") == len(range(1, 9999, 13))


def test_a_month_that_comes_near_takes_its_rows_along(database):
    far = month(7)
    for n in range(20):
        database.rows(INSERT, ("s", f"/{n}", None, f"{far}T0{n % 10}:00:00Z"))
    database.rows(INSERT, ("s", "/", None, f"{month(9)}T00:00:00Z"))
    ids = database.rows("SELECT id FROM events ORDER BY id")
    database.rows("SELECT b.* FROM rollup_settled(1000) s, rollup_chunk(s, 10) b")
    assert database.value("SELECT events_add_partitions(12, 7)") == 4
    assert database.value(f"SELECT count(*) FROM {name_of(far)}") == 20
    assert database.value("SELECT count(*) FROM events_default") == 1
    assert database.rows("SELECT id FROM events ORDER BY id") == ids
    database.rows("SELECT b.* FROM rollup_settled(1000) s, rollup_chunk(s, 100) b")
    assert not rollups.differences(database)
    assert database.value("SELECT events_add_partitions(12, 7)") == 0


def test_writers_go_on_while_a_partition_is_made(daemons, redis, database):
    """A row that was on its way to events_default when its month was cut out of it is
    tried again, never dead."""
    daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url, BATCH_MAX=20,
                  RETRY_MAX_MS=50)
    with redis.client() as client:
        for n in range(4, 16):
            client.lpush(QUEUE, *[job(event(timestamp=f"{month(n)}T00:00:00Z"))
                                  for _ in range(100)])
            wait_until(lambda: not database.value(
                f"SELECT to_regclass('{name_of(month(n))}') IS NULL")
                or add_partitions(database, n), 20)
    wait_until(redis.is_drained, 60, "the queue to drain")
    assert database.value("SELECT count(*) FROM events") == 1200
    assert database.value("SELECT count(*) FROM dead_letters") == 0
    rollups.wait_equal(database)


def add_partitions(database, ahead):
    try:
        return database.value("SELECT events_add_partitions(0, %s)", (ahead,)) > 0
    except psycopg2.Error as error:
        assert error.pgcode in ("55P03", "40P01"), error
        return False


def test_each_partition_has_the_indexes_of_its_parent(database):
    expected = database.value("SELECT count(*) FROM pg_index "
                              "WHERE indrelid = 'events'::regclass")
    assert expected == 4
    for name in partitions(database):
        assert database.value("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass",
                              (name,)) == expected


# --- retention

def fill_months(database, first, last):
    for n in range(first, last + 1):
        for k in range(5):
            database.rows(INSERT, ("s", f"/{k}", f"u{n}", f"{month(n)}T10:00:00Z"))


def test_old_months_go_and_rollups_stay(database):
    fill_months(database, -14, 0)  # the first two in events_default
    database.rows("SELECT b.* FROM rollup_settled(1000) s, rollup_chunk(s, 1000) b")
    before = database.row("SELECT total_views, unique_users FROM stats('s', NULL)")
    assert before == (75, 15)
    assert database.row("SELECT * FROM events_drop_old(3, 1000)") == (9, 10)
    assert database.value("SELECT count(*) FROM events") == 20
    assert database.value("SELECT min(timestamp) FROM events") >= \
        datetime.datetime.combine(month(-3), datetime.time(), datetime.timezone.utc)
    assert database.row("SELECT total_views, unique_users FROM stats('s', NULL)") == before
    assert database.value("SELECT total_views FROM stats('s', %s)", (month(-10),)) == 5
    assert database.row("SELECT * FROM events_drop_old(3, 1000)") == (0, 0)


def test_what_is_not_rolled_up_stays(database):
    fill_months(database, -14, -10)
    assert database.row("SELECT * FROM events_drop_old(3, 1000)") == (6, 0)  # the empty ones
    assert database.value("SELECT count(*) FROM events") == 25
    database.rows("SELECT b.* FROM rollup_settled(1000) s, rollup_chunk(s, 1000) b")
    assert database.row("SELECT * FROM events_drop_old(3, 7)") == (3, 7)
    assert database.row("SELECT * FROM events_drop_old(3, 7)") == (0, 3)
    assert database.value("SELECT count(*) FROM events") == 0


def test_the_processor_keeps_so_many_months(daemons, redis, database):
    fill_months(database, -14, 0)
    daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                  EVENTS_RETENTION_MONTHS=2, UPKEEP_INTERVAL_MS=200)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 15, 20)
    assert database.value("SELECT total_views FROM stats('s', NULL)") == 75
    assert partitions(database) == sorted(
        [name_of(month(n)) for n in range(-2, 4)] + ["events_default"])
    with redis.client() as client:  # an event that comes too late is counted, then goes
        client.lpush(QUEUE, job(event(site_id="s", timestamp=f"{month(-8)}T00:00:00Z")))
    wait_until(lambda: database.value("SELECT total_views FROM stats('s', NULL)") == 76, 20)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 15, 20)


def test_retention_is_off_unless_it_is_set(daemons, redis, database):
    fill_months(database, -14, -12)
    processor = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                              UPKEEP_INTERVAL_MS=100)
    rollups.wait_equal(database)
    wait_until(lambda: database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'analytics-rollup' "
        "AND datname = current_database()") == 1, 10)
    assert database.value("SELECT count(*) FROM events") == 15
    assert not processor.has_logged("removed old events")


# --- /stats goes by indexes

@pytest.fixture(scope="module")
def filled(postgres, template_of_month):
    """100,000 events of 20 sites, rolled up and analyzed.

    They fill twelve whole months, this one to its end: of a month with hardly a row Postgres
    rightly reads all, so the first or the last would depend on today's date."""
    wait_for_turn()
    database = Database(postgres, postgres.create_database(template_of_month(month(0))))
    hours = (month(1) - month(-11)).days * 24
    database.rows(
        "INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
        "SELECT 'site-' || i %% 20, 'v', '/' || i %% 5000, 'u' || i %% 977, "
        "%s::timestamptz + make_interval(hours => i %% %s) FROM generate_series(1, %s) i",
        (f"{month(-11)}T00:00:00Z", hours, scaled(100000, at_least=50000)))
    database.rows("SELECT b.* FROM rollup_settled(5000) s, rollup_chunk(s, 1000000) b")
    database.rows("VACUUM ANALYZE")
    yield database
    database.drop()


def nodes(plan):
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def explain(database, sql):
    plan = database.value(f"EXPLAIN (ANALYZE, FORMAT json) {sql}")
    plan = plan if isinstance(plan, list) else json.loads(plan)
    return list(nodes(plan[0]["Plan"]))


def scanned(found):
    """Tables with rows that were read from end to end, and indexes used."""
    return ({n["Relation Name"] for n in found if n["Node Type"] == "Seq Scan"
             and n["Actual Loops"] * (n["Actual Rows"] + n.get("Rows Removed by Filter", 0))},
            {n["Index Name"] for n in found if "Index Name" in n and n["Actual Loops"] > 0})


@pytest.mark.parametrize("day", ["NULL", "(now() - interval '9 days')::date"])
def test_stats_reads_a_row_by_its_key_and_ten_pages_by_theirs(filled, day):
    found = explain(filled, f"SELECT * FROM stats('site-7', {day})")
    whole, indexes = scanned(found)
    assert whole <= {"sites"}  # there are twenty
    assert indexes - {"sites_pkey"} == {"totals_pkey", "counts_pkey", "dictionary_pkey"}
    assert 3 <= sum(n["Actual Rows"] * n["Actual Loops"]
                    for n in found if "Index Name" in n) <= 22


def test_exact_stats_of_a_day_use_the_index_of_times(filled):
    day = filled.value("SELECT (now() - interval '40 days')::date")
    found = explain(filled, f"SELECT * FROM stats_exact_day('site-7', '{day}')")
    whole, indexes = scanned(found)
    assert not whole
    # One partition, or two where a month ends; the others are not even looked at.
    assert 1 <= len(indexes) <= 2
    assert all(re.search(r"site_id_timestamp", name) for name in indexes)
    assert filled.rows(f"SELECT total_views, unique_users FROM stats_exact_day('site-7', "
                       f"'{day}') LIMIT 1") == \
        filled.rows(f"SELECT total_views, unique_users FROM stats('site-7', '{day}') LIMIT 1")


def test_exact_stats_of_all_time_use_an_index_of_sites(filled):
    found = explain(filled, "SELECT * FROM stats_exact_all('site-7')")
    whole, indexes = scanned(found)
    assert not whole
    assert indexes and all("site_id" in name for name in indexes)
    assert filled.rows("SELECT * FROM stats_exact_all('site-7')") == \
        filled.rows("SELECT * FROM stats('site-7', NULL)")


def test_the_roll_up_finds_new_rows_by_their_ids(filled):
    last = filled.value("SELECT max(id) FROM events")
    found = explain(filled, f"SELECT * FROM events WHERE id > {last - 10} AND id <= {last}")
    whole, indexes = scanned(found)
    assert not whole
    assert indexes and all(name.endswith("_id_idx") for name in indexes)


def test_stats_of_nothing(filled):
    for sql in ("stats('nowhere', NULL)", "stats_exact_all('nowhere')",
                "stats('site-7', '1999-01-01')", "stats_exact_day('site-7', '1999-01-01')"):
        assert filled.rows(f"SELECT * FROM {sql}") == [(0, 0, None, None)]


def test_dead_letters_repeat_harmlessly(database):
    insert = ("INSERT INTO dead_letters (event_id, payload, payload_bytes, reason, batch_id, "
              "batch_place) VALUES ('0190a1b2-c3d4-7e5f-8a6b-000000000001', %s, 1, 'r', 'b', "
              "0) ON CONFLICT DO NOTHING")
    for payload in (b"a", b"a", b"b"):
        database.rows(insert, (payload,))
    assert database.value("SELECT count(*) FROM dead_letters") == 2


# --- sending again

def test_an_event_is_recognised_only_as_long_as_its_row_is_there(database):
    """docs/protocol.md, "Sending again": what retention has dropped is counted again."""
    old = month(-6)
    insert = ("INSERT INTO events (event_id, site_id, event_type, path, timestamp) VALUES"
              f" ('0199a3f0-0000-7000-8000-000000000001', 's', 'v', '/', '{old}')"
              " ON CONFLICT DO NOTHING")
    roll_up = "SELECT b.* FROM rollup_settled(1000) s, rollup_chunk(s, 1000) b"
    views = "SELECT total_views FROM stats('s', NULL)"
    for _ in range(2):
        database.rows(insert)
        database.rows(roll_up)
    assert database.value(views) == 1
    assert database.row("SELECT dropped + deleted FROM events_drop_old(3, 1000)")[0] > 0
    for _ in range(2):
        database.rows(insert)
        database.rows(roll_up)
    assert database.value(views) == 2
    text = (SOURCE / "docs" / "protocol.md").read_text()
    section = text[text.index("### Sending again"):text.index("### From a browser")]
    assert "EVENTS_RETENTION_MONTHS" in section and "import" in section
