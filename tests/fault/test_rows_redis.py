"""Rows 25 to 33, 35 and 36 of the fault matrix (docs/reliability.md): Redis is killed,
stopped, silent, full, busy, loses its memory or talks nonsense.

Without a spool requests are answered 503 in time while it is away; with one they are all
answered 200.
"""
import contextlib
import shutil

import pytest
import redis as redis_client

from support.fake_redis import FakeRedis, garbage, half, nested, unasked
from support.namespace import Namespace
from support.outage import IN_TIME, check_statuses, wait_trouble, wait_well
from support.redis_server import QUEUE, RedisServer
from support.settings import build_dir, long_or_short, patience, scaled
from support.wait import wait_until


# --- ended ----------------------------------------------------------------------------

@pytest.mark.parametrize("appendfsync", ["everysec", "always"])
def test_row_25_redis_is_killed_under_load(start, spool, appendfsync):
    """kill -9, twice: what was answered 200 is in its file."""
    rig = start(ingestion=spool, appendfsync=appendfsync)
    rig.load(rate=1000, connections=16)
    for _ in range(2):
        rig.wait_stored(scaled(200))
        rig.redis.kill()
        wait_trouble(rig, spool)
        rig.redis.start()
        wait_well(rig, spool)
    verdict = rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)
    if spool:
        assert verdict.stored == verdict.acknowledged == verdict.attempted


@pytest.mark.parametrize("appendfsync, may_lose_s", [("always", 0), ("everysec", 2.2)])
def test_row_26_the_power_of_redis_fails(start, tmp_path, appendfsync, may_lose_s):
    """All that its disk did not have for sure is gone: see fsync_log.c."""
    log = tmp_path / "fsyncs"
    rig = start(appendfsync=appendfsync, auto_aof_rewrite_percentage=0,
                env={"LD_PRELOAD": str(build_dir() / "tests/support/libfsync_log.so"),
                     "FSYNC_LOG": str(log),
                     "ASAN_OPTIONS": "verify_asan_link_order=0"})
    rig.load(rate=1000, connections=16)
    rig.wait_stored(scaled(1500))
    rig.redis.kill()
    end = max(rig.judge.acknowledged_at.values())
    cut_to_what_was_flushed(rig.redis, log)
    late = {one for one, moment in rig.judge.acknowledged_at.items()
            if moment > end - may_lose_s and may_lose_s}
    rig.redis.start()
    wait_well(rig, None)
    verdict = rig.end(in_time=IN_TIME, may_lose=late)
    lost = verdict.acknowledged - verdict.stored
    print(f"\n{appendfsync}: {max(0, lost)} of the last {len(late)} events lost")


def cut_to_what_was_flushed(server, log):
    flushed = {}
    for line in log.read_text().splitlines():
        size, path = line.split(" ", 1)
        flushed[path] = int(size)
    files = [one for one in (server.directory / "appendonlydir").glob("*.aof")]
    assert files and flushed, (files, flushed)
    for one in files:
        with open(one, "r+b") as file:  # of one that never was flushed nothing is left
            file.truncate(min(flushed.get(str(one), 0), one.stat().st_size))


def test_row_27_redis_refuses_connections(start, spool, daemons):
    """From the start, and in the middle."""
    rig = start(ingestion=spool)
    rig.load(rate=500)
    rig.wait_stored(scaled(100))
    rig.redis.stop()
    wait_trouble(rig, spool)
    late = daemons.start("ingestion", wait=False, REDIS_URL=rig.redis.url, **spool)
    assert late.wait_alive().ready_status() == 503
    rig.redis.start()
    late.wait_ready()
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


# --- silent ---------------------------------------------------------------------------

def test_row_28_redis_is_paused(start, spool):
    """The connection is replaced; an answer that comes late is nobody's."""
    rig = start(ingestion=spool)
    rig.load(rate=500)
    rig.wait_stored(scaled(100))
    for _ in range(2):
        rig.redis.pause()
        wait_trouble(rig, spool)
        rig.redis.resume()
        wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


@pytest.mark.parametrize("how", ["lose_reply", "lose_connection", "lose_by_reset"])
def test_row_29_the_connection_is_lost_in_the_place_of_the_reply(start, spool, how):
    """Nobody knows whether the group arrived: it is sent again, and stored once."""
    rig = start(ingestion=spool)
    rig.load(rate=1000)
    for line, word in ((rig.door_line, b"LPUSH"), (rig.worker_line, b"EVALSHA")):
        line.when(word, getattr(line, how), times=5)
    rig.wait_stored(scaled(1000))
    verdict = rig.end(in_time=IN_TIME)
    assert set(rig.judge.statuses) == {200}
    assert verdict.stored == verdict.acknowledged


