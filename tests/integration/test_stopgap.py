"""While Redis flushes its file it puts its writes off; what it has taken meanwhile stands in
a file of the spool, and is answered 200 at once.  Whoever is killed then, nothing is lost.

The fsync of these tests lasts until the test ends it, so that "meanwhile" is no matter of
time: what was answered was answered before the fsync was over.
"""
import collections
import errno
import select
import shutil

import pytest

from support.bad_disk import BadDisk
from support.ending import settle_and_judge
from support.events import event, new_id
from support.http import Connection, build
from support.judge import Judge
from support.load import send
from support.redis_server import RedisServer
from support.settings import scaled
from support.spool import Spool, metric, posts, queued_ids, take_all, wait_taken
from support.wait import wait_until

FLUSHING = "aof_pending_bio_fsync"


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


@pytest.fixture
def disk(tmp_path):
    """Ingestion's."""
    return BadDisk(tmp_path / "disk")


class SlowRedis:
    """A Redis, and its disk."""

    def __init__(self, server, disk):
        self.server, self.disk = server, disk

    def is_flushing(self):
        with self.server.client() as client:
            return client.info("persistence")[FLUSHING] == 1

    def begin_flush(self, ingestion):
        """An fsync that lasts until end_flush(); after an event which it is about."""
        self.disk.set("fdatasync hang 0")
        assert ingestion.post_event(event(event_id=new_id())).status == 200
        wait_until(self.is_flushing, 10, "Redis to flush its file")

    def end_flush(self):
        self.disk.set()

    def infos(self):
        """How often it was asked for INFO."""
        with self.server.client() as client:
            return client.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"]


@pytest.fixture
def slow(private_redis, tmp_path):
    disk = BadDisk(tmp_path / "disk-of-redis")
    yield SlowRedis(private_redis(env=disk.env), disk)
    disk.set()


@pytest.fixture
def start(daemons, slow, spool):
    """Starts ingestion with a spool.  A library in front of the sanitizer's is meant."""
    def ingestion(**env):
        env.setdefault("INGEST_THREADS", 1)
        env.setdefault("SPOOL_DIR", spool.path)
        daemon = daemons.make("ingestion", REDIS_URL=slow.server.url, **env)
        daemon.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        return daemon.start()
    return ingestion


def counts(ingestion):
    return {name: metric(ingestion, f"{name}_total")
            for name in ("events_stopgap", "events_spooled", "events_fed", "groups_resent")}


# --- Redis is slow -----------------------------------------------------------------------

@pytest.mark.parametrize("setting", [{}, {"GROUPS_IN_FLIGHT": 8}, {"INGEST_THREADS": 3}], ids=str)
def test_answers_do_not_wait_for_the_disk_of_redis(start, slow, spool, setting):
    ingestion = start(**setting)
    slow.begin_flush(ingestion)
    ids = take_all(ingestion, scaled(2000), connections=32)
    assert slow.is_flushing(), "they were answered while it did"
    assert sorted(spool.ids()) == sorted(ids)
    slow.end_flush()
    spool.wait_empty()
    assert collections.Counter(queued_ids(slow.server)[1:]) == collections.Counter(ids)
    assert counts(ingestion) == {"events_stopgap": len(ids), "events_spooled": 0,
                                 "events_fed": 0, "groups_resent": 0}
    assert not ingestion.has_logged("events go to the spool")


def test_the_file_goes_with_every_flush(start, slow, spool):
    """Each has its own, and an event that comes alone is as well off."""
    ingestion = start()
    for _ in range(3):
        slow.begin_flush(ingestion)
        ids = take_all(ingestion, 3, connections=1)
        assert slow.is_flushing() and spool.ids() == ids
        slow.end_flush()
        spool.wait_empty()
    assert slow.server.queue_length() == 12
    left, = spool.path.iterdir()  # an empty file, which is used again
    left.unlink()                 # somebody tidies up
    slow.begin_flush(ingestion)
    assert take_all(ingestion, 3, connections=1) == spool.ids()
    slow.end_flush()
    spool.wait_empty()
    ingestion.stop()
    assert not list(spool.path.iterdir())


def test_without_a_spool_answers_wait(start, slow):
    ingestion = start(SPOOL_DIR="", ENQUEUE_TIMEOUT_MS=20000)
    slow.begin_flush(ingestion)
    check_waits(ingestion, slow)


# --- somebody dies meanwhile -------------------------------------------------------------

