"""POST /batch: what stands around the events, what is answered about each, all or nothing."""
import gzip
import json

import pytest

from support.events import event, new_id
from support.list_redis import ListRedis
from support.metrics import scrape
from support.redis_server import QUEUE, RedisServer
from support.settings import is_sanitized, patience
from support.spool import Spool
from support.stack import Daemons
from support.wait import wait_until

NDJSON = {"Content-Type": "application/x-ndjson"}
FULL = b"OOM command not allowed when used memory > 'maxmemory'."
NONE = {"error": "no event was accepted", "accepted": 0, "rejected": 0, "errors": []}


def post(daemon, body, headers=(), timeout=None):
    return daemon.request("POST", "/batch", body, headers, timeout)


def events(count, **fields):
    return [event(event_id=new_id(), path=f"/{n}", **fields) for n in range(count)]


def lines(items, end="\n"):
    return "".join(json.dumps(item) + end for item in items)


def rejected(metrics, reason):
    return metrics.value("analytics_ingestion_events_rejected_total", reason=reason)


@pytest.fixture(scope="module")
def ingestion(shared_stack):
    return shared_stack.ingestion


def stored(stack, items, timeout=10):
    """Waits until all of them are rows; returns how many rows there are of them."""
    ids = [item["event_id"] for item in items]

    def count():
        return stack.database.value(
            "SELECT count(*) FROM events WHERE event_id = ANY (%s::uuid[])", [ids])
    wait_until(lambda: count() >= len(set(ids)), timeout, "the batch to be stored")
    return count()


# --- what is accepted -------------------------------------------------------------------

@pytest.mark.parametrize("form", [
    json.dumps, lambda items: json.dumps({"batch": items}), lines,
    lambda items: lines(items, "\r\n"), lambda items: lines(items).rstrip("\n"),
    lambda items: "\n \r\n" + lines(items, "\n\n\t\n"),
    lambda items: "\ufeff" + json.dumps(items), lambda items: "\ufeff" + lines(items),
    lambda items: " [ " + " ,\n".join(map(json.dumps, items)) + " ] \r\n",
    lambda items: ' { "batch" : ' + json.dumps(items) + " } ",
], ids=["array", "object", "lines", "crlf", "no last end", "blank lines", "array after a mark",
        "lines after a mark", "spaced array", "spaced object"])
@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_a_batch_is_stored_whole(shared_stack, form, is_packed):
    items = events(3)
    body = form(items).encode()
    headers = dict(NDJSON) if "]" not in form([]) else {}
    if is_packed:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    answer = post(shared_stack.ingestion, body, headers)
    assert answer.status == 200, answer
    assert answer.body == b'{"status":"ok","accepted":3,"rejected":0,"errors":[]}'
    assert answer.header("Content-Type").startswith("application/json")
    assert stored(shared_stack, items) == 3


@pytest.mark.parametrize("kind", ["application/ndjson", "Application/X-NDJSON; charset=utf-8",
                                  "application/jsonl", "application/x-jsonlines"])
def test_lines_are_told_by_their_content_type(ingestion, kind):
    answer = post(ingestion, lines(events(2)), {"Content-Type": kind})
    assert answer.status == 200 and answer.json()["accepted"] == 2


def test_each_broken_event_is_named_and_the_others_are_stored(shared_stack):
    items = events(5)
    items[1]["zzz"] = 1
    del items[3]["path"]
    wanted = {"status": "ok", "accepted": 3, "rejected": 2, "errors": [
        {"index": 1, "error": '"zzz" is not allowed'},
        {"index": 3, "error": '"path" is required'}]}
    answer = post(shared_stack.ingestion, json.dumps(items))
    assert answer.status == 200 and answer.json() == wanted
    assert list(answer.json()) == ["status", "accepted", "rejected", "errors"]
    assert stored(shared_stack, [items[0], items[2], items[4]]) == 3


