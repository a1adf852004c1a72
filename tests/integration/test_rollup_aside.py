"""What the roll-up cannot count: an event that makes it fail is found, set aside and alarmed,
whatever the failure is, and all others are counted meanwhile; and a chunk is bounded in bytes
and memory, so that long texts are no such failure."""
import contextlib
import re
import threading

import pytest

from support import rollups
from support.daemon import run
from support.locks import locked
from support.postgres_server import Database
from support.settings import scaled
from support.wait import wait_until

SETTINGS = {"RETRY_BASE_MS": 5, "RETRY_MAX_MS": 20, "HALT_RETRY_MS": 50, "ROLLUP_POLL_MS": 50}

FILL = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
        "SELECT 's' || i %% 3, 'v', '/' || i %% 50, 'u' || i %% 20, '2025-11-14T10:00:00Z' "
        "FROM generate_series(1, %s) i")
POISON = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES ('s0', 'v', '/poison', %s, '2025-11-14T10:00:00Z') RETURNING id")


def start(daemons, redis, database, **env):
    return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                         **{**SETTINGS, **env})


def fail_with(database, body):
    """The path /poison cannot be counted: its number is refused as body says."""
    database.rows(f"""
        CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF new.value = '/poison' THEN {body}; END IF;
            RETURN new;
        END $$;
        CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON dictionary FOR EACH ROW
        EXECUTE FUNCTION refuse()""")


def aside(database):
    return [row[0] for row in database.rows("SELECT id FROM rollup_aside ORDER BY id")]


def differences_without(database, ids):
    """The rollups are exactly the others: looked at in a transaction that forgets these."""
    conn = database.connect()
    conn.autocommit = False
    try:
        with conn.cursor() as cursor:
            cursor.execute("DELETE FROM events WHERE id = ANY (%s)", (ids,))

            class Seen:
                @staticmethod
                def rows(sql):
                    cursor.execute(sql)
                    return cursor.fetchall()
            return rollups.differences(Seen)
    finally:
        conn.close()


def wait_position(database, timeout=60):
    wait_until(lambda: database.value("SELECT waiting FROM rollup_pending()") == 0, timeout,
               lambda: f"the roll-up, which is at {database.row('TABLE rollup_state')}")


def check_set_aside(database, poison, processor):
    """Exactly these, and all others are counted."""
    assert aside(database) == poison
    assert not differences_without(database, poison)
    metrics = processor.get("/metrics").body.decode()
    assert f"analytics_processor_rollup_aside_rows {len(poison)}\n" in metrics
    assert f"analytics_processor_rollup_set_aside_total {len(poison)}\n" in metrics
    assert processor.has_logged("set an event aside")


def check_brought_back(database, poison):
    """As the documentation says, once the reason is gone."""
    database.rows("DROP TRIGGER IF EXISTS refuse ON dictionary")
    assert database.row("SELECT * FROM rollup_retry_aside()") == (len(poison), 0)
    assert aside(database) == [] and not rollups.differences(database)
    assert database.row("SELECT * FROM rollup_retry_aside()") == (0, 0)


# --- one event that fails

FAILURES = {
    "a trigger": "RAISE EXCEPTION 'not this one'",
    "a value": "new.hash := NULL",
    "a limit": "RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded'",
    "an internal error": "RAISE EXCEPTION USING ERRCODE = 'internal_error'",
    "damaged bytes": "RAISE EXCEPTION USING ERRCODE = 'data_corrupted'",
    "division": "PERFORM 1 / (length(new.value) - length(new.value))",
    "memory": "RAISE EXCEPTION USING ERRCODE = 'out_of_memory'",
    "temporary files": "RAISE EXCEPTION USING ERRCODE = 'configuration_limit_exceeded'",
}