def test_row_29_the_line_is_cut_again_and_again(start):
    rig = start()
    rig.load(rate=500)
    for turn in range(6):
        rig.wait_answers(scaled(50))
        for line in (rig.door_line, rig.worker_line):
            (line.cut, line.reset, line.half_close)[turn % 3]()
    rig.wait_stored(scaled(100))
    rig.end(in_time=IN_TIME)
    check_statuses(rig, None)


@pytest.mark.parametrize("how", ["swallow", "nft", "link"])
def test_row_30_the_line_swallows_everything(make_rig, private_redis, database, spool, how):
    """A firewall that drops, a cable that is pulled: neither RST nor FIN ever comes."""
    namespace = None if how == "swallow" else Namespace(1)
    try:
        options = {} if namespace is None else {
            "bind": namespace.address, "prefix": namespace.prefix(),
            "protected_mode": "no"}
        rig = make_rig(private_redis(**options), database)
        # Straight to Redis: it is the kernel's connection that goes half-open.
        url = rig.redis.url if namespace else rig.door_line.redis_url()
        rig.start(ingestion={"REDIS_URL": url, **spool}, processor={"REDIS_URL": url})
        rig.load(rate=300)
        rig.wait_stored(scaled(100))
        {"swallow": rig.door_line.swallow, "nft": lambda: namespace.drop(rig.redis.port),
         "link": lambda: namespace.link("down")}[how]()
        wait_trouble(rig, spool)
        {"swallow": rig.heal, "nft": lambda: namespace.pass_again(),
         "link": lambda: namespace.link("up")}[how]()
        wait_well(rig, spool)
        rig.end(in_time=IN_TIME, late=True)
        check_statuses(rig, spool)
    finally:
        if namespace:
            namespace.remove()


# --- full -----------------------------------------------------------------------------

def test_row_31_the_memory_of_redis_is_full(start, spool):
    """Ingestion is refused; the processor still claims and drains, and that heals it."""
    rig = start(ingestion=spool)
    rig.load(rate=1000)
    rig.wait_stored(scaled(200))
    rig.processor.pause()
    with rig.redis.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
    wait_trouble(rig, spool)
    before = rig.redis.completed()
    rig.processor.resume()
    wait_until(lambda: rig.redis.completed() > before, 20, "a full Redis to be drained")
    rig.wait_answers(scaled(50))
    with rig.redis.client() as client:
        client.config_set("maxmemory", 0)
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


@pytest.mark.parametrize("appendfsync", ["everysec", "always"])
def test_row_32_the_disk_of_redis_is_full(make_rig, database, small_disk, spool,
                                          appendfsync):
    """With everysec it refuses to write, with always it ends itself."""
    disk = small_disk("8m")
    server = RedisServer(disk / "redis", appendfsync, auto_aof_rewrite_percentage=0).start()
    try:
        rig = make_rig(server, database).start(ingestion=spool)
        rig.load(rate=500)
        rig.wait_stored(scaled(100))
        ballast = disk / "ballast"
        free = shutil.disk_usage(disk).free
        with contextlib.suppress(OSError):  # Redis was faster, and the disk is full
            ballast.write_bytes(bytes(max(0, free - 40_000)))
        wait_trouble(rig, spool)
        ballast.unlink()
        if appendfsync == "always":
            server.process.wait(patience(10))
            server.process = None
            server.start()
        wait_well(rig, spool)
        rig.end(in_time=IN_TIME)
        check_statuses(rig, spool)
    finally:
        server.stop()


# --- busy, strict, forgetful ----------------------------------------------------------

def test_row_33_redis_is_loading(start, spool):
    """It is back, but reads its file first."""
    rig = start(ingestion=spool)
    with rig.redis.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(2000):
            pipe.set(f"key:{number}", number)
        pipe.execute()
    rig.load(rate=300)
    rig.wait_stored(scaled(100))
    rig.redis.kill()
    rig.redis.options["key-load-delay"] = 1000  # microseconds
    rig.redis.start(wait=False)
    wait_until(rig.redis.is_loading, 10, "it to be loading",
               retry=(OSError,))
    wait_trouble(rig, spool)
    rig.redis.wait_ready()
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


def test_row_33_redis_is_busy_with_a_script(start, spool):
    rig = start(ingestion=spool, busy_reply_threshold=100)
    rig.load(rate=300)
    rig.wait_stored(scaled(100))
    with rig.redis.client(socket_timeout=0.2) as client:
        with pytest.raises(redis_client.TimeoutError):
            client.execute_command("EVAL", "while true do end", 0)
    wait_trouble(rig, spool)
    with rig.redis.client() as client:
        client.execute_command("SCRIPT", "KILL")
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


