"""Redis and Postgres for the benchmark: those of the tests, with the settings of
scripts/up, the same for every side."""
import contextlib
import os
import re
import subprocess

from support.daemon import run
from support.postgres_server import Database, PostgresServer, bin_dir
from support.redis_server import RedisServer
from support.settings import SOURCE
from support.wait import wait_until

HERE = SOURCE / "tests" / "bench"


def _settings_of_up(call, pattern, without):
    """What scripts/up gives a server, but for its addresses: name and value."""
    script = ('for part in common children postgres redis servers; do '
              '. "scripts/lib/$part.sh"; done; ' + call)
    text = subprocess.run(["bash", "-c", script], cwd=SOURCE, check=True, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    found = dict(re.findall(pattern, text, flags=re.M))
    for name in without:
        del found[name]
    return found


def start_redis(stack, scratch, appendfsync="everysec"):
    options = _settings_of_up(f'redis_config 0 none {appendfsync} "$(($(memory_mb) / 4))mb"',
                              r'^([\w-]+) "?([^"\n]*)"?$',
                              without=("bind", "port", "requirepass", "user", "dir"))
    server = RedisServer(scratch / f"redis-{len(os.listdir(scratch))}", **options)
    stack.callback(server.stop)
    return server.start()


def start_postgres(stack, checks_passwords=True):
    """checks_passwords: off where instructions are counted, for a login takes as many as a
    thousand events."""
    options = _settings_of_up(
        f'postgres_config "$(memory_mb)" 0 127.0.0.1 {bin_dir()}', r"^(\w+) = '?([^'\n]*)'?$",
        without=("listen_addresses", "port", "unix_socket_directories"))
    server = PostgresServer(**{"autovacuum_naptime": "1min", **options})
    stack.callback(server.remove)
    if not checks_passwords:
        (server.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
    return server.start()


def empty_redis(server):
    """Nothing in the queue, and nothing old in the append-only file: each run begins with
    the same work ahead."""
    with server.client(socket_timeout=60) as client:
        client.flushall()

        def is_idle():
            state = client.info("persistence")
            return not (state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"])
        wait_until(is_idle, 60, "the append-only file to be rewritten")
        client.bgrewriteaof()
        wait_until(is_idle, 60, "the append-only file to be rewritten")
    os.sync()


class Databases:
    """Fresh databases, ours and the peer's, of one server."""

    def __init__(self, server, scratch):
        self.server = server
        self.scratch = scratch
        self.template = None

    def _migrated(self):
        if self.template is None:
            self.template = self.server.create_database()
            done = run("processor", "--migrate", cwd=self.scratch, timeout=60,
                       env={"DATABASE_URL": self.server.url(self.template)})
            if done.returncode != 0:
                raise RuntimeError(f"processor --migrate failed:\n{done.stderr}")
        return self.template

    @contextlib.contextmanager
    def ours(self):
        database = Database(self.server, self.server.create_database(self._migrated()))
        yield from self._lend(database)

    @contextlib.contextmanager
    def peers(self):
        database = Database(self.server, self.server.create_database())
        database.rows((HERE / "peer" / "schema.sql").read_text())
        yield from self._lend(database)

    def _lend(self, database):
        database.rows("CHECKPOINT")
        try:
            yield database
        finally:
            database.drop()


def psql(database, *arguments):
    """Runs Postgres' own client to its end."""
    from support.postgres_server import bin_dir
    done = subprocess.run([bin_dir() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                           database.url, *arguments], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise RuntimeError(f"psql failed:\n{done.stdout}")
