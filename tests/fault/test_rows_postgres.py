"""Rows 11 to 22 of the fault matrix (docs/reliability.md): Postgres is stopped in each of
its ways, slow, silent, full of connections, read-only, or was broken by a person.

Ingestion does not notice: with load on it, every answer is 200.
"""
import signal

import psycopg2
import pytest

from support.ending import wait_drained
from support.events import event
from support.postgres_server import Database
from support.rig import took
from support.settings import long_or_short, patience
from support.wait import wait_until

COPY_HEADER = b"PGCOPY\n"


@pytest.fixture
def rig(make_rig, redis, own_postgres):
    rig = make_rig(redis, own_postgres())
    rig.start(processor={"PROCESSOR_WORKERS": 2, "BATCH_MAX": 100})
    return rig


def only_200(rig, verdict):
    """No request was refused, none was lost, and all that was answered is stored."""
    assert set(rig.judge.statuses) == {200}, rig.judge.statuses
    assert verdict.stored == verdict.acknowledged == verdict.attempted


def wait_not_ready(rig, kind=None):
    """/readyz says that Postgres is away, and a metric of which kind the trouble is."""
    wait_until(lambda: rig.processor.ready_status() == 503, 20,
               lambda: f"it to see the trouble\n{rig.processor.story()}")
    if kind:
        wait_until(lambda: trouble(rig) == {kind}, 20,
                   lambda: f"the trouble to be {kind}, not {trouble(rig)}")


def trouble(rig):
    """The kinds of trouble with Postgres that /metrics tells."""
    found = set()
    for line in rig.processor.get("/metrics").body.decode().splitlines():
        if line.startswith("analytics_processor_trouble{") and 'server="postgres"' in line \
                and not line.endswith(" 0"):
            found.add(line.split('kind="')[1].split('"')[0])
    return found


# --- stopped, killed, silent ----------------------------------------------------------

@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
def test_rows_11_and_12_postgres_ends_in_the_middle_of_copy(rig, how):
    server = rig.database.server
    reached = []
    rig.load()
    rig.wait_stored(100)
    rig.postgres_line.when(COPY_HEADER, lambda connection: (
        rig.postgres_line.hold(connection), reached.append(1)))
    wait_until(lambda: reached, 10, "a COPY")
    server.kill() if how == "kill" else server.stop(how)
    rig.heal()
    wait_not_ready(rig, "outage")
    rig.wait_answers(200)
    server.start()
    rig.wait_stored(100)
    only_200(rig, rig.end())


def test_row_13_one_backend_is_killed(rig):
    """kill -9 of one resets them all: Postgres recovers as after a crash."""
    rig.load()
    rig.wait_stored(100)
    for _ in range(2):
        pid = wait_until(lambda: rig.database.rows(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'analytics-%' "
            "AND datname = current_database() LIMIT 1"), 20, "Postgres to have recovered",
            retry=(psycopg2.Error,))[0][0]
        rig.database.server.kill_backend(pid)
        rig.wait_stored(200)
    only_200(rig, rig.end())


def test_row_14_postgres_is_down_for_long(rig):
    """The queue grows, nobody spins, and it drains by itself.  (soak: ten minutes)"""
    rig.load(rate=300)
    rig.wait_stored(100)
    rig.database.server.stop("fast")
    wait_not_ready(rig, "outage")
    seconds = long_or_short(600, 4)
    before, attempts = rig.processor.cpu_seconds(), rig.processor.stderr().count("\n")
    took_s = took(lambda: rig.outlast(seconds, rate=250))
    share = (rig.processor.cpu_seconds() - before) / took_s
    print(f"\nPostgres down for {took_s:.0f} s: {share:.2%} of a core, "
          f"{rig.redis.queue_length()} jobs wait")
    assert share < 0.05, f"{share:.1%} of a core while Postgres is down"
    assert rig.processor.stderr().count("\n") - attempts <= 3 * (2 + seconds / 10)
    assert rig.redis.queue_length() > 0
    rig.database.server.start()
    only_200(rig, rig.end(timeout=120))


