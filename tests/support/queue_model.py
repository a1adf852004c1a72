"""What the queue, its workers and the tables must hold after each step: the simple model
that tests/integration/test_model.py compares the real Redis and Postgres with."""
import collections
import copy
import json
import math
import uuid

BATCH_MAX = 4
BATCH_MAX_BYTES = 1024  # four ordinary jobs, or not even one large one
BODY_MAX = 118_784  # bytes of one job
ENDED_MAX = 20  # leases that a claim looks at
LIVE = math.inf  # the end of a lease that has not ended; others are small numbers

Claim = collections.namedtuple("Claim", "id attempts jobs")  # 0 attempts: not sealed


def fitting(jobs):
    """How many of them are kept: as many as fit, and at least one."""
    count = bytes_ = 0
    for job in jobs:
        bytes_ += len(job)
        if count > 0 and bytes_ > BATCH_MAX_BYTES:
            break
        count += 1
    return count


def taken(jobs, most):
    """How many of the queue's jobs, the oldest first, a claim takes before they are read:
    unless all that ingestion lets in would fit, the longer end says how many do."""
    count = min(most, len(jobs))
    if count > 1 and count * BODY_MAX > BATCH_MAX_BYTES:
        long = max(len(jobs[0]), len(jobs[count - 1]))
        count = max(1, min(count, BATCH_MAX_BYTES // long))
    return count


def next_max(jobs):
    """How many jobs of that size the next batch may take."""
    return max(1, min(BATCH_MAX, len(jobs) * BATCH_MAX_BYTES // sum(map(len, jobs))))


def kind_of(job):
    try:
        fields = json.loads(job)
    except ValueError:
        return "garbage"
    if fields["path"] == "/refused":
        return "refused"
    return "event" if "event_id" in fields else "anonymous"


def identity(batch_id, place, job):
    """The key of the job's row or letter: its own id, or one made from batch and place."""
    if kind_of(job) in ("event", "refused"):
        return json.loads(job)["event_id"]
    made = bytearray(uuid.UUID(batch_id).bytes)
    made[6] = 0x80 | made[6] & 0x0F
    made[8] = 0x80 | made[8] & 0x3F
    for at, byte in zip(range(15, 11, -1), place.to_bytes(4, "little")):
        made[at] ^= byte
    return str(uuid.UUID(bytes=bytes(made)))


class Queue:
    """Redis.  Each method is one atomic step there."""

    def __init__(self):
        self.jobs = []  # the list {events}:queue, its left end first
        self.batches = {}
        self.leases = {}
        self.counts = {}  # {events}:attempts, the fields without a suffix
        self.owners = {}
        self.completed = 0

    def copy(self):
        return copy.deepcopy(self)

    def push(self, jobs):
        for job in jobs:
            self.jobs.insert(0, job)

    def forget(self, batch_id):
        for table in (self.leases, self.counts, self.owners):
            table.pop(batch_id, None)

    def own(self, batch_id, owner):
        self.leases[batch_id] = LIVE
        self.owners[batch_id] = owner

    def take(self, batch_id, most):
        for _ in range(taken(self.jobs[::-1], most)):
            self.batches.setdefault(batch_id, []).append(self.jobs.pop())

    def put_back(self, batch_id, kept):
        """What comes after those that are kept, the oldest to be taken next again."""
        jobs = self.batches[batch_id]
        self.jobs += reversed(jobs[kept:])
        del jobs[kept:]
        if not jobs:
            del self.batches[batch_id]

    def answer(self, batch_id, began=1):
        if batch_id in self.counts:
            self.counts[batch_id] += began
        return Claim(batch_id, self.counts.get(batch_id, 0), list(self.batches[batch_id]))

    def ask(self, unsure_id, owner):
        """unsure_id is of a claim of which an answer was lost."""
        if unsure_id not in self.batches or self.owners.get(unsure_id) != owner:
            return Claim(unsure_id, 0, [])
        self.own(unsure_id, owner)
        return self.answer(unsure_id, began=0)

    def claim(self, next_id, owner, most):
        ended = sorted((end, i) for i, end in self.leases.items() if end < LIVE)
        for _, old in ended[:ENDED_MAX]:
            if old in self.batches:
                self.own(old, owner)
                return self.answer(old)
            self.forget(old)
        self.own(next_id, owner)
        if not self.jobs:
            return Claim(next_id, 0, [])
        self.take(next_id, most)
        return self.answer(next_id)

    def ring(self, next_id):
        """BLMOVE; the job that came, or None."""
        if not self.jobs:
            return None
        self.batches.setdefault(next_id, []).insert(0, self.jobs.pop())
        return self.batches[next_id][0]

    def fill(self, next_id, owner, most):
        if self.owners.get(next_id, owner) != owner:
            return Claim(next_id, 0, [])
        if next_id not in self.batches:
            self.forget(next_id)
            return Claim(next_id, 0, [])
        self.own(next_id, owner)
        if next_id not in self.counts and self.jobs:
            self.put_back(next_id, 0)
            self.take(next_id, most)
        return self.answer(next_id)

    def seal(self, batch_id, owner, kept):
        """How often it was begun; 0 when it is somebody else's."""
        if self.owners.get(batch_id) != owner:
            return 0
        if batch_id not in self.batches:
            self.forget(batch_id)
            return 0
        if batch_id not in self.counts:
            self.put_back(batch_id, kept)
        self.own(batch_id, owner)
        self.counts[batch_id] = self.counts.get(batch_id, 0) + 1
        return self.counts[batch_id]

    def ack(self, batch_id, jobs, stored):
        """More than was claimed is there only when a seal was lost with a newer state."""
        if batch_id in self.batches:
            self.jobs += reversed(self.batches[batch_id][jobs:])
        found = self.batches.pop(batch_id, None)
        self.forget(batch_id)
        if found is None:
            return -1
        self.completed += stored
        return self.completed

    def hand_back(self, batch_id, owner, is_unsure=False):
        """What is in doubt may yet come, so its lease stays."""
        if self.owners.get(batch_id) != owner:
            return
        if batch_id not in self.batches:
            if not is_unsure:
                self.forget(batch_id)
            return
        self.leases[batch_id] = 0
        del self.owners[batch_id]
        if self.counts.get(batch_id, 0) > 0:
            self.counts[batch_id] -= 1

    def renew(self, batch_id, owner):
        if batch_id not in self.owners:
            return True  # nobody has taken it away
        if self.owners[batch_id] != owner:
            return False
        self.leases[batch_id] = LIVE
        return True

    def adopt(self):
        orphans = [i for i in self.batches if i not in self.leases]
        for batch_id in orphans:
            self.leases[batch_id] = LIVE
        return len(orphans)


class Tables:
    """Postgres: which identities are in events and in dead_letters."""

    def __init__(self):
        self.events = set()
        self.dead = set()

    def store(self, claim):
        """Returns how many jobs were not dead."""
        alive = 0
        for place, job in enumerate(claim.jobs):
            key = identity(claim.id, place, job)
            if kind_of(job) in ("garbage", "refused"):
                self.dead.add(key)
            else:
                self.events.add(key)
                alive += 1
        return alive

    def has_all(self, batch_id, jobs):
        return all(identity(batch_id, place, job) in self.events | self.dead
                   for place, job in enumerate(jobs))