def test_a_broken_line_is_one_event(ingestion):
    """Where an array would not be JSON at all, other lines are still events."""
    body = lines(events(1)) + '{"site_id":\n' + "5\n\n" + lines(events(1))
    answer = post(ingestion, body, NDJSON)
    assert answer.status == 200
    assert answer.json() == {"status": "ok", "accepted": 2, "rejected": 2, "errors": [
        {"index": 1, "error": "event is not valid JSON: unexpected end at byte 11"},
        {"index": 2, "error": '"value" must be of type object'}]}


def test_an_event_alone_is_as_large_as_at_its_own_route(ingestion):
    fits, large = events(2)
    answer = post(ingestion, json.dumps([fits, {**large, "user_id": "u" * 102400}]))
    assert answer.json()["errors"] == [
        {"index": 1, "error": "event is larger than 102400 bytes"}]


def test_the_same_event_twice_in_a_batch_is_answered_twice_and_stored_once(shared_stack):
    one = events(1)[0]
    answer = post(shared_stack.ingestion, json.dumps([one, one, one]))
    assert answer.json()["accepted"] == 3
    shared_stack.wait_drained()
    assert stored(shared_stack, [one]) == 1


def test_errors_are_listed_up_to_a_hundred_and_all_counted(ingestion):
    answer = post(ingestion, json.dumps([{}] * 150 + events(1)))
    value = answer.json()
    assert answer.status == 200
    assert (value["accepted"], value["rejected"], len(value["errors"])) == (1, 150, 100)
    assert value["errors"][99] == {"index": 99, "error": '"site_id" is required'}


# --- what is refused as a whole ---------------------------------------------------------

@pytest.mark.parametrize("body", ["[]", '{"batch":[]}', "", " \n", "\ufeff", "[ ]"])
def test_a_batch_without_events(ingestion, body):
    answer = post(ingestion, body)
    assert answer.status == 400 and answer.json() == NONE


@pytest.mark.parametrize("body", ["", "\n\n", "\r\n \t\r\n", "\ufeff\n"])
def test_lines_without_events(ingestion, body):
    answer = post(ingestion, body, NDJSON)
    assert answer.status == 400 and answer.json() == NONE


def test_a_batch_of_which_nothing_is_accepted(ingestion):
    answer = post(ingestion, json.dumps([{}, 5, None]))
    assert answer.status == 400
    assert answer.body == (
        b'{"error":"no event was accepted","accepted":0,"rejected":3,"errors":['
        b'{"index":0,"error":"\\"site_id\\" is required"},'
        b'{"index":1,"error":"\\"value\\" must be of type object"},'
        b'{"index":2,"error":"\\"value\\" must be of type object"}]}')


GOOD = json.dumps(event())


@pytest.mark.parametrize("body,error", [
    ('{"batch":5}', '"batch" must be an array'),
    ('{"batch":{"a":[]}}', '"batch" must be an array'),
    ("{}", '"batch" is required'),
    (GOOD, '"batch" is required'),
    (f'{{"batch":[{GOOD}],"zzz":[1]}}', '"zzz" is not allowed'),
    (f'{{"zzz":1,"batch":[{GOOD}],"yyy":2}}', '"zzz" is not allowed'),
    (f'{{"batch":[{GOOD}],"batch":[{GOOD}]}}', '"batch" must not be given twice'),
    ("5", '"value" must be an array'), ('"x"', '"value" must be an array'),
    ("null", '"value" must be an array'),
    ("nonsense", "body is not valid JSON: unexpected character at byte 1"),
    ("[", "body is not valid JSON: unexpected end at byte 1"),
    ("[1,]", "body is not valid JSON: unexpected character at byte 3"),
    ("[] x", "body is not valid JSON: unexpected character at byte 3"),
    ('{"batch":[]}]', "body is not valid JSON: unexpected character at byte 12"),
    (f"[{GOOD},{{]", f"body is not valid JSON: unexpected character at byte {len(GOOD) + 3}"),
    (f"[{GOOD}", f"body is not valid JSON: unexpected end at byte {len(GOOD) + 1}"),
    (f"[{GOOD}]{GOOD}", f"body is not valid JSON: unexpected character at byte {len(GOOD) + 2}"),
    (b"\x1f\x8b\x08", "body is not valid JSON: unexpected character at byte 0"),
    ("[" + "[" * 33, "body is not valid JSON: too deeply nested at byte 33"),
])
def test_what_is_wrong_around_the_events_refuses_them_all(lone_ingestion, body, error):
    daemon, queue = lone_ingestion
    answer = post(daemon, body)
    assert answer.status == 400 and answer.error == error
    assert queue.queue_length() == 0


