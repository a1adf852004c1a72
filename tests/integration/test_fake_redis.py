"""Ingestion against a Redis that misbehaves: bytes that are no protocol, replies that
nobody asked for, half replies, silence, resets.  It must never answer a false 200, never
end, and serve again as soon as the real thing is there.
"""
import socket
import threading
import time

import pytest

from support.events import event
from support.fake_redis import (FakeRedis, endless, garbage, half, nested, reset, silence,
                                unasked, wrong_type)
from support.process import free_port


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
    port = free_port()
    listener = socket.create_server(("127.0.0.1", port))

    def refuse():
        while True:
            try:
                conn, _ = listener.accept()
                conn.recv(1024)
                conn.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
                conn.close()
            except OSError:
                return
    threading.Thread(target=refuse, daemon=True).start()
    daemon = daemons.start("ingestion", wait=False, REDIS_URL=f"redis://127.0.0.1:{port}",
                           ENQUEUE_TIMEOUT_MS=500)
    daemon.wait_alive()
    assert daemon.get("/readyz").status == 503
    assert daemon.post_event(event()).status == 503
    daemon.wait_log("LOADING")
    listener.close()


def test_a_group_whose_reply_was_lost_is_sent_again(daemons, fake, redis):
    """The first connection is cut in the place of the reply; the request must be answered
    200 by the second, within its time."""
    def once(conn):
        if server.pushes == 1:
            return reset(conn)
        conn.sendall(b":1\r\n")
        return True
    server = fake(once)
    daemon = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1)
    assert daemon.post_event(event()).status == 200
    assert server.pushes == 2
