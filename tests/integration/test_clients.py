"""Clients that are slow, silent, gone or too many: each is held to a deadline or a limit,
and nobody else notices."""
import pathlib
import socket
import time

import pytest

from support.events import event
from support.http import Closed, Connection, build
from support.metrics import scrape
from support.settings import patience
from support.wait import wait_until

TIMEOUT = 0.6  # of what is tested
LONG = 60000   # ms, of everything else


@pytest.fixture
def start(daemons, redis):
    """ingestion with long timeouts but for those named."""
    def start(**settings):
        named = {f"{name}_TIMEOUT_MS": LONG for name in ("IDLE", "HEADER", "BODY", "WRITE")}
        return daemons.start("ingestion", REDIS_URL=redis.url, **{**named, **settings})
    return start


def cut_after(connection, began):
    """Waits until the server closes; checks that it was at the deadline."""
    assert connection.is_closed_within(patience(10)), "it was not cut"
    took = time.monotonic() - began
    assert TIMEOUT * 0.8 < took < TIMEOUT + patience(1), f"cut after {took:.2f} s"


def drip(connection, data, every=0.05):
    """Sends a byte now and then until the server has had enough; returns when that was."""
    for at in range(len(data)):
        try:
            connection.send(data[at:at + 1])
        except OSError:
            return time.monotonic()
        if connection.is_closed_within(every):
            return time.monotonic()
    raise AssertionError("the server took it all")


def is_told(connection, status):
    """The one answer that comes before the end."""
    answer = connection.read_response()
    assert answer.status == status and answer.header("Connection") == "close", answer
    assert answer.error and connection.read_to_end(patience(5)) == b""


def test_an_idle_connection_is_closed(start):
    ingestion = start(IDLE_TIMEOUT_MS=int(TIMEOUT * 1000))
    began = time.monotonic()
    with Connection(ingestion.port) as silent:
        cut_after(silent, began)
    with Connection(ingestion.port) as used:
        assert used.request("POST", "/event", event()).status == 200
        cut_after(used, time.monotonic())


@pytest.mark.parametrize("pieces", [[b"P"], [b"POST /event HTTP/1.1\r\n", b"Host: x\r\n"],
                                    [b"POST /event HTTP/1.1\r\nX-Long: "]],
                         ids=["request line", "headers", "a header"])
def test_headers_have_a_deadline(start, pieces):
    """A byte now and then does not stretch it."""
    settings = {"HEADER_TIMEOUT_MS": int(TIMEOUT * 1000),
                "IDLE_TIMEOUT_MS": int(TIMEOUT * 1000)}
    ingestion = start(**settings)
    with Connection(ingestion.port) as slow:
        began = time.monotonic()
        for piece in pieces:
            slow.send(piece)
        ended = drip(slow, b"a" * 1000)
        assert TIMEOUT * 0.8 < ended - began < TIMEOUT + patience(1)
        is_told(slow, 408)


