"""ingestion under trouble: Redis away in every way, the end under load, full limits."""
import contextlib
import json
import re
import signal
import socket
import time

import pytest

from support.events import event
from support.fake_redis import FakeRedis
from support.http import Connection, build
from support.judge import Judge
from support.load import Load
from support.process import free_port
from support.redis_server import QUEUE
from support.settings import patience, scaled
from support.spool import IN_TIME, metric, posts, queued_ids, refused_in_time
from support.wait import wait_until


def wait_ok(ingestion, timeout=10):
    """Until an event is accepted again, by itself."""
    wait_until(lambda: ingestion.post_event(event()).status == 200, timeout,
               lambda: f"events to be accepted again\n{ingestion.story()}")


# --- Redis is away --------------------------------------------------------------------------

@pytest.fixture
def server(private_redis):
    return private_redis()


@pytest.fixture
def ingestion(daemons, server):
    return daemons.start("ingestion", REDIS_URL=server.url)


def test_redis_is_down_at_the_start(daemons, private_redis):
    server = private_redis(running=False)
    ingestion = daemons.start("ingestion", wait=False, REDIS_URL=server.url).wait_alive()
    refused_in_time(ingestion)
    server.start()
    wait_ok(ingestion)


HARM = {
    "stopped": (lambda server: server.stop(), lambda server: server.start()),
    "killed": (lambda server: server.kill(), lambda server: server.start()),
    "paused": (lambda server: server.pause(), lambda server: server.resume()),
    "no memory": (lambda server: server.client().config_set("maxmemory", "1"),
                  lambda server: server.client().config_set("maxmemory", "0")),
    "read-only": (lambda server: server.client().replicaof("127.0.0.1", "1"),
                  lambda server: server.client().replicaof("NO", "ONE")),
    "password set": (
        lambda server: (server.client().config_set("requirepass", "x"),
                        server.client(password="x").client_kill_filter(_type="normal",
                                                                       skipme=True)),
        lambda server: server.client(password="x").config_set("requirepass", "")),
    "wrong type": (lambda server: (server.client().delete(QUEUE),
                                   server.client().set(QUEUE, "x")),
                   lambda server: server.client().delete(QUEUE)),
    "writes paused": (lambda server: server.client().execute_command(
        "CLIENT", "PAUSE", "600000", "WRITE"),
        lambda server: server.client().execute_command("CLIENT", "UNPAUSE")),
}


@pytest.mark.parametrize("harm, heal", HARM.values(), ids=HARM.keys())
def test_503_in_time_while_redis_is_away_and_back_by_itself(server, ingestion, harm, heal):
    assert ingestion.post_event(event()).status == 200
    harm(server)
    for _ in range(3):
        refused_in_time(ingestion)
    assert ingestion.get("/healthz").status == 200
    heal(server)
    wait_ok(ingestion)


@pytest.mark.parametrize("how, appendfsync", [
    ("stopped", "everysec"), ("paused", "everysec"), ("killed", "always"),
    ("killed", "everysec")])
def test_no_acknowledged_event_is_lost_when_redis_goes(daemons, private_redis, how,
                                                       appendfsync):
    """Under load; what was answered 200 is in the queue afterwards, in Redis's own file.
    With everysec Redis replies before it writes while an fsync is under way; ingestion
    answers only once it has written (REDIS_CONFIRMS_WRITE)."""
    server = private_redis(appendfsync=appendfsync)
    ingestion = daemons.start("ingestion", REDIS_URL=server.url)
    harm, heal = HARM[how]
    judge = Judge()
    load = Load(ingestion.port, posts(), connections=32, judge=judge, reconnect=True).start()
    try:
        for _ in range(2):
            more = judge.statuses[200] + scaled(1000)
            wait_until(lambda: judge.statuses[200] > more, 20, "events to be acknowledged")
            refused = judge.statuses[503]
            harm(server)
            wait_until(lambda: judge.statuses[503] > refused, 20, "a 503")
            heal(server)
            wait_ok(ingestion)
    finally:
        load.stop()
        result = load.join()
    assert set(result.statuses) == {200, 503}
    assert result.percentile(1) < IN_TIME + patience(1)
    found = queued_ids(server)
    missing = judge.acknowledged - set(found)
    assert not missing, f"{len(missing)} of {len(judge.acknowledged)} acknowledged are lost"
    assert set(found) - set(judge.attempted) == set(queued_ids_of_probes(server, judge))


