"""The reports of reporting: their figures against an independent count of the same random events
in three time zones, the forms of their answers, and what they refuse."""
import collections
import csv
import datetime
import io
import json
import random
import re
import subprocess
import sys
import textwrap
import urllib.parse
import zoneinfo

import pytest

from support.events import event
from support.months import IN_NEW_YORK, clocks_went_back, wait_for_hour
from support.postgres_server import Database
from support.settings import SOURCE
from support.site_data import load, store
from support.stack import Daemons

UTC = datetime.timezone.utc
ZONES = {"utc": "UTC", "nepal": "Asia/Kathmandu", "york": "America/New_York"}
DAYS = 6
FIRST = datetime.datetime.combine(  # New York's clocks change on the fourth day
    clocks_went_back(IN_NEW_YORK) - datetime.timedelta(days=3), datetime.time(), UTC)
VIEWS = ("page_view", "pageview")


def make_events(site_id, seed):
    rand = random.Random(seed)
    return [event(site_id=site_id, path=rand.choice(["/", "/a", "/b/1", "/b/2", "/ä%_\\"]),
                  event_type=rand.choice(["page_view", "pageview", "signup"]),
                  user_id=rand.choice([None, "", *(f"u{n}" for n in range(20))]),
                  timestamp=(FIRST + datetime.timedelta(
                      milliseconds=rand.randrange(DAYS * 86400000))).isoformat())
            for _ in range(600)]


class Site:
    """The same figures, counted from the events one by one."""

    def __init__(self, site_id, zone, events):
        self.site_id, self.zone, self.events = site_id, zoneinfo.ZoneInfo(zone), events
        for one in events:
            one["local"] = datetime.datetime.fromisoformat(one["timestamp"]).astimezone(self.zone)

    def within(self, first, last):
        return [e for e in self.events if first <= e["local"].date().isoformat() <= last]

    @staticmethod
    def figures(events):
        return {"visitors": len({e["user_id"] for e in events if e["user_id"] is not None}),
                "pageviews": sum(e["event_type"] in VIEWS for e in events),
                "events": len(events)}

    def buckets(self, first, last, bucket):
        found = collections.defaultdict(list)
        for one in self.within(first, last):
            found[bucket(one["local"])].append(one)
        return {key: self.figures(events) for key, events in found.items()}


@pytest.fixture(scope="module")
def rig(postgres, migrated_template, tmp_path_factory):
    """A database with the sites, and reporting."""
    database = Database(postgres, postgres.create_database(migrated_template))
    sites = {}
    for name, zone in ZONES.items():
        events = make_events(name, seed=name)
        database.rows("INSERT INTO sites (site_id, time_zone) VALUES (%s, %s) "
                      "RETURNING site_no", (name, zone))
        load(database, [{k: v for k, v in e.items() if k != "local"} for e in events])
        sites[name] = Site(name, zone, events)
    daemons = Daemons(tmp_path_factory.mktemp("reports"))
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    sites["database"] = database
    yield daemon, sites
    assert not daemons.finish()
    database.drop()


def get(daemon, path, **asked):
    answer = daemon.get(f"{path}?{urllib.parse.urlencode(asked)}")
    assert answer.status == 200, answer
    return answer.json()


def days_of(first, last):
    """A range, in days since the first of the events."""
    return {name: (FIRST + datetime.timedelta(days=number)).date().isoformat()
            for name, number in (("from", first), ("to", last))}


RANGE = days_of(1, 4)
METRICS = {"metrics": "visitors,pageviews,events"}
each_site = pytest.mark.parametrize("name", ZONES)


@each_site
def test_aggregate_agrees_with_a_count_of_its_own(rig, name):
    daemon, sites = rig
    answer = get(daemon, "/stats/aggregate", site_id=name, **RANGE, **METRICS)
    assert list(answer) == ["site_id", "from", "to", "time_zone", "as_of", "results"]
    assert (answer["from"], answer["to"]) == tuple(RANGE.values())
    assert answer["time_zone"] == ZONES[name]
    assert datetime.datetime.fromisoformat(answer["as_of"][:-1]) and answer["as_of"][-1] == "Z"
    expected = sites[name].figures(sites[name].within(*RANGE.values()))
    assert answer["results"] == {key: {"value": value} for key, value in expected.items()}
    assert list(answer["results"]) == ["visitors", "pageviews", "events"]


