"""A resolver that takes the question for the server's address and never answers: nobody
can end a thread that sits in it, and SIGTERM ends the daemon all the same, in time and
well, with everyone answered."""
import signal
import threading

import pytest

from support.events import event
from support.settings import build_dir
from support.wait import wait_until

URLS = {"REDIS_URL": "redis://hangs.invalid:6379",
        "DATABASE_URL": "postgresql://hangs.invalid:5432/analytics"}
SETTINGS = {"ingestion": {}, "ingestion with a spool": {"SPOOL_DIR": "spool"},
            "processor": {"SHUTDOWN_TIMEOUT_MS": 500}, "reporting": {}}


@pytest.fixture
def start(daemons, tmp_path):
    """A daemon whose question is open."""
    def start(name, **env):
        asked = tmp_path / "asked"
        daemon = daemons.start(
            name, wait=False, RESOLVER_ASKED=asked, **URLS, **env,
            LD_PRELOAD=build_dir() / "tests/support/libhung_resolver.so",
            ASAN_OPTIONS="verify_asan_link_order=0").wait_alive()
        wait_until(asked.exists, 10, "the question")
        assert daemon.ready_status() == 503
        return daemon
    return start


@pytest.mark.parametrize("case", SETTINGS)
def test_sigterm_ends_it_well_while_the_resolver_hangs(start, case):
    daemon = start(case.split()[0], **SETTINGS[case])
    daemon.stop()  # checks that it is in time and the exit code 0
    assert daemon.has_logged("left a (question|server|connection attempt)"), daemon.story()


@pytest.mark.parametrize("spool", [None, "spool"])
def test_who_waits_is_answered_first(start, spool):
    """Nothing that waits at the signal is left without an answer, and what was answered 200
    is in the spool."""
    daemon = start("ingestion", SPOOL_DIR=spool, ENQUEUE_TIMEOUT_MS=1500, INGEST_THREADS=1)
    statuses = []
    clients = [threading.Thread(target=lambda: statuses.append(
        daemon.post_event(event()).status)) for _ in range(8)]
    for one in clients:
        one.start()
    wait_until(lambda: pending(daemon) == 8 or statuses, 10, "requests that wait")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0, daemon.story()
    daemon.process = None
    for one in clients:
        one.join(10)
    assert statuses == [200 if spool else 503] * 8
    kept = (daemon.directory / "spool").glob("*.spool") if spool else ()
    assert sum(path.read_bytes().count(b'"event_id"') for path in kept) == 8 * bool(spool)


def pending(daemon):
    for line in daemon.get("/metrics").body.decode().splitlines():
        if line.startswith("analytics_ingestion_pending_events "):
            return float(line.split()[1])
    raise AssertionError("no metric pending_events")
