"""Pictures of the dashboard with the traffic of scripts/demo, and what it costs to look at it.

usage: screenshots.py [FOLDER]     writes the pictures, into docs/pictures unless told otherwise
       screenshots.py --figures    prints the table of figures of docs/dashboard.md

The daemons are those of ANALYTICS_BUILD (see settings.py), with servers of their own.
"""
import contextlib
import gzip
import os
import pathlib
import re
import subprocess
import sys
import tempfile

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.chromium import chromium
from support.daemon import run
from support.dashboard import SETTLED, Dashboard
from support.postgres_server import Database, PostgresServer
from support.redis_server import RedisServer
from support.settings import SOURCE
from support.stack import Daemons, Stack
from support.wait import wait_until

KEY = "key-of-the-screenshots"
PLACES = [SOURCE / "build/places/usr/share/tor", pathlib.Path("/usr/share/tor")]
REPEATS = 9

# name: site and state, width, height, light or dark
PICTURES = {
    "dashboard": ("demo", 1280, 1060, "light"),
    "dashboard-dark": ("demo?period=7d", 1280, 1060, "dark"),
    "dashboard-phone": ("demo?period=7d", 390, 1100, "light"),
    "details": ("demo?details=page", 1280, 860, "light"),
    "empty": ("example.com", 1280, 480, "light"),
}


@contextlib.contextmanager
def demo():
    """The port of reporting, with a site `demo` of 90 days."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="analytics-screenshots-"))
    os.chmod(folder, 0o755)
    with contextlib.ExitStack() as stack:
        redis = RedisServer(folder / "redis").start()
        stack.callback(redis.stop)
        postgres = PostgresServer()
        postgres.start()
        stack.callback(postgres.remove)
        database = Database(postgres, postgres.create_database())
        done = run("processor", "--migrate", cwd=folder, timeout=60,
                   env={"DATABASE_URL": database.url})
        assert done.returncode == 0, done.stderr
        daemons = Daemons(folder)
        stack.callback(daemons.finish)
        places = next((path for path in PLACES if path.exists()), "")
        suite = Stack(daemons, redis, database, ingestion_env={
            "INGEST_KEY": KEY, "GEOIP_TEXT_DIR": places, "MAX_BATCH_EVENTS": 1000})
        subprocess.run([SOURCE / "scripts/demo"], check=True, env={
            **os.environ, "INGEST_KEY": KEY, "INGESTION_PORT": str(suite.ingestion.port)})
        suite.wait_drained(120)
        wait_until(lambda: database.value("SELECT count(*) FROM events") == database.value(
            "SELECT count(*) FROM events WHERE id <= (SELECT position FROM rollup_state)"), 120)
        yield suite.reporting.port


# --- pictures -----------------------------------------------------------------------------

def take(browser, port, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (address, width, height, scheme) in PICTURES.items():
        dashboard = Dashboard(browser, port)
        dashboard.page.call("Emulation.setScrollbarsHidden", hidden=True)
        dashboard.page.resize(width, height)
        dashboard.page.prefer(color_scheme=scheme)
        dashboard.open("/site/" + address)
        if "details" in address:
            dashboard.page.wait("!!document.querySelector('dialog tbody')")
        dashboard.run("document.activeElement.blur()")
        dashboard.page.picture(folder / f"{name}.png")
        dashboard.page.close()


# --- figures ------------------------------------------------------------------------------

WATCH = """{
  window.shift = 0; window.block = 0; window.whole = 0;
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.shift += one.value;
  }).observe({type: 'layout-shift', buffered: true});
  const channel = new MessageChannel();
  let last = performance.now();
  channel.port1.onmessage = () => {
    const now = performance.now();
    window.block = Math.max(window.block, now - last);
    last = now;
    if (!window.whole && SETTLED) window.whole = now;
    if (!window.whole) channel.port2.postMessage(0);
  };
  channel.port2.postMessage(0);
}""".replace("SETTLED", SETTLED)

# Until the figures are those of the row that was clicked: the first is its visitors.
CLICK = """new Promise((done) => {
  const value = () => document.querySelector('.figure .value')?.textContent;
  const before = value();
  const row = document.querySelector('[aria-label="PANEL"] .row:nth-child(2) button.value');
  const began = performance.now();
  row.click();
  const look = () => (value() !== before ? done(performance.now() - began) : setTimeout(look, 0));
  look();
})"""


def measure(browser, port):
    cold = {"first picture": [], "all figures": [], "shift": [], "block": [], "Sources": [],
            "Pages": []}
    for _ in range(REPEATS):
        dashboard = Dashboard(browser, port)
        dashboard.page.call("Network.setCacheDisabled", cacheDisabled=True)
        dashboard.page.before_each_document(WATCH)
        dashboard.open("/site/demo")
        dashboard.page.wait("window.whole > 0")
        paint = "performance.getEntriesByName('first-contentful-paint')"
        dashboard.page.wait(f"{paint}.length > 0")  # told of later than it happens
        cold["first picture"].append(dashboard.run(f"{paint}[0].startTime"))
        for key, name in (("all figures", "whole"), ("shift", "shift"), ("block", "block")):
            cold[key].append(dashboard.run(f"window.{name}"))
        for panel in ("Sources", "Pages"):
            cold[panel].append(dashboard.run(CLICK.replace("PANEL", panel)))
            dashboard.settle()
            assert len(dashboard.figures()) == 6, dashboard.text(".figures")
            dashboard.page.press("x")
            dashboard.page.wait("!location.search")
            dashboard.settle()
        dashboard.page.close()
    return {key: min(values) for key, values in cold.items()}


def compressed(port):
    from support.http import request
    html = request(port, "GET", "/").body
    total = len(gzip.compress(html, 9))
    for name in re.findall(rb'(?:href|src)="\./(page/[^"]+)"', html):
        total += len(request(port, "GET", "/" + name.decode(),
                             headers={"Accept-Encoding": "gzip"}).body)
    return total


def figures(browser, port):
    found = measure(browser, port)
    yield "HTML, JavaScript and CSS, compressed", f"{compressed(port) / 1024:.1f} KB"
    yield "cold load to the first picture", f"{found['first picture']:.0f} ms"
    yield "cold load until every figure is there", f"{found['all figures']:.0f} ms"
    yield "click on a source to its figures, from counts", f"{found['Sources']:.0f} ms"
    yield "click on a page to its figures, from raw events", f"{found['Pages']:.0f} ms"
    yield "layout shift while it loads", f"{found['shift']:.3f}"
    yield "longest time the page did nothing else", f"{found['block']:.0f} ms"


def main(arguments):
    with demo() as port, chromium() as browser:
        if arguments == ["--figures"]:
            print("| what | figure |\n|---|---|")
            for what, figure in figures(browser, port):
                print(f"| {what} | {figure} |")
        else:
            take(browser, port, pathlib.Path(*arguments or [SOURCE / "docs/pictures"]))


if __name__ == "__main__":
    main(sys.argv[1:])
