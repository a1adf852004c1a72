"""The dashboard in a real browser, with real daemons and figures that the test knows: what it
shows, what it does when somebody clicks or presses a key, and how it is read without eyes."""
import collections
import datetime
import json
import re
import urllib.parse

import pytest

from support.chromium import chromium
from support.dashboard import Dashboard
from support.events import new_id

MONDAY = datetime.date(2025, 11, 10)
WEEK = "?from=2025-11-10&to=2025-11-16"
HOSTILE = '<img src=x onerror=alert(1)>"\'&lt;{root}'


def view(day, user, path, hour=10, **more):
    return {"site_id": "shop", "event_type": "page_view", "path": path, "user_id": user,
            "timestamp": f"{day}T{hour:02}:00:00Z", "event_id": new_id(), **more}


def make_events():
    """A visit of each user on each day from his own first one on, each with more pages."""
    events = []
    for at in range(-7, 7):
        day = MONDAY + datetime.timedelta(days=at)
        for number in range(1 if at < 0 else 3 + at):
            user, source = f"u{number}", ["Google", "GitHub", "Direct"][number % 3]
            more = {"utm_source": source.lower()} if source != "Direct" else {}
            pages = ["/", "/pricing", "/docs/%C3%BCber", "/blog/a;b|c*d\\e"][:1 + number % 4]
            events += [view(day, user, path, language="de", **more) for path in pages]
            if number % 2:
                events.append({**view(day, user, "/pricing", props={"plan": f"p{number}"}),
                               "event_type": "signup"})
    events += [view(MONDAY, "many", f"/many/{number:03}", hour=23) for number in range(130)]
    return events


EVENTS = make_events()
VALUES = ("site_id", "event_type", "path", "user_id", "hostname", "referrer", "utm_source",
          "utm_medium", "utm_campaign", "utm_content", "utm_term")


def within(first, last, events=None):
    return [e for e in events or EVENTS if first <= e["timestamp"][:10] <= last]


def visitors(events):
    return len({e["user_id"] for e in events})


def views(events):
    return sum(e["event_type"] == "page_view" for e in events)


NOW = within("2025-11-10", "2025-11-16")


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def port(shared_stack):
    """Of reporting, with the events rolled up."""
    hostile = view(MONDAY, HOSTILE, "/" + HOSTILE, props={HOSTILE: HOSTILE})
    hostile.update({key: HOSTILE for key in VALUES if key not in ("path", "referrer", "hostname")})
    hostile.update(referrer="https://evil.example/" + urllib.parse.quote(HOSTILE),
                   hostname="<b>.example")
    other = [view(MONDAY, "u", "/", site_id="other")]
    everything = [*EVENTS, hostile, *({**one, "site_id": "other"} for one in other)]
    for at in range(0, len(everything), 500):
        answer = shared_stack.ingestion.request(
            "POST", "/batch", json.dumps(everything[at:at + 500]),
            {"Content-Type": "application/json"})
        assert answer.status == 200 and answer.json()["rejected"] == 0, answer
    shared_stack.settle()
    return shared_stack.reporting.port


@pytest.fixture
def dashboard(browser, port):
    """A tab that must end without an error, and without a word to any other host."""
    dashboard = Dashboard(browser, port)
    yield dashboard
    problems, strangers = dashboard.page.problems(), dashboard.strangers()
    dashboard.page.close()
    assert not problems and not strangers, (problems, strangers)


def api(shared_stack, report, site_id="shop", **asked):
    asked = {"site_id": site_id, "from": "2025-11-10", "to": "2025-11-16", **asked}
    answer = shared_stack.reporting.get(f"/stats/{report}?{urllib.parse.urlencode(asked)}")
    assert answer.status == 200, answer
    return answer.json()["results"]


# --- what it shows ------------------------------------------------------------------------

def test_the_figures_are_those_of_the_api(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK)
    metrics = "visitors,visits,pageviews,views_per_visit,bounce_rate,visit_duration"
    answer = api(shared_stack, "aggregate", metrics=metrics, compare="previous_period")
    assert answer["visitors"]["value"] == visitors(NOW)
    assert answer["pageviews"]["value"] == views(NOW)
    shown = dashboard.figures()
    assert list(shown) == metrics.split(",")
    for name in ("visitors", "visits", "pageviews"):
        assert shown[name] == f"{answer[name]['value']:,}", name
    rate = answer["bounce_rate"]["value"]
    assert shown["bounce_rate"] == ("–" if rate is None else f"{rate:g}%")
    per = answer["views_per_visit"]["value"]
    assert shown["views_per_visit"] == "–" or float(shown["views_per_visit"]) == per
    change = round(answer["visitors"]["change"])
    assert f"up {change:,}%" in dashboard.text(".figure[data-metric=visitors]").replace("\n", " ")


