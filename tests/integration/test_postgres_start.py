"""deploy/postgres-start as a container runs it: the first process of a PID namespace, ended by
a power cut and started again.  And scripts/up after a kill, when other programs have the old
numbers."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from support.process import die_with_parent, free_port, unprivileged_user
from support.settings import SOURCE
from support.up import give
from support.wait import wait_until

PASSWORDS = {f"POSTGRES_{name}PASSWORD": f"secret{name}"
             for name in ("", "OWNER_", "PROCESSOR_", "REPORTING_")}


@pytest.fixture
def container():
    """What the image has in it, where the server's user can read it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="analytics-container-"))
    folder.chmod(0o755)
    for name in ("scripts", "deploy", "sql"):
        shutil.copytree(SOURCE / name, folder / name)
    (folder / "data").mkdir()
    made = Container(folder)
    yield made
    made.kill()
    shutil.rmtree(folder)


class Container:
    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.who = unprivileged_user()
        if self.who:
            give(folder, self.who)
        self.log = folder / "log"
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **PASSWORDS,
                    "POSTGRES_DATA": str(folder / "data/postgres"),
                    "POSTGRES_PORT": str(self.port)}

    def command(self, *words):
        space = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if self.who:
            drop = ["setpriv", "--reuid", str(self.who["user"]), "--regid",
                    str(self.who["group"]), "--clear-groups", "--no-new-privs"]
            return [*space, *drop, *words]
        return [*space[:1], "--user", "--map-current-user", *space[1:], *words]

    def start(self):
        probe = subprocess.run(self.command("true"), capture_output=True, text=True)
        if probe.returncode != 0:
            pytest.skip(f"no namespace of processes here: {probe.stderr}")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(self.folder / "deploy/postgres-start"), env=self.env, stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, cwd="/", preexec_fn=die_with_parent())

        def answers():
            assert self.process.poll() is None, self.log.read_text()
            return subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p",
                                   str(self.port)]).returncode == 0
        wait_until(answers, 60, lambda: f"Postgres:\n{self.log.read_text()}")

    def first(self):
        """The pid, from here, of what is 1 in there."""
        pid = self.process.pid
        return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def kill(self):
        if self.process and self.process.poll() is None:
            os.kill(self.first(), signal.SIGKILL)
            self.process.wait(20)

    def query(self, sql, role="analytics_owner", password="secretOWNER_"):
        done = subprocess.run(
            ["psql", "-XAtc", sql, "-h", "127.0.0.1", "-p", str(self.port), "-U", role,
             "analytics"], env={"PATH": os.environ["PATH"], "PGPASSWORD": password},
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def test_the_first_process_of_a_container_starts_again_after_a_power_cut(container):
    for count in range(3):
        container.start()
        found = dict(line.split(":\t") for line in pathlib.Path(
            f"/proc/{container.first()}/status").read_text().splitlines() if ":\t" in line)
        assert found["Name"] == "postgres" and found["NSpid"].split()[-1] == "1"
        if count == 0:
            container.query("CREATE TABLE kept (n int)")
        container.query(f"INSERT INTO kept VALUES ({count})")
        assert container.query("SELECT count(*) FROM kept") == str(count + 1)
        container.kill()
        assert (container.folder / "data/postgres/postmaster.pid").read_text()[:2] == "1\n"


def test_passwords_are_not_said_whatever_an_administrator_has_logged(container):
    """Also when one of the statements fails: what a container says is kept for long."""
    container.start()
    for what in ("log_statement = 'all'", "log_min_duration_statement = 0",
                 "log_transaction_sample_rate = 1",
                 "shared_preload_libraries = 'passwordcheck'"):
        container.query(f"ALTER SYSTEM SET {what}", "analytics", PASSWORDS["POSTGRES_PASSWORD"])
    container.kill()
    container.start()
    container.kill()
    container.env["POSTGRES_REPORTING_PASSWORD"] = "sh0rt-1"
    with pytest.raises(AssertionError, match="password is too short"):
        container.start()
    said = container.log.read_text()
    assert "could not make the roles" in said
    assert not [word for word in (*PASSWORDS.values(), "sh0rt-1") if f"'{word}'" in said]


def test_a_server_that_still_runs_is_not_overrun(container):
    """The same data in a second container of the same processes."""
    container.start()
    number = container.first()
    lock = container.folder / "data/postgres/postmaster.pid"
    lines = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join([f"{number}\n", *lines[1:]]))  # as it is seen from here
    second = subprocess.run([container.folder / "deploy/postgres-start"],
                            env={**container.env, "POSTGRES_PORT": str(free_port())},
                            capture_output=True, text=True, timeout=60, **container.who)
    assert second.returncode != 0
    assert "already exists" in second.stdout + second.stderr
    assert container.query("SELECT 1") == "1"


@pytest.mark.parametrize("name, value, said", [
    ("POSTGRES_PORT", "05432", 'POSTGRES_PORT is "05432", which is not a port'),
    ("POSTGRES_PASSWORD", "", "POSTGRES_PASSWORD is not set"),
    ("POSTGRES_OWNER_PASSWORD", "", "POSTGRES_OWNER_PASSWORD is not set"),
])
def test_what_is_wrong_with_a_setting_is_said_first(container, name, value, said):
    done = subprocess.run([container.folder / "deploy/postgres-start"], text=True,
                          env={**container.env, name: value}, capture_output=True,
                          timeout=60, **container.who)
    assert done.returncode == 1 and said in done.stderr
    assert not (container.folder / "data/postgres").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused")
def test_root_is_refused(container):
    done = subprocess.run([container.folder / "deploy/postgres-start"], env=container.env,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "start it as the user" in done.stderr


def test_the_number_of_the_old_server_now_belongs_to_another_program(up):
    run = up().start()
    run.post("old")
    run.wait_views("old", 1)
    run.process.kill()
    run.wait()
    run.check_nothing_is_left_but_env()
    lock = run.var / "postgres/postmaster.pid"
    user = {} if os.geteuid() else {"user": lock.parent.stat().st_uid, "extra_groups": []}
    other = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent(), **user)
    try:
        lines = lock.read_text().splitlines(keepends=True) if lock.exists() else \
            ["0\n", f"{lock.parent}\n"]
        lock.write_text("".join([f"{other.pid}\n", *lines[1:]]))
        os.chown(lock, lock.parent.stat().st_uid, -1)
        again = up().start()
        again.wait_views("old", 1)
        assert again.end() == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
