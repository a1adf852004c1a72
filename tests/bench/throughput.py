"""POST /event at 64 connections, all sides round by round; LPUSH alone; what a queued
event takes of Redis."""
import contextlib
import subprocess

from bench import events, servers, sides

CONNECTIONS = 64
# Redis keeps 2 MB at the ends of the list as they are (list-compress-depth): a job of 220
# bytes takes 215 in a queue of 10,000, 108 in one of 40,000 and 72 in one of 500,000.
COMPRESSED_JOBS = 100_000


def measure(bench):
    with contextlib.ExitStack() as stack:
        everysec = servers.start_redis(stack, bench.scratch)
        always = servers.start_redis(stack, bench.scratch, "always")
        peers = servers.start_redis(stack, bench.scratch)
        contenders = [
            sides.start_ours(stack, bench.scratch, everysec),
            sides.start_peer(stack, bench.peer, bench.scratch, peers),
            sides.start_bare(stack, bench.scratch),
            sides.start_ours(stack, bench.scratch, always, name="always"),
        ]
        for side in contenders:
            side.prepare()
            bench.warm_up(side)
        for number in range(bench.plan.rounds):
            for side in contenders:
                _post(bench, side)
            _post_at_peers_rate(bench, contenders[0])
            _lpush(bench, everysec)
            bench.say(f"POST /event: round {number + 1} of {bench.plan.rounds}")


def _post(bench, side):
    side.prepare()
    empty = side.memory_bytes() if side.redis else 0
    result = bench.wrk.post(side.port, CONNECTIONS, bench.plan.seconds)
    if not result.is_clean:
        bench.samples.fault("post.rate", f"{side.name}: {result.bad} refused, "
                                         f"{result.errors} connections failed")
    bench.samples.add("post.rate", side.name, result.rate)
    bench.samples.add("post.p50_ms", side.name, result.p50)
    bench.samples.add("post.p99_ms", side.name, result.p99)
    if side.redis:
        _check_queue(bench, side, result)
        if side.name == "peer" or side.queued() >= COMPRESSED_JOBS:
            bench.samples.add("redis.bytes", side.name,
                              (side.memory_bytes() - empty) / side.queued())


def _post_at_peers_rate(bench, side):
    """How long an answer takes under the load at which the original's stack is at its end."""
    side.prepare()
    result = bench.wrk.post_paced(side.port, CONNECTIONS, bench.plan.seconds,
                                  bench.samples.of("post.rate", "peer")[-1])
    if not result.is_clean:
        bench.samples.fault("post.p99_ms", f"paced: {result}")
    bench.samples.add("post.p99_ms", "paced", result.p99)


def _check_queue(bench, side, result):
    """What was confirmed is there; what was under way when wrk ended may be."""
    queued, confirmed = side.queued(), result.requests - result.bad
    if not confirmed <= queued <= confirmed + CONNECTIONS + result.errors:
        bench.samples.fault("post.rate", f"{side.name}: {confirmed} events confirmed, "
                                         f"{queued} queued")


def _lpush(bench, redis):
    """The queue's limit: jobs of the size of ours, one to a command."""
    site, kind, path, user, moment = next(events.stream(1))
    job = ('{"event_id":"%s","site_id":"%s","event_type":"%s","path":"%s","user_id":"%s",'
           '"timestamp":"%s","received_at":"%s"}'
           % (events.event_id(0)[:-12] + "__rand_int__", site, kind, path, user, moment,
              moment))
    for side, pipeline in (("single", 1), ("pipelined", 64)):
        servers.empty_redis(redis)
        done = subprocess.run(
            ["redis-benchmark", "-p", str(redis.port), "-c", str(CONNECTIONS), "-n",
             str(bench.plan.redis_requests), "-P", str(pipeline), "-r", "1000000", "--csv",
             "LPUSH", "bench", job],
            check=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        bench.samples.add("lpush.rate", side, rate_of(done.stdout))


def rate_of(output):
    """The column after the command in the last line of redis-benchmark's CSV; the
    command's own quotes are not escaped there."""
    return float(output.strip().splitlines()[-1].rsplit(",", 7)[1].strip('"'))
