"""GET /stats, end to end: what was posted comes out, counted as the contract says."""
import json
import urllib.parse

import pytest

from support.events import event, new_id
from support.http import Connection
from support.settings import patience
from support.wait import wait_until


def site(name="site"):
    return f"{name}-{new_id()}"


def post_all(stack, events):
    for one in events:
        answer = stack.post(one)
        assert answer.status == 200, answer


def wait_views(stack, site_id, views, timeout=10):
    """The answer for all time, once it has so many views."""
    return wait_until(lambda: (lambda a: a if a["total_views"] == views else None)(
        stack.stats(site_id)), timeout, f"{views} views of {site_id}")


def get(stack, query):
    return stack.reporting.get(f"/stats?{query}")


def test_the_answer_to_the_byte(shared_stack):
    name = site("demo")
    post_all(shared_stack, [event(site_id=name)])
    wait_views(shared_stack, name, 1)
    answer = get(shared_stack, f"site_id={name}")
    assert answer.status == 200
    assert answer.header("Content-Type").split(";")[0] == "application/json"
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.body.decode() == (
        f'{{"site_id":"{name}","date":null,"total_views":1,"unique_users":1,'
        '"top_paths":[{"path":"/","views":1}]}')
    answer = get(shared_stack, f"site_id={name}&date=2025-11-14")
    assert answer.body.decode() == (
        f'{{"site_id":"{name}","date":"2025-11-14","total_views":1,"unique_users":1,'
        '"top_paths":[{"path":"/","views":1}]}')


SCRIPT = "<html><script>document.title='owned'</script>"


def test_no_browser_runs_what_somebody_stored(shared_stack):
    """A path and a site_id with a script in them come back as they are, in an answer that
    no browser takes for a page; and so do the errors."""
    name = site(SCRIPT)
    post_all(shared_stack, [event(site_id=name, path=SCRIPT)])
    wait_views(shared_stack, name, 1)
    answer = get(shared_stack, "site_id=" + urllib.parse.quote(name))
    body = answer.json()
    assert (body["site_id"], body["top_paths"][0]["path"]) == (name, SCRIPT)
    for one in (answer, get(shared_stack, "date=" + urllib.parse.quote(SCRIPT)),
                shared_stack.reporting.get("/" + urllib.parse.quote(SCRIPT)),
                shared_stack.ingestion.post_event(event(site_id=[SCRIPT])),
                shared_stack.ingestion.get("/metrics")):
        assert one.header("Content-Type").split(";")[0] in ("application/json",
                                                            "text/plain")
        assert one.header("X-Content-Type-Options") == "nosniff"


def test_an_unknown_site_and_a_day_without_events(shared_stack):
    assert get(shared_stack, "site_id=nobody").body == (
        b'{"site_id":"nobody","date":null,"total_views":0,"unique_users":0,"top_paths":[]}')
    name = site()
    post_all(shared_stack, [event(site_id=name)])
    wait_views(shared_stack, name, 1)
    assert get(shared_stack, f"site_id={name}&date=2025-11-13").body.decode() == (
        f'{{"site_id":"{name}","date":"2025-11-13","total_views":0,"unique_users":0,'
        '"top_paths":[]}')


def test_every_event_is_a_view_whatever_its_type(shared_stack):
    name = site()
    post_all(shared_stack, [event(site_id=name, event_type=kind)
                            for kind in ("page_view", "click", "x", " ", "PAGE_VIEW")])
    assert wait_views(shared_stack, name, 5)["top_paths"] == [{"path": "/", "views": 5}]


def test_users_null_does_not_count_and_empty_counts_as_one(shared_stack):
    name = site()
    users = [..., None, "", "", "a", "a", "A", " a", "null", "ä", "a\u0308"]
    post_all(shared_stack, [event(site_id=name, user_id=user) for user in users])
    assert wait_views(shared_stack, name, 11)["unique_users"] == 7
    nobody = site()
    post_all(shared_stack, [event(site_id=nobody, user_id=None)] * 2)
    assert wait_views(shared_stack, nobody, 2)["unique_users"] == 0
    empty = site()
    post_all(shared_stack, [event(site_id=empty, user_id="")] * 2)
    assert wait_views(shared_stack, empty, 2)["unique_users"] == 1


