"""Who may send events, and how many: keys, sites, origins, rates, proxies."""
import contextlib
import datetime
import gzip
import json

import pytest

from support.daemon import run
from support.events import event
from support.http import Connection, build
from support.metrics import scrape
from support.wait import wait_until

UNREAD = "analytics_ingestion_client_addresses_unread_total"
KEY = "k3y-that-is-nowhere-else"


def post(daemon, headers=(), **fields):
    return daemon.post_event(event(**fields), headers)


def test_a_key_is_asked_for_once_it_is_set(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY=KEY)
    for wrong in [(), [("Authorization", "Bearer nonsense")],
                  [("Authorization", f"Basic {KEY}")], [("Authorization", f"Bearer {KEY}x")]]:
        refused = post(daemon, wrong)
        assert refused.status == 401
        assert refused.header("WWW-Authenticate") is None  # pages write to this route
        assert refused.header("Cache-Control") == "no-store"
        assert refused.json() == {"error": "unauthorized"}
    taken = post(daemon, [("Authorization", f"Bearer {KEY}")])
    assert taken.status == 200 and taken.header("Cache-Control") == "no-store"
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


def test_an_address_pays_before_its_key_is_looked_at(daemons, redis):
    """Or keys could be tried as fast as the network allows."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY=KEY,
                           RATE_LIMIT_PER_IP=1, RATE_LIMIT_BURST_SECONDS=3)
    wrong = [post(daemon, [("Authorization", f"Bearer {n}")]).status for n in range(20)]
    assert wrong[:3] == [401] * 3
    assert wrong.count(401) < 10 and set(wrong) == {401, 429}


@pytest.mark.parametrize("target", ["/event", "/batch", "/collect"])
def test_wrong_keys_are_slowed_down_by_default(daemons, redis, target):
    """Where a page may bring one, too: it says whether it is right."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY=KEY,
                           TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_WRONG_KEYS=1)
    body = event(user_agent="Mozilla/5.0 Firefox/151.0", ip="192.0.2.200")
    refused = 403 if target == "/collect" else 401

    def post_from(client, key):
        headers = [("X-Forwarded-For", client)]
        headers += [("Authorization", f"Bearer {key}")] if key else []
        return daemon.request("POST", target, [body] if target == "/batch" else body, headers)

    def statuses(client):
        return [post_from(client, f"wrong{n}").status for n in range(60)]
    few = statuses("192.0.2.1")
    assert few[:20] == [refused] * 20 and 0 < few.count(429) and set(few) == {refused, 429}
    assert post_from("192.0.2.1", KEY).error == "too many wrong keys"  # or it would be told
    assert post_from("192.0.2.1", None).status == refused  # that is no try
    assert post_from("192.0.2.2", KEY).status == 200
    assert statuses("192.0.2.2")[-1] == refused  # nobody keeps its owner out
    wide = (post_from(f"2001:db8:0:{n:x}::1", f"wrong{n}").status for n in range(9000))
    assert next(n for n, status in enumerate(wide) if status == 429) >= 320


@pytest.mark.parametrize("headers,status,error", [
    ({}, 401, "unauthorized"),
    ({"Content-Type": "a/b; charset=x"}, 401, "unauthorized"),
    ({"Content-Encoding": "br"}, 401, "unauthorized"),
    ({"Authorization": f"Bearer {KEY}", "Content-Encoding": "br"}, 415, None),
])
def test_the_key_is_judged_by_the_headers(daemons, redis, headers, status, error):
    """Before the body: a client that asks first is not told to send it."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY=KEY)
    with Connection(daemon.port) as connection:
        connection.send(build("POST", "/event", b"", {
            "Content-Length": "60000", "Expect": "100-continue", **headers}))
        answer = connection.read_response(skip_continue=False)
    assert answer.status == status and error in (None, answer.error)


def test_a_refused_body_is_not_kept(daemons, redis):
    """A few bytes of gzip that are much when unpacked, the last ones held back."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY=KEY)
    packed = gzip.compress(b" " * 100_000)[:-8]
    before = daemon.rss_kib()
    with contextlib.ExitStack() as held:
        for _ in range(300):
            connection = held.enter_context(Connection(daemon.port))
            connection.send(build("POST", "/event", b"", {
                "Content-Encoding": "gzip", "Content-Length": str(len(packed) + 8)}) + packed)
        assert post(daemon, [("Authorization", f"Bearer {KEY}")]).status == 200
        assert daemon.rss_kib() - before < 300 * 60


