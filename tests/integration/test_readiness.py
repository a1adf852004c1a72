"""/readyz says what would become of an event that came now: 503 as long as Redis does not
take it, before the first one as well, in a sentence that has none of Redis's own words."""
import contextlib

import pytest

from support.events import event
from support.list_redis import ListRedis
from support.process import free_port
from support.redis_server import QUEUE, RedisServer
from support.redis_trouble import (cannot_save, few_replicas, no_memory, replica,
                                   stale_replica)
from support.spool import Spool, drop_jobs
from support.wait import wait_until

WORDS = ["OOM", "MISCONF", "READONLY", "LOADING", "BUSY", "MASTERDOWN", "NOREPLICAS",
         "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "NOAUTH", "NOPERM", "WRONGTYPE", "ERR"]
TO_SPOOL = "; events go to the spool"


def not_ready(ingestion):
    answer = ingestion.get("/readyz")
    return answer.status == 503 and answer.error


def wait_says(ingestion, text):
    wait_until(lambda: text in (not_ready(ingestion) or ""), 15,
               lambda: f"{ingestion.get('/readyz')} to say {text!r}\n{ingestion.story()}")


def wait_ready(ingestion):
    wait_until(lambda: ingestion.ready_status() == 200, 20, "it to be ready again")


# --- real servers ------------------------------------------------------------------------

def other_type(server):
    with server.client() as client:
        client.set(QUEUE, "no list")

    def heal():
        with server.client() as client:
            client.delete(QUEUE)
    return heal


def login(server):
    with server.client() as client:
        client.config_set("requirepass", "another")
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def heal():
        with server.client(password="another") as client:
            client.config_set("requirepass", "")
    return heal


TROUBLES = {
    few_replicas: "Redis has too few replicas", no_memory: "Redis has no memory left",
    replica: "Redis is a read-only replica", stale_replica: "Redis is a read-only replica",
    cannot_save: "Redis cannot write to its disk", other_type: "has something else under",
    login: "Redis refuses the login",
}


@pytest.mark.parametrize("spools", [False, True], ids=["no spool", "spool"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_it_knows_before_the_first_event(daemons, private_redis, tmp_path, trouble, spools):
    server = private_redis()
    folder = tmp_path / "spool"
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=2,
                              **({"SPOOL_DIR": folder} if spools else {}))
    heal = trouble(server)
    wait_says(ingestion, TROUBLES[trouble])
    said = not_ready(ingestion)
    assert not any(word in said.replace("REDIS_URL", "") for word in WORDS), said
    assert said.endswith(TO_SPOOL) == spools
    status = ingestion.post_event(event()).status
    assert status == (200 if spools else 503)
    heal()
    wait_ready(ingestion)
    assert ingestion.post_event(event()).status == 200
    if spools:
        Spool(folder).wait_empty()
    assert server.queue_length() == (2 if spools else 1)


@pytest.fixture
def cluster(tmp_path):
    """Two nodes, of which the second has all slots."""
    nodes = [RedisServer(tmp_path / name, cluster_enabled="yes", databases=1,
                         cluster_port=free_port()).start()
             for name in ("first", "second")]
    first, second = nodes
    with first.client() as client, second.client() as other:
        other.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", second.port,
                               second.options["cluster-port"])
        for node in (client, other):
            wait_until(lambda n=node: b"cluster_state:ok" in n.execute_command(
                "CLUSTER", "INFO", NEVER_DECODE=True), 30, "the cluster to be up")
    yield nodes
    for node in nodes:
        node.stop()


def test_a_node_that_has_other_keys(cluster, daemons, database):
    first, second = cluster
    wrong = daemons.start("ingestion", wait=False, REDIS_URL=first.url).wait_alive()
    wait_says(wrong, "they are on another node of a cluster")
    assert wrong.post_event(event()).status == 503
    processor = daemons.start("processor", wait=False, REDIS_URL=first.url,
                              DATABASE_URL=database.url, HALT_RETRY_MS=200).wait_alive()
    wait_until(lambda: processor.get("/readyz").status == 503, 10, "not ready")
    processor.wait_log("error=config .*another node of a cluster")
    right = daemons.start("ingestion", REDIS_URL=second.url)
    assert right.post_event(event()).status == 200


def test_a_cluster_that_is_down(daemons, private_redis):
    server = private_redis(cluster_enabled="yes", cluster_port=free_port())
    ingestion = daemons.start("ingestion", wait=False, REDIS_URL=server.url).wait_alive()
    wait_says(ingestion, "Redis is part of a cluster that is down")
    assert ingestion.post_event(event()).status == 503


@pytest.mark.parametrize("trouble", [few_replicas, stale_replica, cannot_save],
                         ids=lambda trouble: trouble.__name__)
def test_the_processor_knows_as_well(daemons, private_redis, database, trouble):
    server = private_redis()
    processor = daemons.start("processor", REDIS_URL=server.url, DATABASE_URL=database.url,
                              RETRY_MAX_MS=200)
    heal = trouble(server)
    wait_until(lambda: processor.get("/readyz").status == 503, 10, processor.story)
    heal()
    wait_until(lambda: processor.ready_status() == 200, 20, processor.story)


# --- what only the events tell ------------------------------------------------------------

REFUSED = [b"MOVED 7638 127.0.0.1:1", b"NOREPLICAS Not enough",
           b"NOPERM no permissions to run 'lpush'", b"WRONGTYPE x",
           b"ERR something that nobody has heard of"]


@pytest.fixture
def list_redis():
    with contextlib.ExitStack() as servers:
        def start(probe):
            server = ListRedis()
            servers.callback(server.close)
            server.probe = probe
            return server
        yield start


def after_a_refusal(daemons, server, error):
    """An ingestion whose last event Redis refused, and whose next it would take."""
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, INGEST_THREADS=1)
    server.error = error
    assert ingestion.post_event(event()).status == 503
    assert not_ready(ingestion)
    server.error = None
    return ingestion


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: error.split()[0].decode())
def test_what_the_last_event_got_counts(daemons, list_redis, error):
    """It is ready again by itself: nobody sends events to who is not ready."""
    wait_ready(after_a_refusal(daemons, list_redis(None), error))


