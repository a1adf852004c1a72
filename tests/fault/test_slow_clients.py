"""Row 43 of the fault matrix (docs/reliability.md): slowhttptest holds a thousand slow
connections, and good clients do not notice.

Two processes of ingestion stand side by side, one with the slow connections and one
without, and good clients measure them in turns: whatever else the machine does meets both.
"""
import re
import statistics
import subprocess

import pytest

from support.load import Load, allow_connections
from support.process import die_with_parent
from support.settings import scaled
from support.spool import posts
from support.wait import wait_until

SLOW = 1000
TURNS = 15
NOTICED = 2.0    # times as long; and what is less than FLOOR longer is nobody's to notice
FLOOR = 0.005    # s

ATTACKS = {
    "slow headers": ["-H", "-t", "POST", "-x", "24"],
    "slow bodies": ["-B", "-t", "POST", "-s", "8192", "-x", "10"],
    "slow readers": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "10"],
}


@pytest.fixture
def pair(daemons, redis):
    """Two processes of one loop each, that leave slow clients their time, and Redis too: a
    disk that is busy for a second is nothing to judge here."""
    allow_connections(3 * SLOW)
    settings = {f"{name}_TIMEOUT_MS": 600_000
                for name in ("IDLE", "HEADER", "BODY", "WRITE")}
    settings.update(REDIS_TIMEOUT_MS=20_000, ENQUEUE_TIMEOUT_MS=30_000)
    return [daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1, **settings)
            for _ in range(2)]


@pytest.fixture
def attack(tmp_path):
    """A function that starts slowhttptest and returns once it holds all its connections."""
    running = []

    def start(daemon, options):
        target = "/metrics" if "-X" in options else "/event"
        with open(tmp_path / "slowhttptest.log", "wb") as log:
            running.append(subprocess.Popen(
                ["slowhttptest", "-c", str(SLOW), "-r", "500", "-l", "600", "-i", "5",
                 *options, "-u", f"http://127.0.0.1:{daemon.port}{target}"], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent()))
        wait_until(lambda: connections(daemon) >= SLOW, 60,
                   lambda: f"{SLOW} connections; {connections(daemon)} so far")
    yield start
    for one in running:
        one.kill()
        one.wait()


def connections(daemon):
    text = daemon.get("/metrics").body.decode()
    return float(re.search(r"^analytics_ingestion_connections (\S+)", text, re.M).group(1))


def measure(daemon):
    """Seconds within which 99 of 100 good requests are answered; all are, with 200."""
    result = Load(daemon.port, posts(scaled(600)), connections=4).run()
    assert dict(result.statuses) == {200: scaled(600)} and not result.errors, result
    return result.percentile(0.99)


@pytest.mark.parametrize("options", ATTACKS.values(), ids=ATTACKS.keys())
def test_row_43_a_thousand_slow_clients(pair, attack, options):
    attacked, alone = pair
    measure(attacked), measure(alone)  # warm
    attack(attacked, options)
    turns = [(measure(attacked), measure(alone)) for _ in range(TURNS)]
    assert connections(attacked) >= SLOW, "they did not stay"
    with_them, without = (statistics.median(column) for column in zip(*turns))
    ratio = statistics.median(one / other for one, other in turns)
    print(f"\np99 with {SLOW} {options[0]}: {with_them * 1e3:.2f} ms, without "
          f"{without * 1e3:.2f} ms; median of {TURNS} ratios {ratio:.2f}")
    assert ratio <= NOTICED or with_them <= without + FLOOR, turns
