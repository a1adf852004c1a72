"""A Redis of one list, in this process: it takes LPUSH, or refuses it with any error."""
import contextlib
import threading

from support.fake_redis import PONG, FakeRedis


class ListRedis(FakeRedis):
    """`error` (b"OOM ..."), while it is set, is the reply to every LPUSH; `cut` closes the
    connection in the place of the reply, after the jobs were taken.  `probe` is the error that
    answers the SET of /readyz; None: nil, as of a Redis that writes."""

    def __init__(self):
        self.error = None
        self.probe = None
        self.cut = False
        self.jobs = []  # as they were pushed
        self.refused = 0
        self.lock = threading.Lock()
        super().__init__()

    def serve(self, conn, number):
        with conn.makefile("rb") as stream, contextlib.suppress(ValueError):  # the peer left
            while self.say(conn, self.command(stream)):
                pass

    @staticmethod
    def command(stream):
        def number(mark):
            line = stream.readline()
            if line[:1] != mark:
                raise ValueError(line)
            return int(line[1:])
        words = []
        for _ in range(number(b"*")):
            words.append(stream.read(number(b"$") + 2)[:-2])
        return words

    def say(self, conn, words):
        with self.lock:
            if words[0] == b"PING":
                reply = PONG
            elif words[0] == b"LLEN":
                reply = b":%d\r\n" % len(self.jobs)
            elif words[0] == b"SET":
                reply = b"$-1\r\n" if self.probe is None else b"-" + self.probe + b"\r\n"
            elif words[0] == b"LPUSH" and self.error:
                self.refused += 1
                reply = b"-" + self.error + b"\r\n"
            elif words[0] == b"LPUSH":
                self.jobs += words[2:]
                reply = b":%d\r\n" % len(self.jobs)
            else:
                reply = b"-ERR unknown command\r\n"
            if self.cut and words[0] == b"LPUSH":
                return False
        conn.sendall(reply)
        return True
