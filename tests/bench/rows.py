"""The rows of the result: what is compared with what, what to reach and what to aim at."""
import dataclasses
import statistics

FALL = 0.15  # a ratio that is worse by more than this share has fallen


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    what: str
    ours: tuple             # (measure, side)
    theirs: tuple = None
    against: str = ""
    unit: str = "×"
    reach: float = None
    aim: float = None
    is_less_better: bool = False
    # theirs/ours instead of ours/theirs: of times, so that more is better
    is_inverted: bool = False
    is_worst: bool = False  # the worst of all rounds counts, not the median
    # whether another machine, or a shorter run, should give about the same
    is_lasting: bool = True

    def values(self, samples):
        if self.theirs is None:
            return samples.of(*self.ours)
        if self.is_inverted:
            return samples.ratios(self.theirs, self.ours)
        return samples.ratios(self.ours, self.theirs)

    def value(self, values):
        if not self.is_worst:
            return statistics.median(values)
        return max(values) if self.is_less_better else min(values)

    def is_met(self, value, limit):
        return value <= limit if self.is_less_better else value >= limit

    def verdict(self, value, faults):
        if faults:
            return "broken: " + faults[0]
        if self.reach is None:
            return ""
        if self.aim is not None and self.is_met(value, self.aim):
            return "aim"
        return "reached" if self.is_met(value, self.reach) else "missed"

    def has_fallen(self, value, committed):
        if self.is_less_better:
            return value > committed * (1 + FALL)
        return value < committed * (1 - FALL)


PEER = "the original's stack"


def _connections(count):
    return Row(f"connections.{count}", f"POST /event, {count:,} connections",
               ("connections.rate", str(count)), ("connections.rate", "64"),
               "64 connections", reach=0.7, aim=0.9)


def _memory(daemon, when):
    return Row(f"memory.{daemon}", f"memory of {daemon}, {when}", ("memory", daemon),
               unit="MiB", reach=32, aim=16, is_less_better=True, is_worst=True)


