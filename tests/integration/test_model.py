"""The protocol of the queue against a simple model: random sequences of steps on a real
Redis and a real Postgres, taken by the processor's own code (tests/support/queue_driver.c).
After each step everything in the queue and in the tables is what the model says; whatever
the end, nothing was lost and nothing doubled.  A failing history is shrunk to the shortest.

Time passes only when the test says so: leases last for an hour, and a lease ends by a step.

  ANALYTICS_MODEL_SECONDS  how long to try histories (default 20)
  ANALYTICS_MODEL_SEED     the first seed, as a failing run printed it
"""
import os
import random
import time

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from support.queue_protocol import BATCHES, QUEUE, Protocol
from support.queue_worker import HOLDING, IDLE, READ, Worker

EXAMPLES = 15  # histories of one seed
STEPS = 60
PHASES = [hypothesis.Phase.generate, hypothesis.Phase.shrink]

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.path = '/refused')
EXECUTE FUNCTION refuse();
"""


@pytest.fixture
def servers(private_redis, database, tmp_path):
    """The model of a dump is the dump's, so there is no append-only file beside it."""
    database.rows(REFUSE)
    Protocol.redis = private_redis(appendonly="no")
    Protocol.database, Protocol.directory = database, tmp_path
    yield
    database.rows("SELECT 1")


@pytest.fixture
def protocol(servers):
    """For histories that are told rather than found."""
    machine = Protocol()
    yield machine
    machine.teardown()


def test_a_claim_whose_answer_is_lost_is_taken_up_again(protocol):
    """At once, though nothing else comes: in a quiet hour nobody would find it."""
    protocol.push(["event", "event"])
    protocol.begin_lost(0)
    protocol.take(0)
    assert protocol.workers[0].mode == HOLDING
    assert len(protocol.workers[0].claim.jobs) == 2


def test_a_job_that_came_with_an_answer_that_is_lost_is_taken_up_again(protocol):
    protocol.begin(0)
    protocol.ring_lost(0)
    protocol.take(0)
    assert protocol.workers[0].mode == HOLDING
    assert len(protocol.workers[0].claim.jobs) == 1


def test_a_batch_that_somebody_else_has_meanwhile_is_left_alone(protocol):
    """Jobs added to it would go when its owner acknowledges what it knows of."""
    protocol.push(["event"])
    protocol.begin_lost(0)
    protocol.lease_ends(0)
    protocol.workers[1] = Worker(protocol.redis, protocol.database, protocol.directory)
    protocol.take(1)
    first = protocol.workers[1].claim
    assert len(first.jobs) == 1
    protocol.push(["event", "event"])
    protocol.take(0)
    assert protocol.workers[0].claim.id != first.id
    protocol.all_is_as_the_model_says()
    protocol.store(1)
    protocol.acknowledge(0)
    assert protocol.workers[1].mode == IDLE
    assert len(protocol.tables.events) == 1
    protocol.all_is_as_the_model_says()


def test_a_batch_that_was_handed_back_does_not_grow(protocol):
    """A worker that is slow after the bell fills its batch late: somebody else had it, has
    handed it back, and acknowledges it all the same."""
    protocol.begin(0)
    protocol.ring(0)
    protocol.lease_ends(0)
    protocol.begin(0)  # worker 1, for 0 has the bell to look after
    protocol.finish_claim(1)
    protocol.hand_back_under_way(0)
    protocol.push(["event", "event"])
    protocol.fill(0)
    protocol.read(0)
    protocol.seal(0)
    slow, other = protocol.workers[:2]
    assert slow.claim.id == other.claim.id and len(slow.claim.jobs) == 1
    protocol.store(1)
    protocol.acknowledge(0)
    assert (slow.mode, other.mode) == (HOLDING, IDLE)
    assert len(protocol.queue.jobs) == 2
    protocol.all_is_as_the_model_says()


def test_claims_whose_answers_are_lost_again_and_again(protocol):
    """What the first one made is found however many follow it."""
    protocol.push(["event", "event"])
    for _ in range(3):
        protocol.begin_lost(0)
    protocol.take(0)
    assert len(protocol.workers[0].claim.jobs) == 2
    protocol.all_is_as_the_model_says()


def test_a_claim_that_was_never_sent_is_not_in_doubt(protocol):
    """Or it would be asked about in the place of one of which an answer was lost."""
    protocol.begin_unsent(0)
    worker = protocol.workers[0]
    protocol.redis.kill()
    kept_id = worker.next_id
    assert worker.say("begin")["error"] == "unavailable" and worker.next_id == kept_id
    protocol.redis.start()
    worker.reconnect()
    protocol.push(["event"])
    protocol.begin_lost(0)
    protocol.take(0)
    assert worker.mode == HOLDING and worker.claim.id == kept_id
    protocol.all_is_as_the_model_says()


