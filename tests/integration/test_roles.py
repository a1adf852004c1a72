"""sql/roles.sql: each role can do its work, and nothing else."""
import contextlib
import dataclasses
import json
import subprocess

import psycopg2
import pytest

from support import rollups
from support.daemon import run
from support.event_fields import fields
from support.events import Mix, event, job, new_id
from support.judge import Judge
from support.left_batch import leave_batch
from support.months import month, name_of, wait_for_turn
from support.postgres_server import Database, bin_dir
from support.redis_server import QUEUE
from support.roles import (OWNER, PROCESSOR, REPORTING, ROLES, ROLES_SQL, make_roles, migrate,
                           url_as)
from support.settings import scaled
from support.wait import wait_until


@pytest.fixture(scope="module")
def served(postgres, tmp_path_factory):
    """A database with the roles, migrated by its owner, a few events in it."""
    database = Database(postgres, postgres.create_database())
    make_roles(database)
    migrate(database, OWNER, tmp_path_factory.mktemp("migrate"))
    database.rows("""INSERT INTO events (site_id, event_type, path, user_id, "timestamp")
                     VALUES ('demo', 'page_view', '/', 'u', now())""")
    database.rows("SELECT rollup_chunk(rollup_settled(1000), 10)")
    yield database
    database.drop()


# --- their work ------------------------------------------------------------------

def start_stack(daemons, redis, database, **processor):
    worker = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                           DATABASE_URL=url_as(database, PROCESSOR), **processor)
    door = daemons.start("ingestion", wait=False, REDIS_URL=redis.url)
    desk = daemons.start("reporting", wait=False, DATABASE_URL=url_as(database, REPORTING))
    for daemon in (worker, door, desk):
        daemon.wait_ready()
    return worker, door, desk


def test_the_suite_runs_with_the_roles(daemons, redis, empty_database, tmp_path):
    """Events, events sent again, poison, partitions, the roll-up, /stats of both kinds."""
    database = empty_database
    make_roles(database)
    migrate(database, OWNER, tmp_path)
    worker, door, desk = start_stack(daemons, redis, database, BATCH_MAX=50)
    judge, mix = Judge(), Mix(7)
    with redis.client() as client:
        for made in mix.take(scaled(2000, 500)):
            judge.pushed(made)
            client.lpush(QUEUE, job(made))
        client.lpush(QUEUE, "poison", *map(job, mix.sent[:100]))
    assert door.post_event(event(site_id="posted")).status == 200
    wait_until(redis.is_drained, 60, "the queue to be drained")
    rollups.wait_equal(database)
    database.rows("DELETE FROM events WHERE site_id = 'posted'")
    verdict = judge.assert_clean(database)
    assert verdict.stored == len({made["event_id"] for made in mix.sent})
    assert database.value("SELECT count(*) FROM dead_letters") == 1
    assert database.value("SELECT count(*) FROM pg_inherits"
                          " WHERE inhparent = 'events'::regclass") > 10
    assert desk.stats("posted")["total_views"] == 1
    sent = sum(1 for made in {m["event_id"]: m for m in mix.sent}.values()
               if made["site_id"] == "site-0")
    assert desk.stats("site-0", exact="true")["total_views"] == sent
    assert "denied" not in worker.stderr() + desk.stderr()


