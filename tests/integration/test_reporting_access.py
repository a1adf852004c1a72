"""Who may read: GET /stats with a token."""
import pytest

from support.daemon import run
from support.events import event
from support.postgres_server import Database
from support.site_data import load
from support.stack import Daemons
from support.wait import wait_until

TOKEN = "t0ken-that-is-nowhere-else"


@pytest.mark.parametrize("is_file", [False, True], ids=["value", "file"])
def test_a_token_is_asked_for_once_it_is_set(daemons, database, tmp_path, is_file):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    setting = {"REPORTING_TOKEN_FILE": path} if is_file else {"REPORTING_TOKEN": TOKEN}
    daemon = daemons.start("reporting", DATABASE_URL=database.url, **setting)
    for wrong in ["", "Bearer nonsense", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}"]:
        refused = daemon.get("/stats?site_id=demo",
                             headers=[("Authorization", wrong)] if wrong else ())
        assert refused.status == 401
        assert refused.header("WWW-Authenticate") == "Bearer"
        assert refused.header("Cache-Control") == "no-store"
        assert refused.json() == {"error": "unauthorized"}
    allowed = daemon.get("/stats?site_id=demo",
                         headers=[("Authorization", f"Bearer {TOKEN}")])
    assert allowed.status == 200 and allowed.header("Cache-Control") == "no-store"
    assert daemon.get("/healthz").status == 200
    assert TOKEN not in daemon.stderr() + daemon.stdout()


def test_a_token_is_never_shown_nor_taken_from_a_flag(tmp_path):
    shown = run("reporting", "--print-config", cwd=tmp_path, env={"REPORTING_TOKEN": TOKEN})
    assert shown.returncode == 0 and "REPORTING_TOKEN=***" in shown.stdout
    refused = run("reporting", f"--reporting-token={TOKEN}", cwd=tmp_path)
    assert refused.returncode == 2
    missing = run("reporting", cwd=tmp_path,
                  env={"REPORTING_TOKEN_FILE": tmp_path / "none", "PORT": "0"})
    assert missing.returncode == 2 and "REPORTING_TOKEN" in missing.stderr
    for done in (shown, refused, missing):
        assert TOKEN not in done.stdout + done.stderr


def ask(daemon, headers=()):
    return daemon.get("/stats?site_id=demo", headers)


def test_a_client_that_asks_too_fast_gets_429(daemons, database):
    """Wrong tokens cost what right ones cost; health checks cost nothing."""
    token = [("Authorization", f"Bearer {TOKEN}")]
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN=TOKEN,
                           RATE_LIMIT_PER_IP=1, RATE_LIMIT_BURST_SECONDS=3)
    wrong = [ask(daemon).status for _ in range(20)]
    assert wrong[:3] == [401] * 3 and wrong.count(401) < 10 and set(wrong) == {401, 429}
    wait_until(lambda: ask(daemon, token).status == 200, 20, "a token to come back")
    refused = next(answer for answer in (ask(daemon, token) for _ in range(20))
                   if answer.status == 429)
    assert refused.header("Retry-After") == "1"
    assert refused.json() == {"error": "too many requests"}
    assert {daemon.get("/healthz").status for _ in range(20)} == {200}


def test_wrong_tokens_are_slowed_down_by_default(daemons, database, tmp_path):
    """Those that look like share keys, too; a right one of those is none."""
    daemon = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN=LONG,
                           TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_WRONG_KEYS=1)
    key = link_of(tmp_path, "demo").split("#key=")[1]

    def statuses(client, tries):
        return [ask(daemon, [("X-Forwarded-For", client), *bearer(one)]).status for one in tries]
    assert statuses("192.0.2.3", [key] * 40) == [200] * 40
    for tries in ([f"wrong{n}" for n in range(60)], [f"{n:032x}.demo" for n in range(60)]):
        few = statuses("192.0.2.1", tries)
        assert 429 in few and set(few) <= {401, 429}
    assert statuses("192.0.2.1", [LONG, key]) == [429] * 2
    assert statuses("192.0.2.2", [LONG, "wrong"]) == [200, 401]
    assert statuses("192.0.2.2", ["wrong"] * 40 + [LONG])[-1] == 200


