"""Visitors without a cookie, from the request of a page to the job on the queue."""
import json

import pytest

from support.chromium import AGENT
from support.events import event
from support.metrics import scrape
from support.redis_server import QUEUE
from support.siphash import siphash, visitor_id
from support.wait import wait_until

V4, V6, V6_NEIGHBOUR = "203.0.113.77", "2001:db8:7:8::1", "2001:db8:7:8:ffff::2"
PREFIX = "{events}:salt:"
OWN = "analytics_ingestion_visitors_own_salt_total"


def collect(daemon, address=V4, headers=(), **fields):
    answer = daemon.request("POST", "/collect", {"site_id": "demo", "path": "/", **fields},
                            [("X-Forwarded-For", address), ("User-Agent", AGENT), *headers])
    assert (answer.status, answer.json()) == (200, {"status": "ok"}), answer


def visitors(redis):
    """Of each job, in the order in which they came; None: it has none."""
    with redis.client() as client:
        return [json.loads(job).get("visitor_id") for job in reversed(client.lrange(QUEUE, 0, -1))]


def shared_salt(redis, daemon):
    """That of today; near midnight the one of tomorrow is there too."""
    with redis.client() as client:
        names = wait_until(lambda: sorted(client.keys(PREFIX + "*")), 20, daemon.story)
        return client.get(names[0])


@pytest.fixture
def ingestion(daemons, redis):
    def start(server=redis, wait=True, **settings):
        return daemons.start("ingestion", wait, REDIS_URL=settings.pop("url", server.url),
                             TRUSTED_PROXIES="127.0.0.1", **settings)
    return start


def test_the_reference_has_the_values_of_the_paper():
    assert siphash(bytes(range(16)), bytes(range(15))) == 0xa129ca6149be45e5


def test_a_visitor_has_the_number_of_the_contract(ingestion, redis):
    daemon, other = ingestion(), ingestion()
    salt = shared_salt(redis, daemon)
    for one, address, fields in (
            (daemon, V4, {}), (other, V4, {"user_id": "ann"}), (daemon, V6, {}),
            (other, V6_NEIGHBOUR, {}), (daemon, V4, {"site_id": "shop"})):
        collect(one, address, **fields)
    expected = [visitor_id(salt, site, address, AGENT) for site, address in (
        ("demo", V4), ("demo", V4), ("demo", V6), ("demo", V6), ("shop", V4))]
    assert visitors(redis) == expected and len(set(expected)) == 3
    assert daemon.get("/readyz").json() == {"status": "ready"}
    assert scrape(daemon).value(OWN) == 0


def test_who_asks_not_to_be_followed_is_counted_without_a_number(ingestion, redis):
    asks = [("Sec-GPC", "1")]
    collect(ingestion(), headers=asks)
    collect(ingestion(RESPECT_GPC="false"), headers=asks)
    first, second = visitors(redis)
    assert first is None and len(second) == 16


def test_a_server_that_sends_for_itself_is_no_visitor(ingestion, redis):
    daemon = ingestion()
    assert daemon.post_event(event(), [("User-Agent", AGENT)]).status == 200
    assert visitors(redis) == [None]


def test_without_a_shared_salt_there_is_one_of_its_own(ingestion, private_redis):
    """The account may not use salts: events are taken as ever, and it is said and counted."""
    server = private_redis()
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "in", "on", ">hush", f"~{QUEUE}", "+lpush",
                               "+llen", "+info", "+ping")
    daemon = ingestion(url=server.url.replace("//", "//in:hush@"))
    collect(daemon)
    collect(daemon)
    first, second = visitors(server)
    assert first == second and len(first) == 16
    ready = daemon.get("/readyz")
    assert ready.status == 200 and "salt" in ready.json()["note"]
    assert scrape(daemon).value(OWN) == 2
    daemon.wait_log("a salt of this process alone")
    assert len(daemon.log_lines("does not share the salts")) == 1


def test_the_shared_salt_is_taken_as_soon_as_redis_is_back(ingestion, private_redis, tmp_path):
    server = private_redis()
    first = ingestion(server)
    salt = shared_salt(server, first)
    server.stop()
    late = ingestion(server, wait=False, SPOOL_DIR=tmp_path / "spool", REDIS_TIMEOUT_MS=300)
    wait_until(lambda: late.get("/healthz").status == 200, 20, late.story, retry=(OSError,))
    collect(late)
    assert scrape(late).value(OWN) == 1
    server.start()
    wait_until(lambda: late.get("/readyz").json() == {"status": "ready"}, 20, late.story)
    collect(late)
    wait_until(lambda: len(visitors(server)) == 2, 20, late.story)
    shared = visitor_id(salt, "demo", V4, AGENT)
    assert sorted(one == shared for one in visitors(server)) == [False, True]