@each_site
def test_aggregate_compares_with_as_many_days_before(rig, name):
    daemon, sites = rig
    answer = get(daemon, "/stats/aggregate", site_id=name, compare="previous_period",
                 **days_of(3, 4), **METRICS)
    now = sites[name].figures(sites[name].within(*days_of(3, 4).values()))
    before = sites[name].figures(sites[name].within(*days_of(1, 2).values()))
    for key, found in answer["results"].items():
        assert found == {"value": now[key], "previous": before[key],
                         "change": pytest.approx((now[key] / before[key] - 1) * 100, abs=0.05)}


def hour_of(local):
    return local.replace(minute=0, second=0, microsecond=0).isoformat()


def midnight(local):
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


BUCKETS = {"hour": hour_of, "day": lambda at: midnight(at).isoformat(),
           "week": lambda at: midnight(at - datetime.timedelta(days=at.weekday())).isoformat(),
           "month": lambda at: midnight(at.replace(day=1)).isoformat()}


@each_site
@pytest.mark.parametrize("interval", BUCKETS)
def test_timeseries_agrees_in_every_bucket(rig, name, interval):
    daemon, sites = rig
    answer = get(daemon, "/stats/timeseries", site_id=name, interval=interval, **RANGE, **METRICS)
    assert answer["interval"] == interval
    expected = sites[name].buckets(*RANGE.values(), BUCKETS[interval])
    nothing = dict.fromkeys(["visitors", "pageviews", "events"], 0)
    assert len(answer["results"]) == {"hour": 97 if name == "york" else 96, "day": 4,
                                      "week": 2, "month": len({day[:7] for day in
                                                               RANGE.values()})}[interval]
    times = [row.pop("time") for row in answer["results"]]
    assert times == sorted(times, key=datetime.datetime.fromisoformat)
    assert set(expected) <= set(times)
    for time, row in zip(times, answer["results"]):
        assert row == expected.get(time, nothing), time


def test_the_interval_follows_the_range(rig):
    daemon, _ = rig
    for last, interval in (("2025-01-02", "hour"), ("2025-01-03", "day"), ("2025-06-01", "month")):
        answer = get(daemon, "/stats/timeseries", site_id="utc",
                     **{"from": "2025-01-01", "to": last})
        assert answer["interval"] == interval


def pages(site, first, last, key="visitors"):
    rows = [{"page": page, **site.figures([e for e in site.within(first, last)
                                           if e["path"] == page])}
            for page in {e["path"] for e in site.within(first, last)}]
    return sorted(rows, key=lambda row: (-row[key], row["page"].encode()))


@each_site
@pytest.mark.parametrize("metric", ["visitors", "pageviews", "events"])
def test_breakdown_by_page_agrees_and_is_sorted(rig, name, metric):
    daemon, sites = rig
    metrics = [metric, *({"visitors", "pageviews", "events"} - {metric})]
    answer = get(daemon, "/stats/breakdown", site_id=name, property="page",
                 metrics=",".join(metrics), **RANGE)
    assert answer["results"] == pages(sites[name], *RANGE.values(), key=metric)
    assert (answer["property"], answer["more"]) == ("page", False)
    assert list(answer["results"][0]) == ["page", *metrics]


def test_breakdown_is_paged(rig):
    daemon, sites = rig
    expected = pages(sites["utc"], *RANGE.values())
    for page in (1, 2, 3, 4):
        answer = get(daemon, "/stats/breakdown", site_id="utc", property="page", limit=2, page=page,
                     **RANGE, **METRICS)
        assert answer["results"] == expected[2 * page - 2:2 * page]
        assert answer["more"] == (page < 3)


