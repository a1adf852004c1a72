"""The dashboard in a real browser where something is amiss: a token, slow and failing answers,
no network, an address that cannot be read, a day that ends while the page is open."""
import datetime
import urllib.parse

import pytest

from support.chromium import chromium
from support.daemon import run
from support.dashboard import Dashboard, held
from support.events import event
from support.postgres_server import Database
from support.site_data import load
from support.stack import Daemons

TOKEN = "a-token-of-more-than-thirty-two-characters"
UTC = datetime.timezone.utc


def ago(**duration):
    return (datetime.datetime.now(UTC) - datetime.timedelta(**duration)).isoformat()


class Rig:
    def __init__(self, folder, database):
        self.database, self.daemons = database, Daemons(folder)
        self.plain = self.daemons.start("reporting", DATABASE_URL=database.url)
        self.locked = self.daemons.start("reporting", DATABASE_URL=database.url,
                                         REPORTING_TOKEN=TOKEN)


@pytest.fixture(scope="module")
def rig(postgres, migrated_template, tmp_path_factory):
    database = Database(postgres, postgres.create_database(migrated_template))
    load(database, [event(path=f"/p{number}", user_id=f"u{number}", timestamp=ago(hours=number))
                    for number in range(60)]
         + [event(site_id="west", timestamp=ago(hours=number)) for number in range(72)])
    rig = Rig(tmp_path_factory.mktemp("rig"), database)
    yield rig
    assert not rig.daemons.finish()
    database.drop()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def dashboard(browser, rig):
    dashboard = Dashboard(browser, rig.plain.port, is_fast=True)
    yield dashboard
    exceptions = dashboard.page.events("Runtime.exceptionThrown")
    dashboard.page.close()
    assert not exceptions, exceptions


# --- who may see it -----------------------------------------------------------------------

def give(dashboard, token):
    dashboard.page.wait("document.activeElement?.type === 'password'")
    dashboard.page.type(token)
    dashboard.page.press("Enter")


@pytest.mark.parametrize("path", ["/", "/site/demo"])
def test_the_token_is_asked_once_and_kept_for_the_session(browser, rig, path):
    dashboard = Dashboard(browser, rig.locked.port)
    dashboard.open(path, settled=False)
    dashboard.wait_text("A token is needed")
    give(dashboard, "wrong")
    dashboard.wait_text("That token does not open this")
    give(dashboard, TOKEN)
    dashboard.page.wait("!!document.querySelector('.figure, .sites a')")
    if path == "/":
        dashboard.run("document.querySelector('.sites a').click()")
    dashboard.page.wait("!!document.querySelector('.figure .value')?.textContent")
    dashboard.page.wait("!!document.querySelector('select.site')")  # the list is there by now
    dashboard.page.call("Page.reload")
    dashboard.page.wait("!!document.querySelector('.figure .value')?.textContent")
    assert "A token" not in dashboard.text()
    assert dashboard.run("document.cookie + JSON.stringify(localStorage)") == "{}"
    assert not [url for url in dashboard.page.asked() if TOKEN in url]
    dashboard.page.close()


@pytest.fixture(scope="module")
def link(tmp_path_factory):
    """The path and the fragment of a link that shares the site demo."""
    printed = run("reporting", "--share", "demo", cwd=tmp_path_factory.mktemp("share"),
                  env={"REPORTING_TOKEN": TOKEN})
    assert printed.returncode == 0, printed.stderr
    url = urllib.parse.urlsplit(printed.stdout.strip())
    return url.path, "#" + url.fragment


