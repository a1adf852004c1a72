"""GET /metrics of the processor and of reporting: rows, queue, roll-up, pool, trouble."""
import datetime
import threading

import pytest

from support import rollups
from support.daemon import run
from support.events import event, job, new_id
from support.http import Connection, build
from support.locks import locked
from support.metrics import check_with_promtool, scrape
from support.postgres_server import Database
from support.redis_server import QUEUE
from support.settings import scaled
from support.wait import wait_until

P = "analytics_processor_"
R = "analytics_reporting_"


def start_processor(daemons, redis, database, **env):
    return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url, **env)


def push(redis, jobs):
    """As another program would: the first job is taken first."""
    with redis.client() as client:
        client.lpush(QUEUE, *jobs)


def wait_metric(daemon, condition, what, timeout=10):
    """Until the condition holds of a scrape; returns that scrape."""
    def holds():
        metrics = scrape(daemon)
        return condition(metrics) and metrics
    return wait_until(holds, timeout, lambda: f"{what}\n{scrape(daemon).text}")


def trouble_of(metrics, prefix, server):
    """The one kind of trouble that the server is in."""
    kinds = [kind for kind in ("none", "outage", "halt")
             if metrics.value(prefix + "trouble", server=server, kind=kind) == 1]
    assert len(kinds) == 1, kinds
    return kinds[0]


def wait_trouble(daemon, prefix, server, kind, timeout=20):
    return wait_metric(daemon, lambda m: trouble_of(m, prefix, server) == kind,
                       f"{server} to be in trouble {kind}", timeout)


@pytest.fixture
def own_database(private_postgres, tmp_path):
    """A database in a server that the test may break."""
    server = private_postgres()
    database = Database(server, server.create_database())
    done = run("processor", "--migrate", cwd=tmp_path, timeout=60,
               env={"DATABASE_URL": database.url})
    assert done.returncode == 0, done.stderr
    yield database
    database.close()


# --- processor: what was stored -------------------------------------------------

def test_rows_batches_and_dead_letters_are_counted_exactly(daemons, redis, database):
    processor = start_processor(daemons, redis, database)
    good = [job(event(event_id=new_id())) for _ in range(scaled(400))]
    bad = ["no job", job(event(timestamp="never")), job(event(site_id=""))]
    push(redis, good + bad)
    metrics = wait_metric(
        processor, lambda m: m.value(P + "batch_jobs_sum") == len(good) + len(bad),
        "all jobs to be acknowledged", 30)
    assert metrics.value(P + "rows_stored_total") == len(good)
    assert metrics.value(P + "rows_present_total") == 0
    assert metrics.value(P + "dead_letters_total") == len(bad)
    assert metrics.value(P + "batch_seconds_count") == metrics.value(P + "batch_jobs_count")
    assert metrics.value(P + "batch_seconds_sum") > 0
    again = good[:30]
    push(redis, again + [job(event(event_id=new_id()))])
    total = len(good) + len(bad) + len(again) + 1
    metrics = wait_metric(
        processor, lambda m: m.value(P + "batch_jobs_sum") == total, "the repeated jobs", 30)
    assert metrics.value(P + "rows_stored_total") == len(good) + 1
    assert metrics.value(P + "rows_present_total") == len(again)
    assert metrics.value(P + "dead_letters_total") == len(bad)
    assert metrics.value(P + "batches_under_way") == 0
    rollups.wait_equal(database)
    metrics = wait_metric(processor, lambda m: m.value(P + "rollup_lag_rows") == 0,
                          "nothing to be left to roll up")
    assert metrics.value(P + "rollup_rows_total") == len(good) + 1
    assert metrics.value(P + "rollup_seconds_count") >= 1
    check_with_promtool(metrics.text)
    metrics.check_histograms()


