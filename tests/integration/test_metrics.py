"""GET /metrics: its form on every daemon, and what ingestion counts."""
import fcntl
import gzip
import json
import os
import random
import subprocess
import threading
import time

import pytest

from support import metrics_tables
from support.daemon import base_environment, binary, run
from support.events import event
from support.http import Connection, build, request
from support.load import Load, send
from support.metrics import Metrics, check_with_promtool, scrape
from support.postgres_server import Database
from support.process import die_with_parent, free_port
from support.settings import patience, scaled
from support.wait import wait_until

NAME = "analytics_ingestion_"
ENQUEUED = NAME + "events_enqueued_total"
REJECTED = NAME + "events_rejected_total"
REQUESTS = NAME + "requests_total"
REFUSED = NAME + "requests_refused_total"
UNANSWERED = NAME + "requests_unanswered_total"


@pytest.fixture
def ingestion(daemons, redis):
    """With several loops, so that a scrape has to sum."""
    return daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=4)


def grown(before, after):
    """What has changed among the counters, and by how much."""
    now = after.counters()
    return {(name, *sorted(labels)): now[name, labels] - value
            for (name, labels), value in before.counters().items()
            if name.startswith(NAME) and now[name, labels] != value}


def growth(before, after, name, **labels):
    return after.value(name, **labels) - before.value(name, **labels)


# --- form -----------------------------------------------------------------------

@pytest.mark.parametrize("daemon", metrics_tables.DAEMONS)
def test_promtool_and_the_document_agree_with_the_daemon(daemons, daemon):
    """Without any server: so the figures are all there before the first event."""
    running = daemons.start(daemon, wait=False, **metrics_tables.NOWHERE)
    running.wait_alive()
    metrics = scrape(running)
    check_with_promtool(metrics.text)
    metrics.check_histograms()
    match = metrics_tables.section(daemon).search(metrics_tables.DOCUMENT.read_text())
    assert match, f"docs/metrics.md has no section of {daemon}"
    assert match.group(2) == metrics_tables.table(metrics), \
        "run tests/support/metrics_tables.py --write"
    assert running.request("HEAD", "/metrics").status == 200
    assert running.request("POST", "/metrics").status == 405


def test_promtool_accepts_the_figures_of_a_suite_at_work(stack):
    events = [event(site_id=f"s{n % 7}", path=f"/{n}") for n in range(scaled(500))]
    assert send(stack.ingestion.port, events).statuses == {200: len(events)}
    stack.settle()
    stack.stats("s1")
    for daemon in (stack.ingestion, stack.processor, stack.reporting):
        metrics = scrape(daemon)
        check_with_promtool(metrics.text)
        metrics.check_histograms()


# --- exactness ------------------------------------------------------------------

def test_events_and_groups_are_counted_exactly(ingestion, redis):
    before = scrape(ingestion)
    count = scaled(3000)
    events = [event(site_id="counted") for _ in range(count)]
    assert send(ingestion.port, events, connections=32).statuses == {200: count}
    after = scrape(ingestion)
    assert redis.queue_length() == count
    assert growth(before, after, ENQUEUED) == count
    assert growth(before, after, REQUESTS, status="200") == count + 1  # the first scrape
    assert growth(before, after, NAME + "group_events_sum") == count
    assert 0 < growth(before, after, NAME + "group_events_count") <= count
    assert growth(before, after, NAME + "enqueue_seconds_count") == count
    assert growth(before, after, NAME + "enqueue_seconds_sum") > 0
    assert after.value(NAME + "pending_events") == 0
    assert after.value(NAME + "pending_bytes") == 0
    assert after.value(NAME + "groups_in_flight") == 0


FLAWS = {
    "json": '{"site_id":',
    "value": "[1]",
    "site_id": "{}",
    "event_type": event(event_type=""),
    "path": event(path="x" * 2049),
    "user_id": event(user_id=1),
    "timestamp": event(timestamp="yesterday"),
    "event_id": event(event_id="1"),
    "unknown_key": event(zzz=1),
}


