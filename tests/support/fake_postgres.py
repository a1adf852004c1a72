"""A Postgres that refuses every login with an error of the test's choice."""
import contextlib
import socket
import struct
import threading

SSL_REQUEST = 80877103
GSS_REQUEST = 80877104


class FakePostgres:
    def __init__(self, sqlstate, message):
        fields = f"SFATAL\0VFATAL\0C{sqlstate}\0M{message}\0\0".encode()
        self.refusal = b"E" + struct.pack("!I", len(fields) + 4) + fields
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    @property
    def url(self):
        return f"postgresql://u@127.0.0.1:{self.port}/d"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        with contextlib.suppress(OSError, struct.error), conn:
            while struct.unpack("!II", conn.recv(1 << 16)[:8])[1] in (SSL_REQUEST, GSS_REQUEST):
                conn.sendall(b"N")
            conn.sendall(self.refusal)
