"""A connection pooler between the daemons and Postgres: PgBouncer with nothing set for us,
in both of its modes."""
import contextlib
import re
import threading

import psycopg2
import pytest

from support import rollups
from support.daemon import run
from support.events import Mix, event, job, new_id
from support.fake_postgres import FakePostgres
from support.judge import Judge
from support.left_batch import leave_batch
from support.pgbouncer import PgBouncer
from support.redis_server import QUEUE
from support.settings import scaled
from support.wait import wait_until

MODES = ("session", "transaction")


@pytest.fixture
def pooler(postgres):
    """A function that starts a PgBouncer."""
    with contextlib.ExitStack() as running:
        def start(mode, **options):
            made = PgBouncer(postgres, mode, **options)
            running.callback(made.stop)
            return made
        yield start


@pytest.fixture(params=MODES)
def pooled(request, pooler):
    return pooler(request.param)


def dead(pooled, redis, database, cwd, *words):
    done = run("processor", "--dead", *words, cwd=cwd,
               env={"REDIS_URL": redis.url, "DATABASE_URL": pooled.url(database.name)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_works_behind_pgbouncer(daemons, redis, empty_database, pooled, tmp_path):
    """Migrations, batches, batches sent again, poison, the roll-up, /stats of both kinds, dead
    letters."""
    database, url = empty_database, pooled.url(empty_database.name)
    done = run("processor", "--migrate", cwd=tmp_path, timeout=60, env={"DATABASE_URL": url})
    assert done.returncode == 0, done.stderr
    worker = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=url, BATCH_MAX=50,
                           PROCESSOR_WORKERS=3)
    desk = daemons.start("reporting", DATABASE_URL=url)
    judge, mix = Judge(), Mix(7)
    with redis.client() as client:
        for made in mix.take(scaled(2000, 500)):
            judge.pushed(made)
            client.lpush(QUEUE, job(made))
        client.lpush(QUEUE, "poison", *map(job, mix.sent[:100]))
    wait_until(redis.is_drained, 60, lambda: "the queue to be drained\n" + worker.story())
    rollups.wait_equal(database)
    assert judge.assert_clean(database).stored == len({m["event_id"] for m in mix.sent})
    sent = sum(1 for made in {m["event_id"]: m for m in mix.sent}.values()
               if made["site_id"] == "site-0")
    for _ in range(3):
        assert desk.stats("site-0")["total_views"] == sent
        assert desk.stats("site-0", exact="true")["total_views"] == sent
    assert dead(pooled, redis, database, tmp_path, "list", "--json").count("\n") == 1
    assert dead(pooled, redis, database, tmp_path, "purge", "--yes") == "purged 1\n"
    for daemon in (worker, desk):
        assert "error=" not in daemon.stderr(), daemon.story()


def test_nothing_is_left_in_a_shared_backend(daemons, redis, database, pooler):
    """What one client sets the next would find: a read-only backend for the processor, time
    limits for everybody else.  One backend for all of them."""
    pooled = pooler("transaction", default_pool_size=1, max_db_connections=1)
    url = pooled.url(database.name)
    worker = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=url)
    desk = daemons.start("reporting", DATABASE_URL=url, QUERY_TIMEOUT_MS=20000)
    sent = event(site_id="s", event_id=new_id())
    for _ in range(5):
        with redis.client() as client:
            client.lpush(QUEUE, job({**sent, "event_id": new_id()}), job(sent))
        wait_until(redis.is_drained, 30, worker.story)
        desk.stats("s")
        desk.stats("s", exact="true")
    conn = psycopg2.connect(url)
    conn.autocommit = True
    with contextlib.closing(conn), conn.cursor() as cursor:
        for setting, value in (("statement_timeout", "0"), ("lock_timeout", "0"),
                               ("default_transaction_read_only", "off"), ("jit", "on"),
                               ("idle_in_transaction_session_timeout", "0")):
            cursor.execute("SELECT current_setting(%s)", (setting,))
            assert cursor.fetchone()[0] == value, setting
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'stats%'")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'events_incoming'")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone()[0] == 0
    assert database.value("SELECT count(*) FROM events") == 6