def test_every_rejection_moves_its_own_reason_and_no_other(ingestion):
    for times, (reason, body) in enumerate(FLAWS.items(), 1):
        before = scrape(ingestion)
        for _ in range(times):
            assert ingestion.post_event(body).status == 400
        assert grown(before, scrape(ingestion)) == {
            (REJECTED, ("reason", reason)): times,
            (REQUESTS, ("status", "400")): times,
            (REQUESTS, ("status", "200")): 1,
            (NAME + "connections_accepted_total",): times + 1}


def smuggled():
    return build("POST", "/event", b"", [("Content-Length", "5"),
                                         ("Transfer-Encoding", "chunked")]) + b"0\r\n\r\n"


REFUSALS = [
    ("not_found", 404, build("GET", "/nothing")),
    ("method", 405, build("GET", "/event")),
    ("too_large", 413, build("POST", "/event", b"x" * 102401)),
    ("too_large", 413, build("POST", "/event", gzip.compress(b" " * 1000000),
                             [("Content-Encoding", "gzip")])),
    ("encoding", 400, build("POST", "/event", b"nothing gzip made",
                            [("Content-Encoding", "gzip")])),
    ("headers", 415, build("POST", "/event", b"{}", [("Content-Encoding", "br")])),
    ("malformed", 400, smuggled()),
]


@pytest.mark.parametrize("reason,status,raw", REFUSALS,
                         ids=[f"{reason}-{status}" for reason, status, _ in REFUSALS])
def test_every_refusal_moves_its_own_reason_and_status(ingestion, reason, status, raw):
    before = scrape(ingestion)
    with Connection(ingestion.port) as connection:
        connection.send(raw)
        assert connection.read_response().status == status
    changed = grown(before, scrape(ingestion))
    changed.pop((NAME + "connections_accepted_total",))
    assert changed == {(REFUSED, ("reason", reason)): 1,
                       (REQUESTS, ("status", str(status))): 1,
                       (REQUESTS, ("status", "200")): 1}


def test_keys_sites_and_rates_have_reasons(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY="k" * 20,
                           ALLOWED_SITES="a,b", RATE_LIMIT_PER_SITE=1)
    key = [("Authorization", "Bearer " + "k" * 20)]
    assert daemon.post_event(event(site_id="a")).status == 401
    assert daemon.post_event(event(site_id="c"), key).status == 403
    statuses = [daemon.post_event(event(site_id="a"), key).status for _ in range(50)]
    metrics = scrape(daemon)
    assert 429 in statuses
    assert metrics.value(REJECTED, reason="key") == 1
    assert metrics.value(REJECTED, reason="site_denied") == 1
    assert metrics.value(REJECTED, reason="site_rate") == statuses.count(429)
    assert metrics.value(REQUESTS, status="429") == statuses.count(429)
    assert metrics.value(ENQUEUED) == statuses.count(200)


