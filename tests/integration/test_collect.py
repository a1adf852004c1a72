"""POST /collect, the pixel and the script: what pages send, what is derived of it."""
import json
import urllib.parse
from datetime import datetime, timedelta, timezone

import pytest

from support.daemon import run
from support.events import new_id
from support.metrics import scrape
from support.stack import Daemons
from support.wait import wait_until

CHROME = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
          " Chrome/126.0.0.0 Safari/537.36")
BROWSER = {"User-Agent": CHROME, "Accept-Language": "de-DE,de;q=0.9,en;q=0.8",
           "Content-Type": "text/plain;charset=UTF-8"}
OK = {"status": "ok"}
DROPPED = {"status": "dropped", "reason": "bot"}
COLUMNS = ("event_type path hostname referrer utm_source utm_medium source channel click language"
           " browser browser_version os device props screen_width").split()


@pytest.fixture(scope="module")
def ingestion(shared_stack):
    return shared_stack.ingestion


def collect(daemon, body, path="/collect", **headers):
    headers = BROWSER | {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str) else json.dumps(body)
    return daemon.request("POST", path, text, {k: v for k, v in headers.items() if v is not None})


def pixel(daemon, query, **headers):
    return daemon.request("GET", "/pixel.gif?" + query, None, BROWSER | headers)


def row(stack, event_id, columns=COLUMNS):
    """The columns of the event that are not NULL, once it is stored."""
    found = []

    def is_there():
        found[:] = stack.database.rows(f"SELECT {', '.join(columns)} FROM events WHERE event_id = %s", [event_id])
        return found
    wait_until(is_there, 10, "the event to be stored")
    return {name: value for name, value in zip(columns, found[0]) if value is not None}


def view(url="https://shop.example/", **fields):
    return {"site_id": "collect", "url": url, "event_id": new_id(), **fields}


# --- the whole way -------------------------------------------------------------------------

def test_a_page_view_is_stored_with_what_its_request_tells(shared_stack, ingestion):
    sent = view("https://WWW.Shop.example/p%C3%A4/?utm_source=Google&utm_medium=CPC+x&gclid=secret#top",
                referrer="https://www.bing.com/search?q=secret", screen_width=1280, props={"plan": "pro"})
    response = collect(ingestion, sent)
    assert (response.status, response.json()) == (200, OK)
    assert row(shared_stack, sent["event_id"]) == {
        "event_type": "page_view", "path": "/p%C3%A4/", "hostname": "www.shop.example",
        "referrer": "bing.com/search", "utm_source": "Google", "utm_medium": "CPC x", "source": "Google",
        "channel": "Paid Search", "click": "gclid", "language": "de", "browser": "Chrome",
        "browser_version": "126", "os": "Windows", "device": "desktop", "props": {"plan": "pro"},
        "screen_width": 1280}
    visitor = row(shared_stack, sent["event_id"], ["visitor_id", "user_id"])
    assert set(visitor) == {"visitor_id"}


@pytest.mark.parametrize("fields, wanted", [
    ({}, {"source": "Direct", "channel": "Direct"}),
    ({"event_type": "signup"}, {}),
    ({"referrer": "https://shop.example/other"}, {"source": "Direct", "channel": "Direct"}),
    ({"referrer": "no url"}, {"source": "Direct", "channel": "Direct"}),
    ({"referrer": "https://www.blog.example/a/"},
     {"source": "blog.example", "channel": "Referral", "referrer": "blog.example/a"}),
    ({"url": "https://shop.example/?ref=hn"}, {"source": "Hacker News", "channel": "Organic Social"}),
    ({"url": "https://shop.example/?source=chatgpt.com"}, {"source": "ChatGPT", "channel": "AI"}),
    ({"referrer": "android-app://com.google.android.gm/"},
     {"source": "Gmail", "channel": "Email", "referrer": "android-app://com.google.android.gm"}),
], ids=lambda value: json.dumps(value)[:60])
def test_source_of(shared_stack, ingestion, fields, wanted):
    sent = view(**fields)
    assert collect(ingestion, sent).json() == OK
    assert row(shared_stack, sent["event_id"], ["source", "channel", "referrer"]) == wanted


def test_what_a_server_sends_is_derived_of_its_own_fields_alone(shared_stack, ingestion):
    sent = view("https://shop.example/a?ref=google", timestamp="2025-11-14", event_type="page_view")
    assert ingestion.request("POST", "/event", json.dumps(sent), BROWSER).json() == OK
    assert row(shared_stack, sent["event_id"]) == {
        "event_type": "page_view", "path": "/a", "hostname": "shop.example", "source": "Google",
        "channel": "Organic Search"}
    wrong = ingestion.request("POST", "/event", json.dumps(sent | {"url": "/a"}))
    assert (wrong.status, wrong.json()) == (400, {"error": '"url" must be a valid uri'})
    keyless = ingestion.request("POST", "/event", json.dumps(sent | {"ip": "192.0.2.1"}))
    assert (keyless.status, keyless.json()) == (403, {"error": '"ip" needs a key'})


