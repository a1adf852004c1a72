"""Reporting when Postgres is away, hung, slow or wrong, and when the daemon is stopped."""
import concurrent.futures
import contextlib
import signal
import threading
import time

import pytest

from support.daemon import run
from support.events import event
from support.http import Connection, build
from support.locks import locked, wait_blocked
from support.postgres_server import Database
from support.settings import patience
from support.site_data import load
from support.wait import wait_until

APPLICATION = "analytics-reporting"
PROMISED_SECONDS = 2.0


def migrate(server, name, folder):
    done = run("processor", "--migrate", cwd=folder, env={"DATABASE_URL": server.url(name)},
               timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def own_database(private_postgres, tmp_path):
    """A database in a server that the test may break; options as of postgres -c."""
    def make(**options):
        server = private_postgres(**options)
        database = Database(server, server.create_database())
        migrate(server, database.name, tmp_path)
        return database
    return make


def check_503(answer):
    assert answer.status == 503, answer
    assert answer.error
    assert int(answer.header("Retry-After")) >= 1
    for word in (b"SQL", b"postgresql://", b"127.0.0.1", b"FATAL", b"relation"):
        assert word not in answer.body


def ask_in_time(daemon, target="/stats?site_id=s", seconds=PROMISED_SECONDS):
    began = time.monotonic()
    answer = daemon.get(target)
    took = time.monotonic() - began
    assert took <= patience(seconds), f"{target} took {took:.2f} s"
    return answer


def wait_answers(daemon, views=None):
    """Until /stats is 200 again, by itself."""
    def is_back():
        answer = daemon.get("/stats?site_id=s")
        return answer.status == 200 and answer
    answer = wait_until(is_back, 10, f"{daemon.name} to answer 200 again")
    assert views is None or answer.json()["total_views"] == views


class Asker:
    """Sends a request for each target and reads the answers later."""

    def __init__(self, daemon, targets):
        self.daemon = daemon
        self.connections = []
        for target in targets:
            self.connections.append(Connection(daemon.port, timeout=patience(30)))
            self.connections[-1].send(build("GET", target))

    def wait_read(self):
        """Until the daemon has read all of it: answers come in the order of the turns."""
        for _ in range(2):
            assert self.daemon.get("/healthz").status == 200
        return self

    def answers(self):
        read = [connection.read_response() for connection in self.connections]
        for connection in self.connections:
            connection.close()
        return read


# --- Postgres away ---------------------------------------------------------------------


def test_postgres_down_at_the_start_and_then_without_a_schema(private_postgres, daemons,
                                                              tmp_path):
    server = private_postgres()
    name = server.create_database()
    server.stop()
    daemon = daemons.start("reporting", wait=False, DATABASE_URL=server.url(name))
    daemon.wait_alive()
    check_503(ask_in_time(daemon))
    check_503(ask_in_time(daemon, "/readyz"))
    server.start()
    wait_until(lambda: "schema" in daemon.get("/readyz").body.decode(), 10,
               "readyz to name the schema")
    check_503(ask_in_time(daemon, "/readyz"))
    check_503(ask_in_time(daemon))
    migrate(server, name, tmp_path)
    daemon.wait_ready()
    assert daemon.stats("s")["total_views"] == 0


@pytest.mark.parametrize("other, readable_since", [(-1, -1), (1, 1), (1000, 1000)])
def test_a_schema_that_it_does_not_know_is_not_ready(database, daemons, other,
                                                     readable_since):
    present = database.value("SELECT max(version) FROM schema_version")
    database.rows("DELETE FROM schema_version WHERE version > 1")
    database.rows("UPDATE schema_version SET version = %s, readable_since = %s",
                  [present + other, present + readable_since])
    daemon = daemons.start("reporting", wait=False, DATABASE_URL=database.url)
    daemon.wait_alive()
    wait_until(lambda: "schema" in daemon.get("/readyz").body.decode(), 10,
               "readyz to name the schema")
    check_503(ask_in_time(daemon))
    daemon.wait_log(f"version {present + other}")
    daemon.stop()


def test_a_newer_schema_that_it_can_read_is_ready(database, daemons):
    """So that not every migration stops the programs that only read."""
    present = database.value("SELECT max(version) FROM schema_version")
    load(database, [event(site_id="s")])
    database.rows("INSERT INTO schema_version (version, name, checksum, readable_since) "
                  "VALUES (%s, 'later.sql', '', %s)", [present + 1, present])
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    assert daemon.stats("s")["total_views"] == 1
    database.rows("UPDATE schema_version SET readable_since = version "
                  "WHERE version = %s", [present + 1])
    check_503(ask_in_time(daemon, "/readyz"))


def test_a_schema_that_disappears_is_noticed(own_database, daemons):
    database = own_database()
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    database.rows("ALTER TABLE totals RENAME TO gone")
    check_503(ask_in_time(daemon))
    database.rows("ALTER TABLE gone RENAME TO totals")
    wait_answers(daemon, 1)
    database.rows("INSERT INTO schema_version VALUES (99, '099_later.sql', '', 99)")
    check_503(ask_in_time(daemon, "/readyz"))
    assert "schema" in daemon.get("/readyz").error


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_postgres_stopped_and_started_again(own_database, daemons, mode):
    database = own_database()
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    assert daemon.stats("s")["total_views"] == 1
    database.close()
    if mode == "kill":
        database.server.kill()
    else:
        database.server.stop(mode)
    for target in ("/stats?site_id=s", "/stats?site_id=s&exact=true", "/readyz"):
        check_503(ask_in_time(daemon, target))
    assert ask_in_time(daemon, "/healthz", 0.5).status == 200
    database.server.start()
    wait_answers(daemon, 1)
    daemon.wait_ready()


def test_a_stopped_postgres_is_known_after_a_moment(own_database, daemons):
    """Once an outage is longer than a restart takes, nobody waits for the timeout."""
    database = own_database()
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    database.close()
    database.server.stop()

    def is_refused_at_once():
        began = time.monotonic()
        check_503(daemon.get("/stats?site_id=s"))
        return time.monotonic() - began < 0.1
    wait_until(is_refused_at_once, 10, "an answer at once")
    before = daemon.cpu_seconds()
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2, 10, "two seconds to pass")
    assert daemon.cpu_seconds() - before < patience(0.2), "it spins while Postgres is away"
    assert len(daemon.log_lines("no connection to Postgres")) <= 3