ROWS = (
    Row("ingestion.peer", "POST /event, 64 connections", ("post.rate", "ours"),
        ("post.rate", "peer"), PEER, reach=13, aim=18),
    Row("ingestion.bare", "POST /event, 64 connections", ("post.rate", "ours"),
        ("post.rate", "bare"), "libmicrohttpd alone, 1 thread", reach=0.5, aim=0.7),
    Row("ingestion.lpush", "POST /event, 64 connections", ("post.rate", "ours"),
        ("lpush.rate", "single"), "redis-benchmark LPUSH, 64 clients"),
    Row("ingestion.lpush_pipelined", "POST /event, 64 connections", ("post.rate", "ours"),
        ("lpush.rate", "pipelined"), "the same, 64 to a pipeline"),
    Row("always.peer", "the same, appendfsync always", ("post.rate", "always"),
        ("post.rate", "peer"), PEER + ", everysec", reach=10, aim=14),
    *(_connections(count) for count in (16, 128, 256, 1000)),
    Row("latency.peer", "p99 at 64 connections", ("post.p99_ms", "ours"),
        ("post.p99_ms", "peer"), PEER, reach=10, aim=20, is_inverted=True),
    Row("latency.always", "the same, appendfsync always", ("post.p99_ms", "always"),
        ("post.p99_ms", "peer"), PEER + ", everysec", is_inverted=True),
    Row("latency.paced", "p99 at the original's own rate", ("post.p99_ms", "paced"),
        ("post.p99_ms", "peer"), PEER + ", which can no more", reach=10, aim=20,
        is_inverted=True, is_lasting=False),
    Row("latency.running", "p99 with everything running", ("pipeline.p99_ms", "ours"),
        ("pipeline.p99_ms", "peer"), PEER, reach=30, aim=100, is_inverted=True,
        is_lasting=False),
    Row("latency.running_paced", "the same, at the original's own rate",
        ("pipeline.p99_ms", "paced"), ("pipeline.p99_ms", "peer"),
        PEER + ", which can no more", reach=30, aim=100, is_inverted=True,
        is_lasting=False),
    Row("pipeline.peer", "rows stored while loading", ("pipeline.rate", "ours"),
        ("pipeline.rate", "peer"), PEER, reach=20, aim=30),
    Row("pipeline.always", "the same, appendfsync always", ("pipeline.rate", "always"),
        ("pipeline.rate", "peer"), PEER + ", everysec"),
    Row("pipeline.lag", "/stats behind what is stored, at worst", ("pipeline.lag_s", "ours"),
        unit="s", reach=2, aim=0.5, is_less_better=True, is_worst=True,
        is_lasting=False),
    Row("drain.copy", "full queue to rows and rollups", ("drain.rate", "ours"),
        ("drain.rate", "copy"), "bare COPY", reach=0.80, aim=1.2),
    Row("drain.always", "the same, appendfsync always", ("drain.rate", "always"),
        ("drain.rate", "copy"), "bare COPY"),
    Row("drain.peer", "full queue to rows and rollups", ("drain.rate", "ours"),
        ("drain.rate", "peer"), PEER + " (no rollups)"),
    Row("freshness.idle", "POST to visible, idle", ("visible_ms", "ours"), unit="ms",
        reach=50, aim=15, is_less_better=True, is_lasting=False),
    Row("stats.large", "p50 of /stats, a large site", ("stats.p50_ms", "large"),
        ("stats.p50_ms", "small"), "one with 10,000 events", reach=2, aim=1.2, is_less_better=True),
    Row("stats.peer", "p50 of /stats, a large site", ("stats.p50_ms", "large"),
        ("stats.p50_ms", "peer"), PEER, reach=100, aim=500, is_inverted=True,
        is_lasting=False),
    Row("stats.writes", "p99 of /stats under writes", ("pipeline.stats_p99_ms", "ours"),
        unit="ms", reach=50, aim=15, is_less_better=True, is_lasting=False),
    Row("users.error", "unique users, largest error", ("users.error_percent", "largest"),
        unit="%", reach=2.5, aim=1, is_less_better=True, is_lasting=False),
    _memory("ingestion", "1,000 connections"),
    _memory("processor", "after draining"),
    _memory("reporting", "under load"),
    Row("redis.bytes", "Redis, for each queued event", ("redis.bytes", "ours"),
        unit="bytes", reach=220, aim=120, is_less_better=True),
    Row("redis.peer", "Redis, for each queued event", ("redis.bytes", "ours"),
        ("redis.bytes", "peer"), PEER, is_inverted=True),
    *(Row(f"cpu.{part}", f"processor time an event, {title}", ("cpu_us", part), unit="µs",
          is_less_better=True, is_lasting=False)
      for part, title in (
          ("wrk", "wrk itself"), ("ingestion", "ingestion"), ("redis", "Redis"),
          ("processor", "processor"), ("postgres_copy", "COPY"),
          ("postgres_rollup", "roll-up"), ("postgres_rest", "Postgres' rest"))),
    Row("ways.batch", "POST /batch, 1,000 events each", ("ways.rate", "batch"),
        ("ways.rate", "event"), "POST /event, 64 connections", reach=3, is_lasting=False),
    Row("ways.collect", "POST /collect with browser and visitor", ("ways.rate", "collect"),
        ("ways.rate", "event"), "POST /event, 64 connections", reach=0.85, aim=0.95,
        is_lasting=False),
    *(Row(f"cliffs.us.{name}", f"roll-up, an event, {title}", ("cliffs.us", name), unit="µs",
          reach=reach, aim=aim, is_less_better=True, is_lasting=False)
      for name, title, reach, aim in (("fields", "the least fields", 8, 5),
                                      ("filled", "all filled, three a visit", 14, 9),
                                      ("sites", "the same on 10,000 sites", None, None),
                                      ("paths", "each a new path", 12, 8))),
    *(Row(f"cliffs.chunk.{name}", f"longest chunk of the roll-up, {name}",
          ("cliffs.chunk", name), unit="s", reach=1, aim=0.3, is_less_better=True,
          is_worst=True, is_lasting=False)
      for name in ("fields", "filled", "sites", "paths")),
    Row("rebuild.s", "a site counted anew, all its events", ("rebuild.s", "events"), unit="s",
        reach=180, aim=90, is_less_better=True, is_lasting=False),
    Row("rebuild.us", "the same, an event", ("rebuild.us", "events"), unit="µs",
        is_less_better=True, is_lasting=False),
    *(Row(f"sketches.{name}", f"unique users of a {name}, root mean square error",
          ("sketches.rms_percent", name), unit="%", reach=reach, is_less_better=True,
          is_lasting=False)
      for name, reach in (("site", 1), ("value", 3))),
    Row("questions.peer", "/stats, 90 questions, 64 connections", ("questions.rate", "ours"),
        ("questions.rate", "node"), "Node.js with the same SQL", reach=8, aim=15,
        is_lasting=False),
    Row("questions.unkept", "the same, no answer is kept", ("questions.rate", "unkept"),
        ("questions.rate", "node"), "Node.js with the same SQL", is_lasting=False),
    *(Row(f"raw.ms.{name}-{count}", f"{title}, {count // 1_000_000} million raw events",
          ("raw.ms", f"{name}-{count}"), unit="ms", reach=reach, aim=aim, is_less_better=True,
          is_lasting=False)
      for count, reach, aim in ((1_000_000, 500, 200), (10_000_000, 2000, 1000))
      for name, title in (("page", "pages of two sources"), ("pages", "pages, country is not"),
                          ("source", "sources of pages"), ("two", "totals, page and country"),
                          ("events", "totals, page and type"),
                          ("series", "days, source and country"), ("prop", "a property"),
                          ("own", "a property, one value"))),
    *(Row(f"ways.us.{name}", f"processor time of ingestion, an event of /{name}",
          ("ways.us", name), unit="µs", is_less_better=True, is_lasting=False)
      for name in ("event", "batch", "collect")),
    *(Row(f"keys.copy.{name}", f"COPY a row, {title}", ("keys.copy_us", name), unit="µs",
          reach=reach, aim=aim, is_less_better=True, is_lasting=False)
      for name, title, reach, aim in (("v4", "event_ids of version 4", 11, 8),
                                      ("v7", "of version 7", 8, 6.5),
                                      ("late", "late over 12 months", 14, 10))),
    *(Row(f"keys.wal.{name}", f"WAL a row, {title}", ("keys.wal_bytes", name), unit="bytes",
          reach=reach, aim=aim, is_less_better=True, is_lasting=False)
      for name, title, reach, aim in (("v4", "event_ids of version 4", 600, 480),
                                      ("v7", "of version 7", None, None),
                                      ("late", "late over 12 months", None, None))),
    Row("keys.bytes", "database, an ordinary event", ("keys.row_bytes", "v7"), unit="bytes",
        reach=230, aim=180, is_less_better=True, is_lasting=False),
    *(Row(f"scaling.{what}.{count}", f"instructions an event, {count} {what}",
          ("scaling." + what, str(count)), ("scaling." + what, "1"), "with 1", reach=1.1,
          is_less_better=True)
      for what in ("loops", "processors") for count in (2, 4)),
)


def result(row, samples):
    """The row as it is printed and written, or None when it was not measured."""
    values = row.values(samples)
    if not values:
        return None
    value = row.value(values)
    faults = samples.faults.get(row.ours[0], [])
    return {
        "key": row.key, "what": row.what, "against": row.against, "unit": row.unit,
        "value": round(value, 4), "low": round(min(values), 4),
        "high": round(max(values), 4), "rounds": len(values),
        "ours": samples.median(*row.ours),
        "theirs": samples.median(*row.theirs) if row.theirs else None,
        "reach": row.reach, "aim": row.aim, "is_less_better": row.is_less_better,
        "verdict": row.verdict(value, faults),
    }


def results(samples):
    made = (result(row, samples) for row in ROWS)
    return [one for one in made if one]


def fallen(found, committed):
    """The results that are worse than in the committed run, with what they were."""
    rows = {row.key: row for row in ROWS}
    old = {one["key"]: one["value"] for one in committed}
    return [(one, old[one["key"]]) for one in found
            if one["key"] in old and rows[one["key"]].is_lasting
            and rows[one["key"]].has_fallen(one["value"], old[one["key"]])]
