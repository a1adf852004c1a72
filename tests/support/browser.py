"""A real browser: Chromium without a window opens a page of a small server of the test, and
the page reports what it saw to that server.

That needs no driver and no package besides the browser's own.  The page has an origin of its
own, because it has a port of its own.
"""
import contextlib
import http.server
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading

import pytest

from support import pretended
from support.process import die_with_parent
from support.settings import patience

PAGE = """<!doctype html><meta charset="utf-8"><title>page</title><script>
const seen = [];
async function attempt(name, fn) {
  try { seen.push([name, await fn()]); } catch (error) { seen.push([name, String(error)]); }
}
(async () => {
%s
await fetch("/report", {method: "POST", body: JSON.stringify(Object.fromEntries(seen))});
})();
</script>"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.page.encode() if self.path == "/" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Set-Cookie", "session=of-the-page; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.reports.put(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def page_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.reports = queue.Queue()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def program():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("there is no Chromium on this machine")
    return path


class Browser:
    """script(text) runs it in a page and returns what attempt(name, function) saw, by name.
    `origin` is the page's."""

    def __init__(self, server):
        self.server = server
        self.origin = f"http://127.0.0.1:{server.server_address[1]}"

    def script(self, text, seconds=60):
        self.server.page = PAGE % text
        with tempfile.TemporaryDirectory(prefix="analytics-browser-",
                                         ignore_cleanup_errors=True) as folder:
            command = [program(), "--headless=new", "--disable-gpu", "--no-first-run",
                       "--disable-background-networking", "--disable-component-update",
                       "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile"]
            command += ["--no-sandbox"] if os.geteuid() == 0 else []
            process = subprocess.Popen(
                [*command, self.origin + "/"], cwd=folder, stdin=subprocess.DEVNULL,
                env=pretended.real({**os.environ, "HOME": folder}), preexec_fn=die_with_parent(),
                start_new_session=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                return self.server.reports.get(timeout=patience(seconds))
            except queue.Empty:
                raise AssertionError("the page has not reported") from None
            finally:
                end_group(process)


def end_group(process):
    """The browser and its helpers, which are of its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()
