"""usage: scripts/soak strangers [REQUESTS]

REQUESTS (1,000,000) each of: distinct User-Agents, forged X-Forwarded-For, shapes of props, pixels
with 4 KB of query, and a hundredth of that of batches of 1,000 broken events, against one ingestion;
beside them a client that sends an event, waits and rests.  Says how ingestion's memory grew in
the last three quarters of each, and the client's 99th percentile.  Exit code 0: memory was flat.
"""
import pathlib
import sys
import tempfile
import threading
import time

from support.redis_server import QUEUE, RedisServer
from support.stack import Daemons
from support.strangers import KINDS, Strangers, good_client

FLAT_KIB = 8192
PIECES = 8


def percentile(times):
    return times[int(0.99 * (len(times) - 1))]


def send(daemon, redis, make, count):
    """The memory after the first quarter and at the end, and the good client's times."""
    client, times, seen = Strangers(daemon.port), [], []
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            times.extend(good_client(daemon.port, 1))
    beside = threading.Thread(target=watch)
    beside.start()
    try:
        for piece in range(PIECES):
            client.send(make, piece * count // PIECES, count // PIECES)
            seen.append(daemon.rss_kib())
            with redis.client() as queue:
                queue.delete(QUEUE)
    finally:
        stop.set()
        beside.join()
        client.close()
    return seen[1], seen[-1], sorted(times), client.statuses


def main(requests="1000000"):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        redis = RedisServer(pathlib.Path(folder) / "redis").start()
        daemons = Daemons(pathlib.Path(folder))
        daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1,
                               TRUSTED_PROXIES="127.0.0.1")
        print(f"alone: p99 of a good client {percentile(good_client(daemon.port, 5)):.1f} ms", flush=True)
        for name, make, share in KINDS:
            count, began = int(requests) * share // 100, time.monotonic()
            before, after, times, statuses = send(daemon, redis, make, count)
            print(f"{name}: {count:,} requests in {time.monotonic() - began:.0f} s, answers {sorted(statuses)}, "
                  f"memory {before:,} to {after:,} KiB, p99 of a good client {percentile(times):.1f} ms", flush=True)
            if after - before > FLAT_KIB or not statuses <= {200, 400}:
                wrong.append(name)
        wrong += daemons.finish()
        redis.stop()
    for one in wrong:
        print(f"WRONG: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
