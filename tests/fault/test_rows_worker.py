"""Rows 1 to 10, 23, 24 and 38 of the fault matrix (docs/reliability.md): a processor that
dies, stops or is told to end in the middle of a batch, and batches that are poisonous.

The moment is found on the line: the proxy sees the bytes pass that begin it.
"""
import os
import signal

import pytest

from support.ending import leases
from support.events import event, job, new_id
from support.redis_server import LEASES, QUEUE
from support.wait import wait_until

COPY_HEADER = b"PGCOPY\n"  # the first bytes of a COPY's data
COMMITTED = b"COMMIT\0"    # as a command on the way up, as its tag on the way down


def kill_at(rig, line, pattern, direction="up"):
    """Kills the processor before the bytes arrive; then another goes on."""
    victim = rig.make_processor(PROCESSOR_WORKERS=1)
    line.when(pattern, lambda connection: (os.kill(victim.process.pid, signal.SIGKILL),
                                           connection.cut()), direction)
    rig.push(300)
    victim.start(wait=False)
    assert victim.wait_exit(20) == -signal.SIGKILL
    rig.gone(victim)


def test_row_01_killed_after_commit_before_the_acknowledgement(rig):
    kill_at(rig, rig.postgres_line, COMMITTED, "down")
    wait_until(lambda: rig.database.value("SELECT count(*) FROM events") == 200, 10,
               "the batch to be committed")
    assert rig.redis.completed() == 0
    rig.start_heir()
    verdict = rig.end()
    assert verdict.stored == 300 and rig.redis.completed() == 300


def test_row_02_killed_in_the_middle_of_copy(rig):
    kill_at(rig, rig.postgres_line, COPY_HEADER)
    rig.start_heir()
    assert rig.end().stored == 300


def test_row_03_killed_after_the_claim_before_begin(rig):
    kill_at(rig, rig.worker_line, b"*4\r\n$36\r\n", "down")  # the claim script's answer
    assert len(rig.redis.batches()) == 1
    rig.start_heir()
    assert rig.end().stored == 300


def test_row_04_killed_inside_dead_letter_handling(rig):
    with rig.redis.client() as client:
        client.lpush(QUEUE, "not json", '{"site_id":7}', "[]")
    kill_at(rig, rig.postgres_line, b"INSERT INTO dead_letters")
    assert rig.database.value("SELECT count(*) FROM dead_letters") == 0
    rig.start_heir()
    verdict = rig.end()
    assert (verdict.stored, verdict.dead) == (300, 3)


def pause_at(rig, pattern):
    """Pauses the processor when the bytes come by, which do not arrive; another takes over
    while it is paused; then it goes on."""
    victim = rig.make_processor(PROCESSOR_WORKERS=1)
    rig.postgres_line.when(pattern, lambda connection: (
        os.kill(victim.process.pid, signal.SIGSTOP), rig.postgres_line.swallow("up")))
    rig.push(300)
    victim.start(wait=False)
    wait_until(lambda: rig.redis.batches(), 10, "a claim")
    wait_until(lambda: rig.database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
        "'analytics-batch %' AND datname = current_database()") == 1, 10, "a transaction")
    rig.start_heir()
    wait_until(rig.redis.is_drained, 20, "another to take over while it is paused")
    rig.postgres_line.heal()
    victim.resume()
    return victim


def test_row_05_paused_in_the_middle_of_copy_for_longer_than_the_lease(rig):
    victim = pause_at(rig, COPY_HEADER)
    victim.wait_log("another processor took a batch over|could not store a batch")
    assert rig.end().stored == 300


def test_row_06_paused_between_begin_and_copy(rig):
    victim = pause_at(rig, b"COPY events")
    victim.wait_log("another processor took a batch over|could not store a batch")
    assert rig.end().stored == 300


