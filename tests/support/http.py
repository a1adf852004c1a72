"""HTTP/1.1 over a plain socket: what is sent is exactly what the test says."""
import json
import socket
import time


class Response:
    def __init__(self, version, status, reason, headers, body):
        self.version = version
        self.status = status
        self.reason = reason
        self.headers = headers  # list of (name, value), as received
        self.body = body

    def header(self, name):
        """The value of the only header of that name, or None."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, f"{name} came {len(found)} times: {found}"
        return found[0] if found else None

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The sentence of an error answer, which must have the form of the contract."""
        assert self.header("Content-Type").split(";")[0].strip() == "application/json", self
        value = self.json()
        assert list(value) == ["error"] and isinstance(value["error"], str), self
        return value["error"]

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:500]!r}>"


class Closed(ConnectionError):
    """The server closed the connection before a whole answer had come."""


def encode(body):
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body).encode()


def build(method, target, body=b"", headers=(), host="localhost"):
    """The bytes of a request; Content-Length is added unless headers frame the body."""
    body = encode(body)
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", host))
    if not names & {"content-length", "transfer-encoding"} and (body or method == "POST"):
        pairs.append(("Content-Length", str(len(body))))
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in pairs)
    return head.encode("latin-1") + b"\r\n" + body


def chunked(*parts):
    """A chunked body of these parts."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Connection:
    """One connection that reads as many answers as it is asked to."""

    def __init__(self, port, host="127.0.0.1", timeout=10.0):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST instead of FIN."""
        import struct
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def request(self, method, target, body=b"", headers=()):
        self.send(build(method, target, body, headers))
        return self.read_response(method)

    def _more(self, end):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no whole answer in time; so far {self.buffer[:300]!r}")
        self.socket.settimeout(left)
        data = self.socket.recv(65536)
        if not data:
            raise Closed(f"closed by the server after {self.buffer[:300]!r}")
        self.buffer += data

    def read_response(self, method="GET", timeout=None, skip_continue=True):
        """The next answer, interim ones left out."""
        end = time.monotonic() + (timeout or self.timeout)
        while b"\r\n\r\n" not in self.buffer:
            self._more(end)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        answer = Response(version, int(status), reason, headers, b"")
        if answer.status == 100 and skip_continue:
            return self.read_response(method, max(end - time.monotonic(), 0.001))
        if method == "HEAD" or answer.status in (100, 204, 304):
            return answer
        if (answer.header("Transfer-Encoding") or "").lower() == "chunked":
            answer.body = self._read_chunks(end)
            return answer
        length = answer.header("Content-Length")
        if length is None:
            answer.body = self.read_to_end(end - time.monotonic())
            return answer
        while len(self.buffer) < int(length):
            self._more(end)
        answer.body, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        return answer

    def _read_chunks(self, end):
        body = b""
        while True:
            while b"\r\n" not in self.buffer:
                self._more(end)
            size, self.buffer = self.buffer.split(b"\r\n", 1)
            size = int(size.split(b";")[0], 16)
            while len(self.buffer) < size + 2:
                self._more(end)
            body, self.buffer = body + self.buffer[:size], self.buffer[size + 2:]
            if size == 0:
                return body

    def read_to_end(self, timeout=None):
        """Everything until the server closes; a reset counts as closing."""
        end = time.monotonic() + (timeout or self.timeout)
        try:
            while True:
                self._more(end)
        except (Closed, ConnectionResetError):
            data, self.buffer = self.buffer, b""
            return data

    def read_all_responses(self, timeout=None):
        """All answers until the server closes, whatever was asked with GET or POST."""
        rest = Connection.__new__(Connection)
        rest.socket, rest.timeout = self.socket, timeout or self.timeout
        rest.buffer = self.read_to_end(timeout)
        answers = []
        while rest.buffer:
            answers.append(rest.read_response(timeout=0.001))
        return answers

    def is_closed_within(self, seconds):
        """True once the server has closed; False when it stays open that long."""
        self.socket.settimeout(seconds)
        try:
            while True:
                data = self.socket.recv(65536)
                if not data:
                    return True
                self.buffer += data
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def request(port, method, target, body=b"", headers=(), timeout=10.0, host="127.0.0.1"):
    """One request on a connection of its own."""
    with Connection(port, host, timeout) as connection:
        return connection.request(method, target, body, headers)
