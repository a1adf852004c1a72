"""Events for tests, repeatable: everything random comes from a seed."""
import datetime
import json
import random
import uuid

UTC = datetime.timezone.utc


def event(**fields):
    """A valid event; a field given as ... (Ellipsis) is left out."""
    value = {"site_id": "demo", "event_type": "page_view", "path": "/",
             "user_id": "user-1", "timestamp": "2025-11-14T10:00:00Z"}
    value.update(fields)
    return {key: item for key, item in value.items() if item is not ...}


def new_id():
    return str(uuid.uuid4())


def job(fields):
    """The canonical form of an event in the queue, as another program would write it."""
    value = {"event_id": None, "site_id": None, "event_type": None, "path": None,
             "user_id": None, "timestamp": None,
             "received_at": "2025-11-14T10:00:00.123Z"}
    value.update(fields)
    if value["event_id"] is None:
        del value["event_id"]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Mix:
    """An endless mix: several sites, many paths, users that come back, NULL and empty
    users, days up to years apart, events that come late and events sent again."""

    def __init__(self, seed, sites=5, paths=200, users=1500, repeats=0.02):
        self.random = random.Random(seed)
        self.sites = [f"site-{n}" for n in range(sites)]
        self.paths = [f"/p/{n}" for n in range(paths)] + ["/späte/ä", "/x?y=1&z=%20"]
        self.users = [f"user-{n}" for n in range(users)]
        self.repeats = repeats
        self.sent = []
        self.today = datetime.datetime(2025, 11, 14, tzinfo=UTC)

    def _timestamp(self):
        kind = self.random.random()
        days = 0 if kind < 0.7 else self.random.randint(0, 6 if kind < 0.95 else 900)
        moment = self.today - datetime.timedelta(
            days=days, milliseconds=self.random.randrange(86400000))
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def next(self):
        if self.sent and self.random.random() < self.repeats:
            return self.random.choice(self.sent)
        kind = self.random.random()
        user = None if kind < 0.05 else "" if kind < 0.08 else self.random.choice(self.users)
        made = {
            "event_id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "site_id": self.random.choice(self.sites),
            "event_type": self.random.choice(["page_view", "click", "signup"]),
            "path": self.random.choice(self.paths), "user_id": user,
            "timestamp": self._timestamp()}
        self.sent.append(made)
        return made

    def take(self, count):
        return [self.next() for _ in range(count)]