def test_a_user_counts_once_over_days_and_once_a_day(shared_stack):
    name = site()
    post_all(shared_stack, [event(site_id=name, user_id=user, timestamp=day)
                            for day in ("2025-11-13", "2025-11-14") for user in "ab"]
             + [event(site_id=name, user_id="c", timestamp="2025-11-14")])
    assert wait_views(shared_stack, name, 5)["unique_users"] == 3
    assert shared_stack.stats(name, "2025-11-13")["unique_users"] == 2
    assert shared_stack.stats(name, "2025-11-14")["unique_users"] == 3


def test_ties_are_ordered_by_bytes(shared_stack):
    """In UTF-16 the emoji would come before U+FFFD, in a dictionary a before B."""
    name = site()
    paths = ["/b", "/B", "/a", "/A", "/ä", "/a b", "/a/", "", "/\ufffd", "/😀", "/~", "/é",
             "/Z", "/z", "/\x01"]
    paths = [path or "0" for path in paths]
    post_all(shared_stack, [event(site_id=name, path=path) for path in paths])
    answer = wait_views(shared_stack, name, len(paths))
    assert [top["path"] for top in answer["top_paths"]] == \
        sorted(paths, key=lambda path: path.encode())[:10]


def test_ten_paths_by_views_then_by_bytes(shared_stack):
    name = site()
    views = {f"/{letter}": count for letter, count in
             zip("nmlkjihgfedcba", [1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5, 1, 9, 9])}
    post_all(shared_stack, [event(site_id=name, path=path)
                            for path, count in views.items() for _ in range(count)])
    answer = wait_views(shared_stack, name, sum(views.values()))
    best = sorted(views.items(), key=lambda item: (-item[1], item[0].encode()))[:10]
    assert [(top["path"], top["views"]) for top in answer["top_paths"]] == best


def test_the_top_paths_follow_later_events(shared_stack):
    """A path from far behind comes to the front, event by event and roll-up by roll-up."""
    name = site()
    post_all(shared_stack, [event(site_id=name, path=f"/{n:02}")
                            for n in range(15) for _ in range(2)])
    wait_views(shared_stack, name, 30)
    for n in range(3):
        post_all(shared_stack, [event(site_id=name, path="/14")])
        answer = wait_views(shared_stack, name, 31 + n)
        assert answer["top_paths"][0] == {"path": "/14", "views": 3 + n}
        assert [top["path"] for top in answer["top_paths"][1:]] == \
            [f"/{i:02}" for i in range(9)]


def test_days_are_utc_days(shared_stack):
    """Neither the machine nor Postgres is in UTC here."""
    name = site()
    post_all(shared_stack, [event(site_id=name, path=str(n), timestamp=text)
                            for n, text in enumerate((
                                "2025-11-13T23:59:59.999Z", "2025-11-14T00:00:00Z",
                                "2025-11-14T23:59:59.999999Z", "2025-11-15T00:00:00Z",
                                "2025-11-14T05:29:59+05:30", "2025-11-14T05:30:00+05:30",
                                "2025-11-14T20:29:59-03:30", "2025-11-14T20:30:00-03:30",
                                "2025-11-13T24:00", "2025-11-14"))])
    wait_views(shared_stack, name, 10)
    days = {day: {top["path"] for top in shared_stack.stats(name, day)["top_paths"]}
            for day in ("2025-11-13", "2025-11-14", "2025-11-15", "2025-11-16")}
    assert days == {"2025-11-13": {"0", "4"}, "2025-11-14": {"1", "2", "5", "6", "8", "9"},
                    "2025-11-15": {"3", "7"}, "2025-11-16": set()}


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "1970-01-01", "2000-02-29",
                                 "2024-02-29", "9999-12-31"])