def test_the_processor_keeps_partitions_and_drops_old_ones(daemons, redis, empty_database,
                                                           tmp_path):
    database = empty_database
    wait_for_turn()
    make_roles(database)
    migrate(database, OWNER, tmp_path)
    database.rows("SELECT events_add_partition('2001-01-01')")
    database.rows("""INSERT INTO events (site_id, event_type, path, "timestamp")
                     VALUES ('old', 'e', '/', '2001-01-15'), ('old', 'e', '/', '1999-01-15')""")
    this_month = name_of(month(0))
    database.rows(f"DROP TABLE {this_month}")
    worker, *_ = start_stack(daemons, redis, database, EVENTS_RETENTION_MONTHS=12,
                             UPKEEP_INTERVAL_MS=200)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 0, 20,
               lambda: "the old events to go\n" + worker.story())
    names = {row[0] for row in database.rows(
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'events'::regclass")}
    assert "events_y2001m01" not in names and this_month in names
    assert database.rows("SELECT DISTINCT tableowner FROM pg_tables"
                         " WHERE schemaname = 'public'") == [(OWNER,)]


def test_a_paused_processors_backend_is_ended(daemons, redis, empty_database, tmp_path):
    """pg_terminate_backend() reaches the backends of one's own role."""
    database = empty_database
    make_roles(database)
    migrate(database, OWNER, tmp_path)
    held = psycopg2.connect(url_as(database, PROCESSOR))
    leave_batch(redis, held)
    worker, *_ = start_stack(daemons, redis, database, LOCK_TIMEOUT_MS=60000,
                             STATEMENT_TIMEOUT_MS=60000)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 1, 20, worker.story)
    with pytest.raises(psycopg2.Error):
        held.cursor().execute("SELECT 1")


def test_dead_letters_by_the_processors_role(daemons, redis, served, tmp_path):
    served.rows("INSERT INTO dead_letters (event_id, payload, payload_bytes, reason,"
                " batch_id, batch_place) SELECT gen_random_uuid(), convert_to(%s, 'UTF8'),"
                " octet_length(%s), 'made up', 'b', n FROM generate_series(1, 3) n",
                (job(event()), job(event())))

    def dead(*words):
        done = run("processor", "--dead", *words, cwd=tmp_path,
                   env={"REDIS_URL": redis.url, "DATABASE_URL": url_as(served, PROCESSOR)})
        assert done.returncode == 0, done.stderr
        return done.stdout
    assert len(dead("list", "--json").splitlines()) == 3
    assert dead("replay", "--limit=2") == "replayed 2, skipped 0\n"
    assert dead("purge", "--yes") == "purged 1\n"


# --- and nothing else ------------------------------------------------------------

@dataclasses.dataclass
class Attempt:
    sql: str
    may: tuple  # the roles that may do it

    def __str__(self):
        return self.sql[:60]


NOBODY = ()
INSERT = ("INSERT INTO events (event_id, site_id, event_type, path, user_id, timestamp)"
          " VALUES (gen_random_uuid(), 's', 'e', '/', NULL, now())")
LETTER = ("INSERT INTO dead_letters (event_id, payload, payload_bytes, reason, batch_id,"
          " batch_place) VALUES (gen_random_uuid(), '', 0, 'r', 'b', 0)")
ATTEMPTS = [Attempt(*row) for row in [
    # What is read.
    ("SELECT max(version) FROM schema_version", ROLES),
    ("SELECT * FROM stats('demo', NULL)", (OWNER, REPORTING)),
    ("SELECT * FROM stats_exact_day('demo', '2025-11-14')", (OWNER, REPORTING)),
    ("SELECT * FROM stats_exact_all('demo')", (OWNER, REPORTING)),
    ("SELECT * FROM events", (OWNER, REPORTING)),
    ("SELECT * FROM events_default", (OWNER,)),
    ("SELECT * FROM totals", (OWNER, REPORTING)),
    ("SELECT * FROM counts", (OWNER, REPORTING)),
    *[(f"SELECT * FROM site_{view}", (OWNER, REPORTING)) for view in ("days", "values",
                                                                      "visits")],
    ("SELECT * FROM dead_letters", (OWNER, PROCESSOR)),
    ("SELECT * FROM rollup_state", ROLES),
    ("SELECT * FROM rollup_aside", (OWNER, PROCESSOR)),
    ("SELECT * FROM rollup_pending()", (OWNER, PROCESSOR)),
    ("SELECT * FROM rollup_settled(1000)", (OWNER, PROCESSOR)),
    ("SELECT rolpassword FROM pg_authid", NOBODY),
    ("SELECT pg_read_file('/etc/passwd')", NOBODY),
    ("COPY (SELECT 1) TO '/tmp/analytics-role-test'", NOBODY),
    ("COPY (SELECT 1) TO PROGRAM 'true'", NOBODY),
    # What is written.
    (INSERT, (OWNER, PROCESSOR)),
    (INSERT + " ON CONFLICT DO NOTHING", (OWNER, PROCESSOR)),
    (INSERT.replace("(event_id", "(id, event_id").replace("VALUES (", "VALUES (1, "),
     (OWNER,)),
    (INSERT.replace("(event_id", "(created_at, event_id").replace(
        "VALUES (", "VALUES (now(), "), (OWNER,)),
    (INSERT.replace("events", "events_default").replace("now()", "'1990-01-01'"), (OWNER,)),
    ("UPDATE events SET path = '/x'", (OWNER,)),
    ("DELETE FROM events", (OWNER,)),
    ("TRUNCATE events", (OWNER,)),
    ("LOCK TABLE events IN ACCESS EXCLUSIVE MODE", (OWNER,)),
    (LETTER, (OWNER, PROCESSOR)),
    ("UPDATE dead_letters SET reason = 'r'", (OWNER, PROCESSOR)),
    ("DELETE FROM dead_letters", (OWNER, PROCESSOR)),
    ("UPDATE totals SET events = 1", (OWNER,)),
    ("DELETE FROM counts", (OWNER,)),
    ("INSERT INTO sites (site_id) VALUES ('s')", (OWNER,)),
    ("UPDATE rollup_state SET position = 0", (OWNER,)),
    ("DELETE FROM rollup_aside", (OWNER,)),
    ("DELETE FROM schema_version", (OWNER,)),
    ("SELECT setval('events_id_seq', 1)", (OWNER,)),
    ("SELECT nextval('events_id_seq')", (OWNER, PROCESSOR)),
    ("SELECT * FROM rollup_chunk(0, 1)", (OWNER, PROCESSOR)),
    ("SELECT * FROM rollup_chunk_alone(0, 1)", (OWNER, PROCESSOR)),
    ("SELECT rollup_set_aside(1, 'r')", (OWNER, PROCESSOR)),
    *[(f"SELECT {call}", (OWNER, PROCESSOR)) for call in (
        "rollup_configure(1, 1, 7)", "rollup_keep_sites(0, 1)", "visits_open(1)", "sites_list()",
        "site_sweep(1)", "site_is_known('s')",
        "site_make('s', 'UTC')", "site_rebuild_begin('demo', '')",
        "site_rebuild_step(1, 1)", "site_forget_step('s', 'u', '-infinity', 1)",
        "site_delete_begin('demo')", "site_delete_step('s', 0, 1)")],
    ("SELECT * FROM rollup_retry_aside()", (OWNER,)),
    ("SELECT rollup_range(0, 1)", (OWNER,)),
    ("SELECT events_add_partitions(1, 1)", (OWNER, PROCESSOR)),
    ("SELECT events_add_partition('1999-01-01')", (OWNER,)),
    ("SELECT * FROM events_drop_old(1200, 1)", (OWNER, PROCESSOR)),
    ("SELECT events_keep_paths_index(1)", (OWNER, PROCESSOR)),
    ("SELECT events_prepare_incoming()", (PROCESSOR,)),
    # What is made.
    ("CREATE TEMPORARY TABLE mine (x integer)", (PROCESSOR,)),
    ("CREATE TABLE mine (x integer)", (OWNER,)),
    ("CREATE VIEW mine AS SELECT 1", (OWNER,)),
    ("CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'", (OWNER,)),
    ("CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int4, RIGHTARG = int4)", (OWNER,)),
    ("CREATE SCHEMA mine", NOBODY),
    ("CREATE EXTENSION pg_trgm", NOBODY),
    ("CREATE ROLE mine", NOBODY),
    ("SELECT lo_from_bytea(0, 'x')", NOBODY),
    ("SELECT lo_creat(-1)", NOBODY),
    # What is changed.
    ("ALTER TABLE events ADD COLUMN x integer", (OWNER,)),
    ("DROP TABLE events CASCADE", (OWNER,)),
    ("DROP FUNCTION stats(text, date)", (OWNER,)),
    ("CREATE TRIGGER mine BEFORE INSERT ON dead_letters FOR EACH ROW"
     " EXECUTE FUNCTION suppress_redundant_updates_trigger()", (OWNER,)),
    ("CREATE INDEX ON events (path)", (OWNER,)),
    ("GRANT ALL ON events TO PUBLIC", (OWNER,)),
    ("ALTER FUNCTION rollup_chunk(bigint, bigint, bigint) SECURITY INVOKER", (OWNER,)),
    ("ALTER ROLE analytics_processor SUPERUSER", NOBODY),
    ("ALTER ROLE analytics_owner PASSWORD 'x'", (OWNER,)),  # its own, as all may
    ("SET ROLE analytics_owner", (OWNER,)),
    ("SET ROLE analytics", NOBODY),
    ("SET SESSION AUTHORIZATION analytics", NOBODY),
    ("SET session_replication_role = replica", NOBODY),
    ("SELECT pg_reload_conf()", NOBODY),
]]


def try_as(database, role, sql):
    """Whether the role may; nothing of it stays.  A session that insists on writing."""
    conn = psycopg2.connect(url_as(database, role))
    try:
        with conn.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ WRITE")
            try:
                cursor.execute(sql)
            except psycopg2.errors.InsufficientPrivilege:
                return False
            # Who may grant nothing is only warned.
            cursor.execute("SELECT count(*) FROM pg_class CROSS JOIN aclexplode(relacl) a"
                           " WHERE relname = 'events' AND a.grantee = 0")
            return not sql.startswith("GRANT") or cursor.fetchone()[0] > 0
    finally:
        conn.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_attempt(served, role, attempt):
    assert try_as(served, role, attempt.sql) == (role in attempt.may)


@pytest.mark.parametrize("role", ROLES)
def test_attempts_that_cannot_be_rolled_back(served, role):
    conn = psycopg2.connect(url_as(served, role))
    conn.autocommit = True
    victim = served.connect()
    with conn.cursor() as cursor, victim.cursor() as other:
        cursor.execute("SET default_transaction_read_only = off")
        for sql in ("CREATE DATABASE mine", "ALTER SYSTEM SET fsync = off"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(sql)
        other.execute("SELECT pg_backend_pid()")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT pg_terminate_backend(%s)", other.fetchone())
        other.execute("SELECT 1")
    victim.close()
    conn.close()


def test_reporting_reads_only_unless_it_insists(served):
    conn = psycopg2.connect(url_as(served, REPORTING))
    with conn.cursor() as cursor, pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        cursor.execute("DELETE FROM events")
    conn.close()


def test_nobody_else_gets_in(postgres, served):
    served.rows("CREATE ROLE stranger LOGIN PASSWORD 'stranger-secret'")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        psycopg2.connect(served.url.replace("analytics:pg-secret", "stranger:stranger-secret"))
    served.rows("DROP ROLE stranger")


def test_functions_with_the_owners_rights_cannot_be_deceived(served):
    """A temporary table or function of the caller's is not what they meet."""
    functions = served.rows(
        "SELECT proname, proconfig FROM pg_proc WHERE prosecdef"
        " AND pronamespace = 'public'::regnamespace ORDER BY 1")
    assert [name for name, _ in functions] == sorted(ARGUMENTS)
    for name, config in functions:
        path = [word for word in config if word.startswith("search_path=")]
        assert path == ["search_path=public, pg_temp"], name
    conn = psycopg2.connect(url_as(served, PROCESSOR))
    with conn.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE rollup_state AS"
                       " SELECT -1::bigint AS position, now() AS finished_at, 0 AS took_ms")
        cursor.execute("SELECT taken FROM rollup_chunk(0, 100)")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT position FROM pg_temp.rollup_state")
        assert cursor.fetchone()[0] == -1
    conn.rollback()
    conn.close()


# What each function with the owner's rights takes, and what each argument must not be.
NO_SITE = ["NULL", "''", "repeat('x', 256)"]
ROWS = ("1", ["NULL", "0", "-1", "1000001"])
ARGUMENTS = {
    "events_add_partition": [("'2030-01-01'", ["NULL", "'2030-01-02'", "'infinity'"])],
    "events_add_partitions": [("0", ["NULL", "-1", "121", "2147483647"]),
                              ("0", ["NULL", "-1", "25", "2147483647"])],
    "events_drop_old": [("1200", ["NULL", "0", "-1200", "1201", "2147483647"]),
                        ("1", ["NULL", "0", "-1", "1000001"])],
    "events_keep_paths_index": [("1", ["NULL", "-1", "2"])],
    "rollup_chunk": [("0", ["NULL", "-1", "1000000", "9223372036854775807"]),
                    ("1", ["NULL", "0", "-1", "10000001", "9223372036854775807"]),
                    ("1", ["NULL", "0", "-1", "268435457", "9223372036854775807"])],
    "rollup_chunk_alone": [("0", ["NULL", "-1", "1000000", "9223372036854775807"]),
                          ("0", ["NULL", "-1"])],
    "rollup_configure": [("1", ["NULL", "0", "-1", "10000001"]),
                         ("1", ["NULL", "0", "-1", "1000001"]),
                         ("7", ["NULL", "6", "-1", "36501"])],
    "rollup_retry_aside": [("1", ["NULL", "0", "-1", "1000001"])],
    **{name: [("'s'", NO_SITE), *more] for name, more in {
        "site_delete_begin": [], "site_is_known": [],
        "site_delete_step": [("0", ["NULL", "-1", "1000000"]), ROWS],
        "site_forget_step": [("'u'", ["NULL", "repeat('x', 256)"]), ("'-infinity'", ["NULL"]),
                             ROWS],
        "site_make": [("'UTC'", ["NULL", "''", "repeat('x', 101)"])],
        "site_rebuild_begin": [("'UTC'", ["NULL", "repeat('x', 101)"])],
    }.items()},
    "rollup_keep_sites": [("0", ["NULL", "-1"]), ("1", ["NULL", "0", "1001"])],
    "site_rebuild_step": [("1", ["NULL", "0", "-1"]), ROWS],
    "site_sweep": [ROWS], "sites_list": [], "visits_open": [ROWS],
    "rollup_set_aside": [("1", ["NULL", "0", "-1", "1000000"]),
                         ("'r'", ["NULL", "''", "repeat('x', 100001)"])],
}


def refuses(database, role, sql):
    """Whether the server says that an argument is out of its range."""
    with contextlib.closing(psycopg2.connect(url_as(database, role))) as conn:
        try:
            conn.cursor().execute(sql)
        except psycopg2.errors.InvalidParameterValue:
            return True
    return False


def test_functions_with_the_owners_rights_check_every_argument(served):
    takes = dict(served.rows("SELECT proname, pronargs FROM pg_proc WHERE prosecdef"
                             " AND pronamespace = 'public'::regnamespace"))
    assert takes == {name: len(arguments) for name, arguments in ARGUMENTS.items()}
    for name, arguments in ARGUMENTS.items():
        right = [good for good, _ in arguments]
        assert try_as(served, OWNER, f"SELECT {name}({', '.join(right)})")
        for place, (_, wrong) in enumerate(arguments):
            for value in wrong:
                words = ", ".join([*right[:place], value, *right[place + 1:]])
                assert refuses(served, OWNER, f"SELECT {name}({words})"), words


def test_the_processors_role_cannot_drop_all_months(served):
    for sql in ("SELECT events_drop_old(-1200, 1)", "SELECT events_drop_old(0, 1)",
                "SELECT events_add_partitions(0, 400)"):
        assert refuses(served, PROCESSOR, sql), sql


def test_another_roles_backend_keeps_no_batch_from_being_stored(daemons, redis,
                                                                empty_database, tmp_path):
    """Anybody may name himself like a backend that was left in the batch."""
    database = empty_database
    make_roles(database)
    migrate(database, OWNER, tmp_path)
    batch = new_id()
    named = [psycopg2.connect(url_as(database, role), application_name="analytics-batch "
                              + batch) for role in (REPORTING, OWNER)]
    named.append(database.connect())
    with named[-1].cursor() as cursor:
        cursor.execute(f"SET application_name = 'analytics-batch {batch}'")
    with redis.client() as client:
        client.lpush("{events}:batch:" + batch, job(event(event_id=batch, site_id="s")))
        client.zadd("{events}:leases", {batch: 1})
        client.hset("{events}:attempts", batch, 1)
    worker, *_ = start_stack(daemons, redis, database)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 1, 20, worker.story)
    assert "could not store" not in worker.stderr(), worker.story()
    for conn in named:
        with conn.cursor() as cursor:
            cursor.execute("SELECT 1")
        conn.close()