def test_row_07_two_processors_with_the_same_batch(rig):
    """The first has sent its COMMIT, which is on its way; its lease is taken from it."""
    first = rig.make_processor(PROCESSOR_WORKERS=1, LEASE_MS=60000)
    rig.postgres_line.when(COMMITTED, lambda _: rig.postgres_line.swallow("up"))
    rig.push(150)
    first.start(wait=False)
    wait_until(lambda: rig.redis.batches() and rig.redis.queue_length() == 0, 10, "a claim")
    wait_until(lambda: rig.database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND "
        "application_name LIKE 'analytics-batch %' AND datname = current_database()") == 1,
        10, "the COPY to end")
    with rig.redis.client() as client:
        for batch in leases(rig.redis):
            client.zadd(LEASES, {batch: 1})
    rig.start_heir()
    wait_until(rig.redis.is_drained, 20, "the second to store the batch")
    rig.heal()
    verdict = rig.end()
    assert verdict.stored == 150 and rig.redis.completed() == 150


SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.9); RETURN NULL; END $$;
CREATE TRIGGER slow AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION slow();
"""


def test_row_08_leases_that_end_while_their_owners_are_at_work(rig):
    """Each COPY takes three times as long as a lease, and renewals do not arrive."""
    rig.database.rows(SLOW)
    for _ in range(3):
        rig.make_processor(LEASE_MS=300, BATCH_MAX=50, PROCESSOR_WORKERS=1,
                           STATEMENT_TIMEOUT_MS=10000)
    rig.worker_line.delay(0.12)
    rig.push(200)
    for one in rig.processors:
        one.start(wait=False)
    verdict = rig.end()
    assert verdict.stored == 200 and rig.redis.completed() == 200


@pytest.mark.parametrize("how", ["lose_reply", "lose_connection", "lose_by_reset"])
def test_row_09_the_reply_to_commit_is_lost(rig, how):
    direction = "up" if how == "lose_reply" else "down"
    rig.postgres_line.when(COMMITTED, getattr(rig.postgres_line, how), direction, times=3)
    rig.push(600)
    processor = rig.start_processor()
    verdict = rig.end()
    assert verdict.stored == 600 and rig.redis.completed() == 600
    assert processor.has_logged("could not store a batch")


def test_row_10_a_commit_that_is_a_rollback(rig):
    """COMMIT of a transaction that has failed is no error: only its tag says ROLLBACK."""
    rig.postgres_line.replace(b"COMMIT\0", b"ABORT;\0")
    rig.push(100)
    processor = rig.start_processor(PROCESSOR_WORKERS=1)
    assert rig.end().stored == 100
    assert processor.has_logged("ended with ROLLBACK instead of COMMIT")


# --- poison ---------------------------------------------------------------------------

POISON = {
    "no json": b"\x00\xff{", "half of it": b'{"site_id":"a"', "an array": b"[1,2]",
    "a number": b"1e200000", "deep": b"[" * 5000,
    "no site": job(event(site_id=...)).encode(),
    "bad time": job(event(timestamp="yesterday")).encode(),
    "far time": job(event(timestamp="300000-01-01T00:00:00Z")).encode(),
    "a null byte": job(event(path="/a\0b")).encode(),
    "half a pair": job(event(path="/X")).encode().replace(b"/X", b"/\\ud800"),
    "bad utf-8": job(event(path="/X")).encode().replace(b"/X", b"/\xc3("),
    "a long path": job(event(path="/" + "x" * 10000)).encode(),
    "bad id": job(event(event_id="7")).encode(),
}


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_row_23_poison_among_a_thousand_events(rig, count):
    """Everything else is stored, each poison once, with its reason, and the number of
    statements is bounded."""
    poison = [list(POISON.values())[i % len(POISON)] for i in range(count)]
    good = 1000 - count
    if good:
        rig.push(good // 2)
    with rig.redis.client() as client:
        client.lpush(QUEUE, *poison)
    if good:
        rig.push(good - good // 2)
    rig.start_processor(BATCH_MAX=1000, PROCESSOR_WORKERS=1)
    verdict = rig.end()
    assert (verdict.stored, verdict.dead) == (good, count)
    reasons = rig.database.rows("SELECT DISTINCT reason FROM dead_letters")
    assert len(reasons) >= min(count, 8) and all(len(reason) > 5 for reason, in reasons)


@pytest.mark.parametrize("count", [1, 10, 300])
def test_row_23_poison_that_only_postgres_sees(rig, count):
    """A trigger of the operator's refuses rows.  What is sent for k of n is counted: each
    COMMIT, COPY, SAVEPOINT and INSERT passes the line."""
    rig.database.rows("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF new.path = '/poison' THEN RAISE EXCEPTION 'refused'; END IF; RETURN new; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON events
        FOR EACH ROW EXECUTE FUNCTION refuse()""")
    statements = []
    for word in (b"COPY ", b"SAVEPOINT careful", b"INSERT INTO events"):
        rig.postgres_line.when(word, lambda _: statements.append(1), times=10**6)
    bad = [event(event_id=new_id(), path="/poison") for _ in range(count)]
    rig.push(150)
    with rig.redis.client() as client:
        client.lpush(QUEUE, *map(job, bad))
    rig.push(150)
    rig.start_processor(BATCH_MAX=1000, PROCESSOR_WORKERS=1)
    verdict = rig.end()
    assert (verdict.stored, verdict.dead) == (300, count)
    assert rig.database.value("SELECT count(*) FROM dead_letters WHERE sqlstate = 'P0001' "
                              "AND reason LIKE '%refused%'") == count
    assert len(statements) <= 20 + 4 * count * 10  # k * log2(n), each with its savepoints


