"""Rows 17, 26, 41, 42, 48, 49, 53 and 54 of the fault matrix (docs/reliability.md): the
machine runs out of disk, files, memory, processor time; its power fails, its clock jumps,
it sleeps; and nobody reads what the daemons say.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from support.daemon import binary
from support.ending import wait_drained
from support.load import Load
from support.postgres_server import Database, PostgresServer
from support.process import die_with_parent
from support.settings import build_dir, long_or_short, patience, scaled
from support.spool import Spool, posts
from support.wait import wait_until

LIBRARIES = build_dir() / "tests/support"
PRELOADED = {"ASAN_OPTIONS": "verify_asan_link_order=0"}


def fill(ballast):
    """Takes all the room that there is."""
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_row_17_the_disk_of_postgres_is_full(make_rig, redis, small_disk):
    """Whether Postgres refuses or ends itself: retried, and nothing is lost or dead."""
    disk = small_disk("170m")
    server = PostgresServer(disk, max_wal_size="48MB", min_wal_size="32MB",
                            shared_buffers="16MB", wal_init_zero="off").start()
    try:
        rig = make_rig(redis, Database(server, server.create_database()))
        rig.start()
        rig.load(rate=500)
        rig.wait_stored(scaled(200))
        ballast = disk / "ballast"
        fill(ballast)
        wait_until(lambda: rig.processor.ready_status() == 503, 60,
                   lambda: f"the disk to be full: {shutil.disk_usage(disk)}")
        rig.wait_answers(scaled(300))
        ballast.unlink()
        if server.process.poll() is not None:
            server.process = None
            server.start()
        rig.wait_stored(scaled(200), timeout=40)
        verdict = rig.end()
        assert set(rig.judge.statuses) == {200} and verdict.dead == 0
        assert verdict.stored == verdict.attempted
    finally:
        server.remove()


def test_row_26_the_power_of_ingestion_fails(make_rig, redis, database, tmp_path):
    """The spool after a power cut: cut to what its disk had for sure.  The answer comes
    after the flush, so every event that was answered is there."""
    log, spool = tmp_path / "fsyncs", tmp_path / "spool"
    rig = make_rig(redis, database).start(ingestion={
        "SPOOL_DIR": spool, "FSYNC_LOG": log, **PRELOADED,
        "LD_PRELOAD": LIBRARIES / "libfsync_log.so"})
    rig.load(rate=1000, connections=16)
    rig.door_line.refuse()
    rig.door_line.cut()
    rig.ingestion.wait_log("events go to the spool")
    rig.wait_answers(scaled(1000))
    rig.ingestion.kill9()
    flushed = {}
    for line in log.read_text().splitlines():
        size, path = line.split(" ", 1)
        flushed[path] = int(size)
    segments = list(spool.glob("*.spool"))
    assert segments
    for one in segments:
        with open(one, "r+b") as file:
            file.truncate(min(flushed.get(str(one), 0), one.stat().st_size))
    rig.stop_load()
    rig.heal()
    rig.start_ingestion(SPOOL_DIR=spool)
    wait_until(lambda: not Spool(spool).segments(), 30, "the spool to be fed")
    rig.end()


def test_row_41_files_run_out(daemons, redis, database, make_rig):
    """More clients than files: those who are in are served, nobody spins, and it goes on
    when they leave."""
    rig = make_rig(redis, database)
    rig.start_processor()
    ingestion = daemons.start("ingestion", nofile=60, INGEST_THREADS=1,
                              REDIS_URL=redis.url)
    rig.ingestion = ingestion
    load = Load(ingestion.port, iter(rig.mix.next, None), 150, judge=rig.judge,
                rate=500, reconnect=True).start()
    rig.loads.append(load)
    rig.wait_answers(scaled(500))
    rig.stop_load()
    before, began = ingestion.cpu_seconds(), time.monotonic()
    lines = ingestion.stderr().count("\n")
    rig.load(rate=50, connections=2)
    rig.wait_answers(30)
    share = (ingestion.cpu_seconds() - before) / (time.monotonic() - began)
    assert share < 0.3, f"{share:.0%} of a core for 50 events a second"
    assert ingestion.stderr().count("\n") - lines < 10
    rig.end(in_time=60)  # those who were not let in wait in the backlog


LIBRARY_ENDS = {"ingestion": [-signal.SIGABRT], "reporting": [-signal.SIGABRT],
                "processor": [-signal.SIGABRT, -signal.SIGSEGV]}


@pytest.mark.parametrize("which", LIBRARY_ENDS)
@pytest.mark.parametrize("permille", [2, 5, 50])
def test_row_42_memory_runs_out(make_rig, redis, database, tmp_path, which, permille):
    """Allocations fail here and there, in our code and in the libraries: refused, cut off
    or 503, never a false 200, and well again afterwards.  Two libraries do not survive all
    of it: libuv calls abort() when it cannot watch one more file, hiredis 0.14 when it
    cannot connect, and that also follows a NULL after a write.  A daemon that they end is
    started again, and nothing is lost."""
    rule = tmp_path / "memory"
    env = {"LD_PRELOAD": LIBRARIES / "libshort_memory.so", "SHORT_MEMORY": rule}
    rig = make_rig(redis, database).start(reporting=env if which == "reporting" else True,
                                          **({which: env} if which != "reporting" else {}))
    victim = getattr(rig, which)
    rig.load(rate=500)
    rig.wait_stored(scaled(100))
    rule.write_text(f"{permille}")
    for _ in range(3):
        rig.load(rate=300, connections=10)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            answer = rig.reporting.get("/stats?site_id=site-1", timeout=2)
            assert answer.status in (200, 503) and answer.json(), answer
    rule.unlink()
    if not victim.is_running:
        assert victim.process.returncode in LIBRARY_ENDS[which], victim.process.returncode
        assert not victim.has_logged("Assertion|panic"), victim.story()
        victim.process = None
        victim.start()
    rig.wait_stored(scaled(200))
    victim.wait_ready()
    rig.end(in_time=10)


HOUR, MONTH = 3600, 30 * 86400


@pytest.mark.parametrize("jumps", [(HOUR, -HOUR), (MONTH, 0, -MONTH)],
                         ids=["an hour", "a month"])
def test_row_48_the_wall_clock_jumps(make_rig, redis, database, tmp_path, jumps):
    """Of all our daemons, forwards and backwards: leases are Redis's time, deadlines are
    monotonic."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    env = {"LD_PRELOAD": LIBRARIES / "libclock_shift.so", "CLOCK_SHIFT": clock, **PRELOADED}
    rig = make_rig(redis, database).start(processors=2, ingestion=env,
                                          processor={"LEASE_MS": 5000, **env})
    rig.load(rate=500)
    rig.wait_stored(scaled(100))
    for jump in jumps:
        clock.write_text(f"{jump}\n")
        before, began = cpu(rig), time.monotonic()
        rig.wait_stored(scaled(300))
        share = (cpu(rig) - before) / (time.monotonic() - began)
        assert share < 1.5, f"{share:.0%} of a core after a jump by {jump} s"
    clock.write_text("0")
    verdict = rig.end()
    assert set(rig.judge.statuses) == {200} and verdict.stored == verdict.attempted
    assert not [line for one in rig.processors for line in one.log_lines("took a batch over")]


