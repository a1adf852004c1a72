"""Rows 33 (FLUSHALL) and 34 of the fault matrix (docs/reliability.md): somebody empties
Redis, and Redis fails over: by hand, by Sentinel, to a replica that lags.
"""
import pathlib
import subprocess

import pytest
import redis as redis_client

from support.outage import IN_TIME, check_statuses, wait_well
from support.process import die_with_parent, free_port, tail
from support.redis_server import program
from support.settings import scaled
from support.wait import wait_until


def test_row_33_somebody_empties_redis(start):
    """What waited in the queue is gone, as whoever sends FLUSHALL has it.  Everything else
    goes on, what comes later is stored, and nothing is doubled; also what was claimed."""
    rig = start(processor={"BATCH_MAX": 50})
    rig.load(rate=1000)
    rig.wait_stored(scaled(300))
    rig.processor.pause()  # with batches claimed
    rig.wait_answers(scaled(500))
    known = {key for key, in rig.database.rows("SELECT event_id::text FROM events")}
    with rig.redis.client() as client:
        client.flushall()
    seen = set(rig.judge.attempted) - known
    rig.processor.resume()
    rig.wait_stored(scaled(300))
    verdict = rig.end(in_time=IN_TIME, may_lose=seen)
    assert set(rig.judge.statuses) == {200}
    assert verdict.stored < verdict.acknowledged, "nothing was in the queue"
    assert rig.ingestion.ready_status() == 200


def test_row_33_somebody_empties_redis_while_nothing_is_in_it(start):
    """The leases of workers that wait for a job are gone too.  Nothing is lost, not even a
    job that one claims and dies with."""
    rig = start()
    rig.push(scaled(50))
    wait_until(rig.redis.is_drained, 10, "the queue to drain")
    with rig.redis.client() as client:
        for _ in range(3):
            client.flushall()
            rig.push(scaled(50))
            wait_until(rig.redis.is_drained, 10, "the queue to drain")
        client.flushall()
    rig.postgres_line.swallow("up")
    rig.push(scaled(50))
    wait_until(lambda: rig.redis.batches(), 10, "a claim")
    rig.processor.kill9()
    rig.start_heir()
    assert rig.end(in_time=IN_TIME).stored == 5 * scaled(50)


def test_row_34_failover_to_a_replica_that_lags(make_rig, private_redis, database):
    """The replica has not seen the last events, and not that batches were acknowledged:
    those are stored a second time, and are there once.  What only the old primary had is
    lost: Redis replicates asynchronously."""
    primary = private_redis(repl_diskless_sync_delay=0)
    replica = private_redis(replicaof=f"127.0.0.1 {primary.port}", repl_timeout=60)
    rig = make_rig(primary, database).start(processor={"BATCH_MAX": 20})
    with replica.client() as client:
        wait_until(lambda: client.info("replication")["master_link_status"] == "up", 20,
                   "the replica to follow")
        rig.load(rate=500)
        rig.wait_stored(scaled(200))
        replica.pause()  # it falls behind
        behind = len(rig.judge.acknowledged)
        known = set(rig.judge.acknowledged)
        rig.wait_stored(scaled(200))
        assert len(rig.judge.acknowledged) > behind
        primary.kill()
        replica.resume()
        client.execute_command("REPLICAOF", "NO", "ONE")
    for line in (rig.door_line, rig.worker_line):  # the address now leads there
        line.target = replica.port
    rig.redis = replica
    seen = set(rig.judge.attempted) - known
    rig.wait_answers(scaled(100))
    rig.wait_stored(scaled(100))
    rig.end(in_time=IN_TIME, may_lose=seen)


