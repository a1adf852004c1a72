"""The accounts that scripts/lib/redis.sh gives the daemons at a real Redis: each can do its work,
no command of it is refused, and it can do nothing else."""
import subprocess

import pytest
import redis as redis_client

from support.events import event, job
from support.redis_server import LEASES, QUEUE
from support.settings import SOURCE
from support.spool import take_all
from support.wait import wait_until

SALT = "{events}:salt:2026-11-28"


def account(daemon):
    """The words after ACL SETUSER, as the script prints them."""
    line = subprocess.run(
        ["bash", "-c", f". '{SOURCE}/scripts/lib/redis.sh' && redis_account {daemon} hush"],
        capture_output=True, text=True, check=True).stdout
    words = line.split()
    assert words[0] == "user"
    return words[1:]


@pytest.fixture
def server(private_redis):
    server = private_redis()
    with server.client() as client:
        for daemon in ("ingestion", "processor"):
            client.execute_command("ACL", "SETUSER", *account(daemon))
        client.execute_command("ACL", "LOG", "RESET")
    return server


def url(server, daemon):
    return server.url.replace("//", f"//{daemon}:hush@")


def refused(server):
    with server.client() as client:
        return client.acl_log()


def test_the_daemons_are_refused_nothing(daemons, server, database):
    ingestion = daemons.start("ingestion", REDIS_URL=url(server, "ingestion"))
    settings = {"REDIS_URL": url(server, "processor"), "DATABASE_URL": database.url,
                "LEASE_MS": 1000}
    first = daemons.start("processor", **settings)
    ids = take_all(ingestion, 500)
    wait_until(lambda: server.completed() == len(ids), 20, first.story)
    first.pause()  # its batches are taken over
    with server.client() as client:
        client.lpush(QUEUE, *[job(event()) for _ in range(20)], "no job at all")
        client.rename(QUEUE, "{events}:batch:orphan")
    second = daemons.start("processor", **settings)
    wait_until(lambda: server.is_drained() and server.completed() > len(ids), 30, second.story)
    first.resume()
    with server.client() as client:
        client.script_flush()
    ids += take_all(ingestion, 100)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == len(ids) + 20, 20,
               second.story)
    for daemon in (ingestion, first, second):
        wait_until(lambda d=daemon: d.ready_status() == 200, 10, daemon.story)
    replay = daemons.make("processor", ["--dead", "replay"], **settings)
    replay.start(wait=False)
    replay.wait_exit(20)
    replay.process = None
    assert refused(server) == []


FORBIDDEN = {
    "ingestion": [("LRANGE", QUEUE, 0, -1), ("RPOP", QUEUE), ("DEL", QUEUE), ("GET", QUEUE),
                  ("SET", QUEUE, "x"), ("LPUSH", SALT, "x"), ("LPUSH", LEASES, "x"),
                  ("SET", "other", "x"), ("KEYS", "*"), ("EVAL", "return 1", 0), ("FLUSHALL",),
                  ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("SAVE",)],
    "processor": [("GET", SALT), ("SET", SALT, "x"), ("DEL", SALT), ("TYPE", SALT), ("LPUSH", "other", "x"),
                  ("KEYS", "*"), ("FLUSHALL",), ("FLUSHDB",), ("CONFIG", "GET", "*"),
                  ("ACL", "LIST"), ("SCRIPT", "FLUSH"), ("FUNCTION", "LIST"), ("SAVE",),
                  ("EVAL", "return redis.call('GET', KEYS[1])", 1, SALT),
                  ("EVAL", "return redis.call('FLUSHALL')", 0)],
}


@pytest.mark.parametrize("daemon, command", [(d, c) for d in FORBIDDEN for c in FORBIDDEN[d]],
                         ids=lambda x: x if isinstance(x, str) else " ".join(map(str, x)))
def test_it_may_do_nothing_else(server, daemon, command):
    with server.client(username=daemon, password="hush") as client:
        with pytest.raises(redis_client.ResponseError, match="(?i)permission|can't run"):
            client.execute_command(*command)


def test_ingestion_shares_salts(server):
    with server.client(username="ingestion", password="hush") as client:
        assert client.execute_command("SET", SALT, "x", "NX", "GET", "EX", 60) is None
        assert client.get(SALT) == b"x"
