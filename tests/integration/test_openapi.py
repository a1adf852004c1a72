"""GET /openapi.json: what it says of both daemons is what they do.

Every answer that it has is given by real daemons and held to its schema; what it says of
parameters and events is compared with what is taken.  test_openapi_client.py has it validated,
and calls everything by a client that was generated from it.
"""
import gzip
import json
import re
import urllib.parse

import pytest
from jsonschema import Draft202012Validator

from support.daemon import run
from support.events import event
from support.openapi import Document, walk
from support.postgres_server import Database
from support.process import free_port
from support.settings import SOURCE
from support.site_data import load
from support.stack import Daemons
from support.wait import wait_until

TOKEN = "a-token-of-more-than-32-characters-" + 8 * "x"
KEY = "key-of-ingestion"
CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/130.0.0.0 Safari/537.36")
SAMPLES = {"site_id": "demo", "property": "page", "path": "/"}
LATE = {"from": "2025-11-01", "to": "2025-11-30"}


class Pair:
    """Both daemons, started with one set of settings."""

    def __init__(self, daemons, ingestion, reporting):
        self.ingestion = daemons.start("ingestion", wait=False, **ingestion)
        self.reporting = daemons.start("reporting", wait=False, **reporting)

    def of(self, operation):
        return self.ingestion if operation.is_ingestion else self.reporting


@pytest.fixture(scope="module")
def database(postgres, migrated_template):
    made = Database(postgres, postgres.create_database(migrated_template))
    load(made, [event(props={"plan": "pro"}, event_type="signup", visitor_id=7),
                event(user_id=None, visitor_id=-7, source="Google", path="/ä"),
                event(duration_ms=5, scroll=100)])
    yield made
    made.drop()


@pytest.fixture(scope="module")
def pairs(redis_of_session, database, tmp_path_factory):
    daemons = Daemons(tmp_path_factory.mktemp("openapi"))
    redis, postgres = {"REDIS_URL": redis_of_session.url}, {"DATABASE_URL": database.url}
    limit = {"RATE_LIMIT_PER_IP": 1, "RATE_LIMIT_BURST_SECONDS": 1}
    nobody = free_port()
    made = {
        "open": Pair(daemons, redis, postgres),
        "closed": Pair(daemons, {**redis, "INGEST_KEY": KEY, "ALLOWED_SITES": "demo",
                                 "CORS_ORIGINS": "https://ours.example"},
                       {**postgres, "REPORTING_TOKEN": TOKEN,
                        "REPORTING_CORS_ORIGINS": "https://ours.example"}),
        "limited": Pair(daemons, {**redis, **limit}, {**postgres, **limit}),
        "alone": Pair(daemons, {"REDIS_URL": f"redis://127.0.0.1:{nobody}",
                                "ENQUEUE_TIMEOUT_MS": 100},
                      {"DATABASE_URL": f"postgres://x@127.0.0.1:{nobody}/x"}),
    }
    for pair in made.values():
        for daemon in (pair.ingestion, pair.reporting):
            wait_until(lambda: is_alive(daemon), 20, daemon.story)
    for name in ("open", "closed", "limited"):
        made[name].ingestion.wait_ready()
        made[name].reporting.wait_ready()
    yield made
    assert not daemons.finish()


def is_alive(daemon):
    try:
        return daemon.get("/healthz").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def document(pairs):
    return Document(pairs["open"].reporting.get("/openapi.json").body)


@pytest.fixture(scope="module")
def files(pairs):
    """Names of the dashboard's files."""
    page = pairs["open"].reporting.get("/").body.decode()
    return re.findall(r"page/([0-9a-f]+\.(?:js|css))", page)


# --- how to ask

BODIES = {"sendEvent": event(), "sendBatch": [event()], "collect": event(path="/collected")}


def target_of(operation, **more):
    asked = {one["name"]: SAMPLES[one["name"]] for one in operation.parameters
             if one.get("required")}
    if operation.id == "pixel":
        asked["path"] = "/"
    asked = {name: value for name, value in {**asked, **more}.items() if value is not None}
    path = operation.path.replace("{site_id}", "demo")
    return f"{path}?{urllib.parse.urlencode(asked)}" if asked else path


def ask(pair, operation, headers=(), body=None, **more):
    headers = {"User-Agent": CHROME, **dict(headers)}
    body = BODIES.get(operation.id, b"") if body is None else body
    target = target_of(operation, **more)
    return pair.of(operation).request(operation.method, target, body, headers)


