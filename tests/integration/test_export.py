"""GET /export: all rows of a range as they were sent, streamed at the pace of who reads them.

The size of the answers and the memory are of the optimised program; a sanitizer adds nothing
here that the unit tests of the rows have not."""
import csv
import datetime
import io
import json
import urllib.parse
import urllib.request
import uuid

import pytest

from support.events import event
from support.http import Closed, Connection, build
from support.postgres_server import Database
from support.stack import Daemons
from support.wait import wait_until

ROWS = 150_000  # some 22 MB: more than all buffers on the way hold
WIDE = "=1+1", '"quoted", and\r\nbroken\tlines', "\\N", "ä%_\\ 😀", "+x", "-x", "@x", "'x"


@pytest.fixture(scope="module")
def big(postgres, migrated_template, tmp_path_factory):
    """A site with many rows, and reporting."""
    database = Database(postgres, postgres.create_database(migrated_template))
    database.rows("INSERT INTO sites (site_id, time_zone) VALUES ('nepal', 'Asia/Kathmandu') "
                  "RETURNING 1")
    database.rows(
        'INSERT INTO events (site_id, event_type, path, user_id, "timestamp") '
        "SELECT 'big', 'page_view', '/a/path/of/some/length/' || n % 1000, 'user-' || n % 5000, "
        "timestamptz '2025-11-14 00:00Z' + n * interval '100 ms' "
        f"FROM generate_series(1, {ROWS}) AS n RETURNING 1")
    daemons = Daemons(tmp_path_factory.mktemp("export"))
    daemon = daemons.start("reporting", DATABASE_URL=database.url, EXPORTS_MAX=2,
                           QUERY_TIMEOUT_MS=20000)
    yield daemon, database
    assert not daemons.finish()
    database.drop()


def target(site_id, **asked):
    return "/export?" + urllib.parse.urlencode({"site_id": site_id, **asked})


BIG = target("big", **{"from": "2025-11-14", "to": "2025-11-15"})


def fetch(daemon, path):
    """The body, by a client that is fast with a long one."""
    url = f"http://127.0.0.1:{daemon.port}{path}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        return answer.read()


def lines(answer):
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def unguarded(text):
    return text[1:] if text[:1] == "'" and text[1:2] in "=+-@" else text


def test_every_event_comes_back_as_it_was_sent(shared_stack):
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=250000)
    day = now.date().isoformat()
    sent = [event(site_id="wide", path="/" if text == "'x" else text, event_type=text,
                  user_id=user, event_id=str(uuid.UUID(int=number)),
                  timestamp=(now - datetime.timedelta(seconds=number)).isoformat(),
                  hostname="a.example", screen_width=800, props={"plan": text, "n": 1.5})
            for number, (text, user) in enumerate(zip(WIDE, [None, "", *WIDE]))]
    for one in sent:
        assert shared_stack.post(one).status == 200
    shared_stack.settle()
    columns = [name for name, in shared_stack.database.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'events'::regclass AND attnum > 0 "
        "AND NOT attisdropped ORDER BY attnum")]
    asked = {"from": (now - datetime.timedelta(days=1)).date().isoformat(), "to": day}
    reporting = shared_stack.reporting
    rows = lines(reporting.get(target("wide", **asked)))
    values = [json.loads(line) for line in
              reporting.get(target("wide", format="ndjson", **asked)).body.splitlines()]
    assert list(rows[0]) == list(values[0]) == columns
    assert [row["id"] for row in values] == sorted(row["id"] for row in values)
    stored = {row["event_id"]: row for row in values}
    for one, line in zip(sent, sorted(rows, key=lambda row: row["event_id"])):
        value = stored[one["event_id"]]
        for key in ("site_id", "event_type", "path", "user_id", "hostname", "screen_width",
                    "props"):
            assert value[key] == one[key], key
        assert value["timestamp"] == one["timestamp"][:-9] + "Z"
        assert unguarded(line["event_type"]) == one["event_type"]
        assert line["event_type"][0] not in "=+-@"
        assert line["timestamp"] == value["timestamp"] and json.loads(line["props"]) == one["props"]
    text = reporting.get(target("wide", **asked)).body.decode()
    assert ',"",' in text  # the user '' is not nobody


