"""GET /stats, row by row of the contract, on rollups and on raw events."""
import concurrent.futures
import datetime
import json
import urllib.parse

import pytest

from support.daemon import run
from support.events import Mix, event
from support.http import Connection
from support.site_data import load, store


@pytest.fixture
def reporting(daemons, database):
    return daemons.start("reporting", DATABASE_URL=database.url)


def target(site_id, **more):
    return "/stats?" + urllib.parse.urlencode({"site_id": site_id, **more})


# --- what is counted ------------------------------------------------------------------


def test_the_contracts_example_to_the_byte(reporting, database):
    load(database, [event(site_id="demo", path="/")])
    answer = reporting.get("/stats?site_id=demo")
    assert answer.status == 200
    assert answer.header("Content-Type").startswith("application/json")
    assert answer.body == (b'{"site_id":"demo","date":null,"total_views":1,'
                           b'"unique_users":1,"top_paths":[{"path":"/","views":1}]}')
    answer = reporting.get("/stats?site_id=demo&date=2025-11-14")
    assert answer.body == (b'{"site_id":"demo","date":"2025-11-14","total_views":1,'
                           b'"unique_users":1,"top_paths":[{"path":"/","views":1}]}')


def test_an_unknown_site_has_zeros(reporting):
    for more in ({}, {"date": "2025-11-14"}, {"exact": "true"},
                 {"exact": "true", "date": "2025-11-14"}):
        shown = reporting.stats("nobody", **more)
        assert shown == {"site_id": "nobody", "date": more.get("date"), "total_views": 0,
                         "unique_users": 0, "top_paths": []}


def test_users_are_counted_once_and_null_not_at_all(reporting, database):
    users = ["a", "a", "b", "", "", None, None, "A"]
    load(database, [event(site_id="s", event_type=kind, user_id=user)
                    for user in users for kind in ("page_view", "click")])
    for exact in ("true", "false"):
        shown = reporting.stats("s", exact=exact)
        assert shown["total_views"] == 16
        assert shown["unique_users"] == 4


def test_at_most_ten_paths_and_ties_by_bytes(reporting, database):
    tied = ["/b", "/a", "/Z", "/é", "/\U0001f600", "b", " ", "/a b", "/aa", "/~", "/{"]
    events = [event(site_id="s", path=path) for path in tied]
    events += [event(site_id="s", path="/zz/first")] * 2
    load(database, events)
    expected = ["/zz/first"] + sorted(tied, key=lambda path: path.encode())
    for exact in ("true", "false"):
        shown = reporting.stats("s", exact=exact)
        assert [top["path"] for top in shown["top_paths"]] == expected[:10]
        assert [top["views"] for top in shown["top_paths"]] == [2] + [1] * 9


def test_a_day_is_a_day_in_utc(reporting, database):
    stamps = ["2025-11-13T23:59:59.999Z", "2025-11-14T00:00:00Z",
              "2025-11-14T23:59:59.999Z", "2025-11-15T00:00:00Z"]
    load(database, [event(site_id="s", path=f"/{n}", timestamp=stamp)
                    for n, stamp in enumerate(stamps)])
    for exact in ("true", "false"):
        shown = reporting.stats("s", "2025-11-14", exact=exact)
        assert [top["path"] for top in shown["top_paths"]] == ["/1", "/2"]
        assert shown["total_views"] == 2
        assert shown["unique_users"] == 1


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2024-02-29", "1969-12-31"])
def test_days_at_the_ends_of_time(reporting, database, day):
    load(database, [event(site_id="s", timestamp=f"{day}T12:00:00Z")])
    for exact in ("true", "false"):
        assert reporting.stats("s", day, exact=exact)["total_views"] == 1
    assert reporting.stats("s", "2023-01-01")["total_views"] == 0


def test_numbers_have_64_bits(reporting, database):
    load(database, [event(site_id="s")])
    database.rows("UPDATE totals SET events = 9223372036854775806; "
                  "UPDATE counts SET events = 9007199254740993")
    answer = reporting.get(target("s"))
    assert b'"total_views":9223372036854775806' in answer.body
    assert b'"views":9007199254740993}' in answer.body


def test_rollup_and_exact_agree_on_a_mix(reporting, database):
    mix = Mix(20251114)
    # A repeated event is stored once, by its event_id, which this way in does not have.
    events = list({e["event_id"]: e for e in mix.take(6000)}.values())
    load(database, events)
    today = mix.today.date()
    days = [None] + [(today - datetime.timedelta(days=n)).isoformat() for n in range(8)]
    for site in mix.sites:
        for day in days:
            rolled = reporting.stats(site, day)
            assert rolled == reporting.stats(site, day, exact="true"), (site, day)
            own = [e for e in events if e["site_id"] == site
                   and (day is None or e["timestamp"].startswith(day))]
            assert rolled["total_views"] == len(own)
            assert rolled["unique_users"] == len(
                {e["user_id"] for e in own if e["user_id"] is not None})


