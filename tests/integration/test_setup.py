"""scripts/up as a newcomer meets it: it starts everything, keeps the data, and leaves
nothing running.  The tests use the build that is there, with data folders and ports of
their own."""
import os
import pathlib
import pty
import re
import signal
import subprocess
import time

import pytest

from support.daemon import binary
from support.http import request
from support.settings import SOURCE, patience
from support.up import DAEMONS, Up
from support.wait import wait_until


@pytest.fixture(scope="module")
def shared_up(tmp_path_factory):
    """One that runs, for tests that only look."""
    run = Up(tmp_path_factory.mktemp("shared")).start()
    yield run
    assert run.end() == 0, run.output()


# --- what it does ----------------------------------------------------------------

def test_the_two_curl_lines_work_as_they_are_printed(shared_up):
    lines = re.findall(r"^curl .*$", shared_up.output(), flags=re.M)
    assert len(lines) == 2
    posted, asked = (["bash", "-c", line] for line in lines)
    shell = {"env": {"PATH": os.environ["PATH"]}, "capture_output": True, "text": True}
    assert subprocess.run(posted, **shell).stdout == '{"status":"ok"}'
    expected = ('{"site_id":"demo","date":null,"total_views":1,"unique_users":1,'
                '"top_paths":[{"path":"/","views":1}]}')
    wait_until(lambda: subprocess.run(asked, **shell).stdout == expected, 10,
               "the event in /stats")


def test_demo_fills_a_site_once(shared_up):
    """Run again it adds nothing: its events have the same ids."""
    def demo(*arguments):
        return subprocess.run([SOURCE / "scripts/demo", "--site=shop", "--days=2", *arguments],
                              env=shared_up.env, capture_output=True, text=True, timeout=patience(60))
    first = demo()
    sent = int(re.search(r"(\d+) events of 2 days sent", first.stderr).group(1))
    assert first.returncode == 0 and sent > 100, first.stderr

    def views():
        return shared_up.get("reporting", "/stats?site_id=shop").json()["total_views"]
    wait_until(lambda: views() > sent // 4, 20)
    assert demo().returncode == 0
    wait_until(lambda: "shop" in shared_up.get("reporting", "/sites").body.decode(), 10)
    listed = shared_up.get("reporting", "/stats/aggregate?site_id=shop&period=7d&metrics=events").json()
    assert listed["results"]["events"]["value"] == views() < sent
    assert shared_up.get("reporting", "/site/shop").status == 200


@pytest.mark.parametrize("argument", ["--days=0", "--days=401", "--site=a b", "--site=", "x"])
def test_demo_says_what_is_wrong_with_its_arguments(argument):
    done = subprocess.run([SOURCE / "scripts/demo", argument], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("demo: "), done.stderr


@pytest.mark.parametrize("daemon", DAEMONS)
def test_all_daemons_are_ready(shared_up, daemon):
    assert shared_up.get(daemon, "/readyz").status == 200


@pytest.mark.parametrize("daemon", DAEMONS)
def test_health_and_metrics_have_a_port_of_the_loopback(shared_up, daemon):
    port = shared_up.health_ports[daemon]
    for target in ("/healthz", "/readyz", "/metrics"):
        assert request(port, "GET", target).status == 200
    assert shared_up.get(daemon, "/metrics").status == 404
    listeners = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], check=True,
                               capture_output=True, text=True).stdout
    assert [line.split()[3] for line in listeners.splitlines()] == [f"127.0.0.1:{port}"]


def test_signals_that_mean_nothing_end_no_part_of_it(shared_up):
    """Neither the script nor a child of it; a hangup of a child is no end either."""
    script = shared_up.process.pid
    with open(f"/proc/{script}/task/{script}/children") as file:
        children = [int(pid) for pid in file.read().split()]
    assert len(children) >= len(DAEMONS) + 2
    for pid in [script, *children]:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
            os.kill(pid, number)
    for pid in children:
        os.kill(pid, signal.SIGHUP)
    shared_up.post("signals")
    shared_up.wait_views("signals", 1)
    for pid in children:
        os.kill(pid, 0)
    assert shared_up.process.poll() is None, shared_up.output()


