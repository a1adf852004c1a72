"""Ingestion against a Redis that misbehaves: bytes that are no protocol, replies that
nobody asked for, half replies, silence, resets.  It must never answer a false 200, never
end, and serve again as soon as the real thing is there.
"""
import socket
import struct
import threading
import time

import pytest

from support.events import event
from support.process import free_port

PONG = b"+PONG\r\n"


class FakeRedis:
    """Answers PING in the right way and everything else with `answer`, which gets the
    socket and returns False to have it closed."""

    def __init__(self, answer):
        self.answer = answer
        self.pushes = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn:
            try:
                while self.step(conn):
                    pass
            except OSError:
                pass

    def step(self, conn):
        data = conn.recv(1 << 20)
        if not data:
            return False
        if b"LPUSH" not in data:
            conn.sendall(PONG * data.count(b"PING"))
            return True
        self.pushes += 1
        return self.answer(conn)

    def close(self):
        self.listener.close()


def garbage(conn):
    conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    return True


def unasked(conn):
    conn.sendall(b"-ERR no\r\n" + b":1\r\n" * 5)
    return True


def half(conn):
    conn.sendall(b":1")
    return False


def silence(conn):
    return conn.recv(1) != b""


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def endless(conn):
    while True:
        conn.sendall(b"$1000000000\r\n" + b"x" * 65536)


def wrong_type(conn):
    conn.sendall(b"$2\r\nok\r\n")
    return True


def nested(conn):
    conn.sendall(b"*1\r\n" * 100 + b":1\r\n")
    return True


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
