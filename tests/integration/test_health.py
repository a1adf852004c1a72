"""/healthz says that the process lives; /readyz that what it needs answers, and with the
right schema; both on all three daemons, through every trouble and back."""
import pytest

from support.http import Connection, build
from support.wait import wait_until

NEEDS = {"ingestion": {"redis"}, "processor": {"redis", "postgres"},
         "reporting": {"postgres"}}


@pytest.fixture
def own(redis, postgres, database):
    """The servers of this file, which a test may harm, and a database with the schema."""
    class Own:
        pass
    Own.redis, Own.postgres, Own.database = redis, postgres, database
    yield Own
    for server in (redis, postgres):  # where a test failed before it had healed them
        if server.process is None:
            server.start()
        else:
            server.resume()


def start(daemons, own, name, wait=True):
    return daemons.start(name, wait=wait, REDIS_URL=own.redis.url,
                         DATABASE_URL=own.database.url, HALT_RETRY_MS=200,
                         RETRY_MAX_MS=200)


def ready(daemon):
    """The status of /readyz; its body must be as agreed, and /healthz fine meanwhile."""
    health = daemon.get("/healthz")
    assert (health.status, health.body) == (200, b'{"status":"ok"}')
    answer = daemon.get("/readyz")
    if answer.status == 200:
        assert answer.body == b'{"status":"ready"}'
    else:
        assert answer.status == 503 and len(answer.error) > 5
        assert int(answer.header("Retry-After")) >= 1
    return answer.status


@pytest.mark.parametrize("name", NEEDS)
def test_alive_and_ready(daemons, own, name):
    daemon = start(daemons, own, name)
    assert ready(daemon) == 200
    for target in ("/healthz", "/readyz", "/HEALTHZ", "/readyz/", "/readyz?x=1"):
        assert daemon.get(target).status == 200
        head = daemon.request("HEAD", target)
        assert (head.status, head.body) == (200, b"")
        for method in ("POST", "PUT", "DELETE"):
            answer = daemon.request(method, target)
            assert answer.status == 405 and "GET" in answer.header("Allow")
    for target in ("/nowhere", "/health", "/readyzz", "/metrics/x"):
        assert daemon.get(target).status == 404
    with Connection(daemon.port) as connection:
        connection.send(build("GET", "/healthz") * 20)
        assert {connection.read_response().status for _ in range(20)} == {200}


HARM = {
    "redis stopped": ("redis", lambda own: own.redis.stop(), lambda own: own.redis.start()),
    "redis killed": ("redis", lambda own: own.redis.kill(), lambda own: own.redis.start()),
    "redis paused": ("redis", lambda own: own.redis.pause(), lambda own: own.redis.resume()),
    "postgres stopped": ("postgres", lambda own: own.postgres.stop("fast"),
                         lambda own: own.postgres.start()),
    "postgres killed": ("postgres", lambda own: own.postgres.kill(),
                        lambda own: own.postgres.start()),
    "postgres paused": ("postgres", lambda own: own.postgres.pause(),
                        lambda own: own.postgres.resume()),
    "schema away": ("postgres", lambda own: own.database.rows(
        "ALTER SCHEMA public RENAME TO away; CREATE SCHEMA public"),
        lambda own: own.database.rows(
            "DROP SCHEMA public CASCADE; ALTER SCHEMA away RENAME TO public")),
}


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("part, harm, heal", HARM.values(), ids=HARM.keys())
def test_not_ready_while_what_it_needs_is_away(daemons, own, name, part, harm, heal):
    daemon = start(daemons, own, name)
    harm(own)
    if part in NEEDS[name]:
        wait_until(lambda: ready(daemon) == 503, 20, "not ready")
    else:
        assert [ready(daemon) for _ in range(5)] == [200] * 5
    heal(own)
    wait_until(lambda: ready(daemon) == 200, 30, lambda: f"ready again\n{daemon.story()}",
               retry=(OSError,))


@pytest.mark.parametrize("name", NEEDS)
def test_it_starts_before_what_it_needs(daemons, own, name):
    own.redis.stop()
    own.postgres.stop()
    daemon = start(daemons, own, name, wait=False).wait_alive()
    assert ready(daemon) == 503
    own.redis.start()
    own.postgres.start()
    wait_until(lambda: ready(daemon) == 200, 30, lambda: f"ready\n{daemon.story()}")


def test_reporting_waits_for_the_schema_and_the_processor_brings_it(daemons, own,
                                                                            empty_database):
    own.database = empty_database
    reporting = start(daemons, own, "reporting", wait=False).wait_alive()
    assert ready(reporting) == 503
    start(daemons, own, "processor")
    wait_until(lambda: ready(reporting) == 200, 20, "reporting to see the schema")


def test_a_schema_newer_than_the_program(daemons, own):
    own.database.rows("INSERT INTO schema_version (version, name, checksum, "
                      "readable_since) VALUES (9999, 'future.sql', '', 9999)")
    reporting = start(daemons, own, "reporting", wait=False).wait_alive()
    wait_until(lambda: ready(reporting) == 503, 10)
    assert "schema" in reporting.get("/readyz").error
    reporting.wait_log("version 9999")
    processor = daemons.make("processor", REDIS_URL=own.redis.url,
                             DATABASE_URL=own.database.url)
    processor.expected_exit = 1
    processor.start(wait=False)
    assert processor.wait_exit(20) == 1
    assert processor.has_logged("9999")
    own.database.rows("DELETE FROM schema_version WHERE version = 9999")
    wait_until(lambda: ready(reporting) == 200, 10, "reporting to be ready again")


@pytest.mark.parametrize("name", NEEDS)
def test_health_asked_often_costs_little_and_leaves_nothing(daemons, own, name):
    daemon = start(daemons, own, name)
    ready(daemon)
    if name == "reporting":  # all of its connections: 4, 2 for raw questions, 1 for this
        wait_until(lambda: own.database.value(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'analytics-reporting'") == 7, 10, "its connections")
    files = daemon.open_files()
    for _ in range(200):
        assert daemon.get("/readyz").status == 200
    wait_until(lambda: daemon.open_files() <= files, 10, "connections to be closed")


@pytest.mark.parametrize("name,words", [("ingestion", "POST /event"), ("processor", "/readyz")])
def test_the_root_says_where_to_go(daemons, own, name, words):
    """Whoever opens the address in a browser has forgotten the path, and nothing is broken."""
    daemon = start(daemons, own, name)
    for target in ("/", "/?a=b", f"http://localhost:{daemon.port}/"):
        answer = daemon.get(target)
        assert answer.status == 404 and words in answer.error
    assert daemon.get("/nowhere").error == "not found"


@pytest.mark.parametrize("trouble", [("REPLICAOF", "127.0.0.1", "1"),
                                     ("CONFIG", "SET", "maxmemory", "1"),
                                     ("CONFIG", "SET", "min-replicas-to-write", "3")])
def test_readiness_does_not_repeat_what_redis_says(daemons, private_redis, trouble):
    """Redis's own words may name accounts, commands and settings."""
    redis = private_redis()
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    with redis.client() as client:
        client.execute_command(*trouble)
        wait_until(lambda: daemon.get("/readyz").status == 503, 20, "the trouble to show")
        sentence = daemon.get("/readyz").error
        assert sentence.startswith("Redis ") and sentence.upper() != sentence
        for word in ("READONLY", "MASTERDOWN", "OOM", "NOREPLICAS", "command", "'maxmemory'"):
            assert word not in sentence