def test_exact_sees_what_is_not_rolled_up_yet(reporting, database):
    load(database, [event(site_id="s")])
    store(database, [event(site_id="s", path="/new")])
    assert reporting.stats("s")["total_views"] == 1
    assert reporting.stats("s", exact="true")["total_views"] == 2


# --- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize("query, sentence", [
    ("", "site_id required"), ("?", "site_id required"), ("?site_id=", "site_id required"),
    ("?site_id", "site_id required"), ("?date=2025-11-14", "site_id required"),
    ("?site_id=x&date=yesterday", "date must be YYYY-MM-DD"),
    ("?site_id=x&date=2025-02-29", "date must be YYYY-MM-DD"),
    ("?site_id=x&date=2025-11-14T00:00:00Z", "date must be YYYY-MM-DD"),
    ("?site_id=x&date=0000-01-01", "date must be YYYY-MM-DD"),
    ("?site_id=x&date=-infinity", "date must be YYYY-MM-DD"),
    ("?site_id=x&date=%20", "date must be YYYY-MM-DD"),
    ("?site_id=x&exact=1", "exact must be true or false"),
    ("?site_id=x&exact=", "exact must be true or false"),
    ("?site_id=x&site_id=y", None), ("?site_id=x&date=&date=", None),
    ("?site_id=x&a=1&%61=2", None),
    ("?site_id=%00", None), ("?site_id=x%00y", None), ("?site_id=%FF", None),
    ("?site_id=%ED%A0%80", None), ("?site_id=x&%C0%80=1", None),
])
def test_a_wrong_parameter_is_400(reporting, query, sentence):
    answer = reporting.get("/stats" + query)
    assert answer.status == 400, answer
    assert answer.error == sentence if sentence else answer.error


def test_an_empty_date_is_all_time_and_other_parameters_are_ignored(reporting, database):
    load(database, [event(site_id="x")])
    answer = reporting.get("/stats?utm=1&site_id=x&date=&_=123")
    assert answer.status == 200
    assert answer.json()["date"] is None
    assert answer.json()["total_views"] == 1


@pytest.mark.parametrize("path", ["/stats/", "/Stats", "/STATS/"])
def test_case_and_one_slash_make_no_difference(reporting, path):
    assert reporting.get(path + "?site_id=x").status == 200


@pytest.mark.parametrize("path", ["/site", "/stat", "/stats//", "/stats/x", "/stats%2F",
                                  "/event", "/../stats", "/stats;x"])
def test_another_path_is_404(reporting, path):
    answer = reporting.get(path + "?site_id=x")
    assert answer.status == 404
    assert answer.error


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405(reporting, method):
    answer = reporting.request(method, "/stats?site_id=x")
    assert answer.status == 405
    assert "GET" in answer.header("Allow")


def test_head_is_get_without_a_body(reporting):
    answer = reporting.request("HEAD", "/stats?site_id=x")
    assert answer.status == 200
    assert int(answer.header("Content-Length")) == len(reporting.get("/stats?site_id=x").body)


SITES = [
    "'; DROP TABLE events; --", "\" OR 1=1 --", "$1", "%s%n%d", "\\'", "{a,b}", "NULL",
    "a&b=c?d#e/f", "<script>alert(1)</script>", "\r\nX-Injected: 1", "\t\x01\x7f\x1b[31m",
    "\U0001f600\u0301\u202e\ufeff", "site_id", " ", "-infinity", "a" * 2000,
    "\U0001f600" * 500,
]


@pytest.mark.parametrize("site", SITES, ids=range(len(SITES)))
def test_any_text_is_a_site(reporting, database, site):
    load(database, [event(site_id=site[:255]), event(site_id="other")])
    for more in ({}, {"exact": "true"}):
        answer = reporting.get(target(site, **more))
        assert answer.status == 200, answer
        assert answer.json()["site_id"] == site
        assert answer.json()["total_views"] == (1 if len(site) <= 255 else 0)
        assert answer.header("X-Injected") is None
    assert database.value("SELECT count(*) FROM events") == 2
    assert not reporting.log_lines(" warn | error "), reporting.stderr()


