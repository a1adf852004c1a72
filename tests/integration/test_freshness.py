"""How long after POST /event its event shows in GET /stats: measured, printed, bounded."""
import statistics
import time

from support.events import Mix, event, new_id
from support.http import Connection
from support.load import Load
from support.settings import patience, scaled
from support.wait import wait_until


def measure(stack, rounds):
    """Seconds from sending an event of a new site to seeing it, one after the other."""
    taken = []
    with Connection(stack.ingestion.port, timeout=patience(10)) as door, \
            Connection(stack.reporting.port, timeout=patience(10)) as window:
        for _ in range(rounds):
            site = f"fresh-{new_id()}"
            began = time.monotonic()
            assert door.request("POST", "/event", event(site_id=site)).status == 200

            def shows():
                answer = window.request("GET", f"/stats?site_id={site}")
                assert answer.status == 200, answer
                return answer.json()["total_views"] == 1
            wait_until(shows, 10, f"{site} to show in /stats", interval=0.001)
            taken.append(time.monotonic() - began)
    return taken


def describe(name, taken):
    ordered = sorted(taken)
    print(f"\nfreshness {name}: median {statistics.median(taken) * 1e3:.1f} ms, "
          f"p90 {ordered[int(len(ordered) * .9)] * 1e3:.1f} ms, "
          f"max {ordered[-1] * 1e3:.1f} ms ({len(taken)} events)")


def test_an_event_shows_at_once_when_nothing_else_happens(stack):
    measure(stack, 3)  # connections, plans and caches
    taken = []
    for _ in range(scaled(15, at_least=5)):
        stack.settle()  # idle again
        taken += measure(stack, 1)
    describe("idle", taken)
    assert statistics.median(taken) < patience(0.5)
    assert max(taken) < patience(2)


def test_events_one_after_the_other_show_in_time(stack):
    taken = measure(stack, scaled(40, at_least=10))
    describe("one after the other", taken)
    assert max(taken) < patience(2)


def test_an_event_shows_in_time_under_load(stack):
    """2,000 events a second, much less than what the suite can take."""
    def endless():
        mix = Mix(1, sites=3, users=1000, repeats=0)
        while True:
            yield mix.next()
    load = Load(stack.ingestion.port, endless(), connections=8, rate=scaled(2000)).start()
    try:
        wait_until(lambda: stack.redis.completed() > scaled(3000), 30, "the load to flow")
        taken = measure(stack, scaled(20, at_least=5))
    finally:
        load.stop()
        result = load.join()
    describe(f"under load ({result.answers / result.seconds:.0f} events/s)", taken)
    assert set(result.statuses) == {200}
    assert statistics.median(taken) < patience(2)
    assert max(taken) < patience(4)
    stack.settle(60)