def test_each_processor_counts_its_own_and_the_sum_is_all(make_stack, redis):
    stack = make_stack(processors=2, processor_env={"BATCH_MAX": 20})
    count = scaled(600)
    push(redis, [job(event(event_id=new_id())) for _ in range(count)])
    stack.wait_drained()
    parts = [scrape(processor).value(P + "rows_stored_total")
             for processor in stack.processors]
    assert sum(parts) == count == stack.stored()
    assert all(part > 0 for part in parts) or count < 200


def test_partitions_are_counted(daemons, redis, database):
    processor = start_processor(daemons, redis, database)
    there = database.value(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass")
    assert there > 2
    wait_metric(processor, lambda m: m.value(P + "partitions") == there, "the partitions")


# --- processor: the queue -------------------------------------------------------

def test_queue_and_age_are_seen_while_nobody_stores(daemons, redis, own_database):
    """One batch of one job waits for Postgres; the rest waits in the queue."""
    processor = start_processor(daemons, redis, own_database, PROCESSOR_WORKERS=1,
                                BATCH_MAX=1)
    own_database.server.stop()
    now = datetime.datetime.now(datetime.timezone.utc)
    came = [now - datetime.timedelta(seconds=seconds) for seconds in (500, 400, 10)]
    push(redis, [job({**event(event_id=new_id()), "received_at": moment.isoformat(
        timespec="milliseconds").replace("+00:00", "Z")}) for moment in came])
    metrics = wait_metric(processor, lambda m: m.value(P + "queue_events") == 2,
                          "two events to be seen in the queue")
    assert metrics.value(P + "batches_under_way") == 1
    assert metrics.value(P + "leases") >= 1
    wait_metric(processor, lambda m: 400 <= m.value(P + "queue_oldest_seconds") < 450,
                "the oldest event's age")
    own_database.server.start()
    metrics = wait_metric(
        processor, lambda m: m.value(P + "rows_stored_total") == 3
        and m.value(P + "queue_events") == 0, "the queue to drain", 40)
    assert metrics.value(P + "queue_oldest_seconds") == 0
    assert metrics.value(P + "batches_under_way") == 0


def test_a_job_without_a_time_does_no_harm(daemons, redis, own_database):
    processor = start_processor(daemons, redis, own_database, PROCESSOR_WORKERS=1,
                                BATCH_MAX=1)
    own_database.server.stop()
    push(redis, [job(event()), "{", '{"received_at":7}', "\0\xff"])
    metrics = wait_metric(processor, lambda m: m.value(P + "queue_events") == 3,
                          "three events to be seen in the queue")
    assert metrics.value(P + "queue_oldest_seconds") == 0
    assert metrics.value(P + "queue_visible") == 1
    own_database.server.start()
    wait_metric(processor, lambda m: m.value(P + "dead_letters_total") == 3,
                "three dead letters", 40)


# --- processor: trouble ---------------------------------------------------------

def retries(metrics, kind):
    return sum(metrics.total(P + name, kind=kind)
               for name in ("store_retries_total", "maintainer_retries_total"))


def test_an_outage_of_postgres_is_told_from_a_halt(daemons, redis, own_database):
    processor = start_processor(daemons, redis, own_database, HALT_RETRY_MS=200,
                                RETRY_MAX_MS=200)
    wait_trouble(processor, P, "postgres", "none")
    own_database.server.stop()
    push(redis, [job(event(event_id=new_id()))])
    metrics = wait_trouble(processor, P, "postgres", "outage")
    assert trouble_of(metrics, P, "redis") == "none"
    wait_metric(processor, lambda m: m.total(P + "store_retries_total", kind="outage") >= 2,
                "attempts that failed")
    own_database.server.start()
    metrics = wait_trouble(processor, P, "postgres", "none", 40)
    assert retries(metrics, "halt") == 0
    wait_metric(processor, lambda m: m.value(P + "rows_stored_total") == 1, "the row", 40)
    own_database.rows("ALTER TABLE events RENAME TO events_gone")
    push(redis, [job(event(event_id=new_id()))])
    wait_trouble(processor, P, "postgres", "halt")
    metrics = wait_metric(
        processor, lambda m: m.value(P + "store_retries_total", kind="halt",
                                     error="schema") >= 1, "a retry of the kind halt", 20)
    assert metrics.value(P + "dead_letters_total") == 0
    assert processor.ready_status() == 503
    own_database.rows("ALTER TABLE events_gone RENAME TO events")
    wait_trouble(processor, P, "postgres", "none", 40)
    metrics = wait_metric(processor, lambda m: m.value(P + "rows_stored_total") == 2,
                          "the second row", 40)
    assert metrics.value(P + "dead_letters_total") == 0


def test_an_outage_of_redis_is_seen(daemons, private_redis, database):
    redis = private_redis()
    processor = start_processor(daemons, redis, database, RETRY_MAX_MS=200)
    wait_metric(processor, lambda m: m.value(P + "queue_visible") == 1, "the queue")
    redis.kill()
    metrics = wait_trouble(processor, P, "redis", "outage")
    assert trouble_of(metrics, P, "postgres") == "none"
    metrics = wait_metric(processor, lambda m: m.value(P + "queue_visible") == 0
                          and m.total(P + "queue_retries_total", kind="outage") >= 1,
                          "the queue to be out of sight")
    redis.start()
    wait_metric(processor, lambda m: m.value(P + "queue_visible") == 1, "the queue again")
    wait_trouble(processor, P, "redis", "none")


def test_the_lag_of_the_rollup_is_seen(daemons, redis, database):
    """A writer that does not end keeps rows after it from being rolled up."""
    processor = start_processor(daemons, redis, database, ROLLUP_LOCK_WAIT_MS=10)
    writer = database.connect()
    writer.autocommit = False
    with writer.cursor() as cursor:
        cursor.execute("INSERT INTO events (site_id, event_type, path, \"timestamp\","
                       " event_id) VALUES ('w', 'x', '/', now(), %s)", (new_id(),))
    push(redis, [job(event(event_id=new_id())) for _ in range(5)])
    wait_metric(processor, lambda m: m.value(P + "rows_stored_total") == 5, "the rows")
    wait_metric(processor, lambda m: m.value(P + "rollup_lag_rows") >= 5
                and m.value(P + "rollup_lag_seconds") >= 1, "the roll-up to be behind")
    writer.commit()
    writer.close()
    metrics = wait_metric(processor, lambda m: m.value(P + "rollup_lag_rows") == 0
                          and m.value(P + "rollup_lag_seconds") == 0,
                          "the roll-up to be up to date")
    assert metrics.value(P + "rollup_rows_total") == 6


# --- reporting ------------------------------------------------------------------

def start_reporting(daemons, database, **env):
    return daemons.start("reporting", DATABASE_URL=database.url, **env)


def test_requests_and_queries_of_reporting_are_counted_exactly(daemons, database):
    reporting = start_reporting(daemons, database, ANSWERS_MAX_BYTES=0)
    before = scrape(reporting)
    for _ in range(3):
        assert reporting.stats("s")["total_views"] == 0
    reporting.stats("s", "2025-11-14", exact="true")
    reporting.stats("s", exact="true")
    assert reporting.get("/stats").status == 400
    assert reporting.get("/stats?site_id=s&date=x").status == 400
    assert reporting.get("/none").status == 404
    after = scrape(reporting)

    def growth(name, **labels):
        return after.value(R + name, **labels) - before.value(R + name, **labels)
    assert growth("requests_total", status="200") == 5 + 1  # the first scrape
    assert growth("requests_total", status="400") == 2
    assert growth("requests_total", status="404") == 1
    assert growth("requests_refused_total", reason="not_found") == 1
    assert growth("stats_failed_total", error="invalid") == 2
    assert growth("query_seconds_count", statement="stats") == 3
    assert growth("query_seconds_count", statement="stats_exact_day") == 1
    assert growth("query_seconds_count", statement="stats_exact_all") == 1
    assert growth("query_seconds_sum", statement="stats") > 0
    assert after.total(R + "query_failures_total") == 0
    assert after.value(R + "requests_coalesced_total") == 0
    check_with_promtool(after.text)
    after.check_histograms()


def test_pool_use_waiting_and_coalesced_requests_are_seen(daemons, database):
    reporting = start_reporting(daemons, database, REPORTING_CONNECTIONS=2,
                                QUERY_TIMEOUT_MS=20000, ANSWERS_MAX_BYTES=0)
    wait_metric(reporting, lambda m: m.value(R + "pool_connections", state="idle") == 2,
                "two idle connections")
    askers = []
    try:
        with locked(database, "totals"):
            for site in ("a", "b", "c", "c", "c", "d"):
                askers.append(Connection(reporting.port, timeout=30))
                askers[-1].send(build("GET", f"/stats?site_id={site}"))
                count = len(askers)
                wait_metric(reporting, lambda m, n=count:
                            m.value(R + "requests_waiting") == n, "the request to wait")
            metrics = scrape(reporting)
            assert metrics.value(R + "pool_connections", state="busy") == 2
            assert metrics.value(R + "pool_connections", state="idle") == 0
            # c and d wait for the version of the counts, which is asked once for all.
            assert metrics.value(R + "queries_waiting") == 1
            assert metrics.value(R + "requests_coalesced_total") == 3
        assert [asker.read_response().status for asker in askers] == [200] * 6
    finally:
        for asker in askers:
            asker.close()
    metrics = scrape(reporting)
    assert metrics.value(R + "requests_waiting") == 0
    assert metrics.value(R + "queries_waiting") == 0
    assert metrics.value(R + "query_seconds_count", statement="stats") == 4
    assert metrics.value(R + "requests_coalesced_total") == 3 + 2


def test_trouble_of_reporting_is_told(daemons, own_database):
    reporting = start_reporting(daemons, own_database, RECONNECT_MAX_MS=100)
    wait_trouble(reporting, R, "postgres", "none")
    own_database.close()
    own_database.server.stop()
    metrics = wait_trouble(reporting, R, "postgres", "outage")
    assert metrics.value(R + "pool_connections", state="idle") == 0
    assert metrics.value(R + "pool_connections", state="connecting") == 4
    assert metrics.value(R + "pool_connections_lost_total") >= 4
    wait_until(lambda: reporting.get("/stats?site_id=s").status == 503, 10, "a 503")
    assert scrape(reporting).total(R + "stats_failed_total") >= 1
    own_database.server.start()
    wait_trouble(reporting, R, "postgres", "none")


def test_a_wrong_schema_is_a_halt_for_reporting(daemons, empty_database):
    reporting = daemons.start("reporting", wait=False, DATABASE_URL=empty_database.url)
    reporting.wait_alive()
    wait_trouble(reporting, R, "postgres", "halt")


def test_reporting_counts_exactly_under_concurrent_requests(daemons, database):
    reporting = start_reporting(daemons, database, ANSWERS_MAX_BYTES=0)
    before = scrape(reporting)
    each = scaled(100)

    def ask():
        with Connection(reporting.port) as connection:
            for n in range(each):
                answer = connection.request("GET", f"/stats?site_id=s{n % 3}")
                assert answer.status == 200
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = scrape(reporting)
    served = (after.value(R + "requests_total", status="200")
              - before.value(R + "requests_total", status="200"))
    assert served == 4 * each + 1
    # Each asks for the version of the counts and for its site's, alone or with others.
    queries = sum(after.value(R + "query_seconds_count", statement=statement)
                  for statement in ("report_version", "stats"))
    assert queries + after.value(R + "requests_coalesced_total") == 2 * 4 * each
