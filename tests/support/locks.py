"""Tables that nobody else can read meanwhile, and who waits for them."""
import contextlib

from support.wait import wait_until


@contextlib.contextmanager
def locked(database, tables):
    conn = database.connect()
    conn.autocommit = False
    try:
        conn.cursor().execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        conn.close()


def blocked(database):
    """How many queries of reporting wait for a lock."""
    return database.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'analytics-reporting'"
        " AND datname = current_database() AND wait_event_type = 'Lock'")


def wait_blocked(database, count):
    wait_until(lambda: blocked(database) == count, 10,
               lambda: f"{count} queries to wait for the lock, not {blocked(database)}")
