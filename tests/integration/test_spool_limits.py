"""The limits of the way to Redis: a Redis that refuses, a queue that has its cap, a spool
that is full.  What one cannot take the next does, and after the last is a 503.
"""
import time

import pytest

from support.events import event
from support.judge import Judge
from support.list_redis import ListRedis
from support.load import Load, send
from support.redis_server import QUEUE
from support.redis_trouble import cannot_save, no_memory, replica
from support.settings import patience, scaled
from support.spool import (drop_jobs, fill, metric, posts, queued_ids, refused_in_time, take_all,
                           wait_not_ready, wait_taken)
from support.spool_fixtures import server, spool  # noqa: F401
from support.wait import wait_until


@pytest.fixture
def list_redis():
    server = ListRedis()
    yield server
    server.close()


@pytest.fixture
def start(daemons):
    def ingestion(server, wait=True, **env):
        return daemons.start("ingestion", wait=wait, REDIS_URL=server.url, **env)
    return ingestion


# --- Redis answers with an error --------------------------------------------------------

ERRORS = [
    b"OOM command not allowed when used memory > 'maxmemory'.",
    b"MISCONF Errors writing to the AOF file: No space left on device",
    b"READONLY You can't write against a read only replica.",
    b"LOADING Redis is loading the dataset in memory",
    b"BUSY Redis is busy running a script.",
    b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    b"NOREPLICAS Not enough good replicas to write.",
    b"CLUSTERDOWN The cluster is down",
    b"TRYAGAIN Multiple keys request during rehashing of slot",
    b"NOAUTH Authentication required.",
    b"NOPERM this user has no permissions to run the 'lpush' command",
    b"WRONGTYPE Operation against a key holding the wrong kind of value",
    b"ERR something that nobody has heard of",
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.split()[0].decode())
def test_what_redis_refuses_goes_to_the_spool(start, list_redis, spool, error):
    ingestion = start(list_redis, SPOOL_DIR=spool.path, INGEST_THREADS=2)
    list_redis.error = error
    ids = take_all(ingestion, 500)
    assert sorted(spool.ids()) == sorted(ids) and not list_redis.jobs
    assert list_redis.refused >= 1
    ingestion.wait_log("Redis does not take events.*" + error.split()[0].decode())
    list_redis.error = None
    spool.wait_empty()
    assert len(list_redis.jobs) == 500
    ids = take_all(ingestion, 10)
    assert len(list_redis.jobs) == 510 and not spool.segments()


@pytest.mark.parametrize("error", [ERRORS[0], ERRORS[2]], ids=["OOM", "READONLY"])
def test_a_redis_that_refuses_is_asked_now_and_then_only(start, list_redis, spool, error):
    """One group is the probe; the rest does not wait for its answer."""
    ingestion = start(list_redis, SPOOL_DIR=spool.path, INGEST_THREADS=1)
    list_redis.error = error
    began = time.monotonic()
    result = send(ingestion.port, posts(scaled(5000)), connections=16)
    took = time.monotonic() - began
    assert set(result.statuses) == {200}, result
    halvings = 10 if error.startswith(b"OOM") else 0  # of a group, down to one event
    assert list_redis.refused <= 3 + halvings + took / 0.25 * 2, \
        f"{list_redis.refused} in {took:.1f} s"
    assert len(spool.segments()) <= 3


def test_without_a_spool_each_refusal_is_a_503_at_once(start, list_redis):
    ingestion = start(list_redis, INGEST_THREADS=1)
    list_redis.error = ERRORS[0]
    for _ in range(3):
        assert refused_in_time(ingestion) < patience(0.3)
    assert list_redis.refused == 3
    list_redis.error = None
    assert ingestion.post_event(event()).status == 200


def test_an_unknown_outcome_goes_to_the_spool(start, list_redis, spool):
    """Redis takes the jobs and the connection breaks before the reply, each time.  The
    events are answered 200 from the disk; that they are in the list more than once is
    what their event_id is for."""
    ingestion = start(list_redis, SPOOL_DIR=spool.path, INGEST_THREADS=1)
    list_redis.cut = True
    ids = take_all(ingestion, 20)
    list_redis.cut = False
    spool.wait_empty()
    assert metric(ingestion, "groups_resent_total") >= 1
    pushed = b"".join(list_redis.jobs).decode()
    assert all(one in pushed for one in ids)


# --- a real one ---------------------------------------------------------------------------

@pytest.mark.parametrize("trouble, word", [(no_memory, "OOM"), (replica, "READONLY"),
                                           (cannot_save, "MISCONF")],
                         ids=["OOM", "READONLY", "MISCONF"])
def test_a_real_redis_that_refuses(make_stack, server, spool, database, trouble, word):
    stack = make_stack(redis=server, reporting=False,
                       ingestion_env={"SPOOL_DIR": spool.path, "INGEST_THREADS": 2})
    judge = Judge()
    load = Load(stack.ingestion.port, posts(), connections=16, judge=judge).start()
    wait_until(lambda: load.result.answers > scaled(500), 20, "the load to run")
    heal = trouble(server)
    stack.ingestion.wait_log(f"Redis does not take events.*{word}")
    seen = load.result.answers
    wait_until(lambda: load.result.answers > seen + scaled(3000), 30, "the load to go on")
    heal()
    load.stop()
    result = load.join()
    assert set(result.statuses) == {200}, result
    spool.wait_empty()
    stack.settle()
    verdict = judge.assert_clean(database)
    assert verdict.stored == verdict.attempted


