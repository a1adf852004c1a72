"""Instructions for each event with 1, 2 and 4 loops and processors, by callgrind: two
cores cannot show how time scales, but they can show that nobody works more for it."""
import contextlib
import re
import subprocess

from bench import drain, servers, sides
from support.daemon import Daemon, binary
from support.process import die_with_parent
from support.redis_server import QUEUE
from support.wait import wait_until

COUNTS = (1, 2, 4)
CONNECTIONS = 16  # for each loop
BATCH = 250       # jobs to a transaction, so that there is work for all workers
STOP_SECONDS = 30


class CountedDaemon(Daemon):
    """A daemon inside valgrind, which slows it down some fifty times."""

    def start(self, wait=True):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                   "--fair-sched=yes", binary(self.name)]
        with open(self.stdout_path, "ab") as out, open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen(
                command, cwd=self.directory, env=self.env, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, preexec_fn=die_with_parent())
        self.wait_ready(60)
        return self

    def instructions(self):
        """Ends it and returns the instructions of its whole life."""
        self.process.terminate()
        self.process.wait(STOP_SECONDS)
        self.process = None
        match = re.search(r"Collected : (\d+)", self.stderr())
        if not match:
            raise RuntimeError(f"callgrind counted nothing:\n{self.story()}")
        return int(match.group(1))


def _counted(stack, bench, name, **env):
    number = len(list(bench.scratch.iterdir()))
    daemon = CountedDaemon(name, bench.scratch / f"counted-{name}-{number}",
                           {"LOG_LEVEL": "warn", **env})
    stack.callback(lambda: daemon.process and daemon.process.kill())
    return daemon.start()


def measure(bench):
    with contextlib.ExitStack() as stack:
        redis = servers.start_redis(stack, bench.scratch)
        for count in COUNTS:
            _loops(bench, redis, count)
        bench.say("scaling: loops done")
        postgres = servers.start_postgres(stack, checks_passwords=False)
        databases = servers.Databases(postgres, bench.scratch)
        jobs = drain.write_jobs(bench.scratch / "scaling.resp", bench.plan.scaling_jobs)
        for count in COUNTS:
            _processors(bench, redis, databases, jobs, count)
        bench.say("scaling: processors done")


def _loops(bench, redis, count):
    """What the start and the end take is measured without events and taken off."""
    totals, events = [], 0
    for is_loaded in (False, True):
        with contextlib.ExitStack() as stack:
            servers.empty_redis(redis)
            daemon = _counted(stack, bench, "ingestion", REDIS_URL=redis.url,
                              INGEST_THREADS=count, ENQUEUE_TIMEOUT_MS=60_000)
            if is_loaded:
                bench.wrk.post(daemon.port, CONNECTIONS * count, bench.plan.scaling_seconds)
            totals.append(daemon.instructions())
            with redis.client() as client:
                events = client.llen(QUEUE)
    bench.samples.add("scaling.loops", str(count), (totals[1] - totals[0]) / events)


def _processors(bench, redis, databases, jobs, count):
    totals, stored = [], 0
    for is_loaded in (False, True):
        with contextlib.ExitStack() as stack:
            database = stack.enter_context(databases.ours())
            servers.empty_redis(redis)
            if is_loaded:
                drain.fill(redis, jobs)
            stored = redis.queue_length()
            found = [_counted(stack, bench, "processor", REDIS_URL=redis.url,
                              DATABASE_URL=database.url, LEASE_MS=600_000,
                              BATCH_MAX=BATCH, ROLLUP_POLL_MS=10_000)
                     for _ in range(count)]
            wait_until(lambda: redis.completed() >= stored, 120, "the queue to drain")
            totals.append(sum(daemon.instructions() for daemon in found))
    bench.samples.add("scaling.processors", str(count), (totals[1] - totals[0]) / stored)
