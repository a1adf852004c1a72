"""What a soak runs on: servers of its own, two of each daemon, and load.

The first of each pair is the victim: it is killed, paused, ended and made to fail.  The
second is the steady one: it lives through everything that happens to servers and lines,
never ends, and so shows what leaks.
"""
import contextlib
import itertools
import pathlib
import time

from support.daemon import run
from support.ending import check_nothing_claimed
from support.events import Mix, job
from support.judge import Judge
from support.load import Load
from support.postgres_server import Database, PostgresServer
from support.proxy import Proxy
from support.redis_server import QUEUE, RedisServer
from support.stack import Daemons
from support.wait import wait_until

PROCESSOR = {"LEASE_MS": 3000, "RETRY_MAX_MS": 500, "HALT_RETRY_MS": 500, "BATCH_MAX": 1000,
             "STATEMENT_TIMEOUT_MS": 3000, "LOCK_TIMEOUT_MS": 500, "CONNECT_TIMEOUT_MS": 1000,
             "REDIS_TIMEOUT_MS": 2000}
INGESTION = {"INGEST_THREADS": 1, "REDIS_TIMEOUT_MS": 500}
RECOVERY_SECONDS = 45


class Town:
    def __init__(self, directory, seed, rate):
        self.closing = contextlib.ExitStack()
        self.directory = pathlib.Path(directory)
        self.rate = rate
        self.judge = Judge()
        self.mix = Mix(seed, repeats=0.01)
        self.poison = 0
        self.daemons = Daemons(self.directory)
        self.postgres = PostgresServer().start()
        self.closing.callback(self.postgres.remove)
        self.database = Database(self.postgres, self.postgres.create_database())
        self.redis = RedisServer(self.directory / "redis").start()
        self.closing.callback(self.redis.stop)
        self.door_line = Proxy(self.redis.port)
        self.worker_line = Proxy(self.redis.port)
        self.postgres_line = Proxy(self.postgres.port)
        self.lines = {"ingestion to redis": self.door_line,
                      "processor to redis": self.worker_line,
                      "processor to postgres": self.postgres_line}
        self.loads = []

    def start(self):
        done = run("processor", "--migrate", cwd=self.directory, timeout=60,
                   env={"DATABASE_URL": self.database.url})
        assert done.returncode == 0, done.stderr
        self.ingestions = [self.daemons.start(
            "ingestion", REDIS_URL=self.door_line.redis_url(),
            SPOOL_DIR=self.directory / "spool", **INGESTION) for _ in range(2)]
        self.processors = [self.daemons.start(
            "processor", REDIS_URL=self.worker_line.redis_url(), **PROCESSOR,
            DATABASE_URL=self.postgres_line.database_url(self.database)) for _ in range(2)]
        self.reportings = [self.daemons.start(
            "reporting", DATABASE_URL=self.database.url) for _ in range(2)]
        for one in self.ingestions:
            events = iter(self.mix_next, None)
            self.loads.append(Load(one.port, events, 16, judge=self.judge,
                                   rate=self.rate / 2, reconnect=True, batch_every=8).start())
        return self

    def mix_next(self):
        """One source for both loads, which run in threads of their own."""
        with self.judge.lock:
            return self.mix.next()

    @property
    def victims(self):
        return {"ingestion": self.ingestions[0], "processor": self.processors[0],
                "reporting": self.reportings[0]}

    @property
    def steady(self):
        return {"ingestion": self.ingestions[1], "processor": self.processors[1],
                "reporting": self.reportings[1]}

    def push_poison(self, count):
        """Jobs that must end in dead_letters, each once."""
        with self.redis.client() as client:
            for _ in itertools.repeat(None, count):
                self.poison += 1
                client.lpush(QUEUE, f"poison {self.poison}")

    def push_twice(self, count):
        """Events of another program, sent again by it."""
        with self.judge.lock:
            events = [self.mix.next() for _ in range(count)]
        for one in events:
            self.judge.pushed(one)
        with self.redis.client() as client:
            for _ in range(2):
                client.lpush(QUEUE, *map(job, events))

    # --- between faults

    def heal(self):
        for line in self.lines.values():
            line.heal()
            line.listen()

    def wait_recovered(self):
        """Until both doors take events again, all daemons are ready, and jobs are stored;
        returns the seconds."""
        began = time.monotonic()
        for one in [*self.ingestions, *self.processors, *self.reportings]:
            one.wait_ready(RECOVERY_SECONDS)
        more = [load.result.statuses[200] + 20 for load in self.loads]
        wait_until(lambda: all(load.result.statuses[200] >= count
                               for load, count in zip(self.loads, more)),
                   RECOVERY_SECONDS, "both to take events")
        stored = self.redis.completed() + 50
        wait_until(lambda: self.redis.completed() >= stored, RECOVERY_SECONDS,
                   lambda: "jobs to be stored\n"
                           + "\n".join(one.story() for one in self.processors))
        return time.monotonic() - began

    # --- the end

    def stop_load(self):
        for one in self.loads:
            one.stop()
        return [one.join(120) for one in self.loads]

    def check_queue(self):
        check_nothing_claimed(self.redis, self.processors)

    def close(self):
        for one in self.loads:
            one.stop()
        wrong = self.daemons.finish()
        for line in self.lines.values():
            line.close()
        self.database.close()
        self.closing.close()
        return wrong
