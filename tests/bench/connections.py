"""Ingestion at other numbers of connections, and its memory with the most of them."""
import contextlib
import re

from bench import servers, sides


def measure(bench):
    with contextlib.ExitStack() as stack:
        redis = servers.start_redis(stack, bench.scratch)
        side = sides.start_ours(stack, bench.scratch, redis)
        side.prepare()
        bench.warm_up(side)
        for number in range(bench.plan.connection_rounds):
            for count in (64, *bench.plan.connections):
                _post(bench, side, count)
            bench.say(f"connections: round {number + 1} of {bench.plan.connection_rounds}")
        bench.samples.add("memory", "ingestion", peak_mib(side.daemon))


def _post(bench, side, count):
    side.prepare()
    result = bench.wrk.post(side.port, count, bench.plan.seconds)
    if not result.is_clean:
        bench.samples.fault("connections.rate", f"at {count} connections {result.bad} "
                            f"refused, {result.errors} failed")
    bench.samples.add("connections.rate", str(count), result.rate)
    bench.samples.add("connections.p99_ms", str(count), result.p99)


def peak_mib(daemon):
    """The most that the process ever had resident, shared libraries included."""
    with open(f"/proc/{daemon.process.pid}/status", encoding="utf-8") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024
