"""Trouble for the spool: a disk that is full, slow or broken, files that are damaged.  An
event answered 200 is never lost; one that is nowhere is never answered 200.
"""
import errno
import os
import time

import pytest

from support.bad_disk import BadDisk
from support.events import event, job, new_id
from support.http import Connection
from support.judge import Judge
from support.load import Load
from support.settings import patience
from support.spool import (Spool, fill, metric, posts, queued_ids, record, records,
                           refused_in_time, take_all, wait_not_ready, wait_taken)
from support.spool_fixtures import server, spool  # noqa: F401
from support.wait import wait_until


@pytest.fixture
def disk(tmp_path):
    """The disk of a daemon that was started with its env."""
    return BadDisk(tmp_path / "disk")


@pytest.fixture
def start(daemons, server, spool):
    """Starts ingestion with a spool.  A library in front of the sanitizer's is meant."""
    def ingestion(wait=True, **env):
        env.setdefault("REDIS_URL", server.url)
        env.setdefault("SPOOL_DIR", spool.path)
        daemon = daemons.make("ingestion", **env)
        daemon.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        daemon.start(wait=False)
        return daemon.wait_ready() if wait else daemon.wait_alive() or daemon
    return ingestion


# --- damage -----------------------------------------------------------------------------

def jobs_of(*ids):
    return [job(event(event_id=one)) for one in ids]


def test_a_damaged_record_is_kept_aside_and_the_rest_is_fed(start, server, spool):
    ids = [new_id() for _ in range(9)]
    good = [record(jobs_of(*ids[n:n + 3])) for n in range(0, 9, 3)]
    flipped = bytearray(good[1])
    flipped[60] ^= 1
    data = good[0] + flipped + good[2]
    spool.put("1.spool", data)
    ingestion = start()
    spool.wait_empty()
    assert queued_ids(server) == ids[:3] + ids[6:]
    assert [path.name for path in spool.damaged()] == ["1.damaged"]
    assert spool.damaged()[0].read_bytes() == data
    ingestion.wait_log(f"a spool file is damaged.* file=1.spool events=6 "
                       f"damaged_bytes={len(flipped)} at={len(good[0])}")
    assert metric(ingestion, "spool_files_damaged_total") == 1
    # A person has looked at it, and puts it back: what verifies is fed once more.
    os.rename(spool.path / "1.damaged", spool.path / "again.spool")
    spool.wait_empty()
    assert [path.name for path in spool.damaged()] == ["again.damaged"]


def test_a_torn_end_is_cut_off(start, server, spool):
    ids = [new_id() for _ in range(4)]
    data = record(jobs_of(*ids[:2])) + record(jobs_of(*ids[2:]))
    spool.put("1.spool", data[:-1])
    ingestion = start()
    spool.wait_empty()
    assert queued_ids(server) == ids[:2] and not spool.damaged()
    torn = len(data) - 1 - len(record(jobs_of(*ids[:2])))
    ingestion.wait_log(f"torn end of a spool file.* events=2 torn_bytes={torn}")


def test_damage_across_windows_of_a_long_file(start, server, spool):
    """Records and damage where a reader of 1 MiB at a time has to read on."""
    ids, data = [], []
    for number in range(40):
        some = [new_id() for _ in range(300)]
        made = bytearray(record(jobs_of(*some)))
        if number in (0, 13, 26, 39):
            made[number * 7 + 5] ^= 0x40
        else:
            ids += some
        data.append(bytes(made))
    spool.put("1.spool", b"".join(data))
    assert (spool.path / "1.spool").stat().st_size > 2 << 20
    start()
    spool.wait_empty()
    assert queued_ids(server) == ids
    assert spool.damaged()


def test_the_largest_record_is_fed(start, server, spool):
    ids = [new_id() for _ in range(5000)]
    data = record(jobs_of(*ids))
    assert len(data) < 1048576 < len(record(jobs_of(*ids) * 2))
    spool.put("1.spool", data)
    start(GROUP_MAX_EVENTS=10)
    spool.wait_empty()
    assert queued_ids(server) == ids


def test_what_is_no_spool_file_is_left_alone(start, server, spool):
    one = new_id()
    spool.put("notes.txt", b"hello")
    spool.put("empty.spool", b"")
    spool.put("zz.spool", record(jobs_of(one)))
    (spool.path / "folder.spool").mkdir()
    (spool.path / "link.spool").symlink_to("notes.txt")
    os.mkfifo(spool.path / "pipe.spool")
    start()
    wait_until(lambda: queued_ids(server) == [one], 10, "the one segment to be fed")
    wait_until(lambda: not (spool.path / "empty.spool").exists(), 10, "the empty file to go")
    left = sorted(path.name for path in spool.path.iterdir())
    assert left == ["folder.spool", "link.spool", "notes.txt", "pipe.spool"]