def test_a_visitor_is_sixteen_digits(shared_stack):
    shared_stack.database.rows(
        'INSERT INTO events (site_id, event_type, path, "timestamp", visitor_id) VALUES '
        "('v', 'x', '/', now(), -2), ('v', 'x', '/', now(), 255) RETURNING 1")
    answer = shared_stack.reporting.get(target("v", period="today"))
    assert [row["visitor_id"] for row in lines(answer)] == ["fffffffffffffffe",
                                                            "00000000000000ff"]


def test_all_rows_come_in_order(big):
    daemon, database = big
    ids = [int(line.split(b",", 1)[0]) for line in fetch(daemon, BIG).splitlines()[1:]]
    assert len(ids) == database.value("SELECT count(*) FROM events WHERE site_id = 'big'")
    assert ids == sorted(set(ids))


def test_a_range_is_of_the_sites_days(big):
    daemon, database = big
    for zone, site_id in (("UTC", "utc-days"), ("Asia/Kathmandu", "nepal")):
        database.rows('INSERT INTO events (site_id, event_type, path, "timestamp") '
                      "SELECT %s, 'x', '/' || n, timestamptz '2025-11-13 12:00Z' "
                      "+ n * interval '1 hour' FROM generate_series(0, 47) AS n RETURNING 1",
                      (site_id,))
        found = [row["path"] for row in lines(daemon.get(
            target(site_id, **{"from": "2025-11-14", "to": "2025-11-14"})))]
        assert found == [path for path, in database.rows(
            "SELECT path FROM events WHERE site_id = %s AND "
            "(timestamp AT TIME ZONE %s)::date = '2025-11-14' ORDER BY id", (site_id, zone))]
        assert len(found) == 24
    assert lines(daemon.get(target("nobody"))) == []
    assert daemon.get(target("nobody")).body.startswith(b"id,site_id,")
    assert daemon.get(target("nobody", format="ndjson")).body == b""


