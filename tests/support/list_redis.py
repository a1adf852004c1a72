"""A Redis of one list, in this process: it takes LPUSH, or refuses it with any error."""
import socket
import threading


class ListRedis:
    """`error` (b"OOM ..."), while it is set, is the reply to every LPUSH; `cut` closes the
    connection in the place of the reply, after the jobs were taken."""

    def __init__(self):
        self.error = None
        self.cut = False
        self.jobs = []  # as they were pushed
        self.refused = 0
        self.lock = threading.Lock()
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
        with conn, conn.makefile("rb") as stream:
            try:
                while self.answer(conn, self.command(stream)):
                    pass
            except (OSError, ValueError):
                pass  # the peer is gone

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

    def answer(self, conn, words):
        with self.lock:
            if words[0] == b"PING":
                reply = b"+PONG\r\n"
            elif words[0] == b"LLEN":
                reply = b":%d\r\n" % len(self.jobs)
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

    def close(self):
        self.listener.close()
