"""Questions that the counts cannot answer: from raw events and visits, against an independent
count of the same random events in three time zones.  What a question may take and how it is
cancelled is in test_reporting_raw.py."""
import datetime
import random
import urllib.parse

import pytest

from support.events import event
from support.months import month, wait_for_hour
from support.postgres_server import Database
from support.site_count import Filter, Site, is_of_visits, ratio
from support.site_data import load
from support.stack import Daemons

UTC = datetime.timezone.utc
ZONES = {"utc": "UTC", "nepal": "Asia/Kathmandu", "york": "America/New_York"}
FIRST = datetime.datetime(2025, 10, 30, tzinfo=UTC)  # New York's clocks change on 2 November
DAYS = 6
RANGE = ("2025-10-31", "2025-11-03")
VALUES = {
    "page": ["/", "/a", "/b/1", "/b/2", "/ä%_\\", "/x|y;z"],
    "event_type": ["page_view", "pageview", "signup"],
    "hostname": [None, "a.example", "b.example"],
    "prop:plan": [None, "free", "pro", "10", "true"],
    "prop:a=b!": [None, "x"],
}
OF_VISITS = {
    "source": [None, "Google", "Bing", "x|y"],
    "country": [None, "DE", "FR"],
    "screen": [None, "mobile", "desktop"],
    "entry_page": VALUES["page"],
    "exit_page": VALUES["page"],
}
OF_ALL = "visitors visits pageviews events views_per_visit bounce_rate visit_duration".split()
OF_EVENTS = "visitors pageviews events".split()


def make_props(rand):
    props = {}
    plan = rand.choice([None, "free", "pro", 10, True])
    if plan is not None:
        props["plan"] = plan
    if rand.random() < 0.2:
        props["a=b!"] = "x"
    return props or None


def make_event(rand, site_id, at):
    engaged = rand.randrange(60000) if rand.random() < 0.15 else None
    return event(
        site_id=site_id, path=rand.choice(VALUES["page"]),
        event_type="engagement" if engaged is not None else rand.choice(VALUES["event_type"]),
        hostname=rand.choice(VALUES["hostname"]), props=make_props(rand), duration_ms=engaged,
        user_id=rand.choice([None, None, "", *(f"u{n}" for n in range(12))]),
        visitor_id=rand.choice([None, *range(-4, 0), *range(1, 5)]), source=rand.choice([None, "Google", "Bing", "x|y"]),
        country=rand.choice([None, "DE", "FR"]), screen_width=rand.choice([None, 400, 2000]),
        timestamp=(FIRST + datetime.timedelta(milliseconds=at)).isoformat())


def make_events(site_id):
    """All at different times: what is first of two at the same is not ours to say."""
    rand = random.Random(site_id)
    return [make_event(rand, site_id, at) for at in rand.sample(range(DAYS * 86400000), 900)]


@pytest.fixture(scope="module")
def rig(postgres, migrated_template, tmp_path_factory):
    database = Database(postgres, postgres.create_database(migrated_template))
    sites = {}
    for name, zone in ZONES.items():
        events = make_events(name)
        database.rows("INSERT INTO sites (site_id, time_zone) VALUES (%s, %s) "
                      "RETURNING site_no", (name, zone))
        load(database, events)
        sites[name] = Site(name, zone, events)
    daemons = Daemons(tmp_path_factory.mktemp("reports-raw"))
    daemon = daemons.start("reporting", DATABASE_URL=database.url, RAW_QUERY_TIMEOUT_MS=60000)
    yield daemon, sites
    assert not daemons.finish()
    database.drop()


def get(daemon, path, filters, metrics, **asked):
    asked |= {"from": RANGE[0], "to": RANGE[1], "metrics": ",".join(metrics)}
    if filters:
        asked["filters"] = ";".join(map(str, filters))
    answer = daemon.get(f"/stats/{path}?{urllib.parse.urlencode(asked)}")
    assert answer.status == 200, (answer, asked)
    return answer.json()


