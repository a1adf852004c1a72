"""How the answers of reports are sent: entity tags, 304, gzip, CSV by Accept; and that an answer
that is kept is never older than its question."""
import gzip
import urllib.parse

import pytest

from support.events import event
from support.metrics import scrape
from support.site_data import load

REPORTS = ["/stats?site_id=demo", "/stats?site_id=demo&date=2025-11-14",
           "/stats/aggregate?site_id=demo&period=all",
           "/stats/timeseries?site_id=demo&from=2025-11-01&to=2025-11-30",
           "/stats/breakdown?site_id=demo&property=page&period=all",
           "/stats/aggregate?site_id=demo&period=all&filters=page==/&metrics=visitors"]
OTHERS = ["/sites", "/stats?site_id=demo&exact=true"]


@pytest.fixture
def daemon(daemons, database):
    load(database, [event(site_id="demo", path=f"/{number}", timestamp="2025-11-14T10:00:00Z")
                    for number in range(60)])
    return daemons.start("reporting", DATABASE_URL=database.url)


def reused(daemon):
    return scrape(daemon).value("analytics_reporting_answers_reused_total")


@pytest.mark.parametrize("path", REPORTS)
def test_an_answer_is_kept_until_something_is_counted(daemon, database, path):
    first = daemon.get(path)
    assert first.status == 200 and first.header("ETag")
    assert first.header("Cache-Control") == "private, no-cache"
    before = reused(daemon)
    again = daemon.get(path)
    assert (again.body, again.header("ETag")) == (first.body, first.header("ETag"))
    assert reused(daemon) == before + 1
    same = daemon.get(path, [("If-None-Match", first.header("ETag"))])
    assert (same.status, same.body) == (304, b"")
    assert same.header("ETag") == first.header("ETag")
    load(database, [event(site_id="demo", path="/", timestamp="2025-11-14T11:00:00Z")])
    later = daemon.get(path, [("If-None-Match", first.header("ETag"))])
    assert later.status == 200 and later.body != first.body
    assert later.header("ETag") != first.header("ETag")


def test_a_change_of_a_site_is_one_of_its_answers(daemon, database):
    path = REPORTS[2]
    assert daemon.get(path).json()["time_zone"] == "UTC"
    database.rows("UPDATE sites SET time_zone = 'Asia/Kathmandu' RETURNING 1")
    assert daemon.get(path).json()["time_zone"] == "Asia/Kathmandu"
    database.rows("DELETE FROM sites RETURNING 1")
    assert daemon.get(REPORTS[0]).json()["total_views"] == 0


def test_questions_do_not_share_an_answer(daemon):
    """Whatever they differ in, the form of the answer included."""
    path = "/stats/breakdown?site_id=demo&property=page&period=all"
    bodies = [daemon.get(path + more, headers).body
              for _ in range(2) for more, headers in [
                  ("", []), ("&format=csv", []), ("&limit=7", []), ("&limit=7&page=2", []),
                  ("&metrics=events", []), ("&metrics=events,visitors", []),
                  ("&compare=previous_period&period=30d", []), ("&filters=page==/1", []),
                  ("&filters=page==/1*", []), ("", [("Accept-Encoding", "gzip")])]
              if "period=30d" not in more]
    half = len(bodies) // 2
    assert bodies[:half] == bodies[half:] and len(set(bodies)) == half


@pytest.mark.parametrize("path", OTHERS)
def test_what_the_rollups_do_not_answer_has_a_tag_of_its_bytes(daemon, path):
    first = daemon.get(path)
    tag = first.header("ETag")
    same = daemon.get(path, [("If-None-Match", f'"other", W/{tag}')])
    assert same.status == 304
    assert reused(daemon) == 0


@pytest.mark.parametrize("path", REPORTS + OTHERS)
def test_long_answers_are_packed_for_who_takes_that(daemon, path):
    plain = daemon.get(path)
    for _ in range(2):  # made, and kept
        packed = daemon.get(path, [("Accept-Encoding", "br, gzip;q=0.5")])
        is_packed = packed.header("Content-Encoding") == "gzip"
        assert is_packed == (len(plain.body) >= 1024)
        assert (gzip.decompress(packed.body) if is_packed else packed.body) == plain.body
        assert packed.header("Vary") == "Accept, Accept-Encoding"
    assert daemon.get(path, [("Accept-Encoding", "gzip;q=0")]).body == plain.body


def test_csv_can_be_asked_for_by_accept(daemon):
    path = REPORTS[4]
    table = daemon.get(path, [("Accept", "text/csv")])
    assert table.header("Content-Type").startswith("text/csv")
    assert table.body == daemon.get(path + "&format=csv").body
    assert daemon.get(path, [("Accept", "*/*")]).body[:1] == b"{"
    assert daemon.get(path + "&format=json", [("Accept", "text/csv")]).body[:1] == b"{"
    assert daemon.get(REPORTS[0], [("Accept", "text/csv")]).body[:1] == b"{"


def test_answers_are_kept_within_a_limit(daemons, daemon, database):
    asked = [f"/stats?site_id={urllib.parse.quote('s' * 200 + str(n))}" for n in range(40)]
    small = daemons.start("reporting", DATABASE_URL=database.url, ANSWERS_MAX_BYTES=8000)
    none = daemons.start("reporting", DATABASE_URL=database.url, ANSWERS_MAX_BYTES=0)
    for one, expected in ((daemon, 40), (none, 0)):
        for path in asked + asked:
            assert one.get(path).status == 200
        assert reused(one) == expected
    for path in asked + asked[-3:]:
        small.get(path)
    assert reused(small) == 3


def test_what_a_token_opens_is_kept_by_no_browser(daemons, database):
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN="t")
    assert daemon.get(REPORTS[0]).header("Cache-Control") == "no-store"
    token = ("Authorization", "Bearer t")
    for path in REPORTS + OTHERS:
        answer = daemon.get(path, [token])
        assert answer.status == 200 and answer.header("Cache-Control") == "no-store", path
        again = daemon.get(path, [token, ("If-None-Match", answer.header("ETag"))])
        assert again.status == 304 and again.header("Cache-Control") == "no-store", path
