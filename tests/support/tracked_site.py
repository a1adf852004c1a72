"""A small site whose pages load the tracker, and a server that writes down what it sends.

Both are one server on this machine: the pages belong to shop.example, the tracker and
/collect to stats.example.  A test lays a page with lay(), and reads `events`.
"""
import contextlib
import http.server
import itertools
import json
import threading
import urllib.parse

from support.settings import build_dir
from support.wait import wait_until

GIF = (b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00"
       b"\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
INTEGERS = ("screen_width", "duration_ms", "scroll")


def tracker():
    """The script as it is built into ingestion."""
    return (build_dir() / "ingestion/t.js").read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", kind="text/html; charset=utf-8", headers=()):
        self.send_response(status)
        for name, value in [("Content-Type", kind), ("Content-Length", str(len(body))), *headers]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def cors(self):
        origin = self.headers["Origin"]
        return [("Access-Control-Allow-Origin", origin), ("Vary", "Origin"),
                ("Access-Control-Allow-Credentials", "true")] if origin else []

    def do_GET(self):
        site, url = self.server.site, urllib.parse.urlsplit(self.path)
        if url.path == "/t.js":
            self.answer(200, tracker(), "text/javascript; charset=utf-8")
        elif url.path == "/pixel.gif":
            values = dict(urllib.parse.parse_qsl(url.query))
            values.update({name: int(values[name]) for name in INTEGERS if name in values})
            site.take("pixel", {**values, "props": json.loads(values.get("props", "{}"))}, self)
            self.answer(200, GIF, "image/gif")
        elif url.path in site.pages:
            text, headers = site.pages[url.path]
            self.answer(200, text.encode(), headers=headers)
        else:
            self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        site = self.server.site
        if self.path == "/collect":
            site.take("post", json.loads(body), self)
        self.answer(site.status, b'{"status":"ok"}', "application/json", self.cors())

    def do_OPTIONS(self):
        self.server.site.preflights += 1
        self.answer(204, headers=self.cors())

    def log_message(self, *_):
        pass


class Site:
    def __init__(self, port):
        self.port = port
        self.shop, self.stats = f"http://shop.example:{port}", f"http://stats.example:{port}"
        self.forget()

    def forget(self):
        self.pages, self.taken, self.preflights, self.status = {}, [], 0, 200
        self.wants_engagements = False

    def take(self, way, event, handler):
        """Engagements depend on how long the machine took, also with the test before, whose
        page is closed: they count only where they are wanted."""
        if event["event_type"] != "engagement" or self.wants_engagements:
            self.taken.append((way, event, handler.headers))

    @property
    def events(self):
        return [event for _, event, _ in self.taken]

    def seen(self, expected=()):
        """(event_type, path) of each event, in the order in which the page made them: what is
        sent at once may arrive in any order.  Nothing tells the order of those of the same
        millisecond; it is that of `expected`, if these are they."""
        seen = []
        for _, same in itertools.groupby(sorted(self.events, key=lambda one: one["timestamp"]),
                                         lambda one: one["timestamp"]):
            names = [(one["event_type"], one.get("path") or urllib.parse.urlsplit(one["url"]).path)
                     for one in same if one["event_type"] != "last" or not expected]
            hoped = list(expected[len(seen):len(seen) + len(names)])
            seen += hoped if sorted(hoped) == sorted(names) else names
        return seen

    def lay(self, path="/", body="<p>A page", attributes="", head="", headers=(), script=None):
        """A page that loads the tracker; returns its address."""
        line = script or (f'<script defer src="{self.stats}/t.js" data-site="demo" '
                          f"{attributes}></script>")
        self.pages[path] = (f"<!doctype html><meta charset=utf-8><title>Page</title>"
                            f'<link rel="icon" href="data:,">{head}{line}<body>{body}', headers)
        return self.shop + path

    def wait(self, count, what=None):
        """Until so many events have come (of a type); returns them in order."""
        def found():
            some = [one for one in self.events if what in (None, one["event_type"])]
            return some if len(some) >= count else None
        return wait_until(found, 20, lambda: f"{count} events {what or ''}; came {self.events}")

    def only(self, page, *expected):
        """That exactly these have been sent, as seen() gives them: a last event is sent and
        awaited, and by then everything before it has come."""
        page.run("track('last')")
        self.wait(len(expected) + 1)
        self.wait(1, "last")
        seen = [one for one in self.seen(expected) if one[0] != "last"]
        assert seen == list(expected), seen


@contextlib.contextmanager
def tracked_site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.site = Site(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
