"""The figures of reports, counted from events one by one: nothing here is shared with the daemons.

An event is a dict as of support.events, with `at`, its local time, added."""
import collections
import dataclasses
import datetime
import re
import zoneinfo

VIEWS = ("page_view", "pageview")
GAP = datetime.timedelta(minutes=30)
EVENT_COLUMNS = {"page": "path", "event_type": "event_type", "hostname": "hostname"}
SCREENS = ((576, "mobile"), (992, "tablet"), (1440, "laptop"))


def value_of(event, name):
    if name.startswith("prop:"):
        value = (event.get("props") or {}).get(name[5:])
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else \
            None if value is None else str(value)
    if name == "screen":
        width = event.get("screen_width")
        return width and next((label for most, label in SCREENS if width < most), "desktop")
    return event.get(EVENT_COLUMNS.get(name, name))


def time_of(event):
    """In UTC: of two local times Python subtracts what the clocks show."""
    return event["at"].astimezone(datetime.timezone.utc)


def is_of_visits(name):
    return not name.startswith("prop:") and name not in EVENT_COLUMNS


@dataclasses.dataclass(frozen=True)
class Filter:
    """One clause; values may have *."""
    name: str
    values: tuple
    negated: bool = False

    def passes(self, value):
        found = value is not None and any(
            re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL)
            for pattern in self.values)
        return found != self.negated

    def __str__(self):
        name = re.sub(r"([=!;|\\])", r"\\\1", self.name)
        return name + ("!=" if self.negated else "==") + "|".join(
            re.sub(r"([;|\\])", r"\\\1", value) for value in self.values)


@dataclasses.dataclass
class Visit:
    everything: list  # with engagements, by time

    def __post_init__(self):
        self.events = [e for e in self.everything if e.get("duration_ms") is None]
        self.views = [e for e in self.events if e["event_type"] in VIEWS]
        self.at = self.events[0]["at"] if self.events else None
        self.is_bounce = len(self.views) < 2 and len(self.views) == len(self.events)
        stayed = time_of(self.everything[-1]) - time_of(self.everything[0])
        self.duration_ms = max(stayed // datetime.timedelta(milliseconds=1),
                               sum(e.get("duration_ms") or 0 for e in self.everything))

    def value_of(self, name):
        if name in ("entry_page", "exit_page"):
            view = self.views and self.views[0 if name == "entry_page" else -1]
            return view["path"] if view else None
        return value_of((self.views or self.events)[0], name)


def visits_of(events):
    visitors = collections.defaultdict(list)
    for one in events:
        visitor = one.get("visitor_id") if one.get("visitor_id") is not None else one["user_id"]
        if visitor is not None:
            visitors[visitor].append(one)
    for mine in visitors.values():
        mine.sort(key=time_of)
        begins = [0, *(i for i in range(1, len(mine))
                       if time_of(mine[i]) - time_of(mine[i - 1]) > GAP), len(mine)]
        yield from (Visit(mine[a:b]) for a, b in zip(begins, begins[1:]))


def users_of(events):
    return {e["user_id"] if e["user_id"] is not None else e.get("visitor_id")
            for e in events} - {None}


def ratio(numerator, denominator, decimals):
    """Half away from zero, as the metrics are."""
    if not denominator:
        return None
    scaled = (2 * numerator * 10 ** decimals + denominator) // (2 * denominator)
    return scaled / 10 ** decimals if decimals else scaled


class Site:
    def __init__(self, site_id, zone, events):
        self.site_id, self.zone = site_id, zoneinfo.ZoneInfo(zone)
        self.everything = [dict(e, at=datetime.datetime.fromisoformat(e["timestamp"])
                                .astimezone(self.zone)) for e in events]
        self.visits = [v for v in visits_of(self.everything) if v.events]

    def chosen(self, first, last, filters):
        """The events and the engagements that pass, each with when it counts, and the visits."""
        of_visits = [f for f in filters if is_of_visits(f.name)]
        of_events = [f for f in filters if not is_of_visits(f.name)]

        def passes(event):
            return all(f.passes(value_of(event, f.name)) for f in of_events
                       if event.get("duration_ms") is None or f.name != "event_type")

        def within(at):
            return first <= at.date().isoformat() <= last

        visits = [v for v in self.visits if within(v.at)
                  and all(f.passes(v.value_of(f.name)) for f in of_visits)]
        if of_visits:
            events = [(v.at, e) for v in visits for e in v.everything]
        else:
            events = [(e["at"], e) for e in self.everything if within(e["at"])]
        if of_events:
            visits = [v for v in visits if any(map(passes, v.events))]
        return [(at, e) for at, e in events if passes(e)], visits

    @staticmethod
    def metrics(events, visits, everyone=0):
        own = [e for e in events if e.get("duration_ms") is None]
        views = sum(e["event_type"] in VIEWS for e in own)
        engaged = sum(e.get("duration_ms") or 0 for e in events)
        stayed = sum(len(v.views) for v in visits)
        return {"visitors": len(users_of(own)), "visits": len(visits), "pageviews": views,
                "events": len(own), "views_per_visit": ratio(stayed, len(visits), 2),
                "bounce_rate": ratio(100 * sum(v.is_bounce for v in visits), len(visits), 1),
                "visit_duration": ratio(sum(v.duration_ms for v in visits), 1000 * len(visits), 0),
                "conversion_rate": ratio(100 * len(users_of(own)), everyone, 1),
                "time_on_page": ratio(engaged, 1000 * views, 0)}

    def aggregate(self, first, last, filters):
        events, visits = self.chosen(first, last, filters)
        return self.metrics([e for _, e in events], visits)

    def timeseries(self, first, last, filters, bucket):
        events, visits = self.chosen(first, last, filters)
        found = collections.defaultdict(lambda: ([], []))
        for at, one in events:
            found[bucket(at)][0].append(one)
        for visit in visits:
            found[bucket(visit.at)][1].append(visit)
        return {key: self.metrics(*parts) for key, parts in found.items()}

    def breakdown(self, first, last, filters, name):
        events, visits = self.chosen(first, last, filters)
        everyone = users_of([e for _, e in self.chosen(
            first, last, [f for f in filters if f.name != name])[0]
            if e.get("duration_ms") is None])
        found = collections.defaultdict(lambda: ([], []))
        if is_of_visits(name):
            for visit in visits:
                events_of, visits_of_value = found[visit.value_of(name)]
                events_of += visit.events
                visits_of_value.append(visit)
        else:
            for _, one in events:
                found[value_of(one, name)][0].append(one)
        found.pop(None, None)
        rows = {value: self.metrics(*parts, len(everyone)) for value, parts in found.items()}
        return {value: row for value, row in rows.items() if row["events"]}
