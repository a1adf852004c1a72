"""A Redis that misbehaves: it answers every PING and /readyz in the right way, and every
LPUSH as a test wants it."""
import contextlib
import re
import socket
import struct
import threading

PONG = b"+PONG\r\n"
WRITTEN = b"$23\r\naof_pending_bio_fsync:0\r\n"  # to INFO: nothing is put off

ASKED = {b"PING": PONG, b"SET": b"$-1\r\n", b"LLEN": b":0\r\n"}


SALT = re.compile(rb"\*7\r\n\$3\r\nSET\r\n\$\d+\r\n\{events\}:salt:[\d-]+\r\n\$16\r\n.{16}\r\n"
                  rb"\$2\r\nNX\r\n\$3\r\nGET\r\n\$2\r\nEX\r\n\$6\r\n172800\r\n", re.DOTALL)


def healthy(data):
    """What a Redis that is well and has an empty queue answers to PING and to the questions
    of /readyz."""
    return [ASKED[word] for word in re.findall(rb"\r\n(PING|SET|LLEN)\r\n", data)]


class FakeRedis:
    """Each connection is served by a thread of its own.

    An LPUSH is for `answer`, which gets the socket and returns False to have it closed.
    Without one it is answered with `reply`, and what INFO comes with it says that all is
    written; half a reply, or none, ends the connection.  `greeting` is said unasked.  Other
    kinds of Redis override serve() or step(); what they need must be there before this
    class's __init__ begins to accept."""

    def __init__(self, answer=None):
        self.answer = answer
        self.reply = b":1\r\n"
        self.greeting = b""
        self.pushes = self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.listener.close()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                threading.Thread(target=self._serve, args=(conn, self.connections),
                                 daemon=True).start()

    def _serve(self, conn, number):
        with contextlib.suppress(OSError), conn:
            conn.sendall(self.greeting)
            self.serve(conn, number)

    def serve(self, conn, number):
        """Until it returns; number is 1 for the first connection."""
        while data := conn.recv(1 << 20):
            data, salts = SALT.subn(b"", data)  # a day's salt is always taken
            conn.sendall(b"$-1\r\n" * salts)
            if data and not self.step(conn, data):
                return

    def step(self, conn, data):
        """Answers what came; False closes the connection."""
        if b"LPUSH" not in data:
            conn.sendall(b"".join(healthy(data)))
            return True
        self.pushes += 1
        if self.answer:
            return self.answer(conn)
        reply = self.reply or b""
        conn.sendall(reply)
        if not reply.endswith(b"\n"):
            return False
        conn.sendall(WRITTEN * data.count(b"INFO"))
        return True


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