# --- what pages may get wrong ------------------------------------------------------------------

@pytest.mark.parametrize("shift, is_kept", [
    (timedelta(minutes=4), True), (timedelta(minutes=6), False), (timedelta(hours=-23), True),
    (timedelta(hours=-25), False)], ids=str)
def test_a_timestamp_is_kept_within_its_window(shared_stack, ingestion, shift, is_kept):
    before = scrape(ingestion).value("analytics_ingestion_timestamps_replaced_total")
    now = datetime.now(timezone.utc)
    sent = view(timestamp=(now + shift).isoformat(timespec="milliseconds"))
    assert collect(ingestion, sent).json() == OK
    stored = row(shared_stack, sent["event_id"], ['"timestamp"'])['"timestamp"']
    assert (abs(stored - (now + shift)) < timedelta(seconds=1)) == is_kept
    after = scrape(ingestion).value("analytics_ingestion_timestamps_replaced_total")
    assert after - before == (0 if is_kept else 1)


@pytest.mark.parametrize("sent, is_counted", [("", 0), ("yesterday", 1), ("2025-02-30", 1)])
def test_a_timestamp_that_says_nothing_is_the_time_of_arrival(shared_stack, ingestion, sent, is_counted):
    before = scrape(ingestion).value("analytics_ingestion_timestamps_replaced_total")
    event = view(timestamp=sent)
    assert collect(ingestion, event).json() == OK
    stored = row(shared_stack, event["event_id"], ['"timestamp"'])['"timestamp"']
    assert abs(stored - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert scrape(ingestion).value("analytics_ingestion_timestamps_replaced_total") - before == is_counted


@pytest.mark.parametrize("fields", [{}, {"timestamp": ""}, {"timestamp": "2001-01-01"}], ids=str)
def test_a_second_attempt_has_the_time_of_the_first(shared_stack, ingestion, fields):
    sent = view(**fields)
    assert collect(ingestion, sent).json() == OK
    row(shared_stack, sent["event_id"])
    assert pixel(ingestion, urllib.parse.urlencode(sent)).status == 200
    other = collect(ingestion, view(site_id="collect-other", event_id=sent["event_id"]))
    assert other.json() == OK
    last = view()
    assert collect(ingestion, last).json() == OK
    row(shared_stack, last["event_id"])
    stored = shared_stack.database.rows("SELECT site_id FROM events WHERE event_id = %s", [sent["event_id"]])
    assert sorted(site for site, in stored) == ["collect", "collect-other"]


@pytest.mark.parametrize("language, wanted", [
    ("fr-CH", "fr"), ("", "de"), ("en-", "de"), ("x" * 300, "de"), ("en-!!", "de")], ids=lambda text: text[:9])
def test_a_language_that_says_nothing_is_that_of_the_request(shared_stack, ingestion, language, wanted):
    sent = view(language=language)
    assert collect(ingestion, sent).json() == OK
    assert row(shared_stack, sent["event_id"], ["language"]) == {"language": wanted}


def test_what_is_too_long_is_cut_and_what_is_empty_is_absent(shared_stack, ingestion):
    sent = view(path="/" + "a" * 3000, utm_source="s" * 300, utm_medium="",
                referrer="https://blog.example/" + "b" * 5000)
    assert collect(ingestion, sent).json() == OK
    found = row(shared_stack, sent["event_id"], ["path", "utm_source", "utm_medium", "referrer"])
    assert {name: len(value) for name, value in found.items()} == {
        "path": 2048, "utm_source": 255, "referrer": 2048}


@pytest.mark.parametrize("body, status, error", [
    ("", 400, '"site_id" is required'),
    ({"site_id": "collect"}, 400, '"path" is required'),
    ({"site_id": "collect", "url": "/a"}, 400, '"url" must be a valid uri'),
    ([view()] * 51, 413, "there are more than 50 events"),
    ('[{"site_id"', 400, None),
], ids=str)
def test_a_body_is_refused(ingestion, body, status, error):
    response = collect(ingestion, body)
    assert response.status == status
    assert error is None or response.json() == {"error": error}


def test_fifty_events_come_in_one_request(shared_stack, ingestion):
    sent = [view() for _ in range(50)]
    assert collect(ingestion, sent).json() == OK
    for item in sent[0], sent[-1]:
        row(shared_stack, item["event_id"])


# --- bots ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("headers, reason", [
    ({"User_Agent": "curl/8.5.0"}, "library"), ({"User_Agent": None}, "no_agent"),
    ({"User_Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, "crawler"),
    ({"Sec_Purpose": "prefetch"}, "prefetch")], ids=str)
def test_a_bot_is_dropped_and_counted(ingestion, headers, reason):
    def dropped():
        return scrape(ingestion).value("analytics_ingestion_bots_dropped_total", reason=reason)
    before = dropped()
    assert collect(ingestion, view(), **headers).json() == DROPPED
    assert dropped() - before == 1


@pytest.mark.parametrize("agent", ["curl/8.5.0", "Googlebot/2.1", ""])
def test_what_servers_send_is_never_dropped(shared_stack, ingestion, agent):
    sent = [view(timestamp="2025-11-14", event_type="page_view") for _ in range(2)]
    for path, body, answer in (("/event", sent[0], OK),
                               ("/batch", sent[1:], OK | {"accepted": 1, "rejected": 0, "errors": []})):
        response = ingestion.request("POST", path, json.dumps(body), {"User-Agent": agent, "Purpose": "prefetch"})
        assert (response.status, response.json()) == (200, answer)
    for item in sent:
        assert row(shared_stack, item["event_id"], ["path"]) == {"path": "/"}


# --- the pixel and the script ----------------------------------------------------------------------

def test_a_head_of_the_pixel_stores_nothing(ingestion):
    answer = ingestion.request("HEAD", "/pixel.gif?" + urllib.parse.urlencode(view()), None, BROWSER)
    assert answer.status == 405 and answer.header("Allow") == "GET"


def test_the_pixel_stores_an_event(shared_stack, ingestion):
    sent = view("https://shop.example/mail?utm_source=newsletter")
    response = pixel(ingestion, urllib.parse.urlencode(sent | {"props": '{"plan":"pro"}', "scroll": 7}))
    assert (response.status, len(response.body), response.body[:6]) == (200, 43, b"GIF89a")
    assert response.header("content-type") == "image/gif"
    assert response.header("cache-control") == "no-store"
    assert response.header("cross-origin-resource-policy") == "cross-origin"
    assert response.header("access-control-allow-origin") == "*"
    assert row(shared_stack, sent["event_id"], ["path", "channel", "props", "scroll"]) == {
        "path": "/mail", "channel": "Email", "props": {"plan": "pro"}, "scroll": 7}
    dropped = pixel(ingestion, urllib.parse.urlencode(view()), **{"User-Agent": "curl/8"})
    assert (dropped.status, len(dropped.body)) == (200, 43)


@pytest.mark.parametrize("query", [
    "", "site_id=a", "site_id=a&path=%00", "site_id=a&path=/&path=/", "site_id=a&path=/&scroll=1e",
    "site_id=a&path=/&" + "x" * 4096, "&".join(f"k{n}={'%41' * 20}" for n in range(60))], ids=lambda q: q[:30])
def test_a_hostile_pixel_is_refused(ingestion, query):
    response = pixel(ingestion, query)
    assert response.status == 400 and response.json()["error"]


def test_the_script_is_served_with_its_tag(ingestion):
    response = ingestion.request("GET", "/t.js", None, {"Accept-Encoding": "gzip"})
    assert response.status == 200 and len(response.body) <= 2048
    assert response.header("access-control-allow-origin") == "*"
    assert not response.header("access-control-allow-credentials")
    tag = response.header("etag")
    assert ingestion.request("GET", "/t.js", None, {"If-None-Match": tag}).status == 304


# --- who may -------------------------------------------------------------------------------------

def test_a_page_of_an_allowed_origin_may_send(ingestion):
    origin = {"Origin": "https://shop.example"}
    for response in (collect(ingestion, view(), **origin),
                     ingestion.request("OPTIONS", "/collect", None, origin)):
        assert response.header("access-control-allow-origin") == "https://shop.example"
        assert response.header("access-control-allow-credentials") == "true"
        assert response.header("vary") == "Origin"
    assert not response.header("set-cookie")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, shared_stack):
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "spam").write_text("spam.example\n")
    daemons = Daemons(folder)
    yield daemons.start("ingestion", REDIS_URL=shared_stack.redis.url, INGEST_KEY="secret-of-servers-0",
                            ALLOWED_SITES="collect", TRUSTED_PROXIES="127.0.0.1", URL_QUERY_KEYS="p",
                            COLLECT_PATH="/c", PIXEL_PATH="/i.gif", TRACKER_PATH="/s.js",
                            IGNORE_IPS="203.0.113.0/24", COUNTRY_HEADER="CF-IPCountry",
                            CORS_ORIGINS="https://shop.example", TIMESTAMP_AHEAD_MAX_S="60",
                            REFERRER_SPAM_FILE=folder / "spam")
    assert not daemons.finish()