def queued_ids_of_probes(server, judge):
    """Jobs of refused_in_time() and wait_ok(), which have an id given at the door (v7)."""
    return [i for i in queued_ids(server) if i not in judge.attempted and i[14] == "7"]


def test_many_waiting_requests_all_get_their_answer(server, ingestion):
    """500 at once while Redis is paused: each a 503 in time; when it comes back, 200."""
    server.pause()
    connections = [Connection(ingestion.port, timeout=patience(10)) for _ in range(500)]
    try:
        began = time.monotonic()
        for connection in connections:
            connection.send(build("POST", "/event", event()))
        for connection in connections:
            assert connection.read_response().status == 503
        assert time.monotonic() - began < IN_TIME + patience(1)
        for connection in connections:
            connection.send(build("POST", "/event", event()))
        server.resume()
        statuses = {connection.read_response().status for connection in connections}
        assert statuses == {200}
    finally:
        for connection in connections:
            connection.close()


def test_what_waits_for_redis_is_bounded(daemons, private_redis):
    """1 MB may wait; 8 KB events beyond it are refused at once, and memory stays."""
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1,
                              PENDING_MAX_BYTES=1048576, ENQUEUE_TIMEOUT_MS=1000,
                              REDIS_TIMEOUT_MS=10000)
    body = json.dumps(event(path="x" * 2048, user_id="ä" * 255))
    assert ingestion.post_event(body).status == 200
    server.pause()
    before = ingestion.rss_kib()
    data = build("POST", "/event", body)
    result = Load(ingestion.port, [data] * 3000, connections=600, pipeline=5).run()
    assert set(result.statuses) == {503}
    assert ingestion.rss_kib() - before < patience(60) * 1024
    assert sorted(result.latencies)[len(result.latencies) // 10] < patience(1)  # at once
    server.resume()
    wait_ok(ingestion)


def test_events_before_a_short_pause_of_redis_are_answered_after_it(daemons, private_redis):
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, REDIS_TIMEOUT_MS=2000)
    ingestion.post_event(event())
    server.pause()
    with Connection(ingestion.port, timeout=patience(10)) as connection:
        connection.send(build("POST", "/event", event()))
        assert not connection.is_closed_within(0.2)
        server.resume()
        assert connection.read_response().status == 200


@pytest.mark.parametrize("options", [
    {"appendfsync": "always"}, {"requirepass": "s3cr:t/@"}], ids=["always", "password"])
def test_other_settings_of_redis(daemons, private_redis, options):
    server = private_redis(**options)
    url = server.url.replace("s3cr:t/@@", "s3cr%3at%2f%40@")
    ingestion = daemons.start("ingestion", REDIS_URL=url)
    judge = Judge()
    result = Load(ingestion.port, posts(scaled(2000)), connections=16, judge=judge).run()
    assert set(result.statuses) == {200}
    assert set(queued_ids(server)) == judge.acknowledged
    assert "s3cr" not in ingestion.stderr() + ingestion.stdout()


def test_unix_socket_and_database_number(daemons, private_redis):
    server = private_redis()
    for url, number in ((server.unix_url, 0), (server.url + "/3", 3),
                        (server.unix_url + "?db=5", 5)):
        ingestion = daemons.start("ingestion", REDIS_URL=url)
        assert ingestion.post_event(event()).status == 200
        assert server.client(db=number).llen(QUEUE) == 1, url


def test_a_wrong_password_is_said_and_not_shown(daemons, private_redis):
    server = private_redis(requirepass="right")
    ingestion = daemons.start("ingestion", wait=False, REDIS_URL=server.url.replace(
        "right", "wrongwrong")).wait_alive()
    refused_in_time(ingestion)
    ingestion.wait_log(r" warn .*reason=.*(?i:password|auth)")
    assert "wrongwrong" not in ingestion.stderr()


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_any_number_of_threads(daemons, server, threads):
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=threads)
    judge = Judge()
    result = Load(ingestion.port, posts(scaled(8000)), connections=64, judge=judge).run()
    assert set(result.statuses) == {200}
    assert sorted(queued_ids(server)) == sorted(judge.acknowledged)