def cpu(rig):
    return sum(one.cpu_seconds() for one in [rig.ingestion, *rig.processors])


@pytest.mark.parametrize("which", ["ingestion", "processor", "reporting"])
def test_row_49_a_daemon_sleeps(make_rig, redis, database, which):
    """As with a laptop that is closed: timers fire once, and a lost lease is seen."""
    rig = make_rig(redis, database).start(reporting=True)
    rig.load(rate=200)
    rig.wait_stored(scaled(100))
    victim = getattr(rig, which)
    victim.pause()
    if which == "processor":
        rig.start_heir()
        rig.wait_stored(scaled(200))
    slept = time.monotonic() + long_or_short(60, 1.5)
    wait_until(lambda: time.monotonic() > slept, 100)
    before = victim.cpu_seconds()
    victim.resume()
    rig.wait_stored(scaled(100))
    assert rig.reporting.stats("site-1")["total_views"] >= 0
    assert victim.cpu_seconds() - before < patience(2)
    rig.end(in_time=70)


def test_row_53_nobody_reads_what_it_says(make_rig, redis, database):
    """Both pipes are full: what does not fit is counted and thrown away."""
    rig = make_rig(redis, database)
    daemon = rig.make_processor(LOG_JOBS_MAX=100000, LOG_LEVEL="debug", BATCH_MAX=1000)
    reading, writing = os.pipe()
    daemon.process = subprocess.Popen(
        [binary("processor")], cwd=daemon.directory, env=daemon.env, stdout=writing,
        stderr=writing, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent())
    daemon.stderr_path.touch()
    daemon.stdout_path.touch()
    rig.push(20000)
    wait_drained(redis, 60)
    daemon.wait_ready()
    verdict = rig.end()
    os.close(reading)
    os.close(writing)
    assert verdict.stored == 20000


def test_row_54_the_processor_time_is_short(make_rig, redis, database):
    """Slower, but nobody is taken for dead."""
    rig = make_rig(redis, database).start(processors=2, processor={"LEASE_MS": 5000})
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"],
                                preexec_fn=die_with_parent())
               for _ in range(4 * (os.cpu_count() or 2))]
    try:
        load = Load(rig.ingestion.port, posts(scaled(3000)), 16, judge=rig.judge)
        result = load.run()
        wait_until(lambda: redis.completed() >= scaled(3000), 90, "all to be stored")
    finally:
        for one in burners:
            one.kill()
            one.wait()
    assert set(result.statuses) == {200}, result
    rig.end(in_time=10)
    assert not [line for one in rig.processors for line in one.log_lines("took a batch over")]
