"""Who may send events, and how many: keys, sites, origins, rates, proxies."""
import pytest

from support.daemon import run
from support.events import event
from support.wait import wait_until

KEY = "k3y-that-is-nowhere-else"


def post(daemon, headers=(), **fields):
    return daemon.post_event(event(**fields), headers)


def test_a_key_is_asked_for_once_it_is_set(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY=KEY)
    for wrong in [(), [("Authorization", "Bearer nonsense")],
                  [("Authorization", f"Basic {KEY}")], [("Authorization", f"Bearer {KEY}x")]]:
        refused = post(daemon, wrong)
        assert refused.status == 401
        assert refused.header("WWW-Authenticate") == "Bearer"
        assert refused.json() == {"error": "unauthorized"}
    assert post(daemon, [("Authorization", f"Bearer {KEY}")]).status == 200
    assert daemon.get("/healthz").status == 200
    assert KEY not in daemon.stderr() + daemon.stdout()


def test_a_key_may_come_from_a_file_and_is_never_shown(daemons, redis, tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY_FILE=path)
    assert post(daemon).status == 401
    assert post(daemon, [("Authorization", f"Bearer {KEY}")]).status == 200
    shown = run("ingestion", "--print-config", cwd=tmp_path, env={"INGEST_KEY": KEY})
    assert shown.returncode == 0 and "INGEST_KEY=***" in shown.stdout
    assert KEY not in shown.stdout + shown.stderr
    refused = run("ingestion", f"--ingest-key={KEY}", cwd=tmp_path)
    assert refused.returncode == 2 and "INGEST_KEY" in refused.stderr
    assert KEY not in refused.stdout + refused.stderr


@pytest.mark.parametrize("setting,value,part", [
    ("INGEST_KEY_FILE", "/nonexistent/key", "/nonexistent/key"),
    ("TRUSTED_PROXIES", "10.0.0.0/99", "10.0.0.0/99"),
    ("RATE_LIMIT_PER_IP", "-1", "from 0 to"),
])
def test_a_wrong_setting_is_refused_at_the_start(tmp_path, setting, value, part):
    refused = run("ingestion", cwd=tmp_path, env={setting: value, "PORT": "0"})
    assert refused.returncode == 2
    assert part in refused.stderr


def test_only_the_sites_on_the_list_are_taken(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, ALLOWED_SITES="one, two")
    assert post(daemon, site_id="one").status == 200
    assert post(daemon, site_id="two").status == 200
    for other in ["three", "on", "one,", "One"]:
        assert post(daemon, site_id=other).status == 403
    assert daemon.post_event({"site_id": "three"}).status == 400
    assert redis.client().llen("{events}:queue") == 2


def test_origins_on_the_list_are_named_and_others_are_not(daemons, redis):
    good, bad = "https://shop.example", "https://evil.example"
    daemon = daemons.start("ingestion", REDIS_URL=redis.url,
                           CORS_ORIGINS=f"{good},https://blog.example")
    for ask in [lambda headers: post(daemon, headers),
                lambda headers: daemon.post_event({}, headers),
                lambda headers: daemon.request("OPTIONS", "/event", b"", headers)]:
        assert ask([("Origin", good)]).header("Access-Control-Allow-Origin") == good
        for headers in ([("Origin", bad)], ()):
            answer = ask(headers)
            assert answer.header("Access-Control-Allow-Origin") is None
            assert answer.header("Vary") == "Origin"


def burst(daemon, count, headers=(), **fields):
    return [post(daemon, headers, **fields).status for _ in range(count)]


def test_a_client_that_sends_too_fast_gets_429_and_is_let_in_again(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=5,
                           RATE_LIMIT_BURST_SECONDS=2)
    statuses = burst(daemon, 40)
    assert statuses[:10] == [200] * 10
    assert 429 in statuses
    assert set(statuses) == {200, 429}
    refused = post(daemon)
    if refused.status == 429:
        assert refused.header("Retry-After") == "1"
    wait_until(lambda: post(daemon).status == 200, 10, "a token to come back")


def test_the_limit_of_clients_goes_by_the_address_behind_trusted_proxies(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=3, TRUSTED_PROXIES="127.0.0.0/8")
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8::1"]:
        forwarded = [("X-Forwarded-For", f"203.0.113.5, {client}")]
        assert burst(daemon, 3, forwarded) == [200, 200, 200]
    # A made-up first line does not help.
    assert 429 in burst(daemon, 12, [("X-Forwarded-For", "198.51.100.77"),
                                     ("X-Forwarded-For", "192.0.2.1")])
    # The neighbours in an IPv6 network share a bucket.
    assert 429 in burst(daemon, 12, [("X-Forwarded-For", "2001:db8::2")])


def test_nobody_is_believed_without_trusted_proxies(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=3)
    statuses = [post(daemon, [("X-Forwarded-For", f"192.0.2.{n}")]).status
                for n in range(20)]
    assert 429 in statuses


def test_a_site_that_sends_too_fast_stops_no_other_site(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_SITE=1,
                           RATE_LIMIT_BURST_SECONDS=5)
    assert 429 in burst(daemon, 20, site_id="loud")
    assert burst(daemon, 5, site_id="quiet") == [200] * 5
