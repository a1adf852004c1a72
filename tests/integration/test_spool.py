"""The spool: while Redis is away events go to the disk, and are answered 200 from there;
afterwards they are fed to Redis.  Whatever ends in between, nothing is lost and nothing is
stored twice.
"""
import threading
import time

import pytest

from support.daemon import run
from support.events import event, job, new_id
from support.judge import Judge
from support.load import Load
from support.redis_server import QUEUE
from support.settings import patience, scaled
from support.spool import (metric, posts, queued_ids, record, records, take_all,
                           wait_not_ready)
from support.spool_fixtures import server, spool  # noqa: F401
from support.wait import wait_until


@pytest.fixture
def start(daemons, server, spool):
    """Starts ingestion with a spool."""
    def ingestion(wait=True, **env):
        env.setdefault("REDIS_URL", server.url)
        return daemons.start("ingestion", wait=wait, SPOOL_DIR=spool.path, **env)
    return ingestion


@pytest.fixture
def full_stack(make_stack, server, spool):
    """The whole suite, ingestion with a spool."""
    def make(**env):
        return make_stack(redis=server, reporting=False,
                          ingestion_env={"SPOOL_DIR": spool.path, **env})
    return make


def wait_spooling(spool, timeout=10):
    wait_until(spool.segments, timeout, "events to go to the spool")


# --- Redis goes and comes back ----------------------------------------------------------

@pytest.mark.parametrize("how", ["kill", "stop", "pause"])
def test_no_request_is_refused_while_redis_is_away(full_stack, server, spool, database, how):
    stack = full_stack()
    judge = Judge()
    load = Load(stack.ingestion.port, posts(), connections=32, judge=judge).start()
    wait_until(lambda: load.result.answers > scaled(1000), 20, "the load to run")
    getattr(server, how)()
    wait_spooling(spool)
    seen = load.result.answers
    wait_until(lambda: load.result.answers > seen + scaled(10000), 60,
               lambda: f"events to be taken from the spool\n{stack.ingestion.story()}")
    if how == "pause":
        server.resume()
    else:
        server.start()
    seen = load.result.answers
    wait_until(lambda: load.result.answers > seen + scaled(2000), 30, "the load to go on")
    load.stop()
    result = load.join()
    assert set(result.statuses) == {200} and not result.errors, result
    spool.wait_empty(60)
    stack.settle(60)
    verdict = judge.assert_clean(database)
    assert verdict.stored == verdict.acknowledged == verdict.attempted, str(verdict)
    assert stack.ingestion.has_logged("events go to the spool")
    stack.ingestion.wait_log("the spool is empty again")
    print(f"\n{how}: {result}")


def test_answers_come_soon_while_redis_is_away(start, server, spool):
    ingestion = start()
    server.kill()
    wait_not_ready(ingestion)
    take_all(ingestion, 10)
    took = []
    for one in posts(50):
        began = time.monotonic()
        assert ingestion.post_event(one).status == 200
        took.append(time.monotonic() - began)
    assert sorted(took)[25] < patience(0.25), took
    assert len(spool.ids()) == 60


def test_ready_says_what_redis_does_even_with_a_spool(start, server):
    ingestion = start()
    server.kill()
    wait_not_ready(ingestion)
    assert ingestion.post_event(event()).status == 200
    assert ingestion.get("/readyz").json() == {"error": "Redis is not reachable; events go to the spool"}
    server.start()
    wait_until(lambda: ingestion.get("/readyz").status == 200, 10, "it to be ready")


def test_redis_that_was_never_there(start, server, spool):
    server.stop()
    ingestion = start(wait=False)
    ingestion.wait_alive()
    ids = take_all(ingestion, 100)
    assert sorted(spool.ids()) == sorted(ids)
    server.start()
    spool.wait_empty()
    assert sorted(queued_ids(server)) == sorted(ids)