def test_pages_need_no_key_and_paths_can_be_renamed(shared_stack, guarded):
    sent = view("https://shop.example/?p=7&q=8")
    assert collect(guarded, sent, "/c", CF_IPCountry="NP").json() == OK
    assert row(shared_stack, sent["event_id"], ["path", "country"]) == {"path": "/?p=7", "country": "NP"}
    assert guarded.request("GET", "/s.js").status == 200
    for path in "/collect", "/pixel.gif", "/t.js":
        assert guarded.request("GET", path).status == 404
    response = collect(guarded, view() | {"site_id": "other"}, "/c")
    assert (response.status, response.header("www-authenticate")) == (403, None)


def test_an_address_is_believed_of_trusted_proxies_alone(ingestion, guarded):
    assert collect(guarded, view(), "/c", X_Forwarded_For="203.0.113.7").json() == DROPPED
    assert collect(ingestion, view(), X_Forwarded_For="203.0.113.7").json() == OK


def test_an_address_that_cannot_be_read_makes_no_visitor(shared_stack, guarded):
    for forwarded, has_visitor in (("198.51.100.9", True), ("unknown", False)):
        sent = view()
        assert collect(guarded, sent, "/c", X_Forwarded_For=forwarded).json() == OK
        assert ("visitor_id" in row(shared_stack, sent["event_id"], ["visitor_id"])) == has_visitor