def rss_kb(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def backends(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                          "current_database() AND application_name = "
                          "'analytics-reporting-export'")


def is_held_back(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = "
                          "current_database() AND wait_event = 'ClientWrite'")


def begin(daemon, path=BIG):
    """A reader that has read the head."""
    connection = Connection(daemon.port, timeout=60)
    connection.send(build("GET", path))
    while b"\r\n\r\n" not in connection.buffer:
        connection.buffer += connection.socket.recv(4096)
    return connection


def read_rest(reader):
    """Everything until the end of the chunks, or of the connection."""
    end = b"\r\n0\r\n\r\n"
    answer = bytearray(reader.buffer)
    while not answer.endswith(end):  # which can come in several pieces
        try:
            part = reader.socket.recv(1 << 20)
        except ConnectionResetError:
            part = b""
        if not part:
            raise Closed("the answer has no end")
        answer += part
    return bytes(answer)


def test_a_slow_reader_holds_back_postgres_and_no_memory(big):
    daemon, database = big
    before = rss_kb(daemon)
    slow = begin(daemon)
    wait_until(lambda: is_held_back(database) == 1, 30, "Postgres to wait")
    assert rss_kb(daemon) < before + 4096
    assert daemon.get("/stats?site_id=big").status == 200  # nobody else waits
    assert read_rest(slow).count(b",big,page_view,") >= ROWS * 0.99  # others are cut by chunks
    assert rss_kb(daemon) < before + 4096
    slow.close()
    wait_until(lambda: backends(database) == 0, 10, "the connection to end")


@pytest.mark.parametrize("way", ["close", "reset"])
def test_a_reader_that_leaves_ends_its_query(big, way):
    daemon, database = big
    reader = begin(daemon)
    wait_until(lambda: is_held_back(database) == 1, 30, "Postgres to wait")
    getattr(reader, way)()
    wait_until(lambda: backends(database) == 0, 10, "the query to end")


def test_a_reader_that_leaves_before_the_first_row_ends_its_query(big):
    daemon, database = big
    with database.connect() as locking, locking.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        reader = Connection(daemon.port)
        reader.send(build("GET", BIG))
        wait_until(lambda: backends(database) == 1, 10, "the query to begin")
        reader.close()
        wait_until(lambda: backends(database) == 0, 10, "the query to end")
        cursor.execute("ROLLBACK")


def test_there_are_at_most_so_many(big):
    daemon, database = big
    readers = [begin(daemon), begin(daemon)]
    refused = daemon.get(BIG)
    assert (refused.status, refused.error) == (503, "too many exports")
    assert refused.header("Retry-After")
    for reader in readers:
        reader.close()
    wait_until(lambda: backends(database) == 0, 10, "the queries to end")
    assert daemon.get(target("nobody")).status == 200


VALUES = 20_000  # of a kilobyte each: 20 MB
WIDE_VALUES = """
    WITH site AS (INSERT INTO sites (site_id) VALUES ('wide') RETURNING site_no, home_no),
    made AS (INSERT INTO dictionary (home_no, dimension, hash, value)
             SELECT home_no, 1, decode(md5(n::text), 'hex'),
                    '/' || lpad(n::text, 6, '0') || repeat('x', 1000)
               FROM site, generate_series(1, %s) AS n RETURNING value_id, value)
    INSERT INTO counts (site_no, dimension, grain, day, value_id, events, pageviews, visits,
                        bounces, duration_ms, users)
    SELECT site_no, 1, 1, '2025-11-14', value_id, 2, 1, 0, 0, 0,
           hll_add(hll_empty(11, 5, 128, 1), hll_hash_bigint(value_id))
      FROM site, made RETURNING 1"""


def test_csv_of_many_values_is_streamed(big):
    """More rows than are held at once come as an export does; a page of them does not."""
    daemon, database = big
    database.rows(WIDE_VALUES, (VALUES,))
    asked = "/stats/breakdown?site_id=wide&from=2025-11-14&to=2025-11-14&format=csv" \
            "&property=page&metrics=events,visitors"
    before = rss_kb(daemon)
    slow = begin(daemon, asked)
    wait_until(lambda: is_held_back(database) == 1, 30, "Postgres to wait")
    # The rows that told that there are more have been let go again.
    assert rss_kb(daemon) < before + 24 * 1024
    others = [begin(daemon, asked)]
    refused = daemon.get(asked)
    assert (refused.status, refused.error) == (503, "too many exports")
    page = daemon.get(asked + "&limit=1000").body.splitlines()
    for reader in (slow, *others):
        reader.close()
    wait_until(lambda: backends(database) == 0, 10, "the queries to end")
    whole = fetch(daemon, asked).splitlines()
    assert whole[0] == b"page,events,visitors" and len(whole) == VALUES + 1
    assert whole[:1001] == page
    assert whole[-1] == b"/020000" + 1000 * b"x" + b",2,1"


def test_a_failure_in_the_middle_leaves_the_answer_without_an_end(big):
    daemon, database = big
    reader = begin(daemon)
    wait_until(lambda: is_held_back(database) == 1, 30, "Postgres to wait")
    database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                  "current_database() AND application_name = 'analytics-reporting-export'")
    with pytest.raises(Closed):
        read_rest(reader)


def test_an_export_has_a_time_limit(daemons, big):
    _, database = big
    daemon = daemons.start("reporting", DATABASE_URL=database.url, EXPORT_TIMEOUT_MS=2000)
    reader = begin(daemon)
    wait_until(lambda: backends(database) == 0, 20, "the query to end")
    with pytest.raises(Closed):
        read_rest(reader)


def test_a_server_that_stops_cuts_an_export(daemons, big):
    _, database = big
    daemon = daemons.start("reporting", DATABASE_URL=database.url, SHUTDOWN_TIMEOUT_MS=400)
    reader = begin(daemon)
    daemon.stop()
    wait_until(lambda: backends(database) == 0, 10, "the query to end")
    reader.close()


def test_an_export_begins_only_where_postgres_does(daemons, database):
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    database.rows("DROP FUNCTION report_export; SELECT 1")
    assert daemon.get(target("s")).status == 503


@pytest.mark.parametrize("query, name", [
    ("", "site_id"), ("site_id=a&format=json", "format"), ("site_id=a&limit=1", "limit"),
    ("site_id=a&from=2025-01-01", "to")])
def test_what_is_wrong_is_named(big, query, name):
    daemon, _ = big
    refused = daemon.get(f"/export?{query}")
    assert refused.status == 400 and name in refused.error