def test_clients_behind_a_trusted_proxy_have_limits_of_their_own(daemons, database):
    daemon = daemons.start("reporting", DATABASE_URL=database.url, RATE_LIMIT_PER_IP=1,
                           RATE_LIMIT_BURST_SECONDS=2, TRUSTED_PROXIES="127.0.0.1")
    for name, form in (("X-Forwarded-For", "192.0.2.{}:51000"), ("Forwarded", "for=192.0.3.{}")):
        assert [ask(daemon, [(name, form.format(n))]).status for n in range(20)] == [200] * 20
    assert 429 in [ask(daemon, [("X-Forwarded-For", "192.0.2.1")]).status for _ in range(9)]


REBOUND = ["evil.example", "evil.example:4000", "127.0.0.1.evil.example"]
OURS = ["localhost", "localhost:4000", "127.0.0.1", "127.0.0.1:4000", "[::1]:4000",
        "reporting:4000", "x", "192.0.2.7"]


def statuses(daemon, hosts, headers=()):
    return {host: ask(daemon, [("Host", host), *headers]).status for host in hosts}


def test_a_page_that_rebinds_its_name_reads_nothing(daemons, database):
    """Its requests come from this machine, but they name the page's host."""
    daemon = daemons.start("reporting", DATABASE_URL=database.url)
    assert set(statuses(daemon, OURS).values()) == {200}
    assert set(statuses(daemon, REBOUND).values()) == {403}
    assert "ALLOWED_HOSTS" in ask(daemon, [("Host", REBOUND[0])]).error
    for target in ("/healthz", "/readyz", "/metrics"):  # they tell nothing about anyone
        assert daemon.get(target, [("Host", REBOUND[0])]).status == 200


def test_names_are_allowed_by_a_list(daemons, database):
    daemon = daemons.start("reporting", DATABASE_URL=database.url,
                           ALLOWED_HOSTS="stats.example, *.example.net")
    good = ["stats.example", "Stats.Example:443", "stats.example.", "a.b.example.net"]
    assert set(statuses(daemon, good + OURS).values()) == {200}
    assert set(statuses(daemon, REBOUND + ["a.stats.example"]).values()) == {403}
    daemon = daemons.start("reporting", DATABASE_URL=database.url, ALLOWED_HOSTS="*")
    assert set(statuses(daemon, REBOUND).values()) == {200}


def test_where_something_else_protects_the_figures_any_name_is_taken(daemons, database):
    """A page has no token, and a proxy knows which names are its own; but a list holds."""
    token = [("Authorization", f"Bearer {TOKEN}")]
    with_token = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN=TOKEN)
    assert set(statuses(with_token, REBOUND, token).values()) == {200}
    behind = daemons.start("reporting", DATABASE_URL=database.url, TRUSTED_PROXIES="127.0.0.1")
    assert set(statuses(behind, REBOUND).values()) == {200}
    listed = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN=TOKEN,
                           ALLOWED_HOSTS="stats.example")
    assert set(statuses(listed, REBOUND, token).values()) == {403}


@pytest.mark.parametrize("value", ["https://stats.example", "stats.example:80", "a;b"])
def test_a_host_that_could_never_match_is_refused_at_the_start(tmp_path, value):
    refused = run("reporting", cwd=tmp_path, env={"ALLOWED_HOSTS": value, "PORT": "0"})
    assert refused.returncode == 2 and "ALLOWED_HOSTS" in refused.stderr


# --- share keys

LONG = "long-token-" + 32 * "x"
SHARED = ["/stats?", "/stats/aggregate?", "/stats/timeseries?", "/stats/realtime?",
          "/stats/breakdown?property=page&"]