@pytest.mark.parametrize("setting", [{"GROUP_MAX_EVENTS": 1}, {"GROUP_MAX_EVENTS": 7},
                                     {"GROUPS_IN_FLIGHT": 8}, {"GROUP_LINGER_MS": 0},
                                     {"GROUP_LINGER_MS": 100}, {"GROUP_POLL_US": 0},
                                     {"GROUP_POLL_US": 1000}], ids=str)
def test_any_size_of_groups(daemons, server, setting):
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, **setting)
    judge = Judge()
    result = Load(ingestion.port, posts(scaled(4000)), connections=64, judge=judge).run()
    assert set(result.statuses) == {200}
    assert sorted(queued_ids(server)) == sorted(judge.acknowledged)


def test_a_loop_that_does_not_sleep_behind_a_group_sleeps_soon(daemons, server):
    """It looks for Redis's answer for GROUP_POLL_US, not until it comes."""
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1,
                              GROUP_POLL_US=1000, GROUPS_IN_FLIGHT=64,
                              ENQUEUE_TIMEOUT_MS=8000, REDIS_TIMEOUT_MS=8000)
    server.pause()
    load = Load(ingestion.port, posts(32), connections=32)
    load.start()
    wait_until(lambda: metric(ingestion, "pending_events") == 32, 10,
               "all to wait for Redis")
    cpu, began = ingestion.cpu_seconds(), time.monotonic()
    wait_until(lambda: time.monotonic() - began > 1, 10, "a second to pass")
    used, passed = ingestion.cpu_seconds() - cpu, time.monotonic() - began
    server.resume()
    assert set(load.join().statuses) == {200}
    assert used < 0.2 * passed, f"{used:.2f} s of processor time in {passed:.2f} s"


def test_it_is_quiet_at_normal_load(ingestion):
    ingestion.wait_log("listening")  # written by another thread than the one that answers
    lines = len(ingestion.log_lines())
    bodies = [event(), b"{", event(zzz=1), b"\xff", event(path="a\nb")]
    events = [build("POST", "/event", body) for body in bodies] * scaled(200)
    Load(ingestion.port, events, connections=8).run()
    ingestion.get("/a%0aFAKE%20line")
    assert len(ingestion.log_lines()) == lines, ingestion.stderr()
    assert ingestion.stdout() == ""


# --- a Redis that misbehaves ------------------------------------------------------------------

@pytest.mark.parametrize("reply", [
    b"-ERR unknown\r\n", b"-LOADING Redis is loading\r\n", b"-MISCONF disk\r\n",
    b"-BUSY script\r\n", b"-MOVED 1 x:1\r\n", b"-NOAUTH x\r\n", b"+OK", b":", b"", None,
    b"garbage\r\n", b"\0\0\0\0\r\n", b"$-7\r\n", b"*99999999999\r\n", b"+OK\r\n", b"$-1\r\n",
    b"*-1\r\n", b"*0\r\n", b"$3\r\nabc\r\n", b":x\r\n",
], ids=ascii)
def test_no_reply_of_redis_but_a_count_is_an_acknowledgement(daemons, reply):
    with FakeRedis() as fake:
        fake.reply = reply
        ingestion = daemons.start("ingestion", wait=False, INGEST_THREADS=1,
                                  REDIS_URL=fake.url).wait_alive()
        refused_in_time(ingestion)
        assert ingestion.get("/healthz").status == 200
        fake.reply = b":1\r\n"
        wait_ok(ingestion)


@pytest.mark.parametrize("extra", [b"+unasked\r\n", b":5\r\n:6\r\n", b"-ERR unasked\r\n"],
                         ids=ascii)
def test_replies_nobody_asked_for_do_not_end_the_process(daemons, extra):
    with FakeRedis() as fake:
        fake.greeting = extra
        ingestion = daemons.start("ingestion", wait=False, INGEST_THREADS=1,
                                  REDIS_URL=fake.url).wait_alive()
        with contextlib.suppress(OSError):
            ingestion.post_event(event())
        fake.greeting = b""
        fake.reply = b":1\r\n" + extra
        with contextlib.suppress(OSError):
            ingestion.post_event(event())
        fake.reply = b":1\r\n"
        wait_ok(ingestion)


# --- the end --------------------------------------------------------------------------------

