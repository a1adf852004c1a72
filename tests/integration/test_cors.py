"""Pages of other origins: what they may send and read, by the headers and in a real browser."""
import json

import pytest

from support.browser import Browser, page_server
from support.daemon import run
from support.events import event
from support.wait import wait_until

GOOD, BAD = "https://shop.example", "https://evil.example"
PREFLIGHT = [("Access-Control-Request-Method", "POST")]


@pytest.fixture
def browser():
    with page_server() as server:
        yield Browser(server)


def cors_of(answer):
    """The headers that concern other origins, by their last word."""
    return {name[len("access-control-"):].lower(): value for name, value in answer.headers
            if name.lower().startswith("access-control-")}


# --- the write routes ---------------------------------------------------------------------

def asks(daemon):
    return [lambda headers: daemon.post_event(event(), headers),
            lambda headers: daemon.post_event({}, headers),
            lambda headers: daemon.post_event(event(), [*headers, ("Content-Encoding", "br")]),
            lambda headers: daemon.get("/event", headers),
            lambda headers: daemon.request("OPTIONS", "/event", b"", [*headers, *PREFLIGHT])]


def test_an_allowed_origin_is_named_with_credentials_and_others_get_neither(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url,
                           CORS_ORIGINS=f"{GOOD},https://*.blog.example")
    for ask in asks(daemon):
        for origin in (GOOD, "https://blog.example", "https://a.b.blog.example"):
            answer = ask([("Origin", origin)])
            assert answer.header("Access-Control-Allow-Origin") == origin
            assert answer.header("Access-Control-Allow-Credentials") == "true"
            assert answer.header("Vary") == "Origin"
        for headers in ([("Origin", BAD)], [("Origin", "null")], [("Origin", GOOD + ".evil")],
                        [("Origin", "https://evilblog.example")], [("Origin", "")], []):
            answer = ask(headers)
            assert cors_of(answer) == {} and answer.header("Vary") == "Origin", headers


def test_any_origin_is_named_by_default(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    for ask in asks(daemon):
        for origin in (GOOD, BAD, "null", "capacitor://localhost"):
            answer = ask([("Origin", origin)])
            assert answer.header("Access-Control-Allow-Origin") == origin
            assert answer.header("Access-Control-Allow-Credentials") == "true"
            assert answer.header("Vary") == "Origin"
        answer = ask([])
        assert answer.header("Access-Control-Allow-Origin") == "*"
        assert answer.header("Access-Control-Allow-Credentials") is None
        assert "allow-origin" not in cors_of(ask([("Origin", "https://" + "x" * 600)]))


@pytest.mark.parametrize("setting", ["HTTPS://Shop.example", "https://shop.example/",
                                     "https://shop.example:443"])
def test_a_setting_means_what_was_meant(daemons, redis, setting):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, CORS_ORIGINS=setting)
    answer = daemon.post_event(event(), [("Origin", GOOD)])
    assert answer.header("Access-Control-Allow-Origin") == GOOD


def test_the_preflight_allows_what_was_asked_for(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, CORS_ORIGINS=GOOD)

    def allowed(asked):
        answer = daemon.request("OPTIONS", "/event", b"", [
            ("Origin", GOOD), *PREFLIGHT, *([("Access-Control-Request-Headers", asked)]
                                            if asked is not None else [])])
        assert answer.status == 204 and answer.header("Access-Control-Max-Age") == "7200"
        return answer.header("Access-Control-Allow-Headers")
    usual = "Authorization, Content-Type, Content-Encoding"
    longest = "x" * 1024
    for asked in ("content-type", "content-type,x-request-id", "sentry-trace, baggage", longest):
        assert allowed(asked) == asked
    for asked in (None, "", "a;b", "a:b", "<script>", longest + "z", '"x"'):
        assert allowed(asked) == usual


