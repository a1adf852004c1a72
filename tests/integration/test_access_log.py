"""10,000 lines of a real access log as events: agents, referrers, paths and robots as they
really come.  Sent twice, counted once; what /stats says is what awk counts in the file."""
import gzip
import re
import subprocess
import uuid

from support.load import send
from support.settings import SOURCE, scaled

LOG = SOURCE / "tests/data/access.log.gz"
SITE = "semicomplete.com"
LINE = re.compile(r'(\S+) \S+ \S+ \[(\d\d)/(\w{3})/(\d{4}):([\d:]{8}) \+0000\] "(\S+) (.*?)'
                  r'(?: HTTP/[\d.]+)?" ')
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def lines():
    """As many of the log as a sanitizer has the time for."""
    with gzip.open(LOG, "rt", encoding="utf-8") as file:
        return file.read().splitlines()[:scaled(10000)]


def event_of(number, line):
    visitor, day, month, year, clock, _, target = LINE.match(line).groups()
    return {"site_id": SITE, "event_type": "page_view", "path": target, "user_id": visitor,
            "timestamp": f"{year}-{MONTHS.index(month) + 1:02}-{day}T{clock}Z",
            "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{SITE}/{number}"))}


def awk(program, text):
    done = subprocess.run(["awk", program], input=text, text=True, capture_output=True,
                          check=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return done.stdout.splitlines()


def counted_by_awk(text, day=None):
    """What /stats should say, by a program that knows nothing of ours.  The 4th word is the
    time, [17/May/2015:10:05:03, the 7th the path."""
    of_day = f'substr($4, 2, 2) == "{day[-2:]}"' if day else "1"
    views, users = awk(
        f'{of_day} {{ n++; if (!seen[$1]++) users++ }} END {{ print n + 0; print users + 0 }}',
        text)
    paths = [line.split("\t") for line in
             awk(f'{of_day} {{ n[$7]++ }} END {{ for (p in n) print n[p] "\t" p }}', text)]
    paths.sort(key=lambda pair: (-int(pair[0]), pair[1].encode()))
    return {"total_views": int(views), "unique_users": int(users),
            "top_paths": [{"path": path, "views": int(n)} for n, path in paths[:10]]}


def test_stats_of_a_real_log_sent_twice_are_those_of_awk(make_stack):
    stack = make_stack()
    text = lines()
    events = [event_of(number, line) for number, line in enumerate(text)]
    for _ in range(2):
        result = send(stack.ingestion.port, events, connections=8)
        assert dict(result.statuses) == {200: len(events)}, result
    stack.settle(60)
    assert stack.stored() == len(events)
    days = sorted({one["timestamp"][:10] for one in events})
    assert days[0] == "2015-05-17" and len(days) == (4 if len(text) == 10000 else 1)
    for day in [None, *days]:
        expected = {"site_id": SITE, "date": day, **counted_by_awk("\n".join(text), day)}
        assert stack.stats(SITE, day) == expected
        exact = stack.reporting.stats(SITE, day, exact="true")
        assert exact == expected