@pytest.mark.parametrize("how", FAILURES)
def test_one_event_that_fails_is_set_aside_and_all_others_counted(daemons, redis, database,
                                                                  how):
    fail_with(database, FAILURES[how])
    database.rows(FILL, (700,))
    poison = [database.value(POISON, ("u1",))]
    database.rows(FILL, (scaled(900),))
    poison.append(database.value(POISON, (None,)))
    poison.append(database.value(POISON, ("u2",)))
    processor = start(daemons, redis, database)
    wait_position(database)
    wait_until(lambda: "rollup_aside_rows 3\n" in processor.get("/metrics").body.decode(), 10)
    check_set_aside(database, poison, processor)
    database.rows(FILL, (100,))  # goes on
    wait_position(database)
    assert not differences_without(database, poison)
    assert database.row("SELECT * FROM rollup_retry_aside()") == (0, 3)  # not mended yet
    assert aside(database) == poison
    check_brought_back(database, poison)


def test_an_event_that_takes_too_long_is_set_aside(daemons, redis, database):
    fail_with(database, "PERFORM pg_sleep(60)")
    database.rows(FILL, (30,))
    poison = [database.value(POISON, ("u1",))]
    database.rows(FILL, (30,))
    processor = start(daemons, redis, database, ROLLUP_TIMEOUT_MS=400)
    wait_position(database, 90)
    wait_until(lambda: "rollup_aside_rows 1\n" in processor.get("/metrics").body.decode(), 10)
    check_set_aside(database, poison, processor)
    assert "too long" in database.value("SELECT reason FROM rollup_aside")
    check_brought_back(database, poison)


def test_an_event_over_which_the_server_dies_is_set_aside(daemons, redis, database):
    """As by a fault of a library, or when the kernel ends the one with the most memory."""
    fail_with(database, "PERFORM pg_terminate_backend(pg_backend_pid())")
    database.rows(FILL, (30,))
    poison = [database.value(POISON, ("u1",))]
    database.rows(FILL, (30,))
    processor = start(daemons, redis, database)
    wait_position(database, 90)
    wait_until(lambda: "rollup_aside_rows 1\n" in processor.get("/metrics").body.decode(), 10)
    check_set_aside(database, poison, processor)
    assert "connection" in database.value("SELECT reason FROM rollup_aside")
    check_brought_back(database, poison)


def test_a_processor_that_is_killed_again_and_again_sets_the_same_aside(daemons, redis,
                                                                        database):
    """Wherever it was: each step is a transaction.  The server is slowed down a little, so
    that the deaths fall into all of them."""
    fail_with(database, "RAISE EXCEPTION 'not this one'")
    poison = []
    for _ in range(4):
        database.rows(FILL, (60,))
        poison.append(database.value(POISON, ("u1",)))
    database.rows(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$;"
        "CREATE TRIGGER slow AFTER UPDATE ON rollup_state FOR EACH STATEMENT "
        "EXECUTE FUNCTION slow();"
        "CREATE TRIGGER slow AFTER INSERT ON rollup_aside FOR EACH STATEMENT "
        "EXECUTE FUNCTION slow()")
    position = 0
    deaths = 0
    while database.value("SELECT waiting FROM rollup_pending()") > 0 and deaths < 40:
        processor = start(daemons, redis, database)
        wait_until(lambda: database.value("SELECT position FROM rollup_state") > position
                   or database.value("SELECT waiting FROM rollup_pending()") == 0, 30,
                   "a step forward")
        processor.kill9()
        deaths += 1
        # One snapshot, for its last statement may still be at work.
        position, found = database.row(
            "SELECT position, ARRAY(SELECT id FROM rollup_aside ORDER BY id) "
            "FROM rollup_state")
        assert found == [one for one in poison if one <= position]
    assert deaths > 3
    start(daemons, redis, database)
    wait_position(database)
    assert aside(database) == poison and not differences_without(database, poison)
    check_brought_back(database, poison)


# --- what is no event's fault sets none aside

def failures(processor):
    return sum(int(n) for n in re.findall(r"analytics_processor_maintainer_retries_total\S* (\d+)",
                                          processor.get("/metrics").body.decode()))


