"""The lists of docs/how-to.md, followed in a copy of the tree: a field of an event is one row
and one column, a dimension is one row, a setting is a member and a row, a report is one row, and
each works from HTTP to the database and back."""
import json
import subprocess
import urllib.parse

import pytest

from support.events import event
from support.metrics import scrape
from support.redis_server import QUEUE
from support.site_data import load
from support.stack import Daemons
from support.up import clone
from support.wait import wait_until


def add(root, name, before, text):
    """Puts the text into a file, in front of words that stand there once."""
    path = root / name
    old = path.read_text()
    assert old.count(before) == 1, f"{name}: {before!r}"
    path.write_text(old.replace(before, text + before))


def add_field(root):
    add(root, "shared/event/fields.h", "\n\n/* What is derived at the door",
        ' \\\n    X(FLAVOUR, "flavour", TEXT, flavour, EVENT_CLIENT, 1, 100)')
    add(root, "sql/tables/001_schema.sql", '    source          text COLLATE "C",\n',
        '    flavour         text COLLATE "C",\n')
    add(root, "docs/protocol.md", "\nWhat is derived at the door is refused",
        "| `flavour` | optional | string of 1 to 100 characters |\n")


def add_dimensions(root):
    """Of visits and of events, and a number between them that is not used."""
    add(root, "sql/functions/dimensions.sql", "\n    ON CONFLICT (dimension) DO UPDATE",
        ",\n    (26, 'taste', 'event', 'flavour'),\n    (27, 'flavour', 'visit', 'flavour')")


def add_setting(root):
    add(root, "ingestion/conf.h", "    int64_t pending_max_bytes;", "    int64_t trial_ms;\n")
    add(root, "ingestion/conf.c", '    CONF_ROW("PENDING_MAX_BYTES", CONF_INT,',
        '    CONF_ROW("TRIAL_MS", CONF_INT, FIELD(trial_ms), .initial = "7", .min = 1, .max = 9,\n'
        '             .help = "Time of a trial, in ms"),\n')


REPORT = r''' \
    REPORT(TYPES, "types", "/stats/types", \
        .sql = "SELECT sum(count(*)) OVER (), event_type, count(*) FROM events " \
               "WHERE site_id = $1 GROUP BY 2 ORDER BY 2", \
        VALUES(ASK_SITE_ID), .params = ASK_PARAM_SITE_ID, .pool = POOL_RAW, \
        COLUMNS({"site_id", .type = REPORT_ASKED, .asked = ASK_SITE_ID}, {"events", .type = REPORT_INT}, \
                {"types", .type = REPORT_LIST}, \
                {"event_type", .type = REPORT_TEXT}, {"count", .type = REPORT_INT}))'''


