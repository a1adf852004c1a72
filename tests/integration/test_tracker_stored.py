"""The tracker in a real browser against the real ingestion: what is in the queue then."""
import json

import pytest

from support.chromium import chromium
from support.redis_server import QUEUE
from support.tracked_site import tracked_site
from support.wait import wait_until


@pytest.fixture
def page():
    with chromium() as browser:
        yield browser.open()


@pytest.fixture
def site(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    with tracked_site() as site:
        site.stats = f"http://stats.example:{daemon.port}"
        yield site


def wait_jobs(redis, count):
    def jobs():
        with redis.client() as client:
            found = [json.loads(job) for job in client.lrange(QUEUE, 0, -1)]
        return found if len(found) >= count else None
    return sorted(wait_until(jobs, 20, lambda: f"{count} jobs; came "
                             f"{redis.client().lrange(QUEUE, 0, -1)}"),
                  key=lambda one: one["timestamp"])


LOSE = """<script>const send = fetch; window.fetch = (...all) => send(...all).then(() => {
    throw new TypeError("lost") }); navigator.sendBeacon = () => false;</script>"""


def test_views_events_and_engagements_are_queued(site, redis, page):
    page.go(site.lay("/a", attributes="data-outbound") + "?utm_source=news&secret=1")
    wait_jobs(redis, 1)
    page.run("track('signup', {plan: 'pro'})")
    wait_jobs(redis, 2)
    page.see(1200)
    page.go(site.lay("/b", head=LOSE))  # stored, and then sent once more by the pixel
    jobs = wait_jobs(redis, 5)
    assert not page.problems()
    view, signup, engagement = jobs[:3]
    assert view["event_type"] == "page_view" and view["path"] == "/a"
    assert view["hostname"] == "shop.example" and view["utm_source"] == "news"
    assert view["browser"] == "Chrome" and view["os"] == "Linux" and view["device"] == "desktop"
    assert signup["props"] == {"plan": "pro"} and signup["event_type"] == "signup"
    assert engagement["duration_ms"] >= 1000 and engagement["scroll"] == 100
    assert engagement["path"] == "/a"
    assert len({one["visitor_id"] for one in jobs}) == 1 and len(view["visitor_id"]) == 16
    first, again = ({name: value for name, value in one.items() if name != "received_at"}
                    for one in jobs[3:])
    assert first == again and first["path"] == "/b"
    assert b"secret" not in b"".join(redis.client().lrange(QUEUE, 0, -1))