def test_any_day_can_be_asked_for(shared_stack, day):
    name = site()
    post_all(shared_stack, [event(site_id=name, timestamp=day), event(site_id=name)])
    wait_views(shared_stack, name, 2)
    answer = shared_stack.stats(name, day)
    assert (answer["date"], answer["total_views"]) == (day, 1)


def test_late_events_count_for_their_day(shared_stack):
    name = site()
    post_all(shared_stack, [event(site_id=name)])
    wait_views(shared_stack, name, 1)
    for n, late in enumerate(("2025-11-13T12:00:00Z", "2023-05-01", "1999-01-01")):
        post_all(shared_stack, [event(site_id=name, timestamp=late)])
        wait_views(shared_stack, name, 2 + n)
        assert shared_stack.stats(name, late[:10])["total_views"] == 1


def test_an_event_sent_twice_counts_once(shared_stack):
    name = site()
    one = event(site_id=name, event_id=new_id())
    post_all(shared_stack, [one, one])
    shared_stack.wait_drained()
    post_all(shared_stack, [one, event(site_id=name)])
    wait_views(shared_stack, name, 2)
    shared_stack.settle()
    assert shared_stack.stats(name)["total_views"] == 2


@pytest.mark.parametrize("text", [
    " ", "a b", "a+b", "a%20b", "a&b=c", "ä", "😀", '"', "\\", "</script>", "\x01", "\x7f",
    "\u2028", "\ufeff", "'; DROP TABLE events; --", "null", "😀" * 255], ids=ascii)
def test_any_site_id_and_path_come_back_as_they_were(shared_stack, text):
    """The site is asked for, and the path comes out, in every spelling of JSON and URL."""
    path = text + new_id()
    post_all(shared_stack, [event(site_id=text, path=path)])
    query = "site_id=" + urllib.parse.quote(text, safe="")

    def found():
        answer = get(shared_stack, query + "&date=2025-11-14")
        assert answer.status == 200, answer
        value = json.loads(answer.body.decode("utf-8"))
        assert value["site_id"] == text
        return path in [top["path"] for top in value["top_paths"]]
    wait_until(found, 10, f"{path!r} to be counted")
    plus = urllib.parse.urlencode({"site_id": text})
    assert get(shared_stack, plus).json()["site_id"] == text


def test_the_longest_path_comes_out_whole(shared_stack):
    name, path = site(), "😀" * 2048
    post_all(shared_stack, [event(site_id=name, path=path)])
    assert wait_views(shared_stack, name, 1)["top_paths"] == [{"path": path, "views": 1}]


# --- the question -------------------------------------------------------------------------

@pytest.mark.parametrize("query", ["", "site_id=", "site_id", "date=2025-11-14", "x=y",
                                   "Site_id=demo", "site_id=&date=2025-11-14", "&", "=demo"])
def test_site_id_is_required(shared_stack, query):
    answer = get(shared_stack, query)
    assert (answer.status, answer.body) == (400, b'{"error":"site_id required"}')
    assert shared_stack.reporting.get("/stats").status == 400


NO_DATES = ["2025-11-1", "2025-1-14", "2025-02-30", "2025-02-29", "2025-13-01", "2025-00-10",
            "2025-11-00", "2025-11-31", "20251114", "2025-11", "2025", "2025-11-14T00:00:00Z",
            "%202025-11-14", "2025-11-14%20", "2025-11-14+", "14-11-2025", "2025/11/14",
            "today", "now", "yesterday", "infinity", "-infinity", "epoch", "null", "x", "0",
            "0000-01-01", "10000-01-01", "-2025-11-14", "2025-11-14%20BC", "2025-318",
            "2025-W46-5", "%EF%BC%92025-11-14", "2025-11-14;", "%27", "1900-02-29", "+",
            "2025-11-14%0A"]


