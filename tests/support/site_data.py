"""Events straight into Postgres, for tests that need no queue: stored, and rolled up."""
from psycopg2.extras import Json, execute_values

# What few events have, by the names of the columns.
MORE = ("hostname", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content",
        "utm_term", "screen_width", "language", "props", "duration_ms", "scroll", "source",
        "channel", "click", "browser", "browser_version", "os", "os_version", "device", "country",
        "region", "city", "visitor_id")


def store(database, events):
    """Stores events (dicts as of support.events) without rolling them up."""
    more = [name for name in MORE if any(name in e for e in events)]
    rows = [(e["site_id"], e.get("event_type", "page_view"), e["path"], e.get("user_id"),
             e["timestamp"],
             *(Json(e[name]) if name == "props" and e.get(name) is not None else e.get(name)
               for name in more)) for e in events]
    conn = database.connect()
    try:
        with conn.cursor() as cursor:
            execute_values(
                cursor, "INSERT INTO events (" + ", ".join(
                    ["site_id", "event_type", "path", "user_id", '"timestamp"', *more]) +
                ") VALUES %s", rows, page_size=1000)
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