def test_logs_are_shown_with_the_name_of_the_daemon(shared_up):
    shared_up.post("logs")
    wait_until(lambda: re.search(r"^processor +\| job completed \d+$", shared_up.output(),
                                 flags=re.M), 10, "the processor's line")
    lines = shared_up.output().split("What follows", 1)[1].splitlines()[2:]
    assert lines and all(re.match(r"(ingestion|processor|reporting) +\| ", line)
                         for line in lines), lines
    assert "\033" not in shared_up.output(), "colours are for terminals"


def test_the_private_servers_keep_what_they_are_given(shared_up):
    def ask(key):
        return subprocess.run(["redis-cli", "-u", shared_up.url("REDIS_URL"), "config",
                               "get", key], capture_output=True, text=True).stdout.split()
    assert ask("appendonly")[1] == "yes"
    assert ask("appendfsync")[1] == "everysec"
    assert ask("maxmemory-policy")[1] == "noeviction"
    assert int(ask("maxmemory")[1]) > 0
    for setting, value in (("fsync", "on"), ("synchronous_commit", "on"),
                           ("full_page_writes", "on"), ("server_encoding", "UTF8"),
                           ("listen_addresses", "127.0.0.1")):
        assert query(shared_up, f"show {setting}") == value


def query(run, sql):
    done = subprocess.run(["psql", run.url("DATABASE_URL"), "-XAtc", sql], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_private_servers_want_a_password(shared_up):
    redis = re.sub(r"//.*@", "//", shared_up.url("REDIS_URL"))
    said = subprocess.run(["redis-cli", "-u", redis, "ping"], capture_output=True, text=True)
    assert "NOAUTH" in said.stdout + said.stderr
    postgres = re.sub(r":[^:@]*@", ":wrong@", shared_up.url("DATABASE_URL"))
    said = subprocess.run(["psql", "-w", postgres, "-c", "select 1"], capture_output=True,
                          text=True)
    assert "password authentication failed" in said.stderr


def test_each_daemon_has_a_role_of_its_own(shared_up):
    """And ingestion knows no way to the database."""
    wait_until(lambda: query(shared_up, """
        SELECT string_agg(DISTINCT usename, ' ' ORDER BY usename) FROM pg_stat_activity
         WHERE usename LIKE 'analytics\\_%'""") == "analytics_processor analytics_reporting",
        10, "both to be connected")
    assert query(shared_up, "SELECT DISTINCT tableowner FROM pg_tables"
                            " WHERE schemaname = 'public'") == "analytics_owner"
    environment = pathlib.Path(f"/proc/{shared_up.child('ingestion')}/environ").read_bytes()
    assert b"postgresql://" not in environment and b"redis://" in environment


def test_secrets_are_in_no_other_users_sight(shared_up):
    secret = (shared_up.var / "secret").read_text()
    assert len(secret) == 48
    for name in ("secret", "env"):
        assert (shared_up.var / name).stat().st_mode & 0o077 == 0
    for name in ("redis", "postgres"):
        assert (shared_up.var / name).stat().st_mode & 0o077 == 0
    assert secret not in shared_up.output()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert secret.encode() not in path.read_bytes(), path
        except OSError:
            pass  # it has ended


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
def test_as_root_the_servers_run_as_somebody_else(shared_up):
    for word in ("redis-server", "postgres"):
        assert pathlib.Path(f"/proc/{shared_up.child(word)}").stat().st_uid != 0


def test_the_data_stays_and_the_second_start_takes_seconds(up):
    began = time.monotonic()
    first = up().start()
    first_took = time.monotonic() - began
    first.post("stay")
    first.wait_views("stay", 1)
    assert first.end() == 0
    began = time.monotonic()
    second = up().start()
    took = time.monotonic() - began
    assert second.views("stay") == 1
    second.post("stay")
    second.wait_views("stay", 2)
    assert second.end() == 0
    print(f"the second start took {took:.1f} s")
    # A busy machine is slow in both, but the first has the data to make as well.
    assert took < max(patience(10), first_took)


def test_appendfsync_always_reaches_redis(up):
    run = up(REDIS_APPENDFSYNC="always").start()
    said = subprocess.run(["redis-cli", "-u", run.url("REDIS_URL"), "config", "get",
                           "appendfsync"], capture_output=True, text=True).stdout
    assert said.split() == ["appendfsync", "always"]
    assert run.end() == 0


def test_given_servers_are_used_instead_of_private_ones(up, redis, database):
    run = up(REDIS_URL=redis.url, DATABASE_URL=database.url).start()
    run.post("given")
    run.wait_views("given", 1)
    assert database.value("SELECT count(*) FROM events") == 1
    assert redis.completed() == 1
    assert not (run.var / "redis").exists() and not (run.var / "postgres").exists()
    assert run.end() == 0


def test_an_empty_database_gets_the_schema(up, redis, empty_database):
    run = up(REDIS_URL=redis.url, DATABASE_URL=empty_database.url).start()
    assert empty_database.value("SELECT count(*) FROM schema_version") > 0
    assert run.end() == 0


# --- how it ends -----------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order(up, number):
    run = up().start()
    run.post("end")
    assert run.end(number) == 0
    assert "Stopping ...\n" in run.output() and run.output().endswith("Stopped.\n")


def test_a_signal_that_comes_twice_at_once_is_one(up):
    run = up().start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        run.process.send_signal(number)
    assert run.wait() == 0
    assert "exit status" not in run.output()
    run.check_nothing_is_left()


def test_ctrl_c_in_a_terminal_stops_everything(up):
    """The terminal sends the signal to all processes of the foreground, prefixers too."""
    run = up()
    master, terminal = pty.openpty()
    run.launch(stdout=terminal)
    os.close(terminal)
    seen = b""
    while b"What follows" not in seen:
        seen += os.read(master, 65536)
    os.killpg(run.process.pid, signal.SIGINT)
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # the last process has closed the terminal
            break
        if not more:
            break
        seen += more
    assert run.wait() == 0
    assert seen.endswith(b"Stopped.\r\n")
    run.check_nothing_is_left()


def test_an_interrupted_start_leaves_nothing_and_the_next_one_works(up):
    run = up().launch()
    wait_until(lambda: "Making the private Postgres" in run.output(), 30, "initdb")
    assert run.end(signal.SIGTERM) == 130
    again = up().start()
    assert again.end() == 0


def test_nothing_outlives_a_kill(up):
    """The event may be in a batch by then, which is taken over when its lease ends."""
    run = up(LEASE_MS=1000).start()
    run.post("killed")
    run.process.kill()
    run.wait()
    again = up(LEASE_MS=1000).start()
    again.wait_views("killed", 1)
    assert again.end() == 0


@pytest.mark.parametrize("victim", [*DAEMONS, "redis-server", "postgres"])
def test_when_a_part_dies_the_rest_is_stopped(up, victim):
    run = up().start()
    os.kill(run.child(victim), signal.SIGKILL)
    assert run.wait() == 1
    assert re.search(r"^up: (\w+) ended by itself", run.output(),
                     flags=re.M).group(1) in victim
    run.check_nothing_is_left()


def test_a_part_that_ended_while_another_command_ran_is_noticed(tmp_path):
    """bash's `wait -n` knows nothing of it, and would wait for the others."""
    script = """
        set -euo pipefail
        . scripts/lib/common.sh; . scripts/lib/children.sh
        child_start_logged short "$1" sh -c 'exit 3'
        child_start_logged long "$1" sleep 60
        wait_for 30 child_is_gone short
        child_wait_any
        printf '%s %s' "$CHILD_ENDED" "$CHILD_STATUS"
        children_kill
    """
    done = subprocess.run(["bash", "-c", script, "bash", tmp_path / "log"], cwd=SOURCE, text=True,
                          stdout=subprocess.PIPE, timeout=50, check=False)
    assert done.stdout == "short 3"


def test_a_second_start_in_the_same_folder_is_refused(up):
    first = up().start()
    second = up()
    second.launch()
    assert second.wait() == 1
    assert re.fullmatch(rf"up: it runs already in \S+ \(process {first.process.pid}\): "
                        r"stop that first\n", second.output())
    first.post("undisturbed")
    first.wait_views("undisturbed", 1)
    assert first.end() == 0


def test_two_clones_run_side_by_side(up, tmp_path):
    one, two = up(), up(var=tmp_path / "elsewhere")
    one.start()
    two.start()
    one.post("side")
    one.wait_views("side", 1)
    assert two.views("side") == 0
    assert (one.end(), two.end()) == (0, 0)


def test_binaries_are_those_that_the_tests_use():
    """Otherwise the tests above would say nothing about this build."""
    assert binary("ingestion") == SOURCE / "build/release/ingestion/ingestion"