def test_spooled_jobs_arrive_as_they_would_have_gone(start, server, spool):
    """The job from the spool is the canonical one, byte by byte, with its first time."""
    fields = event(event_id=new_id(), site_id="späte \"Site\"", path="/a\\b?c=\n",
                   user_id=None)
    ingestion = start(INGEST_THREADS=1)
    assert ingestion.post_event(fields).status == 200
    server.kill()
    wait_not_ready(ingestion)
    assert ingestion.post_event(fields).status == 200
    server.start()
    spool.wait_empty()
    with server.client() as client:
        second, first = client.lrange(QUEUE, 0, -1)
    cut = len(b'"2025-11-14T10:00:00.000Z"}')
    assert first[:-cut] == second[:-cut]


def test_the_oldest_is_fed_first(start, server, spool):
    """One loop keeps the order within what it spooled, and across its files."""
    server.stop()
    ingestion = start(wait=False, INGEST_THREADS=1, SPOOL_SEGMENT_BYTES=65536)
    ingestion.wait_alive()
    ids = []
    for one in posts(900):
        assert ingestion.post_event(one).status == 200
        ids.append(one["event_id"])
    assert len(spool.segments()) >= 2
    assert spool.ids() == ids
    server.start()
    spool.wait_empty()
    assert queued_ids(server) == ids


def test_new_events_flow_while_the_spool_is_fed(start, server, spool):
    """Old events by the ten thousand wait; a new one does not wait for them."""
    count = scaled(200000, 20000)
    old = [job({"event_id": new_id(), "site_id": "old", "event_type": "e", "path": "/",
                "timestamp": "2025-11-14T10:00:00.000Z"}) for _ in range(count)]
    spool.put("0.spool", b"".join(record(old[n:n + 500]) for n in range(0, count, 500)))
    ingestion = start(INGEST_THREADS=1)
    slowest = 0.0
    posted = 0
    while spool.segments():
        began = time.monotonic()
        assert ingestion.post_event(event()).status == 200
        slowest = max(slowest, time.monotonic() - began)
        posted += 1
    print(f"\n{posted} events beside {count} from the spool, slowest {slowest * 1e3:.1f} ms")
    assert posted > 0 and slowest < patience(0.5)
    assert server.queue_length() == count + posted


# --- processes that end -----------------------------------------------------------------

def test_killed_while_spooling_and_fed_by_the_next(full_stack, server, spool, database):
    """kill -9 under load; the next start has fewer loops, and feeds all there is."""
    stack = full_stack(INGEST_THREADS=3)
    judge = Judge()
    server.kill()
    load = Load(stack.ingestion.port, posts(), connections=32, judge=judge).start()
    wait_until(lambda: load.result.answers > scaled(5000), 60, "events to be spooled")
    stack.ingestion.kill9()
    load.stop()
    result = load.join()
    assert set(result.statuses) == {200}, result
    assert len(spool.segments()) >= 1
    server.start()
    stack.ingestion.env["INGEST_THREADS"] = "1"
    stack.ingestion.start()
    spool.wait_empty()
    stack.settle(60)
    verdict = judge.assert_clean(database)
    assert verdict.acknowledged == result.answers
    print(f"\n{verdict}")


def test_killed_while_feeding_and_fed_again(full_stack, server, spool, database):
    """Some of a file is in Redis already when the process dies: all of it is sent again,
    and stored once."""
    stack = full_stack(INGEST_THREADS=1)
    judge = Judge()
    for number in range(4):
        sent = list(posts(scaled(40000, 4000)))
        spool.put(f"{number}.spool", b"".join(
            record([job(one) for one in sent[n:n + 200]])
            for n in range(0, len(sent), 200)))
        for one in sent:
            judge.pushed(one)
    fed = server.queue_length
    wait_until(lambda: fed() > 0 or stack.stored() > 0, 20, "feeding to begin")
    stack.ingestion.kill9()
    stack.ingestion.start()
    spool.wait_empty()
    stack.settle(60)
    verdict = judge.assert_clean(database)
    assert verdict.stored == verdict.attempted


