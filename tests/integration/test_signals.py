"""The daemons as processes: standard files that are closed, signals, settings read again."""
import concurrent.futures
import os
import pathlib
import signal
import subprocess
import time

import pytest

from support.daemon import base_environment, binary
from support.events import event
from support.http import build
from support.load import Load
from support.settings import patience
from support.wait import wait_until

DAEMONS = ["ingestion", "processor", "reporting"]
CLOSED = {"stdin": "0<&-", "stdout": "1>&-", "stderr": "2>&-", "all": "0<&- 1>&- 2>&-"}
IGNORED = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF,
           signal.SIGPOLL, signal.SIGPWR, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGRTMIN,
           signal.SIGRTMIN + 1, signal.SIGRTMAX]
KEY, NEW_KEY = "the-first-key", "the-second-key"


@pytest.fixture(params=DAEMONS)
def name(request):
    return request.param


@pytest.fixture
def start(daemons, redis, database):
    def begin(name, **env):
        prefix = env.pop("prefix", ())
        daemon = daemons.make(name, REDIS_URL=redis.url, DATABASE_URL=database.url, **env)
        daemon.prefix = list(prefix)
        return daemon.start()
    return begin


def without(files):
    """A prefix that runs a program with these files closed."""
    return ["bash", "-c", f'exec "$@" {CLOSED[files]}', "-"]


# --- standard files -----------------------------------------------------------------------------

@pytest.mark.parametrize("files", CLOSED)
def test_a_daemon_with_closed_files_ends_well(start, name, files):
    daemon = start(name, prefix=without(files))
    closed = range(3) if files == "all" else [list(CLOSED).index(files)]
    for number in closed:
        assert os.readlink(f"/proc/{daemon.process.pid}/fd/{number}") == "/dev/null"
    if name == "ingestion":
        assert daemon.post_event(event()).status == 200
    daemon.stop()  # the exit code must be 0


@pytest.mark.parametrize("files", CLOSED)
@pytest.mark.parametrize("words", [
    ["ingestion", "--help"], ["processor", "--version"], ["reporting", "--print-config"],
    ["processor", "--print-config"], ["ingestion", "--print-config"],
    ["processor", "--migrate"], ["processor", "--dead", "list"],
    ["processor", "--dead", "--help"]], ids=" ".join)
def test_a_command_with_closed_files_ends_well(database, redis, tmp_path, words, files):
    env = {**base_environment(tmp_path), "DATABASE_URL": database.url, "REDIS_URL": redis.url}
    done = subprocess.run([*without(files), binary(words[0]), *words[1:]], cwd=tmp_path,
                          env=env, text=True, capture_output=True, timeout=patience(30))
    assert done.returncode == 0, done
    if files == "stdin" and "--migrate" not in words:
        assert done.stdout


# --- signals ----------------------------------------------------------------------------------

def test_signals_that_mean_nothing_are_ignored(start, name):
    daemon = start(name)
    for number in IGNORED:
        daemon.signal(number)
        assert daemon.get("/healthz").status == 200, number
    daemon.check_alive()


def test_a_hangup_during_the_start_is_survived(daemons, redis, database, name):
    daemon = daemons.make(name, REDIS_URL=redis.url, DATABASE_URL=database.url)
    daemon.start(wait=False)
    ignored = 0

    def ignores():
        nonlocal ignored
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        masks = {line.split(":")[0]: int(line.split()[1], 16)
                 for line in status.splitlines() if line.startswith(("SigIgn", "SigCgt"))}
        ignored = (masks["SigIgn"] | masks["SigCgt"]) & 1 << signal.SIGHUP - 1
        return ignored
    wait_until(ignores, 10, "SIGHUP to be ignored or handled", interval=0.0005)
    for _ in range(20):
        daemon.signal(signal.SIGHUP)
    daemon.wait_ready()


def test_many_signals_at_once_and_an_end_between(start, name):
    daemon = start(name)
    for _ in range(50):
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGUSR1)
    assert daemon.get("/readyz").status == 200
    daemon.signal(signal.SIGHUP)
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGHUP)
    assert daemon.wait_exit() == 0
    daemon.process = None


def test_hangups_until_the_very_end(start, name):
    daemon = start(name)
    daemon.signal(signal.SIGTERM)
    while daemon.process.poll() is None:
        daemon.signal(signal.SIGHUP)
    assert daemon.wait_exit() == 0
    daemon.process = None


# --- settings read again --------------------------------------------------------------------------

def write_env(daemon, **settings):
    text = "".join(f"{key}={value}\n" for key, value in settings.items())
    (daemon.directory / ".env").write_text(text)


def reload(daemon):
    before = len(daemon.log_lines("the settings again"))
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: len(daemon.log_lines("the settings again")) > before, 10,
               lambda: f"the settings to be read again:\n{daemon.story()}")
    return daemon.log_lines("the settings again")[-1]


def test_the_log_level_is_read_again(daemons, redis, database, name):
    daemon = daemons.make(name, REDIS_URL=redis.url, DATABASE_URL=database.url)
    write_env(daemon, LOG_LEVEL="error")
    daemon.start()
    daemon.signal(signal.SIGHUP)
    assert daemon.get("/healthz").status == 200 and daemon.stderr() == ""
    write_env(daemon, LOG_LEVEL="info")
    reload(daemon)
    write_env(daemon, LOG_LEVEL="error")
    reload(daemon)
    count = len(daemon.log_lines())
    daemon.stop()
    assert len(daemon.log_lines()) == count


def test_a_wrong_setting_leaves_all_as_it_was(start, name):
    daemon = start(name)
    write_env(daemon, LOG_LEVEL="chatty")
    line = reload(daemon)
    assert " warn " in line and "LOG_LEVEL" in line and "chatty" in line
    daemon.check_alive()
    write_env(daemon, PORT="x")
    assert "PORT" in reload(daemon)
    assert daemon.get("/healthz").status == 200
    write_env(daemon)
    assert " info " in reload(daemon)