@pytest.mark.parametrize("date", NO_DATES)
def test_anything_but_a_real_date_is_refused(shared_stack, date):
    answer = get(shared_stack, f"site_id=demo&date={date}")
    assert (answer.status, answer.body) == (400, b'{"error":"date must be YYYY-MM-DD"}')


@pytest.mark.parametrize("query", ["site_id=demo&date=", "date=&site_id=demo",
                                   "site_id=demo&date"])
def test_an_empty_date_is_all_time(shared_stack, query):
    answer = get(shared_stack, query)
    assert answer.status == 200 and answer.json()["date"] is None


@pytest.mark.parametrize("query", [
    "site_id=a&site_id=b", "site_id=a&site_id=a", "site_id=&site_id=a",
    "site_id=a&date=2025-11-14&date=2025-11-14", "site_id=a&date=&date=",
    "site_id=a&s%69te_id=b"])
def test_a_parameter_given_twice(shared_stack, query):
    answer = get(shared_stack, query)
    assert answer.status == 400 and answer.error


@pytest.mark.parametrize("query", ["site_id=%00", "site_id=a%00b", "site_id=%ff",
                                   "site_id=%ed%a0%80", "site_id=%c0%af"])
def test_what_no_site_can_be_called(shared_stack, query):
    answer = get(shared_stack, query)
    assert answer.status == 400 and answer.error


@pytest.mark.parametrize("target", ["/stats/", "/STATS", "/Stats/"])
def test_the_path_of_the_route(shared_stack, target):
    same = get(shared_stack, "site_id=nobody")
    answer = shared_stack.reporting.get(f"{target}?site_id=nobody")
    assert (answer.status, answer.body) == (200, same.body)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "FOO"])
def test_other_methods(shared_stack, method):
    answer = shared_stack.reporting.request(method, "/stats?site_id=demo")
    assert answer.status == 405 and answer.error
    assert "GET" in answer.header("Allow")


def test_head(shared_stack):
    with Connection(shared_stack.reporting.port) as connection:
        head = connection.request("HEAD", "/stats?site_id=nobody")
        get_ = connection.request("GET", "/stats?site_id=nobody")
    assert head.status == get_.status == 200
    assert head.header("Content-Length") == str(len(get_.body))


@pytest.mark.parametrize("target", ["/site", "/stat", "/statss", "/stats/x", "/event",
                                    "/stats%2f"])
def test_unknown_paths(shared_stack, target):
    answer = shared_stack.reporting.get(target)
    assert answer.status == 404 and answer.error


def test_many_questions_on_one_connection(shared_stack):
    name = site()
    post_all(shared_stack, [event(site_id=name)])
    wait_views(shared_stack, name, 1)
    questions = [(f"site_id={name}", 200), ("", 400), ("site_id=nobody", 200),
                 ("site_id=demo&date=x", 400), (f"site_id={name}&date=2025-11-14", 200)] * 10
    with Connection(shared_stack.reporting.port, timeout=patience(10)) as connection:
        connection.send(b"".join(f"GET /stats?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                                 for query, _ in questions))
        for query, status in questions:
            answer = connection.read_response()
            assert answer.status == status
            if status == 200:
                views = 1 if name in query else 0
                assert answer.json()["total_views"] == views


def test_exact_counts_are_the_same_here(shared_stack):
    """Below 2,048 users both ways of counting agree in every figure."""
    name = site()
    post_all(shared_stack, [event(site_id=name, user_id=f"u{n % 7}", path=f"/{n % 12}",
                                  timestamp=f"2025-11-{10 + n % 3}") for n in range(60)])
    wait_views(shared_stack, name, 60)
    for date in ("", "&date=2025-11-11", "&date=2025-11-20"):
        assert get(shared_stack, f"site_id={name}{date}&exact=true").body == \
            get(shared_stack, f"site_id={name}{date}").body