def test_each_bucket_of_the_chart_is_that_of_the_api(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK + "&metric=pageviews&interval=day")
    rows = api(shared_stack, "timeseries", metrics="pageviews", interval="day",
               compare="previous_period")
    by_day = collections.Counter(e["timestamp"][:10] for e in NOW
                                 if e["event_type"] == "page_view")
    assert [row["pageviews"] for row in rows] == [by_day[row["time"][:10]] for row in rows]
    assert [row[1:] for row in dashboard.table()] == [
        [str(row["pageviews"]), str(row["previous"]["pageviews"])] for row in rows]
    assert dashboard.table()[0][0] == "Monday, November 10, 2025"


def test_the_panels_are_those_of_the_api(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK)
    for panel, name in (("Pages", "page"), ("Events", "event_type"), ("Sources", "source"),
                        ("Places", "country"), ("Devices", "browser")):
        rows = api(shared_stack, "breakdown", property=name, limit=9)
        shown = [[urllib.parse.unquote(row[name]), str(row["visitors"])] for row in rows]
        found = dashboard.rows(panel)
        if name in ("page", "event_type", "source"):
            assert found == shown, panel
        assert [number for _, number in found] == [number for _, number in shown]
    pages = collections.defaultdict(set)
    for one in NOW:
        pages[one["path"]].add(one["user_id"])
    assert dashboard.rows("Pages")[0] == ["/", str(len(pages["/"]))]
    assert ["/docs/über", str(len(pages["/docs/%C3%BCber"]))] in dashboard.rows("Pages")


def test_each_panel_has_its_tabs(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK)
    for panel in ("Sources", "Pages", "Places", "Devices"):
        tabs = dashboard.texts(f'[aria-label="{panel}"] .tabs button')
        for at, _ in enumerate(tabs):
            dashboard.click(f'[aria-label="{panel}"] .tabs button:nth-child({at + 1})').settle()
            name = dashboard.query.get(panel.lower()) or {
                "Sources": "source", "Pages": "page", "Places": "country",
                "Devices": "browser"}[panel]
            rows = api(shared_stack, "breakdown", property=name, limit=9)
            assert [row[1] for row in dashboard.rows(panel)] == [
                str(row["visitors"]) for row in rows], name


def test_an_events_own_property_is_asked_by_name(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK)
    dashboard.click("form.property input")
    names = [row["prop"] for row in api(shared_stack, "breakdown", property="prop")]
    assert "plan" in names
    dashboard.page.wait("document.querySelectorAll('datalist option').length > 0")
    assert dashboard.run("[...document.querySelectorAll('datalist option')].map((o) => o.value)"
                         ) == names
    dashboard.page.type("plan")
    dashboard.page.press("Enter")
    dashboard.page.wait("location.search.includes('prop')")
    dashboard.settle()
    rows = api(shared_stack, "breakdown", property="prop:plan", limit=9)
    assert rows and dashboard.rows("Events") == [[row["prop:plan"], str(row["visitors"])]
                                                 for row in rows]


def test_hostile_texts_are_shown_as_texts(dashboard, shared_stack):
    site = urllib.parse.quote(HOSTILE, safe="")
    for more in ("", "&sources=utm_campaign&pages=entry_page&places=language&devices=os",
                 "&sources=referrer&pages=exit_page&events=hostname",
                 "&filters=" + urllib.parse.quote("page==/" + HOSTILE.replace(";", "\\;")),
                 "&details=page", "&details=event_type"):
        dashboard.open(f"/site/{site}{WEEK}{more}")
        assert dashboard.run("document.querySelectorAll('img, main script, b img').length") == 0
        assert HOSTILE in dashboard.text("div.top") and HOSTILE in dashboard.run("document.title")
    dashboard.page.wait("!!document.querySelector('dialog tbody button')")
    assert dashboard.texts("dialog tbody button") == [HOSTILE]
    assert dashboard.rows("Pages")[0][0] == "/" + HOSTILE