def test_requests_that_end_unanswered_are_counted(ingestion):
    with Connection(ingestion.port) as connection:
        connection.send(b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        wait_until(lambda: scrape(ingestion).value(NAME + "connections") == 2, 5)
    wait_until(lambda: scrape(ingestion).value(UNANSWERED, phase="body") == 1, 5,
               "the cut body to be counted")


def test_headers_past_the_limit_are_counted_as_refused(ingestion):
    before = scrape(ingestion)
    answer = ingestion.get("/healthz", headers=[("X", "x" * 20000)])
    assert answer.status == 431
    wait_until(lambda: growth(before, scrape(ingestion), REFUSED,
                              reason="malformed") == 1, 5, "the request to be counted")


def test_connections_that_are_too_slow_are_counted(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=2,
                           BODY_TIMEOUT_MS=100, IDLE_TIMEOUT_MS=500)
    timeouts = NAME + "connection_timeouts_total"
    with Connection(daemon.port) as slow, Connection(daemon.port) as idle:
        slow.send(b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert slow.is_closed_within(patience(5)) and idle.is_closed_within(patience(5))
        wait_until(lambda: scrape(daemon).value(timeouts, phase="body") == 1, 5)
        wait_until(lambda: scrape(daemon).value(timeouts, phase="idle") >= 1, 5)


# --- bounds ---------------------------------------------------------------------

def hostile_requests(seed):
    """Requests whose every part a client chooses as it likes."""
    chance = random.Random(seed)

    def word():
        return "".join(chance.choice('abc"\\{}=,/%\'xyz0123456789') for _ in range(12))

    def once(method, target, body=b"", *headers):
        return build(method, target, body, [("Connection", "close"), *headers])
    for _ in range(40):
        yield once(chance.choice(("GET", "PUT", "BREW", word())), "/" + word())
        yield once("POST", "/event", json.dumps({word(): word()}))
        yield once("POST", "/event", event(site_id=word(), path="/" + word(),
                                           event_type=word(), user_id=word()))
        yield once("POST", "/event", event(**{word(): word()}))
        yield once("POST", "/event", b"{}", ("Content-Encoding", word()))
        yield once("GET", "/metrics?" + word(), b"", ("X-Word", word()))


def test_no_client_can_make_a_label(ingestion):
    before = scrape(ingestion)
    rest = []
    for raw in hostile_requests(seed=20251114):
        with Connection(ingestion.port) as connection:
            connection.send(raw)
            rest.append(connection.read_to_end())
    after = scrape(ingestion)
    assert after.samples.keys() == before.samples.keys()
    assert len(after.text) < 20000
    assert after.value(REQUESTS, status="other") == 0
    answered = sum(part.count(b"HTTP/1.1 ") for part in rest)
    assert answered >= len(rest) * 0.8
    check_with_promtool(after.text)


# --- trouble --------------------------------------------------------------------

def test_events_that_time_out_are_counted_and_redis_is_seen_to_be_away(
        daemons, private_redis):
    redis = private_redis()
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=2,
                           ENQUEUE_TIMEOUT_MS=300, REDIS_TIMEOUT_MS=100)
    before = scrape(daemon)
    redis.pause()
    assert daemon.post_event(event()).status == 503
    metrics = scrape(daemon)
    assert metrics.value(REJECTED, reason="timeout") == 1
    assert growth(before, metrics, REQUESTS, status="503") == 1
    assert metrics.value(ENQUEUED) == 0
    assert metrics.value(NAME + "redis_connections_lost_total") >= 1
    wait_until(lambda: scrape(daemon).value(NAME + "redis_connections") < 2, 5)
    redis.resume()
    wait_until(lambda: scrape(daemon).value(NAME + "redis_connections") == 2, 10)
    before = scrape(daemon)
    assert daemon.post_event(event()).status == 200
    assert growth(before, scrape(daemon), ENQUEUED) >= 1


def test_events_that_redis_refuses_are_counted(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    with redis.client() as client:
        client.set("{events}:queue", "no list")
        try:
            assert daemon.post_event(event()).status == 503
        finally:
            client.delete("{events}:queue")
    assert scrape(daemon).value(REJECTED, reason="refused") == 1


def test_waiting_events_are_seen(daemons, private_redis):
    redis = private_redis()
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=2,
                           ENQUEUE_TIMEOUT_MS=5000, REDIS_TIMEOUT_MS=5000)
    redis.pause()
    connections = [Connection(daemon.port) for _ in range(10)]
    try:
        for connection in connections:
            connection.send(build("POST", "/event", event()))
        wait_until(lambda: scrape(daemon).value(NAME + "pending_events") == 10, 3,
                   "ten events to be pending")
        metrics = scrape(daemon)
        assert metrics.value(NAME + "pending_bytes") > 10 * 100
        assert metrics.value(NAME + "groups_in_flight") in (1, 2)
        redis.resume()
        assert [c.read_response().status for c in connections] == [200] * 10
        assert scrape(daemon).value(NAME + "pending_events") == 0
    finally:
        redis.resume()
        for connection in connections:
            connection.close()


def test_scrapes_are_quick_while_the_servers_hang(make_stack, private_redis,
                                                  private_postgres, tmp_path):
    redis = private_redis()
    postgres = private_postgres()
    database = Database(postgres, postgres.create_database())
    assert run("processor", "--migrate", cwd=tmp_path, timeout=60,
               env={"DATABASE_URL": database.url}).returncode == 0
    stack = make_stack(redis=redis, database=database)
    redis.pause()
    postgres.pause()
    try:
        for _ in range(5):
            for daemon in (stack.ingestion, stack.processor, stack.reporting):
                began = time.monotonic()
                scrape(daemon)
                assert time.monotonic() - began < patience(0.5), daemon.name
    finally:
        redis.resume()
        postgres.resume()


# --- the process ----------------------------------------------------------------

def test_descriptors_memory_and_connections_are_true(ingestion):
    def open_files():
        return scrape(ingestion).value("process_open_fds")
    with_clients = [Connection(ingestion.port) for _ in range(50)]
    try:
        wait_until(lambda: scrape(ingestion).value(NAME + "connections") == 51, 5,
                   "51 connections")
        wait_until(lambda: abs(open_files() - ingestion.open_files()) <= 1, 5,
                   "the descriptors to be counted")
        assert open_files() >= 50
    finally:
        for connection in with_clients:
            connection.close()
    wait_until(lambda: scrape(ingestion).value(NAME + "connections") == 1, 5)
    metrics = scrape(ingestion)
    assert metrics.value(NAME + "connections_accepted_total") >= 51
    resident = metrics.value("process_resident_memory_bytes")
    assert 0.5 < resident / (ingestion.rss_kib() * 1024) < 2
    assert abs(metrics.value("process_start_time_seconds") - time.time()) < patience(60)
    assert metrics.value("process_max_fds") >= 64
    assert metrics.value(NAME + "build_info", version="1.0.0") == 1
    wait_until(lambda: scrape(ingestion).value(NAME + "uptime_seconds") > 1, 5)


def test_lines_that_nobody_reads_are_counted(redis, tmp_path):
    """stderr is a pipe that is full, and the daemon does not care."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    os.set_blocking(write_end, True)
    port = free_port()
    environment = {**base_environment(tmp_path), "PORT": str(port), "HOST": "127.0.0.1",
                   "REDIS_URL": redis.url}
    process = subprocess.Popen([binary("ingestion")], env=environment, cwd=tmp_path,
                               stdin=subprocess.DEVNULL, stderr=write_end,
                               preexec_fn=die_with_parent())
    try:
        def dropped():
            answer = request(port, "GET", "/metrics")
            return Metrics(answer.body.decode()).value(
                NAME + "log_lines_dropped_total") >= 1
        wait_until(dropped, 10, "a dropped line to be counted", retry=(OSError,))
    finally:
        process.terminate()
        assert process.wait(patience(5)) == 0
        os.close(read_end)
        os.close(write_end)


# --- under load -----------------------------------------------------------------

def test_counters_only_grow_while_many_scrape_under_load(ingestion):
    """Each scrape meets some loop, which reads the counts of the others meanwhile."""
    load = Load(ingestion.port, (event() for _ in range(10 ** 9)), connections=16,
                pipeline=4).start()
    wrong = []

    def watch(end):
        last = scrape(ingestion)
        while time.monotonic() < end:
            now = scrape(ingestion)
            now.check_histograms()
            shrunk = [key for key, value in last.counters().items()
                      if now.counters()[key] < value]
            if shrunk:
                wrong.append(shrunk)
            last = now
    end = time.monotonic() + 2
    watchers = [threading.Thread(target=watch, args=(end,)) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for watcher in watchers:
        watcher.join()
    load.stop()
    result = load.join()
    assert not wrong
    assert result.statuses.keys() == {200} and result.statuses[200] > 100
    assert scrape(ingestion).value(ENQUEUED) == result.statuses[200]