def test_row_33_redis_makes_writers_wait_and_forgets_scripts(start, spool):
    rig = start(ingestion=spool)
    rig.load(rate=300)
    rig.wait_stored(scaled(100))
    with rig.redis.client() as client:
        client.execute_command("CLIENT", "PAUSE", 2500, "WRITE")
        wait_trouble(rig, spool)
        client.execute_command("CLIENT", "UNPAUSE")
        for _ in range(3):
            client.script_flush()
            rig.wait_stored(scaled(50))
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


def test_row_33_an_account_that_may_only_do_what_is_needed(start, database):
    """The rules of docs/operation.md: it cannot FLUSHALL, nor read other keys."""
    rig = start()
    with rig.redis.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "worker", "on", ">hush", "resetkeys", "~{events}:*",
            "+@all", "-@dangerous", "-@admin", "+info", "+sort")
    secret = rig.redis.url.replace("redis://", "redis://worker:hush@")
    ingestion = rig.start_ingestion(REDIS_URL=secret)
    rig.processor.stop()
    processor = rig.start_processor(REDIS_URL=secret)
    rig.load(rate=500)
    rig.wait_stored(scaled(300))
    rig.end(in_time=IN_TIME)
    assert "hush" not in ingestion.stderr() + processor.stderr()


# --- nonsense -------------------------------------------------------------------------

@pytest.mark.parametrize("answer", [garbage, unasked, half, nested],
                         ids=lambda answer: answer.__name__)
def test_row_35_redis_talks_nonsense_for_a_while(start, spool, answer):
    rig = start(ingestion=spool)
    fake = FakeRedis(answer)
    rig.load(rate=300)
    rig.wait_stored(scaled(50))
    rig.door_line.target = fake.port
    rig.door_line.cut()
    wait_trouble(rig, spool)
    rig.door_line.target = rig.redis.port
    rig.door_line.cut()
    wait_well(rig, spool)
    fake.close()
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


def test_row_35_replies_are_damaged_on_the_way(start, spool):
    """A bit of every tenth reply to ingestion; and of the processor's what its scripts
    answer, in a way that can be seen: a job that is changed in a way that makes another
    valid job is nobody's to see, TCP has checksums for that."""
    rig = start(ingestion=spool)
    rig.load(rate=500)
    rig.wait_stored(scaled(50))
    rig.door_line.flip_bytes(10, seed=35)
    rig.worker_line.replace(b"*4\r\n$36\r\n", b"@4\r\n$36\r\n", "down", times=3)
    rig.wait_stored(scaled(200), timeout=60)
    rig.heal()
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)


def test_row_36_the_end_of_redis_file_is_torn_off(start):
    """It starts; at most what stood in the tail is lost, and nothing is doubled."""
    rig = start(auto_aof_rewrite_percentage=0)
    rig.load(rate=500)
    rig.wait_stored(scaled(500))
    rig.processor.pause()
    rig.wait_answers(scaled(200))
    rig.redis.kill()
    file = next((rig.redis.directory / "appendonlydir").glob("*.incr.aof"))
    data = file.read_bytes()
    cut = len(data) - 20_001
    file.write_bytes(data[:cut])
    # The command that the cut goes through is lost as a whole.  An answer may still be on
    # its way to the judge.
    whole = max(data.rfind(b"LPUSH", 0, cut), 0)
    tail = {one for one in list(rig.judge.attempted) if one.encode() in data[whole:]}
    rig.redis.start()
    rig.processor.resume()
    rig.wait_answers(scaled(100))
    verdict = rig.end(in_time=IN_TIME, may_lose=tail)
    assert tail and verdict.stored >= verdict.acknowledged - len(tail)


def test_a_redis_outage_of_a_minute_refuses_nothing(start, tmp_path):
    """The figure of docs/reliability.md; short unless ANALYTICS_TEST_LONG is set."""
    rig = start(ingestion={"SPOOL_DIR": tmp_path / "spool"})
    rig.load(rate=1000, connections=32)
    rig.wait_stored(scaled(200))
    rig.redis.stop()
    rig.outlast(long_or_short(60, 3), rate=700)
    rig.redis.start()
    wait_well(rig, {"SPOOL_DIR": tmp_path / "spool"})
    with rig.redis.client() as client:
        assert client.exists(QUEUE) in (0, 1)
    verdict = rig.end(in_time=IN_TIME)
    assert set(rig.judge.statuses) == {200}
    assert verdict.stored == verdict.attempted