def test_a_shared_link_shows_one_site_and_no_more(browser, rig, link):
    dashboard = Dashboard(browser, rig.locked.port)
    path, fragment = link
    assert path == "/site/demo" and fragment.startswith("#key=")
    dashboard.open(path + "?period=7d" + fragment)
    answer = rig.locked.get("/stats/aggregate?site_id=demo&period=7d",
                            {"Authorization": f"Bearer {TOKEN}"}).json()["results"]
    assert dashboard.figures()["pageviews"] == str(answer["pageviews"]["value"])
    assert dashboard.run("document.querySelectorAll('select.site, h1 a, form.property').length") == 0
    dashboard.page.press("w")
    dashboard.click('[aria-label="Details: Pages"]')
    dashboard.page.wait("document.querySelectorAll('dialog tbody tr').length > 40")
    assert dashboard.run("location.hash") == fragment  # a link again, with what is chosen
    asked, problems = dashboard.page.asked(), dashboard.page.problems()
    assert not [url for url in asked if fragment[5:] in url or "/sites" in url] and not problems
    assert dashboard.run("sessionStorage.length") == 0
    dashboard.page.close()


@pytest.mark.parametrize("wrong", ["#key=wrong", None])
def test_a_shared_link_with_a_wrong_key_says_so(browser, rig, link, wrong):
    dashboard = Dashboard(browser, rig.locked.port)
    dashboard.open(("/site/demo" + wrong) if wrong else "/site/west" + link[1], settled=False)
    dashboard.wait_text("This link does not work")
    assert dashboard.run("document.querySelectorAll('input').length") == 0
    dashboard.page.close()


# --- answers that come late, or not -------------------------------------------------------

def test_an_older_answer_never_takes_the_place_of_a_newer_one(dashboard):
    dashboard.open("/site/demo?period=7d")
    with held(dashboard.page, "*timeseries*metrics=visits*") as slow:
        dashboard.click(".figure[data-metric=visits]")
        slow.wait()
        dashboard.click(".figure[data-metric=pageviews]").settle()
        assert "Page views by day" in dashboard.text(".chart caption")
        slow.answer()
        dashboard.run("new Promise((done) => setTimeout(done, 100))")
    assert "Page views by day" in dashboard.text(".chart caption")
    with held(dashboard.page, "*breakdown*property=entry_page*") as slow:
        dashboard.click('[data-key="pages entry_page"]')
        slow.wait()
        dashboard.click('[data-key="pages page"]').settle()
        slow.answer()
    assert dashboard.rows("Pages")[0][0].startswith("/p")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failing_server_is_asked_less_and_less_often(dashboard, status):
    dashboard.open("/site/demo?period=7d")
    dashboard.run("window.waits.length = 0")
    with held(dashboard.page, "*/stats/aggregate*") as failing:
        dashboard.click(".compare input")
        for _ in range(4):
            failing.wait()
            failing.answer(status, b'{"error":"not now"}')
        dashboard.wait_text("not now", ".figures")
        failing.wait()
        waits = [one for one in dashboard.run("window.waits") if one != 30000]  # the usual one
        assert all(2 ** n * 2000 <= one <= 2 ** n * 2400 + 1 for n, one in enumerate(waits[:4])), waits
        assert "tries again by itself" in dashboard.text(".figures")
        failing.answer(429, b"{}", [("Retry-After", "17")])
        failing.wait()
        assert dashboard.run("Math.max(...window.waits)") >= 17000
        failing.answer()
    dashboard.page.wait("!!document.querySelector('.figure .value')?.textContent")
    dashboard.page.wait("window.waits.at(-1) === 30000")  # as often as ever


def test_figures_stay_while_the_network_is_away(dashboard):
    dashboard.open("/site/demo?period=7d")
    figures = dashboard.figures()
    dashboard.page.offline()
    dashboard.wait_text("cannot be reached", ".notice")
    assert dashboard.figures() == figures
    dashboard.page.offline(False)
    dashboard.page.wait("document.querySelector('.notice').textContent === ''")
    assert dashboard.figures() == figures


def test_a_question_that_cannot_be_answered_can_be_changed(dashboard):
    dashboard.open("/site/demo?filters=nothing==1")
    assert dashboard.run("document.querySelectorAll('.chip').length") == 1
    dashboard.click(".figures a")
    dashboard.page.wait("document.querySelectorAll('.figure').length === 6")


