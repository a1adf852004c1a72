"""The three daemons under valgrind's memcheck from start to SIGTERM, with load and with
Redis and Postgres going away: no invalid access, nothing undefined used, nothing leaked, no
descriptor left open."""
import gzip
import json
import pathlib
import re

import pytest

from support.events import event, new_id
from support.http import Connection, build
from support.outage import wait_well
from support.redis_server import QUEUE
from support.wait import wait_until

SUPPRESSIONS = pathlib.Path(__file__).parents[1] / "support/memcheck.suppressions"
MEMCHECK = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible", "--track-fds=yes",
            "--num-callers=30", f"--suppressions={SUPPRESSIONS}", "--log-file=memcheck.%p"]

# Everything takes some 30 times as long.
SLOW = {"prefix": MEMCHECK, "REDIS_TIMEOUT_MS": 5000, "CONNECT_TIMEOUT_MS": 10000,
        "SHUTDOWN_TIMEOUT_MS": 30000}
PROCESSOR = {"LEASE_MS": 20000, "STATEMENT_TIMEOUT_MS": 20000, "LOCK_TIMEOUT_MS": 5000}


@pytest.fixture
def rig(monkeypatch, make_rig, private_redis, own_postgres, tmp_path):
    monkeypatch.setenv("ANALYTICS_TEST_PATIENCE", "10")
    rig = make_rig(private_redis(), own_postgres())
    rig.spool = {"SPOOL_DIR": tmp_path / "spool"}
    rig.start(ingestion={**SLOW, **rig.spool}, processor={**SLOW, **PROCESSOR},
              reporting={**SLOW, "QUERY_TIMEOUT_MS": 20000})
    return rig


def ask_everything(rig):
    """Every kind of request and of answer, once."""
    asked = event(site_id="asked", event_id=new_id())
    rig.judge.pushed(asked)
    zipped = gzip.compress(json.dumps(asked).encode())
    for body, headers, status in (
            (zipped, {"Content-Encoding": "gzip"}, 200), (b"{", {}, 400), (b"[1]", {}, 400),
            (event(path=7), {}, 400), (b"x" * 200_000, {}, 413),
            (b"x", {"Content-Encoding": "br"}, 415)):
        assert rig.ingestion.post_event(body, headers).status == status
    for daemon in (rig.ingestion, rig.processor, rig.reporting):
        for target, status in (("/metrics", 200), ("/healthz", 200), ("/nowhere", 404)):
            assert daemon.get(target).status == status
    for query, status in (("site_id=site-1", 200), ("site_id=site-1&exact=true", 200),
                          ("site_id=asked&date=2025-11-14", 200), ("", 400)):
        assert rig.reporting.get(f"/stats?{query}").status == status
    for data in (b"nonsense\r\n\r\n", build("POST", "/event", event())[:-9]):
        with Connection(rig.ingestion.port) as connection:
            connection.send(data)
    with rig.redis.client() as client:
        client.lpush(QUEUE, "poison")


def check_log(daemon):
    log, = daemon.directory.glob("memcheck.*")
    text = log.read_text()
    print(f"\n{daemon.name}: " + "; ".join(
        found.group(1) for found in re.finditer(r"== +(ERROR SUMMARY: \d+ errors|"
                                                r"FILE DESCRIPTORS: .*|"
                                                r"total heap usage: .*)", text)))
    assert "ERROR SUMMARY: 0 errors" in text, text
    left = [line for line in re.findall(r"== Open (.*)", text)
            if "/memcheck." not in line and not re.match(r"file descriptor [012]:", line)]
    assert "FILE DESCRIPTORS: " in text and not left, text


def connected(reporting):
    text = reporting.get("/metrics").body.decode()
    return sum(int(count) for count in re.findall(
        r"^analytics_reporting_pool_connections\{state=\"(?:idle|busy)\"\} (\d+)", text, re.M))


def test_the_daemons_are_clean_under_memcheck(rig):
    rig.load(rate=60, connections=4)
    rig.wait_stored(100)
    ask_everything(rig)
    rig.redis.stop()
    rig.ingestion.wait_log("events go to the spool")
    rig.wait_answers(60)
    rig.redis.start()
    wait_well(rig, rig.spool)
    rig.database.server.stop("immediate")
    wait_until(lambda: rig.processor.ready_status() == 503, 20, "the outage to be seen")
    wait_until(lambda: rig.reporting.get("/stats?site_id=a").status == 503, 20, "a 503")
    rig.wait_answers(60)
    rig.database.server.start()
    rig.wait_stored(60)
    wait_until(lambda: rig.reporting.get("/stats?site_id=a").status == 200, 20, "a 200")
    rig.load(rate=20, connections=2)  # until the very end
    rig.wait_answers(20)
    daemons = [rig.ingestion, rig.reporting, rig.processor]
    rig.ingestion.stop()
    rig.end(in_time=60)
    wait_until(lambda: connected(rig.reporting) == 4, 20, "no attempt to be under way")
    rig.reporting.stop()
    for one in daemons:
        check_log(one)
