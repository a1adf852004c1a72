"""Several Postgres servers in DATABASE_URL: a primary that hangs, its standby promoted."""
import contextlib
import socket
import time

import pytest

from support.daemon import run
from support.events import event, job, new_id
from support.postgres_server import PASSWORD, USER, Database
from support.redis_server import QUEUE
from support.settings import patience
from support.wait import wait_until

CONNECT_SECONDS = 3
LEEWAY_SECONDS = 1


@pytest.fixture
def pair(private_postgres, tmp_path):
    """A primary with the schema, and its standby."""
    primary = private_postgres(wal_level="replica", max_wal_senders=4, hot_standby="on",
                               wal_receiver_status_interval="1s")
    database = Database(primary, primary.create_database())
    done = run("processor", "--migrate", cwd=tmp_path, timeout=60,
               env={"DATABASE_URL": database.url})
    assert done.returncode == 0, done.stderr
    with primary.standby() as standby:
        yield primary, standby, database
    primary.resume()


@pytest.fixture
def silent():
    """A port at which connections are accepted by the system and never answered."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as listener:
        yield listener.getsockname()[1]


def url_of(ports, name, query=""):
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://{USER}:{PASSWORD}@{hosts}/{name}{query}"


def push(redis, count=1):
    with redis.client() as client:
        for _ in range(count):
            client.lpush(QUEUE, job(event(site_id="s", event_id=new_id())))


def start(daemons, redis, url, **reporting):
    worker = daemons.start("processor", wait=False, REDIS_URL=redis.url, DATABASE_URL=url,
                           CONNECT_TIMEOUT_MS=CONNECT_SECONDS * 1000, RETRY_MAX_MS=200)
    desk = daemons.start("reporting", wait=False, DATABASE_URL=url, **reporting)
    return worker, desk


def within(seconds, condition, story):
    """The time is that of a machine that has nothing else to do."""
    wait_until(condition, patience(seconds), story)


def answers(desk, views):
    def ask():
        answer = desk.get("/stats?site_id=s")
        return answer.status == 200 and answer.json()["total_views"] == views
    return ask


def test_a_first_host_that_never_answers_is_passed_over(daemons, redis, database, silent):
    """Storing and /stats, within the connect timeout and a second."""
    push(redis)
    worker, desk = start(daemons, redis, url_of((silent, database.server.port),
                                                database.name))
    within(CONNECT_SECONDS + LEEWAY_SECONDS, redis.is_drained, worker.story)
    within(CONNECT_SECONDS + LEEWAY_SECONDS, answers(desk, 1), desk.story)


def test_a_host_that_worked_comes_first_the_next_time(daemons, redis, database, silent):
    """Once the silent host has been passed over, a lost connection costs no time."""
    worker, desk = start(daemons, redis, url_of((silent, database.server.port),
                                                database.name),
                         CONNECT_TIMEOUT_MS=CONNECT_SECONDS * 1000)
    for daemon in (worker, desk):
        daemon.wait_ready()
    push(redis)
    wait_until(redis.is_drained, 20, worker.story)
    took = []
    for _ in range(3):
        database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                      " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                      " AND application_name LIKE 'analytics-%'")
        began = time.monotonic()
        push(redis)
        wait_until(redis.is_drained, 20, worker.story)
        wait_until(lambda: desk.get("/stats?site_id=s").status == 200, 20, desk.story)
        took.append(time.monotonic() - began)
    assert min(took) < patience(CONNECT_SECONDS / 2), took


@pytest.mark.parametrize("form", ["hostaddr", "one port", "words", "service", "environment"])
def test_every_form_of_a_list_is_taken_apart(daemons, redis, database, tmp_path, form):
    """127.0.0.2 is a first host at which nobody answers, on the port of the second."""
    port = database.server.port
    rest = f"user={USER} password={PASSWORD} dbname={database.name}"
    env = {}
    if form == "hostaddr":
        url = f"host=a.invalid,b.invalid hostaddr=127.0.0.2,127.0.0.1 port={port} {rest}"
    elif form == "one port":
        url = f"postgresql://{USER}:{PASSWORD}@/{database.name}?host=127.0.0.2,127.0.0.1" \
              f"&port={port}"
    elif form == "words":
        url = f"host=127.0.0.2,127.0.0.1 port={port},{port} {rest}"
    elif form == "service":
        services = tmp_path / "services.conf"
        services.write_text(f"[analytics]\nhost=127.0.0.2,127.0.0.1\nport={port}\n")
        url = f"service=analytics {rest}"
        env["PGSERVICEFILE"] = services
    else:
        url = rest
        env.update(PGHOST="127.0.0.2,127.0.0.1", PGPORT=port)
    with contextlib.closing(socket.create_server(("127.0.0.2", port))):
        push(redis)
        worker = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                               DATABASE_URL=url, CONNECT_TIMEOUT_MS=CONNECT_SECONDS * 1000,
                               **env)
        within(CONNECT_SECONDS + LEEWAY_SECONDS, redis.is_drained, worker.story)


@pytest.mark.parametrize("url,sentence", [
    ("host=a,b,c port=1,2", "3 hosts and 2 ports"),
    ("host=a hostaddr=127.0.0.1,127.0.0.2", "1 hosts and 2 hostaddr"),
    ("service=nowhere", "nowhere")])
def test_a_list_that_does_not_fit_is_named(daemons, redis, url, sentence):
    worker = daemons.start("processor", wait=False, REDIS_URL=redis.url, DATABASE_URL=url)
    wait_until(lambda: worker.has_logged("error=config"), 20, worker.story)
    assert worker.has_logged(sentence), worker.story()


def test_a_stopped_primary_and_its_promoted_standby(daemons, redis, pair):
    """SIGSTOP: the primary accepts connections and says nothing, on old ones neither."""
    primary, standby, database = pair
    url = url_of((primary.port, standby.port), database.name,
                 "?target_session_attrs=prefer-standby")
    worker, desk = start(daemons, redis, url)
    for daemon in (worker, desk):
        daemon.wait_ready()
    push(redis, 3)
    wait_until(redis.is_drained, 20, worker.story)
    wait_until(answers(desk, 3), 20, desk.story)
    primary.pause()
    standby.promote()
    push(redis)
    # What hangs is found by BEGIN, which has the time of a connect.
    within(2 * CONNECT_SECONDS + LEEWAY_SECONDS, redis.is_drained, worker.story)
    within(CONNECT_SECONDS + LEEWAY_SECONDS, answers(desk, 4), desk.story)
    heir = Database(standby, database.name)
    assert heir.value("SELECT count(*) FROM events") == 4
    heir.close()


def readers(server, name):
    conn = server.connect(name)
    with contextlib.closing(conn), conn.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity"
                       " WHERE application_name = 'analytics-reporting'")
        return cursor.fetchone()[0]


READERS = 4 + 2 + 1  # for /stats, for raw questions, for /readyz


def test_readers_prefer_a_standby_and_come_back_to_it(daemons, pair):
    """They live on the primary while there is none, and no longer than their lifetime."""
    primary, standby, database = pair
    desk = daemons.start("reporting", CONNECTION_LIFETIME_S=1, DATABASE_URL=url_of(
        (primary.port, standby.port), database.name, "?target_session_attrs=prefer-standby"))
    wait_until(lambda: readers(standby, database.name) >= READERS, 20, desk.story)
    assert readers(primary, database.name) == 0
    standby.stop("immediate")
    wait_until(lambda: readers(primary, database.name) >= READERS, 20, desk.story)
    standby.start()
    wait_until(lambda: readers(standby, database.name) >= READERS, 20, desk.story)
    assert desk.get("/stats?site_id=s").status == 200


def test_readers_live_as_long_as_they_are_told(daemons, database):
    """No question fails when a connection is made anew, also the only one."""
    desk = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CONNECTIONS=1,
                         CONNECTION_LIFETIME_S=1)
    seen = set()

    def is_renewed():
        assert desk.get("/stats?site_id=s").status == 200
        seen.update(database.rows("SELECT pid FROM pg_stat_activity WHERE datname ="
                                  " current_database() AND application_name ="
                                  " 'analytics-reporting'"))
        return len(seen) >= 3
    wait_until(is_renewed, 30, desk.story)
    assert desk.get("/metrics").status == 200
    assert "no connection to Postgres" not in desk.stderr()


# --- standbys that nobody waits for --------------------------------------------------------

WARNING = "standbys but no commit waits for one"


def test_a_processor_warns_of_standbys_that_no_commit_waits_for(daemons, redis, pair):
    """Once a connect: a failover then loses what the standby has not got yet."""
    primary, standby, database = pair
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_replication") == 1, 20,
               "the standby to follow")
    worker = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    assert worker.stderr().count(WARNING) == 1, worker.story()
    assert "synchronous_standby_names" in worker.stderr()
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE application_name = 'analytics-rollup'")
    wait_until(lambda: worker.stderr().count(WARNING) == 2, 20, worker.story)


@pytest.mark.parametrize("commit,warns", [("on", False), ("local", True)])
def test_a_synchronous_standby_is_right(daemons, redis, pair, commit, warns):
    """Unless no commit waits for it all the same."""
    primary, standby, database = pair
    wait_until(lambda: database.value("SELECT count(*) FROM pg_stat_replication") == 1, 20,
               "the standby to follow")
    database.rows("ALTER SYSTEM SET synchronous_standby_names = '*'")
    database.rows(f"ALTER SYSTEM SET synchronous_commit = '{commit}'")
    database.rows("SELECT pg_reload_conf()")
    wait_until(lambda: database.value("SELECT sync_state FROM pg_stat_replication") == "sync",
               20, "the standby to be synchronous")
    worker = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    push(redis)
    wait_until(redis.is_drained, 20, worker.story)
    assert (WARNING in worker.stderr()) == warns, worker.story()


def test_no_warning_without_standbys(daemons, redis, database):
    worker = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    assert WARNING not in worker.stderr()