@pytest.mark.parametrize("how", ["locked", "privilege", "schema", "disk", "busy"])
def test_what_a_person_or_the_machine_did_sets_nothing_aside(daemons, redis, database, how):
    """Even when nothing is smaller than the chunk: one row waits."""
    database.rows(POISON, ("u1",))
    with contextlib.ExitStack() as undo:
        if how == "locked":
            undo.enter_context(locked(database, "counts"))
        elif how == "privilege":
            fail_with(database, "RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege'")
        elif how == "schema":
            database.rows("ALTER TABLE counts RENAME TO gone")
            undo.callback(database.rows, "ALTER TABLE gone RENAME TO counts")
        elif how == "disk":
            fail_with(database, "RAISE EXCEPTION USING ERRCODE = 'disk_full'")
        else:
            fail_with(database, "RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'")
        # Ready it is only until the first failure, which a busy machine may sleep through.
        processor = start(daemons, redis, database, ROLLUP_TIMEOUT_MS=1000, wait=False)
        processor.wait_alive()
        wait_until(lambda: failures(processor) >= 14, 60, "some failures")
        assert aside(database) == []
    database.rows("DROP TRIGGER IF EXISTS refuse ON dictionary")
    rollups.wait_equal(database)


def test_an_outage_that_only_writers_meet_sets_nothing_aside(daemons, redis, database):
    """Reading goes well, and each write loses its connection, as while the disk of the log is
    full: the first write that succeeds counts the event."""
    database.rows(
        "CREATE SEQUENCE deaths; CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF nextval('deaths') <= 14 THEN "
        "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); END IF; "
        "RETURN NULL; END $$;"
        "CREATE TRIGGER die BEFORE UPDATE OF position ON rollup_state FOR EACH STATEMENT "
        "EXECUTE FUNCTION die()")
    database.rows(POISON, ("u1",))
    start(daemons, redis, database, wait=False).wait_alive()
    wait_position(database)
    assert database.value("SELECT last_value FROM deaths") == 15
    assert aside(database) == []
    assert not rollups.differences(database)


def test_outages_with_a_backlog_set_nothing_aside(private_postgres, daemons, redis,
                                                  tmp_path):
    """Postgres is restarted, killed and paused while there is much to do: chunks become
    smaller, and larger again."""
    server = private_postgres()
    name = server.create_database()
    database = Database(server, name)
    migrate(database, tmp_path)
    database.rows(FILL, (scaled(150000),))
    processor = start(daemons, redis, database, ROLLUP_MAX_ROWS=20000)
    for how in ("immediate", "kill", "fast", "immediate"):
        wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE "
                                          "query LIKE '%%rollup_chunk%%' AND state = 'active' "
                                          "AND pid <> pg_backend_pid()") == 1
                   or database.value("SELECT waiting FROM rollup_pending()") == 0, 30,
                   "a chunk", interval=0.001)
        database.close()
        server.kill() if how == "kill" else server.stop(how)
        server.start()
    rollups.wait_equal(database, 120)
    assert aside(database) == []
    assert "set_aside_total 0\n" in processor.get("/metrics").body.decode()


def migrate(database, folder):
    done = run("processor", "--migrate", cwd=folder,
               env={"DATABASE_URL": database.url}, timeout=60)
    assert done.returncode == 0, done.stderr


# --- what is set aside stays

def test_retention_leaves_what_is_set_aside(database):
    month = "date_trunc('month', now() AT TIME ZONE 'UTC') - interval '%s months'"
    for months in (6, 14):  # a partition, and events_default
        for path in ("/", "/poison"):
            database.rows("INSERT INTO events (site_id, event_type, path, timestamp) VALUES "
                          f"('s', 'v', %s, {month % months})", (path,))
    database.rows("SELECT b.* FROM rollup_settled(1000) s, rollup_chunk(s, 100) b")
    database.rows("INSERT INTO rollup_aside SELECT id, 'r' FROM events "
                  "WHERE path = '/poison'")
    for _ in range(2):
        database.rows("SELECT * FROM events_drop_old(3, 1000)")
    # The one in events_default alone, the other with its partition.
    assert database.rows("SELECT path FROM events ORDER BY timestamp, path") == [
        ("/poison",), ("/",), ("/poison",)]
    database.rows("DELETE FROM rollup_aside")
    database.rows("SELECT * FROM events_drop_old(3, 1000)")
    assert database.value("SELECT count(*) FROM events") == 0


