"""The tracker in a real browser: what it sends, when, by which way, and when it is silent."""
import datetime
import re
import time

import pytest

from support.chromium import chromium
from support.process import free_port
from support.settings import SOURCE
from support.tracked_site import tracked_site
from support.wait import wait_until

VIEW = "page_view"
DOCUMENT = (SOURCE / "docs/tracker.md").read_text()
STUB = re.search(r"<script>\(function.*?</script>", DOCUMENT, re.S)[0]


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server():
    with tracked_site() as site:
        yield site


@pytest.fixture
def site(server):
    server.forget()
    return server


@pytest.fixture
def page(browser):
    page = browser.open()
    yield page
    problems = page.problems()
    page.close()
    assert not problems, problems


# --- what is sent -------------------------------------------------------------------------

def test_a_view_says_what_the_contract_names(site, page):
    page.go(site.lay("/a") + "?utm_source=x&secret=1#part")
    way, event, headers = (site.wait(1), site.taken[0])[1]
    assert (way, headers["Content-Type"], site.preflights) == (
        "post", "text/plain;charset=UTF-8", 0)
    assert headers["Cookie"] is None
    assert {**event, "event_id": 0, "timestamp": 0} == {
        "site_id": "demo", "event_type": VIEW, "url": page.run("location.href"),
        "screen_width": page.run("screen.width"), "event_id": 0, "timestamp": 0}
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}",
                        event["event_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])


def test_calls_of_a_script(site, page):
    page.go(site.lay("/"))
    site.wait(1)
    page.run("track('signup', {plan: 'pro', seats: 3}); track.identify('ann'); track('paid');"
             "track.page(); track.identify(); track(''); track()")
    site.only(page, (VIEW, "/"), ("signup", "/"), ("paid", "/"), (VIEW, "/"))
    by_type = {one["event_type"]: one for one in site.events}
    assert by_type["signup"]["props"] == {"plan": "pro", "seats": 3}
    assert by_type["paid"]["user_id"] == by_type[VIEW]["user_id"] == "ann"
    assert "user_id" not in by_type["signup"] and "user_id" not in by_type["last"]
    assert len({one["event_id"] for one in site.events}) == 5


def test_calls_before_the_script_is_there_wait_for_it(site, page):
    page.go(site.lay("/", head=STUB + "<script>track('early', {a: 1}); track.page();"
                                      "track.identify('ann')</script>"))
    site.only(page, (VIEW, "/"), ("early", "/"), (VIEW, "/"))
    assert {one["user_id"] for one in site.events} == {"ann"}
    assert [one["props"] for one in site.events if one["event_type"] == "early"] == [{"a": 1}]


def test_off_is_the_only_thing_that_it_writes(site, page):
    page.go(site.lay("/"))
    site.wait(1)
    stored = "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])"
    assert page.run(stored) == '["",{},{}]'
    page.run("track.off(); track('unheard'); track.page()")
    page.go(site.lay("/b"))
    assert page.run(stored) == '["",{"track.off":"1"},{}]'
    page.run("track('unheard'); track.off(false)")
    assert page.run(stored) == '["",{},{}]'
    site.only(page, (VIEW, "/"))


def test_a_page_that_may_not_store_anything_is_counted(site, page):
    url = site.lay("/framed", script=f"<script src='{site.stats}/t.js' data-site=demo></script>")
    site.pages["/"] = (f'<!doctype html><link rel="icon" href="data:,">'
                       f'<iframe sandbox="allow-scripts" src="{url}"></iframe>', ())
    page.go(site.shop + "/")
    assert site.wait(1)[0]["url"] == url


# --- attributes ---------------------------------------------------------------------------

def test_auto_false_leaves_views_to_the_page(site, page):
    page.go(site.lay("/", attributes='data-auto="false"'))
    page.run("history.pushState({}, '', '/b'); track.page()")
    site.only(page, (VIEW, "/b"))


def test_api_and_the_path_of_the_script_say_where_to(site, page):
    page.go(site.lay("/", attributes=f'data-api="{site.shop}/collect"'))
    site.wait(1)
    assert site.taken[0][2]["Host"].startswith("shop.example")


def test_query_keys_that_tell_pages_apart(site, page):
    page.go(site.lay("/", attributes='data-query="p, page_id"') + "?x=1&p=2&page_id=%203")
    page.run("history.pushState({}, '', '/?x=2&p=2&page_id=%203')")
    page.run("history.pushState({}, '', '/?p=3')")
    site.only(page, (VIEW, "/?p=2&page_id=%203"), (VIEW, "/?p=3"))


def test_excluded_pages_are_silent(site, page):
    for path in ("/admin/users", "/cart", "/admin"):
        page.go(site.lay(path, attributes='data-exclude="/admin/*, /cart"'))
        page.run("track('x')")
    site.only(page, (VIEW, "/admin"), ("x", "/admin"))


def test_only_the_named_hosts_are_counted(site, page):
    attributes = 'data-domains="www.shop.example,*.shop.test"'
    for host in ("shop.example", "www.shop.example", "a.shop.test", "shop.testing"):
        page.go(site.lay("/", attributes=attributes).replace("shop.example", host))
    page.go(site.lay("/b"))
    site.wait(1) and site.only(page, (VIEW, "/"), (VIEW, "/"), (VIEW, "/b"))
    assert [one["url"].split(":")[1] for one in site.events[:2]] == [
        "//www.shop.example", "//a.shop.test"]


def test_this_machine_is_not_counted_unless_asked_for(site, page):
    for host in ("localhost", "127.0.0.1", "app.localhost"):
        page.go(site.lay("/").replace("shop.example", host))
        page.go(site.lay("/yes", attributes='data-local="true"').replace("shop.example", host))
        page.run("track('last')")
    site.wait(6)
    assert {one["url"].split("/")[-1] for one in site.events} == {"yes"}
    assert len(site.events) == 6


def test_do_not_track_is_respected_where_it_is_asked_for(site, page):
    page.call("Page.addScriptToEvaluateOnNewDocument",
              source="Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})")
    page.go(site.lay("/a", attributes="data-respect-dnt"))
    page.go(site.lay("/b"))
    site.only(page, (VIEW, "/b"))


# --- markup -------------------------------------------------------------------------------

def test_marked_elements_are_counted_and_keep_working(site, page):
    page.go(site.lay("/", """
        <button id="b" data-track="signup" data-track-plan="pro" data-track-seat-count="3">
          <b id="in">Go</b></button>
        <button id="r" data-track="stopped">Stop</button>
        <form id="f" data-track="search" action="javascript:void 0"><input id="i"></form>
        <script>
          b.onclick = (e) => window.prevented = e.defaultPrevented;
          r.onclick = (e) => e.stopPropagation();
          r.dataset.trackLong = "x".repeat(499) + "\U0001F600\U0001F600";
          f.onsubmit = (e) => { window.searched = 1; e.preventDefault(); };
        </script>"""))
    site.wait(1)
    page.click("#in")
    page.click("#r")
    page.click("#i")
    page.call("Input.dispatchKeyEvent", type="char", text="\r", key="Enter")
    page.wait("window.searched")
    site.only(page, (VIEW, "/"), ("signup", "/"), ("stopped", "/"), ("search", "/"))
    props = {one["event_type"]: one.get("props") for one in site.events}
    assert props["signup"] == {"plan": "pro", "seat-count": "3"}
    assert props["stopped"] == {"long": "x" * 499 + "\U0001F600"}, "cut between characters"
    assert page.run("window.prevented") is False


def test_links_that_lead_out_and_downloads(site, page):
    page.go(site.lay("/", """
        <a id="out" href="http://other.example/x?y=1">out</a> <a id="in" href="#x">in</a>
        <a id="file" href="/files/Report.PDF">file</a> <a id="mail" href="mailto:a@b.c">mail</a>
        <a id="bad" href="http://[bad">bad</a><a id="none">none</a>
        <svg width="50" height="50"><a href="http://other.example/svg"><rect id="svg" width="50"
          height="50"/></a></svg>
        <div id="host"></div>
        <script>
          host.attachShadow({mode: "open"}).innerHTML = "<a href='http://other.example/shadow'>s</a>";
          addEventListener("click", (e) => e.preventDefault());
        </script>""", "data-outbound data-downloads"))
    site.wait(1)
    for name in ("out", "in", "file", "mail", "bad", "none", "svg"):
        page.click("#" + name)
    page.run("host.shadowRoot.querySelector('a').click()")
    site.only(page, (VIEW, "/"), ("outbound", "/"), ("download", "/"), ("outbound", "/"),
              ("outbound", "/"))
    assert sorted(one["props"]["url"] for one in site.events if "props" in one) == sorted([
        "http://other.example/x?y=1", site.shop + "/files/Report.PDF",
        "http://other.example/svg", "http://other.example/shadow"])


def test_downloads_may_be_named(site, page):
    page.go(site.lay("/", '<a id="a" href="/x.pdf">a</a><a id="b" href="/x.blend">b</a>'
                          '<script>addEventListener("click", (e) => e.preventDefault())</script>',
                     'data-downloads="blend"'))
    site.wait(1)
    page.click("#a")
    page.click("#b")
    site.only(page, (VIEW, "/"), ("download", "/"))


def test_a_link_that_navigates_at_once_is_counted(site, page):
    page.go(site.lay("/", '<a id="go" data-track="left" href="/next">go</a>'))
    site.wait(1)
    site.lay("/next")
    page.click("#go")
    page.wait("location.pathname == '/next' && document.readyState == 'complete'")
    site.wait(3)
    site.only(page, (VIEW, "/"), ("left", "/"), (VIEW, "/next"))


# --- what is a view -----------------------------------------------------------------------

def test_pages_made_by_script(site, page):
    page.go(site.lay("/"))
    site.wait(1)
    for step in ("pushState({}, '', '/b')", "pushState({}, '', '/b?x=1')",
                 "replaceState({}, '', '/c')", "pushState({}, '', '/c#part')",
                 "replaceState({}, '', '/d')"):
        page.run("history." + step)
    page.run("new Promise((done) => { addEventListener('popstate', done); history.go(-3) })")
    site.only(page, (VIEW, "/"), (VIEW, "/b"), (VIEW, "/c"), (VIEW, "/"))
    assert not [one for one in site.events if "referrer" in one]


def test_hash_routes(site, page):
    page.go(site.lay("/", attributes='data-hash="true" data-exclude="/#/secret"'))
    site.wait(1)
    for part in ("#/a", "#/a", "#/secret", "#/b"):
        page.run(f"location.hash = '{part}'; new Promise((done) => setTimeout(done))")
    page.run("history.pushState({}, '', '#/c')")
    site.only(page, (VIEW, "/"), (VIEW, "/#/a"), (VIEW, "/#/b"), (VIEW, "/#/c"))


def test_without_hash_routes_a_part_of_a_page_is_no_page(site, page):
    page.go(site.lay("/"))
    page.run("location.hash = '#part'")
    site.only(page, (VIEW, "/"))


def test_loaded_twice_it_counts_once(site, page):
    line = f"<script defer src='{site.stats}/t.js' data-site='demo'></script>"
    page.go(site.lay("/", head=line, body=line))
    page.run("history.pushState({}, '', '/b')")
    site.only(page, (VIEW, "/"), (VIEW, "/b"))


def test_the_referrer_is_that_of_the_first_view_and_another_host(site, page):
    link = '<a id="go" href="{}">go</a>'
    site.lay("/b", link.format("/c"))
    site.lay("/c")
    site.pages["/from"] = (f'<link rel="icon" href="data:,"><meta name="referrer" '
                           f'content="unsafe-url">{link.format(site.shop + "/b")}', ())
    page.go(site.shop.replace("shop", "blog") + "/from")
    page.click("#go")
    site.wait(1)
    page.run("history.pushState({}, '', '/b2')")
    site.wait(2)
    page.click("#go")
    site.wait(3, VIEW)
    views = {one["url"].rsplit("/", 1)[1]: one.get("referrer") for one in site.events
             if one["event_type"] == VIEW}
    assert views == {"b": site.shop.replace("shop", "blog") + "/from", "b2": None, "c": None}


def test_back_and_forward_are_views(site, page):
    page.go(site.lay("/a"))
    page.run("window.mark = 1")
    page.go(site.lay("/b"))
    page.run("history.back()")
    page.wait("location.pathname == '/a'")
    assert page.run("window.mark") == 1, "the page was loaded again, so nothing was restored"
    site.only(page, (VIEW, "/a"), (VIEW, "/b"), (VIEW, "/a"))


def test_a_page_restored_without_a_network_is_counted_later(site, page):
    page.go(site.lay("/a"))
    page.run("window.mark = 1")
    page.go(site.lay("/b"))
    site.wait(2)
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.call("Network.emulateNetworkConditions", offline=True, **offline)
    page.run("history.back()")
    page.wait("window.mark == 1 && !navigator.onLine")
    page.run("track('meanwhile')")
    wait_until(lambda: len(page.events("Network.loadingFailed")) >= 2, 20)
    before = time.time()
    page.call("Network.emulateNetworkConditions", offline=False, **offline)
    site.wait(4)
    page.pipe.events.clear()  # the browser writes its failures to the console, of course
    assert site.seen() == [(VIEW, "/a"), (VIEW, "/b"), (VIEW, "/a"), ("meanwhile", "/a")]
    assert all(one["timestamp"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before + 1))
               for one in site.events)


