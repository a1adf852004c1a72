"""A job at which processors die is found and buried; the others of its batch, and jobs at
which they merely were when they were stopped, are stored."""
import signal

from support.events import event, job, new_id
from support.redis_server import ATTEMPTS, LEASES
from support.wait import wait_until

PLACE = 2  # of the killer in its batch


def lay_out(client, batch, row=""):
    """A batch that has cost four processors, with its lease over."""
    client.rpush("{events}:batch:" + batch, *[job(event(path=f"/{n}")) for n in range(5)])
    client.zadd(LEASES, {batch: 1})
    client.hset(ATTEMPTS, mapping={batch: 4, **({f"{batch}:row": row} if row else {})})


def run(daemons, redis, database, **more):
    return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                         PROCESSOR_WORKERS=1, LEASE_MS=450, wait=False, **more)


def end_lease(client, batch):
    client.zadd(LEASES, {batch: 1})


def test_the_job_at_which_two_processors_die_is_buried(daemons, redis, database):
    client, batch = redis.client(), new_id()
    lay_out(client, batch)
    for deaths in (1, 2):
        # Each job is committed by itself, so the third COMMIT is that of place 2.
        processor = run(daemons, redis, database,
                        FAILPOINTS=f"store.commit:kill:{PLACE + 1}")
        assert processor.wait_exit(30) == -signal.SIGKILL
        processor.process = None
        assert client.hget(ATTEMPTS, f"{batch}:row") == f"{PLACE} {deaths}".encode()
        end_lease(client, batch)
    run(daemons, redis, database)
    wait_until(redis.is_drained, 30, "the batch to be done")
    assert database.rows("SELECT batch_place FROM dead_letters") == [(PLACE,)]
    assert {row[0] for row in database.rows("SELECT path FROM events")} == \
        {f"/{n}" for n in range(5) if n != PLACE}


def test_a_batch_that_is_stored_leaves_no_mark(daemons, redis, database):
    """Processors that are lost before they acknowledge it were not lost at its last job."""
    client, batch = redis.client(), new_id()
    lay_out(client, batch)
    for _ in range(3):
        processor = run(daemons, redis, database, FAILPOINTS="worker.stored:kill:1")
        assert processor.wait_exit(30) == -signal.SIGKILL
        processor.process = None
        assert client.hget(ATTEMPTS, f"{batch}:row") is None
        end_lease(client, batch)
    run(daemons, redis, database)
    wait_until(redis.is_drained, 30, "the batch to be done")
    assert database.rows("SELECT * FROM dead_letters") == []
    assert database.value("SELECT count(*) FROM events") == 5


def test_a_job_that_only_fails_is_not_marked(daemons, redis, database):
    """One that a processor could not store, and was stopped at, has killed nobody."""
    client, batch = redis.client(), new_id()
    lay_out(client, batch)
    for _ in range(3):
        processor = run(daemons, redis, database, FAILPOINTS="store.commit:error:1",
                        RETRY_MAX_MS=50)
        wait_until(redis.is_drained, 30, "the batch to be done")
        processor.stop()
        assert not client.hgetall(ATTEMPTS)
        batch = new_id()
        lay_out(client, batch)
    run(daemons, redis, database)
    wait_until(redis.is_drained, 30, "the batch to be done")
    assert database.rows("SELECT * FROM dead_letters") == []
    assert database.rows("SELECT count(*) FROM events") == [(20,)]