def test_write_routes_know_no_cookie_and_ask_for_no_password(daemons, redis):
    """Which is why credentials may be allowed: there is nothing to be had with them."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_KEY="k" * 20)
    page = [("User-Agent", "Mozilla/5.0 Firefox/126.0")]
    view = json.dumps({"site_id": "s", "path": "/"})
    pages = [lambda headers: daemon.request("POST", "/batch", json.dumps([event()]), headers),
             lambda headers: daemon.request("POST", "/collect", view, [*headers, *page]),
             lambda headers: daemon.request("OPTIONS", "/collect", b"", [*headers, *PREFLIGHT]),
             lambda headers: daemon.get("/pixel.gif?site_id=s&path=/", [*headers, *page]),
             lambda headers: daemon.get("/t.js", headers)]
    for headers in ([], [("Authorization", "Bearer " + "k" * 20)]):
        for ask in asks(daemon) + pages:
            plain = ask([("Origin", GOOD), *headers])
            cookie = ask([("Origin", GOOD), ("Cookie", "session=of-someone"), *headers])
            assert (plain.status, plain.body) == (cookie.status, cookie.body)
            for answer in (plain, cookie):
                assert answer.header("Set-Cookie") is None
                assert answer.header("WWW-Authenticate") is None


def test_no_other_route_is_open_to_pages(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    for target in ("/healthz", "/readyz", "/metrics", "/", "/nowhere"):
        assert cors_of(daemon.get(target, [("Origin", GOOD)])) == {}
        answer = daemon.request("OPTIONS", target, b"", [("Origin", GOOD), *PREFLIGHT])
        assert answer.status in (404, 405) and cors_of(answer) == {}


# --- the figures --------------------------------------------------------------------------

def test_no_page_reads_the_figures_unless_its_origin_is_named(daemons, database):
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    for method in ("GET", "OPTIONS"):
        answer = daemon.request(method, "/stats?site_id=demo", b"", [("Origin", GOOD)])
        assert cors_of(answer) == {} and answer.status == (200 if method == "GET" else 405)
        assert "Origin" not in (answer.header("Vary") or "")


def test_a_named_origin_reads_the_figures_without_credentials(daemons, database):
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN="t" * 20,
                           REPORTING_CORS_ORIGINS=GOOD + "/")
    token = ("Authorization", "Bearer " + "t" * 20)
    for headers, status, vary, cache in (
            ([token], 200, "Accept, Accept-Encoding, Origin", "no-store"),
            ([], 401, "Origin", "no-store")):
        answer = daemon.get("/stats?site_id=demo", [("Origin", GOOD), *headers])
        assert (answer.status, cors_of(answer)) == (status, {"allow-origin": GOOD})
        assert answer.header("Vary") == vary
        assert answer.header("Cache-Control") == cache
        answer = daemon.get("/stats?site_id=demo", [("Origin", BAD), *headers])
        assert (answer.status, cors_of(answer)) == (status, {})
        assert answer.header("Vary") == vary
    asked = [("Access-Control-Request-Method", "GET"),
             ("Access-Control-Request-Headers", "authorization")]
    answer = daemon.request("OPTIONS", "/stats", b"", [("Origin", GOOD), *asked])
    assert answer.status == 204 and cors_of(answer) == {
        "allow-origin": GOOD, "allow-methods": "GET, HEAD, OPTIONS",
        "allow-headers": "authorization", "max-age": "7200"}
    answer = daemon.request("OPTIONS", "/stats", b"", [("Origin", BAD), *asked])
    assert cors_of(answer) == {}
    for target in ("/healthz", "/readyz", "/metrics"):
        assert cors_of(daemon.get(target, [("Origin", GOOD)])) == {}


@pytest.mark.parametrize("value", ["*", "https://*.shop.example", "null", "shop.example"])
def test_the_figures_are_for_named_origins_only(tmp_path, value):
    refused = run("reporting", cwd=tmp_path, env={"REPORTING_CORS_ORIGINS": value, "PORT": "0"})
    assert refused.returncode == 2 and "REPORTING_CORS_ORIGINS" in refused.stderr


# --- in a browser -------------------------------------------------------------------------

SEND = """
const url = %s, event = %s, json = {"Content-Type": "application/json"};
const body = name => JSON.stringify({...event, path: "/" + name});
await attempt("beacon", () => navigator.sendBeacon(url, body("beacon")));
await attempt("blob", () => navigator.sendBeacon(
    url, new Blob([body("blob")], {type: "application/json"})));
await attempt("fetch", async () => (await fetch(url, {
    method: "POST", body: body("fetch")})).text());
await attempt("credentials", async () => (await fetch(url, {
    method: "POST", credentials: "include", body: body("credentials")})).text());
await attempt("json", async () => (await fetch(url, {
    method: "POST", credentials: "include", keepalive: true,
    headers: {...json, "X-Request-Id": "7"}, body: body("json")})).text());
await attempt("refused", async () => (await fetch(url, {
    method: "POST", credentials: "include", headers: json, body: "{}"})).text());
"""


def paths(redis):
    return sorted(json.loads(job)["path"] for job in redis.client().lrange("{events}:queue", 0, -1))


@pytest.mark.parametrize("names_it", [False, True], ids=["any", "named"])
def test_a_page_sends_events_and_sees_that_they_are_stored(daemons, redis, browser, names_it):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url,
                           **({"CORS_ORIGINS": browser.origin + "/"} if names_it else {}))
    seen = browser.script(SEND % (json.dumps(f"http://localhost:{daemon.port}/event"),
                                  json.dumps(event())))
    assert seen["beacon"] is True and seen["blob"] is True
    for name in ("fetch", "credentials", "json"):
        assert seen[name] == '{"status":"ok"}'
    assert json.loads(seen["refused"]) == {"error": '"site_id" is required'}
    wanted = ["/beacon", "/blob", "/credentials", "/fetch", "/json"]
    wait_until(lambda: paths(redis) == wanted, 20, lambda: f"{wanted}, not {paths(redis)}")


def test_a_page_that_is_not_on_the_list_sends_no_json(daemons, redis, browser):
    """Its preflight fails.  What needs none arrives, as it would from a form, and the page
    reads nothing of the answer."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, CORS_ORIGINS=GOOD)
    seen = browser.script(SEND % (json.dumps(f"http://localhost:{daemon.port}/event"),
                                  json.dumps(event())))
    for name in ("fetch", "credentials", "json", "refused"):
        assert seen[name].startswith("TypeError"), seen
    assert {"/blob", "/json"} & set(paths(redis)) == set()


READ = """
const ask = options => fetch(%s, options).then(async r => r.status + " " + await r.text());
await attempt("token", () => ask({headers: {Authorization: "Bearer %s"}}));
await attempt("none", () => ask({}));
await attempt("credentials", () => ask({credentials: "include"}));
"""


def test_a_named_page_reads_the_figures_with_its_token(daemons, database, browser):
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN="t" * 20,
                           REPORTING_CORS_ORIGINS=browser.origin)
    url = json.dumps(f"http://localhost:{daemon.port}/stats?site_id=demo")
    seen = browser.script(READ % (url, "t" * 20))
    assert seen["token"].startswith('200 {"site_id":"demo"')
    assert seen["none"] == '401 {"error":"unauthorized"}'
    assert seen["credentials"].startswith("TypeError")


def test_another_page_reads_no_figures(daemons, database, browser):
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_CORS_ORIGINS=GOOD)
    url = json.dumps(f"http://localhost:{daemon.port}/stats?site_id=demo")
    assert all(text.startswith("TypeError") for text in browser.script(READ % (url, "x")).values())
