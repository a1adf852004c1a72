"""What makes a real Redis refuse to take events.  Each function harms a server and returns a
function that heals it."""
from support.wait import wait_until


def _run(server, *words):
    with server.client() as client:
        client.execute_command(*words)


def no_memory(server):
    _run(server, "CONFIG", "SET", "maxmemory", 1)
    return lambda: _run(server, "CONFIG", "SET", "maxmemory", 0)


def few_replicas(server):
    _run(server, "CONFIG", "SET", "min-replicas-to-write", 1)
    return lambda: _run(server, "CONFIG", "SET", "min-replicas-to-write", 0)


def replica(server):
    """Of a primary that nobody reaches: it takes no writes."""
    _run(server, "REPLICAOF", "127.0.0.1", "1")
    return lambda: _run(server, "REPLICAOF", "NO", "ONE")


def stale_replica(server):
    """It does not even answer questions."""
    _run(server, "CONFIG", "SET", "replica-serve-stale-data", "no")
    return replica(server)


def cannot_save(server):
    """A snapshot that fails makes Redis refuse to write: MISCONF."""
    dump = server.directory / "dump.rdb"
    dump.mkdir()
    (dump / "in the way").touch()
    with server.client() as client:
        client.config_set("save", "3600 1000000")
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", 10,
                   "the snapshot to fail")
    return lambda: _run(server, "CONFIG", "SET", "save", "")
