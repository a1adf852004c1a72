"""The spool as seen from outside: its files, and records made and read by hand."""
import json
import pathlib
import zlib

from support.wait import wait_until

MAGIC = b"EVENTS1 "
HEADER_LEN = 44


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


class Spool:
    """A SPOOL_DIR."""

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def segments(self):
        return sorted(self.path.glob("*.spool"))

    def damaged(self):
        return sorted(self.path.glob("*.damaged"))

    def bytes(self):
        return sum(path.stat().st_size for path in [*self.segments(), *self.damaged()])

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