def a_filter(rand, name):
    """Of values that there are, of parts of them, and of one that there is not."""
    values = [value for value in (VALUES | OF_VISITS)[name] if value is not None] + ["nothing"]
    chosen = rand.sample(values, rand.choice([1, 1, 2]))
    if rand.random() < 0.3:
        chosen[0] = rand.choice(["*" + chosen[0][1:], chosen[0][:1] + "*", "*"])
    return Filter(name, tuple(chosen), rand.random() < 0.3)


def some_filters(rand, names):
    return [a_filter(rand, rand.choice(names)) for _ in range(rand.choice([1, 2, 2, 3]))]


def midnight(at):
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


BUCKETS = {"hour": lambda at: at.replace(minute=0, second=0, microsecond=0).isoformat(),
           "day": lambda at: midnight(at).isoformat(),
           "week": lambda at: midnight(at - datetime.timedelta(days=at.weekday())).isoformat(),
           "month": lambda at: midnight(at.replace(day=1)).isoformat()}
each_site = pytest.mark.parametrize("name", ZONES)
NAMES = [*VALUES, *OF_VISITS]
METRICS = OF_ALL


@each_site
def test_aggregate_of_any_filters_agrees(rig, name):
    daemon, sites = rig
    rand = random.Random(name)
    for _ in range(25):
        filters = some_filters(rand, NAMES)
        answer = get(daemon, "aggregate", filters, METRICS, site_id=name)
        expected = sites[name].aggregate(*RANGE, filters)
        assert {key: cell["value"] for key, cell in answer["results"].items()} == \
            {key: expected[key] for key in METRICS}, ";".join(map(str, filters))


@each_site
@pytest.mark.parametrize("interval", BUCKETS)
def test_timeseries_of_any_filters_agrees(rig, name, interval):
    daemon, sites = rig
    rand = random.Random(name + interval)
    nothing = dict.fromkeys(METRICS, 0) | dict.fromkeys(
        {"views_per_visit", "bounce_rate", "visit_duration"} & set(METRICS))
    for _ in range(4):
        filters = some_filters(rand, NAMES)
        answer = get(daemon, "timeseries", filters, METRICS, site_id=name, interval=interval)
        expected = sites[name].timeseries(*RANGE, filters, BUCKETS[interval])
        found = {row.pop("time"): row for row in answer["results"]}
        assert set(expected) <= set(found)
        for time, row in found.items():
            want = expected.get(time, nothing)
            assert row == {key: want[key] for key in METRICS}, (time, *map(str, filters))


def metrics_of(name):
    if is_of_visits(name):
        pages = name in ("entry_page", "exit_page")
        return "visitors visits bounce_rate visit_duration".split() + \
            ([] if pages else ["views_per_visit", "pageviews"])
    return OF_EVENTS + {"page": ["time_on_page"], "hostname": []}.get(name, ["conversion_rate"])


def rows_of(site, filters, name, metrics):
    rows = site.breakdown(*RANGE, filters, name)
    first = "visitors" if metrics[0] == "conversion_rate" else metrics[0]
    return [{name: value} | {key: rows[value][key] for key in metrics} for value in sorted(
        rows, key=lambda value: (rows[value][first] is None, -(rows[value][first] or 0),
                                 value.encode()))]


@each_site
@pytest.mark.parametrize("property", NAMES)
def test_breakdown_of_any_filters_agrees(rig, name, property):
    daemon, sites = rig
    rand = random.Random(name + property)
    for turn in range(5):
        filters = some_filters(rand, NAMES) if turn else []
        metrics = metrics_of(property)
        rand.shuffle(metrics)
        answer = get(daemon, "breakdown", filters, metrics, site_id=name, property=property)
        assert answer["results"] == rows_of(sites[name], filters, property, metrics), \
            ";".join(map(str, filters))
        assert answer["property"] == property


@each_site
def test_the_names_of_properties_are_listed(rig, name):
    """With how many brought one; filters choose among them as they do among values."""
    daemon, sites = rig
    for filters in ([], [Filter("source", ("Google",)), Filter("page", ("/a",))]):
        answer = get(daemon, "breakdown", filters, ["visitors", "pageviews", "events", "conversion_rate"],
                     site_id=name, property="prop")
        for row in answer["results"]:
            has = Filter("prop:" + row["prop"], ("*",))
            want = sites[name].aggregate(*RANGE, [*filters, has])
            everyone = sites[name].aggregate(*RANGE, filters)["visitors"]
            assert row == {"prop": row["prop"], **{key: want[key] for key in OF_EVENTS},
                           "conversion_rate": ratio(100 * want["visitors"], everyone, 1)}
        assert {row["prop"] for row in answer["results"]} == {"plan", "a=b!"}