@pytest.mark.parametrize("filters, passes", [
    ("page==/", lambda path: path == "/"),
    ("page!=/", lambda path: path != "/"),
    ("page==/a|/b/1", lambda path: path in ("/a", "/b/1")),
    ("page==/b/*;page!=*1", lambda path: path == "/b/2"),
    ("page==/ä%_\\\\", lambda path: path == "/ä%_\\"),
    ("page==/_", lambda path: False),
    ("page==\\/\\a", lambda path: path == "/a"),
])
def test_filters_on_the_property_that_is_asked(rig, filters, passes):
    daemon, sites = rig
    answer = get(daemon, "/stats/breakdown", site_id="utc", property="page", filters=filters,
                 **RANGE, **METRICS)
    assert answer["results"] == [row for row in pages(sites["utc"], *RANGE.values())
                                 if passes(row["page"])]


@each_site
@pytest.mark.parametrize("filters, passes", [
    ("page==/b/*|/a", lambda e: e["path"] in ("/a", "/b/1", "/b/2")),
    ("page!=/", lambda e: e["path"] != "/"),
    ("event_type==signup", lambda e: e["event_type"] == "signup"),
])
def test_filters_on_one_property_choose_its_events(rig, name, filters, passes):
    daemon, sites = rig
    chosen = Site(name, ZONES[name], [e for e in sites[name].events if passes(e)])
    asked = {"site_id": name, "filters": filters, **RANGE, **METRICS}
    answer = get(daemon, "/stats/aggregate", **asked)
    expected = chosen.figures(chosen.within(*RANGE.values()))
    assert answer["results"] == {key: {"value": value} for key, value in expected.items()}
    answer = get(daemon, "/stats/timeseries", **asked)
    assert answer["interval"] == "day"
    expected = chosen.buckets(*RANGE.values(), BUCKETS["day"])
    assert {row.pop("time"): row for row in answer["results"]} == expected


def test_realtime_shows_the_last_minutes(rig):
    daemon, sites = rig
    now = datetime.datetime.now(UTC)
    store(sites["database"], [
        event(site_id="live", path=path, user_id=user,
              timestamp=(now - datetime.timedelta(minutes=ago)).isoformat())
        for path, user, ago in [("/", "a", 1), ("/", "b", 2), ("/x", "a", 3), ("/old", "c", 10),
                                ("/older", "d", 45), ("/", None, 1), ("/soon", "e", -5)]])
    answer = get(daemon, "/stats/realtime", site_id="live")
    assert (answer["site_id"], answer["visitors"], answer["sources"]) == ("live", 2, [])
    assert answer["pages"] == [{"page": "/", "visitors": 2}, {"page": "/x", "visitors": 1}]
    assert len(answer["minutes"]) == 30 and sum(answer["minutes"]) == 5
    assert sum(answer["minutes"][-5:]) == 4


def test_sites_are_listed_with_their_days(rig):
    daemon, sites = rig
    answer = get(daemon, "/sites")
    assert answer["results"] == [
        {"site_id": name, "time_zone": ZONES[name],
         "first_day": min(e["local"] for e in sites[name].events).date().isoformat(),
         "last_day": max(e["local"] for e in sites[name].events).date().isoformat(),
         "views_today": 0} for name in sorted(ZONES)]


def read_csv(daemon, path, **asked):
    answer = daemon.get(f"{path}?{urllib.parse.urlencode(asked | {'format': 'csv'})}")
    assert answer.status == 200 and answer.header("Content-Type").startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


def test_csv_has_the_same_figures(rig):
    daemon, sites = rig
    rows = read_csv(daemon, "/stats/breakdown", site_id="utc", property="page", **RANGE, **METRICS)
    assert rows == [{key: str(value) for key, value in row.items()}
                    for row in pages(sites["utc"], *RANGE.values())]
    rows = read_csv(daemon, "/stats/aggregate", site_id="utc", **RANGE, **METRICS)
    assert rows == [{key: str(value) for key, value in
                     sites["utc"].figures(sites["utc"].within(*RANGE.values())).items()}]
    rows = read_csv(daemon, "/stats/timeseries", site_id="utc", interval="day", **RANGE)
    assert list(rows[0]) == ["time", "visitors", "visits", "pageviews"] and len(rows) == 4