def test_a_page_that_is_never_shown_is_not_counted(site, browser, page):
    hidden = browser.open(background=True)
    hidden.go(site.lay("/hidden"))
    hidden.run("track('unseen'); history.pushState({}, '', '/hidden2')")
    page.go(site.lay("/"))
    site.only(page, (VIEW, "/"))
    hidden.show()
    hidden.wait("document.visibilityState == 'visible'")
    site.wait(4)
    assert sorted(site.seen()[2:]) == [(VIEW, "/hidden2"), ("unseen", "/hidden2")]
    hidden.close()


def test_a_prerendered_page_is_counted_once_it_is_shown(site, browser):
    """A browser with a debugger at the page does not prerender, so the pages do it alone."""
    local = site.shop.replace("shop.example", "localhost")
    site.lay("/next", """<script>
        onload = () => document.prerendering && localStorage.setItem("ready", 1);
        document.addEventListener("prerenderingchange", () => track("shown", {
          ms: performance.timeOrigin +
              performance.getEntriesByType("navigation")[0].activationStart}));
        </script>""", 'data-local="true"')
    site.pages["/"] = ('''<!doctype html><link rel="icon" href="data:,">
        <script>addEventListener("storage", () => location = "/next")</script>
        <script type="speculationrules">{"prerender": [{"source": "list", "urls": ["/next"],
        "eagerness": "immediate"}]}</script>''', ())
    target = browser.pipe.call("Target.createTarget", url=local + "/")["targetId"]
    site.wait(2)
    browser.pipe.call("Target.closeTarget", targetId=target)
    by_type = {one["event_type"]: one for one in site.events}
    assert set(by_type) == {VIEW, "shown"} and len(site.events) == 2
    shown = datetime.datetime.fromtimestamp(by_type["shown"]["props"]["ms"] / 1000,
                                            datetime.timezone.utc)
    assert by_type[VIEW]["timestamp"] >= shown.isoformat(timespec="milliseconds")[:23]


