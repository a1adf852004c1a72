"""What can be wrong when scripts/up is called, said in one sentence each; and the places
and users it must work with."""
import os
import pathlib
import re
import signal
import shutil
import subprocess
import tempfile

import pytest

from support.process import die_with_parent, free_port, unprivileged_user
from support.settings import SOURCE
from support.up import DAEMONS, Up, clone, copy_of_scripts, give, listener, listens
from support.wait import wait_until

# --- what can be wrong -----------------------------------------------------------


@pytest.mark.parametrize("daemon", DAEMONS)
def test_a_taken_port_is_named(up, daemon):
    run = up()
    run_port = run.ports[daemon]
    with listener(run_port):
        run.launch()
        assert run.wait() == 1
    assert run.output() == (
        f"up: port {run_port} is taken: stop what listens there, or choose another with "
        f"{daemon.upper()}_PORT\n")
    run.check_nothing_is_left()


@pytest.mark.parametrize("setting, value, said", [
    ("INGESTION_PORT", "http", 'INGESTION_PORT is "http", which is not a port (1 to 65535)'),
    ("REPORTING_PORT", "65536", 'is "65536", which is not a port (1 to 65535)'),
    ("PROCESSOR_HEALTH_PORT", "0", 'PROCESSOR_HEALTH_PORT is "0", which is not a port'),
    ("INGESTION_PORT", "08080", 'INGESTION_PORT is "08080", which is not a port'),
    ("REPORTING_PORT", "0x50", 'is "0x50", which is not a port'),
    ("PROCESSOR_PORT", "+5000", 'is "+5000", which is not a port'),
    ("PROCESSOR_PORT", "5000 ", 'is "5000 ", which is not a port'),
    ("REDIS_MAXMEMORY", "0100mb", 'REDIS_MAXMEMORY is "0100mb"; it must be a size such as'),
    ("INGEST_THREADS", "08", "ingestion does not start with these settings"),
    ("PROCESSOR_PORT", "0", 'is "0", which is not a port (1 to 65535)'),
    ("REDIS_APPENDFSYNC", "no", 'REDIS_APPENDFSYNC is "no"; it must be everysec or always'),
    ("REDIS_MAXMEMORY", "lots", 'REDIS_MAXMEMORY is "lots"; it must be a size such as'),
    ("REDIS_MAXMEMORY", "1mb", 'REDIS_MAXMEMORY is "1mb": an empty Redis needs nearly'),
    ("REDIS_MAXMEMORY", "100", "give it 16mb at least"),
    ("REDIS_MAXMEMORY", "16000K", "give it 16mb at least"),
    ("REDIS_MAXMEMORY", "15M", "give it 16mb at least"),
    ("REDIS_MAXMEMORY", "9999999999999gb", "more than any machine has"),
    ("REDIS_URL", "rediss://localhost", "TLS is not spoken: put a tunnel"),
    ("REDIS_URL", "http://localhost", "REDIS_URL must begin with redis:// or unix://"),
])
def test_a_wrong_setting_is_named(up, setting, value, said):
    assert said in up(**{setting: value}).fail()


def test_settings_are_read_from_a_file(up, tmp_path):
    root = copy_of_scripts(tmp_path)
    (root / ".env").write_text('# a comment\nexport REDIS_APPENDFSYNC="sometimes"\n')
    assert 'REDIS_APPENDFSYNC is "sometimes"' in up(root=root).fail()
    (root / ".env").write_text("REDIS_APPENDFSYNC=sometimes\n")
    taken = up(root=root, REDIS_APPENDFSYNC="everysec")  # the environment wins
    with listener(taken.ports["ingestion"]):
        assert taken.launch().wait() == 1
    assert "is taken" in taken.output()


def test_a_taken_port_for_health_is_named(up):
    run = up()
    with listener(run.health_ports["reporting"]):
        assert "choose another with REPORTING_HEALTH_PORT" in run.fail()


def test_ports_for_health_lie_beside_the_others_and_must_differ(up):
    run = up(INGESTION_PORT="20000", REPORTING_HEALTH_PORT="30000")
    del run.env["INGESTION_HEALTH_PORT"]
    assert "INGESTION_HEALTH_PORT 30000" in run.fail()


def test_ports_must_differ(up):
    port = str(free_port())
    said = up(INGESTION_PORT=port, REPORTING_PORT=port).fail()
    assert "must be three different ports" in said


def test_a_wrong_setting_of_a_daemon_is_named(up):
    run = up(PROCESSOR_WORKERS="many")
    assert "processor does not start with these settings" in run.fail()
    assert re.search(r'PROCESSOR_WORKERS.*"?many"?.*1.*32', run.output())
    assert "Making" not in run.output(), "nothing starts before that"


