"""The processor: from the queue into Postgres, once each, whatever happens on the way."""
import json
import os
import re
import signal
import uuid

import psycopg2
import pytest

from support.events import Mix, event, job, new_id
from support.judge import Judge
from support.processor import (
    dead, lock_events, push, start, stored, wait_counts, wait_writer_blocked)
from support.redis_server import ATTEMPTS, LEASES, QUEUE
from support.settings import patience, scaled
from support.wait import wait_until

WIDEST = "\U0001F600"  # four bytes in UTF-8


@pytest.fixture
def client(redis):
    with redis.client() as client:
        yield client


# --- the plain way

def test_events_are_stored_as_they_are(daemons, redis, database, client):
    start(daemons, redis, database)
    one = event(event_id=new_id(), site_id=" s ", event_type="ev'nt\\\t\n", path="?ä\x01",
                user_id="", timestamp="2025-11-14T10:00:00.123Z")
    two = event(event_id=new_id(), user_id=None, timestamp="0001-01-01T00:00:00.000Z")
    three = event(event_id=new_id(), timestamp="9999-12-31T23:59:59.999Z")
    push(client, *[job(e) for e in (one, two, three)])
    wait_counts(redis, database, 3)
    found = {row[0]: row[1:] for row in database.rows(
        "SELECT event_id::text, site_id, event_type, path, user_id, "
        "extract(epoch FROM timestamp)::text FROM events")}
    assert found[one["event_id"]] == (" s ", "ev'nt\\\t\n", "?ä\x01", "",
                                      "1763114400.123000")
    assert found[two["event_id"]][3:] == (None, "-62135596800.000000")
    assert found[three["event_id"]][4] == "253402300799.999000"


def test_a_worker_rests_while_jobs_gather(daemons, redis, database, client):
    processor = start(daemons, redis, database, PROCESSOR_WORKERS=1, BATCH_PAUSE_MS=5000,
                      LOG_JOBS_MAX=0)
    push(client, *[job(event()) for _ in range(20)])
    wait_until(lambda: "jobs completed 1-20 " in processor.stdout(), 10, processor.story)
    for _ in range(5):
        push(client, job(event()))
    wait_until(lambda: "jobs completed 21-25 " in processor.stdout(), 20, processor.story)


def test_a_worker_that_rests_stops_at_once(daemons, redis, database, client):
    processor = start(daemons, redis, database, PROCESSOR_WORKERS=1, BATCH_PAUSE_MS=10000)
    push(client, *[job(event()) for _ in range(20)])
    wait_until(lambda: redis.completed() == 20, 10, processor.story)
    processor.stop()  # which fails when it takes as long as the rest


def test_no_worker_rests_behind_a_batch_that_is_full_by_its_bytes(daemons, redis, database,
                                                                 client):
    """Some 30 batches, which would take minutes with a rest after each."""
    push(client, *[job(event()) for _ in range(300)])
    start(daemons, redis, database, BATCH_MAX_BYTES=2048, BATCH_PAUSE_MS=10000)
    wait_counts(redis, database, 300, timeout=60)


def test_each_job_of_a_small_batch_has_its_line(daemons, redis, database, client):
    processor = start(daemons, redis, database, LOG_JOBS_MAX=4)
    for n in range(1, 4):
        push(client, job(event()))
        wait_until(lambda: f"job completed {n}\n" in processor.stdout(), 10)
    processor.stop()
    assert processor.stdout() == "job completed 1\njob completed 2\njob completed 3\n"
    push(client, *[job(event()) for _ in range(5)])
    processor.start()
    wait_until(lambda: "completed 4-8" in processor.stdout(), 10, processor.story)
    assert re.search(r"^jobs completed 4-8 \(5 events, \d+ ms\)$", processor.stdout(),
                     re.MULTILINE)
    assert redis.completed() == 8


def test_a_job_is_taken_from_the_right_end(daemons, redis, database, client):
    for n in range(50):
        push(client, job(event(path=f"/{n}")))
    start(daemons, redis, database, PROCESSOR_WORKERS=1, BATCH_MAX=7)
    wait_counts(redis, database, 50)
    paths = [row[0] for row in database.rows("SELECT path FROM events ORDER BY id")]
    assert paths == [f"/{n}" for n in range(50)]


def test_jobs_of_other_programs_need_no_event_id(daemons, redis, database, client):
    start(daemons, redis, database)
    made = event()
    push(client, *[json.dumps(made)] * 3, job(made), json.dumps({**made, "event_id": None}))
    wait_counts(redis, database, 5)
    assert database.value("SELECT count(DISTINCT event_id) FROM events") == 5