def post(daemon, key=None, **fields):
    headers = [("Authorization", f"Bearer {key}")] if key else []
    return daemon.post_event(event(**fields), headers).status


@pytest.mark.parametrize("threads", [1, 3])
def test_ingestion_takes_a_new_key_from_its_file(start, tmp_path, threads):
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    daemon = start("ingestion", INGEST_KEY_FILE=path, INGEST_THREADS=threads)
    assert (post(daemon, KEY), post(daemon, NEW_KEY)) == (200, 401)
    path.write_text(NEW_KEY + "\n")
    assert (post(daemon, KEY), post(daemon, NEW_KEY)) == (200, 401)  # nobody has said so
    reload(daemon)
    for _ in range(4 * threads):  # every loop has it
        wait_until(lambda: (post(daemon, KEY), post(daemon, NEW_KEY)) == (401, 200), 10)
    path.unlink()
    line = reload(daemon)
    assert " warn " in line and "INGEST_KEY" in line
    assert (post(daemon, KEY), post(daemon, NEW_KEY)) == (401, 200)
    assert KEY not in daemon.stderr() and NEW_KEY not in daemon.stderr()


def test_ingestion_takes_new_lists(start):
    daemon = start("ingestion", INGEST_THREADS=2)
    write_env(daemon, ALLOWED_SITES="one", CORS_ORIGINS="https://one.example")
    assert post(daemon, site_id="two") == 200
    reload(daemon)
    wait_until(lambda: post(daemon, site_id="two") == 403, 10)
    for _ in range(8):
        wait_until(lambda: post(daemon, site_id="two") == 403, 10)
        assert post(daemon, site_id="one") == 200
    answers = {origin: daemon.post_event(event(site_id="one"), [("Origin", origin)])
               .header("Access-Control-Allow-Origin")
               for origin in ("https://one.example", "https://two.example")}
    assert answers == {"https://one.example": "https://one.example",
                       "https://two.example": None}
    write_env(daemon)
    reload(daemon)
    wait_until(lambda: post(daemon, site_id="two") == 200, 10)


def test_origins_that_mean_nothing_leave_the_lists_as_they_were(start):
    daemon = start("ingestion", INGEST_THREADS=1)
    write_env(daemon, ALLOWED_SITES="one", CORS_ORIGINS="one.example")
    line = reload(daemon)
    assert " warn " in line and "CORS_ORIGINS" in line and "https://one.example" in line
    assert post(daemon, site_id="two") == 200


def test_reporting_takes_new_lists(start):
    daemon = start("reporting")

    def ask(**headers):
        return daemon.get("/stats?site_id=demo", list(headers.items()))
    assert ask(Origin="https://one.example").header("Access-Control-Allow-Origin") is None
    assert ask(Host="stats.example").status == 403
    write_env(daemon, REPORTING_CORS_ORIGINS="https://one.example", ALLOWED_HOSTS="stats.example")
    reload(daemon)
    one = ask(Origin="https://one.example").header("Access-Control-Allow-Origin")
    assert one == "https://one.example"
    assert (ask(Host="stats.example").status, ask(Host="other.example").status) == (200, 403)
    write_env(daemon, REPORTING_CORS_ORIGINS="*")
    assert " warn " in reload(daemon)
    assert ask(Host="stats.example").status == 200
    write_env(daemon, REPORTING_TOKEN="a-new-token-of-20-bytes")
    reload(daemon)
    refused = ask(Origin="https://one.example")
    assert (refused.status, refused.header("Cache-Control")) == (401, "no-store")
    assert refused.header("Access-Control-Allow-Origin") is None


def test_buckets_survive_a_reload(start):
    """Or who is too fast would ask for a SIGHUP."""
    daemon = start("ingestion", INGEST_THREADS=1, RATE_LIMIT_PER_IP=1,
                   RATE_LIMIT_BURST_SECONDS=3600)
    write_env(daemon, ALLOWED_SITES="one")
    assert post(daemon, site_id="one") == 200
    reload(daemon)
    wait_until(lambda: post(daemon, site_id="two") == 403, 10)
    text = daemon.get("/metrics").body.decode()
    assert 'reason="address_rate"} 0' in text


def test_reloads_lose_no_event(start, redis):
    """Connections stay, and each event is answered 200 and queued."""
    daemon = start("ingestion", INGEST_THREADS=2, LOG_LEVEL="warn")
    write_env(daemon, LOG_LEVEL="warn")
    load = Load(daemon.port, [build("POST", "/event", event())] * 3000, connections=8)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(load.run)
        while not running.done():
            daemon.signal(signal.SIGHUP)
            time.sleep(0.001)
        result = running.result()
    assert not result.errors and set(result.statuses) == {200}
    assert redis.queue_length() == 3000


def test_reporting_takes_a_new_token_from_its_file(start, tmp_path):
    path = tmp_path / "token"
    path.write_text(KEY + "\n")
    daemon = start("reporting", REPORTING_TOKEN_FILE=path)

    def ask(token):
        return daemon.get("/stats?site_id=x", [("Authorization", f"Bearer {token}")]).status
    assert (ask(KEY), ask(NEW_KEY)) == (200, 401)
    path.write_text(NEW_KEY + "\n")
    reload(daemon)
    assert (ask(KEY), ask(NEW_KEY)) == (401, 200)
    path.write_text("\n")
    line = reload(daemon)
    assert " warn " in line and "REPORTING_TOKEN" in line
    assert (ask(KEY), ask(NEW_KEY)) == (401, 200)
