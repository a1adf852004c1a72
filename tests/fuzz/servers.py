"""The real servers that some targets are put beside, and what tells the targets of them."""
import contextlib
import os
import pathlib
import shutil
import tempfile

from support.daemon import run
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer


MEMORY = "/dev/shm"
ROOM = 1 << 30  # in a container there may be very little of it


def in_memory():
    """Where a server may live that is asked to flush a thousand times a second."""
    usable = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if usable else None


@contextlib.contextmanager
def postgres():
    """A database with the schema."""
    server = PostgresServer(parent=in_memory(), jit="off").start()
    try:
        name = server.create_database()
        with tempfile.TemporaryDirectory() as folder:
            done = run("processor", "--migrate", cwd=folder, timeout=60,
                       env={"DATABASE_URL": server.url(name)})
        assert done.returncode == 0, done.stderr
        yield {"FUZZ_DATABASE_URL": server.url(name)}
    finally:
        server.remove()


@contextlib.contextmanager
def redis():
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder:
        server = RedisServer(pathlib.Path(folder)).start()
        try:
            yield {"FUZZ_REDIS_URL": server.unix_url}
        finally:
            server.stop()


# By the name of the target; the others need none.
SERVERS = {"copy": postgres, "http": redis}


@contextlib.contextmanager
def environment(target):
    """The environment for a target, its server running."""
    with SERVERS.get(target, contextlib.nullcontext)() as found:
        yield {**os.environ, **(found or {})}