# --- engagement ---------------------------------------------------------------------------

def test_engagement_has_the_seconds_that_the_page_was_visible(site, browser, page):
    site.wants_engagements = True
    page.go(site.lay("/long", '<div style="height: 300vh">long</div>'))
    site.wait(1)
    page.run("new Promise((done) => { addEventListener('scroll', done);"
             "scrollTo(0, innerHeight) })")
    page.see(1200)
    other = browser.open()  # hides the page
    first = site.wait(1, "engagement")[0]
    shown = page.run("performance.now()")
    assert first["url"] == site.shop + "/long" and 60 <= first["scroll"] <= 70
    assert 1000 <= first["duration_ms"] <= shown
    page.run("new Promise((done) => setTimeout(done, 1500))")  # nobody sees these
    began = page.run("performance.now()")
    page.show()
    page.see(1200)
    other.show()
    second = site.wait(2, "engagement")[1]
    assert 1000 <= second["duration_ms"] <= page.run("performance.now()") - began
    assert [one[0] for one in site.seen()] == [VIEW, "engagement", "engagement"]
    other.close()


def test_engagement_goes_to_the_page_that_was_there(site, page):
    site.wants_engagements = True
    page.go(site.lay("/a"))
    page.see(1200)
    page.run("history.pushState({}, '', '/b')")
    page.see(1200)
    page.go(site.lay("/c"))
    site.only(page, (VIEW, "/a"), ("engagement", "/a"), (VIEW, "/b"), ("engagement", "/b"),
              (VIEW, "/c"))