def kill_redis(slow, ingestion):
    slow.server.kill()
    slow.end_flush()


def kill_ingestion(slow, ingestion):
    ingestion.kill9()
    slow.end_flush()


def stop_ingestion(slow, ingestion):
    ingestion.stop()
    slow.end_flush()


def kill_both(slow, ingestion):
    kill_redis(slow, ingestion)
    ingestion.kill9()


def kill_both_ingestion_first(slow, ingestion):
    ingestion.kill9()
    kill_redis(slow, ingestion)


DEATHS = [kill_redis, kill_ingestion, stop_ingestion, kill_both, kill_both_ingestion_first]


@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.__name__)
def test_nothing_is_lost_by_a_death_during_the_flush(start, slow, spool, daemons, database,
                                                     death):
    ingestion = start()
    judge = Judge()
    slow.begin_flush(ingestion)
    result = send(ingestion.port, posts(100), connections=8, judge=judge)
    assert dict(result.statuses) == {200: 100} and slow.is_flushing()
    death(slow, ingestion)
    if not slow.server.process:
        slow.server.start()
        if not ingestion.process:  # nobody has fed them yet
            assert not judge.acknowledged & set(queued_ids(slow.server))
    if not ingestion.process:
        ingestion.start()
    spool.wait_empty()
    assert judge.acknowledged <= set(queued_ids(slow.server))
    first = {"event_id": queued_ids(slow.server)[0]}
    judge.attempt(event(**first))
    processor = daemons.start("processor", REDIS_URL=slow.server.url,
                              DATABASE_URL=database.url)
    verdict = settle_and_judge(judge, slow.server, database, [processor])
    assert verdict.stored == 101


def test_the_connection_is_lost_during_the_flush(start, slow, spool):
    ingestion = start()
    slow.begin_flush(ingestion)
    ids = take_all(ingestion, 50)
    with slow.server.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    slow.end_flush()
    spool.wait_empty()
    assert metric(ingestion, "events_fed_total") == 50
    assert set(ids) <= set(queued_ids(slow.server))


def test_the_connection_is_lost_while_the_file_hangs(start, slow, spool, disk):
    """Whoever the file was to answer is not kept waiting for it: Redis can be asked anew."""
    ingestion = start(ENQUEUE_TIMEOUT_MS=4000, **disk.env)
    slow.begin_flush(ingestion)
    disk.set("pwrite hang 0")
    with Connection(ingestion.port) as conn:
        one = new_id()
        conn.send(build("POST", "/event", event(event_id=one)))
        wait_until(lambda: list(spool.path.iterdir()), 10, "it to be written down")
        with slow.server.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        slow.end_flush()
        wait_taken(ingestion)
        assert conn.read_response().status == 200
    disk.set()
    spool.wait_empty()
    assert one in queued_ids(slow.server)


def test_a_refusal_during_the_flush_discards_nothing(start, slow, spool):
    """It has an INFO after it as well, which says that nothing is written yet."""
    ingestion = start(ENQUEUE_TIMEOUT_MS=20000)
    slow.begin_flush(ingestion)
    ids = take_all(ingestion, 20)
    with slow.server.client() as client:
        client.config_set("maxmemory", 1)
        assert ingestion.post_event(event(event_id=new_id())).status == 200  # by the spool
        ingestion.wait_log("Redis does not take events.*OOM")
        before = slow.infos()
        wait_until(lambda: slow.infos() > before + 10, 10, "ingestion to ask again")
        assert slow.is_flushing() and set(ids) < set(spool.ids())
        client.config_set("maxmemory", 0)
    slow.end_flush()
    spool.wait_empty()
    assert len(queued_ids(slow.server)) == 22


def test_the_disk_of_redis_is_full_behind_the_flush(daemons, small_disk, spool, tmp_path):
    """Redis keeps what it could not write, and says so only afterwards: the file stays until
    there is room, or it would all die with Redis."""
    path = small_disk("8m")
    disk = BadDisk(tmp_path / "disk-of-redis")
    server = RedisServer(path / "redis", env=disk.env, auto_aof_rewrite_percentage=0).start()
    slow = SlowRedis(server, disk)
    try:
        ingestion = daemons.start("ingestion", INGEST_THREADS=1, SPOOL_DIR=spool.path,
                                  REDIS_URL=server.url)
        slow.begin_flush(ingestion)
        ids = take_all(ingestion, 400)
        (path / "ballast").write_bytes(bytes(shutil.disk_usage(path).free - 4096))
        slow.end_flush()
        with server.client() as client:
            wait_until(lambda: client.info("persistence")["aof_last_write_status"] == "err",
                       10, "Redis to meet its full disk")
        before = slow.infos()
        wait_until(lambda: slow.infos() > before + 20, 10, "ingestion to ask again")
        assert sorted(spool.ids()) == sorted(ids)
        server.kill()
        (path / "ballast").unlink()
        server.start()
        spool.wait_empty()
        assert set(ids) <= set(queued_ids(server))
    finally:
        disk.set()
        server.stop()