def test_a_site_without_events_says_what_to_paste_and_turns_live(browser, port, shared_stack):
    dashboard = Dashboard(browser, port, is_fast=True)
    dashboard.open("/site/new%20%22site%22")
    line = re.search(r"<script.*</script>", dashboard.text("pre"))[0]
    assert line == ('<script defer src="http://localhost:3000/t.js" '
                    'data-site="new &quot;site&quot;"></script>')
    assert "curl -X POST http://localhost:3000/event" in dashboard.text()
    shared_stack.post({**view(datetime.date.today(), "u", "/first", hour=0),
                       "site_id": 'new "site"'})
    dashboard.page.wait("!!document.querySelector('.figure')")
    dashboard.settle()
    assert (dashboard.figures()["pageviews"], dashboard.rows("Pages")) == ("1", [["/first", "1"]])
    assert not dashboard.page.problems()
    dashboard.page.close()


# --- what is chosen -----------------------------------------------------------------------

def test_a_click_on_a_row_filters_and_the_address_keeps_it(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK)
    before = dashboard.figures()
    dashboard.click_row("Pages", "/docs/über")
    on_page = [e for e in NOW if e["path"] == "/docs/%C3%BCber"]
    assert dashboard.query["filters"] == "page==/docs/%C3%BCber"
    assert dashboard.chips() == ["Page is /docs/über"]
    assert dashboard.figures()["pageviews"] == str(views(on_page))
    assert dashboard.figures()["visitors"] == str(visitors(on_page))
    assert dashboard.rows("Pages") == [["/docs/über", str(visitors(on_page))]]
    filtered = dashboard.figures()
    dashboard.page.call("Page.reload")
    dashboard.page.wait("performance.getEntriesByType('navigation')[0].type === 'reload'")
    assert dashboard.settle().figures() == filtered
    dashboard.run("history.back()")
    dashboard.page.wait("!location.search.includes('filters')")
    assert dashboard.settle().figures() == before and dashboard.chips() == []
    dashboard.run("history.forward()")
    dashboard.page.wait("location.search.includes('filters')")
    assert dashboard.settle().figures() == filtered
    dashboard.click(".chip button:first-child").settle()
    assert dashboard.chips() == ["Page is not /docs/über"]
    assert dashboard.figures()["pageviews"] == str(views(NOW) - views(on_page))
    dashboard.click(".chip button:last-child").settle()
    assert dashboard.figures() == before


def test_what_the_grammar_uses_is_filtered_as_it_is_stored(dashboard):
    dashboard.open("/site/shop" + WEEK + "&filters=page==/b*")
    path = "/blog/a;b|c*d\\e"
    dashboard.click_row("Pages", path)
    assert dashboard.query["filters"] == "page==/blog/a\\;b\\|c\\*d\\\\e"
    assert dashboard.rows("Pages")[0][0] == path and dashboard.chips() == [f"Page is {path}"]


def test_keys(dashboard):
    dashboard.open("/site/shop")
    for key, period in (("d", "today"), ("w", "7d"), ("y", "12mo")):
        dashboard.page.press(key)
        dashboard.page.wait(f"new URLSearchParams(location.search).get('period') == '{period}'")
    dashboard.page.press("m")
    dashboard.page.wait("!location.search.includes('period')")
    dashboard.page.press("?")
    dashboard.page.wait("document.querySelector('dialog.help')?.open")
    dashboard.page.press("Escape")
    dashboard.page.wait("!document.querySelector('dialog')")
    dashboard.page.press("/")
    dashboard.page.wait("document.activeElement?.getAttribute('aria-label') === 'Value'")
    dashboard.page.type("/pricing")
    dashboard.page.press("Enter")
    dashboard.page.wait("location.search.includes('filters')")
    dashboard.settle()
    assert dashboard.chips() == ["Page is /pricing"]
    dashboard.page.press("x")
    dashboard.page.wait("!location.search.includes('filters')")
    dashboard.page.press("/")
    dashboard.page.wait("document.activeElement?.getAttribute('aria-label') === 'Value'")
    dashboard.page.press("Escape")
    dashboard.page.wait("document.activeElement?.textContent === '+ Filter'")
    dashboard.settle()


def test_arrows_step_by_what_is_in_view(dashboard):
    def step(key, first, last):
        dashboard.page.press(key)
        dashboard.page.wait(f"location.search.includes('from={first}&to={last}')")
        dashboard.settle()

    dashboard.open("/site/shop" + WEEK)
    step("ArrowLeft", "2025-11-03", "2025-11-09")
    step("ArrowRight", "2025-11-10", "2025-11-16")
    dashboard.open("/site/shop?period=month&date=2026-03-31")
    step("ArrowLeft", "2026-02-01", "2026-02-28")  # by months, however long
    step("ArrowLeft", "2026-01-01", "2026-01-31")
    step("ArrowRight", "2026-02-01", "2026-02-28")
    dashboard.open("/site/shop?period=year&date=2025-06-01")
    step("ArrowLeft", "2024-01-01", "2024-12-31")
    step("ArrowLeft", "2023-01-01", "2023-12-31")
    # A range of its own in front of a period that has nothing before it.
    dashboard.open("/site/shop" + WEEK + "&period=all")
    assert dashboard.run("document.querySelector('.compare input').disabled") is False
    assert dashboard.text(".figure .change").strip()
    step("ArrowLeft", "2025-11-03", "2025-11-09")
    dashboard.open("/site/shop?period=all")
    assert dashboard.run("document.querySelector('.compare input').disabled") is True