def test_row_34_a_primary_that_becomes_a_replica(make_rig, private_redis, database, spool):
    """READONLY: connect again, to where the address leads now."""
    primary = private_redis(repl_diskless_sync_delay=0)
    other = private_redis(repl_diskless_sync_delay=0)
    rig = make_rig(primary, database).start(ingestion=spool)
    rig.load(rate=500)
    rig.wait_stored(scaled(100))
    with other.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", primary.port)
        wait_until(lambda: client.info("replication")["master_link_status"] == "up", 20,
                   "the replica to follow")
        with primary.client() as old:
            old.execute_command("CLIENT", "PAUSE", 1000, "WRITE")  # as FAILOVER does
            wait_until(lambda: client.info("replication")["slave_repl_offset"]
                       >= old.info("replication")["master_repl_offset"], 5, "all to arrive")
            client.execute_command("REPLICAOF", "NO", "ONE")
            old.execute_command("REPLICAOF", "127.0.0.1", other.port)
            old.execute_command("CLIENT", "UNPAUSE")
    for line in (rig.door_line, rig.worker_line):
        line.target = other.port
    rig.redis = other
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME)
    check_statuses(rig, spool)
    assert not rig.processor.has_logged("error=bug"), rig.processor.stderr()


class Sentinel:
    """One Redis Sentinel that watches a primary and fails over by itself."""

    def __init__(self, directory, primary):
        self.port = free_port()
        self.log_path = pathlib.Path(directory) / "sentinel.log"
        conf = pathlib.Path(directory) / "sentinel.conf"
        conf.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {directory}\n"
                        f"sentinel monitor events 127.0.0.1 {primary.port} 1\n"
                        "sentinel down-after-milliseconds events 500\n"
                        "sentinel failover-timeout events 2000\n")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["redis-sentinel", conf, "--sentinel"], executable=program(), stdout=log,
                stdin=subprocess.DEVNULL, stderr=log, preexec_fn=die_with_parent())

    def ask(self, *words):
        with redis_client.Redis("127.0.0.1", self.port, socket_timeout=10) as client:
            return client.execute_command("SENTINEL", *words)

    def primary_port(self):
        return int(self.ask("GET-MASTER-ADDR-BY-NAME", "events")[1])

    def wait(self, condition, what):
        wait_until(condition, 40, lambda: f"{what}\n{tail(self.log_path)}",
                   retry=(redis_client.ConnectionError,))

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def watched(private_redis, tmp_path):
    """A primary, its replica, and a Sentinel that knows both."""
    primary = private_redis(repl_diskless_sync_delay=0)
    replica = private_redis(replicaof=f"127.0.0.1 {primary.port}")
    with replica.client() as client:
        wait_until(lambda: client.info("replication")["master_link_status"] == "up", 20,
                   "the replica to follow")
    sentinel = Sentinel(tmp_path, primary)
    sentinel.wait(lambda: len(sentinel.ask("REPLICAS", "events")) == 1,
                  "Sentinel to see the replica")
    yield primary, replica, sentinel
    sentinel.stop()


def test_row_34_sentinel_fails_over(make_rig, watched, database, spool):
    """The primary is killed under load, Sentinel makes the replica the primary, and the
    address (here the proxies, as a virtual IP) follows what Sentinel says.  The daemons do
    not notice more than an outage.  The old primary comes back as a replica."""
    primary, replica, sentinel = watched
    rig = make_rig(primary, database).start(ingestion=spool)
    rig.load(rate=500)
    rig.wait_stored(scaled(200))
    with primary.client() as client:
        known = set(rig.judge.acknowledged)
        client.set("marker", 1)
        assert client.wait(1, 10000) == 1  # the replica has the marker, and all before it
    primary.kill()
    wait_until(lambda: rig.ingestion.ready_status() == 503, 10, "the outage to be seen")
    seen = set(rig.judge.attempted) - known
    sentinel.wait(lambda: sentinel.primary_port() == replica.port, "the failover")
    for line in (rig.door_line, rig.worker_line):
        line.target = replica.port
    rig.redis = replica
    wait_well(rig, spool)
    primary.start()
    with primary.client() as client:
        sentinel.wait(lambda: client.info("replication")["role"] == "slave",
                      "the old primary to follow the new one")
    wait_well(rig, spool)
    rig.end(in_time=IN_TIME, may_lose=seen)
    check_statuses(rig, spool)
