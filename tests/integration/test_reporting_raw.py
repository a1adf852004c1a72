"""Questions of raw events: on connections of their own, with a time limit of their own, ended
when nobody waits for them any more, and only with the token where that is set."""
import time

import pytest

from support.daemon import run
from support.events import event
from support.http import Connection, build
from support.locks import blocked, locked, wait_blocked
from support.metrics import scrape
from support.settings import patience
from support.site_data import load
from support.wait import wait_until

EXACT = "/stats?site_id={}&exact=true"
WAITS = pytest.mark.parametrize("wait", ["park", "suspend"])


def start(daemons, database, **env):
    return daemons.start("reporting", DATABASE_URL=database.url, **env)


def ask(daemon, target):
    connection = Connection(daemon.port, timeout=patience(30))
    connection.send(build("GET", target))
    return connection


def answer_of(connection):
    answer = connection.read_response()
    connection.close()
    return answer


def cancelled(daemon):
    return scrape(daemon).value("analytics_reporting_raw_queries_cancelled_total")


def test_raw_questions_hold_up_nobody_else(daemons, database):
    """Far more than five a second, and each takes as long as it may."""
    load(database, [event(site_id="s")])
    daemon = start(daemons, database, RAW_QUERY_TIMEOUT_MS=20000)
    with locked(database, "events"):
        raw = [ask(daemon, EXACT.format(f"s{n}")) for n in range(30)]
        wait_blocked(database, 2)
        for _ in range(20):
            began = time.monotonic()
            assert daemon.stats("s")["total_views"] == 1
            assert daemon.ready_status() == 200
            assert time.monotonic() - began < patience(1)
        assert blocked(database) == 2
        metrics = scrape(daemon)
        assert metrics.value("analytics_reporting_raw_requests_waiting") == 30
        assert metrics.value("analytics_reporting_raw_queries_waiting") == 28
        assert metrics.value("analytics_reporting_raw_pool_connections", state="busy") == 2
    assert [answer_of(connection).status for connection in raw] == [200] * 30


def test_long_questions_of_counts_leave_a_connection_to_the_others(daemons, database):
    """A breakdown of many values for instance, which no answer that is kept saves."""
    load(database, [event(site_id="s")])
    daemon = start(daemons, database, QUERY_TIMEOUT_MS=20000, REPORTING_CONNECTIONS=3)
    with locked(database, "dimensions"):
        many = [ask(daemon, f"/stats/breakdown?site_id=s&property=page&page={n}")
                for n in range(1, 12)]
        wait_blocked(database, 2)
        assert daemon.stats("s")["total_views"] == 1
        for target in ("/stats/aggregate?site_id=s", "/stats?site_id=other"):
            assert daemon.get(target).status == 200
        assert blocked(database) == 2
    assert [answer_of(connection).status for connection in many] == [200] * 11
    alone = start(daemons, database, REPORTING_CONNECTIONS=1)
    assert alone.get("/stats/breakdown?site_id=s&property=page").status == 200


def test_readyz_waits_behind_no_question(daemons, database):
    daemon = start(daemons, database, QUERY_TIMEOUT_MS=20000, RAW_QUERY_TIMEOUT_MS=20000)
    with locked(database, "totals, events"):
        waiting = [ask(daemon, f"/stats?site_id=s{n}") for n in range(10)]
        waiting += [ask(daemon, EXACT.format(n)) for n in range(10)]
        wait_blocked(database, 4 + 2)
        for _ in range(5):
            assert daemon.ready_status() == 200
    assert [answer_of(connection).status for connection in waiting] == [200] * 20


@WAITS
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_question_whose_client_hangs_up_is_cancelled(daemons, database, wait, how):
    load(database, [event(site_id="s")])
    daemon = start(daemons, database, RAW_QUERY_TIMEOUT_MS=60000, REQUEST_WAIT=wait)
    with locked(database, "events"):
        for turn in range(3):  # its connection is there again each time
            raw = [ask(daemon, EXACT.format(n)) for n in range(5)]
            wait_blocked(database, 2)
            for connection in raw:
                connection.reset() if how == "reset" else connection.close()
            wait_blocked(database, 0)
            wait_until(lambda: scrape(daemon).value(
                "analytics_reporting_raw_requests_waiting") == 0, 10, "all to be forgotten")
            assert cancelled(daemon) >= 2 * (turn + 1)
    assert daemon.get(EXACT.format("s")).json()["total_views"] == 1