def test_sigterm_under_load(server, ingestion):
    """Acknowledged events are in the queue, exit 0 in time."""
    judge = Judge()
    load = Load(ingestion.port, posts(), connections=64, judge=judge).start()
    wait_until(lambda: judge.statuses[200] > scaled(3000), 20, "the load to flow")
    took = ingestion.stop()
    result = load.join()
    print(f"\nSIGTERM under load: {took:.2f} s, {result}")
    assert set(result.statuses) <= {200, 503}
    assert judge.acknowledged <= set(queued_ids(server))
    assert judge.statuses[None] == 0, f"{judge.statuses[None]} requests without an answer"


@contextlib.contextmanager
def waiting(ingestion, server, count=50):
    """So many requests that wait for a paused Redis."""
    ingestion.post_event(event())
    server.pause()
    connections = [Connection(ingestion.port, timeout=patience(10)) for _ in range(count)]
    try:
        for connection in connections:
            connection.send(build("POST", "/event", event()))
        assert not connections[-1].is_closed_within(0.1)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def test_sigterm_answers_whoever_waits_for_redis(daemons, private_redis):
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, REDIS_TIMEOUT_MS=5000,
                              ENQUEUE_TIMEOUT_MS=5000)
    with waiting(ingestion, server) as connections:
        ingestion.signal(signal.SIGTERM)
        ingestion.wait_log("stopping")
        server.resume()
        for connection in connections:
            assert connection.read_response().status == 200
        for connection in connections:
            assert connection.is_closed_within(patience(5))
        assert ingestion.wait_exit() == 0
    assert server.queue_length() == 51


def test_sigterm_answers_503_when_redis_stays_away(daemons, private_redis):
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, REDIS_TIMEOUT_MS=60000,
                              ENQUEUE_TIMEOUT_MS=60000)
    with waiting(ingestion, server) as connections:
        ingestion.signal(signal.SIGTERM)
        for connection in connections:
            answer = connection.read_response()
            assert answer.status == 503 and int(answer.header("Retry-After")) >= 1
        assert ingestion.wait_exit() == 0


def test_sigterm_lets_a_request_that_has_begun_end(ingestion, server):
    data = build("POST", "/event", event())
    with Connection(ingestion.port, timeout=patience(10)) as half, \
            Connection(ingestion.port, timeout=patience(10)) as idle:
        half.send(data[:-10])
        assert idle.request("POST", "/event", event()).status == 200
        ingestion.signal(signal.SIGTERM)
        assert idle.is_closed_within(patience(3))
        half.send(data[-10:])
        answer = half.read_response()
        assert (answer.status, answer.header("Connection").lower()) == (200, "close")
        assert ingestion.wait_exit() == 0
    assert server.queue_length() == 2


def test_sigterm_does_not_wait_for_slow_clients(ingestion):
    with Connection(ingestion.port) as silent, Connection(ingestion.port) as slow:
        slow.send(build("POST", "/event", event())[:-1])
        assert ingestion.get("/healthz").status == 200
        assert ingestion.stop() < patience(5)
        assert silent.is_closed_within(1) and slow.is_closed_within(1)


def test_a_second_signal_ends_it_at_once(daemons, private_redis):
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, REDIS_TIMEOUT_MS=60000,
                              ENQUEUE_TIMEOUT_MS=60000)
    with waiting(ingestion, server, 3):
        ingestion.signal(signal.SIGTERM)
        ingestion.wait_log("stopping")
        assert ingestion.is_running
        ingestion.signal(signal.SIGTERM)
        assert ingestion.wait_exit(0.5) != 0
    ingestion.process = None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_end_it(ingestion, number):
    ingestion.signal(number)
    assert ingestion.wait_exit() == 0


def test_a_killed_ingestion_has_lost_nothing_that_it_acknowledged(server, ingestion):
    judge = Judge()
    load = Load(ingestion.port, posts(), connections=32, judge=judge, reconnect=True).start()
    try:
        for _ in range(3):
            more = judge.statuses[200] + scaled(500)
            wait_until(lambda: judge.statuses[200] > more, 20, "events to be acknowledged")
            ingestion.kill9()
            ingestion.start()
    finally:
        load.stop()
        load.join()
    assert judge.acknowledged <= set(queued_ids(server)) <= set(judge.attempted)


# --- a taken port -----------------------------------------------------------------------------

def test_a_taken_port(daemons, server):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        ingestion = daemons.make("ingestion", REDIS_URL=server.url, PORT=port)
        ingestion.expected_exit = 1
        ingestion.start(wait=False)
        assert ingestion.wait_exit() == 1
    assert re.search(rf"could not listen on port {port}: Address already in use",
                     ingestion.stderr())
