"""A TCP proxy between a daemon and one of its servers, which can do what networks do: be
slow, lose the connection or half of it, swallow everything, change bytes; and do so at the
very moment at which certain bytes pass.

    proxy = Proxy(postgres.port)
    proxy.when(b"COMMIT", proxy.lose_reply)

"up" is from the daemon to its server, "down" is the way back.
"""
import random
import socket
import struct
import threading

from support.process import free_port

CHUNK = 65536
PATTERN_MAX = 64


class Connection:
    """A pair of sockets, and a thread for each direction."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.server = None
        self.answers_lost = False  # cut when the server's next bytes come
        self.is_cut = False
        self.open = {"up": threading.Event(), "down": threading.Event()}
        for gate in self.open.values():
            gate.set()

    def run(self):
        try:
            self.server = socket.create_connection(("127.0.0.1", self.proxy.target), 5)
        except OSError:
            self.cut()
            return
        self.server.settimeout(None)
        for one in (self.client, self.server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        down = threading.Thread(target=self.pump, args=("down",), daemon=True)
        down.start()
        self.pump("up")
        down.join()
        self.close()

    def pump(self, direction):
        source, sink = self.client, self.server
        if direction == "down":
            source, sink = sink, source
        tail = b""
        try:
            while True:
                data = source.recv(CHUNK)
                if not data:
                    if not self.is_cut:
                        sink.shutdown(socket.SHUT_WR)
                    return
                if direction == "down" and self.answers_lost:
                    self.cut()
                    return
                data = self.proxy.change(direction, data)
                self.proxy.act(self, direction, tail, data)
                tail = (tail + data)[-PATTERN_MAX:]
                self.proxy.wait_open(direction)
                self.open[direction].wait()
                sink.sendall(data)
        except OSError:
            self.cut()

    def cut(self, reset=False):
        self.is_cut = True
        for one in (self.client, self.server):
            if one is None:
                continue
            try:
                if reset:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
                    one.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
                    one.close()
                else:
                    one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self.server is None:
            self.client.close()

    def close(self):
        for one in (self.client, self.server):
            one.close()


class Proxy:
    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.connections = []
        self._rules = []  # [direction, pattern, action, times left]
        self._changes = []  # [direction, old, new, times left]
        self._lock = threading.Lock()
        self._open = {"up": threading.Event(), "down": threading.Event()}
        self._delay = 0.0
        self._flips = None  # (random, share of the chunks)
        self._listener = None
        self.heal()
        self.listen()

    # --- where it stands

    def redis_url(self):
        return f"redis://127.0.0.1:{self.port}"

    def database_url(self, database):
        return database.url.replace(f":{database.server.port}/", f":{self.port}/")

    # --- connections

    def listen(self):
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            threading.Thread(target=self._accept, args=(self._listener,),
                             daemon=True).start()

    def refuse(self):
        """No new connections."""
        listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            connection = Connection(self, client)
            with self._lock:
                self.connections = [c for c in self.connections if not c.is_cut]
                self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def _each(self):
        with self._lock:
            return list(self.connections)

    def cut(self):
        for connection in self._each():
            connection.cut()

    def reset(self):
        for connection in self._each():
            connection.cut(reset=True)

    def half_close(self):
        """The server has nothing more to say, as far as the daemon can see."""
        for connection in self._each():
            try:
                connection.client.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        self.refuse()
        self.heal()
        self.cut()

    # --- the line

    def swallow(self, direction=None):
        """Takes bytes and passes nothing on until heal(): a black hole."""
        for name, gate in self._open.items():
            if direction in (None, name):
                gate.clear()

    def heal(self):
        self._delay = 0.0
        self._flips = None
        for gates in (self._open, *(connection.open for connection in self._each())):
            for gate in gates.values():
                gate.set()

    def delay(self, seconds):
        """Every piece of data is late by so much."""
        self._delay = seconds

    def flip_bytes(self, share, seed):
        """Changes a byte in so many of a hundred pieces that the server sends."""
        self._flips = (random.Random(seed), share)

    def wait_open(self, direction):
        if self._delay:
            threading.Event().wait(self._delay)
        self._open[direction].wait()

    # --- at certain bytes

    def when(self, pattern, action, direction="up", times=1):
        """Calls action(connection) before the bytes that hold the pattern are passed on."""
        assert len(pattern) <= PATTERN_MAX
        with self._lock:
            self._rules.append([direction, pattern, action, times])

    def replace(self, old, new, direction="up", times=1):
        """Changes bytes on their way; they must come in one piece."""
        with self._lock:
            self._changes.append([direction, old, new, times])

    def act(self, connection, direction, tail, data):
        with self._lock:
            due = [rule for rule in self._rules if rule[0] == direction and rule[3] > 0
                   and rule[1] in tail[1 - len(rule[1]):] + data]
            for rule in due:
                rule[3] -= 1
        for rule in due:
            rule[2](connection)

    def change(self, direction, data):
        with self._lock:
            for change in self._changes:
                if change[0] == direction and change[3] > 0 and change[1] in data:
                    change[3] -= 1
                    data = data.replace(change[1], change[2], 1)
            if self._flips and direction == "down":
                source, share = self._flips
                if source.random() * 100 < share:
                    at = source.randrange(len(data))
                    data = data[:at] + bytes([data[at] ^ (1 << source.randrange(8))]) \
                        + data[at + 1:]
        return data

    # --- actions for when()

    def lose_reply(self, connection):
        """What is sent now arrives; what the server answers does not."""
        connection.answers_lost = True

    def hold(self, connection):
        """Nothing goes up on this connection any more, until heal()."""
        connection.open["up"].clear()

    def lose_connection(self, connection):
        connection.cut()

    def lose_by_reset(self, connection):
        connection.cut(reset=True)