@pytest.mark.parametrize("limit", [1, 99, 100, 101, 250])
def test_batches_have_at_most_so_many_jobs(daemons, redis, database, client, limit):
    push(client, *[job(event()) for _ in range(250)])
    processor = start(daemons, redis, database, BATCH_MAX=limit, PROCESSOR_WORKERS=1,
                      LOG_JOBS_MAX=0)
    wait_counts(redis, database, 250)
    processor.stop()
    sizes = [int(n) for n in re.findall(r"\((\d+) events", processor.stdout())]
    assert sum(sizes) == 250 and max(sizes) == limit and len(sizes) == -(-250 // limit)


def test_a_batch_is_bounded_in_bytes(daemons, redis, database, client):
    """To the byte; one job that is larger by itself is a batch of its own."""
    jobs = [job(event(path="/" + "x" * 2000)) for _ in range(1000)]
    fit = 200_000 // len(jobs[0])
    push(client, *jobs[:500], "x" * 300_000, *jobs[500:])
    processor = start(daemons, redis, database, BATCH_MAX_BYTES=200_000, PROCESSOR_WORKERS=1,
                      LOG_JOBS_MAX=0)
    wait_counts(redis, database, 1000, 1)
    processor.stop()
    sizes = [int(n) for n in re.findall(r"\((\d+) events", processor.stdout())]
    assert max(sizes) == fit and sum(sizes) == 1000


def test_a_batch_that_turns_out_too_large_is_made_smaller(daemons, redis, database, client):
    """The first jobs and the last promise a small batch; those between them are ten times
    as long."""
    small = [job(event()) for _ in range(60)]
    large = [job(event(path="/" + "x" * 2000)) for _ in range(300)]
    push(client, *small, *large, *[job(event()) for _ in range(60)])
    processor = start(daemons, redis, database, BATCH_MAX=400, BATCH_MAX_BYTES=100000,
                      PROCESSOR_WORKERS=1, LOG_JOBS_MAX=0)
    wait_counts(redis, database, 420)
    processor.stop()
    sizes = [int(n) for n in re.findall(r"\((\d+) events", processor.stdout())]
    assert sum(sizes) == 420
    assert sizes[0] == 60 + (100_000 - sum(map(len, small))) // len(large[0])


@pytest.mark.parametrize("limit", [1000, 1])
def test_a_job_longer_than_a_batch_may_be_is_claimed_alone(daemons, redis, database, client,
                                                           limit):
    push(client, *[job(event(path="/" + "x" * 2000)) for _ in range(3)])
    processor = start(daemons, redis, database, BATCH_MAX=limit, BATCH_MAX_BYTES=1024,
                      PROCESSOR_WORKERS=1, LOG_JOBS_MAX=0)
    wait_counts(redis, database, 3)
    processor.stop()
    assert re.findall(r"\((\d+) events", processor.stdout()) == ["1", "1", "1"]


def test_the_longest_fields_of_the_widest_characters_are_stored(
        daemons, redis, database, client):
    """No index row may be too big for them: the indexes are on bounded expressions."""
    start(daemons, redis, database)

    def wide(length, seed):
        # Characters that do not compress: a row that does would prove nothing.
        return "".join(chr(0x10000 + (seed * 7919 + n * n * 104729) % 0xF0000)
                       for n in range(length))
    for n in range(20):
        push(client, job(event(event_id=new_id(), site_id=wide(255, n),
                               event_type=wide(255, n + 100), path=wide(2048, n + 200),
                               user_id=wide(255, n + 300))))
    wait_counts(redis, database, 20)
    assert database.row("SELECT min(char_length(site_id)), min(char_length(event_type)), "
                        "min(char_length(path)), min(char_length(user_id)), "
                        "min(octet_length(path)) FROM events") == (255, 255, 2048, 255, 8192)
    wait_until(lambda: database.value("SELECT count(*) FROM counts WHERE dimension = 1") == 40, 10,
               "long paths to be rolled up")


# --- stored once

def test_an_event_that_comes_again_is_stored_once(daemons, redis, database, client):
    start(daemons, redis, database)
    again = [job(event(event_id=new_id(), path=f"/{n}")) for n in range(100)]
    push(client, *again)
    wait_counts(redis, database, 100)
    push(client, *again, *[job(event()) for _ in range(50)])
    wait_counts(redis, database, 150)
    assert redis.completed() == 250  # each job is done, whether it was there or not


def test_an_event_twice_in_a_batch_is_stored_once_and_the_first_wins(
        daemons, redis, database, client):
    same = new_id()
    jobs = [job(event(event_id=same, path=f"/{n}")) for n in range(5)]
    push(client, *jobs, *[job(event()) for _ in range(20)])
    start(daemons, redis, database, PROCESSOR_WORKERS=1)
    wait_counts(redis, database, 21)
    assert database.value("SELECT path FROM events WHERE event_id = %s", (same,)) == "/0"


def test_the_same_id_on_another_site_or_time_is_another_event(
        daemons, redis, database, client):
    same = new_id()
    push(client, job(event(event_id=same)), job(event(event_id=same, site_id="other")),
         job(event(event_id=same.upper(), timestamp="2025-11-14T10:00:00.001Z")),
         job(event(event_id=same.upper())))
    start(daemons, redis, database)
    wait_counts(redis, database, 3)


def test_batches_with_the_same_events_do_not_wait_in_a_circle(daemons, redis, database,
                                                              client):
    """Two workers store the same events in opposite orders; each row takes long, so that both
    are at it.  In the order of the jobs they would meet in a deadlock."""
    database.rows("""
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.3); RETURN new; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()""")
    # Of two months, so of two partitions, and the other way round by their ids.
    jobs = [job(event(event_id=ident, timestamp=moment)) for ident, moment in zip(
        sorted(new_id() for _ in range(3)),
        ["2025-11-14T10:00:00Z", "2025-10-14T10:00:00Z", "2025-10-14T09:00:00Z"])]
    push(client, *jobs, *reversed(jobs))
    processor = start(daemons, redis, database, BATCH_MAX=3, PROCESSOR_WORKERS=2)
    wait_until(redis.is_drained, 30, "the queue to drain")
    assert redis.completed() == 6 and stored(database) == 3
    assert "could not store a batch" not in processor.stderr()


# --- what a person broke: nothing is lost, nothing is dead

def test_a_queue_of_another_type_halts_and_recovers(daemons, redis, database, client):
    client.set(QUEUE, "not a list")
    processor = start(daemons, redis, database, wait=False, HALT_RETRY_MS=100)
    processor.wait_log("WRONGTYPE")
    wait_until(lambda: processor.ready_status() == 503, 10)
    assert "Redis" in processor.get("/readyz").error
    client.delete(QUEUE)
    push(client, job(event()))
    wait_counts(redis, database, 1)
    processor.wait_ready()


@pytest.mark.parametrize("broken,mended", [
    ("ALTER TABLE events RENAME TO hidden", "ALTER TABLE hidden RENAME TO events"),
    ("ALTER TABLE events RENAME path TO way", "ALTER TABLE events RENAME way TO path"),
    ("ALTER TABLE events DETACH PARTITION events_default",
     "ALTER TABLE events ATTACH PARTITION events_default DEFAULT"),
])
def test_a_broken_schema_halts_and_kills_nothing(daemons, redis, database, client, broken,
                                                 mended):
    processor = start(daemons, redis, database, HALT_RETRY_MS=200)
    database.rows(broken)
    push(client, *[job(event(timestamp="1999-01-01T00:00:00Z")) for _ in range(10)])
    wait_until(lambda: processor.ready_status() == 503, 10, processor.story)
    assert "Postgres" in processor.get("/readyz").error
    assert dead(database) == 0
    database.rows(mended)
    wait_counts(redis, database, 10)
    processor.wait_ready()


def test_a_revoked_privilege_halts_and_kills_nothing(daemons, redis, database, client):
    role = f"limited_{uuid.uuid4().hex}"
    database.rows(f"CREATE ROLE {role} LOGIN PASSWORD 'limited'; "
                  f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; "
                  f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}; "
                  f"GRANT ALL ON ALL FUNCTIONS IN SCHEMA public TO {role}")
    url = re.sub("//[^@]*@", f"//{role}:limited@", database.url)
    processor = daemons.start("processor", wait=False, REDIS_URL=redis.url, DATABASE_URL=url,
                              HALT_RETRY_MS=200).wait_alive()
    push(client, job(event()))
    wait_counts(redis, database, 1)
    database.rows(f"REVOKE INSERT ON events FROM {role}")
    push(client, job(event()))
    processor.wait_log("permission denied")
    assert dead(database) == 0 and processor.ready_status() == 503
    database.rows(f"GRANT INSERT ON events TO {role}")
    wait_counts(redis, database, 2)
    processor.stop()
    database.rows(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_server_that_may_lose_commits_is_not_used(daemons, redis, private_postgres,
                                                    client):
    server = private_postgres(fsync="off")
    processor = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                              DATABASE_URL=server.url("postgres")).wait_alive()
    processor.wait_log("fsync=off")
    assert processor.ready_status() == 503


