"""Many connections at once: no stall, no error, nobody forgotten.

libmicrohttpd's own epoll thread stalls when a multiple of 128 connections is ready at
once; ours is driven from outside and must not.
"""
import json
import resource

import pytest

from support.events import event, new_id
from support.http import Connection, build
from support.judge import Judge
from support.load import Load, allow_connections
from support.settings import patience, scaled
from support.wait import wait_until

COUNTS = [1, 16, 64, 128, 256, 512, 1000]


@pytest.fixture(autouse=True)
def many_files():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    allow_connections(1000)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def run(port, events, count, **options):
    result = Load(port, events, connections=count, **options).run()
    print(f"\n{count} connections: {result}")
    assert not result.errors
    assert set(result.statuses) == {200}
    assert result.answers == len(events)
    # A stall showed as 100 requests/s, in waits of whole seconds.
    assert result.percentile(1) < patience(3)
    assert result.answers / result.seconds > 500 / patience(1)
    return result


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("threads", [1, 2])
def test_posts(daemons, redis, count, threads):
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=threads)
    body = json.dumps(event()).encode()
    data = build("POST", "/event", body)
    total = max(scaled(8000), 4 * count)
    run(ingestion.port, [data] * total, count)
    assert redis.queue_length() == total


@pytest.mark.parametrize("count", [64, 256, 1000])
def test_questions(daemons, database, count):
    reporting = daemons.start("reporting", DATABASE_URL=database.url)
    data = build("GET", "/stats?site_id=demo")
    run(reporting.port, [data] * max(scaled(4000), 2 * count), count)


def test_pipelined_posts(daemons, redis):
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url)
    data = build("POST", "/event", event())
    run(ingestion.port, [data] * scaled(20000), 32, pipeline=16)


def test_a_thousand_connections_through_the_whole_suite(stack):
    judge = Judge()
    events = [event(event_id=new_id(), path=f"/{n % 50}")
              for n in range(max(scaled(10000), 2000))]
    run(stack.ingestion.port, events, 1000, judge=judge)
    stack.settle()
    verdict = judge.assert_clean(stack.database)
    assert verdict.stored == len(events) and verdict.recovered == 0


def test_one_active_among_a_thousand_idle(daemons, redis):
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=2)
    idle = [Connection(ingestion.port) for _ in range(1000)]
    try:
        data = build("POST", "/event", event())
        result = run(ingestion.port, [data] * scaled(1000), 1)
        assert result.percentile(.5) < patience(0.05)
        for connection in idle[::50]:
            assert connection.request("POST", "/event", event()).status == 200
    finally:
        for connection in idle:
            connection.close()


def test_connections_that_come_and_go_leave_nothing(daemons, redis):
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url)
    before = ingestion.open_files()
    for _ in range(3):
        burst = [Connection(ingestion.port) for _ in range(200)]
        for number, connection in enumerate(burst):
            if number % 4 == 0:
                connection.send(b"POST /event HTTP/1.1\r\nHost")  # and never the rest
            if number % 4 == 1:
                connection.send(build("POST", "/event", event()))
            if number % 4 == 2:
                assert connection.request("POST", "/event", event()).status == 200
        for number, connection in enumerate(burst):
            connection.reset() if number % 2 else connection.close()
    wait_until(lambda: ingestion.open_files() <= before + 1, 10,
               lambda: f"{ingestion.open_files()} open files to become {before} again")
    assert ingestion.post_event(event()).status == 200


@pytest.mark.parametrize("name", ["X-{}: y", "X-{}: " + 20 * "y", "Cookie: a{}=" + 40 * "b"])
def test_what_is_stored_is_answered_whatever_the_headers(daemons, redis, name):
    """Also beside headers that are nearly too many; with still more of them it is refused."""
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, MAX_HEAD_BYTES=2048)
    statuses = []
    for count in range(0, 300, 5):
        extra = [tuple(name.format(number).split(": ")) for number in range(count)]
        with Connection(ingestion.port) as connection:
            connection.send(build("POST", "/event", event(), extra))
            statuses.append(connection.read_response().status)
    taken = statuses.count(200)
    assert statuses == taken * [200] + (len(statuses) - taken) * [431]
    assert 5 < taken < len(statuses) and redis.queue_length() == taken