HOSTILE = {
    "many parameters": "site_id=x&" + "&".join(f"p{n}=1" for n in range(100)),
    "a long site": "site_id=" + "a" * 7500, "a longer site": "site_id=" + "a" * 9000,
    "equals": "=" * 5000, "percents": "%" * 3000, "broken escapes": "site_id=%zz%4",
    "a list": "site_id[]=x", "a list besides": "site_id=x&date[]=2025-11-14",
    "a semicolon": "site_id=x;date=2025-11-14", "escaped digits": "site_id=x&date=%32025-11-14",
}

# Beyond the memory of a connection: an answer, or an end without one.
HUGE = {
    "very many parameters": "site_id=x&" + "&".join(f"p{n}=1" for n in range(2000)),
    "a huge site": "site_id=" + "%61" * 100000, "ampersands": "&" * 5000,
}


def check_hostile_answer(answer):
    assert answer.status in (200, 400, 414, 431), answer
    if answer.status == 200:
        assert answer.json()["site_id"]
    else:
        assert answer.error
    for word in (b"SELECT", b"PG", b"libpq", b".c:", b"/usr"):
        assert word not in answer.body


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_query_strings_are_answered(reporting, name):
    check_hostile_answer(reporting.get("/stats?" + HOSTILE[name]))
    assert reporting.get("/stats?site_id=x").status == 200


@pytest.mark.parametrize("name", HUGE)
def test_huge_query_strings_harm_nobody(reporting, name):
    try:
        assert reporting.get("/stats?" + HUGE[name]).status in (400, 414, 431)
    except ConnectionError:
        pass
    assert reporting.get("/stats?site_id=x").status == 200


# --- many at once -----------------------------------------------------------------------


@pytest.mark.parametrize("wait", ["park", "suspend"])
def test_200_requests_at_once_are_all_answered(daemons, database, wait):
    reporting = daemons.start("reporting", DATABASE_URL=database.url, REQUEST_WAIT=wait)
    load(database, [event(site_id=f"s{n}", path=f"/{n}") for n in range(20)])

    def ask(n):
        with Connection(reporting.port, timeout=30) as connection:
            answers = [connection.request("GET", target(f"s{(n + i) % 20}"))
                       for i in range(5)]
        return [(a.status, a.json()["site_id"], a.json()["top_paths"]) for a in answers]
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        for n, answers in enumerate(pool.map(ask, range(200))):
            assert answers == [(200, f"s{(n + i) % 20}",
                                [{"path": f"/{(n + i) % 20}", "views": 1}])
                               for i in range(5)]


def test_pipelined_requests_are_answered_in_order(reporting, database):
    load(database, [event(site_id=f"s{n}") for n in range(10)])
    with Connection(reporting.port) as connection:
        connection.send(b"".join(
            f"GET {target(f's{n}')} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for n in range(10)))
        for n in range(10):
            assert connection.read_response().json()["site_id"] == f"s{n}"


# --- the program --------------------------------------------------------------------------


def test_healthz_and_readyz(reporting):
    assert reporting.get("/healthz").body == b'{"status":"ok"}'
    assert reporting.get("/readyz").body == b'{"status":"ready"}'


@pytest.mark.parametrize("name, value", [
    ("PORT", "65536"), ("PORT", "x"), ("REPORTING_CONNECTIONS", "0"),
    ("REPORTING_CONNECTIONS", "1000"), ("QUERY_TIMEOUT_MS", "-1"),
    ("QUERIES_WAITING_MAX", "0"), ("LOG_LEVEL", "loud"),
    ("DATABASE_URL", "postgresql://u:secret@h/db?no_such_word=1"),
    ("DATABASE_URL", "secret words"),
])
def test_a_wrong_setting_ends_with_2_and_names_it(tmp_path, name, value):
    done = run("reporting", cwd=tmp_path, env={name: value})
    assert done.returncode == 2
    assert name in done.stderr
    assert "secret@" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_ends_with_1(reporting, tmp_path):
    done = run("reporting", cwd=tmp_path,
               env={"PORT": reporting.port, "HOST": "127.0.0.1",
                    "DATABASE_URL": reporting.env["DATABASE_URL"]})
    assert done.returncode == 1
    assert str(reporting.port) in done.stderr


def test_print_config_masks_the_password(tmp_path):
    done = run("reporting", "--print-config", cwd=tmp_path,
               env={"DATABASE_URL": "postgresql://u:hunter2@h/db"})
    assert done.returncode == 0
    assert "DATABASE_URL=postgresql://u:***@h/db" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr


def test_the_log_is_quiet_at_normal_load(reporting):
    for n in range(50):
        assert reporting.get(target(f"s{n}")).status == 200
    lines = reporting.log_lines()
    assert len(lines) <= 3, lines
    assert not reporting.stdout()
    json.loads(reporting.get("/stats?site_id=x").body)