def test_a_hung_postgres_is_503_in_time(own_database, daemons):
    database = own_database()
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    assert daemon.stats("s")["total_views"] == 1
    database.server.pause()
    try:
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            targets = [f"/stats?site_id=s{n % 5}" for n in range(18)] + ["/readyz"] * 2
            for answer in pool.map(lambda t: ask_in_time(daemon, t), targets):
                check_503(answer)
        check_503(ask_in_time(daemon))
        assert ask_in_time(daemon, "/healthz", 0.5).status == 200
    finally:
        database.server.resume()
    wait_answers(daemon, 1)


def test_a_hung_postgres_at_the_start(own_database, daemons):
    database = own_database()
    database.server.pause()
    try:
        daemon = daemons.start("reporting", wait=False, DATABASE_URL=database.url)
        daemon.wait_alive()
        check_503(ask_in_time(daemon))
        check_503(ask_in_time(daemon, "/readyz"))
    finally:
        database.server.resume()
    wait_answers(daemon, 0)


def test_a_restart_is_hardly_noticed(own_database, daemons):
    """Whoever asks during a restart waits for it; nobody gets anything but 200 or 503."""
    database = own_database()
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    statuses, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            answer = ask_in_time(daemon)
            statuses.append(answer.status)
            assert answer.status == 503 or answer.json()["total_views"] == 1
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for mode in ("fast", "immediate"):
                count = len(statuses)
                wait_until(lambda: len(statuses) > count + 20, 10, "some answers")
                database.close()
                database.server.restart(mode)
                wait_answers(daemon, 1)
        finally:
            stop.set()
        for each in asking:
            each.result()
    assert set(statuses) <= {200, 503}
    print(f"\nrestarts: {statuses.count(200)} times 200, {statuses.count(503)} times 503")


def test_a_killed_backend_costs_no_answer(own_database, daemons):
    """A query whose connection is lost is sent once more on another."""
    database = own_database()
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url,
                           QUERY_TIMEOUT_MS=10000)
    with locked(database, "totals"):
        asker = Asker(daemon, ["/stats?site_id=s"])
        wait_blocked(database, 1)
        database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      "WHERE application_name = %s", [APPLICATION])
        wait_blocked(database, 1)
    answer, = asker.answers()
    assert answer.status == 200
    assert answer.json()["total_views"] == 1


