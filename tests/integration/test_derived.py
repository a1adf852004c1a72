"""What ingestion makes of a request's headers and address, end to end: browser by client hints,
place by a database and by a proxy's header, bots by lists that are read again."""
import json
import signal

import pytest

from support.events import event
from support.metrics import scrape
from support.settings import SOURCE

DATABASE = SOURCE / "tests/data/places.mmdb"
SAFARI = ("Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/17.4 Mobile/15E148 Safari/604.1")
LINUX = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
         "Safari/537.36")
DERIVED = ("browser", "browser_version", "os", "os_version", "device", "country", "region", "city")
DROPPED = {"status": "dropped", "reason": "bot"}


@pytest.fixture
def ingestion(daemons, redis):
    """One behind a proxy on this machine, with a database of places."""
    def start(**settings):
        return daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1, GEOIP_DB=DATABASE,
                             TRUSTED_PROXIES="127.0.0.1", **settings)
    return start


def collect(daemon, address="192.0.2.1", agent=SAFARI, fields=None, **headers):
    sent = {"site_id": "derived", "path": "/", **(fields or {})}
    return daemon.request("POST", "/collect", json.dumps(sent), {
        "User-Agent": agent, "X-Forwarded-For": address,
        **{name.replace("_", "-"): value for name, value in headers.items()}})


def derived(redis):
    """What of the last job is derived of a request."""
    client = redis.client()
    job = json.loads(client.lindex(client.keys("*queue*")[0], 0))
    return {key: job[key] for key in DERIVED if key in job}


def test_browser_and_place_of_a_page_view(ingestion, redis):
    daemon = ingestion(COUNTRY_HEADER="CF-IPCountry")
    assert collect(daemon).status == 200
    assert derived(redis) == {"browser": "Safari", "browser_version": "17", "os": "iPadOS",
                           "os_version": "17.4", "device": "tablet", "country": "DE",
                           "region": "DE-BE", "city": "Berlin"}
    assert collect(daemon, "2001:db8::7", LINUX, Sec_CH_UA='"Brave";v="125"', Sec_CH_UA_Mobile="?1",
                   Sec_CH_UA_Platform='"Android"').status == 200
    assert derived(redis) == {"browser": "Brave", "browser_version": "125", "os": "Android",
                           "device": "mobile", "country": "NP"}
    assert collect(daemon, CF_IPCountry="FR").status == 200
    assert {"country": "FR"}.items() <= derived(redis).items() and "city" not in derived(redis)
    assert "places by" in daemon.stderr() and "Test-City" in daemon.stderr()


def test_a_country_header_is_believed_of_trusted_proxies_alone(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, GEOIP_DB=DATABASE,
                           COUNTRY_HEADER="CF-IPCountry")
    assert collect(daemon, CF_IPCountry="FR").status == 200
    assert "country" not in derived(redis)


def test_an_event_of_a_server_gets_nothing_from_its_request(ingestion, redis):
    daemon = ingestion()
    answer = daemon.post_event(event(), [("User-Agent", "curl/8.5.0"),
                                         ("X-Forwarded-For", "192.0.2.1")])
    assert answer.status == 200 and derived(redis) == {}


def test_lists_are_read_again_and_broken_ones_are_not_taken(ingestion, tmp_path):
    spam = tmp_path / "spam.txt"
    spam.write_text("spam.example\n")
    daemon = ingestion(REFERRER_SPAM_FILE=spam)
    from_spam = {"referrer": "https://www.spam.example/x"}
    assert collect(daemon, fields=from_spam).json() == DROPPED
    assert collect(daemon).json() == {"status": "ok"}
    spam.write_text("other.example\n")
    (daemon.directory / ".env").write_text("IGNORE_IPS=192.0.2.0/24\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("read the settings again")
    assert collect(daemon, "198.51.100.1", fields=from_spam).json() == {"status": "ok"}
    assert collect(daemon).json() == DROPPED
    spam.unlink()
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("REFERRER_SPAM_FILE: could not open")
    assert collect(daemon).json() == DROPPED
    figures = scrape(daemon)
    for reason, count in ("referrer_spam", 1), ("ignored_ip", 2):
        assert figures.value("analytics_ingestion_bots_dropped_total", reason=reason) == count


@pytest.mark.parametrize("agent", ["x" * 15000, "\xff\xfe(\xc0", "Chrome/" * 1000, "Chrome/99999999999999"])
def test_odd_user_agents_are_taken(ingestion, redis, agent):
    daemon = ingestion()
    assert collect(daemon, agent=agent).json() == {"status": "ok"}
    assert derived(redis)["device"] == "other"
    assert agent not in daemon.stderr()
