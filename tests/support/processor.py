"""What the tests of the processor share: starting one, feeding it, and looking at what it
stored."""
from support.redis_server import QUEUE
from support.wait import wait_until


def start(daemons, redis, database, **env):
    return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url, **env)


def push(client, *jobs):
    client.lpush(QUEUE, *jobs)


def stored(database):
    return database.value("SELECT count(*) FROM events")


def dead(database):
    return database.value("SELECT count(*) FROM dead_letters")


def wait_counts(redis, database, events, dead_letters=0, timeout=30):
    wait_until(lambda: redis.is_drained() and stored(database) == events
               and dead(database) == dead_letters, timeout,
               lambda: f"{events} events and {dead_letters} dead letters; there are "
                       f"{stored(database)} and {dead(database)}, batches "
                       f"{redis.batches()}, queue {redis.queue_length()}", interval=0.02)


def backends_of_batches(database):
    return database.rows("SELECT pid FROM pg_stat_activity WHERE application_name LIKE "
                         "'analytics-batch %' AND datname = current_database()")


def lock_events(database, mode="SHARE"):
    """Holds a lock on events that writers wait for, until the connection is closed."""
    conn = database.connect()
    conn.autocommit = False
    with conn.cursor() as cursor:
        cursor.execute(f"LOCK TABLE events IN {mode} MODE")
    return conn


def wait_writer_blocked(database):
    """Until a batch's transaction waits for the lock of lock_events()."""
    wait_until(lambda: database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
        "'analytics-batch %' AND wait_event_type = 'Lock'") > 0, 20, "a writer to wait")
