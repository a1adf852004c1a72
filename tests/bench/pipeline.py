"""Everything at once on the two cores: POST at full speed, rows stored meanwhile, the
roll-up's lag, and /stats asked at a steady pace."""
import contextlib
import threading
import time

from bench import connections, cpu, drain, servers, sides, throughput
from bench.wrk import finish
from support.wait import wait_until

STATS_PAUSE_MS = 20
STATS_TARGET = "/stats?site_id=site-1"
SAMPLE_SECONDS = 0.05
DRAIN_SECONDS = 120


def measure(bench):
    with contextlib.ExitStack() as stack:
        everysec = servers.start_redis(stack, bench.scratch)
        always = servers.start_redis(stack, bench.scratch, "always")
        postgres = servers.start_postgres(stack)
        databases = servers.Databases(postgres, bench.scratch)
        for number in range(bench.plan.pipeline_rounds):
            _ours(bench, everysec, databases, "ours")
            _peer(bench, everysec, databases)
            _ours(bench, everysec, databases, "paced", bench.plan.paced_seconds,
                  bench.samples.of("pipeline.post_rate", "peer")[-1])
            if number == 0:
                _ours(bench, always, databases, "always")
            bench.say(f"pipeline: round {number + 1} of {bench.plan.pipeline_rounds}")


# --- ours ----------------------------------------------------------------------


class Watch(threading.Thread):
    """Looks 20 times a second how far the rows and the rollups are.  An id counts from
    when it is given out, shortly before its row is committed: the lag comes out too long
    rather than too short."""

    def __init__(self, database):
        super().__init__(daemon=True)
        self.connection = database.connect()
        self.seen = []  # (time, newest id, id rolled up to)
        self.is_ended = threading.Event()

    def run(self):
        with self.connection.cursor() as cursor:
            while not self.is_ended.wait(SAMPLE_SECONDS):
                now = time.monotonic()
                cursor.execute("SELECT CASE WHEN q.is_called THEN q.last_value ELSE 0 END,"
                               " s.position FROM events_id_seq q, rollup_state s")
                self.seen.append((now, *cursor.fetchone()))

    def stop(self):
        self.is_ended.set()
        self.join()
        self.connection.close()

    def lags(self):
        """At each look: how long ago the first id was given out that is not rolled up."""
        found, first = [], 0
        for now, newest, position in self.seen:
            while self.seen[first][1] <= position and self.seen[first][0] < now:
                first += 1
            found.append(now - self.seen[first][0] if newest > position else 0.0)
        return found


def _post(bench, port, seconds, rate):
    if rate:
        return bench.wrk.post_paced(port, throughput.CONNECTIONS, seconds, rate)
    return bench.wrk.post(port, throughput.CONNECTIONS, seconds)


def _ours(bench, redis, databases, name, seconds=None, rate=None):
    """At full speed, or at the rate given."""
    seconds = seconds or bench.plan.pipeline_seconds
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(databases.ours())
        side = sides.start_ours(stack, bench.scratch, redis, name)
        side.prepare()
        processor = sides.start_daemon(stack, bench.scratch, "processor",
                                       REDIS_URL=redis.url, DATABASE_URL=database.url)
        reporting = sides.start_daemon(stack, bench.scratch, "reporting",
                                       DATABASE_URL=database.url)
        watch = Watch(database)
        watch.start()
        asked = bench.wrk.start_get(reporting.port, STATS_TARGET,
                                    seconds, STATS_PAUSE_MS)
        meter = cpu.Meter({"ingestion": side.daemon.process.pid, "redis": redis.process.pid,
                           "processor": processor.process.pid,
                           "reporting": reporting.process.pid}, database.server, database)
        began = time.monotonic()
        posted = _post(bench, side.port, seconds, rate)
        stored, took = redis.completed(), time.monotonic() - began
        spent, backlog = meter.spent(), redis.queue_length()
        stats = finish(asked)
        watch.stop()
        _add_posted(bench, name, posted, stored / took)
        if name == "ours":
            _add_cpu(bench, spent, posted.requests, stored)
        bench.samples.add("pipeline.backlog", name, backlog)
        bench.samples.add("pipeline.lag_s", name, max(watch.lags(), default=0.0))
        bench.samples.add("pipeline.stats_p50_ms", name, stats.p50)
        bench.samples.add("pipeline.stats_p99_ms", name, stats.p99)
        if not stats.is_clean:
            bench.samples.fault("pipeline.stats_p99_ms", f"{name}: {stats}")
        wait_until(redis.is_drained, DRAIN_SECONDS, "the queue to drain")
        _check_stored(bench, database, name, posted)
        bench.samples.add("memory", "reporting", connections.peak_mib(reporting))
        bench.samples.add("memory", "processor", connections.peak_mib(processor))


# The parts whose work grows with the rows stored; that of the others with the events sent.
STORING = ("processor", "postgres_copy", "postgres_rollup", "postgres_rest")


def _add_cpu(bench, spent, posted, stored):
    for part, seconds in spent.items():
        events = stored if part in STORING else posted
        bench.samples.add("cpu_us", part, 1e6 * seconds / max(events, 1))


def _add_posted(bench, name, posted, rate):
    bench.samples.add("pipeline.rate", name, rate)
    bench.samples.add("pipeline.post_rate", name, posted.rate)
    bench.samples.add("pipeline.p50_ms", name, posted.p50)
    bench.samples.add("pipeline.p99_ms", name, posted.p99)
    if not posted.is_clean:
        bench.samples.fault("pipeline.rate", f"{name}: {posted.bad} refused, "
                                             f"{posted.errors} connections failed")


def _check_stored(bench, database, name, posted):
    """Every confirmed event is a row, once; the rollups agree."""
    rows = database.value("SELECT count(*) FROM events")
    confirmed = posted.requests - posted.bad
    if not confirmed <= rows <= confirmed + throughput.CONNECTIONS + posted.errors:
        bench.samples.fault("pipeline.rate", f"{name}: {confirmed} events confirmed, "
                                             f"{rows} stored")
    views = "SELECT sum(events) FROM totals WHERE grain = 0"
    wait_until(lambda: database.value(views) == rows, DRAIN_SECONDS,
               "the rollups to have every row", interval=0.05)


# --- the original's stack ------------------------------------------------------


def _peer(bench, redis, databases):
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(databases.peers())
        servers.empty_redis(redis)
        side = sides.start_peer(stack, bench.peer, bench.scratch, redis)
        sides.start_node(stack, bench.peer, bench.scratch, "processor",
                         REDIS_PORT=redis.port, DATABASE_URL=database.url,
                         CONCURRENCY=sides.PEER_CONCURRENCY)
        sides.start_node(stack, bench.peer, bench.scratch, "reporting",
                         DATABASE_URL=database.url)
        bench.warm_up(side)
        before, began = drain.peer_rows(database), time.monotonic()
        posted = bench.wrk.post(side.port, throughput.CONNECTIONS,
                                bench.plan.pipeline_seconds)
        rows, seconds = drain.peer_rows(database) - before, time.monotonic() - began
        _add_posted(bench, "peer", posted, rows / seconds)
