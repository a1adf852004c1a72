"""Events straight into Postgres, for tests that need no queue: stored, and rolled up."""
from psycopg2.extras import execute_values


def store(database, events):
    """Stores events (dicts as of support.events) without rolling them up."""
    rows = [(e["site_id"], e.get("event_type", "page_view"), e["path"], e.get("user_id"),
             e["timestamp"]) for e in events]
    conn = database.connect()
    try:
        with conn.cursor() as cursor:
            execute_values(
                cursor, "INSERT INTO events (site_id, event_type, path, user_id, "
                '"timestamp") VALUES %s', rows, page_size=1000)
    finally:
        conn.close()


def roll_up(database):
    """Rolls up all that is stored, as the processor would."""
    taken, is_done = database.row(
        "SELECT b.* FROM rollup_settled(5000) AS s, rollup_chunk(s, 10000000) AS b")
    assert is_done
    return taken


def load(database, events):
    store(database, events)
    return roll_up(database)