# --- the pool ----------------------------------------------------------------------------


def test_equal_questions_that_wait_share_one_execution(own_database, daemons):
    database = own_database(log_statement="all", log_min_error_statement="panic")
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CONNECTIONS=1,
                           QUERY_TIMEOUT_MS=20000)

    def executions():
        return database.server.log_path.read_text().count("execute stats:")
    with locked(database, "totals"):
        before = executions()
        sent = Asker(daemon, ["/stats?site_id=s"])
        wait_blocked(database, 1)
        waiting = Asker(daemon, ["/stats?site_id=s"] * 50).wait_read()
        other = Asker(daemon, ["/stats?site_id=s&date=2025-11-14"] * 3).wait_read()
    for answer in sent.answers() + waiting.answers() + other.answers():
        assert answer.status == 200
        assert answer.json()["total_views"] == 1
    # The one that was sent, whose answer stands for the 50 that came later, as nothing was
    # counted meanwhile; one for the other question.
    assert executions() - before == 2


def test_connections_and_waiting_queries_are_limited(own_database, daemons):
    database = own_database()
    daemon = daemons.start("reporting", DATABASE_URL=database.url,
                           REPORTING_CONNECTIONS=3,  # of which lists of sites leave one
                           QUERIES_WAITING_MAX=3, QUERY_TIMEOUT_MS=20000,
                           RAW_CONNECTIONS=2)  # and one for /readyz
    with locked(database, "totals"):
        sent = Asker(daemon, [f"/sites?limit={n}" for n in (1, 2)])
        wait_blocked(database, 2)
        waiting = Asker(daemon, [f"/sites?limit={n}" for n in (3, 4, 5)]).wait_read()
        refused = ask_in_time(daemon, "/sites?limit=6", 1)
        check_503(refused)
        joined = Asker(daemon, ["/sites?limit=4"] * 20).wait_read()
        wait_until(lambda: database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s",
            [APPLICATION]) == 3 + 2 + 1, 10, "all connections, and no more")
    for answer in sent.answers() + waiting.answers() + joined.answers():
        assert answer.status == 200
    assert daemon.get("/stats?site_id=one-more").status == 200


def test_a_slow_query_is_ended_and_its_connection_kept(own_database, daemons):
    database = own_database()
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CONNECTIONS=1)

    def backend():
        return database.value("SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity "
                              "WHERE application_name = %s", [APPLICATION])
    pid = backend()
    with locked(database, "totals"):
        check_503(ask_in_time(daemon))
        wait_blocked(database, 0)
    wait_answers(daemon)
    assert backend() == pid


def test_clients_that_leave_are_forgotten(own_database, daemons):
    database = own_database(log_statement="all")
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CONNECTIONS=1,
                           QUERY_TIMEOUT_MS=20000)
    base = daemon.open_files()
    with locked(database, "totals"):
        first = Asker(daemon, ["/stats?site_id=first"])
        wait_blocked(database, 1)
        leaving = Asker(daemon, [f"/stats?site_id=gone{n}" for n in range(100)]).wait_read()
        for connection in leaving.connections:
            connection.reset()
        wait_until(lambda: daemon.open_files() <= base + 2, 10, "connections to be closed")
    assert first.answers()[0].status == 200
    assert daemon.get("/stats?site_id=s").status == 200
    log = database.server.log_path.read_text()
    assert log.count("$1 = 'gone") == 0, "queries were run for clients that had left"


def test_too_few_connections_in_postgres(own_database, daemons):
    database = own_database(max_connections="6", superuser_reserved_connections="0")
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CONNECTIONS=20)
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        for answer in pool.map(lambda n: daemon.get("/stats?site_id=s"), range(200)):
            assert answer.status == 200
    daemon.wait_log("no connection to Postgres")
    assert daemon.ready_status() == 200


def test_nothing_can_be_written(own_database, daemons):
    database = own_database()
    database.rows("CREATE TABLE written (n int)")
    database.rows("""
        CREATE OR REPLACE FUNCTION stats(p_site_id text, p_day date)
        RETURNS TABLE (total_views bigint, unique_users bigint, path text, views bigint)
        LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            INSERT INTO written VALUES (1);
            RETURN QUERY SELECT 0::bigint, 0::bigint, NULL::text, NULL::bigint;
        END $$""")
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    check_503(ask_in_time(daemon))
    assert database.value("SELECT count(*) FROM written") == 0