def test_the_interval_and_the_metric_are_chosen(dashboard):
    dashboard.open("/site/shop" + WEEK)
    dashboard.click('[data-key="interval hour"]').settle()
    assert len(dashboard.table()) == 7 * 24 and dashboard.query["interval"] == "hour"
    dashboard.click(".figure[data-metric=pageviews]").settle()
    assert sum(int(row[1]) for row in dashboard.table()) == views(NOW)
    assert dashboard.query["metric"] == "pageviews"


def test_details_have_search_pages_and_a_csv_file(dashboard, shared_stack):
    dashboard.open("/site/shop" + WEEK)
    dashboard.click('[aria-label="Details: Pages"]')
    dashboard.page.wait("document.querySelectorAll('dialog tbody tr').length == 50")
    rows = api(shared_stack, "breakdown", property="page", limit=50,
               metrics="visitors,pageviews,time_on_page")
    shown = dashboard.run("[...document.querySelectorAll('dialog tbody tr')].map("
                          "(row) => [...row.cells].map((cell) => cell.textContent))")
    assert [row[:3] for row in shown] == [
        [urllib.parse.unquote(row["page"]), str(row["visitors"]), str(row["pageviews"])]
        for row in rows]
    dashboard.click('dialog [data-key="Next"]')
    dashboard.wait_text("Page 2", "dialog footer")
    dashboard.page.wait("document.querySelector('dialog tbody tr button')"
                        ".textContent.startsWith('/many/')")
    dashboard.page.press("/")
    dashboard.page.wait("document.activeElement.type === 'search'")
    dashboard.page.type("many/12")
    dashboard.page.wait("document.querySelectorAll('dialog tbody tr').length == 10")
    assert dashboard.run("document.activeElement.value") == "many/12"
    assert dashboard.query["search"] == "many/12" and "page" not in dashboard.query
    link = dashboard.run("document.querySelector('dialog a').href")
    text = dashboard.run(f"fetch({json.dumps(link)}).then((answer) => answer.text())")
    lines = text.splitlines()
    assert lines[0] == "page,visitors,pageviews,time_on_page" and len(lines) == 11
    assert lines[1].startswith("/many/120,1,1,")
    dashboard.page.press("Escape")  # as browsers do, the first one empties the field
    dashboard.page.wait("!location.search.includes('search')")
    dashboard.page.press("Escape")
    dashboard.page.wait("!document.querySelector('dialog')")
    assert "details" not in dashboard.query
    assert dashboard.run("document.activeElement.textContent") == "Details"


def test_sites_are_chosen_from_a_list(dashboard):
    dashboard.open("/")
    assert {"shop", "other", HOSTILE} <= set(dashboard.texts(".sites a"))
    dashboard.run("[...document.querySelectorAll('.sites a')]"
                  ".find((one) => one.textContent == 'shop').click()")
    dashboard.page.wait("location.pathname == '/site/shop'")
    dashboard.settle().page.wait("!!document.querySelector('select.site')")
    dashboard.choose("select.site", "other")
    dashboard.page.wait("location.pathname == '/site/other'")
    dashboard.settle()
    dashboard.run("history.back()")
    dashboard.page.wait("location.pathname == '/site/shop'")
    dashboard.settle()


# --- how it is read, and where ------------------------------------------------------------