def test_row_15_a_table_is_locked(rig):
    """Longer than lock_timeout, again and again: retried, and nothing is dead."""
    rig.load(rate=300)
    rig.wait_stored(100)
    conn = rig.database.connect()
    conn.autocommit = False
    with conn.cursor() as cursor:
        cursor.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        rig.processor.wait_log("could not store a batch.*55P03|lock timeout")
        rig.outlast(long_or_short(60, 2), rate=200)
    conn.close()
    verdict = rig.end()
    only_200(rig, verdict)
    assert verdict.dead == 0


def test_row_16_postgres_accepts_and_never_answers(rig):
    rig.load(rate=300)
    rig.wait_stored(100)
    rig.database.server.pause()
    wait_not_ready(rig, "outage")
    rig.wait_answers(300)
    assert rig.processor.get("/healthz").status == 200
    # SIGTERM must not hang on it either: what it holds goes to the next one.
    victim = rig.processor
    victim.signal(signal.SIGTERM)
    assert victim.wait_exit(5) == 0
    rig.gone(victim)
    rig.database.server.resume()
    rig.start_processor()
    only_200(rig, rig.end())


@pytest.mark.parametrize("direction", [None, "down"])
def test_row_16_the_line_to_postgres_swallows_everything(rig, direction):
    """As a firewall that drops: neither RST nor FIN ever comes."""
    rig.load(rate=300)
    rig.wait_stored(100)
    rig.postgres_line.swallow(direction)
    wait_not_ready(rig, "outage")
    rig.wait_answers(100)
    rig.heal()
    rig.wait_stored(100)
    only_200(rig, rig.end())


# --- full, read-only ------------------------------------------------------------------

def test_row_18_no_connection_is_free(make_rig, redis, own_postgres, daemons):
    """53300 is an outage that ends by itself; who has a connection keeps it."""
    database = own_postgres(max_connections=16, superuser_reserved_connections=0)
    rig = make_rig(redis, database).start(processor={"PROCESSOR_WORKERS": 2})
    rig.load(rate=300)
    rig.wait_stored(100)
    rig.database.value("SELECT 1")  # one for the judge
    taken = []
    try:
        while True:
            taken.append(psycopg2.connect(database.url))
    except psycopg2.OperationalError:
        pass
    rig.wait_stored(200)  # on the connections that it has
    late = rig.start_processor(wait=False).wait_alive()
    wait_until(lambda: late.ready_status() == 503, 10, "the late one to be refused")
    late.wait_log("too many|53300")
    reporting = daemons.start("reporting", wait=False, DATABASE_URL=database.url)
    answer = reporting.wait_alive().get("/stats?site_id=site-1", timeout=patience(5))
    assert answer.status == 503 and answer.header("Retry-After")
    for conn in taken:
        conn.close()
    late.wait_ready()
    reporting.wait_ready()
    only_200(rig, rig.end())


def test_row_22_postgres_is_read_only(rig):
    """As after a failover: reconnect until it can be written to."""
    rig.load(rate=300)
    rig.wait_stored(100)
    set_for_all(rig, "default_transaction_read_only", "on")
    wait_not_ready(rig, "outage")
    rig.wait_answers(200)
    set_for_all(rig, "default_transaction_read_only", "off")
    rig.wait_stored(100)
    verdict = rig.end()
    only_200(rig, verdict)
    assert verdict.dead == 0


def set_for_all(rig, name, value):
    """Writes the setting into the server's file, and has every session read it."""
    conn = rig.database.server.connect()
    with conn.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
        cursor.execute(f"ALTER SYSTEM SET {name} = {value}")
        cursor.execute("SELECT pg_reload_conf()")
    conn.close()
    wait_until(lambda: rig.database.value(f"SHOW {name}") == value, 10, "the setting")


# --- what a person breaks -------------------------------------------------------------