# --- dying, pausing, handing back

def test_a_killed_processor_is_succeeded_by_another(daemons, redis, database, client):
    judge = Judge()
    mix = Mix(11)
    for made in mix.take(scaled(3000)):
        judge.pushed(made)
        push(client, job(made))
    env = {"LEASE_MS": 600, "BATCH_MAX": 500}
    blocked = lock_events(database)
    first = start(daemons, redis, database, **env)
    wait_writer_blocked(database)
    first.kill9()
    blocked.close()
    assert redis.batches()
    second = start(daemons, redis, database, **env)
    wait_until(redis.is_drained, 60, lambda: f"the queue to drain: {redis.batches()}")
    second.wait_log("took a batch over")
    judge.assert_clean(database)
    assert stored(database) == len(judge.attempted)
    with redis.client() as left:
        assert left.hlen(ATTEMPTS) <= 2 and left.zcard(LEASES) <= 2  # the idle workers'


def test_a_paused_processor_delays_nobody(daemons, redis, database, client):
    """It sleeps in the middle of a transaction, keys locked; who takes the batch over ends
    its backend.  When it wakes up it finds the batch gone and does no harm."""
    env = {"LEASE_MS": 600, "PROCESSOR_WORKERS": 1}
    jobs = [job(event(event_id=new_id(), path=f"/{n}")) for n in range(100)]
    blocked = lock_events(database)
    sleeper = start(daemons, redis, database, **env)
    push(client, *jobs)
    wait_writer_blocked(database)
    sleeper.pause()
    blocked.close()
    # Its backend now has the lock and waits in COPY for bytes or for COMMIT.
    start(daemons, redis, database, **env)
    wait_counts(redis, database, 100)
    sleeper.resume()
    push(client, *[job(event()) for _ in range(10)])
    wait_counts(redis, database, 110)
    sleeper.wait_ready()