@pytest.mark.parametrize("lost", ["begin", "ring", "fill", "read", "seal"])
def test_what_is_in_doubt_is_handed_back_at_the_end(protocol, lost):
    """The next one has it at once, and no worker counts as lost."""
    rings = lost in ("ring", "fill")
    if rings:
        protocol.begin(0)
    protocol.push(["event", "event"])
    for step in {"fill": ["ring"], "read": ["begin"], "seal": ["begin", "read"]}.get(lost, []):
        getattr(protocol, step)(0)
    getattr(protocol, lost + "_lost")(0)
    protocol.stop(0)
    protocol.take(0)
    claim = protocol.workers[0].claim
    assert (len(claim.jobs), claim.attempts) == (1 if lost == "ring" else 2, 1)
    protocol.all_is_as_the_model_says()


@pytest.mark.parametrize("jobs,count", [
    (["large"] * 3, 1), (["large", "event", "event"], 1), (["event", "event", "large"], 1),
    (["event"] * 5, 4)], ids=str)
def test_a_claim_takes_no_more_than_fit_by_the_longer_end(protocol, jobs, count):
    """All that is taken is copied, before anybody has read how long it is."""
    protocol.push(jobs)
    protocol.begin(0)
    assert len(protocol.workers[0].claim.jobs) == count
    protocol.finish_claim(0)
    protocol.store(0)
    protocol.acknowledge(0)
    protocol.drain()
    protocol.begin(0)
    protocol.push(jobs)
    protocol.ring(0)
    protocol.fill(0)
    assert len(protocol.workers[0].claim.jobs) == count
    protocol.all_is_as_the_model_says()


def test_jobs_that_do_not_fit_go_back_in_their_order(protocol):
    protocol.push(["event", "large", "event", "event"])
    protocol.begin(0)
    assert len(protocol.workers[0].claim.jobs) == 4
    protocol.finish_claim(0)
    assert len(protocol.workers[0].claim.jobs) == 1
    assert len(protocol.queue.jobs) == 3
    protocol.store(0)
    protocol.acknowledge(0)
    for _ in range(3):
        protocol.take(0)
        protocol.store(0)
        protocol.acknowledge(0)
    assert protocol.queue.completed == 4
    protocol.all_is_as_the_model_says()


def test_a_batch_that_is_not_sealed_in_time_is_the_next_ones(protocol):
    """Both have read it; whoever owns it by then seals it."""
    protocol.push(["event", "large", "event"])
    protocol.begin(0)
    protocol.lease_ends(0)
    protocol.workers[1] = Worker(protocol.redis, protocol.database, protocol.directory)
    protocol.begin(0)  # worker 1, for 0 has taken a batch
    protocol.read(0)
    protocol.read(0)  # worker 1, for 0 has read
    slow, other = protocol.workers[:2]
    assert (slow.mode, other.mode) == (READ, READ)
    protocol.seal(1)
    protocol.seal(0)
    assert (slow.mode, other.mode) == (IDLE, HOLDING)
    protocol.all_is_as_the_model_says()


def test_a_seal_that_redis_has_forgotten(protocol):
    """The jobs that were given back are in the batch again when it is acknowledged."""
    protocol.push(["event", "large", "event"])
    protocol.begin(0)
    protocol.save_redis()
    protocol.finish_claim(0)
    assert len(protocol.workers[0].claim.jobs) == 1
    protocol.redis_comes_back_older()
    assert len(protocol.client.keys(BATCHES)) == 1 and not protocol.client.exists(QUEUE)
    protocol.store(0)
    protocol.acknowledge(0)
    assert protocol.client.llen(QUEUE) == 2
    protocol.all_is_as_the_model_says()


def test_histories(servers):
    seconds = float(os.environ.get("ANALYTICS_MODEL_SECONDS") or 20)
    first = int(os.environ.get("ANALYTICS_MODEL_SEED") or random.randrange(10**6))
    settings = hypothesis.settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None,
        print_blob=False, phases=PHASES, suppress_health_check=list(hypothesis.HealthCheck))
    end, seed = time.monotonic() + seconds, first
    while True:
        machine = type("Protocol", (Protocol,), {"histories": 0})
        print(f"ANALYTICS_MODEL_SEED={seed}", flush=True)
        run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=settings)
        Protocol.histories += machine.histories
        seed += 1
        if time.monotonic() >= end:
            break
    print(f"{Protocol.histories} histories of at most {STEPS} steps, seeds {first} to "
          f"{seed - 1}")
    assert Protocol.histories >= EXAMPLES / 2
