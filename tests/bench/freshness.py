"""How long an event takes from POST until /stats shows it, with nothing else to do."""
import contextlib
import random
import time

from bench import servers, sides
from support.events import event
from support.http import Connection

POLL_SECONDS = 0.001
LIMIT_SECONDS = 10


def measure(bench):
    with contextlib.ExitStack() as stack:
        redis = servers.start_redis(stack, bench.scratch)
        databases = servers.Databases(servers.start_postgres(stack), bench.scratch)
        database = stack.enter_context(databases.ours())
        side = sides.start_ours(stack, bench.scratch, redis)
        sides.start_daemon(stack, bench.scratch, "processor", REDIS_URL=redis.url,
                           DATABASE_URL=database.url)
        reporting = sides.start_daemon(stack, bench.scratch, "reporting",
                                       DATABASE_URL=database.url)
        _follow(bench, "ours", side.port, reporting.port)
    with contextlib.ExitStack() as stack:
        redis = servers.start_redis(stack, bench.scratch)
        databases = servers.Databases(servers.start_postgres(stack), bench.scratch)
        database = stack.enter_context(databases.peers())
        side = sides.start_peer(stack, bench.peer, bench.scratch, redis)
        sides.start_node(stack, bench.peer, bench.scratch, "processor",
                         REDIS_PORT=redis.port, DATABASE_URL=database.url,
                         CONCURRENCY=sides.PEER_CONCURRENCY)
        node = sides.start_node(stack, bench.peer, bench.scratch, "reporting",
                                DATABASE_URL=database.url)
        _follow(bench, "peer", side.port, node.port)
    bench.say("freshness: done")


def _follow(bench, name, post_port, stats_port):
    draw = random.Random(1)
    with Connection(post_port) as poster, Connection(stats_port) as asker:
        for number in range(bench.plan.idle_events):
            time.sleep(draw.uniform(0.01, 0.05))  # so as not to march in step with a timer
            bench.samples.add("visible_ms", name,
                              1000 * _one(poster, asker, f"fresh-{number}"))


def _one(poster, asker, site):
    """Seconds from sending the event until /stats has counted it."""
    began = time.monotonic()
    answer = poster.request("POST", "/event", event(site_id=site),
                            {"Content-Type": "application/json"})
    if answer.status != 200:
        raise RuntimeError(f"POST /event was answered {answer}")
    while asker.request("GET", f"/stats?site_id={site}").json()["total_views"] == 0:
        if time.monotonic() - began > LIMIT_SECONDS:
            raise RuntimeError(f"an event is not visible after {LIMIT_SECONDS} s")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began