def test_every_control_is_reached_by_tab_in_the_order_of_the_page(dashboard):
    dashboard.open("/site/shop" + WEEK + "&filters=page==/pricing")
    where = ("(() => { const one = document.activeElement; if (one === document.body) return '';"
             "return one.getAttribute('aria-label') || one.closest('label')?.textContent"
             " || one.textContent || one.tagName })()")
    dashboard.page.press("Tab")
    assert dashboard.run(where) == "Skip to the figures"
    dashboard.page.press("Enter")
    assert dashboard.run("document.activeElement.id") == "main"
    dashboard.run("document.activeElement.blur(); document.querySelector('.skip').focus()")
    order = [""]
    for _ in range(120):
        dashboard.page.press("Tab")
        found = dashboard.run(where)
        if not found:
            break
        order += [found] if found != order[-1] else []  # a date has several fields
    controls = dashboard.run(
        "[...document.querySelectorAll('#app a, #app button, #app select, #app input,"
        " #app [tabindex=\"0\"]')].filter((one) => one.checkVisibility() && !one.disabled)"
        ".map((one) => one.getAttribute('aria-label') || one.closest('label')?.textContent"
        " || one.textContent || one.tagName)")
    assert [one for one in order if one in controls] == controls
    positions = [order.index(name) for name in ("Period", "Remove the filter Page",
                                                "Details: Sources", "Keys (?)")]
    assert positions == sorted(positions)


def test_the_chart_is_a_table_for_who_cannot_see_it(dashboard):
    dashboard.open("/site/shop" + WEEK)
    tree = dashboard.tree()
    assert ("table", "Visitors by day") in tree
    assert ("rowheader", "Sunday, November 16, 2025") in tree
    names = {name for role, name in tree if role == "button"}
    assert any(name.startswith("Visitors") for name in names) and "Period before" in names
    for role, name in (("region", "Pages"), ("link", "Details: Pages"), ("combobox", "Period"),
                       ("main", ""), ("checkbox", "Compare")):
        assert (role, name) in tree, (role, name)
    dashboard.run("document.querySelector('.chart').focus()")
    dashboard.page.press("End")
    assert "November 16" in dashboard.text(".tip")
    dashboard.page.press("ArrowLeft")
    assert "November 15" in dashboard.text(".tip")


@pytest.mark.parametrize("path", ["/site/shop" + WEEK, "/site/nobody", "/",
                                  "/site/shop" + WEEK + "&details=page",
                                  "/site/shop" + WEEK + "&help=1"])
def test_axe_finds_nothing_in_the_light_and_in_the_dark(dashboard, path):
    dashboard.page.prefer(color_scheme="light")
    dashboard.open(path)
    assert dashboard.axe() == []
    if "details" in path or "help" in path:
        return  # of the same colours
    dashboard.page.prefer(color_scheme="dark")
    dashboard.page.wait("document.getAnimations().length === 0")
    assert dashboard.axe("color-contrast") == []


def test_it_is_dark_where_the_system_is(dashboard):
    dashboard.open("/site/shop" + WEEK)
    colours = []
    for scheme in ("light", "dark"):
        dashboard.page.prefer(color_scheme=scheme)
        colours.append(dashboard.run("getComputedStyle(document.documentElement).backgroundColor"))
    assert colours[0] != colours[1]


def test_nothing_moves_where_that_is_not_wanted(dashboard):
    moving = ("[...document.querySelectorAll('main > *')].some((one) => "
              "getComputedStyle(one).transitionDuration !== '0s')")
    dashboard.page.prefer(reduced_motion="reduce")
    dashboard.open("/site/shop" + WEEK)
    assert dashboard.run(moving) is False
    dashboard.page.prefer(reduced_motion="no-preference")
    assert dashboard.run(moving) is True


@pytest.mark.parametrize("width", [1440, 1024, 390, 320])
def test_nothing_is_wider_than_the_window(dashboard, width):
    dashboard.page.resize(width, 800)
    for more in ("", "&filters=page==/blog/*;page!=/a", "&details=page"):
        dashboard.open("/site/shop" + WEEK + more)
        assert dashboard.run("document.documentElement.scrollWidth") <= width, dashboard.run(
            "[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect()"
            ".right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 90))")


def test_numbers_and_dates_are_the_visitors_own(dashboard):
    dashboard.page.call("Network.setUserAgentOverride", userAgent="Mozilla/5.0",
                        acceptLanguage="de-DE")
    dashboard.open("/site/shop" + WEEK)
    assert dashboard.table()[0][0] == "Montag, 10. November 2025"
    assert "10.–16. Nov. 2025" in dashboard.text(".legend")


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_shifts_while_it_loads(dashboard, width):
    dashboard.page.resize(width)
    dashboard.page.before_each_document(
        "window.shifts = []; new PerformanceObserver((list) => { for (const one of "
        "list.getEntries()) window.shifts.push([one.value, ...one.sources.map((from) => "
        "from.node?.className ?? '')]) }).observe({type: 'layout-shift', buffered: true});")
    dashboard.open("/site/shop" + WEEK)
    dashboard.click(".figure[data-metric=pageviews]").settle()
    assert dashboard.run("window.shifts") == []
