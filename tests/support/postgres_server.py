"""A private Postgres with hll, on a free port, run by a user that is not root.

initdb runs once for a build directory; afterwards its result is copied.  Each test gets a
database of its own in one server, unless it wants to stop the server: then it starts its
own.
"""
import contextlib
import fcntl
import glob
import itertools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from support.process import die_with_parent, free_port, tail, unprivileged_user
from support.settings import POSTGRES_ZONE, build_dir
from support.wait import wait_until

USER = "analytics"
PASSWORD = "pg-secret"


def bin_dir():
    """The newest Postgres of the machine that has hll."""
    def version(path):
        return float(re.search(r"/(\d+(\.\d+)?)/bin", path).group(1))
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=version)
    for path in reversed(found):
        share = path.replace("/usr/lib/", "/usr/share/").removesuffix("/bin")
        if os.path.exists(f"{share}/extension/hll.control"):
            return pathlib.Path(path)
    raise RuntimeError("no Postgres with the hll extension under /usr/lib/postgresql")


def _template():
    """The data directory that initdb made, made now if this is the first test."""
    version = bin_dir().parent.name
    cache = build_dir() / "test-cache"
    cache.mkdir(parents=True, exist_ok=True)
    data = cache / f"postgres-{version}-{os.geteuid()}"
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not data.exists():
            _initdb(data)
    return data


def _initdb(data):
    # Made in the temporary directory, which Postgres' user can reach, and moved.
    work = pathlib.Path(tempfile.mkdtemp(prefix="analytics-initdb-"))
    try:
        who = unprivileged_user()
        if who:
            os.chown(work, who["user"], who["group"])
        secret = work / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        subprocess.run(
            [bin_dir() / "initdb", "-D", work / "data", "-U", USER, "-E", "UTF8",
             "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}",
             "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **who)
        shutil.copytree(work / "data", f"{data}.new", symlinks=True)
        os.rename(f"{data}.new", data)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class PostgresServer:
    """Options are those of postgres -c; `parent` is the folder in which it lives."""

    def __init__(self, parent=None, **options):
        self.who = unprivileged_user()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="analytics-pg-", dir=parent))
        self.data = self.directory / "data"
        self.log_path = self.directory / "postgres.log"
        self.port = free_port()
        shutil.copytree(_template(), self.data, symlinks=True)
        self.options = {
            "port": self.port, "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.directory),
            "TimeZone": POSTGRES_ZONE, "log_timezone": "UTC",
            "shared_buffers": "128MB", "max_wal_size": "2GB", "max_connections": "60",
            "autovacuum_naptime": "5s", "log_line_prefix": "%m [%p] %a ",
        }
        self.options.update(options)
        self._own(self.directory)
        self.process = None
        self._numbers = itertools.count(1)

    def _own(self, top):
        top.chmod(0o700)
        if not self.who:
            return
        for folder, folders, files in os.walk(top):
            for name in [folder] + [os.path.join(folder, f) for f in folders + files]:
                os.chown(name, self.who["user"], self.who["group"])

    def url(self, database="postgres"):
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def connect(self, database="postgres", **options):
        """A connection in autocommit mode, so that each statement sees the present."""
        conn = psycopg2.connect(self.url(database), connect_timeout=10,
                                application_name="test", **options)
        conn.autocommit = True
        return conn

    def start(self, wait=True):
        assert self.process is None
        command = [bin_dir() / "postgres", "-D", self.data]
        for key, value in self.options.items():
            command += ["-c", f"{key}={value}"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                preexec_fn=die_with_parent(signal.SIGQUIT), start_new_session=True, **self.who)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def answers():
            assert self.process.poll() is None, f"postgres ended:\n{tail(self.log_path)}"
            self.connect().close()
            return True
        wait_until(answers, 30, "Postgres to answer", retry=(psycopg2.OperationalError,))

    def stop(self, mode="fast"):
        """mode is smart, fast or immediate, as of pg_ctl."""
        if self.process is None:
            return
        self.resume()
        self.process.send_signal({"smart": signal.SIGTERM, "fast": signal.SIGINT,
                                  "immediate": signal.SIGQUIT}[mode])
        self.process.wait(60)
        self.process = None

    def kill(self):
        """kill -9 of the postmaster; its children notice and end."""
        family = self._family()
        self.process.kill()
        self.process.wait(30)
        self.process = None
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in family), 30,
                   "the backends to end after their postmaster")

    def _family(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid] + [int(child) for child in children.read().split()]

    def kill_backend(self, pid):
        """kill -9 of one of its processes."""
        assert pid in self._family()
        os.kill(pid, signal.SIGKILL)

    def pause(self):
        """Postmaster and backends: connections are accepted, nothing is answered."""
        self._signal_family(signal.SIGSTOP)

    def resume(self):
        self._signal_family(signal.SIGCONT)

    def _signal_family(self, number):
        for pid in self._family():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # a backend that has ended meanwhile

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextlib.contextmanager
    def standby(self):
        """A standby that follows this server; it must replicate and take the password."""
        other = object.__new__(PostgresServer)
        other.__dict__.update(
            self.__dict__, port=free_port(), process=None, _numbers=itertools.count(1),
            directory=pathlib.Path(tempfile.mkdtemp(prefix="analytics-pg-standby-")))
        other.data, other.log_path = other.directory / "data", other.directory / "postgres.log"
        other.options = {**self.options, "port": other.port,
                         "unix_socket_directories": str(other.directory)}
        other._own(other.directory)
        line = (f"host=127.0.0.1 port={self.port} user={USER} password={PASSWORD}"
                " application_name=standby")
        subprocess.run([bin_dir() / "pg_basebackup", "-D", other.data, "-R", "-X", "stream",
                        "--checkpoint=fast", "--no-sync", "-d", line],
                       check=True, cwd="/", stdout=subprocess.DEVNULL, **self.who)
        other.start()
        try:
            yield other
        finally:
            other.remove()

    def promote(self):
        conn = self.connect()
        try:
            with conn.cursor() as cursor:
                cursor.execute("SELECT pg_promote()")
        finally:
            conn.close()

    def create_database(self, template=None):
        """A fresh database; returns its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        conn = self.connect()
        try:
            with conn.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}"'
                               + (f' TEMPLATE "{template}"' if template else ""))
        finally:
            conn.close()
        return name

    def drop_database(self, name):
        conn = self.connect()
        try:
            with conn.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            conn.close()


class Database:
    """One database of a server: its URL, and rows by one call."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self._conn = None

    @property
    def url(self):
        return self.server.url(self.name)

    def connect(self, **options):
        return self.server.connect(self.name, **options)

    def rows(self, sql, parameters=None):
        if self._conn is None or self._conn.closed:
            self._conn = self.connect()
        try:
            with self._conn.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.OperationalError:
            self._conn = None  # the server was stopped: connect anew next time
            raise

    def row(self, sql, parameters=None):
        return self.rows(sql, parameters)[0]

    def value(self, sql, parameters=None):
        return self.rows(sql, parameters)[0][0]

    def close(self):
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def drop(self):
        self.close()
        if self.server.process is not None:
            self.server.drop_database(self.name)