def test_time_in_the_back_forward_cache_is_nobodys(site, page):
    site.wants_engagements = True
    page.go(site.lay("/a"))
    page.go(site.lay("/b"))
    page.see(1200)
    page.run("history.back()")
    page.wait("location.pathname == '/a'")
    page.run("history.forward()")
    page.wait("location.pathname == '/b'")
    site.wait(4, VIEW)
    assert [one for one in site.seen() if one[0] == "engagement"] == [("engagement", "/b")]


# --- ways to send -------------------------------------------------------------------------

LOSE_FETCH = "window.fetch = () => Promise.reject(new TypeError('lost'));"
LOSE_BEACON = "navigator.sendBeacon = () => false;"


WATCH_BEACON = """window.beacons = 0; const real = navigator.sendBeacon.bind(navigator);
    navigator.sendBeacon = (...all) => real(...all) && ++window.beacons;"""


@pytest.mark.parametrize("script, way, beacons", [
    (WATCH_BEACON, "post", 0),
    (WATCH_BEACON + LOSE_FETCH, "post", 2),
    (WATCH_BEACON + "delete Request.prototype.keepalive;", "post", 2),
    (LOSE_FETCH + LOSE_BEACON, "pixel", None),
    (LOSE_FETCH + "delete Navigator.prototype.sendBeacon;", "pixel", None),
])
def test_another_way_is_taken_when_one_is_shut(site, page, script, way, beacons):
    page.go(site.lay("/", head=f"<script>{script}</script>"))
    site.wait(1)
    page.run("track('signup', {plan: 'pro & more'})")
    site.wait(2)
    assert [one[0] for one in site.taken] == [way, way]
    assert page.run("window.beacons") == beacons
    event = site.wait(1, "signup")[0]
    assert event["props"] == {"plan": "pro & more"} and event["url"] == site.shop + "/"
    assert "user_id" not in event and event["screen_width"] == page.run("screen.width")