@pytest.fixture(scope="module")
def lone_ingestion(tmp_path_factory):
    """Ingestion without a processor, so that what is queued can be counted; and limits."""
    folder = tmp_path_factory.mktemp("lone")
    server = RedisServer(folder / "redis").start()
    group = Daemons(folder)
    daemon = group.start("ingestion", REDIS_URL=server.url, MAX_BATCH_EVENTS=20,
                         MAX_BATCH_BYTES=20000, GROUP_MAX_EVENTS=10, INGEST_THREADS=1,
                         ALLOWED_SITES="demo,other", RATE_LIMIT_PER_SITE=100,
                         RATE_LIMIT_BURST_SECONDS=10, TIMESTAMP_AHEAD_MAX_S=60)
    yield daemon, server
    wrong = group.finish()
    server.stop()
    assert not wrong, "\n".join(wrong)


def test_more_than_a_batch_may_have_is_413_and_nothing_is_stored(lone_ingestion):
    daemon, queue = lone_ingestion
    for body, headers in [(json.dumps(events(21)), {}), (lines(events(21)), NDJSON),
                          (json.dumps({"batch": events(20) + [{}]}), {})]:
        answer = post(daemon, body, headers)
        assert (answer.status, answer.error) == (413, "the batch has more than 20 events")
    large = json.dumps(events(3)).ljust(20001)
    packed = gzip.compress(large.encode())
    for body, headers in [(large, {}), (packed, {"Content-Encoding": "gzip"})]:
        answer = post(daemon, body, headers)
        assert (answer.status, answer.error) == (413, "the body is too large")
    assert queue.queue_length() == 0
    assert post(daemon, json.dumps(events(3)).ljust(20000)).status == 200
    assert daemon.post_event(json.dumps(event()).ljust(102400)).status == 200  # its own limit
    queue.flush()


def test_a_batch_larger_than_a_group_is_one_command(lone_ingestion):
    daemon, queue = lone_ingestion
    with queue.client() as client:
        before = client.info("commandstats")["cmdstat_lpush"]["calls"]
        assert post(daemon, json.dumps(events(20))).json()["accepted"] == 20
        assert client.info("commandstats")["cmdstat_lpush"]["calls"] == before + 1
        assert client.llen(QUEUE) == 20
    queue.flush()


def test_sites_clocks_and_limits_judge_each_event(lone_ingestion):
    daemon, queue = lone_ingestion
    before = scrape(daemon)
    items = [*events(1), *events(1, site_id="foreign"), *events(1, timestamp="9999-01-01")]
    answer = post(daemon, json.dumps(items))
    assert answer.json() == {"status": "ok", "accepted": 1, "rejected": 2, "errors": [
        {"index": 1, "error": "the site is not allowed"},
        {"index": 2, "error": '"timestamp" must not lie more than 60 seconds ahead'}]}
    after = scrape(daemon)
    for reason in ("site_denied", "timestamp_ahead"):
        assert rejected(after, reason) == rejected(before, reason) + 1
    name = "analytics_ingestion_events_enqueued_total"
    assert after.value(name) == before.value(name) + 1
    said = []
    while not said:  # a site of its own has 1,000 events, and 100 more each second
        value = post(daemon, json.dumps(events(20, site_id="other"))).json()
        said = [entry["error"] for entry in value["errors"]]
    assert set(said) == {"too many events of this site"}
    queue.flush()