@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_unfinished_bodies_hold_no_more_than_their_budget(daemons, redis, encoding):
    """Many connections, each with a body that lacks its last bytes.  Who is within the budget
    may go on, the others get 503 and may come again; small events are never refused."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, BODIES_MAX_BYTES=1_048_576)
    body = json.dumps(event()).encode().ljust(100_000)
    body = gzip.compress(body) if encoding else body
    headers = {"Content-Length": str(len(body)), **({"Content-Encoding": encoding} if encoding
                                                    else {})}

    def held():
        return scrape(daemon).total("analytics_ingestion_body_bytes")
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(40):
            connections.append(stack.enter_context(Connection(daemon.port)))
            connections[-1].send(build("POST", "/event", b"", headers) + body[:-1])
        wait_until(lambda: held() > 800_000, 20, "the budget to be used")
        assert post(daemon).status == 200
        assert held() <= 1_048_576
        for connection in connections:
            connection.send(body[-1:])
        answers = [connection.read_response() for connection in connections]
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 503} and statuses.count(200) > 5
    assert all(answer.header("Retry-After") == "1" for answer in answers if answer.status == 503)
    assert scrape(daemon).value("analytics_ingestion_requests_refused_total",
                                reason="busy") == statuses.count(503)
    wait_until(lambda: held() == 0, 20, "the budget to be free again")
    assert redis.client().llen("{events}:queue") == statuses.count(200) + 1
    assert daemon.request("POST", "/event", body, headers).status == 200


def test_a_client_that_goes_away_gives_its_budget_back(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, BODIES_MAX_BYTES=1_048_576,
                           BODY_TIMEOUT_MS=1000)
    for leaves in (True, False):
        with contextlib.ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(Connection(daemon.port))
                connection.send(build("POST", "/event", b"", {"Content-Length": "100000"})
                                + b" " * 99_000)
            wait_until(lambda: scrape(daemon).total("analytics_ingestion_body_bytes") > 800_000,
                       20, "the budget to be used")
            if not leaves:
                wait_until(lambda: scrape(daemon).total("analytics_ingestion_body_bytes") == 0,
                           20, "the deadline of the bodies")
        wait_until(lambda: scrape(daemon).total("analytics_ingestion_body_bytes") == 0, 20,
                   "the budget to be free again")


@pytest.mark.parametrize("setting,value,part", [
    ("INGEST_KEY_FILE", "/nonexistent/key", "/nonexistent/key"),
    ("TRUSTED_PROXIES", "10.0.0.0/99", "10.0.0.0/99"),
    ("RATE_LIMIT_PER_IP", "-1", "from 0 to"),
    ("CORS_ORIGINS", "shop.example", "write https://shop.example"),
    ("CORS_ORIGINS", "https://a.example;https://b.example", "separated by commas"),
    ("CORS_ORIGINS", "https://shop.example/page", "CORS_ORIGINS"),
    ("CORS_ORIGINS", "https://a.example,null", "CORS_ORIGINS"),
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


@pytest.mark.parametrize("name,form", [
    ("X-Forwarded-For", "{}"), ("X-Forwarded-For", "{}:51000"), ("X-Forwarded-For", '"{}"'),
    ("X-Forwarded-For", '"{}:51000"'), ("Forwarded", "for={}"),
    ("Forwarded", 'proto=https;For="{}:4711";by=203.0.113.43')])
def test_each_client_has_a_bucket_however_the_proxy_writes_it(daemons, redis, name, form):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=3, TRUSTED_PROXIES="127.0.0.0/8")
    for client in ("192.0.2.1", "192.0.2.2"):
        assert burst(daemon, 3, [(name, form.format(client))]) == [200, 200, 200]
    assert 429 in burst(daemon, 12, [(name, form.format("192.0.2.1"))])
    for client in ("2001:db8::1", "2001:db8:9::1"):
        text = f"[{client}]" if ":5" in form or ":4" in form or "=" in form else client
        text = f'"{text}"' if form == "for={}" else text
        assert burst(daemon, 3, [(name, form.format(text))]) == [200, 200, 200]
    assert scrape(daemon).value(UNREAD) == 0


@pytest.mark.parametrize("headers", [
    [("X-Forwarded-For", "192.0.2.{}, unknown")], [("X-Forwarded-For", "192.0.2.{}, 1.2.3")],
    [("Forwarded", "for=192.0.2.{}, for=_hidden")], [("Forwarded", "proto=https")],
    [("X-Forwarded-For", "192.0.2.{}"), ("Forwarded", "for=198.51.100.1")]],
    ids=["unknown", "short", "hidden", "without", "disagree"])
def test_what_a_proxy_writes_that_cannot_be_read_is_counted(daemons, redis, headers):
    """Such clients share a bucket, and the log says so, once.  Of two headers one may be the
    client's own, and we cannot know which."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=3, TRUSTED_PROXIES="127.0.0.0/8")
    statuses = [post(daemon, [(name, value.format(n)) for name, value in headers]).status
                for n in range(20)]
    assert 429 in statuses
    assert scrape(daemon).value(UNREAD) == 20
    daemon.wait_log("client address that cannot be read")
    assert len(daemon.log_lines("client address that cannot be read")) == 1


