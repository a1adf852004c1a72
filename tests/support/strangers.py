"""Requests of who means no good to /collect, /pixel.gif and /batch, each different from all others:
User-Agents, forged addresses, shapes of props, broken batches, long queries."""
import json
import socket
import time

CHUNK = 10  # requests that are sent before their answers are read; 64 kB of heads may wait
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"


def _request(line, body=b"", agent=BROWSER, more=""):
    return (f"{line} HTTP/1.1\r\nHost: a.example\r\nUser-Agent: {agent}\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def _view(number, **fields):
    return json.dumps({"site_id": "s", "path": f"/{number}", **fields}).encode()


def agents(number):
    return _request("POST /collect", _view(number), f"Mozilla/5.0 (Browser {number}; {number % 97} Chrome/{number})")


def forwarded(number):
    address = f"2001:db8:{number >> 16:x}:{number & 0xffff:x}::1"
    return _request("POST /collect", _view(number), more=f"X-Forwarded-For: {address}, 999.{number}, {address}\r\n")


def props(number):
    shape = {f"k{number}_{n}": ["x" * (number % 400), number, True, None][(number + n) % 4] for n in range(30)}
    return _request("POST /collect", _view(number, props=shape))


def pixels(number):
    path = f"/{number}".ljust(4000, "x")
    return _request(f"GET /pixel.gif?site_id=s&path={path}")


def batches(number):
    broken = [{"site_id": "s", "path": "/", f"k{number}": n} for n in range(1000)]
    return _request("POST /batch", json.dumps(broken).encode())


# (name, requests, how many there are of each hundred)
KINDS = (("agents", agents, 100), ("forwarded", forwarded, 100), ("props", props, 100),
         ("pixels", pixels, 100), ("batches", batches, 1))


class Strangers:
    """One connection, requests sent in chunks; `statuses` has what was answered."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.input = self.socket.makefile("rb")
        self.statuses = set()

    def close(self):
        self.input.close()
        self.socket.close()

    def _read(self):
        status = int(self.input.readline().split()[1])
        length = 0
        for line in iter(self.input.readline, b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.input.read(length)
        self.statuses.add(status)

    def send(self, make, first, count):
        for start in range(first, first + count, CHUNK):
            some = range(start, min(start + CHUNK, first + count))
            self.socket.sendall(b"".join(map(make, some)))
            for _ in some:
                self._read()


def good_client(port, seconds):
    """The times in ms of who sends an event, waits for the answer, and rests a little."""
    body = json.dumps({"site_id": "good", "event_type": "v", "path": "/",
                       "timestamp": "2025-11-14T10:00:00Z"}).encode()
    client, took = Strangers(port), []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        client.send(lambda _: _request("POST /event", body), 0, 1)
        took.append(1000 * (time.monotonic() - began))
        time.sleep(0.005)
    client.close()
    return sorted(took)