OTHERS = ["/sites?", "/export?", "/openapi.json?"]


def link_of(tmp_path, site_id, **env):
    done = run("reporting", "--share", site_id, cwd=tmp_path, env={"REPORTING_TOKEN": LONG, **env})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory, postgres, migrated_template):
    database = Database(postgres, postgres.create_database(migrated_template))
    load(database, [event(site_id="demo"), event(site_id="ö/#")])
    group = Daemons(tmp_path_factory.mktemp("shared"))
    yield group.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN=LONG)
    assert not group.finish()
    database.drop()


@pytest.mark.parametrize("site_id, asked", [("demo", "demo"), ("ö/#", "%C3%B6%2F%23")])
def test_a_share_key_reads_one_sites_figures(shared, tmp_path, site_id, asked):
    link = link_of(tmp_path, site_id, PORT="4321")
    front, key = link.split("#key=")
    assert front == f"http://localhost:4321/site/{asked}"
    assert link_of(tmp_path, site_id, REPORTING_URL="https://a.example/x").startswith(
        f"https://a.example/x/site/{asked}#key=")
    assert shared.get(f"/stats?site_id={asked}", bearer(key)).json()["total_views"] == 1
    for path in SHARED:
        assert shared.get(f"{path}site_id={asked}", bearer(key)).status == 200, path
        other = shared.get(f"{path}site_id=other", bearer(key))
        assert (other.status, other.error) == (403, "the key is of another site"), path
    for path in OTHERS:
        assert shared.get(f"{path}site_id={asked}", bearer(key)).status == 403, path
    for more in ("exact=true", "property=prop", "property=prop:plan", "filters=prop:plan==a",
                 "filters=page==/;prop:plan==a"):
        for path in SHARED:
            path = path.replace("property=page&", "")
            refused = shared.get(f"{path}site_id={asked}&{more}", bearer(key))
            assert refused.status == 403 and refused.error.endswith("needs a token"), path


def test_a_wrong_share_key_is_no_key(shared, tmp_path):
    key = link_of(tmp_path, "demo").split("#key=")[1]
    last = "0" if key[31] != "0" else "1"
    for wrong in (key[:31] + last + key[32:], key[:32], key + "x", key.upper(), key[1:], "." + key,
                  key.replace(".demo", ".other"), key.replace(".demo", ".~64emo"),
                  link_of(tmp_path, "demo", REPORTING_TOKEN=LONG + "y").split("#key=")[1]):
        for path in SHARED + OTHERS:
            refused = shared.get(f"{path}site_id=demo", bearer(wrong))
            assert (refused.status, refused.error) == (401, "unauthorized"), (wrong, path)
    for path in SHARED + OTHERS:
        assert shared.get(f"{path}site_id=demo").status == 401
        assert shared.get(path, bearer(LONG)).status in (200, 400)


@pytest.mark.parametrize("token", ["", LONG[:31]])
def test_share_keys_need_a_long_token(tmp_path, token):
    refused = run("reporting", "--share", "demo", cwd=tmp_path, env={"REPORTING_TOKEN": token})
    assert refused.returncode == 2 and refused.stdout == ""
    assert "at least 32 characters" in refused.stderr
    assert run("reporting", "--share", "", cwd=tmp_path,
               env={"REPORTING_TOKEN": LONG}).returncode == 2


def test_figures_that_are_open_to_all_are_told_of(daemons, database):
    told = "set REPORTING_TOKEN"
    assert told in daemons.start("reporting", DATABASE_URL=database.url, HOST="::").stderr()
    assert told not in daemons.start("reporting", DATABASE_URL=database.url).stderr()
    assert told not in daemons.start("reporting", DATABASE_URL=database.url, HOST="::",
                                     REPORTING_TOKEN=TOKEN).stderr()
