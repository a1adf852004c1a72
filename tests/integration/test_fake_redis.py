"""Ingestion against a Redis that misbehaves: bytes that are no protocol, replies that
nobody asked for, half replies, silence, resets.  It must never answer a false 200, never
end, and serve again as soon as the real thing is there.
"""
import re
import time

import pytest

from support.events import event
from support.fake_redis import (WRITTEN, FakeRedis, endless, garbage, half, healthy, nested,
                                reset, silence, unasked, wrong_type)
from support.wait import wait_until

NO_INFO = b"$0\r\n\r\n"  # INFO of a Redis without an append-only file


@pytest.fixture
def fake():
    servers = []

    def start(answer):
        servers.append(FakeRedis(answer))
        return servers[-1]
    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("wait", ["park", "suspend"])
@pytest.mark.parametrize("answer", [garbage, unasked, half, silence, reset, endless,
                                    wrong_type, nested], ids=lambda a: a.__name__)
def test_a_redis_that_misbehaves_is_never_a_200(daemons, fake, answer, wait):
    server = fake(answer)
    daemon = daemons.start("ingestion", REDIS_URL=server.url, ENQUEUE_TIMEOUT_MS=1000,
                           REDIS_TIMEOUT_MS=300, INGEST_THREADS=1, REQUEST_WAIT=wait)
    for _ in range(3):
        began = time.monotonic()
        response = daemon.post_event(event())
        assert response.status == 503, response
        assert response.header("Retry-After") == "1"
        assert time.monotonic() - began < 5
    assert server.pushes >= 1
    assert daemon.get("/healthz").status == 200


def test_a_redis_that_says_no_to_ping_is_not_ready(daemons):
    class Loading(FakeRedis):
        def step(self, conn, data):
            conn.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
            return False
    with Loading() as server:
        daemon = daemons.start("ingestion", wait=False, REDIS_URL=server.url,
                               ENQUEUE_TIMEOUT_MS=500)
        daemon.wait_alive()
        assert daemon.get("/readyz").status == 503
        assert daemon.post_event(event()).status == 503
        daemon.wait_log("LOADING")


def test_a_group_whose_reply_was_lost_is_sent_again(daemons, fake, redis):
    """The first connection is cut in the place of the reply; the request must be answered
    200 by the second, within its time."""
    def once(conn):
        if server.pushes == 1:
            return reset(conn)
        conn.sendall(b":1\r\n" + NO_INFO)
        return True
    server = fake(once)
    daemon = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1)
    assert daemon.post_event(event()).status == 200
    assert server.pushes == 2


UNDER_WAY = b"aof_last_write_status:ok\r\naof_pending_bio_fsync:1\r\n"
FAILED = b"aof_last_write_status:err\r\naof_pending_bio_fsync:0\r\n"


@pytest.mark.parametrize("not_yet", [UNDER_WAY, FAILED], ids=ascii)
def test_a_write_that_redis_puts_off_is_waited_for(daemons, not_yet):
    """While INFO speaks of an fsync under way, or of a write that has failed and is to be
    tried again, the reply to LPUSH is not believed."""
    done = b"aof_last_write_status:ok\r\naof_pending_bio_fsync:0\r\n"
    asked = []

    def bulk(text):
        return b"$%d\r\n%s\r\n" % (len(text), text)

    class Slow(FakeRedis):
        def step(self, conn, data):
            if b"LPUSH" in data:
                conn.sendall(b":1\r\n" + bulk(UNDER_WAY))
            elif b"INFO" in data:
                asked.append(time.monotonic())
                conn.sendall(bulk(not_yet if len(asked) < 50 else done))
            else:
                conn.sendall(b"".join(healthy(data)))
            return True
    with Slow() as server:
        daemon = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1)
        assert daemon.post_event(event()).status == 200
        assert len(asked) == 51  # the last says that the write did not fail
        asked.clear()
        daemon.stop()
        daemon = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1,
                               REDIS_CONFIRMS_WRITE="false")
        assert daemon.post_event(event()).status == 200
        assert not asked


class LateRedis(FakeRedis):
    """Answers as Redis does, but for one answer too many before the first LPUSH of its first
    connection; and keeps the last answer back until the next commands are there, so that
    what follows on that connection never catches up."""

    def __init__(self, extra):
        self.extra = extra
        super().__init__()

    def serve(self, conn, number):
        kept = b""
        while data := conn.recv(65536):
            answers = healthy(data)
            for command in re.findall(b"LPUSH|INFO", data):
                answers.append(WRITTEN if command == b"INFO" else self.reply)
            if number == 1 and b"LPUSH" in data:
                answers = ([] if kept else [self.extra]) + [kept] + answers
                kept = answers.pop()
            conn.sendall(b"".join(answers))


@pytest.mark.parametrize("extra,confirms", [(b"+unasked\r\n", 1), (b":5\r\n", 1),
                                            (b"-ERR unasked\r\n", 1), (b"+unasked\r\n", 0)],
                         ids=ascii)
def test_a_connection_out_of_step_is_made_anew(daemons, extra, confirms):
    with LateRedis(extra) as late:
        ingestion = daemons.start("ingestion", INGEST_THREADS=1, REDIS_CONFIRMS_WRITE=confirms,
                                  REDIS_URL=late.url)
        wait_until(lambda: ingestion.post_event(event()) and late.connections > 1, 10,
                   "a new connection")
        wait_until(lambda: ingestion.post_event(event()).status == 200, 10, ingestion.story)
        assert ingestion.post_event(event()).status == 200


@pytest.mark.parametrize("error", [b"-OOM command not allowed\r\n", b"-BUSY a script\r\n"],
                         ids=ascii)
def test_an_error_in_the_place_of_the_info_confirms_nothing(daemons, error):
    """It may be the answer to the LPUSH, and what stood in that one's place a stray count."""
    with LateRedis(b":5\r\n") as late:
        late.reply = error
        ingestion = daemons.start("ingestion", INGEST_THREADS=1, ENQUEUE_TIMEOUT_MS=500,
                                  REDIS_URL=late.url)
        for _ in range(5):
            assert ingestion.post_event(event()).status == 503
        late.reply = b":1\r\n"
        wait_until(lambda: ingestion.post_event(event()).status == 200, 10, ingestion.story)