def test_sigterm_hands_the_batch_back_at_once(daemons, redis, database, client):
    """The lease is long: only handing back lets the next one have the batch so soon."""
    blocked = lock_events(database)
    first = start(daemons, redis, database, LEASE_MS=600000, SHUTDOWN_TIMEOUT_MS=500)
    push(client, *[job(event()) for _ in range(10)])
    wait_writer_blocked(database)
    assert first.stop() < patience(5)
    assert first.has_logged("handed a batch back")
    blocked.close()
    start(daemons, redis, database, LEASE_MS=600000)
    wait_counts(redis, database, 10, timeout=10)


def test_sigterm_finishes_what_is_under_way(daemons, redis, database, client):
    processor = start(daemons, redis, database)
    push(client, *[job(event()) for _ in range(scaled(20000))])
    wait_until(lambda: redis.completed() > 0, 20, "the first batch")
    processor.stop()
    assert not redis.batches()
    assert stored(database) + redis.queue_length() == scaled(20000)
    with redis.client() as left:
        assert left.zcard(LEASES) == 0 and left.hlen(ATTEMPTS) == 0


def test_a_second_signal_ends_it_at_once(daemons, redis, database, client):
    blocked = lock_events(database)
    processor = start(daemons, redis, database, SHUTDOWN_TIMEOUT_MS=60000)
    processor.expected_exit = 1
    push(client, job(event()))
    wait_writer_blocked(database)
    processor.signal(signal.SIGTERM)
    processor.wait_log("stopping")
    processor.signal(signal.SIGTERM)
    assert processor.wait_exit(3) == 1
    blocked.close()


def test_three_processors_share_the_work(daemons, redis, database, client):
    judge = Judge()
    for made in Mix(12).take(scaled(20000)):
        judge.pushed(made)
        push(client, job(made))
    all_three = [start(daemons, redis, database, BATCH_MAX=200, LOG_JOBS_MAX=0)
                 for _ in range(3)]
    wait_until(redis.is_drained, 60, "the queue to drain")
    judge.assert_clean(database)
    assert redis.completed() == scaled(20000)
    for processor in all_three:
        processor.stop()
    sizes = [sum(int(n) for n in re.findall(r"\((\d+) events", p.stdout()))
             for p in all_three]
    assert sum(sizes) == scaled(20000)
    numbers = sorted(tuple(map(int, pair)) for p in all_three
                     for pair in re.findall(r"completed (\d+)-(\d+)", p.stdout()))
    assert numbers[0][0] == 1 and all(b[0] == a[1] + 1 for a, b in zip(numbers, numbers[1:]))