@pytest.mark.parametrize("metrics", ["visitors,events", "events,visitors", "conversion_rate"])
@pytest.mark.parametrize("filters", ["", "page==/a|/b/1|/", "page!=/b/2"])
def test_pages_are_parts_of_all_rows(rig, metrics, filters):
    """Where all are asked every value is counted, and of a page only those that may be on it."""
    daemon, _ = rig
    name = "event_type" if metrics == "conversion_rate" else "page"
    asked = {"site_id": "york", "property": name, "metrics": metrics, "format": "csv",
             "compare": "previous_period", **RANGE,
             **({"filters": filters} if filters and name == "page" else {})}
    lines = daemon.get("/stats/breakdown?" + urllib.parse.urlencode(asked)).body.splitlines()
    assert len(lines) > 2
    for page in range(1, len(lines)):
        one = daemon.get("/stats/breakdown?" + urllib.parse.urlencode(asked | {"limit": 1, "page": page}))
        assert one.body.splitlines() == [lines[0], lines[page]]


def test_a_bucket_without_one_before_has_no_figures_of_it(rig):
    """31 days against the 30 of the month before."""
    daemon, _ = rig
    asked = {"site_id": "utc", "period": "last_month", "date": "2025-11-10", "interval": "day",
             "compare": "previous_period"}
    rows = get(daemon, "/stats/timeseries", **asked)["results"]
    assert len(rows) == 31 and rows[-1]["previous"] is None
    assert rows[0]["previous"] == {"visitors": 0, "visits": 0, "pageviews": 0}
    assert read_csv(daemon, "/stats/timeseries", **asked)[-1]["previous_visitors"] == ""


def test_a_report_without_buckets_takes_any_range(rig):
    daemon, sites = rig
    answer = get(daemon, "/stats/aggregate", site_id="utc", metrics="events",
                 **{"from": "0001-01-01", "to": "9999-12-31"})
    assert answer["results"]["events"]["value"] == len(sites["utc"].events)


def test_a_page_of_csv_is_a_page(rig):
    daemon, _ = rig
    asked = {"site_id": "utc", "property": "page", **RANGE}
    assert read_csv(daemon, "/stats/breakdown", page=2, **asked) == []
    assert len(read_csv(daemon, "/stats/breakdown", page=1, **asked)) == 5


def test_a_site_that_nobody_knows_has_zeros(rig):
    daemon, _ = rig
    asked = {"site_id": "nobody", **RANGE}
    answer = get(daemon, "/stats/aggregate", metrics="visitors,bounce_rate", **asked)
    assert answer["results"] == {"visitors": {"value": 0}, "bounce_rate": {"value": None}}
    assert get(daemon, "/stats/breakdown", property="source", **asked)["results"] == []
    assert len(get(daemon, "/stats/timeseries", interval="day", **asked)["results"]) == 4


@pytest.mark.parametrize("period, buckets, interval", [
    ("today", 24, "hour"), ("yesterday", 24, "hour"), ("24h", 24, "hour"), ("7d", 7, "day"),
    ("28d", 28, "day"), ("30d", 30, "day"), ("91d", 91, "day"), ("all", 24, "hour")])
def test_every_period_has_its_buckets(rig, period, buckets, interval):
    daemon, _ = rig
    answer = get(daemon, "/stats/timeseries", site_id="nobody", period=period)
    assert (len(answer["results"]), answer["interval"]) == (buckets, interval)
    assert answer["results"][0]["time"].endswith("+00:00")


def test_24_hours_are_no_two_days(daemons, database):
    """By the day too: what was before them is in neither answer."""
    wait_for_hour()
    now = datetime.datetime.now(datetime.timezone.utc).replace(minute=0)
    load(database, [event(site_id="s", timestamp=(now - datetime.timedelta(hours=hours)).isoformat())
                    for hours in (1, 2, 23, 25, 26, 28)])
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    asked = {"site_id": "s", "period": "24h", "metrics": "events"}
    whole = get(daemon, "/stats/aggregate", **asked)["results"]["events"]["value"]
    days = get(daemon, "/stats/timeseries", interval="day", **asked)["results"]
    assert whole == sum(day["events"] for day in days) == 3


