"""A Redis that misbehaves: one that answers every PING in the right way and everything else
as a test wants it."""
import socket
import struct
import threading

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
