"""200,000 mixed events, counted to the last one.

Several sites, events sent again, late events, NULL and empty users; with one processor,
with three, and with one of three killed in the middle.  What is counted: rows in events,
the rollups against SQL over the raw rows, /stats against a count made here in Python, and
the numbers of the completed jobs.
"""
import collections
import re

import pytest

from support import rollups
from support.events import Mix, job
from support.judge import Judge
from support.load import Load
from support.redis_server import QUEUE
from support.settings import patience, scaled
from support.wait import wait_until

EVENTS = 200_000


class Expected:
    """The same figures, counted without SQL."""

    def __init__(self, events):
        self.views = collections.Counter()
        self.users = collections.defaultdict(set)
        self.paths = collections.defaultdict(collections.Counter)
        for one in {item["event_id"]: item for item in events}.values():
            for key in ((one["site_id"], None), (one["site_id"], one["timestamp"][:10])):
                self.views[key] += 1
                self.paths[key][one["path"]] += 1
                if one["user_id"] is not None:
                    self.users[key].add(one["user_id"])

    def answer(self, site_id, date):
        key = (site_id, date)
        best = sorted(self.paths[key].items(), key=lambda p: (-p[1], p[0].encode()))[:10]
        return {"site_id": site_id, "date": date, "total_views": self.views[key],
                "unique_users": len(self.users[key]),
                "top_paths": [{"path": path, "views": views} for path, views in best]}


def completed_numbers(processors):
    """Every number of a completed job that was printed, by all processors together."""
    numbers = []
    for processor in processors:
        for line in processor.stdout().splitlines():
            one = re.fullmatch(r"job completed (\d+)", line)
            many = re.fullmatch(
                r"jobs completed (\d+)-(\d+) \((\d+) events, (\d+) ms\)", line)
            assert one or many, f"what is this on stdout: {line!r}"
            first, last = (int(one[1]),) * 2 if one else (int(many[1]), int(many[2]))
            if many:
                assert int(many[3]) == last - first + 1, line
            numbers += range(first, last + 1)
    return sorted(numbers)


def check_stats(stack, events):
    expected = Expected(events)
    days = sorted(key for key in expected.views if key[1])
    for site_id, date in ([key for key in expected.views if not key[1]]
                          + days[::max(1, len(days) // 60)]):
        assert stack.stats(site_id, date) == expected.answer(site_id, date)


def send(stack, events, judge, **options):
    load = Load(stack.ingestion.port, events, connections=32, pipeline=16, judge=judge,
                **options)
    result = load.run()
    print(f"\n{result}")
    assert set(result.statuses) == {200} and not result.errors
    return result


@pytest.mark.parametrize("processors", [1, 3])
def test_mixed_events_are_counted_to_the_last_one(make_stack, processors):
    stack = make_stack(processors=processors)
    mix, judge = Mix(20251114 + processors), Judge()
    events = mix.take(scaled(EVENTS))
    send(stack, events, judge)
    stack.settle(120)
    verdict = judge.assert_clean(stack.database)
    distinct = len({one["event_id"] for one in events})
    assert distinct < len(events)  # some were sent again
    assert verdict.stored == verdict.acknowledged == distinct
    assert (verdict.dead, verdict.recovered) == (0, 0)
    assert stack.stored() == distinct
    check_stats(stack, events)
    assert completed_numbers(stack.processors) == list(range(1, len(events) + 1))
    assert stack.redis.completed() == len(events)


def test_one_of_three_processors_is_killed_in_the_middle(make_stack):
    stack = make_stack(processors=3, processor_env={"LEASE_MS": 2000, "BATCH_MAX": 500})
    mix, judge = Mix(7), Judge()
    events = mix.take(scaled(EVENTS // 5))
    load = Load(stack.ingestion.port, events, connections=32, pipeline=4, judge=judge).start()
    try:
        for number, processor in enumerate(stack.processors[:2]):
            share = len(events) * (number + 1) // 4
            wait_until(lambda: stack.redis.completed() > share, 60, "some to be stored",
                       interval=0.001)
            processor.kill9()
    finally:
        result = load.join(patience(60))
    assert set(result.statuses) == {200}
    stack.settle(60)
    verdict = judge.assert_clean(stack.database)
    assert verdict.stored == len({one["event_id"] for one in events})
    assert stack.redis.completed() == len(events)
    check_stats(stack, events)


def test_events_pushed_by_other_programs_count_too(stack):
    """Any program that can write JSON into a Redis list is a producer."""
    mix, judge = Mix(11), Judge()
    events = mix.take(scaled(20_000))
    client = stack.redis.client()
    for at in range(0, len(events), 1000):
        part = events[at:at + 1000]
        for one in part:
            judge.pushed(one)
        client.lpush(QUEUE, *(job(one) for one in part))
    send(stack, mix.take(scaled(5_000)), judge)
    stack.settle(60)
    judge.assert_clean(stack.database)
    check_stats(stack, list(judge.attempted.values()))


def test_the_processor_starts_when_the_queue_is_long(make_stack, daemons, redis, database):
    """An hour's outage of the processor, drained by a fresh one."""
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url)
    judge = Judge()
    events = Mix(13).take(scaled(50_000))
    result = Load(ingestion.port, events, connections=32, pipeline=16, judge=judge).run()
    assert set(result.statuses) == {200}
    assert redis.queue_length() == len(events)
    processor = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    wait_until(redis.is_drained, 60, "the queue to drain")
    rollups.wait_equal(database, 60)
    judge.assert_clean(database)
    assert completed_numbers([processor]) == list(range(1, len(events) + 1))