def test_rows_are_compared_with_the_days_before(rig):
    daemon, sites = rig
    filters = [Filter("source", ("Google",)), Filter("page", ("/*",))]
    for path, property in (("aggregate", None), ("breakdown", "page"), ("breakdown", "country")):
        asked = {"site_id": "york", "from": "2025-11-02", "to": "2025-11-03",
                 "filters": ";".join(map(str, filters)), "compare": "previous_period",
                 "metrics": "visitors,pageviews"} | ({"property": property} if property else {})
        answer = daemon.get(f"/stats/{path}?{urllib.parse.urlencode(asked)}").json()
        ranges = (("2025-11-02", "2025-11-03"), ("2025-10-31", "2025-11-01"))
        if not property:
            now, before = (sites["york"].aggregate(*days, filters) for days in ranges)
            for key, cell in answer["results"].items():
                assert (cell["value"], cell["previous"]) == (now[key], before[key])
            continue
        _, before = (sites["york"].breakdown(*days, filters, property) for days in ranges)
        assert answer["results"]
        for row in answer["results"]:
            assert row["previous"] == {key: before.get(row[property], {}).get(key, 0)
                                       for key in ("visitors", "pageviews")}


def test_an_answer_of_raw_events_says_so(rig):
    daemon, _ = rig
    counted = get(daemon, "aggregate", [Filter("page", ("/",))], OF_EVENTS, site_id="utc")
    assert "source" not in counted
    raw = get(daemon, "aggregate", [Filter("page", ("/",)), Filter("hostname", ("a*",))],
              OF_EVENTS, site_id="utc")
    assert list(raw)[:6] == ["site_id", "from", "to", "time_zone", "as_of", "source"]
    assert raw["source"] == "events"
    for interval in ("hour", "day"):
        filters = [Filter("event_type", ("signup",))]
        answer = get(daemon, "timeseries", filters, OF_EVENTS, site_id="utc", interval=interval)
        assert ("source" in answer) == (interval == "hour")


def test_csv_has_the_key_in_its_header(rig):
    daemon, _ = rig
    asked = {"site_id": "utc", "from": RANGE[0], "to": RANGE[1], "format": "csv",
             "property": 'prop:a "b",c'}
    answer = daemon.get(f"/stats/breakdown?{urllib.parse.urlencode(asked)}")
    assert answer.body.decode() == '"prop:a ""b"",c",visitors,pageviews\r\n'
    assert daemon.get("/stats/breakdown?" + urllib.parse.urlencode(
        asked | {"format": "json"})).json()["property"] == 'prop:a "b",c'


def test_values_of_the_last_24_hours(daemons, database):
    wait_for_hour()
    now = datetime.datetime.now(UTC).replace(minute=0)
    load(database, [event(site_id="s", path=path, timestamp=(
        now - datetime.timedelta(hours=hours)).isoformat())
        for hours, path in ((1, "/a"), (23, "/a"), (2, "/b"), (25, "/b"), (30, "/c"))])
    daemon = daemons.start("reporting", DATABASE_URL=database.url, RAW_QUERY_TIMEOUT_MS=60000)
    answer = daemon.get("/stats/breakdown?site_id=s&property=page&period=24h&metrics=events"
                        "&compare=previous_period").json()
    assert answer["results"] == [{"page": "/a", "events": 2, "previous": {"events": 0}},
                                 {"page": "/b", "events": 1, "previous": {"events": 1}}]
    answer = daemon.get("/stats/aggregate?site_id=s&filters=page==/b&period=24h&metrics=events")
    assert answer.json()["results"] == {"events": {"value": 1}}


def hours_of(daemon, **asked):
    rows = daemon.get("/stats/timeseries?" + urllib.parse.urlencode(
        {"site_id": "s", "interval": "hour", "metrics": ",".join(METRICS)} | asked))
    assert rows.status == 200, rows
    answer = rows.json()
    return answer.get("source"), {row.pop("time"): row for row in answer["results"] if row["visitors"]}