# A partition that is taken away must be rolled up: nobody counts its rows afterwards.
DETACH = """BEGIN;
SELECT pg_advisory_xact_lock(rollup_lock_key());
LOCK TABLE events IN ACCESS EXCLUSIVE MODE;
SELECT rollup_chunk(last_value, 1000000) FROM events_id_seq;
ALTER TABLE events DETACH PARTITION events_default;
COMMIT"""
HARM = {
    "19 table renamed": ("ALTER TABLE events RENAME TO away",
                         "ALTER TABLE away RENAME TO events"),
    "19 column dropped": ("ALTER TABLE events RENAME COLUMN path TO away",
                          "ALTER TABLE events RENAME COLUMN away TO path"),
    "19 schema away": ("ALTER SCHEMA public RENAME TO away",
                       "ALTER SCHEMA away RENAME TO public"),
    "20 no partition": (DETACH,
                        "ALTER TABLE events ATTACH PARTITION events_default DEFAULT"),
    "21 privilege": ("REVOKE INSERT ON events FROM worker",
                     "GRANT INSERT ON events TO worker"),
}


@pytest.fixture
def worker_rig(make_rig, redis, own_postgres):
    """A processor that is no superuser, and so can be refused."""
    database = own_postgres()
    make_rig(redis, database).start_heir().stop()  # makes the schema
    database.rows("CREATE ROLE worker LOGIN PASSWORD 'hush-hush'; "
                  "GRANT ALL ON ALL TABLES IN SCHEMA public TO worker; "
                  "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO worker; "
                  "GRANT ALL ON ALL FUNCTIONS IN SCHEMA public TO worker; "
                  "GRANT TEMPORARY ON DATABASE \"%s\" TO worker; "
                  "GRANT pg_signal_backend TO worker" % database.name)
    worker = Database(database.server, database.name)
    rig = make_rig(redis, database)
    url = rig.postgres_line.database_url(worker).split("@")[1]
    rig.start(processor={"DATABASE_URL": f"postgresql://worker:hush-hush@{url}",
                         "PARTITION_MONTHS_BACK": 0, "PARTITION_MONTHS_AHEAD": 0,
                         "UPKEEP_INTERVAL_MS": 86400000})
    return rig


@pytest.mark.parametrize("harm, heal", HARM.values(), ids=HARM.keys())
def test_rows_19_to_21_what_a_person_breaks(worker_rig, harm, heal):
    """Halted and alarmed until it is mended; nothing is lost, nothing is dead."""
    rig = worker_rig
    rig.load(rate=300)
    rig.wait_stored(100)
    rig.database.rows(harm)
    wait_not_ready(rig, "halt")
    assert rig.processor.log_lines(" error ")
    rig.wait_answers(200)
    rig.database.rows(heal)
    rig.wait_stored(100)
    verdict = rig.end()
    only_200(rig, verdict)
    assert verdict.dead == 0


@pytest.mark.parametrize("how", ["password", "pg_hba"])
def test_row_21_the_login_is_refused(worker_rig, how):
    rig, database = worker_rig, worker_rig.database
    rig.load(rate=300)
    rig.wait_stored(100)
    hba = database.server.data / "pg_hba.conf"
    allowed = hba.read_text()
    if how == "password":
        database.rows("ALTER ROLE worker PASSWORD 'other'")
    else:
        hba.write_text("host all worker all reject\n" + allowed)
        database.rows("SELECT pg_reload_conf()")
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                  "WHERE usename = 'worker'")
    wait_not_ready(rig, "halt")
    rig.wait_answers(100)
    if how == "password":
        database.rows("ALTER ROLE worker PASSWORD 'hush-hush'")
    else:
        hba.write_text(allowed)
        database.rows("SELECT pg_reload_conf()")
    rig.wait_stored(100)
    only_200(rig, rig.end())
    assert "hush-hush" not in rig.processor.stderr() + rig.processor.stdout()


def test_row_11_a_request_is_as_quick_as_ever_while_postgres_is_away(rig):
    rig.load(rate=200)
    rig.wait_stored(50)
    rig.database.server.stop("immediate")
    wait_not_ready(rig)
    times = sorted(took(lambda: rig.ingestion.post_event(event(site_id="not judged")))
                   for _ in range(50))
    assert times[25] < patience(0.1), times
    rig.database.server.start()
    wait_drained(rig.redis)
    rig.database.rows("DELETE FROM events WHERE site_id = 'not judged'")
    rig.stop_load()