def test_row_24_a_queue_of_another_type(rig):
    """Somebody has put another thing where the queue should be: halted until it is gone."""
    with rig.redis.client() as client:
        client.set(QUEUE, "x")
        processor = rig.start_processor(wait=False).wait_alive()
        processor.wait_log("WRONGTYPE")
        wait_until(lambda: processor.ready_status() == 503, 10, "it to be alarmed")
        client.delete(QUEUE)
    rig.push(50)
    verdict = rig.end()
    assert (verdict.stored, verdict.dead) == (50, 0)


# --- SIGTERM --------------------------------------------------------------------------

@pytest.mark.parametrize("pattern", [b"BEGIN;", COPY_HEADER, COMMITTED])
def test_row_38_sigterm_in_the_middle_of_a_batch(rig, pattern):
    """It finishes the batch or hands it back, in 5 s, and ends well; Postgres does not
    answer from that moment on."""
    victim = rig.make_processor(PROCESSOR_WORKERS=1, LEASE_MS=60000, SHUTDOWN_TIMEOUT_MS=500)
    rig.postgres_line.when(pattern, lambda _: rig.postgres_line.swallow("up"))
    rig.push(100)
    victim.start(wait=False)
    wait_until(lambda: rig.redis.batches(), 10, "a claim")
    victim.signal(signal.SIGTERM)
    assert victim.wait_exit(5) == 0
    rig.gone(victim)
    rig.heal()
    rig.start_heir(LEASE_MS=60000)
    # Handed back: nobody waits for the minute that the lease would have lasted.
    assert rig.end(timeout=20).stored == 100


@pytest.mark.parametrize("grace_ms", [0, 500, 2000])
def test_row_38_sigterm_while_a_worker_waits_for_jobs(rig, grace_ms):
    """The jobs come when it has been told to end, and Postgres does not answer any more: it
    hands them back, and nobody waits for the minute that the lease would have lasted."""
    victim = rig.make_processor(PROCESSOR_WORKERS=1, LEASE_MS=60000,
                                SHUTDOWN_TIMEOUT_MS=grace_ms)
    victim.start()
    rig.push(50)
    rig.wait_stored(50)
    rig.postgres_line.swallow("up")
    victim.signal(signal.SIGTERM)
    victim.wait_log("stopping")
    rig.push(50)
    assert victim.wait_exit(5) == 0
    rig.gone(victim)
    rig.heal()
    rig.start_heir(LEASE_MS=60000)
    assert rig.end(timeout=20).stored == 100
