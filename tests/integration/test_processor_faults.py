"""The processor while Postgres and Redis come and go: nothing is lost, nothing hangs."""
import pytest

from support.events import Mix, event, job
from support.judge import Judge
from support.processor import dead, lock_events, push, start, stored, wait_counts
from support.redis_server import QUEUE
from support.settings import scaled
from support.wait import wait_until


@pytest.fixture
def client(redis):
    with redis.client() as client:
        yield client


# --- Postgres comes and goes

def test_it_starts_before_its_servers(daemons, private_redis, private_postgres):
    redis, postgres = private_redis(running=False), private_postgres(running=False)
    processor = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                              DATABASE_URL=postgres.url("postgres")).wait_alive()
    assert processor.ready_status() == 503
    redis.start()
    wait_until(lambda: "Postgres" in (processor.get("/readyz").error or ""), 20)
    postgres.start()
    processor.wait_ready()
    with redis.client() as client:
        push(client, job(event()))
    with postgres.connect() as conn, conn.cursor() as cursor:
        def stored_one():
            cursor.execute("SELECT count(*) FROM events")
            return cursor.fetchone()[0] == 1
        wait_until(stored_one, 20)
    assert len(processor.log_lines("could not|failed")) < 20  # rate-limited


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgres_stops_and_starts_under_load(daemons, redis, private_postgres, mode):
    postgres = private_postgres()
    processor = daemons.start("processor", REDIS_URL=redis.url, BATCH_MAX=200,
                              DATABASE_URL=postgres.url("postgres"))
    judge = Judge()
    mix = Mix(13)

    def feed(count):
        with redis.client() as client:
            for made in mix.take(count):
                judge.pushed(made)
                push(client, job(made))
    feed(scaled(2000))
    wait_until(lambda: redis.completed() > 0, 20, "the first batch")
    postgres.stop(mode)
    feed(scaled(2000))
    wait_until(lambda: processor.ready_status() == 503, 20)
    postgres.start()
    feed(scaled(1000))
    wait_until(redis.is_drained, 60, "the queue to drain")

    class TheDatabase:
        @staticmethod
        def connect():
            return postgres.connect()
    judge.assert_clean(TheDatabase)
    assert redis.completed() == scaled(2000) * 2 + scaled(1000)
    processor.wait_ready()


def test_a_paused_postgres_hangs_nobody(daemons, redis, private_postgres):
    postgres = private_postgres()
    processor = daemons.start("processor", REDIS_URL=redis.url, STATEMENT_TIMEOUT_MS=500,
                              DATABASE_URL=postgres.url("postgres"), CONNECT_TIMEOUT_MS=500)
    with redis.client() as client:
        push(client, job(event()))
        wait_until(lambda: redis.completed() == 1, 10)
        postgres.pause()
        push(client, job(event()))
        wait_until(lambda: processor.ready_status() == 503, 30)
        assert processor.get("/healthz").status == 200
        postgres.resume()
        wait_until(lambda: redis.completed() == 2, 30)
    processor.wait_ready()


def test_backends_ended_in_the_middle_lose_nothing(daemons, redis, database, client):
    judge = Judge()
    for made in Mix(14).take(scaled(20000)):
        judge.pushed(made)
        push(client, job(made))
    start(daemons, redis, database, BATCH_MAX=50, RETRY_MAX_MS=50)
    ended = 0

    def drained():
        nonlocal ended
        ended += database.value(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
            "application_name LIKE 'analytics-%%' AND random() < %s "
            "AND datname = current_database()", [0.3 if ended else 1]) if ended < 40 else 0
        return redis.is_drained()
    wait_until(drained, 90, "the queue to drain", interval=0.05)
    assert ended > 0
    judge.assert_clean(database)
    assert redis.completed() == scaled(20000)


def test_a_commit_that_says_rollback_is_no_commit(daemons, redis, database, client):
    """A deferred trigger fails the transaction at COMMIT; the batch must not be lost."""
    database.rows("""
        CREATE TABLE open_door (is_open boolean); INSERT INTO open_door VALUES (false);
        CREATE FUNCTION door() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT (SELECT is_open FROM open_door) THEN
                RAISE EXCEPTION 'the door is shut' USING ERRCODE = '40001';
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER door AFTER INSERT ON dead_letters
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION door()
        """)
    processor = start(daemons, redis, database, RETRY_MAX_MS=50)
    push(client, "garbage", job(event()))
    processor.wait_log("the door is shut")
    assert stored(database) + dead(database) < 2
    database.rows("UPDATE open_door SET is_open = true")
    wait_counts(redis, database, 1, 1)


def test_a_locked_table_is_waited_for(daemons, redis, database, client):
    processor = start(daemons, redis, database, LOCK_TIMEOUT_MS=100, RETRY_MAX_MS=100)
    blocked = lock_events(database, "ACCESS EXCLUSIVE")
    push(client, *[job(event()) for _ in range(10)])
    processor.wait_log("55P03")
    blocked.close()
    wait_counts(redis, database, 10)


def test_a_slow_server_gets_smaller_transactions(daemons, redis, database, client):
    """Statements that take too long are halved until they do not."""
    database.rows("""
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_sleep(0.02); RETURN new; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()
        """)
    push(client, *[job(event()) for _ in range(40)])
    start(daemons, redis, database, STATEMENT_TIMEOUT_MS=400, RETRY_MAX_MS=20,
          PROCESSOR_WORKERS=1)
    wait_counts(redis, database, 40, timeout=60)


# --- Redis comes and goes

def test_redis_restarts_under_load(daemons, private_redis, database):
    redis = private_redis(appendfsync="always")
    processor = start(daemons, redis, database, BATCH_MAX=100, LEASE_MS=1000)
    judge = Judge()
    with redis.client() as client:
        for made in Mix(15).take(scaled(3000)):
            judge.pushed(made)
            push(client, job(made))
    redis.kill()
    wait_until(lambda: processor.ready_status() == 503, 20)
    redis.start()
    wait_until(redis.is_drained, 60, "the queue to drain")
    judge.assert_clean(database)
    processor.wait_ready()


def test_a_claim_whose_answer_is_lost_is_claimed_again(daemons, redis, database, client):
    """Redis has made the batch, and the worker does not know; nothing else comes after it.
    The lease is long: the worker itself must find the batch."""
    processor = start(daemons, redis, database, LEASE_MS=600000, PROCESSOR_WORKERS=1)
    for turn in range(1, 21):
        pipe = client.pipeline(transaction=False)
        pipe.lpush(QUEUE, job(event(path=f"/{turn}")))
        pipe.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        pipe.execute()
        wait_counts(redis, database, turn, timeout=20)
    processor.wait_ready()


def test_a_full_redis_is_drained_all_the_same(daemons, private_redis, database):
    redis = private_redis()
    with redis.client() as client:
        push(client, *[job(event(path="/" + "x" * 500)) for _ in range(2000)])
        client.config_set("maxmemory", "1mb")
        with pytest.raises(Exception, match="maxmemory"):
            push(client, job(event()))
        start(daemons, redis, database, BATCH_MAX=100)
        wait_until(lambda: stored(database) == 2000, 60)
        wait_until(redis.is_drained, 20)


def test_scripts_that_redis_forgot_are_sent_again(daemons, redis, database, client):
    start(daemons, redis, database)
    push(client, job(event()))
    wait_counts(redis, database, 1)
    client.script_flush()
    push(client, job(event()))
    wait_counts(redis, database, 2)
