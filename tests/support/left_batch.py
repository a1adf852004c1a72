"""A batch as a worker leaves it that stopped in the middle of its transaction."""
from support.events import event, job, new_id
from support.redis_server import ATTEMPTS, BATCHES, LEASES


def leave_batch(redis, held):
    """A batch of one event: its lease has ended, and its key is locked in Postgres by the
    connection given, which bears its name."""
    batch = new_id()
    cursor = held.cursor()
    cursor.execute(f"SET LOCAL application_name = 'analytics-batch {batch}'")
    cursor.execute("INSERT INTO events (event_id, site_id, event_type, path, timestamp)"
                   " VALUES (%s, 's', 'e', '/', '2025-11-14')", (batch,))
    with redis.client() as client:
        client.lpush(BATCHES.replace("*", batch), job(event(
            event_id=batch, site_id="s", timestamp="2025-11-14T00:00:00Z")))
        client.zadd(LEASES, {batch: 1})
        client.hset(ATTEMPTS, batch, 1)