def test_another_process_leaves_the_file_alone(start, slow, spool):
    """It is locked; and while Redis is slow a reader's groups are held as ever."""
    ingestion = start()
    slow.begin_flush(ingestion)
    ids = take_all(ingestion, 50)
    other = start()
    more = take_all(other, 50)
    assert slow.is_flushing() and sorted(spool.ids()) == sorted(ids + more)
    slow.end_flush()
    spool.wait_empty()
    assert sorted(queued_ids(slow.server)[1:]) == sorted(ids + more)


# --- the file cannot be written ----------------------------------------------------------

def check_waits(ingestion, slow):
    """An event is answered 200, and not before the flush is over."""
    with Connection(ingestion.port) as conn:
        one = new_id()
        conn.send(build("POST", "/event", event(event_id=one)))
        wait_until(lambda: one in queued_ids(slow.server), 10, "Redis to have it")
        before = slow.infos()
        wait_until(lambda: slow.infos() > before + 100, 20, "ingestion to ask again")
        assert slow.is_flushing()
        assert not select.select([conn.socket], [], [], 0)[0], "it was answered"
        slow.end_flush()
        assert conn.read_response().status == 200


def no_room(spool, disk):
    spool.put("x.damaged", bytes(1 << 20))


def no_directory(spool, disk):
    shutil.rmtree(spool.path)


def fails(rule, number):
    def set_rule(spool, disk):
        disk.set(f"{rule} {number}")
    set_rule.__name__ = f"{rule} {errno.errorcode[number]}"
    return set_rule


TROUBLE = [no_room, no_directory, fails("pwrite fail", errno.EIO),
           fails("pwrite half", errno.ENOSPC), fails("pwrite fail", errno.EROFS)]


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda trouble: trouble.__name__)
def test_without_the_file_answers_wait(start, slow, spool, disk, trouble):
    spool.path.mkdir()
    if trouble is no_room:
        trouble(spool, disk)
    ingestion = start(ENQUEUE_TIMEOUT_MS=20000, SPOOL_MAX_BYTES=1 << 20, **disk.env)
    slow.begin_flush(ingestion)
    if trouble is not no_room:
        trouble(spool, disk)
    check_waits(ingestion, slow)
    ingestion.wait_log("could not put events aside while Redis flushes")
    assert metric(ingestion, "events_stopgap_total") == 0
    assert slow.server.queue_length() == 2 and not spool.segments()


def test_a_failure_leaves_what_stood_there_before(start, slow, spool, disk):
    """The half of a record is cut off again, and the next one comes after a whole one."""
    ingestion = start(ENQUEUE_TIMEOUT_MS=20000, **disk.env)
    slow.begin_flush(ingestion)
    ids = take_all(ingestion, 5)
    with Connection(ingestion.port) as conn:
        disk.set(f"pwrite half {errno.EIO}")
        ids.append(new_id())
        conn.send(build("POST", "/event", event(event_id=ids[-1])))
        ingestion.wait_log("could not put events aside")
        assert sorted(spool.ids()) == sorted(ids[:-1])
        disk.set()
        assert conn.read_response().status == 200
    assert slow.is_flushing() and sorted(spool.ids()) == sorted(ids)
    ingestion.kill9()
    slow.server.kill()
    slow.end_flush()
    slow.server.start()
    ingestion.start()
    spool.wait_empty()
    assert set(queued_ids(slow.server)[1:]) == set(ids)


def test_a_file_that_cannot_be_emptied_is_fed(start, slow, spool, disk):
    ingestion = start(**disk.env)
    slow.begin_flush(ingestion)
    ids = take_all(ingestion, 20)
    disk.set(f"ftruncate fail {errno.EIO}")
    slow.end_flush()
    ingestion.wait_log("could not put events aside.*could not empty")
    disk.set()
    spool.wait_empty()
    assert sorted(queued_ids(slow.server)[1:]) == sorted(ids * 2)