def test_a_real_redis_that_is_loading(start, server, spool):
    """It is back, but busy with its file: what comes meanwhile is in the spool."""
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(3000):
            pipe.set(f"key:{number}", number)
        pipe.execute()
    ingestion = start(server, SPOOL_DIR=spool.path)
    server.kill()
    server.options["key-load-delay"] = 1000  # microseconds
    server.start(wait=False)
    wait_until(server.is_loading, 10, "Redis to be loading",
               retry=(OSError,))
    ids = take_all(ingestion, 100)
    assert ingestion.get("/readyz").status == 503
    server.wait_ready()
    spool.wait_empty()
    assert sorted(queued_ids(server)) == sorted(ids)


# --- the cap of the queue -----------------------------------------------------------------

def test_past_the_cap_events_go_to_the_spool(start, server, spool):
    cap = 200
    ingestion = start(server, SPOOL_DIR=spool.path, QUEUE_MAX_EVENTS=cap,
                      GROUP_MAX_EVENTS=10, INGEST_THREADS=2)
    ids = take_all(ingestion, 1000)
    assert cap <= server.queue_length() <= cap + 2 * 2 * 10
    assert set(queued_ids(server)) | set(spool.ids()) == set(ids)
    ingestion.wait_log("the queue has reached its cap.* cap=200")
    taken = set()
    while spool.segments():
        found = queued_ids(server)
        assert len(found) <= cap + 2 * 2 * 10
        taken |= set(found)
        drop_jobs(server, len(found))
    assert taken | set(queued_ids(server)) == set(ids)


def test_past_the_cap_without_a_spool_is_a_503_at_once(start, server):
    ingestion = start(server, QUEUE_MAX_EVENTS=3, INGEST_THREADS=1)
    for _ in range(3):
        assert ingestion.post_event(event()).status == 200
    for _ in range(5):
        assert refused_in_time(ingestion) < patience(0.3)
    assert metric(ingestion, 'events_rejected_total{reason="queue_cap"}') == 5
    assert server.queue_length() == 3
    drop_jobs(server, 1)
    wait_taken(ingestion)
    assert server.queue_length() == 3


def test_past_the_cap_and_past_the_spool_is_a_503_at_once(start, server, spool):
    filler = b"x" * 1048576
    spool.put("full.damaged", filler)
    ingestion = start(server, QUEUE_MAX_EVENTS=3, INGEST_THREADS=1, SPOOL_DIR=spool.path,
                      SPOOL_MAX_BYTES=len(filler))
    for _ in range(3):
        assert ingestion.post_event(event()).status == 200
    for _ in range(5):
        assert refused_in_time(ingestion) < patience(0.3)
    assert not spool.segments()
    drop_jobs(server, 3)
    wait_taken(ingestion)


def test_no_cap(start, server):
    ingestion = start(server, QUEUE_MAX_EVENTS=0)
    take_all(ingestion, 300)
    assert server.queue_length() == 300


def test_the_cap_of_a_list_that_others_fill(start, server):
    """A length that another program has brought about is learnt with the next event."""
    ingestion = start(server, QUEUE_MAX_EVENTS=10, INGEST_THREADS=1)
    assert ingestion.post_event(event()).status == 200
    with server.client() as client:
        client.lpush(QUEUE, *["{}"] * 20)
    assert ingestion.post_event(event()).status == 200
    refused_in_time(ingestion)
    server.restart()  # the length is asked for again on the next connection
    refused_in_time(ingestion)
    drop_jobs(server, 20)
    wait_taken(ingestion)


# --- the limit of the spool ---------------------------------------------------------------

@pytest.mark.parametrize("threads", [1, 3])
def test_a_full_spool_is_a_503_until_it_is_fed(start, server, spool, threads):
    limit = 1048576
    ingestion = start(server, SPOOL_DIR=spool.path, SPOOL_MAX_BYTES=limit,
                      SPOOL_SEGMENT_BYTES=131072, INGEST_THREADS=threads,
                      ENQUEUE_TIMEOUT_MS=600)
    server.kill()
    wait_not_ready(ingestion)
    judge = Judge()
    fill(ingestion, judge, at_once=500)
    assert limit - 300 < spool.bytes() <= limit
    refused_in_time(ingestion)
    ingestion.wait_log("could not put events into the spool.* is full")
    assert judge.acknowledged <= set(spool.ids())
    server.start()
    spool.wait_empty()
    assert judge.acknowledged <= set(queued_ids(server))
    server.kill()
    wait_not_ready(ingestion)
    take_all(ingestion, 100)


def test_what_waits_from_before_counts(start, server, spool):
    """The limit holds across a restart, and for what a person has yet to look at."""
    spool.put("old.damaged", b"x" * 1040000)
    ingestion = start(server, SPOOL_DIR=spool.path, SPOOL_MAX_BYTES=1048576,
                      ENQUEUE_TIMEOUT_MS=600)
    ingestion.wait_log("events of an earlier run wait in the spool.* bytes=1040000")
    server.kill()
    wait_not_ready(ingestion)
    judge = Judge()
    fill(ingestion, judge)
    assert spool.bytes() <= 1048576
    spool.damaged()[0].unlink()
    server.start()  # the account is put right when the spool is looked at
    spool.wait_empty()
    wait_until(lambda: metric(ingestion, "spool_bytes") == 0, 10, "the account to be right")