@pytest.mark.parametrize("path, query, name", [
    ("aggregate", "", "site_id"), ("aggregate", "site_id=a&day=1", "day"),
    ("aggregate", "site_id=a&period=8d", "period"), ("aggregate", "site_id=a&from=2025-01-01", "to"),
    ("aggregate", "site_id=a&to=2025-01-01", "from"),
    ("aggregate", "site_id=a&from=2025-01-02&to=2025-01-01", "to"),
    ("aggregate", "site_id=a&from=2025-01-02&to=2025-01-03&period=7d", "period"),
    ("aggregate", "site_id=a&metrics=hits", "metrics"),
    ("aggregate", "site_id=a&metrics=visits,visits", "metrics"),
    ("aggregate", "site_id=a&metrics=", "metrics"),
    ("aggregate", "site_id=a&metrics=time_on_page", "metrics"),
    ("aggregate", "site_id=a&compare=year", "compare"),
    ("aggregate", "site_id=a&compare=previous_period&period=all", "compare"),
    ("aggregate", "site_id=a&date=0001-01-05", "date"),
    ("aggregate", "site_id=a&format=xml", "format"),
    ("aggregate", "site_id=a&period=7d&period=7d", "period"),
    ("timeseries", "site_id=a&interval=minute", "interval"),
    ("timeseries", "site_id=a&interval=hour&from=2020-01-01&to=2025-01-01", "interval"),
    ("breakdown", "site_id=a", "property"), ("breakdown", "site_id=a&property=x", "property"),
    ("breakdown", "site_id=a&property=page&metrics=visits", "metrics"),
    ("breakdown", "site_id=a&property=prop:", "property"),
    ("breakdown", "site_id=a&property=page&limit=0", "limit"),
    ("breakdown", "site_id=a&property=page&limit=1001", "limit"),
    ("breakdown", "site_id=a&property=page&page=x", "page"),
    ("breakdown", "site_id=a&property=page&filters=page", "filters"),
    ("breakdown", "site_id=a&property=page&filters=page==a;", "filters"),
])
def test_what_is_wrong_is_named(rig, path, query, name):
    daemon, _ = rig
    answer = daemon.get(f"/stats/{path}?{query}")
    assert answer.status == 400 and name in answer.error, answer


# --- docs/ask-questions.md

def questions():
    """The lines of curl, continued ones joined; and the program."""
    text = (SOURCE / "docs/ask-questions.md").read_text().replace("\\\n", " ")
    return re.findall(r"^    (curl .*)$", text, flags=re.M)


@pytest.mark.parametrize("line", questions())
def test_a_line_of_the_page_of_questions_is_answered(rig, line):
    daemon, _ = rig
    done = subprocess.run(["bash", "-c", line.replace("localhost:4000", f"127.0.0.1:{daemon.port}")
                           .replace("curl ", "curl -sS --fail-with-body ", 1)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    if "/export" not in line and "format=csv" not in line:
        assert "results" in json.loads(done.stdout) or "minutes" in done.stdout


def test_the_program_of_the_page_of_questions_runs(rig):
    daemon, _ = rig
    page = (SOURCE / "docs/ask-questions.md").read_text()
    program = re.search(r"^    import json.*(?:\n    .*)+", page, flags=re.M).group(0)
    program = program.replace("localhost:4000", f"127.0.0.1:{daemon.port}")
    program = program.replace('"demo"', '"utc"').replace('"7d"', '"all"')
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True,
                          text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert sorted(line.split(" ")[0] for line in done.stdout.splitlines()) == [
        "/", "/a", "/b/1", "/b/2", "/ä%_\\"]


def test_the_dashboard_for_grafana_asks_what_there_is(rig):
    """Each query as Grafana would send it, its variables replaced."""
    _, sites = rig
    board = json.loads((SOURCE / "docs/grafana.json").read_text())
    queries = {panel["title"]: panel["targets"][0]["rawSql"] for panel in board["panels"]}
    assert sites["database"].rows(board["templating"]["list"][1]["query"])
    for title, query in queries.items():
        found = sites["database"].rows(re.sub(
            r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN '2020-01-01' AND '2999-12-31'", query)
            .replace("$site", "utc"))
        assert found or title in ("Sources", "Countries"), title
    total = sites["database"].value(
        "SELECT sum(events) FROM site_days WHERE site_id = 'utc'")
    assert total == len(sites["utc"].events)