def test_a_batch_without_a_lease_is_found(daemons, redis, database, client):
    """What a failover of Redis may leave behind."""
    client.rpush("{events}:batch:" + new_id(), *[job(event()) for _ in range(5)])
    start(daemons, redis, database, LEASE_MS=500)
    wait_counts(redis, database, 5)


def test_a_lease_on_something_else_blocks_nobody(daemons, redis, database, client):
    client.set("{events}:batch:stray", "not a list")
    client.zadd(LEASES, {"stray": 1, "gone": 1})
    start(daemons, redis, database)
    push(client, job(event()))
    wait_until(lambda: stored(database) == 1, 10)
    assert client.get("{events}:batch:stray") == b"not a list"
    client.delete("{events}:batch:stray")


def test_a_job_that_kills_its_processor_is_found(daemons, redis, database, client):
    """A batch whose workers were lost three times is run job by job, with a mark in Redis,
    and the job at which two more are lost is dead."""
    batch = new_id()
    client.rpush("{events}:batch:" + batch, *[job(event(path=f"/{n}")) for n in range(5)])
    client.zadd(LEASES, {batch: 1})
    client.hset(ATTEMPTS, mapping={batch: 5, f"{batch}:row": "2 2"})
    start(daemons, redis, database)
    wait_counts(redis, database, 4, 1)
    assert database.row("SELECT batch_id, batch_place FROM dead_letters") == (batch, 2)
    assert {row[0] for row in database.rows("SELECT path FROM events")} == \
        {"/0", "/1", "/3", "/4"}


# --- resources

def test_nothing_grows(daemons, redis, database, client):
    processor = start(daemons, redis, database, BATCH_MAX=100)

    def feed():
        push(client, *[job(event(path=f"/{n % 50}")) for n in range(2000)], "garbage")
        wait_until(redis.is_drained, 60, "the queue to drain", interval=0.02)
    for _ in range(3):
        feed()
    files, memory = processor.open_files(), processor.rss_kib()
    for _ in range(10):
        feed()
    assert processor.open_files() == files
    if "san" not in os.environ.get("ANALYTICS_BUILD", ""):
        assert processor.rss_kib() < memory + 4096


def test_it_is_quiet_at_normal_load(daemons, redis, database, client):
    processor = start(daemons, redis, database)
    before = len(processor.log_lines())
    for _ in range(20):
        push(client, job(event()))
    wait_counts(redis, database, 20)
    assert len(processor.log_lines()) == before


def test_an_idle_processor_sleeps(daemons, redis, database, client):
    processor = start(daemons, redis, database)
    push(client, job(event()))
    wait_counts(redis, database, 1)
    used = processor.cpu_seconds()
    commands = client.info()["total_commands_processed"]
    wait_until(lambda: client.info()["total_commands_processed"] > commands + 10, 20,
               "a few turns of the workers")
    assert processor.cpu_seconds() - used < 1


def test_the_error_of_postgres_is_seen_by_an_operator(daemons, redis, database, client):
    processor = start(daemons, redis, database, LOCK_TIMEOUT_MS=100, RETRY_MAX_MS=100)
    blocked = lock_events(database, "ACCESS EXCLUSIVE")
    push(client, job(event()))

    def noted():
        fields = {k.decode(): v.decode() for k, v in client.hgetall(ATTEMPTS).items()}
        return [v for k, v in fields.items() if k.endswith(":error") and "lock" in v]
    wait_until(noted, 10, processor.story)
    blocked.close()
    wait_counts(redis, database, 1)


def test_the_password_is_never_logged(daemons, redis, postgres, client):
    url = postgres.url("no_such_database")
    processor = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                              DATABASE_URL=url).wait_alive()
    processor.wait_log("no_such_database")
    wrong = re.sub(":[^:@]*@", ":wrong-secret@", url)
    other = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                          DATABASE_URL=wrong).wait_alive()
    other.wait_log("password authentication failed")
    assert "pg-secret" not in processor.stderr() and "wrong-secret" not in other.stderr()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)