def test_an_address_that_cannot_be_read_is_no_blank_page(dashboard):
    dashboard.open("/site/100%25?x=%")
    dashboard.wait_text("Waiting for the first event")
    for path in ("/site/100%?x=%", "/site/demo#key=%"):
        dashboard.open(path, settled=False)
        dashboard.page.wait("document.body.innerText.length > 100")


# --- what is open while the page refreshes ------------------------------------------------

def test_what_a_person_has_opened_stays_when_new_figures_come(dashboard, rig):
    dashboard.open("/site/demo?period=7d")
    dashboard.page.wait("!!document.querySelector('select.site')")
    dashboard.click("form.property input")
    dashboard.page.type("pla")
    dashboard.run("window.kept = ['select.site', '.period select', 'form.property input',"
                  " '.compare input', '.rows .row'].map((one) => "
                  "[one, document.querySelector(one)])")
    load(rig.database, [event(path="/new", user_id=f"n{n}", timestamp=ago(seconds=1))
                        for n in range(9)])
    dashboard.wait_text("/new", '[aria-label="Pages"]')
    dashboard.page.wait("document.querySelector('.live').textContent.length > 3")
    assert dashboard.run("window.kept.filter(([name, one]) => !one.isConnected)"
                         ".map(([name]) => name)") == [".rows .row"]
    assert dashboard.run("document.activeElement.value") == "pla"
    dashboard.page.press("Escape")
    dashboard.run("document.activeElement.blur()")
    dashboard.page.press("/")
    dashboard.page.wait("document.activeElement?.getAttribute('aria-label') === 'Value'")
    dashboard.page.type("/ne")
    load(rig.database, [event(path="/newer", user_id=f"n{n}", timestamp=ago(seconds=1))
                        for n in range(10)])
    dashboard.wait_text("/newer", '[aria-label="Pages"]')
    assert dashboard.run("document.activeElement.value") == "/ne"


# --- the present --------------------------------------------------------------------------

def test_hours_to_come_are_not_drawn(dashboard, rig):
    hour = datetime.datetime.now(UTC).hour
    dashboard.open("/site/demo?period=today&metric=pageviews")
    rows = dashboard.table()
    if hour == datetime.datetime.now(UTC).hour and hour < 23:
        assert len(rows) == hour + 1
        assert [row for row in rows if "(not over)" in row[0]] == rows[-1:]
        drawn = dashboard.run("document.querySelector('.area')?.getAttribute('d') ?? ''")
        assert drawn.count("L") == (hour + 2 if hour else 0)
        assert dashboard.run("document.querySelectorAll('.present').length") == 1
        dashboard.run("document.querySelector('.chart').focus()")
        dashboard.page.press("End")
        assert "to come" in dashboard.text(".tip")
    dashboard.open("/site/demo?period=yesterday&interval=hour")
    assert len(dashboard.table()) == 24 and "not over" not in str(dashboard.table())


def test_a_tab_left_open_over_midnight_goes_on_to_the_new_day(dashboard, rig):
    """The site's day ends because the site moves: 26 hours lie between these zones."""
    def move(zone):
        rig.database.rows("UPDATE sites SET time_zone = %s WHERE site_id = 'west' "
                          "RETURNING 1", (zone,))

    def asked():
        query = urllib.parse.urlencode({"site_id": "west", "period": "today"})
        return rig.plain.get(f"/stats/aggregate?{query}").json()

    move("Etc/GMT+12")
    dashboard.open("/site/west?period=today")
    before, shown = asked(), dashboard.text(".legend span")
    move("Pacific/Kiritimati")
    assert asked()["from"] > before["from"]
    dashboard.page.wait(f"document.querySelector('.legend span').innerText !== '{shown}'")
    dashboard.page.wait("document.querySelector('.foot').innerText.includes('Kiritimati')")
    assert dashboard.figures()["visitors"] == str(asked()["results"]["visitors"]["value"])