def test_a_page_of_another_origin_is_refused(guarded):
    for origin in "https://evil.example", "null", "https://shop.example.evil", "":
        refused = collect(guarded, view(), "/c", Origin=origin)
        assert (refused.status, refused.json()) == (403, {"error": "the origin is not allowed"})
        assert not refused.header("access-control-allow-origin")
        query = "/i.gif?" + urllib.parse.urlencode(view())
        assert guarded.request("GET", query, None, BROWSER | {"Origin": origin}).status == 403
    assert scrape(guarded).value("analytics_ingestion_events_rejected_total", reason="origin_denied") == 8
    assert collect(guarded, view(), "/c", Origin="https://shop.example").json() == OK
    assert collect(guarded, view(), "/c").json() == OK, "a program, or a page that does not say"


def test_a_clock_that_is_ahead_of_the_limit_is_replaced(shared_stack, guarded):
    now = datetime.now(timezone.utc)
    sent = view(timestamp=(now + timedelta(minutes=3)).isoformat())
    assert collect(guarded, sent, "/c").json() == OK
    stored = row(shared_stack, sent["event_id"], ['"timestamp"'])['"timestamp"']
    assert abs(stored - now) < timedelta(minutes=2)
    assert scrape(guarded).value("analytics_ingestion_timestamps_replaced_total") == 1


def test_of_dropped_and_refused_events_the_refused_one_gives_the_answer(guarded):
    spam = view(referrer="https://spam.example/")
    assert collect(guarded, [spam, spam], "/c").json() == DROPPED
    refused = collect(guarded, [spam, {"site_id": "collect"}], "/c")
    assert (refused.status, refused.json()) == (400, {"error": '"path" is required'})
    assert collect(guarded, [spam, {"site_id": "collect"}, view()], "/c").json() == OK


def test_pages_have_the_limit_of_their_address(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, RATE_LIMIT_PER_IP=1, RATE_LIMIT_BURST_SECONDS=4)
    assert collect(daemon, [view(), view()]).json() == OK
    answers = [collect(daemon, view()).status for _ in range(4)]
    answers += [pixel(daemon, urllib.parse.urlencode(view())).status for _ in range(2)]
    assert answers[0] == 200 and 429 in answers[1:4] and 429 in answers[4:]


def test_who_sends_for_others_has_the_key(shared_stack, guarded):
    sent = view(ip="198.51.100.7", user_agent=CHROME)
    assert collect(guarded, sent, "/c").status == 403
    key = {"Authorization": "Bearer secret-of-servers-0"}
    body = json.dumps(sent | {"timestamp": "2025-11-14", "event_type": "page_view"})
    assert guarded.request("POST", "/event", body, key).json() == OK
    found = row(shared_stack, sent["event_id"], ["browser", "visitor_id"])
    assert found["browser"] == "Chrome" and found["visitor_id"]


@pytest.mark.parametrize("value", ["collect", "/event", "/a b", "/a?b"])
def test_a_path_that_is_none_is_refused(tmp_path, value):
    refused = run("ingestion", cwd=tmp_path, env={"COLLECT_PATH": value})
    assert refused.returncode == 2 and "COLLECT_PATH" in refused.stderr