def test_every_table_and_function_was_thought_of(served):
    """What PUBLIC or a role may do beyond the table of attempts."""
    tables = served.rows("""
        SELECT c.relname, a.grantee::regrole::text, a.privilege_type
          FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
         WHERE c.relnamespace = 'public'::regnamespace
           AND a.grantee NOT IN (c.relowner, 'analytics'::regrole)""")
    wanted = {(t, PROCESSOR, "SELECT") for t in
              ("schema_version", "schema_functions", "rollup_state", "rollup_aside",
               "events_id_seq", "dead_letters")}
    wanted |= {("dead_letters", PROCESSOR, p) for p in ("INSERT", "UPDATE", "DELETE")}
    wanted |= {("events_id_seq", PROCESSOR, "USAGE")}
    wanted |= {(t, REPORTING, "SELECT") for t in
               ("schema_version", "events", "sites", "dimensions", "dictionary", "totals",
                "counts", "visits", "rollup_state", "site_days", "site_values", "site_visits")}
    assert set(tables) == wanted
    columns = served.rows("""
        SELECT attrelid::regclass::text, attname, a.grantee::regrole::text, a.privilege_type
          FROM pg_attribute CROSS JOIN LATERAL aclexplode(attacl) a
         WHERE attrelid IN (SELECT oid FROM pg_class
                             WHERE relnamespace = 'public'::regnamespace)""")
    assert set(columns) == {("events", field.key, PROCESSOR, "INSERT") for field in fields()
                            if field.presence != "INPUT"}