def test_every_attempt_is_the_same_event(site, page):
    """A fetch whose answer is lost has been stored; what the fallback sends is that event."""
    page.go(site.lay("/", head="""<script>const real = fetch;
        window.fetch = (...all) => real(...all).then(() => { throw new TypeError("lost") });
        navigator.sendBeacon = (url, body) => { real(url, {method: "POST", body}); return false };
        </script>"""))
    site.wait(3)
    assert sorted(one[0] for one in site.taken) == ["pixel", "post", "post"]
    assert len({(one["event_id"], one["timestamp"], one["url"]) for one in site.events}) == 1


def test_an_event_that_the_server_cannot_take_is_sent_again(site, page):
    site.status = 503
    page.go(site.lay("/"))
    site.wait(1)
    page.wait("performance.getEntriesByType('resource').some((r) => /collect/.test(r.name))")
    site.status = 200
    page.run("track('next')")
    site.wait(3)
    page.pipe.events.clear()  # the browser writes the 503 to the console
    views = [one for one in site.events if one["event_type"] == VIEW]
    assert len(views) == 2 and views[0] == views[1]


def test_a_strict_policy_needs_only_the_servers_name(site, page):
    policy = (f"default-src 'none'; script-src {site.stats}; connect-src {site.stats}; "
              "img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for "
              "'script'")
    page.go(site.lay("/", '<button id="b" data-track="signup">b</button>',
                     headers=[("Content-Security-Policy", policy)]))
    site.wait(1)
    page.click("#b")
    site.wait(2)
    assert site.seen() == [(VIEW, "/"), ("signup", "/")]


def test_nothing_is_thrown_at_the_page(site, page):
    """Neither where nobody listens nor by props that cannot be written."""
    page.go(site.lay("/", attributes=f'data-api="http://stats.example:{free_port()}/collect"'))
    page.run("const loop = {}; loop.loop = loop; track('x', loop); track('y', {z: 1n})")
    wait_until(lambda: page.events("Network.loadingFailed"), 20)
    page.run("navigator.sendBeacon = null; track('z')")
    wait_until(lambda: len(page.events("Network.loadingFailed")) >= 4, 20)
    assert page.events("Runtime.exceptionThrown") == []
    page.pipe.events.clear()  # that the server is not there is on the console, of course
