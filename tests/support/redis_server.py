"""A private Redis: append-only file, noeviction, a free port and a directory of its own."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import redis
import redis.backoff
import redis.retry

from support import pretended
from support.process import die_with_parent, free_port, tail
from support.wait import wait_until

QUEUE = "{events}:queue"
LEASES = "{events}:leases"
ATTEMPTS = "{events}:attempts"
COMPLETED = "{events}:completed"
BATCHES = "{events}:batch:*"


def program():
    """The server: in Debian's redis-tools it is redis-check-rdb under another name."""
    found = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    assert found, "redis-server was not found on the PATH"
    return found


class RedisServer:
    """Options are those of redis-server: RedisServer(dir, maxmemory="4mb").  `prefix` goes
    before its command, `env` are variables for it."""

    def __init__(self, directory, appendfsync="everysec", prefix=(), env=None, **options):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log_path = self.directory / "redis.log"
        self.socket_path = self.directory / "redis.sock"
        self.password = options.get("requirepass")
        self.host = options.get("bind", "127.0.0.1")
        self.prefix, self.env = list(prefix), env or {}
        self.options = {
            "port": self.port, "bind": "127.0.0.1", "dir": str(self.directory),
            "unixsocket": str(self.socket_path),
            "appendonly": "yes", "appendfsync": appendfsync, "save": "",
            "maxmemory-policy": "noeviction", "daemonize": "no", "databases": "16",
        }
        self.options.update({k.replace("_", "-"): v for k, v in options.items()})
        self.process = None

    @property
    def url(self):
        secret = f":{self.password}@" if self.password else ""
        return f"redis://{secret}{self.host}:{self.port}"

    @property
    def unix_url(self):
        return f"unix://{self.socket_path}"

    def client(self, **options):
        options.setdefault("socket_timeout", 10)
        options.setdefault("password", self.password)
        # Newer clients try again by themselves, and so hide what a test looks for.
        options.setdefault("retry", redis.retry.Retry(redis.backoff.NoBackoff(), 0))
        return redis.Redis(self.host, self.port, **options)

    def is_loading(self):
        """Whether it reads its file at this moment.  Asked by one bare command: a client's
        greeting takes as many of the rare moments in which a loading server listens."""
        with socket.create_connection((self.host, self.port), timeout=10) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"-LOADING")

    def start(self, wait=True):
        assert self.process is None
        command = [*self.prefix, "redis-server" if not self.prefix else self.named_program()]
        for key, value in self.options.items():
            command += [f"--{key}", str(value)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, executable=None if self.prefix else program(),
                env={**pretended.real(os.environ), **self.env}, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=die_with_parent(), start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def named_program(self):
        """The program goes by its name, which whoever runs it for us takes from the path."""
        link = self.directory / "redis-server"
        if not link.exists():
            link.symlink_to(program())
        return str(link)

    def wait_ready(self):
        def answers():
            assert self.process.poll() is None, f"redis-server ended:\n{tail(self.log_path)}"
            with self.client() as client:
                return client.ping()
        wait_until(answers, 20, "Redis to answer",
                   retry=(redis.ConnectionError, redis.BusyLoadingError))

    def _end(self, with_signal):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(with_signal)
        self.process.wait(30)
        self.process = None

    def stop(self):
        """In order, as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def pause(self):
        """It still accepts connections, but answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self):
        self.stop()
        self.start()

    def flush(self):
        with self.client() as client:
            client.flushall()
            client.config_set("maxmemory", self.options.get("maxmemory", "0"))

    # --- the queue, as seen from outside

    def queue_length(self):
        with self.client() as client:
            return client.llen(QUEUE)

    def batches(self):
        with self.client() as client:
            return sorted(key.decode() for key in client.scan_iter(BATCHES, count=1000))

    def is_drained(self):
        """No job waits and no batch is under way."""
        return self.queue_length() == 0 and not self.batches()

    def completed(self):
        with self.client() as client:
            return int(client.get(COMPLETED) or 0)