def with_files(pairs, operation, files):
    """The operation asked well; of a file of the dashboard each."""
    if "{file}" not in operation.path:
        return [ask(pairs["open"], operation)]
    return [pairs["open"].reporting.get(operation.path.replace("{file}", name)) for name in files]


def ask_again(pairs, operation, files):
    first = with_files(pairs, operation, files)[0]
    path = operation.path.replace("{file}", files[0])
    again = target_of(operation) if path == operation.path else path
    tag = "*" if operation.id == "realtime" else first.header("ETag")  # it says the time
    return [pairs["open"].of(operation).get(again, {"If-None-Match": tag})]


def ask_wrongly(pairs, operation, files):
    if operation.id == "sendBatch":
        return [ask(pairs["open"], operation, body=body) for body in ("[]", "x", [{}] * 200)]
    if operation.method == "POST":
        return [ask(pairs["open"], operation, body=body) for body in ("[", {}, "null")]
    return [ask(pairs["open"], operation, **wrong) for wrong in
            ({"format": "xml"}, {"site_id": ""}, {"zzz": "1"}) if operation.id != "stats"
            or "site_id" in wrong]


def ask_as_stranger(pairs, operation, files):
    """With another name for the host, from a page of another origin, for another site."""
    if operation.id == "sendEvent":
        return [ask(pairs["closed"], operation, {"Authorization": f"Bearer {KEY}"},
                    event(site_id="other"))]
    if operation.is_ingestion:
        return [ask(pairs["closed"], operation, {"Origin": "https://other.example"})]
    return [ask(pairs["open"], operation, {"Host": "other.example"})]


def ask_too_often(pairs, operation, files):
    answers = [ask(pairs["limited"], operation) for _ in range(5)]
    return [one for one in answers if one.status == 429][:1] or answers


def ask_with_a_large_body(pairs, operation, files):
    large = json.dumps(event(path="x" * 3_000_000))
    return [ask(pairs["open"], operation, body=large)]


ASKING = {
    200: with_files,
    304: ask_again,
    400: ask_wrongly,
    401: lambda pairs, operation, files: [
        ask(pairs["closed"], operation, headers)
        for headers in ({}, {"Authorization": "Bearer wrong"})],
    403: ask_as_stranger,
    404: lambda pairs, operation, files: [pairs["open"].of(operation).get("/page/none.js")],
    413: ask_with_a_large_body,
    415: lambda pairs, operation, files: [
        ask(pairs["open"], operation, {"Content-Encoding": "br"}),
        ask(pairs["open"], operation, {"Content-Type": "application/json; charset=latin1"})],
    429: ask_too_often,
    503: lambda pairs, operation, files: [ask(pairs["alone"], operation)],
}


# --- the document itself

def test_every_reference_and_every_schema_is_good(document):
    assert document.value["openapi"].startswith("3.1.")
    for path, value in walk(document.value):
        if "$ref" in value:
            assert document.resolve(value), path
        if isinstance(value.get("pattern"), str):
            assert re.compile(value["pattern"]), path
    for path, schema in document.schemas():
        Draft202012Validator.check_schema(schema)
    used = {name for one in document.operations.values() for name in
            (key for scheme in one.value["security"] for key in scheme)}
    assert used == set(document.value["components"]["securitySchemes"])