def test_what_is_kept_no_longer_is_no_zero(daemons, database):
    """Hours come from raw events then; where those are gone, too, it is said what is allowed."""
    first = month(-3) + datetime.timedelta(days=3)
    load(database, [event(site_id="s", user_id=f"u{n % 9}", timestamp=(
        datetime.datetime.combine(first, datetime.time(), UTC)
        + datetime.timedelta(minutes=17 * n)).isoformat()) for n in range(250)])
    daemon = daemons.start("reporting", DATABASE_URL=database.url, RAW_QUERY_TIMEOUT_MS=60000)
    days = {"from": first, "to": first + datetime.timedelta(days=2)}
    source, before = hours_of(daemon, **days)
    assert source is None and len(before) > 20
    database.rows("SELECT rollup_configure(1000, 1000, 7)")
    database.rows("SELECT rollup_keep_sites(0, 1000)")
    assert database.value("SELECT count(*) FROM totals WHERE grain = 2") == 0
    database.rows("SELECT rollup_configure(1000, 1000, 1000)")  # brings none of them back
    assert hours_of(daemon, **days) == ("events", before)
    gone = month(-2)
    database.rows("DELETE FROM events")
    database.rows("UPDATE rollup_state SET raw_from = %s", (f"{gone}Z",))
    range_ = f"site_id=s&from={days['from']}&to={days['to']}"
    bound = datetime.datetime.now(UTC).date() - datetime.timedelta(days=6)
    for question, sentence in (
            (f"timeseries?{range_}&interval=hour",
             f'"interval" must be day, week or month for days before {bound}'),
            (f"breakdown?{range_}&property=prop:plan", f"the question needs raw events, which are "
             f"kept from {gone} on; shorten the range")):
        answer = daemon.get(f"/stats/{question}")
        assert (answer.status, answer.json()["error"]) == (400, sentence)
    for date in ("", f"&date={first}"):
        assert daemon.get(f"/stats?site_id=s&exact=true{date}").status == 400
    assert daemon.get(f"/stats?site_id=s&exact=true&date={gone}").json()["total_views"] == 0
    answer = daemon.get(f"/stats/aggregate?{range_}&metrics=events").json()
    assert answer["results"] == {"events": {"value": 250}}
    asked = f"site_id=s&from={gone}&to={month(-1)}&compare=previous_period&metrics=events"
    cell = {"value": 0, "previous": None, "change": None}
    assert daemon.get(f"/stats/aggregate?{asked}&filters=page==/;hostname==a"
                      ).json()["results"] == {"events": cell}
    answer = daemon.get(f"/stats/aggregate?{asked}&filters=page==/;hostname==a&format=csv")
    assert answer.body == b"events,previous_events\r\n0,\r\n"


def test_other_is_last_and_no_value(daemons, database):
    """What it stands for is no text: no filter finds it, and it is in all that are negated."""
    load(database, [event(site_id="s", user_id=f"u{n}", source=source, timestamp="2025-11-14T10:00Z")
                    for n, source in enumerate(["Bing", "many", "many", "many"])])
    database.rows("UPDATE dictionary SET is_other = true, hash = '', value = '(other)' "
                  "WHERE value = 'many' RETURNING 1")
    daemon = daemons.start("reporting", DATABASE_URL=database.url, RAW_QUERY_TIMEOUT_MS=60000)
    asked = "site_id=s&from=2025-11-14&to=2025-11-14&metrics=visits"
    for filters in ("", "&filters=page==/"):
        answer = daemon.get(f"/stats/breakdown?{asked}&property=source{filters}").json()
        assert answer["results"] == [{"source": "Bing", "visits": 1},
                                     {"source": "(other)", "other": True, "visits": 3}]
    for filters, visits in (("source==(other)", 0), ("source==*", 1), ("source!=Bing", 3),
                            ("source==(other)|*;page==/", 1), ("source!=(other);page==/", 4)):
        answer = daemon.get(f"/stats/aggregate?{asked}&filters={filters}").json()
        assert answer["results"] == {"visits": {"value": visits}}, filters
