"""The spool as seen from outside: its files, and records made and read by hand."""
import json
import pathlib
import time
import zlib

from support.events import event, new_id
from support.load import send
from support.redis_server import QUEUE
from support.settings import patience
from support.wait import wait_until

MAGIC = b"EVENTS1 "
HEADER_LEN = 44

IN_TIME = 2.0  # of the contract
SLACK = 0.3    # the way there and back, on a busy machine
SPOOL_RESTS = 2.5  # seconds, after a failure; at most, and with time to find out


def posts(count=None, **fields):
    """Events with an identity of their own, as many as wanted."""
    number = 0
    while count is None or number < count:
        yield event(event_id=new_id(), path=f"/{number % 100}", **fields)
        number += 1


def queued_ids(redis):
    """Of every job in the queue, the oldest first."""
    with redis.client() as client:
        return [json.loads(text)["event_id"] for text in reversed(client.lrange(QUEUE, 0, -1))]


def drop_jobs(redis, count):
    """As if the processor had caught up."""
    with redis.client() as client:
        client.ltrim(QUEUE, 0, -count - 1)


def metric(daemon, name):
    for line in daemon.get("/metrics").body.decode().splitlines():
        if line.startswith(f"analytics_ingestion_{name} "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


def take_all(ingestion, count, connections=8):
    """Posts events, all of which must be answered 200; returns their ids."""
    sent = list(posts(count))
    result = send(ingestion.port, sent, connections=connections)
    assert dict(result.statuses) == {200: count}, f"{result}\n{ingestion.story()}"
    return [one["event_id"] for one in sent]


def fill(ingestion, judge, at_once=100):
    """Posts until not even an event that comes alone is taken, by any loop, for longer than
    a spool that has failed is left alone."""
    while 503 not in judge.statuses:
        send(ingestion.port, posts(at_once), connections=16, judge=judge)
    taken = time.monotonic()
    while time.monotonic() - taken < SPOOL_RESTS:
        if 200 in send(ingestion.port, posts(1), connections=1, judge=judge).statuses:
            taken = time.monotonic()


def wait_not_ready(ingestion):
    wait_until(lambda: ingestion.get("/readyz").status == 503, 10, "it to miss Redis")


def refused_in_time(ingestion):
    """A 503 as the contract has it; returns the seconds it took."""
    began = time.monotonic()
    answer = ingestion.post_event(event())
    took = time.monotonic() - began
    assert (answer.status, answer.body) == (503, b'{"error":"queue unavailable"}'), answer
    assert int(answer.header("Retry-After")) >= 1
    assert took < IN_TIME + patience(SLACK), f"503 after {took:.2f} s"
    return took


def wait_taken(ingestion):
    """Until events are taken again, by themselves; returns the id of the first."""
    def taken():
        one = event(event_id=new_id())
        return ingestion.post_event(one).status == 200 and one["event_id"]
    return wait_until(taken, 15, lambda: f"events to be taken\n{ingestion.story()}")


def record(jobs):
    """A record as segment.c writes it."""
    body = b"".join(job.encode() + b"\n" for job in jobs)
    head = MAGIC + b"%08x %08x %08x " % (len(body), len(jobs), zlib.crc32(body))
    return head + b"%08x\n" % zlib.crc32(head) + body


def records(data):
    """(start, end, jobs) of each record of a segment that has no fault."""
    found, at = [], 0
    while at < len(data):
        assert data[at:at + len(MAGIC)] == MAGIC, data[at:at + HEADER_LEN]
        length = int(data[at + 8:at + 16], 16)
        end = at + HEADER_LEN + length
        jobs = data[at + HEADER_LEN:end].decode().splitlines()
        assert data[at:end] == record(jobs)
        found.append((at, end, jobs))
        at = end
    return found


def size(path):
    """0 when it has just been removed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Spool:
    """A SPOOL_DIR."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def segments(self):
        """Those in which there is something: an empty one is kept for later."""
        return sorted(path for path in self.path.glob("*.spool") if size(path) > 0)

    def damaged(self):
        return sorted(self.path.glob("*.damaged"))

    def bytes(self):
        return sum(size(path) for path in [*self.segments(), *self.damaged()])

    def ids(self):
        """The event_id of every job in all segments, the oldest first."""
        return [json.loads(job)["event_id"] for path in self.segments()
                for _, _, jobs in records(path.read_bytes()) for job in jobs]

    def put(self, name, data):
        self.path.mkdir(exist_ok=True)
        (self.path / name).write_bytes(data)

    def wait_empty(self, timeout=20):
        wait_until(lambda: not self.segments(), timeout,
                   lambda: f"the spool to be fed; it has {self.segments()}", retry=(OSError,))