def test_a_question_with_another_asker_is_not_cancelled(daemons, database):
    load(database, [event(site_id="s")])
    daemon = start(daemons, database, RAW_QUERY_TIMEOUT_MS=60000, RAW_CONNECTIONS=1)
    with locked(database, "events"):
        first = ask(daemon, EXACT.format("first"))
        wait_blocked(database, 1)
        second, third = (ask(daemon, EXACT.format("s")) for _ in range(2))
        wait_until(lambda: scrape(daemon).value(
            "analytics_reporting_raw_requests_waiting") == 3, 10, "three to wait")
        second.close()
        wait_until(lambda: scrape(daemon).value(
            "analytics_reporting_raw_requests_waiting") == 2, 10, "one to be forgotten")
        first.close()
        wait_until(lambda: cancelled(daemon) == 1, 10, "the first to be cancelled")
        wait_blocked(database, 1)  # the question of the other two
    assert answer_of(third).json()["total_views"] == 1
    assert cancelled(daemon) == 1


def test_a_question_is_cancelled_at_its_own_time_limit(daemons, database):
    daemon = start(daemons, database, RAW_QUERY_TIMEOUT_MS=400, QUERY_TIMEOUT_MS=20000)
    with locked(database, "events"):
        answer = daemon.get(EXACT.format("s"))
        assert answer.status == 503 and answer.header("Retry-After")
        assert answer.error == \
            "the question needs too many raw events; shorten the range"
        wait_blocked(database, 0)
    wait_until(lambda: daemon.get(EXACT.format("s")).status == 200, 10, "an answer")


FILTERED = ("/stats/aggregate?site_id=s&filters=page==/;event_type==a",
            "/stats/timeseries?site_id=s&filters=prop:a==b",
            "/stats/breakdown?site_id=s&property=prop:a")


def test_filters_beyond_the_counts_are_raw_questions(daemons, database):
    """With their connections, their time limit, and their end when nobody waits."""
    load(database, [event(site_id="s")])
    daemon = start(daemons, database, RAW_QUERY_TIMEOUT_MS=400, QUERY_TIMEOUT_MS=20000)
    with locked(database, "events"):
        for target in FILTERED:
            answer = daemon.get(target)
            assert (answer.status, answer.error) == \
                (503, "the question needs too many raw events; shorten the range")
            assert daemon.get("/stats/aggregate?site_id=s&filters=page==/&metrics=visitors"
                              ).status == 200
    patient = start(daemons, database, RAW_QUERY_TIMEOUT_MS=60000)
    with locked(database, "events"):
        raw = [ask(patient, target) for target in (*FILTERED, "/stats/realtime?site_id=s")]
        wait_blocked(database, 2)
        for connection in raw:
            connection.close()
        wait_blocked(database, 0)
    nobody = start(daemons, database, RAW_NEEDS_TOKEN="true")
    for target in FILTERED:
        answer = nobody.get(target)
        assert (answer.status, answer.error) == (403, "raw events need a token")


def test_questions_of_a_reporting_that_is_killed_end(daemons, database):
    daemon = start(daemons, database, RAW_QUERY_TIMEOUT_MS=600000)
    with locked(database, "events"):
        raw = ask(daemon, EXACT.format("s"))
        wait_blocked(database, 1)
        daemon.kill9()
        wait_blocked(database, 0)
    raw.close()


def test_raw_events_may_be_for_the_token_alone(daemons, database, tmp_path):
    load(database, [event(site_id="s")])
    token = "t" * 32
    bearer = (("Authorization", f"Bearer {token}"),)
    nobody = start(daemons, database, RAW_NEEDS_TOKEN="true")
    assert nobody.stats("s")["total_views"] == 1
    refused = nobody.get(EXACT.format("s"))
    assert (refused.status, refused.error) == (403, "exact=true needs a token")
    assert nobody.get(EXACT.format("s"), headers=bearer).status == 403
    assert nobody.get("/stats?site_id=s&exact=false").status == 200
    one = start(daemons, database, RAW_NEEDS_TOKEN="true", REPORTING_TOKEN=token)
    assert one.get(EXACT.format("s")).status == 401
    assert one.get(EXACT.format("s"), headers=bearer).json()["total_views"] == 1
    link = run("reporting", "--share", "s", cwd=tmp_path, env={"REPORTING_TOKEN": token}).stdout
    shared = (("Authorization", f"Bearer {link.strip().split('#key=')[1]}"),)
    for target in FILTERED[:1] + (FILTERED[1].replace("prop:a==b", "page==/;country==DE"),):
        assert one.get(target, headers=shared).error == "raw events need a token"
        assert one.get(target, headers=bearer).status == 200
    assert one.get("/stats/aggregate?site_id=s&filters=page==/&metrics=visitors",
                   headers=shared).status == 200
    assert one.get("/stats/realtime?site_id=s", headers=shared).status == 200
    all_of_them = start(daemons, database)
    assert all_of_them.get(EXACT.format("s")).json()["total_views"] == 1
