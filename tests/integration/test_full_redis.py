"""Redis with little room left: large groups it refuses, smaller ones it takes.  What waits in
the spool gets there all the same, and new events never wait for it."""
import json
import time

import pytest

from support.events import event, new_id
from support.list_redis import ListRedis
from support.load import send
from support.settings import scaled
from support.spool import Spool, metric, posts, record, take_all
from support.wait import wait_until

FULL = b"OOM command not allowed when used memory > 'maxmemory'."


class NearlyFull(ListRedis):
    """Refuses an LPUSH of more than `most` jobs, or of more than `room` bytes of them, as
    Redis does near maxmemory; `cuts` closes the connection on such a one instead."""

    def __init__(self, most=1 << 30, room=1 << 30, cuts=False):
        self.most, self.room, self.cuts = most, room, cuts
        self.too_large = 0
        super().__init__()

    def say(self, conn, words):
        jobs = words[2:] if words[0] == b"LPUSH" else []
        if len(jobs) <= self.most and sum(map(len, jobs)) <= self.room:
            return super().say(conn, words)
        self.too_large += 1
        if self.cuts:
            return False
        conn.sendall(b"-" + FULL + b"\r\n")
        return True

    def ids(self):
        return [json.loads(job)["event_id"] for job in self.jobs]


def job_text(**fields):
    one = event(event_id=new_id(), **fields)
    one["received_at"] = "2025-11-14T10:00:00.000Z"
    return json.dumps(one)


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


def test_what_waits_for_a_redis_with_little_room_is_counted(daemons, private_redis, spool,
                                                            database):
    """The processor is away, Redis becomes full, and the rest goes to the spool.  When the
    processor is back, Redis has about 130 kB of room, because it needs more memory then."""
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, SPOOL_DIR=spool.path,
                              INGEST_THREADS=1)
    processor = daemons.start("processor", REDIS_URL=server.url, DATABASE_URL=database.url)
    first = take_all(ingestion, 5000, connections=64)
    wait_until(lambda: server.completed() == len(first), 30, processor.story)
    processor.stop()
    processor.process = None
    with server.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 450_000)
        ids = first + take_all(ingestion, 20_000, connections=64)
        assert spool.bytes() > 1_000_000
        processor.start()

        def stored():
            return database.value("SELECT count(*) FROM events")
        wait_until(lambda: stored() == len(ids), 60,
                   lambda: f"{stored()} of {len(ids)}\n{client.info('memory')}\n"
                           f"{ingestion.story()}\n{processor.story()}")
        spool.wait_empty()
        wait_until(lambda: ingestion.ready_status() == 200, 10, "it to be ready")
        late = take_all(ingestion, 100)
        wait_until(lambda: stored() == len(ids) + len(late), 20, "new ones to be stored")
    assert metric(ingestion, "groups_too_large_total") > 0
    assert metric(ingestion, "redis_refusing") == 0


@pytest.mark.parametrize("most, cuts", [(1, False), (7, False), (300, False), (300, True)])
def test_the_spool_is_fed_in_groups_that_redis_takes(daemons, spool, most, cuts):
    jobs = [job_text(path=f"/{number}") for number in range(700)]
    spool.put("old.spool", record(jobs[:500]) + record(jobs[500:]))
    with NearlyFull(most=most, cuts=cuts) as server:
        ingestion = daemons.start("ingestion", REDIS_URL=server.url, SPOOL_DIR=spool.path,
                                  INGEST_THREADS=1)
        wait_until(lambda: len(server.jobs) >= 700, 60, ingestion.story)
        spool.wait_empty()
        assert server.ids() == [json.loads(job)["event_id"] for job in jobs]
        assert 0 < server.too_large < 3 * 700 / most + 30


def test_damage_is_accounted_for_once_however_often_a_group_is_sent(daemons, spool):
    jobs = [job_text(path=f"/{number}") for number in range(6)]
    flipped = bytearray(record(jobs[:3]))
    flipped[60] ^= 1
    spool.put("old.spool", record(jobs[:3]) + flipped + record(jobs[3:]))
    with NearlyFull(most=1) as server:
        ingestion = daemons.start("ingestion", REDIS_URL=server.url, SPOOL_DIR=spool.path,
                                  INGEST_THREADS=1)
        ingestion.wait_log(f"a spool file is damaged.* events=6 damaged_bytes={len(flipped)} ")
        assert server.too_large > 1


@pytest.mark.parametrize("spools", [True, False], ids=["spool", "no spool"])
@pytest.mark.parametrize("most", [1, 7])
def test_new_events_go_in_groups_that_redis_takes(daemons, spool, most, spools):
    with NearlyFull(most=most) as server:
        ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1,
                                  **({"SPOOL_DIR": spool.path} if spools else {}))
        ids = take_all(ingestion, scaled(3000), connections=64)
        assert server.too_large > 0
        wait_until(lambda: len(server.jobs) >= len(ids), 20, ingestion.story)
        assert sorted(server.ids()) == sorted(ids)
        assert metric(ingestion, "events_spooled_total") == 0
        assert metric(ingestion, "groups_too_large_total") > 0


def test_new_events_do_not_wait_for_what_has_no_room(daemons, spool):
    """An event in the spool that is too large alone: new ones go to Redis, not after it."""
    large = job_text(path="/" + "x" * 2000)
    small = [job_text(path=f"/{number}") for number in range(100)]
    spool.put("old.spool", record([*small[:50], large, *small[50:]]))
    with NearlyFull(room=1000) as server:
        ingestion = daemons.start("ingestion", REDIS_URL=server.url, SPOOL_DIR=spool.path,
                                  INGEST_THREADS=1)
        ingestion.wait_log("Redis has no memory for events of the spool")
        began = time.monotonic()
        ids = take_all(ingestion, 200, connections=4)
        assert set(ids) <= set(server.ids()), f"{time.monotonic() - began} s"
        assert metric(ingestion, "events_spooled_total") == 0
        assert ingestion.get("/readyz").status == 200  # a POST is taken
        assert json.loads(large)["event_id"] not in server.ids()
        assert spool.segments()
        server.room = 1 << 30
        spool.wait_empty()
        assert sorted(set(server.ids())) == sorted(
            [json.loads(job)["event_id"] for job in [large, *small]] + ids)


def test_without_a_spool_only_what_has_no_room_is_refused(daemons):
    with NearlyFull(room=1000) as server:
        ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1)
        sent = [event(event_id=new_id(), path="/" + "x" * (2000 if number % 10 == 0 else 1))
                for number in range(1000)]
        result = send(ingestion.port, sent, connections=64)
        assert dict(result.statuses) == {200: 900, 503: 100}, result
        assert len(server.jobs) == 900


def test_a_full_redis_without_a_spool_refuses_all_at_once(daemons):
    with NearlyFull(most=0) as server:
        ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1)
        result = send(ingestion.port, posts(scaled(2000)), connections=64)
        assert set(result.statuses) == {503}, result
        assert server.too_large < scaled(2000)
        server.most = 1 << 30
        take_all(ingestion, 100)