# --- making them -----------------------------------------------------------------

def test_a_schema_that_an_administrator_made_changes_hands(daemons, redis, database,
                                                          tmp_path):
    """And roles.sql may be run again, by psql as well."""
    for _ in range(2):
        make_roles(database)
    done = subprocess.run(
        [bin_dir() / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database.url, "-f",
         ROLES_SQL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    owners = database.rows("""
        SELECT DISTINCT relowner::regrole::text FROM pg_class
         WHERE relnamespace = 'public'::regnamespace
         UNION SELECT proowner::regrole::text FROM pg_proc p
         WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS
               (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')""")
    assert owners == [(OWNER,)]
    assert database.value("SELECT extowner::regrole::text FROM pg_extension"
                          " WHERE extname = 'hll'") == "analytics"
    _, door, desk = start_stack(daemons, redis, database)
    assert door.post_event(event(site_id="moved")).status == 200
    wait_until(lambda: desk.stats("moved")["total_views"] == 1, 10, "the event in /stats")
    # The next migration is the owner's: as if the functions were those of an older program.
    database.rows("DROP FUNCTION grant_privileges; UPDATE schema_functions SET checksum = ''")
    migrate(database, OWNER, tmp_path)
    assert database.value("SELECT checksum <> '' FROM schema_functions")


def test_a_processor_that_may_not_migrate_waits_for_the_owner(daemons, redis,
                                                              empty_database, tmp_path):
    database = empty_database
    make_roles(database)
    done = migrate(database, PROCESSOR, tmp_path, code=1)
    assert "may not change it" in done.stderr
    worker = daemons.start("processor", wait=False, REDIS_URL=redis.url, HALT_RETRY_MS=100,
                           DATABASE_URL=url_as(database, PROCESSOR)).wait_alive()
    with redis.client() as client:
        client.lpush(QUEUE, job(event()))
    worker.wait_log("level=error|error processor .*version 0 of the schema")
    assert worker.ready_status() == 503
    assert redis.queue_length() == 1
    migrate(database, OWNER, tmp_path)
    worker.wait_ready()
    wait_until(redis.is_drained, 10, "the job to be stored")
    assert database.value("SELECT count(*) FROM dead_letters") == 0
    assert json.loads(worker.get("/readyz").body) == {"status": "ready"}


@pytest.mark.parametrize("daemon", ["processor", "reporting"])
def test_kerberos_is_left_alone_unless_it_is_asked_for(database, redis, daemons, tmp_path,
                                                       daemon):
    """libpq would look for its credentials at each connection; MIT's library writes the trace
    when it is entered, and crashes when there is no memory."""
    trace = tmp_path / "trace"
    more = {"REDIS_URL": redis.url} if daemon == "processor" else {}
    daemons.start(daemon, DATABASE_URL=database.url, KRB5_TRACE=trace, **more)
    assert not trace.exists()
    daemons.start(daemon, DATABASE_URL=f"{database.url}?gssencmode=prefer", KRB5_TRACE=trace,
                  **more)
    assert trace.exists()
    trace.unlink()
    daemons.start(daemon, DATABASE_URL=database.url, KRB5_TRACE=trace, PGGSSENCMODE="prefer",
                  **more)
    assert trace.exists()