def add_report(root):
    add(root, "reporting/report/reports.h", "\n/* clang-format on */", REPORT)


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the tree with all of them, built."""
    root = clone(tmp_path_factory.mktemp("how-to"))
    add_field(root)
    add_dimensions(root)
    add_setting(root)
    add_report(root)
    for words in (["--preset", "release"],
                  ["--build", "--preset", "release", "--target", "ingestion", "processor",
                   "reporting"]):
        done = subprocess.run(["cmake", *words], cwd=root, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return root


@pytest.fixture
def started(changed, monkeypatch, tmp_path, redis, empty_database):
    """Daemons of that build."""
    monkeypatch.setenv("ANALYTICS_BUILD", str(changed / "build/release"))
    daemons = Daemons(tmp_path)
    yield daemons
    assert not daemons.finish()


def test_a_field_goes_from_http_to_the_database(started, redis, empty_database):
    door = started.start("ingestion", REDIS_URL=redis.url)
    sent = event(flavour="süß")
    assert door.post_event(sent).status == 200
    assert door.post_event(event(flavour=None)).status == 200
    plain = event()
    assert door.post_event(plain).status == 200
    with redis.client() as client:
        jobs = [json.loads(job) for job in client.lrange(QUEUE, 0, -1)]
    assert sorted(job.get("flavour", "absent") for job in jobs) == ["absent", "absent", "süß"]
    started.start("processor", REDIS_URL=redis.url, DATABASE_URL=empty_database.url)
    wait_until(lambda: empty_database.value("SELECT count(*) FROM events") == 3, 20)
    assert empty_database.rows("SELECT flavour, count(*) FROM events GROUP BY 1 ORDER BY 1") \
        == [("süß", 1), (None, 2)]


def test_a_repetition_finds_the_field_in_the_careful_way_too(started, redis, empty_database):
    door = started.start("ingestion", REDIS_URL=redis.url)
    started.start("processor", REDIS_URL=redis.url, DATABASE_URL=empty_database.url)
    first = event(flavour="sour", event_id="019a81f2-5b80-7c3e-9f10-0242ac120002")
    for _ in range(2):
        assert door.post_event(first).status == 200
    other = event(flavour="salty", event_id="019a81f2-5b80-7c3e-9f10-0242ac120003")
    assert door.post_event(other).status == 200
    wait_until(lambda: redis.queue_length() == 0
               and empty_database.value("SELECT count(*) FROM events") == 2, 20)
    assert empty_database.rows("SELECT flavour FROM events ORDER BY 1") \
        == [("salty",), ("sour",)]


def test_a_dimension_goes_from_http_to_the_answer(started, redis, empty_database):
    door = started.start("ingestion", REDIS_URL=redis.url)
    started.start("processor", REDIS_URL=redis.url, DATABASE_URL=empty_database.url)
    for user, flavour in (("a", "sour"), ("a", "salty"), ("b", "sour"), ("c", None)):
        assert door.post_event(event(user_id=user, flavour=flavour)).status == 200
    reports = started.start("reporting", DATABASE_URL=empty_database.url)

    def figures(name, figure, **more):
        query = {"site_id": "demo", "property": name, "metrics": f"visitors,{figure}",
                 "from": "2025-11-14", "to": "2025-11-14", **more}
        answer = reports.get(f"/stats/breakdown?{urllib.parse.urlencode(query)}")
        assert answer.status == 200, answer.body
        return {row[name]: row[figure] for row in json.loads(answer.body)["results"]}
    wait_until(lambda: sum(figures("page", "events").values()) == 4, 20)
    assert figures("taste", "events") == {"sour": 2, "salty": 1}
    visits = figures("flavour", "visits")
    assert visits.pop("sour") + sum(visits.values()) == 2
    assert figures("page", "events", filters="taste==salty") == {"/": 1}
    assert sum(figures("entry_page", "visits", filters="flavour!=none").values()) == 3


@pytest.mark.parametrize("value, sentence", [
    ("x" * 101, '"flavour" length must be less than or equal to 100 characters long'),
    ("", '"flavour" is not allowed to be empty'),
    (7, '"flavour" must be a string'),
])
def test_the_rules_of_the_field_are_made_from_its_row(started, redis, value, sentence):
    door = started.start("ingestion", REDIS_URL=redis.url)
    answer = door.post_event(event(flavour=value))
    assert (answer.status, answer.error) == (400, sentence)


def test_the_setting_is_there_with_its_range(changed, tmp_path):
    program = changed / "build/release/ingestion/ingestion"

    def run(*words):
        return subprocess.run([program, *words], cwd=tmp_path, capture_output=True, text=True,
                              env={})
    assert "Time of a trial, in ms (1 to 9) [7]" in run("--help").stdout
    assert "TRIAL_MS=8" in run("--trial-ms=8", "--print-config").stdout
    assert run("--trial-ms=10").returncode == 2


def test_a_report_is_one_row(started, database):
    """It answers, refuses what it does not take, and is counted under its name."""
    load(database, [event(site_id="s", event_type=kind) for kind in ("b", "a", "b")])
    daemon = started.start("reporting", DATABASE_URL=database.url)
    answer = daemon.get("/stats/types?site_id=s")
    assert (answer.status, answer.body.decode()) == (
        200, '{"site_id":"s","events":3,"types":[{"event_type":"a","count":1},'
             '{"event_type":"b","count":2}]}')
    refused = daemon.get("/stats/types?site_id=s&day=1")
    assert (refused.status, refused.error) == (
        400, '"day" is not allowed; allowed are site_id')
    assert scrape(daemon).value("analytics_reporting_query_seconds_count",
                                statement="types") == 1