def test_time_limits_hold_behind_pgbouncer(daemons, database, pooled):
    """The statement is ended by the server, and the connection is of use afterwards."""
    desk = daemons.start("reporting", DATABASE_URL=pooled.url(database.name),
                         QUERY_TIMEOUT_MS=300, REPORTING_CONNECTIONS=1)
    with contextlib.closing(database.connect()) as conn, conn.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE totals IN ACCESS EXCLUSIVE MODE")
        assert desk.get("/stats?site_id=s").status == 503
        wait_until(lambda: database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()") == 0, 10, "the statement to be ended")
        cursor.execute("ROLLBACK")
    wait_until(lambda: desk.get("/stats?site_id=s").status == 200, 10, desk.story)


def test_a_backend_left_in_a_batch_is_ended_behind_pgbouncer(daemons, redis, database,
                                                             pooler):
    """It is found by the batch's name, which only its transaction bears."""
    pooled = pooler("transaction")
    held = psycopg2.connect(pooled.url(database.name))
    leave_batch(redis, held)
    worker = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                           DATABASE_URL=pooled.url(database.name), LOCK_TIMEOUT_MS=60000,
                           STATEMENT_TIMEOUT_MS=60000)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 1, 30, worker.story)


def test_backends_that_are_lost_behind_pgbouncer(daemons, redis, database, pooled):
    """PgBouncer says 08P01 for that, too; it is an outage and nothing is lost."""
    url = pooled.url(database.name)
    worker = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=url, BATCH_MAX=20)
    judge, mix = Judge(), Mix(3)
    stop = threading.Event()

    def kill():
        while not stop.wait(0.1):
            database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                          " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                          " AND random() < 0.5")
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with redis.client() as client:
            for made in mix.take(scaled(500, 200)):
                judge.pushed(made)
                client.lpush(QUEUE, job(made))
        wait_until(lambda: worker.has_logged("error=unavailable"), 30, worker.story)
    finally:
        stop.set()
        killer.join()
    wait_until(redis.is_drained, 60, worker.story)
    rollups.wait_equal(database)
    judge.assert_clean(database)
    assert not worker.has_logged("error=config"), worker.story()


# --- a pooler that refuses the login -------------------------------------------------------

def test_a_parameter_that_a_pooler_refuses_is_named(daemons, redis, database, pooler):
    """`options` in the URL itself: the processor halts, and the log says what to do."""
    url = pooler("transaction").url(database.name) + "?options=-csearch_path%3Dpublic"
    worker = daemons.start("processor", wait=False, REDIS_URL=redis.url, DATABASE_URL=url)
    desk = daemons.start("reporting", wait=False, DATABASE_URL=url)
    for daemon in (worker, desk):
        wait_until(lambda: daemon.has_logged("error=config"), 20, daemon.story)
        # PgBouncer 1.20 and newer look into the options.
        assert daemon.has_logged("unsupported startup parameter(: options| in options: search_path)")
        assert daemon.has_logged("take it out of DATABASE_URL"), daemon.story()
        daemon.wait_alive()


@pytest.mark.parametrize("words,error", [
    ("unsupported startup parameter: extra", "config"), ("no such user", "config"),
    ("protocol violation", "config"), ("pooler cannot connect to server", "unavailable"),
    ("no more connections allowed (max_client_conn)", "unavailable"),
    ("server login has been failing, try again later (server_login_retry)", "unavailable"),
    ("server conn crashed?", "unavailable"), ("query_wait_timeout", "unavailable")])
def test_what_other_poolers_say_is_told_apart(daemons, redis, words, error):
    with FakePostgres("08P01", words) as fake:
        worker = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                               DATABASE_URL=fake.url)
        wait_until(lambda: worker.has_logged(f"error={error}"), 20, worker.story)
        assert worker.has_logged(re.escape(words)), worker.story()
        assert worker.has_logged("a connection pooler refuses") == (error == "config")
