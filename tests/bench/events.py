"""The events of the benchmark, the same for every side: 10 sites, 1,000 paths each with
Zipf-like frequencies, 100,000 users, each event different by its timestamp.

wrk gets its pool of (site, type, path) from a file written here and adds user and time
itself (post.lua); the queue and COPY get whole events from stream().
"""
import bisect
import datetime
import itertools
import json
import random

SITES = 10
PATHS = 1_000
USERS = 100_000
POOL = 20_000  # drawn (site, type, path) that events are made of
SEED = 20251114
DAY_MS = 86_400_000

TYPES = ("page_view",) * 8 + ("click", "signup")


def today():
    """Midnight of the present day in UTC: where a live tracker's events are."""
    return datetime.datetime.now(datetime.timezone.utc).replace(
        hour=0, minute=0, second=0, microsecond=0)


def _pool():
    draw = random.Random(SEED)
    weights = list(itertools.accumulate(1 / rank for rank in range(1, PATHS + 1)))

    def path():
        rank = bisect.bisect_left(weights, draw.random() * weights[-1])
        return f"/articles/{rank}"
    return [(f"site-{draw.randrange(SITES)}", draw.choice(TYPES), path())
            for _ in range(POOL)]


def stream(count, start=0):
    """Yields count events as (site_id, event_type, path, user_id, timestamp)."""
    draw = random.Random(SEED + start)
    pool = _pool()
    day = today().strftime("%Y-%m-%dT")
    for number in range(start, start + count):
        seconds, ms = divmod(number % DAY_MS, 1000)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        yield (*pool[int(draw.random() * POOL)], f"user-{int(draw.random() * USERS):06d}",
               f"{day}{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}Z")


def event_id(number):
    """A UUID of version 7 whose time is the present day and whose order is number's."""
    moment = int(today().timestamp() * 1000) + number // 8 % DAY_MS
    text = f"{moment:012x}7{number % 4096:03x}8{number * 2654435761 % (1 << 60):015x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def write_pool(path):
    """The pool as a Lua file, for post.lua: heads of requests up to the user's number."""
    with open(path, "w", encoding="utf-8") as out:
        out.write("return {\n")
        for site, kind, page in _pool():
            body = (f'{{"site_id":"{site}","event_type":"{kind}","path":"{page}",'
                    f'"user_id":"user-')
            length = len(body) + len(f'123456","timestamp":"{"T" * 24}"}}')
            out.write("  %s,\n" % json.dumps(
                "POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"))
        out.write("}\n")
