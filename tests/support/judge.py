"""The judge, after Jepsen's total-queue checker: what goes in must come out, once.

Every event sent has an event_id and is recorded with its outcome.  In the end, when the
queue is drained:

  lost        acknowledged (200), and neither in events nor in dead_letters
  doubled     stored more than once
  unexpected  stored though never sent, or though refused (4xx)
  altered     stored with other values than were sent
  torn        of a batch that was sent once, some are stored and some are not
  recovered   not acknowledged (503, connection lost), stored all the same: allowed
"""
import collections
import dataclasses
import threading
import time

import psycopg2.extras

FIELDS = ("site_id", "event_type", "path", "user_id")


@dataclasses.dataclass
class Verdict:
    attempted: int
    acknowledged: int
    stored: int
    lost: list
    doubled: list
    unexpected: list
    altered: list
    torn: list
    recovered: int
    dead: int

    @property
    def is_clean(self):
        return not (self.lost or self.doubled or self.unexpected or self.altered
                    or self.torn)

    def __str__(self):
        def some(ids):
            return f"{len(ids)} {ids[:3]}" if ids else "0"
        return (f"attempted {self.attempted}, acknowledged {self.acknowledged}, stored "
                f"{self.stored}, lost {some(self.lost)}, doubled {some(self.doubled)}, "
                f"unexpected {some(self.unexpected)}, altered {some(self.altered)}, "
                f"torn {some(self.torn)}, "
                f"recovered {self.recovered}, dead {self.dead}")


class Judge:
    """Thread-safe; one for all the load of a test."""

    def __init__(self):
        self.lock = threading.Lock()
        self.attempted = {}  # event_id -> event
        self.batches = []    # lists of event_ids
        self.repeated = set()  # event_ids sent more than once
        self.acknowledged = set()
        self.acknowledged_at = {}  # event_id -> time.monotonic() of its first 200
        self.refused = set()
        self.statuses = collections.Counter()

    def attempt(self, event):
        key = event["event_id"].lower()
        with self.lock:
            if key in self.attempted:
                self.repeated.add(key)
            self.attempted[key] = event

    def attempt_batch(self, events):
        for event in events:
            self.attempt(event)
        with self.lock:
            self.batches.append([event["event_id"].lower() for event in events])

    def torn(self, there):
        """The batches of which only a part is there."""
        found = [{i in there for i in ids if i not in self.repeated} for ids in self.batches]
        return [ids[0] for ids, states in zip(self.batches, found) if len(states) > 1]

    def outcome(self, event, status):
        with self.lock:
            self.statuses[status] += 1
            if status == 200:
                key = event["event_id"].lower()
                self.acknowledged.add(key)
                self.acknowledged_at.setdefault(key, time.monotonic())
            elif status is not None and 400 <= status < 500:
                self.refused.add(event["event_id"].lower())

    def pushed(self, event):
        """An event that another program put into the queue and that must be stored."""
        self.attempt(event)
        self.outcome(event, 200)

    def verdict(self, database):
        stored, altered = collections.Counter(), []
        conn = database.connect()
        conn.autocommit = False  # a named cursor needs a transaction
        try:
            with conn.cursor("judge", cursor_factory=psycopg2.extras.NamedTupleCursor) as rows:
                rows.itersize = 20000
                rows.execute("SELECT event_id::text, site_id, event_type, path, user_id "
                             "FROM events")
                for row in rows:
                    stored[row.event_id] += 1
                    sent = self.attempted.get(row.event_id)
                    if sent and any(getattr(row, f) != sent.get(f) for f in FIELDS):
                        altered.append(row.event_id)
            with conn.cursor() as cursor:
                cursor.execute("SELECT event_id::text FROM dead_letters")
                dead = {row[0] for row in cursor.fetchall()}
        finally:
            conn.close()
        return Verdict(
            attempted=len(self.attempted), acknowledged=len(self.acknowledged),
            stored=len(stored), altered=altered,
            lost=[i for i in self.acknowledged if i not in stored and i not in dead],
            doubled=[i for i, count in stored.items() if count > 1],
            unexpected=[i for i in stored if i not in self.attempted
                        or (i in self.refused and i not in self.acknowledged)],
            torn=self.torn(stored.keys() | dead),
            recovered=sum(1 for i in stored if i not in self.acknowledged),
            dead=len(dead))

    def assert_clean(self, database):
        verdict = self.verdict(database)
        assert verdict.is_clean, str(verdict)
        return verdict