def test_a_long_list_is_read_from_its_end(daemons, redis):
    """Over 8 kB of made-up addresses in front change nothing, in one line or in many."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=3, TRUSTED_PROXIES="127.0.0.0/8",
                           MAX_HEAD_BYTES=32768)
    made_up = ", ".join(["198.51.100.111"] * 600)
    assert len(made_up) > 9000
    for client in ("192.0.2.1", "192.0.2.2"):
        assert burst(daemon, 3, [("X-Forwarded-For", f"{made_up}, {client}")]) == [200] * 3
    for client in ("192.0.2.3", "192.0.2.4"):
        headers = [("X-Forwarded-For", made_up[:5000]), ("X-Forwarded-For", made_up[:5000]),
                   ("X-Forwarded-For", client)]
        assert burst(daemon, 3, headers) == [200] * 3
    assert 429 in burst(daemon, 12, [("X-Forwarded-For", f"{made_up}, 192.0.2.1")])


def test_a_wide_network_is_not_65536_clients(daemons, redis):
    """Each /64 of an IPv6 /48 has its own bucket, and all of them one together."""
    limits = {"RATE_LIMIT_PER_IP": 1, "RATE_LIMIT_BURST_SECONDS": 2,
              "TRUSTED_PROXIES": "127.0.0.0/8"}

    def statuses(daemon, count):
        return [post(daemon, [("X-Forwarded-For", f"2001:db8:1:{n:x}::1")]).status
                for n in range(count)]
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, **limits)
    found = statuses(daemon, 200)
    assert found[:32] == [200] * 32 and 429 in found
    assert post(daemon, [("X-Forwarded-For", "2001:db8:2::1")]).status == 200
    assert post(daemon, [("X-Forwarded-For", "192.0.2.1")]).status == 200
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_NETWORK=3, **limits)
    found = statuses(daemon, 40)
    assert found[:6] == [200] * 6 and 429 in found


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


# --- timestamps ahead

REJECTED = "analytics_ingestion_events_rejected_total"


def ahead(**delta):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_timestamps_far_ahead_are_refused_where_that_is_set(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, TIMESTAMP_AHEAD_MAX_S=86400)
    for taken in (ahead(), ahead(hours=23), ahead(days=-400), "0001", "1999-12-31"):
        assert post(daemon, timestamp=taken).status == 200, taken
    for far in (ahead(hours=25), ahead(days=40), "9999-12-31", "9999"):
        refused = post(daemon, timestamp=far)
        assert refused.status == 400
        assert refused.error == '"timestamp" must not lie more than 86400 seconds ahead'
    assert post(daemon, timestamp="9999", zzz=1).error == '"zzz" is not allowed'
    assert redis.queue_length() == 5
    metrics = scrape(daemon)
    assert metrics.value(REJECTED, reason="timestamp_ahead") == 4
    assert metrics.value(REJECTED, reason="timestamp") == 0


def test_all_years_are_taken_by_default(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    for taken in ("0001-01-01", "9999-12-31T23:59:59.999Z", ahead(days=4000)):
        assert post(daemon, timestamp=taken).status == 200
    assert redis.queue_length() == 3