def test_a_redis_that_is_not_there_is_named(up, database):
    run = up(REDIS_URL=f"redis://user:pass-word@127.0.0.1:{free_port()}",
             DATABASE_URL=database.url)
    said = run.fail()
    assert re.search(r"(processor|ingestion) is not ready after \d+ s: .*Redis", said), said
    assert "pass-word" not in run.output()


def test_a_database_that_is_not_there_is_named(up, redis):
    run = up(REDIS_URL=redis.url,
             DATABASE_URL=f"postgresql://user:pass-word@127.0.0.1:{free_port()}/nowhere")
    assert "bringing the database schema up failed" in run.fail()
    assert "could not connect to Postgres" in run.output()
    assert "pass-word" not in run.output()


def test_data_of_a_postgres_that_is_gone_is_named(up):
    run = up()
    (run.var / "postgres").mkdir(parents=True)
    (run.var / "postgres/PG_VERSION").write_text("9.6\n")
    assert "is of Postgres 9.6, which is not installed any more" in run.fail()


def test_help_and_a_wrong_argument():
    done = subprocess.run([SOURCE / "scripts/up", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("usage: scripts/up")
    done = subprocess.run([SOURCE / "scripts/up", "now"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == 'up: unknown argument "now": see scripts/up --help\n'


SCRIPTS = ["scripts/up", "scripts/test", "scripts/bench", "scripts/fuzz", "scripts/soak",
           "scripts/packages", "deploy/postgres-start"]
UNUSUAL = {  # how it may be called, and what the sentence says
    "sh": (["sh", "{path}"], "this script needs bash: run it as ./{path}"),
    "sourced by sh": (["sh", "-c", ". ./{path}; echo goes on"], "needs bash: run it as ./{path}"),
    "sourced": (["bash", "-c", ". {path}; echo goes on"], "run this script as ./{path}; it cannot"),
    "from a pipe": (["bash", "-c", "cat {path} | bash"], "run this script as ./{path}; it cannot"),
}


@pytest.mark.parametrize("path", SCRIPTS)
@pytest.mark.parametrize("how", UNUSUAL)
def test_a_script_that_is_called_wrongly_says_how(path, how):
    words, said = ([part.format(path=path) for part in words] if isinstance(words, list)
                   else words.format(path=path) for words in UNUSUAL[how])
    done = subprocess.run(words, cwd=SOURCE, text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, env={"PATH": os.environ["PATH"]})
    assert said in done.stderr and done.stderr.count("\n") == 1, done.stderr
    if "goes on" in words[-1]:  # it has ended nobody else's shell
        assert done.stdout == "goes on\n"
    else:
        assert done.returncode == 1


@pytest.mark.parametrize("words", [
    ["bash", "scripts/up"], ["bash", "--posix", "scripts/up"], ["{link}"],
    ["bash", "-c", "cd scripts && ./up \"$@\"", "bash"]], ids=" ".join)
def test_a_script_may_be_called_in_any_other_way(words, tmp_path):
    link = tmp_path / "up"
    link.symlink_to(SOURCE / "scripts/up")
    done = subprocess.run([*(word.format(link=link) for word in words), "--help"], cwd=SOURCE,
                          text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "") and "usage: scripts/up" in done.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_standard_files_may_be_closed(closed):
    done = subprocess.run(["bash", "-c", f"scripts/up --help {closed}"], cwd=SOURCE)
    assert done.returncode == 0


def test_it_runs_with_nowhere_to_say_so(up):
    run = up()
    run.process = subprocess.Popen(
        ["bash", "-c", 'exec "$0" 2>&-', SOURCE / "scripts/up"], env=run.env, cwd="/",
        start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM))
    wait_until(lambda: all(listens(port) for port in run.ports.values()), 60,
               "the daemons", retry=(OSError,))
    wait_until(lambda: run.get("ingestion", "/readyz").status == 200, 20, "ingestion")
    wait_until(lambda: run.get("reporting", "/readyz").status == 200, 20, "reporting")
    assert run.end() in (0, 130)  # the latter before it has found out that all are ready


# --- a daemon that dies as the script is stopped -----------------------------------

# As scripts/up has them: three that end first, one that stays until they have ended.
SUITE = """
set -euo pipefail
. "$1/scripts/lib/common.sh"
. "$1/scripts/lib/children.sh"
stop_all() {
    local status=$?
    trap - EXIT
    trap : INT
    children_stop TERM 10 ingestion || status=1
    children_stop TERM 10 reporting processor || status=1
    children_stop TERM 10 redis || status=1
    exit "$status"
}
trap stop_all EXIT
trap 'exit 0' INT
for name in redis processor reporting ingestion; do
    child_start_logged "$name" /dev/null sleep 600
done
echo "${CHILD_PID[processor]}"
while true; do
    child_wait_any
    [[ -z $CHILD_ENDED ]] || die "$CHILD_ENDED ended by itself"
done
"""
ROUNDS = 24


def is_asleep(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_a_daemon_that_dies_together_with_a_ctrl_c_does_not_keep_the_rest_running(tmp_path):
    """bash loses the status of a child when a trap interrupts `wait` just after it was reaped,
    and would wait for it until all others are gone."""
    script = tmp_path / "suite"
    script.write_text(SUITE)
    said = set()
    for turn in range(ROUNDS):
        with subprocess.Popen(["bash", script, SOURCE], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True,
                              preexec_fn=die_with_parent()) as run:
            daemon = int(run.stdout.readline())
            wait_until(lambda: is_asleep(run.pid), 10, "the script to wait for its children")
            both = [(daemon, signal.SIGKILL), (run.pid, signal.SIGINT)]
            for pid, number in both if turn % 2 else reversed(both):
                os.kill(pid, number)
            try:
                said.add(run.communicate(timeout=30)[0].splitlines()[-1])
            finally:
                run.kill()
            assert run.returncode == 1
    assert said <= {"processor ended with exit status 137.",
                    "processor ended with exit status unknown.",
                    "suite: processor ended by itself"}


# --- files and folders ---------------------------------------------------------------


def test_an_env_file_that_others_write_is_refused(up, tmp_path):
    root = copy_of_scripts(tmp_path)
    env = root / ".env"
    env.write_text("REDIS_APPENDFSYNC=sometimes\n")
    env.chmod(0o666)
    assert ".env: any user of the machine may write to it: chmod o-w" in up(root=root).fail()
    env.chmod(0o644)
    root.chmod(0o777)
    assert ".env: any user of the machine may replace it: chmod o-w" in up(root=root).fail()
    root.chmod(0o755)
    env.write_text("REDIS_APPENDFSYNC=sometimes\nINGEST_KEY=secret\n")
    run = up(root=root)
    assert "REDIS_APPENDFSYNC" in run.fail()
    assert "any user of the machine may read the secret in .env" in run.output()


def test_a_folder_with_other_things_in_it_is_not_taken(up, tmp_path):
    """It would lose its mode, and what is in it its owner."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "letters").write_text("mine")
    assert "has other things in it: let ANALYTICS_VAR name one of its own" in \
        up(var=home).fail()
    assert home.stat().st_mode & 0o777 == 0o755


@pytest.fixture
def shared_tmp():
    """A temporary folder that other users can reach; those of pytest they cannot."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="analytics-setup-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def up_as(shared_tmp):
    """A function that makes a run of scripts/up in shared_tmp, owned by the user."""
    runs = []

    def make(who, **options):
        runs.append(Up(shared_tmp, **options))
        if who:
            give(shared_tmp, who)
        return runs[-1]
    yield make
    for run in runs:
        run.abandon()


def test_missing_packages_without_sudo_are_named(up_as, shared_tmp):
    """A user who may not install anything, on a machine that lacks a package."""
    root = copy_of_scripts(shared_tmp)
    listed = root / "scripts/packages.txt"
    listed.write_text(listed.read_text() + "\nno-such-package-for-this-test\n")
    listed.write_text(listed.read_text().replace(
        "[runtime]\n", "[runtime]\nno-such-package-for-this-test\n"))
    who = unprivileged_user()
    tools = shared_tmp / "bin"  # all but sudo
    tools.mkdir()
    for folder in ("/usr/sbin", "/usr/bin"):
        for program in os.scandir(folder):
            if program.name != "sudo" and not (tools / program.name).exists():
                (tools / program.name).symlink_to(program.path)
    run = up_as(who, root=root, PATH=tools).launch(**who)
    assert run.wait() == 1
    assert re.search(
        r"^up: packages are missing and there is no sudo to install them with; as root: "
        r"apt-get install --no-install-recommends no-such-package-for-this-test", run.output(),
        flags=re.M), run.output()
    run.check_nothing_is_left()


# --- other users, other places ---------------------------------------------------


def test_a_fresh_clone_is_built_and_runs_as_an_ordinary_user(up_as, shared_tmp):
    who = unprivileged_user()
    root = clone(shared_tmp)
    run = up_as(who, root=root, var=root / "var")
    run.start(timeout=300, **who)
    run.post("fresh")
    run.wait_views("fresh", 1)
    assert (root / "build/release/ingestion/ingestion").exists()
    assert run.end() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs folders that the servers cannot reach")
def test_data_under_a_folder_that_the_servers_user_cannot_reach(up, tmp_path):
    """A clone in /root, say: mode 700 all the way."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for _ in range(2):  # the first start makes the data, the second finds it
        run = up(var=closed / "var").start()
        run.post("closed")
        assert run.end() == 0
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (closed / "var/postgres").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs two users")
def test_data_of_another_user_is_refused(up_as, shared_tmp):
    who = unprivileged_user()
    run = up_as(who, root=copy_of_scripts(shared_tmp))  # ours may be where he cannot go
    run.var.mkdir(mode=0o700)
    run.launch(**who)
    assert run.wait() == 1
    assert "cannot be written to" in run.output()
