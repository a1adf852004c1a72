"""The whole suite as one object: ingestion, processors and reporting on one queue."""
from support import rollups
from support.daemon import Daemon
from support.wait import wait_until


class Daemons:
    """Starts daemons for one test, and ends and examines them after it."""

    def __init__(self, directory):
        self.directory = directory
        self.all = []
        self.wrong = []  # what was found at the end, one text each

    def make(self, name, arguments=(), nofile=None, prefix=(), **env):
        folder = self.directory / f"{name}-{len(self.all) + 1}"
        daemon = Daemon(name, folder, env, arguments, nofile, prefix)
        self.all.append(daemon)
        return daemon

    def start(self, name, wait=True, **options):
        return self.make(name, **options).start(wait=wait)

    def finish(self):
        """Ends what runs; returns all that was wrong.  May be called again."""
        for daemon in self.all:
            try:
                daemon.stop()
            except AssertionError as error:
                if str(error) not in self.wrong:
                    self.wrong.append(str(error))
        return self.wrong

    def stories(self):
        return "\n".join(d.story() for d in self.all if d.stderr_path.exists())


class Stack:
    def __init__(self, daemons, redis, database, processors=1, ingestion_env=None,
                 processor_env=None, reporting_env=None, reporting=True):
        self.redis, self.database = redis, database
        self.ingestion = daemons.start("ingestion", wait=False, REDIS_URL=redis.url,
                                       **(ingestion_env or {}))
        self.processors = [
            daemons.start("processor", wait=False, REDIS_URL=redis.url,
                          DATABASE_URL=database.url, **(processor_env or {}))
            for _ in range(processors)]
        self.reporting = daemons.start(
            "reporting", wait=False, DATABASE_URL=database.url,
            **(reporting_env or {})) if reporting else None
        for daemon in [*self.processors, self.ingestion, self.reporting]:
            if daemon:
                daemon.wait_ready()

    @property
    def processor(self):
        return self.processors[0]

    def post(self, event, headers=()):
        return self.ingestion.post_event(event, headers)

    def stats(self, site_id, date=None):
        return self.reporting.stats(site_id, date)

    def stored(self):
        return self.database.value("SELECT count(*) FROM events")

    def wait_drained(self, timeout=30):
        """Until no job waits and no batch is under way."""
        wait_until(self.redis.is_drained, timeout,
                   lambda: f"the queue to drain; it has {self.redis.queue_length()} jobs, "
                           f"batches {self.redis.batches()}", interval=0.02)

    def settle(self, timeout=30):
        """Until all is stored and rolled up, rollups compared with the raw events."""
        self.wait_drained(timeout)
        rollups.wait_equal(self.database, timeout)