def test_each_event_counts_for_the_limit_of_the_address(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=8)
    value = post(daemon, json.dumps(events(50))).json()
    assert 8 <= value["accepted"] < 20
    assert value["rejected"] == 50 - value["accepted"]
    assert {entry["error"] for entry in value["errors"]} == {"too many requests"}
    assert rejected(scrape(daemon), "address_rate") == value["rejected"]
    assert post(daemon, json.dumps(events(1))).status in (200, 429)


def test_the_key_and_pages_of_other_origins(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY="k3y",
                           CORS_ORIGINS="https://a.example")
    body = json.dumps(events(2))
    refused = post(daemon, body, {"Origin": "https://a.example"})
    assert (refused.status, refused.error) == (401, "unauthorized")
    taken = post(daemon, body, {"Authorization": "Bearer k3y", "Origin": "https://a.example"})
    assert taken.status == 200 and taken.header("Cache-Control") == "no-store"
    assert taken.header("Access-Control-Allow-Origin") == "https://a.example"
    assert taken.header("Access-Control-Allow-Credentials") == "true"
    asked = daemon.request("OPTIONS", "/batch", headers={
        "Origin": "https://a.example", "Access-Control-Request-Method": "POST"})
    assert asked.status == 204 and asked.header("Allow") == "POST, OPTIONS"
    assert daemon.get("/batch").status == 405


# --- all or nothing ---------------------------------------------------------------------

def test_without_redis_nothing_is_known_to_be_stored(daemons, private_redis):
    server = private_redis()
    daemon = daemons.start("ingestion", REDIS_URL=server.url, ENQUEUE_TIMEOUT_MS=500)
    server.stop()
    answer = post(daemon, json.dumps(events(30) + [{}]))
    assert (answer.status, answer.error) == (503, "queue unavailable")
    assert int(answer.header("Retry-After")) >= 1
    assert rejected(scrape(daemon), "timeout") == 30


def test_the_spool_has_all_of_it(daemons, private_redis, tmp_path):
    server = private_redis()
    spool = Spool(tmp_path / "spool")
    daemon = daemons.start("ingestion", REDIS_URL=server.url, SPOOL_DIR=spool.path)
    server.stop()
    items = events(700)  # with others it is more than a group has
    alone = events(1)[0]
    answers = [post(daemon, json.dumps(items)), daemon.post_event(alone)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json()["accepted"] == 700
    assert sorted(spool.ids()) == sorted(item["event_id"] for item in [*items, alone])
    server.start()
    spool.wait_empty()
    assert server.queue_length() == 701


class NearlyFull(ListRedis):
    """Takes LPUSH of so many jobs at most."""
    most = 10

    def say(self, conn, words):
        self.error = FULL if words[0] == b"LPUSH" and len(words) - 2 > self.most else None
        return super().say(conn, words)


def test_a_redis_that_is_nearly_full_gets_all_of_a_batch_or_nothing(daemons):
    with NearlyFull() as redis:
        daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1)
        assert post(daemon, json.dumps(events(30))).status == 503
        assert not redis.jobs and redis.refused >= 1
        wait_until(lambda: daemon.post_event(event()).status == 200, 10, "room for one")
        assert post(daemon, json.dumps(events(10))).status == 200
        assert len(redis.jobs) == 11


# --- hostile ----------------------------------------------------------------------------

def test_broken_batches_leave_memory_flat(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1)
    broken = json.dumps([{"\u20ac" * 300: 1, "site_id": "s"}] * 1000)
    mixed = json.dumps([{"site_id": "\x01" * 9}] * 999 + events(1))
    deep = "[" + "[{\"a\":" * 5000

    def send_all():
        for body, status in [(broken, 400), (mixed, 200), (deep, 400)]:
            assert post(daemon, body, timeout=patience(20)).status == status
    for _ in range(5):
        send_all()
    before = daemon.rss_kib()
    for _ in range(20):
        send_all()
    assert is_sanitized() or daemon.rss_kib() < before + 4096  # a sanitizer keeps what is freed
    gauges = scrape(daemon)
    assert gauges.value("analytics_ingestion_pending_bytes") == 0
    assert gauges.value("analytics_ingestion_pending_events") == 0
