"""The suite under load with a hand on every line: what the fault tests are made of.

    rig.start(processors=2)
    rig.load(rate=500)
    rig.postgres_line.when(b"COMMIT", rig.postgres_line.lose_reply)
    ...
    rig.end()       # heals, drains, judges

Each daemon reaches its servers through a proxy.  Times are short, so that leases end and
retries come while a test can wait for them.
"""
import time

from support.ending import check_answers, settle_and_judge
from support.events import Mix, job
from support.judge import Judge
from support.load import Load
from support.proxy import Proxy
from support.redis_server import QUEUE
from support.spool import Spool
from support.wait import wait_until

PROCESSOR = {"LEASE_MS": 600, "BATCH_MAX": 200, "RETRY_MAX_MS": 200, "HALT_RETRY_MS": 200,
             "STATEMENT_TIMEOUT_MS": 2000, "LOCK_TIMEOUT_MS": 300, "CONNECT_TIMEOUT_MS": 500,
             "REDIS_TIMEOUT_MS": 1500}
INGESTION = {"INGEST_THREADS": 2, "REDIS_TIMEOUT_MS": 300}


class Rig:
    def __init__(self, daemons, redis, database, seed=1):
        self.daemons, self.redis, self.database = daemons, redis, database
        self.judge = Judge()
        self.mix = Mix(seed, repeats=0)
        self.door_line = Proxy(redis.port)  # ingestion to Redis
        self.worker_line = Proxy(redis.port)  # processor to Redis
        self.postgres_line = Proxy(database.server.port)
        self.lines = [self.door_line, self.worker_line, self.postgres_line]
        self.ingestion = None
        self.reporting = None
        self.processors = []
        self.loads = []

    # --- the daemons

    def make_processor(self, **env):
        settings = {"REDIS_URL": self.worker_line.redis_url(),
                    "DATABASE_URL": self.postgres_line.database_url(self.database),
                    **PROCESSOR, **env}
        self.processors.append(self.daemons.make("processor", **settings))
        return self.processors[-1]

    def start_processor(self, wait=True, **env):
        return self.make_processor(**env).start(wait)

    def start_heir(self, **env):
        """A processor that no trouble on the lines can reach."""
        return self.start_processor(REDIS_URL=self.redis.url,
                                    DATABASE_URL=self.database.url, **env)

    def start_ingestion(self, wait=True, **env):
        settings = {"REDIS_URL": self.door_line.redis_url(), **INGESTION, **env}
        self.ingestion = self.daemons.start("ingestion", wait, **settings)
        return self.ingestion

    def start(self, processors=1, ingestion=None, processor=None, reporting=False):
        self.start_ingestion(wait=False, **(ingestion or {}))
        for _ in range(processors):
            self.start_processor(wait=False, **(processor or {}))
        if reporting:
            self.reporting = self.daemons.start(
                "reporting", DATABASE_URL=self.database.url,
                **(reporting if isinstance(reporting, dict) else {}))
        for one in [self.ingestion, *self.processors]:
            one.wait_ready()
        return self

    @property
    def processor(self):
        return self.processors[0]

    def gone(self, daemon):
        """A daemon that has ended on purpose."""
        daemon.process = None

    # --- work

    def push(self, count):
        """Jobs straight into the queue, as another program would."""
        events = self.mix.take(count)
        for one in events:
            self.judge.pushed(one)
        with self.redis.client() as client:
            client.lpush(QUEUE, *map(job, events))
        return events

    def load(self, rate=500, connections=8, **options):
        """Load on POST /event and /batch until end(): paced, and connected again when it was
        cut."""
        options = {"reconnect": True, "judge": self.judge, "batch_every": 8, **options}
        events = iter(self.mix.next, None)
        self.loads.append(Load(self.ingestion.port, events, connections, rate=rate,
                               **options).start())
        return self.loads[-1]

    def wait_answers(self, count, timeout=20):
        """Until so many events more are acknowledged."""
        more = len(self.judge.acknowledged) + count
        wait_until(lambda: len(self.judge.acknowledged) >= more, timeout,
                   lambda: f"{count} acknowledged events; so far {self.judge.statuses}"
                           f"\n{self.ingestion.story()}")

    def outlast(self, seconds, rate):
        """Until so many seconds have passed, in which so many events each were acknowledged."""
        end = time.monotonic() + seconds
        self.wait_answers(int(rate * seconds), timeout=3 * seconds + 20)
        wait_until(lambda: time.monotonic() >= end, seconds)

    def wait_stored(self, count, timeout=20):
        """Until so many jobs more are completed."""
        more = self.redis.completed() + count
        wait_until(lambda: self.redis.completed() >= more, timeout,
                   lambda: f"{count} jobs to be stored\n"
                           + "\n".join(one.story() for one in self.processors))

    def stop_load(self):
        for one in self.loads:
            one.stop()
        results = [one.join() for one in self.loads]
        self.loads = []
        return results

    # --- the end

    def heal(self):
        for line in self.lines:
            line.heal()
            line.listen()

    def end(self, in_time=2.5, timeout=60, may_lose=(), late=False):
        """Heals what is broken, drains, judges; returns the verdict."""
        results = self.stop_load()
        self.heal()
        self.wait_fed(timeout)
        verdict = settle_and_judge(self.judge, self.redis, self.database, self.processors,
                                   timeout, may_lose, late)
        check_answers(results, in_time)
        return verdict

    def wait_fed(self, timeout):
        """Until Redis has what a living ingestion has put into its spool."""
        spool = self.ingestion.env.get("SPOOL_DIR") if self.ingestion else None
        if spool and self.ingestion.is_running:
            wait_until(lambda: not Spool(spool).segments(), timeout,
                       lambda: f"the spool to be fed\n{self.ingestion.story()}")

    def close(self):
        for one in self.loads:
            one.stop()
        for line in self.lines:
            line.close()


def took(action):
    """The seconds that a call takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began