# --- long texts

LONG = "repeat(U&'\\+01F600', %s)"  # of four bytes, as most as there may be


def insert_longest(database, count):
    """Distinct sites and users of 255 characters and paths of 2,048."""
    database.rows(
        f"INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
        f"SELECT {LONG % 245} || lpad((i % 1000)::text, 10, '0'), {LONG % 255}, "
        f"{LONG % 2038} || lpad(i::text, 10, '0'), "
        f"{LONG % 245} || lpad(i::text, 10, '0'), '2025-11-14T10:00:00Z' "
        f"FROM generate_series(1, {count}) i")


class Memory:
    """The most that the roll-up's backend has had of its own, shared memory apart."""

    def __init__(self, database):
        self.database = database
        self.most = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        conn = self.database.connect()
        while not self.stop.wait(0.01):
            with conn.cursor() as cursor:
                cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = "
                               "'analytics-rollup' AND datname = current_database()")
                for (pid,) in cursor.fetchall():
                    with contextlib.suppress(OSError, AttributeError):
                        with open(f"/proc/{pid}/status") as status:
                            kb = re.search(r"RssAnon:\s+(\d+)", status.read()).group(1)
                            self.most = max(self.most, int(kb) * 1024)
        conn.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.thread.join()


def test_the_longest_values_everywhere_are_counted_within_bounds(daemons, redis, database):
    """More of them than a chunk may take.  With an array of them all, a backend of 720 MB;
    140,000 fitted into no array."""
    count = scaled(30_000, at_least=20_000)
    insert_longest(database, count)
    with Memory(database) as memory:
        processor = start(daemons, redis, database)
        wait_until(lambda: rollups.is_caught_up(database), 400, "the roll-up")
    assert memory.most < 512 * 2 ** 20, f"{memory.most / 2 ** 20:.0f} MB"
    assert aside(database) == [] and failures(processor) == 0
    assert not rollups.differences(database)


def test_a_bite_takes_no_more_bytes_than_it_may(database):
    database.rows("INSERT INTO events (site_id, event_type, path, timestamp) SELECT 's', 'v', "
                  "lpad(i::text, 936, '/'), '2025-11-14T10:00:00Z' "
                  "FROM generate_series(1, 1000) i")  # 64 + 1 + 936: 1,001 bytes each
    bound = database.value("SELECT rollup_settled(1000)")
    chunk = "SELECT * FROM rollup_chunk(%s, %s, %s)"
    assert database.row(chunk, (bound, 1000, 1001 * 200)) == (200, False)
    assert database.row(chunk, (bound, 1000, 1001 * 200 - 1)) == (199, False)
    assert database.row(chunk, (bound, 50, 1001 * 200)) == (50, False)
    assert database.row(chunk, (bound, 1000, 10)) == (1, False)  # one alone may have more
    assert database.row(chunk, (bound, 1000, 1001 * 550)) == (550, True)
    assert not rollups.differences(database)


def test_a_bite_measures_what_it_takes_when_sizes_are_mixed(database):
    for length in (1, 2000, 10, 1500, 3):
        database.rows("INSERT INTO events (site_id, event_type, path, timestamp) SELECT 's', "
                      "'v', lpad(i::text, %s, '/'), '2025-11-14T10:00:00Z' "
                      "FROM generate_series(1, 400) i", (length,))
    bound = database.value("SELECT rollup_settled(1000)")
    low = 0
    while low < bound:
        database.rows("SELECT * FROM rollup_chunk(%s, 1000000, 100000)", (bound,))
        high = database.value("SELECT position FROM rollup_state")
        assert high > low
        assert database.value(
            "SELECT sum(64 + octet_length(site_id) + octet_length(path)) FROM events "
            "WHERE id > %s AND id <= %s", (low, high)) <= 100000
        low = high
    assert not rollups.differences(database)