def test_it_is_compressed_and_kept(pairs):
    daemon = pairs["open"].reporting
    plain = daemon.get("/openapi.json")
    packed = daemon.get("/openapi.json", {"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed.body) == plain.body and len(packed.body) < 8192
    assert packed.header("Vary") == "Accept-Encoding"
    assert plain.header("Cache-Control") == "private, no-cache"
    assert daemon.request("HEAD", "/openapi.json").header("Content-Length") == str(len(plain.body))
    assert daemon.request("OPTIONS", "/openapi.json").status == 405  # no origin is allowed


def test_it_is_for_those_who_have_the_token(pairs, tmp_path):
    """A share key reads the dashboard of a site and nothing else."""
    daemon = pairs["closed"].reporting
    link = run("reporting", "--share", "demo", cwd=tmp_path, env={"REPORTING_TOKEN": TOKEN})
    key = link.stdout.strip().split("#key=")[1]
    answers = {word: daemon.get("/openapi.json?site_id=demo", {"Authorization": f"Bearer {word}"})
               for word in ("wrong", key, TOKEN)}
    assert [one.status for one in answers.values()] == [401, 403, 200]
    assert answers[key].error == "the key reads the dashboard of a site alone"
    for origin, told in (("https://ours.example", "https://ours.example"),
                         ("https://other.example", None)):
        answer = daemon.get("/openapi.json", {"Authorization": f"Bearer {TOKEN}", "Origin": origin})
        assert answer.header("Access-Control-Allow-Origin") == told
        assert answer.header("Access-Control-Allow-Credentials") is None


def test_servers_are_those_of_the_settings(pairs, daemons, document):
    def servers(found):
        return [[one["url"] for one in found.value["servers"]],
                *([one["url"] for one in found.operations[name].value["servers"]]
                  for name in ("sendEvent", "ready"))]
    told = daemons.start("reporting", wait=False, DATABASE_URL="postgres://x@127.0.0.1:1/x",
                         REPORTING_URL="https://stats.example/a/",
                         INGESTION_URL="https://events.example/'\"")
    wait_until(lambda: is_alive(told), 20, told.story)
    ours, theirs = "https://stats.example/a", "https://events.example/'\""
    assert servers(Document(told.get("/openapi.json").body)) == [[ours], [theirs], [ours, theirs]]
    assert servers(document) == [["/"], ["http://{host}:3000"], ["/", "http://{host}:3000"]]


def test_every_route_is_in_it(document):
    """The routes as the sources have them."""
    found = set()
    for name in ("ingestion/routes.c", "reporting/routes.c", "reporting/report/reports.h"):
        found |= set(re.findall(r'(?:\{"(?:GET|POST)", |REPORT\([A-Z]+, "\w+", )"(/[^"]*)"',
                                (SOURCE / name).read_text()))
    listed = {re.sub(r"\{.*\}", "*", one.path) for one in document.operations.values()}
    assert listed == found and len(found) > 15


# --- what is answered

@pytest.mark.parametrize("status", ASKING)
def test_answers_have_the_form_that_the_document_gives_them(document, pairs, files, status):
    for operation in document.operations.values():
        if status in operation.statuses:
            for answer in ASKING[status](pairs, operation, files):
                assert answer.status == status, (operation, answer)
                operation.check(answer)


def test_no_other_status_is_named(document):
    named = set().union(*(one.statuses for one in document.operations.values()))
    assert named == set(ASKING)


def test_refusals_of_http_have_the_form_of_the_default(document, pairs):
    for operation in document.operations.values():
        answer = pairs["open"].of(operation).request("PATCH", target_of(operation))
        assert answer.status == 405
        operation.check(answer)


def test_dropped_events_and_parts_of_batches_have_their_forms(document, pairs):
    collect, batch = document.operations["collect"], document.operations["sendBatch"]
    dropped = ask(pairs["open"], collect, {"User-Agent": "curl/8"})
    assert dropped.json()["status"] == "dropped" and collect.check(dropped)
    assert collect.check(ask(pairs["open"], collect, body=[event(), event()])).status == 200
    for body in ([event(), {}], {"batch": [event()]}):
        assert batch.check(ask(pairs["open"], batch, body=body)).status == 200
    lines = f"{json.dumps(event())}\n\n{{\n"
    answer = batch.check(ask(pairs["open"], batch, {"Content-Type": "application/x-ndjson"}, lines))
    assert answer.json()["rejected"] == 1


REPORTS = [("stats", {"date": "2025-11-14"}), ("stats", {"exact": "true"}),
           *((name, {**more, **asked}) for name in ("aggregate", "timeseries", "breakdown")
             for asked in (LATE, {"period": "24h"}, {"period": "all"})
             for more in ({}, {"compare": "previous_period"} if "period" not in asked else {},
                          {"filters": "source==Google;page==/ä"})),
           ("breakdown", {"property": "prop:plan", **LATE}),
           ("sites", {}), ("realtime", {})]


@pytest.mark.parametrize("name, asked", REPORTS)
def test_answers_of_reports_have_their_forms(document, pairs, name, asked):
    operation = document.operations[name]
    answer = operation.check(ask(pairs["open"], operation, **asked))
    assert answer.status == 200
    if "filters" in asked:
        assert answer.json()["source"] == "events"
    if any(one["name"] == "format" for one in operation.parameters):
        table = operation.check(ask(pairs["open"], operation, format="csv", **asked))
        assert table.header("Content-Type").startswith("text/csv")


def test_every_property_and_all_of_its_metrics_have_their_form(document, pairs):
    """By the description of `metrics`, which is where OpenAPI can say which go together."""
    operation = document.operations["breakdown"]
    metrics = next(one for one in operation.parameters if one["name"] == "metrics")
    groups = re.findall(r" Of ((?: ?prop:<key>| ?[a-z_]+)+): ([^,]+), by default ([^.]+)\.",
                        metrics["description"])
    said = {name: (allowed.split(), first.split()) for names, allowed, first in groups
            for name in names.split()}
    schema = next(one for one in operation.parameters if one["name"] == "property")["schema"]
    assert set(said) == {*schema["anyOf"][0]["enum"], "prop:<key>"}
    for name, (allowed, first) in said.items():
        name = name.replace("<key>", "plan")
        answers = [operation.check(ask(pairs["open"], operation, property=name, **LATE, **more))
                   for more in ({"metrics": ",".join(allowed)}, {},
                                {"metrics": ",".join(first)})]
        assert [one.status for one in answers] == [200] * 3, (name, answers)
        assert answers[1].json()["results"] == answers[2].json()["results"]
        for one in set(metrics["schema"]["items"]["enum"]) - set(allowed):
            assert ask(pairs["open"], operation, property=name, metrics=one).status == 400


def test_each_line_of_an_export_is_a_stored_event(document, pairs):
    operation = document.operations["export"]
    answer = operation.check(ask(pairs["open"], operation, format="ndjson", **LATE))
    assert answer.header("Content-Type") == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.body.splitlines()]
    assert len(rows) == 3
    for row in rows:
        document.validate(document.schema("StoredEvent"), row)
    assert operation.check(ask(pairs["open"], operation, **LATE)).body.count(b"\r\n") == 4


# --- what is asked

def values_of(schema):
    """Values of a parameter, good and bad ones: the schema says which is which."""
    if "anyOf" in schema:
        return [one for part in schema["anyOf"] for one in values_of(part)]
    if "enum" in schema:
        return [*schema["enum"], "x", schema["enum"][0].upper(), ""]
    if schema["type"] == "integer":
        least, most = schema["minimum"], schema["maximum"]
        return [least - 1, least, most, most + 1, "x", "", "1.5"]
    if schema["type"] == "array":
        names = schema["items"]["enum"]
        return [names[:1], names[:3], names[:1] * 2, ["x"], [names[0], "x"]]
    if "format" in schema:
        return ["2025-11-14", "2024-02-29", "2025-02-29", "2025-11-4", "today", "20251114"]
    if "filters" in schema.get("pattern", "") or "==" in schema.get("pattern", ""):
        return ["page==/", "page!=/;source==Google|Bing", "page==", "prop:a==b", "page==/a;b",
                "x==1", "page=/", "page==/;", "", "prop:==1", "page==a;;page==b", r"page==\;\|",
                r"prop:a\=b==c", "screen==Desktop;country!=DE", "page", "page==a\\"]
    if "prop:" in schema.get("pattern", ""):
        return ["prop:plan", "prop:", "prop"]
    return ["demo", ""]


@pytest.mark.parametrize("name", ["stats", "aggregate", "timeseries", "breakdown", "export",
                                  "sites", "realtime"])
def test_parameters_are_taken_as_the_document_says(document, pairs, name):
    operation = document.operations[name]
    for parameter in operation.parameters:
        told, schema = parameter["name"], parameter["schema"]
        for value in values_of(schema):
            asked = ",".join(value) if isinstance(value, list) else value
            more = LATE if told in LATE else {}
            if told in LATE and value == "2024-02-29":
                more = {"from": value, "to": value}
            if told == "metrics" and name == "breakdown":
                continue  # hangs on the property: the test of them all
            if told == "date" and value == "":
                continue  # absent
            taken = ask(pairs["open"], operation, **{**more, told: asked}).status
            assert taken == (200 if document.is_valid(schema, value) else 400), (told, value)
        if parameter.get("required"):
            assert ask(pairs["open"], operation, **{told: None}).status == 400
        usual = schema.get("default")
        if usual is not None:
            usual = ",".join(usual) if isinstance(usual, list) else usual
            said, unsaid = (ask(pairs["open"], operation, **more)
                            for more in ({told: usual}, {}))
            assert said.body == unsaid.body and said.headers[1:] == unsaid.headers[1:]


LONG, TEXTS = 4096, ["", "x", "x" * 255, "x" * 256, "ä" * 255, "x" * 2048, "x" * 2049, None, 1,
                     True, [], {}]
TIMES = ["2025", "2025-11", "2025-11-14", "2025-11-14T10:00", "2025-11-14 10:00:00.123456789Z",
         "2025-11-14\t10:00+05", "2025-11-14T10:00-0530", "2025-11-14T10:00:00+05:30",
         "2025-11-14T24:00", "0001-01-02", "9999-12-30", "0000-01-01", "20251114", "2025-11-14T10",
         "2025-11-14T25:00", "2025-11-14T24:00:00", "2025-11-14T10:00:60", "2025-11-14T10:00:00,5",
         "2025-11-14T10:00:00.", "2025-11-14t10:00", "2025-11-14T10:00z", "2025-11-14T10:00 Z",
         "2025-11-14T10:00+24:00", " 2025", "2025 ", "2025-W01", "2025-1-1", "1700000000", 1, None]
KINDS = {
    "timestamp": TIMES,
    "event_id": ["00000000-0000-0000-0000-000000000000", "F" * 8 + "-aaaa-bbbb-cccc-" + "d" * 12,
                 "x", "", "{00000000-0000-0000-0000-000000000000}", "0" * 32, 1, None],
    "url": ["http://a", "HTTPS://a.example/b?c#d", "ftp://a", "/a", "", "http://", "http://a b",
            "https://a.example/" + "x" * (LONG - 18), "https://a.example/" + "x" * LONG, None, 1],
    "referrer": ["", "https://a.example", "x" * LONG, "x" * (LONG + 1), None, 1],
    "language": ["de", "de-DE", "en_GB", "zh-Hant-TW", "x", "toolonglanguage", "de-", "de--DE",
                 "", "12", None, 1],
    "props": [{}, {"a": "b", "c": 1.5, "d": True, "e": None}, {"a": {}}, {"a": []}, {"": 1},
              {"x" * 100: "x" * 500}, {"x" * 101: 1}, {"a": "x" * 501}, [], "{}", 1, None,
              {f"n{n}": n for n in range(30)}, {f"n{n}": n for n in range(31)}],
}


def bodies(document, name):
    """Bodies in which one field is another, and some in which several are."""
    fields = document.fields(name)
    for field, schema in fields.items():
        if field in ("user_agent", "ip"):
            continue  # they need a key
        values = KINDS.get(field, TEXTS)
        if "minimum" in schema:
            least, most = schema["minimum"], schema["maximum"]
            values = [least - 1, least, most, most + 1, least + 0.5, float(most), "1", None, True]
        yield from (event(**{field: value}) for value in values)
        yield event(**{field: ...})
    yield event(zzz=1)
    for path in (..., None, "", "/"):
        for url in (..., None, "", "http://a.example/b"):
            yield event(path=path, url=url)


@pytest.mark.parametrize("name, schema", [("sendEvent", "Event"), ("collect", "PageEvent")])
def test_events_are_taken_as_the_document_says(document, pairs, name, schema):
    operation = document.operations[name]
    verdicts = {True: 0, False: 0}
    for body in bodies(document, schema):
        is_valid = document.is_valid(document.schema(schema), body)
        answer = operation.check(ask(pairs["open"], operation, body=body))
        assert answer.status == (200 if is_valid else 400), (body, answer)
        verdicts[is_valid] += 1
    assert min(verdicts.values()) > 30, verdicts


def test_the_pixel_takes_the_fields_as_parameters(document, pairs):
    operation = document.operations["pixel"]
    assert {one["name"] for one in operation.parameters} == set(document.fields("PageEvent"))
    good = {"event_type": "x", "user_id": "u", "timestamp": "2025-11-14", "url": "http://a.example",
            "event_id": "00000000-0000-0000-0000-000000000001", "hostname": "a.example",
            "referrer": "https://b.example", "screen_width": 1, "language": "de",
            "props": json.dumps({"plan": "pro"}), "duration_ms": 1, "scroll": 1,
            **{f"utm_{word}": "x" for word in ("source", "medium", "campaign", "content", "term")}}
    assert set(good) == {one["name"] for one in operation.parameters} - {
        "site_id", "path", "user_agent", "ip"}
    assert operation.check(ask(pairs["open"], operation, **good)).status == 200
    for name, value in {"screen_width": 0, "scroll": 101, "event_id": "x", "props": "[]",
                        "url": "x", "zzz": 1, "ip": "192.0.2.1"}.items():
        assert operation.check(ask(pairs["open"], operation, **{name: value})).status in (400, 403)