def test_ended_in_order_without_redis(start, server, spool):
    """SIGTERM while Redis is away: what waits goes to the spool and is answered 200."""
    ingestion = start()
    judge = Judge()
    server.kill()
    load = Load(ingestion.port, posts(), connections=32, judge=judge).start()
    wait_until(lambda: load.result.answers > scaled(2000), 30, "events to be spooled")
    load.stop()
    took = ingestion.stop()
    result = load.join()
    assert set(result.statuses) == {200} and not result.errors, result
    assert took < patience(5)
    assert set(spool.ids()) == judge.acknowledged


def test_ended_at_once_when_redis_goes(start, server, spool):
    """The events of requests that wait when both signals come are in the spool too."""
    ingestion = start()
    server.pause()
    sent = list(posts(16))
    results = []

    def post(one):
        results.append((one["event_id"], ingestion.post_event(one).status))
    threads = [threading.Thread(target=post, args=(one,)) for one in sent]
    for thread in threads:
        thread.start()
    wait_until(lambda: metric(ingestion, "pending_events") == 16, 10, "all to wait")
    took = ingestion.stop()
    for thread in threads:
        thread.join()
    assert took < patience(5)
    assert {status for _, status in results} == {200}
    assert set(spool.ids()) == {one for one, _ in results}
    server.resume()


def test_metrics_tell_of_the_spool(start, server, spool):
    ingestion = start()
    assert metric(ingestion, "spool_bytes_max") == 1 << 30
    server.kill()
    wait_not_ready(ingestion)
    take_all(ingestion, 100)
    assert metric(ingestion, "events_spooled_total") == 100
    wait_until(lambda: metric(ingestion, "spool_bytes") == spool.bytes(), 10,
               "the metric to show the bytes")
    server.start()
    spool.wait_empty()
    wait_until(lambda: metric(ingestion, "spool_bytes") == 0, 10, "the spool to be empty")
    assert metric(ingestion, "events_fed_total") == 100
    assert metric(ingestion, "events_enqueued_total") == 100


def test_two_processes_share_a_spool(daemons, start, server, spool):
    """As while one is replaced by the next: each feeds what it finds, and the bytes that
    the other has taken away are free again."""
    first = start(SPOOL_MAX_BYTES=1048576)
    second = start(SPOOL_MAX_BYTES=1048576)
    server.kill()
    for ingestion in (first, second):
        wait_not_ready(ingestion)
    ids = take_all(first, 300) + take_all(second, 300)
    assert sorted(spool.ids()) == sorted(ids)
    second.kill9()
    server.start()
    spool.wait_empty()
    assert set(queued_ids(server)) == set(ids)
    wait_until(lambda: metric(first, "spool_bytes") == 0, 10, "its account to be right")


# --- settings ---------------------------------------------------------------------------

def test_the_folder_is_made_and_is_private(start, spool):
    start()
    assert spool.path.stat().st_mode & 0o7777 == 0o700
    assert not list(spool.path.iterdir())


@pytest.mark.parametrize("path", ["file", "missing/spool", "/proc"])
def test_a_folder_that_cannot_be_used_is_a_wrong_setting(tmp_path, path):
    (tmp_path / "file").write_text("")
    done = run("ingestion", cwd=tmp_path,
               env={"SPOOL_DIR": path if path[0] == "/" else tmp_path / path, "PORT": 0})
    assert done.returncode == 2, done
    assert "SPOOL_DIR" in done.stderr and path in done.stderr
    assert "cannot be used: " in done.stderr


def test_records_are_lines_for_a_pager(start, server, spool):
    server.stop()
    ingestion = start(wait=False)
    ingestion.wait_alive()
    take_all(ingestion, 20)
    for path in spool.segments():
        data = path.read_bytes()
        assert records(data) and data.isascii() and data.endswith(b"}\n")
        assert path.stat().st_mode & 0o7777 == 0o600