def test_what_the_last_event_got_counts_for_a_time_where_nothing_else_tells(daemons, list_redis):
    """All at once, for each waits for that time."""
    waiting = [after_a_refusal(daemons, list_redis(probe), error) for error in REFUSED
               for probe in (b"NOPERM no", b"ERR unknown command 'SET'")]
    for ingestion in waiting:
        wait_ready(ingestion)


def test_the_cap_of_the_queue(daemons, private_redis, tmp_path):
    server = private_redis()
    spool = {"SPOOL_DIR": tmp_path / "spool"}
    for settings in ({}, spool):
        server.flush()
        with server.client() as client:
            client.lpush(QUEUE, *["{}"] * 10)
        ingestion = daemons.start("ingestion", wait=False, REDIS_URL=server.url,
                                  QUEUE_MAX_EVENTS=10, INGEST_THREADS=1,
                                  **settings).wait_alive()
        wait_says(ingestion, "the queue has reached QUEUE_MAX_EVENTS")
        assert not_ready(ingestion).endswith(TO_SPOOL) == bool(settings)
        assert ingestion.post_event(event()).status == (200 if settings else 503)
        drop_jobs(server, 5)
        wait_ready(ingestion)
        ingestion.stop()


def test_a_spool_that_is_full_is_no_place_to_go(daemons, private_redis, tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.put("full.damaged", b"x" * 1048576)
    server = private_redis()
    ingestion = daemons.start("ingestion", REDIS_URL=server.url, SPOOL_DIR=spool.path,
                              SPOOL_MAX_BYTES=1048576)
    no_memory(server)
    assert ingestion.post_event(event()).status == 503
    wait_says(ingestion, "Redis has no memory left")
    assert TO_SPOOL not in not_ready(ingestion)


def test_an_address_where_nobody_listens(daemons, private_redis):
    server = private_redis(running=False)
    ingestion = daemons.start("ingestion", wait=False, REDIS_URL=server.url).wait_alive()
    assert not_ready(ingestion) == "Redis is not reachable"
