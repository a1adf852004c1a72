"""The queue's protocol as a rule-based state machine: each rule takes a step on the real
Redis and Postgres and in the model (queue_model.py), and then both must say the same.
tests/integration/test_model.py runs it.
"""
import json
import random
import shutil

import psycopg2
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from support.events import event, job, new_id
from support.queue_model import ENDED_MAX, LIVE, Claim, Queue, Tables, fitting, next_max
from support.queue_worker import (HOLDING, IDLE, READ, RUNG, STORED, TAKEN, TIMESTAMP, WAITING,
                                  Backend, Worker)
from support.redis_server import ATTEMPTS, BATCHES, COMPLETED, LEASES, QUEUE

WORKERS = 3


def by_worker(*modes):
    """A rule for any worker in one of these modes; the method gets the worker's number."""
    def decorate(method):
        def step(self, pick):
            fit = self.in_mode(*modes)
            method(self, fit[pick % len(fit)])
        step.__name__, step.__doc__ = method.__name__, method.__doc__
        chosen = rule(pick=st.integers(0, WORKERS - 1))(step)
        return precondition(lambda self: self.in_mode(*modes))(chosen)
    return decorate


class Protocol(RuleBasedStateMachine):
    redis = database = directory = None  # set by the test
    histories = 0

    def __init__(self):
        super().__init__()
        type(self).histories += 1
        self.queue, self.tables = Queue(), Tables()
        self.workers, self.backends = [None] * WORKERS, []
        self.saved = None  # the model of dump.rdb
        self.events = []  # all that were ever pushed, for those sent again
        self.now = 0
        self.scripts_are_gone = False
        self.client = self.redis.client()
        self.client.flushall()
        self.database.rows("DELETE FROM events; DELETE FROM dead_letters")

    # --- what the steps share

    def in_mode(self, *modes):
        """The numbers of the workers in one of these modes; one not yet started is idle."""
        return [number for number, worker in enumerate(self.workers)
                if (worker.mode if worker else IDLE) in modes]

    def worker(self, number):
        if self.workers[number] is None:
            self.workers[number] = Worker(self.redis, self.database, self.directory)
        return self.workers[number]

    def lose(self, worker, word, lost_id=None):
        """lost_id: of the batch that may be the worker's; none for a step after that."""
        if self.scripts_are_gone:  # then the lost answer would be that, and nothing done
            Worker(self.redis, self.database, self.directory).end()
            self.scripts_are_gone = False
        kept_id = worker.next_id
        worker.lose(word)
        assert (worker.next_id != kept_id) == (lost_id == kept_id), "an id is used once"
        if lost_id:
            worker.unsure_id = lost_id
            worker.claim, worker.mode = None, IDLE

    def end_worker(self, number):
        if self.workers[number]:
            self.workers[number].end()
            self.workers[number] = None

    def check_claim(self, answer, expected):
        assert (answer["id"], answer["attempts"], answer["count"]) == (
            expected.id, expected.attempts, len(expected.jobs))

    def is_blocked(self, claim):
        """By the transaction of a paused worker which this owner does not know of."""
        keys = {json.loads(text)["event_id"] for text in claim.jobs
                if text.startswith("{") and "event_id" in text}
        return any(b.keys & keys for b in self.backends
                   if not b.was_ended and not (claim.attempts > 1
                                               and b.batch_id == claim.id))

    def acknowledge_in_model(self, worker):
        """Whoever acknowledges a batch, all that goes with it must be stored."""
        claim = worker.claim
        gone = self.queue.batches.get(claim.id, [])[:len(claim.jobs)]
        assert self.tables.has_all(claim.id, gone), \
            "jobs are acknowledged that nobody has stored"
        return self.queue.ack(claim.id, len(claim.jobs), worker.stored)

    # --- producers

    @rule(kinds=st.lists(st.sampled_from(["event", "event", "event", "large", "anonymous",
                                          "garbage", "refused", "again"]), min_size=1, max_size=5))
    def push(self, kinds):
        jobs = [self.make_job(kind) for kind in kinds]
        self.client.lpush(QUEUE, *jobs)
        self.queue.push(jobs)

    def make_job(self, kind):
        if kind == "garbage":
            return "garbage " + new_id()
        if kind == "again" and self.events:
            return random.choice(self.events)
        path = {"refused": "/refused", "large": "/" + 900 * "x"}.get(kind, "/")
        made = job(event(event_id=None if kind == "anonymous" else new_id(), path=path,
                         timestamp=TIMESTAMP))
        if kind in ("event", "large"):
            self.events.append(made)
        return made

    def push_one(self):
        """For a worker that waits at the bell."""
        made = self.make_job("event")
        self.client.lpush(QUEUE, made)
        self.queue.push([made])

    # --- workers

    @by_worker(IDLE, WAITING)
    def begin(self, number):
        worker = self.worker(number)
        kept_id = worker.next_id
        expected = None
        if worker.unsure_id:
            expected = self.queue.ask(worker.unsure_id, worker.owner)
        if not expected or not expected.jobs:
            expected = self.queue.claim(kept_id, worker.owner, worker.most)
        answer = worker.do("begin")
        self.check_claim(answer, expected)
        assert (worker.next_id != kept_id) == (expected.id == kept_id
                                               and expected.jobs != []), "an id is used once"
        worker.unsure_id = None
        worker.claim, worker.mode = expected, TAKEN if expected.jobs else WAITING

    @by_worker(IDLE, WAITING)
    def begin_lost(self, number):
        """The claim is made, and its answer never comes; or, when one was lost before, the
        answer to what became of that one."""
        worker = self.worker(number)
        if worker.unsure_id:
            self.queue.ask(worker.unsure_id, worker.owner)
        else:
            self.queue.claim(worker.next_id, worker.owner, worker.most)
        self.lose(worker, "begin", worker.unsure_id or worker.next_id)

    @by_worker(IDLE, WAITING)
    def begin_unsent(self, number):
        """The claim never gets to Redis: nothing is in doubt but what was before."""
        worker = self.worker(number)
        kept_id = worker.next_id
        worker.cut("begin")
        assert worker.next_id == kept_id
        worker.claim, worker.mode = None, IDLE

    @by_worker(TAKEN)
    def read(self, number):
        """Meanwhile the batch may have become somebody else's, or be acknowledged."""
        worker, claim = self.worker(number), self.worker(number).claim
        jobs = self.queue.batches.get(claim.id, [])[:len(claim.jobs)]
        if claim.attempts == 0:
            jobs = jobs[:fitting(jobs)]
            worker.most = next_max(jobs) if jobs else worker.most
        assert worker.do("read")["jobs"] == jobs
        worker.claim, worker.mode = Claim(claim.id, claim.attempts, jobs), READ

    @by_worker(TAKEN)
    def read_lost(self, number):
        worker = self.worker(number)
        self.lose(worker, "read", worker.claim.id)

    def seal_in_model(self, worker):
        claim = worker.claim
        if claim.attempts == 0 and claim.jobs:
            attempts = self.queue.seal(claim.id, worker.owner, len(claim.jobs))
            claim = Claim(claim.id, attempts, claim.jobs if attempts else [])
        return claim

    @by_worker(READ)
    def seal(self, number):
        worker = self.worker(number)
        expected = self.seal_in_model(worker)
        self.check_claim(worker.do("seal"), expected)
        worker.claim, worker.mode = expected, HOLDING if expected.jobs else IDLE

    @by_worker(READ)
    def seal_lost(self, number):
        worker = self.worker(number)
        if worker.claim.attempts > 0 or not worker.claim.jobs:
            return  # nothing is asked then
        self.seal_in_model(worker)
        self.lose(worker, "seal", worker.claim.id)

    def take(self, number):
        """All the steps of a claim, for histories that are told."""
        self.begin(number)
        self.finish_claim(number)

    def finish_claim(self, number):
        if self.workers[number].mode == TAKEN:
            self.read(number)
            self.seal(number)

    @by_worker(WAITING)
    def ring(self, number):
        worker = self.worker(number)
        if not self.queue.jobs:
            self.push_one()
        self.queue.ring(worker.next_id)
        assert worker.do("wait")["came"]
        worker.mode = RUNG

    @by_worker(WAITING)
    def ring_lost(self, number):
        worker = self.worker(number)
        if not self.queue.jobs:
            self.push_one()
        self.queue.ring(worker.next_id)
        self.lose(worker, "wait", worker.next_id)

    @by_worker(WAITING)
    def ring_unsent(self, number):
        worker = self.worker(number)
        kept_id = worker.next_id
        worker.cut("wait")
        assert worker.next_id == kept_id
        worker.mode = IDLE

    @by_worker(RUNG)
    def fill(self, number):
        worker = self.worker(number)
        kept_id = worker.next_id
        expected = self.queue.fill(kept_id, worker.owner, worker.most)
        answer = worker.do("fill")
        self.check_claim(answer, expected)
        assert worker.next_id != kept_id
        worker.claim, worker.mode = expected, TAKEN if expected.jobs else IDLE

    @by_worker(RUNG)
    def fill_lost(self, number):
        worker = self.worker(number)
        self.queue.fill(worker.next_id, worker.owner, worker.most)
        self.lose(worker, "fill", worker.next_id)

    @by_worker(HOLDING, STORED)
    def store(self, number):
        worker = self.worker(number)
        claim = worker.claim
        blocked = self.is_blocked(claim)
        answer = worker.say("store")
        if claim.attempts > 1:
            for backend in self.backends:
                backend.was_ended |= backend.batch_id == claim.id
        if blocked:
            assert answer["error"] == "busy", answer
            return
        assert answer["error"] == "", answer
        worker.stored = self.tables.store(claim)
        assert answer["stored"] == worker.stored
        worker.mode = STORED

    @by_worker(STORED)
    def acknowledge(self, number):
        worker = self.worker(number)
        total = self.acknowledge_in_model(worker)
        assert worker.do("ack")["total"] == total
        worker.do("drop")
        worker.mode = IDLE

    @by_worker(STORED)
    def acknowledge_lost(self, number):
        """It is sent again, and then counts nothing."""
        worker = self.worker(number)
        self.acknowledge_in_model(worker)
        self.lose(worker, "ack")

    @by_worker(HOLDING, STORED)
    def hand_back(self, number):
        worker = self.worker(number)
        self.queue.hand_back(worker.claim.id, worker.owner)
        worker.do("hand-back")
        worker.do("drop")
        worker.mode = IDLE

    @by_worker(HOLDING)
    def hand_back_under_way(self, number):
        """At the end of a processor, when a worker is not done in time: it may still be."""
        worker = self.worker(number)
        self.queue.hand_back(worker.claim.id, worker.owner)
        worker.do("hand-back")

    @by_worker(HOLDING, STORED)
    def renew(self, number):
        """A worker that learns that its batch is somebody else's lets go of it."""
        worker = self.worker(number)
        owned = self.queue.renew(worker.claim.id, worker.owner)
        assert worker.do("renew")["owned"] == owned
        if not owned:
            worker.do("drop")
            worker.mode = IDLE

    @by_worker(IDLE, WAITING, RUNG, TAKEN, READ, HOLDING, STORED)
    def adopt_orphans(self, number):
        assert self.worker(number).do("adopt")["found"] == self.queue.adopt()

    @by_worker(IDLE, WAITING, RUNG)
    def stop(self, number):
        """An orderly end, with nothing under way but what is in doubt."""
        worker = self.worker(number)
        if worker.unsure_id:
            self.queue.hand_back(worker.unsure_id, worker.owner, is_unsure=True)
        self.queue.hand_back(worker.next_id, worker.owner)
        worker.do("forget")
        self.end_worker(number)

    @by_worker(WAITING, RUNG, TAKEN, READ, HOLDING, STORED)
    def crash(self, number):
        self.end_worker(number)

    @by_worker(HOLDING)
    def pause_in_transaction(self, number):
        """A worker stops for good, as far as the others can tell, and its backend sits in
        the middle of the batch."""
        worker = self.worker(number)
        self.backends.append(Backend(self.database, worker.claim))
        self.end_lease(worker.claim.id)
        self.end_worker(number)

    @precondition(lambda self: self.backends)
    @rule()
    def wake_and_commit(self):
        """The paused worker goes on and commits, unless somebody has its batch now."""
        backend = self.backends.pop(0)
        try:
            backend.conn.commit()
            assert not backend.was_ended, "two owners of a batch have both stored it"
            self.tables.events |= backend.keys
        except psycopg2.OperationalError:
            assert backend.was_ended
        backend.conn.close()

    # --- time and trouble

    def end_lease(self, batch_id):
        if batch_id in self.queue.leases:
            self.now += 1
            self.queue.leases[batch_id] = self.now
            self.client.zadd(LEASES, {batch_id: self.now}, xx=True)

    @precondition(lambda self: LIVE in self.queue.leases.values())
    @rule(pick=st.integers(0, 9))
    def lease_ends(self, pick):
        live = sorted(i for i, end in self.queue.leases.items() if end == LIVE)
        self.end_lease(live[pick % len(live)])

    @rule()
    def save_redis(self):
        self.client.save()
        shutil.copy(self.redis.directory / "dump.rdb", self.redis.directory / "saved.rdb")
        self.saved = self.queue.copy()

    @precondition(lambda self: self.saved)
    @rule()
    def redis_comes_back_older(self):
        """As after a failover to a replica that lagged, or from a backup.  What was pushed
        after it and is not stored yet is Redis's to lose; what was claimed or even
        acknowledged after it comes once more."""
        self.client.close()
        self.redis.kill()
        shutil.copy(self.redis.directory / "saved.rdb", self.redis.directory / "dump.rdb")
        self.redis.start()
        self.client = self.redis.client()
        self.queue = self.saved.copy()
        for worker in self.workers:
            if worker:
                worker.reconnect()

    @rule()
    def redis_forgets_its_scripts(self):
        self.client.script_flush()
        self.scripts_are_gone = True

    # --- what always holds

    @invariant()
    def all_is_as_the_model_says(self):
        self.redis_is_as_the_model()
        self.postgres_is_as_the_model()

    def redis_is_as_the_model(self):
        model = self.queue
        assert self.client.lrange(QUEUE, 0, -1) == [j.encode() for j in model.jobs]
        keys = self.client.keys(BATCHES)
        assert {key.decode().rsplit(":", 1)[1]: [j.decode() for j in
                                                 self.client.lrange(key, 0, -1)]
                for key in keys} == model.batches
        leases = {i.decode(): LIVE if end > 1e9 else end
                  for i, end in self.client.zrange(LEASES, 0, -1, withscores=True)}
        assert leases == model.leases
        fields = {k.decode(): v.decode() for k, v in self.client.hgetall(ATTEMPTS).items()}
        assert fields == {**{i: str(n) for i, n in model.counts.items()},
                          **{f"{i}:owner": owner for i, owner in model.owners.items()}}
        assert int(self.client.get(COMPLETED) or 0) == model.completed

    def postgres_is_as_the_model(self):
        rows = self.database.rows("SELECT event_id::text FROM events")
        assert sorted(key for key, in rows) == sorted(self.tables.events)
        rows = self.database.rows("SELECT event_id::text FROM dead_letters")
        assert sorted(key for key, in rows) == sorted(self.tables.dead)

    def drain(self):
        """One worker alone, after all leases have ended, stores whatever there is."""
        for number in range(WORKERS):
            self.end_worker(number)
        self.adopt_orphans(0)
        for batch_id in self.queue.leases:
            self.queue.leases[batch_id] = 0
            self.client.zadd(LEASES, {batch_id: 0}, xx=True)
        for _ in range(len(self.queue.jobs) + sum(map(len, self.queue.batches.values()))
                       + len(self.queue.leases) // ENDED_MAX + 2):
            self.take(0)
            if self.workers[0].mode == HOLDING:
                self.store(0)
                self.acknowledge(0)
        assert not self.queue.jobs and not self.queue.batches, "something stays behind"
        self.all_is_as_the_model_says()

    def teardown(self):
        try:
            for backend in self.backends:
                backend.conn.close()
            self.backends = []
            self.drain()
        finally:
            for number in range(WORKERS):
                self.end_worker(number)
            self.client.close()
