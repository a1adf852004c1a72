"""Ways in beside POST /event: rates and processor time of /batch and /collect, one loop, side by
side; and what a row costs Postgres by the order of its event_id and time.

The last fills a month, and then the twelve before, with rows, and has the processor store jobs
on top: with event_ids of version 4, of version 7, and late events.  The roll-up is held up
meanwhile, so that WAL and processor time are those of COPY."""
import contextlib
import datetime
import random
import time
import uuid

from bench import cpu, events, servers, sides
from bench.drain import GROUP, fill
from support.redis_server import QUEUE
from support.wait import wait_until

CONNECTIONS = 64
BATCH = 1_000
CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
          " Chrome/126.0.0.0 Safari/537.36")
ROLLUP_LOCK = "SELECT pg_advisory_lock(rollup_lock_key())"


def measure(bench):
    _doors(bench)
    _keys(bench)


# --- requests --------------------------------------------------------------------------


def _event(number):
    site, kind, page, user, moment = next(events.stream(1, number))
    return (f'{{"site_id":"{site}","event_type":"{kind}","path":"{page}",'
            f'"user_id":"{user}","timestamp":"{moment}"}}')


def _write(bench, name, target, body, headers=""):
    path = bench.scratch / f"{name}.request"
    path.write_text(f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
                    f"Content-Length: {len(body)}\r\n\r\n{body}", newline="")
    return path


def _doors(bench):
    browser = f"User-Agent: {CHROME}\r\nAccept-Language: de-DE,de;q=0.9\r\n"
    page = ('{"site_id":"site-1","url":"https://shop.example/articles/7?utm_source=news",'
            '"referrer":"https://www.google.de/","screen_width":1280}')
    doors = {
        "event": (1, _write(bench, "event", "/event", _event(7))),
        "batch": (BATCH, _write(bench, "batch", "/batch",
                                "[" + ",".join(map(_event, range(BATCH))) + "]")),
        "collect": (1, _write(bench, "collect", "/collect", page, browser)),
    }
    with contextlib.ExitStack() as stack:
        redis = servers.start_redis(stack, bench.scratch)
        daemon = sides.start_daemon(stack, bench.scratch, "ingestion", REDIS_URL=redis.url)
        for number in range(bench.plan.rounds):
            for name, (size, request) in doors.items():
                _post(bench, redis, daemon, name, size, request)
            bench.say(f"ways in: round {number + 1} of {bench.plan.rounds}")


def _post(bench, redis, daemon, name, size, request):
    servers.empty_redis(redis)
    before = cpu.of_process(daemon.process.pid)
    result = bench.wrk.repeat(daemon.port, CONNECTIONS if size == 1 else 8,
                              bench.plan.seconds, request)
    used = cpu.of_process(daemon.process.pid) - before
    if not result.is_clean:
        bench.samples.fault("ways.rate", f"{name}: {result}")
    bench.samples.add("ways.rate", name, result.rate * size)
    bench.samples.add("ways.us", name, used * 1e6 / (result.requests * size))


# --- rows ------------------------------------------------------------------------------


def _write_jobs(path, count, make):
    with open(path, "wb") as out:
        group = [b"LPUSH", QUEUE.encode()]
        for number, (site, kind, page, user, _) in enumerate(events.stream(count), 1):
            ident, moment = make(number)
            group.append((f'{{"event_id":"{ident}","site_id":"{site}","event_type":"{kind}",'
                          f'"path":"{page}","user_id":"{user}","timestamp":"{moment}"}}').encode())
            if number % GROUP == 0 or number == count:
                out.write(b"*%d\r\n" % len(group))
                out.writelines(b"$%d\r\n%s\r\n" % (len(word), word) for word in group)
                del group[2:]
    return path


def _iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _forms():
    """What is there before, in months, and then what comes: a function from a number to event_id
    and time."""
    draw = random.Random(events.SEED)
    day = events.today()

    def now(number):
        return _iso(day + datetime.timedelta(milliseconds=5 * number))

    def random_id():
        return uuid.UUID(int=draw.getrandbits(128), version=4)
    return (("v4", 1, lambda number: (random_id(), now(number))),
            ("v7", 1, lambda number: (events.event_id(number), now(number))),
            ("late", 12, lambda number: (random_id(), _iso(
                day - datetime.timedelta(days=draw.random() * 364)))))


PRELOAD = """INSERT INTO events (site_id, event_type, path, user_id, "timestamp")
    SELECT 'site-' || n %% 10, 'page_view', '/articles/' || (random() ^ 4 * 1000)::int,
           'user-' || (random() * 100000)::int,
           date_trunc('day', now()) - %s::interval * (1 - n::float8 / %s)
      FROM generate_series(1, %s) n"""


def _keys(bench):
    with contextlib.ExitStack() as stack:
        redis = servers.start_redis(stack, bench.scratch)
        server = servers.start_postgres(stack)
        databases = servers.Databases(server, bench.scratch)
        for name, months, make in _forms():
            jobs = _write_jobs(bench.scratch / f"{name}.resp", bench.plan.key_jobs, make)
            _key(bench, redis, server, databases, name, months, jobs)
            jobs.unlink()
            bench.say(f"keys: {name}")


def _key(bench, redis, server, databases, name, months, jobs):
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(databases.ours())
        servers.empty_redis(redis)
        processor = sides.start_daemon(stack, bench.scratch, "processor", REDIS_URL=redis.url,
                                       DATABASE_URL=database.url)
        database.rows(ROLLUP_LOCK)  # by a connection that is there until the end
        rows = bench.plan.key_rows
        span = "27 days" if months == 1 else f"{months * 30} days"
        database.rows(PRELOAD, (span, rows, rows))
        database.rows("CHECKPOINT")
        meter = cpu.Meter({"processor": processor.process.pid}, server, database)
        wal = database.value("SELECT pg_current_wal_lsn()")
        size = database.value("SELECT pg_database_size(current_database())")
        began = time.monotonic()
        fill(redis, jobs)
        count = bench.plan.key_jobs
        wait_until(lambda: redis.completed() == count, 600, "the jobs to be stored", interval=0.1)
        seconds = time.monotonic() - began
        used = meter.spent()
        wal = database.value("SELECT pg_current_wal_lsn() - %s", (wal,))
        bench.samples.add("keys.rate", name, count / seconds)
        bench.samples.add("keys.copy_us", name, used["postgres_copy"] * 1e6 / count)
        bench.samples.add("keys.wal_bytes", name, float(wal) / count)
        bench.samples.add("keys.row_bytes", name, (database.value(
            "SELECT pg_database_size(current_database())") - size) / count)