def test_a_file_that_cannot_be_read_is_kept_aside(start, server, spool, disk):
    ids = [new_id() for _ in range(2)]
    spool.put("1.spool", record(jobs_of(ids[0])))
    disk.set(f"pread fail {errno.EIO}")
    ingestion = start(**disk.env)
    ingestion.wait_log("could not read a spool file.*Input/output error")
    wait_until(spool.damaged, 10, "it to be kept")
    disk.set()
    spool.put("2.spool", record(jobs_of(ids[1])))
    spool.wait_empty()
    assert queued_ids(server) == [ids[1]]
    os.rename(spool.damaged()[0], spool.path / "1.spool")
    spool.wait_empty()
    assert queued_ids(server) == [ids[1], ids[0]]


def test_a_file_that_cannot_be_removed_is_fed_once(start, server, spool, disk):
    ids = [new_id() for _ in range(3)]
    spool.put("1.spool", record(jobs_of(*ids)))
    disk.set(f"unlinkat fail {errno.EACCES}")
    ingestion = start(**disk.env)
    ingestion.wait_log("could not put a spool file away.*Permission denied")
    assert queued_ids(server) == ids and spool.segments()
    disk.set()
    spool.wait_empty()
    assert queued_ids(server) == ids


# --- the disk ---------------------------------------------------------------------------

def test_a_slow_disk_blocks_no_loop(start, server, spool, disk):
    """While a flush takes most of a second, everything else is answered as ever, and what
    came in meanwhile shares the next one."""
    disk.set("fdatasync delay 700")
    ingestion = start(INGEST_THREADS=1, **disk.env)
    server.kill()
    wait_not_ready(ingestion)
    load = Load(ingestion.port, posts(400), connections=200).start()
    slowest, asked = 0.0, 0
    with Connection(ingestion.port) as conn:
        while load.result.answers < 400:
            began = time.monotonic()
            assert conn.request("GET", "/healthz").status == 200
            slowest = max(slowest, time.monotonic() - began)
            asked += 1
    result = load.join()
    assert dict(result.statuses) == {200: 400}, result
    assert asked > 10 and slowest < patience(0.3), f"{asked} asked, slowest {slowest:.3f} s"
    assert len(records(spool.segments()[0].read_bytes())) <= 8
    disk.set()


def test_a_disk_that_hangs_is_a_503_in_time(start, server, spool, disk):
    disk.set("fdatasync delay 4000")
    ingestion = start(INGEST_THREADS=2, **disk.env)
    server.kill()
    wait_not_ready(ingestion)
    for _ in range(3):
        refused_in_time(ingestion)
    disk.set()
    server.start()
    wait_taken(ingestion)
    wait_until(lambda: metric(ingestion, "pending_events") == 0, 10, "the flush to return")


FAILURES = [("fdatasync fail", errno.EIO), ("fdatasync fail", errno.EDQUOT),
            ("pwrite fail", errno.EROFS), ("pwrite fail", errno.ENOSPC),
            ("pwrite half", errno.EIO), ("pwrite half", errno.ENOSPC)]


@pytest.mark.parametrize("rule, number", FAILURES,
                         ids=[f"{rule} {errno.errorcode[n]}" for rule, n in FAILURES])
def test_a_disk_that_fails_is_a_503_and_nothing_is_lost(start, server, spool, disk, rule,
                                                        number):
    disk.set()
    ingestion = start(INGEST_THREADS=2, ENQUEUE_TIMEOUT_MS=600, **disk.env)
    server.kill()
    wait_not_ready(ingestion)
    kept = take_all(ingestion, 50)
    disk.set(f"{rule} {number}")
    for _ in range(2):
        refused_in_time(ingestion)
    ingestion.wait_log("could not put events into the spool")
    disk.set()
    kept.append(wait_taken(ingestion))
    assert spool.ids() and set(kept) <= set(spool.ids())
    server.start()
    spool.wait_empty()
    assert set(kept) <= set(queued_ids(server))
    assert not spool.damaged()


def test_a_file_cut_by_a_failed_write_goes_on_being_fed(start, server, spool, disk):
    """What a failed append left is taken away, so the file before it stays good."""
    disk.set()
    ingestion = start(INGEST_THREADS=1, ENQUEUE_TIMEOUT_MS=600, **disk.env)
    server.kill()
    wait_not_ready(ingestion)
    kept = take_all(ingestion, 50)
    disk.set(f"pwrite half {errno.EIO}")
    refused_in_time(ingestion)
    assert sorted(spool.ids()) == sorted(kept)  # every byte of every file verifies


def test_a_full_disk_is_a_503_until_there_is_room(start, server, small_disk):
    disk = small_disk("1m")
    spool = Spool(disk / "spool")
    ingestion = start(SPOOL_DIR=spool.path, ENQUEUE_TIMEOUT_MS=600, INGEST_THREADS=2)
    server.kill()
    wait_not_ready(ingestion)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(600 * 1024))
    judge = Judge()
    fill(ingestion, judge)
    refused_in_time(ingestion)
    ingestion.wait_log("No space left on device")
    assert judge.acknowledged <= set(spool.ids())
    ballast.unlink()
    last = wait_taken(ingestion)
    server.start()
    spool.wait_empty()
    assert judge.acknowledged | {last} <= set(queued_ids(server))
    assert not spool.damaged()
