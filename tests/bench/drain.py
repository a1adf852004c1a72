"""A full queue to rows and rollups, by one processor with its default workers; bare COPY of
the same rows; the peer's worker on a queue of its own form."""
import contextlib
import json
import subprocess
import time

from bench import connections, events, servers, sides
from support.redis_server import QUEUE
from support.wait import wait_until

BATCH = 5_000   # the processor's BATCH_MAX
GROUP = 500     # jobs to one LPUSH when the queue is filled
COLUMNS = 'event_id, site_id, event_type, path, user_id, "timestamp"'


def measure(bench):
    jobs, copies = _write_jobs(bench), _write_copies(bench)
    peer_events = _write_peer_events(bench)
    with contextlib.ExitStack() as stack:
        everysec = servers.start_redis(stack, bench.scratch)
        always = servers.start_redis(stack, bench.scratch, "always")
        databases = servers.Databases(servers.start_postgres(stack), bench.scratch)
        for number in range(bench.plan.drain_rounds):
            _ours(bench, everysec, databases, jobs, "ours")
            _copy(bench, databases, copies)
            _peer(bench, everysec, databases, peer_events)
            if number == 0:
                _ours(bench, always, databases, jobs, "always")
            bench.say(f"drain: round {number + 1} of {bench.plan.drain_rounds}")


# --- the same events in three forms --------------------------------------------


def _numbered(count):
    return ((events.event_id(number), *event)
            for number, event in enumerate(events.stream(count)))


def write_jobs(path, count):
    """LPUSH commands for redis-cli --pipe."""
    with open(path, "wb") as out:
        group = [b"LPUSH", QUEUE.encode()]
        for number, (ident, site, kind, page, user, moment) in enumerate(_numbered(count), 1):
            group.append((f'{{"event_id":"{ident}","site_id":"{site}","event_type":"{kind}",'
                          f'"path":"{page}","user_id":"{user}","timestamp":"{moment}",'
                          f'"received_at":"{moment}"}}').encode())
            if number % GROUP == 0 or number == count:
                out.write(b"*%d\r\n" % len(group))
                out.writelines(b"$%d\r\n%s\r\n" % (len(word), word) for word in group)
                del group[2:]
    return path


def _write_jobs(bench):
    return write_jobs(bench.scratch / "jobs.resp", bench.plan.drain_jobs)


def _write_copies(bench):
    """One file of rows for each batch, and the script that copies them."""
    folder = bench.scratch / "copies"
    folder.mkdir()
    script = folder / "copy.sql"
    rows = _numbered(bench.plan.drain_jobs)
    with open(script, "w", encoding="utf-8") as commands:
        for number in range(-(-bench.plan.drain_jobs // BATCH)):
            path = folder / f"{number}.tsv"
            with open(path, "w", encoding="utf-8") as out:
                for _, row in zip(range(BATCH), rows):
                    out.write("\t".join(row) + "\n")
            commands.write(f"\\copy events ({COLUMNS}) FROM '{path}'\n")
    return script


def _write_peer_events(bench):
    path = bench.scratch / "peer-events.jsonl"
    with open(path, "w", encoding="utf-8") as out:
        for site, kind, page, user, moment in events.stream(bench.plan.peer_drain_jobs):
            out.write(json.dumps({"site_id": site, "event_type": kind, "path": page,
                                  "user_id": user, "timestamp": moment}) + "\n")
    return path


# --- the three drains ----------------------------------------------------------


def fill(redis, jobs):
    with open(jobs, "rb") as commands:
        done = subprocess.run(["redis-cli", "-p", str(redis.port), "--pipe"], text=True,
                              stdin=commands, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    if done.returncode != 0 or "errors: 0" not in done.stdout:
        raise RuntimeError(f"filling the queue failed:\n{done.stdout}")


def _ours(bench, redis, databases, jobs, name):
    """From the start of the processor until all is stored, acknowledged and rolled up."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(databases.ours())
        servers.empty_redis(redis)
        fill(redis, jobs)
        count = redis.queue_length()

        def is_done():
            return (redis.completed() == count
                    and database.value("SELECT position FROM rollup_state") >= count)
        began = time.monotonic()
        processor = sides.start_daemon(stack, bench.scratch, "processor",
                                       REDIS_URL=redis.url, DATABASE_URL=database.url)
        wait_until(is_done, 300, "the queue to drain", interval=0.02)
        bench.samples.add("drain.rate", name, count / (time.monotonic() - began))
        bench.samples.add("memory", "processor", connections.peak_mib(processor))
        _check(bench, database, name, count)


def _check(bench, database, name, count):
    rows = database.value("SELECT count(*) FROM events")
    views = database.value("SELECT sum(events) FROM totals WHERE grain = 0")
    if not rows == views == count:
        bench.samples.fault("drain.rate", f"{name}: of {count} jobs {rows} became rows and "
                                          f"{views} views")


def _copy(bench, databases, script):
    with databases.ours() as database:
        began = time.monotonic()
        servers.psql(database, "-f", script)
        seconds = time.monotonic() - began
        rows = database.value("SELECT count(*) FROM events")
        bench.samples.add("drain.rate", "copy", rows / seconds)


def _peer(bench, redis, databases, path):
    """Without the time that its start takes."""
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(databases.peers())
        servers.empty_redis(redis)
        subprocess.run(["node", bench.peer / "fill.js", path], check=True,
                       env={"PATH": "/usr/local/bin:/usr/bin:/bin",
                            "REDIS_PORT": str(redis.port)})
        sides.start_node(stack, bench.peer, bench.scratch, "processor",
                         REDIS_PORT=redis.port, DATABASE_URL=database.url,
                         CONCURRENCY=sides.PEER_CONCURRENCY)
        first, began = peer_rows(database), time.monotonic()
        wait_until(lambda: peer_rows(database) >= bench.plan.peer_drain_jobs, 300,
                   "the peer's queue to drain", interval=0.02)
        bench.samples.add("drain.rate", "peer", (bench.plan.peer_drain_jobs - first)
                          / (time.monotonic() - began))


def peer_rows(database):
    return database.value("SELECT last_value FROM events_id_seq")