@pytest.mark.parametrize("headers, body", [
    ([("Content-Length", "1000")], b" " * 999),
    ([("Transfer-Encoding", "chunked")], b"1\r\n \r\n" * 500),
    ([("Content-Length", "1000"), ("Content-Encoding", "gzip")],
     b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0" * 900)], ids=["length", "chunks", "gzip"])
def test_a_body_has_a_deadline(start, headers, body):
    ingestion = start(BODY_TIMEOUT_MS=int(TIMEOUT * 1000))
    with Connection(ingestion.port) as slow:
        began = time.monotonic()
        slow.send(build("POST", "/event", b"", headers))
        ended = drip(slow, body)
        assert TIMEOUT * 0.8 < ended - began < TIMEOUT + patience(1)
        is_told(slow, 408)


def test_a_refused_body_has_a_deadline_too(start):
    """413 was said already; the rest is read only for so long."""
    ingestion = start(BODY_TIMEOUT_MS=int(TIMEOUT * 1000))
    with Connection(ingestion.port) as slow:
        began = time.monotonic()
        slow.send(build("POST", "/event", b"", [("Content-Length", "10000000")]))
        slow.send(b" " * 200_000)
        ended = drip(slow, b" " * 1000)
        assert ended - began < TIMEOUT + patience(2)
        is_told(slow, 413)


@pytest.mark.parametrize("length", [102_401, 10_000_000, 20_000_000, 10**15])
@pytest.mark.parametrize("encoding", [[], [("Content-Encoding", "gzip")]],
                         ids=["plain", "gzip"])
def test_a_length_that_is_too_much_is_refused_before_the_body_comes(start, length, encoding):
    if encoding and length < 200_000:
        length = 200_000  # a packed body has some room for what does not pack
    ingestion = start()  # no deadline helps
    with Connection(ingestion.port, timeout=patience(10)) as silent:
        silent.send(build("POST", "/event", b"", [("Content-Length", str(length)), *encoding]))
        answer = silent.read_response()
        assert answer.status == 413 and answer.header("Connection") == "close"
        assert answer.error and silent.read_to_end(patience(5)) == b""
    with Connection(ingestion.port, timeout=patience(10)) as sender:
        sender.send(build("POST", "/event", b"", [("Content-Length", str(length)), *encoding]))
        for _ in range(min(length // 50_000, 100)):
            sender.send(b" " * 50_000)  # all is taken, so that the answer can be read
        assert sender.read_response().status == 413


@pytest.mark.parametrize("target, headers, status", [
    ("/nowhere", [], 404), ("/event", [("Content-Encoding", "br")], 415),
    ("/event", [("Content-Type", "text/plain; charset=latin1")], 415)])
def test_a_deadline_tells_what_was_decided_by_the_headers(start, target, headers, status):
    ingestion = start(BODY_TIMEOUT_MS=int(TIMEOUT * 1000))
    with Connection(ingestion.port, timeout=patience(10)) as silent:
        silent.send(build("POST", target, b"", [("Content-Length", "1000"), *headers]))
        is_told(silent, status)


def test_a_body_without_end_is_told_so(start):
    """Of chunks no length is known: they are read up to MAX_DRAIN_BYTES."""
    ingestion = start(MAX_DRAIN_BYTES=300_000)
    with Connection(ingestion.port, timeout=patience(10)) as sender:
        sender.send(build("POST", "/event", b"", [("Transfer-Encoding", "chunked")]))
        with pytest.raises(OSError):
            while not sender.is_closed_within(0.01):
                sender.send(b"2710\r\n" + b" " * 10_000 + b"\r\n")
            raise OSError
        is_told(sender, 413)


def test_an_answer_of_a_deadline_comes_after_those_before_it(start):
    """The head of the second request is cut short, its deadline is its own."""
    ingestion = start(HEADER_TIMEOUT_MS=int(TIMEOUT * 1000))
    with Connection(ingestion.port, timeout=patience(10)) as slow:
        slow.send(build("POST", "/event", event()) + b"POST /event HT")
        assert slow.read_response().status == 200
        is_told(slow, 408)


def test_a_deadline_after_the_interim_answer(start):
    ingestion = start(BODY_TIMEOUT_MS=int(TIMEOUT * 1000))
    with Connection(ingestion.port, timeout=patience(10)) as slow:
        slow.send(build("POST", "/event", b"", [("Content-Length", "5"),
                                                ("Expect", "100-continue")]))
        assert slow.read_response(skip_continue=False).status == 100
        is_told(slow, 408)


def test_a_client_that_does_not_read_has_a_deadline(start):
    """Answers pile up until no more fit; then the deadline runs."""
    ingestion = start(WRITE_TIMEOUT_MS=int(TIMEOUT * 1000))
    with Connection(ingestion.port) as deaf:
        data = build("GET", "/healthz") * 200
        deaf.socket.settimeout(patience(20))
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(10_000):
                deaf.send(data)
    assert ingestion.post_event(event()).status == 200


def test_good_clients_do_not_notice_the_slow_ones(start):
    ingestion = start(HEADER_TIMEOUT_MS=5000, INGEST_THREADS=1)
    slow = [Connection(ingestion.port) for _ in range(300)]
    try:
        for number, connection in enumerate(slow):
            connection.send((b"POST /event HTTP/1.1\r\nX: ",
                             build("POST", "/event", event())[:-5])[number % 2])
        with Connection(ingestion.port, timeout=patience(5)) as good:
            for number in range(200):
                began = time.monotonic()
                assert good.request("POST", "/event", event()).status == 200
                assert time.monotonic() - began < patience(0.5)
                slow[number].send(b"a")
    finally:
        for connection in slow:
            connection.close()


# --- clients that are gone --------------------------------------------------------------------

def test_a_client_that_has_half_closed_gets_its_answer(start, redis):
    """Also while an older connection is idle.  (Of requests that wait by being suspended
    libmicrohttpd forgets the answer then, which is why parking is the default.)"""
    ingestion = start(INGEST_THREADS=1)
    with Connection(ingestion.port) as older:
        halves = []
        for _ in range(30):
            assert older.request("POST", "/event", event()).status == 200
            half = Connection(ingestion.port, timeout=patience(5))
            half.send(build("POST", "/event", event()))
            half.half_close()
            assert half.read_response().status == 200
            halves.append(half)
        for half in halves:
            assert half.is_closed_within(patience(10))
            half.close()
    assert redis.queue_length() == 60


@pytest.mark.parametrize("cut, status, phase", [
    (None, 200, None), (-5, None, "body"), (20, None, "headers")])
def test_an_end_in_the_same_segment_as_the_last_bytes_is_seen(start, cut, status, phase):
    """Which libmicrohttpd does not read: edge-triggered, after a short read."""
    ingestion = start()
    with Connection(ingestion.port, timeout=patience(20)) as half:
        half.socket.send(build("POST", "/event", event())[:cut], socket.MSG_MORE)
        half.half_close()
        if status:
            assert half.read_response().status == status
        assert half.read_to_end(patience(20)) == b""
    if phase:
        wait_until(lambda: scrape(ingestion).value(
            "analytics_ingestion_requests_unanswered_total", phase=phase) == 1, 10)


@pytest.mark.parametrize("way", ["park", "suspend"])
@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_clients_that_leave_while_they_wait_leave_nothing_behind(
        start, daemons, private_redis, way, how):
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1,
                              REQUEST_WAIT=way)
    ingestion.post_event(event())
    before = ingestion.open_files()
    server.pause()
    connections = [Connection(ingestion.port) for _ in range(50)]
    for connection in connections:
        connection.send(build("POST", "/event", event()))
    assert not connections[0].is_closed_within(0.1)
    for connection in connections:
        getattr(connection, how)()
    server.resume()
    if how == "half_close" and way == "park":
        for connection in connections:
            assert connection.read_response().status == 200
            connection.close()
    wait_until(lambda: server.queue_length() == 51, 10, "every event to be queued")
    wait_until(lambda: ingestion.open_files() <= before, 10, "the connections to be closed")
    assert ingestion.post_event(event()).status == 200


def test_a_client_that_resets_in_the_middle(start):
    ingestion = start()
    data = build("POST", "/event", event())
    for cut in range(0, len(data), 7):
        connection = Connection(ingestion.port)
        connection.send(data[:cut])
        connection.reset()
    assert ingestion.post_event(event()).status == 200


# --- too many ---------------------------------------------------------------------------------

def connections_at(port):
    """How many the server of a port has, those that their client has closed included."""
    local = f":{port:04X}"
    lines = [line.split() for table in ("tcp", "tcp6")
             for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:]]
    return sum(line[1].endswith(local) and line[3] in ("01", "08") for line in lines)


@pytest.fixture
def start_empty(start):
    """ingestion without the connection by which it was asked whether it is ready."""
    def start_empty(**settings):
        ingestion = start(INGEST_THREADS=1, **settings)
        wait_until(lambda: connections_at(ingestion.port) == 0, 10, "the question to be over")
        return ingestion
    return start_empty


def test_beyond_the_limit_one_waits_while_all_are_at_work(start_empty):
    """A few more than the limit are taken; those after them wait until one leaves."""
    ingestion = start_empty(MAX_CONNECTIONS=20)
    half = build("POST", "/event", event())[:-1]
    inside = []
    for _ in range(21):
        inside.append(Connection(ingestion.port, timeout=patience(5)))
        inside[-1].send(half)
    outside = Connection(ingestion.port, timeout=patience(5))
    outside.send(build("POST", "/event", event()))
    with pytest.raises((TimeoutError, Closed)):
        outside.read_response(timeout=0.3)
    for connection in inside:
        connection.send(b"}")
        assert connection.read_response().status == 200
    assert outside.read_response().status == 200
    for connection in [*inside, outside]:
        connection.close()


def test_whose_next_request_has_come_does_not_give_way(start):
    """With both read at once it waits in the library's memory, where the kernel has none."""
    ingestion = start(MAX_CONNECTIONS=10, INGEST_THREADS=1)
    whole = build("POST", "/event", event())
    inside = []
    for _ in range(11):
        inside.append(Connection(ingestion.port, timeout=patience(5)))
        inside[-1].send(whole[:-1])
    inside[-1].send(b"}" + whole + whole)
    for _ in range(3):
        assert inside[-1].read_response().status == 200
    for connection in inside[:-1]:
        connection.send(b"}")
        assert connection.read_response().status == 200
        connection.close()
    inside[-1].close()


@pytest.mark.parametrize("served", [False, True], ids=["new", "served"])
def test_the_connection_that_is_idle_longest_gives_way(start_empty, served):
    ingestion = start_empty(MAX_CONNECTIONS=10)
    idle = [Connection(ingestion.port, timeout=patience(5)) for _ in range(10)]
    if served:
        for connection in reversed(idle):
            assert connection.request("POST", "/event", event()).status == 200
        idle.reverse()
    busy = idle.pop(0)  # the oldest of all, but at work
    busy.send(build("POST", "/event", event())[:-1])
    for _ in range(5):
        oldest = idle.pop(0)
        idle.append(Connection(ingestion.port, timeout=patience(5)))
        assert idle[-1].request("POST", "/event", event()).status == 200
        assert oldest.is_closed_within(patience(5))
        assert not idle[0].is_closed_within(0.01)
    busy.send(b"}")
    assert busy.read_response().status == 200
    for connection in [*idle, busy]:
        connection.close()


def test_a_head_that_takes_too_long_gives_way_when_nobody_is_idle(start_empty):
    ingestion = start_empty(MAX_CONNECTIONS=10, HEADER_TIMEOUT_MS=60000)
    slow = [Connection(ingestion.port) for _ in range(11)]
    for connection in slow:
        connection.send(b"POST /event HTTP/1.1\r\nHost: x\r\n")
    for _ in range(3):
        assert ingestion.post_event(event(), timeout=patience(10)).status == 200
    for connection in slow:
        connection.close()


def test_when_files_run_out_it_neither_spins_nor_ends(daemons, redis):
    """100 connections at a process that may have 90 files; the processor time it takes
    until the idle ones are closed says whether it spins."""
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=2, nofile=90,
                              IDLE_TIMEOUT_MS=2000)
    many = [Connection(ingestion.port) for _ in range(100)]
    cpu, began = ingestion.cpu_seconds(), time.monotonic()
    wait_until(lambda: many[0].is_closed_within(0.01), 10, "the first to be closed")
    assert ingestion.cpu_seconds() - cpu < 0.3 * (time.monotonic() - began) + 0.1
    for connection in many:
        connection.close()
    wait_until(lambda: ingestion.post_event(event()).status == 200, 10, retry=(OSError,))
    assert len(ingestion.log_lines()) < 50