def test_an_account_without_rights_and_a_wrong_password(own_database, daemons):
    database = own_database()
    database.rows("CREATE ROLE guest LOGIN PASSWORD 'guest-secret'")
    url = database.url.replace("analytics:pg-secret", "guest:guest-secret")
    guest = daemons.start("reporting", wait=False, DATABASE_URL=url, RECONNECT_MAX_MS=200)
    wrong = daemons.start("reporting", wait=False,
                          DATABASE_URL=url.replace("guest-secret", "wrong-secret"))
    for daemon in (guest, wrong):
        daemon.wait_alive()
        check_503(ask_in_time(daemon))
        daemon.wait_log("error=denied")
        assert "-secret" not in daemon.stderr()
    wait_until(lambda: "refused" in guest.get("/readyz").error, 10, "the reason in readyz")
    database.rows("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
    wait_answers(guest, 0)
    database.rows("DROP OWNED BY guest")


# --- the end -------------------------------------------------------------------------------


WAITS = pytest.mark.parametrize("wait", ["park", "suspend"])


@WAITS
def test_sigterm_answers_everyone(own_database, daemons, wait):
    database = own_database()
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CONNECTIONS=2,
                           QUERY_TIMEOUT_MS=20000, REQUEST_WAIT=wait)
    with locked(database, "totals"):
        asker = Asker(daemon, [f"/stats?site_id={site}" for site in "sabc" * 10])
        wait_blocked(database, 2)
        asker.wait_read()
        daemon.signal(signal.SIGTERM)
        daemon.wait_log("msg=stopping")
    answers = asker.answers()
    assert [answer.status for answer in answers] == [200] * 40
    assert daemon.wait_exit() == 0
    with pytest.raises(OSError):
        daemon.get("/healthz")


@WAITS
@pytest.mark.parametrize("how", ["locked", "hung", "down"])
def test_sigterm_ends_in_time_whatever_postgres_does(own_database, daemons, how, wait):
    database = own_database()
    daemon = daemons.start("reporting", DATABASE_URL=database.url, QUERY_TIMEOUT_MS=20000,
                           REQUEST_WAIT=wait)
    with contextlib.ExitStack() as undo:
        if how == "locked":
            undo.enter_context(locked(database, "totals"))
        elif how == "hung":
            database.server.pause()
            undo.callback(database.server.resume)
        else:
            database.close()
            database.server.stop()
        asker = Asker(daemon, [f"/stats?site_id=s{n % 7}" for n in range(30)]).wait_read()
        daemon.signal(signal.SIGTERM)
        for answer in asker.answers():
            check_503(answer)
        assert daemon.wait_exit() == 0


@WAITS
def test_sigterm_under_load_loses_no_answer(database, daemons, wait):
    load(database, [event(site_id="s")])
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REQUEST_WAIT=wait)
    answered = []

    def ask():
        with Connection(daemon.port, timeout=patience(10)) as connection:
            while True:
                try:
                    connection.send(build("GET", "/stats?site_id=s"))
                    answer = connection.read_response()
                except ConnectionError:
                    return "closed"
                answered.append(answer.status)
                if (answer.header("Connection") or "").lower() == "close":
                    return "told"
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(ask) for _ in range(16)]
        wait_until(lambda: len(answered) > 200, 10, "some load")
        daemon.signal(signal.SIGTERM)
        ends = [each.result() for each in asking]
        assert daemon.wait_exit() == 0
    assert set(answered) == {200}
    assert ends == ["told"] * 16


def test_a_second_signal_ends_at_once(own_database, daemons):
    database = own_database()
    daemon = daemons.start("reporting", DATABASE_URL=database.url, QUERY_TIMEOUT_MS=20000)
    with locked(database, "totals"):
        asker = Asker(daemon, ["/stats?site_id=s"])
        wait_blocked(database, 1)
        daemon.signal(signal.SIGTERM)
        daemon.wait_log("msg=stopping")
        began = time.monotonic()
        daemon.signal(signal.SIGINT)
        daemon.expected_exit = daemon.wait_exit()
        assert time.monotonic() - began < patience(1)
    assert daemon.expected_exit == 1
    with pytest.raises(ConnectionError):
        asker.answers()
