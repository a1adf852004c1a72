"""Visits are a function of the set of events: any order and any cutting give the same counts.

What is right is computed here, from the events alone, in the plain way.
"""
import collections
import datetime
import random
import uuid
import zoneinfo

import pytest

from support.months import IN_NEW_YORK, clocks_went_back

ZONES = {"a": "UTC", "b": "Asia/Kathmandu", "c": "America/New_York"}
GAP = datetime.timedelta(minutes=30)
TEXTS = ("source", "browser", "country", "utm_campaign") # of many dimensions of visits
COLUMNS = ("site_id", "event_type", "path", "user_id", "visitor_id", "timestamp", "event_id",
           "duration_ms", "screen_width") + TEXTS
INSERT = (f"INSERT INTO events ({', '.join(COLUMNS)}) "
          f"VALUES ({', '.join(['%s'] * len(COLUMNS))})")
Event = collections.namedtuple("Event", COLUMNS)
Figures = collections.namedtuple("Figures", "visits bounces events pageviews duration_ms")


def some_events(rand, count):
    """The clocks of New York go back at 06:00 of the second day."""
    begin = datetime.datetime.combine(
        clocks_went_back(IN_NEW_YORK) - datetime.timedelta(days=1), datetime.time(20),
        datetime.timezone.utc)
    return [Event(rand.choice("abc"), rand.choice(["page_view", "pageview", "click"]),
                  rand.choice(["/", "/a", "/b"]), rand.choice([None, "x", "y"]),
                  rand.choice([None, None, 1, 2]),
                  begin + datetime.timedelta(minutes=10 * rand.randrange(144)),
                  str(uuid.UUID(int=rand.getrandbits(128))),
                  rand.choice([None, None, None, 5000, 4000000]),
                  rand.choice([None, 575, 576, 1440]),
                  *(rand.choice([None, f"{name} 1", f"{name} 2"]) for name in TEXTS))
            for _ in range(count)]


def visitor_of(event):
    return ("visitor", event.visitor_id) if event.visitor_id else ("user", event.user_id)


def user_of(event):
    return ("user", event.user_id) if event.user_id else ("visitor", event.visitor_id)


def visits_of(events):
    """The visits, as lists of events in order."""
    lines = collections.defaultdict(list)
    for event in events:
        if event.user_id or event.visitor_id:
            lines[event.site_id, visitor_of(event)].append(event)
    for line in lines.values():
        line.sort(key=lambda event: (event.timestamp, event.event_id))
        visit = [line[0]]
        for event in line[1:]:
            if event.timestamp - visit[-1].timestamp > GAP:
                yield visit
                visit = []
            visit.append(event)
        yield visit


def values_of(visit):
    events = [event for event in visit if event.duration_ms is None]
    views = [event for event in events if event.event_type != "click"]
    first = (views or events)[0]
    values = {name: getattr(first, name) for name in TEXTS}
    width = first.screen_width
    values["screen"] = width and ("mobile" if width < 576 else
                                  "tablet" if width < 992 else "desktop")
    if views:
        values.update(entry_page=views[0].path, exit_page=views[-1].path)
    return {name: value for name, value in values.items() if value is not None}


def right_counts(events):
    """Figures and users by site, day, dimension and value; a day's own by None, None."""
    figures = collections.defaultdict(lambda: Figures(0, 0, 0, 0, 0))
    users = collections.defaultdict(set)
    for visit in visits_of(events):
        counted = [event for event in visit if event.duration_ms is None]
        if not counted:
            continue
        views = sum(event.event_type != "click" for event in counted)
        lasted = (visit[-1].timestamp - visit[0].timestamp) // datetime.timedelta(milliseconds=1)
        new = Figures(1, int(views < 2 and views == len(counted)), len(counted), views,
                      max(lasted, sum(event.duration_ms or 0 for event in visit)))
        site = counted[0].site_id
        day = counted[0].timestamp.astimezone(zoneinfo.ZoneInfo(ZONES[site])).date()
        for key in [(site, day, None, None)] + [(site, day, *pair)
                                                for pair in values_of(visit).items()]:
            figures[key] = Figures(*map(sum, zip(figures[key], new)))
            users[key] |= {user_of(event) for event in counted}
    return figures, {key: len(value) for key, value in users.items()}


def stored_counts(database):
    figures = {}
    users = {}
    for row in database.rows(
            "SELECT site_id, day, d.name, v.value, c.visits, c.bounces, c.events, c.pageviews, "
            "c.duration_ms, hll_cardinality(c.users)::integer "
            "FROM counts c JOIN sites USING (site_no) JOIN dimensions d USING (dimension) "
            "JOIN dictionary v USING (value_id) "
            "WHERE c.grain = 1 AND d.kind = 'visit' AND c.visits <> 0"):
        figures[row[:4]] = Figures(*row[4:9])
        users[row[:4]] = row[9]
    for site, day, *row in database.rows(
            "SELECT site_id, day, visits, bounces, visit_views, duration_ms "
            "FROM totals JOIN sites USING (site_no) WHERE grain = 1 AND visits <> 0"):
        visits, bounces, views, duration_ms = row
        figures[site, day, None, None] = Figures(visits, bounces, None, views, duration_ms)
    return figures, users


def roll_up(database, rows):
    while not database.value("SELECT b.is_done FROM rollup_settled(1000) s, "
                             "rollup_chunk(s, %s) b", (rows,)):
        pass


@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_any_cutting_give_the_same_visits(database, seed):
    rand = random.Random(seed)
    for site, zone in ZONES.items():
        database.rows("INSERT INTO sites (site_id, time_zone) VALUES (%s, %s)", (site, zone))
    events = some_events(rand, 200)
    waiting = list(events)
    while waiting:
        count = rand.choice([1, 3, 30, 200])
        for event in waiting[:count]:
            database.rows(INSERT, tuple(event))
        waiting = waiting[count:]
        roll_up(database, rand.choice([1, 7, 100]))
    figures, users = right_counts(events)
    stored, stored_users = stored_counts(database)
    assert len(figures) > 80
    assert set(stored) == set(figures)
    for key, right in figures.items():
        if key[2] is None:
            right = right._replace(events=None)
        else:
            assert stored_users[key] == users[key], key
        assert stored[key] == right, key
    assert database.value("SELECT sum(visits) FROM totals WHERE grain = 2") == \
           database.value("SELECT sum(visits) FROM totals WHERE grain = 0")
