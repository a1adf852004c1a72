"""Who may do what while scripts/up runs: the users of the servers and daemons, what each of
them knows and can reach, and what root writes.  Some can only be seen by root."""
import os
import pathlib
import re
import subprocess

import pytest

from support.process import unprivileged_user
from support.settings import SOURCE
from support.up import DAEMONS, Up, clone, copy_of_scripts, give, processes_with
from support.wait import wait_until

SERVERS = ("redis-server", "postgres")
for_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")


@pytest.fixture(scope="module")
def shared_up(tmp_path_factory):
    """One that runs, for tests that only look; with a key in the environment."""
    run = Up(tmp_path_factory.mktemp("shared"), INGEST_KEY="k3y-of-ingestion",
             REPORTING_TOKEN="t0ken-of-reporting", UNRELATED="of-somebody-else").start()
    yield run
    assert run.end() == 0, run.output()


def proc(run, word):
    return pathlib.Path(f"/proc/{run.child(word)}")


def environment(run, word):
    text = (proc(run, word) / "environ").read_bytes().decode()
    return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)


def status(run, word):
    return dict(line.split(":\t", 1)
                for line in (proc(run, word) / "status").read_text().splitlines()
                if ":\t" in line)


# --- users and rights ------------------------------------------------------------

@for_root
def test_each_program_runs_as_a_user_of_its_own(shared_up):
    users = {word: proc(shared_up, word).stat().st_uid for word in (*DAEMONS, *SERVERS)}
    assert 0 not in users.values()
    assert len(set(users.values())) == len(users), users


@for_root
@pytest.mark.parametrize("word", [*DAEMONS, *SERVERS])
def test_no_program_has_a_capability_or_can_get_one(shared_up, word):
    found = status(shared_up, word)
    assert found["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"):
        assert int(found[name], 16) == 0, name
    assert len(set(found["Uid"].split())) == len(set(found["Gid"].split())) == 1
    assert found["Groups"].strip() in ("", found["Gid"].split()[0])


@for_root
@pytest.mark.parametrize("word", [*DAEMONS, *SERVERS])
def test_no_way_leads_from_a_program_to_the_clone(shared_up, word):
    """Not from its working directory and not from a descriptor: var/ lets nobody through."""
    root, var = proc(shared_up, word), shared_up.var
    found = status(shared_up, word)
    ways = [root / "cwd", *(root / "fd").iterdir()]
    tried = 0
    for way in ways:
        try:
            target = way.readlink()
        except OSError:
            continue
        if not target.is_relative_to(var) or not target.is_dir():
            assert not target.is_relative_to(SOURCE), f"{way} is {target}"
            continue
        tried += 1
        for up in ("..", "../.."):
            done = subprocess.run(
                ["setpriv", "--reuid", found["Uid"].split()[0], "--clear-groups", "ls",
                 f"{way}/{up}"], capture_output=True, text=True, env={
                     "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
            assert "Permission denied" in done.stderr, (way, up, done)
    assert tried or word in ("processor", "reporting"), ways


@for_root
def test_what_the_programs_write_belongs_to_them(shared_up):
    for name, word in (("spool", "ingestion"), ("redis", "redis-server"),
                       ("postgres", "postgres")):
        path = shared_up.var / name
        assert path.stat().st_uid == proc(shared_up, word).stat().st_uid
        assert path.stat().st_mode & 0o777 == 0o700


def test_nobody_else_sees_into_var_and_its_logs(shared_up):
    assert shared_up.var.stat().st_mode & 0o777 == 0o700
    logs = list((shared_up.var / "log").iterdir())
    assert (shared_up.var / "log").stat().st_mode & 0o777 == 0o700 and len(logs) >= 4
    for path in [*logs, *(p for p in shared_up.var.iterdir() if p.is_file())]:
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_what_older_starts_left_open_is_closed(up):
    run = up()
    (run.var / "log").mkdir(parents=True)
    run.var.chmod(0o755)
    old = run.var / "log/redis.log"
    old.write_text("old")
    old.chmod(0o644)
    (run.var / "lock").touch(0o644)
    run.start()
    assert run.var.stat().st_mode & 0o777 == 0o700
    assert old.stat().st_mode & 0o777 == 0o600
    assert run.end() == 0


# --- what each program knows -------------------------------------------------------

@pytest.mark.parametrize("daemon, has, has_not", [
    ("ingestion", ["REDIS_URL", "SPOOL_DIR", "INGEST_KEY"],
     ["DATABASE_URL", "REPORTING_TOKEN"]),
    ("processor", ["REDIS_URL", "DATABASE_URL"],
     ["INGEST_KEY", "REPORTING_TOKEN", "SPOOL_DIR"]),
    ("reporting", ["DATABASE_URL", "REPORTING_TOKEN"], ["REDIS_URL", "INGEST_KEY", "SPOOL_DIR"]),
])
def test_each_daemon_has_an_environment_of_its_own(shared_up, daemon, has, has_not):
    found = environment(shared_up, daemon)
    assert set(has) <= set(found)
    assert not set(has_not) & set(found)
    assert not {"UNRELATED", "ANALYTICS_VAR", "INGESTION_PORT"} & set(found)
    assert found["HOST"] == "127.0.0.1", "where nothing else is said"


@pytest.mark.parametrize("daemon", ["ingestion", "processor"])
def test_each_daemon_has_an_account_of_its_own_in_redis(shared_up, daemon):
    url = environment(shared_up, daemon)["REDIS_URL"]
    name, password = re.fullmatch(r"redis://(\w+):(\w+)@127.0.0.1:\d+", url).groups()
    assert name == daemon

    def ask(*words):
        return subprocess.run(
            ["redis-cli", "-p", url.rsplit(":", 1)[1], "--user", name, "--no-auth-warning",
             *words], env={"PATH": os.environ["PATH"], "REDISCLI_AUTH": password},
            capture_output=True, text=True).stdout
    assert ask("llen", "{events}:queue").strip() == "0"
    for words in (["flushall"], ["get", "other"], ["config", "get", "*"], ["keys", "*"]):
        assert "NOPERM" in ask(*words), words


def test_what_is_reached_is_said(shared_up):
    assert "Only this machine reaches it (HOST=127.0.0.1)" in shared_up.output()


def test_no_secret_is_in_a_command_line(shared_up):
    secrets = [(shared_up.var / "secret").read_bytes(), b"k3y-of-ingestion",
               b"t0ken-of-reporting"]
    secrets += re.findall(rb":([^:@/]+)@", (shared_up.var / "env").read_bytes())
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue  # it has ended
        assert not [secret for secret in secrets if secret in line], path


def test_the_lines_of_the_document_look_into_the_servers(shared_up):
    """Without a password among their words."""
    lines = re.search(r"^\. var/env\n((?:.+\n)+?)```", (SOURCE / "docs/operation.md").read_text(),
                      flags=re.M).group(1).splitlines()
    asked = [line for line in lines if line.startswith(("redis-cli", "psql"))]
    assert len(asked) == 2 and not [line for line in asked if "_URL" in line]
    for line in asked:
        done = subprocess.run(
            ["bash", "-euc", f". {shared_up.var}/env\n{line}"], capture_output=True,
            text=True, env={"PATH": os.environ["PATH"], "HOME": "/nowhere"})
        assert (done.returncode, done.stderr) == (0, ""), done
        assert re.match(r"(\d+$| +id )", done.stdout.strip("\n")), done.stdout


@for_root
def test_a_key_file_of_root_is_read_for_the_daemon(up, tmp_path):
    key = tmp_path / "key"
    key.write_text("k3y-of-root\n")
    key.chmod(0o600)
    run = up(INGEST_KEY_FILE=key).start()
    assert environment(run, "ingestion")["INGEST_KEY"] == "k3y-of-root"
    assert run.end() == 0


# --- what root writes ----------------------------------------------------------------

@for_root
def test_a_link_in_a_servers_folder_is_not_followed_by_root(up, tmp_path):
    """Its user could make it any file of root's."""
    treasure = tmp_path / "treasure"
    treasure.write_text("of root")
    treasure.chmod(0o600)
    first = up().start()
    assert first.end() == 0
    for name in ("analytics.conf", "analytics.conf.new"):
        path = first.var / "postgres" / name
        path.unlink(missing_ok=True)
        path.symlink_to(treasure)
    again = up().launch()
    wait_until(lambda: again.process.poll() is not None or "Ready." in again.output(), 60,
               "a start or a refusal")
    if again.process.poll() is None:
        assert again.end() == 0
    assert treasure.read_text() == "of root"
    assert (treasure.stat().st_uid, treasure.stat().st_mode & 0o777) == (0, 0o600)


@for_root
def test_a_link_in_place_of_the_settings_is_replaced(up, tmp_path):
    treasure = tmp_path / "treasure"
    treasure.write_text("of root")
    first = up().start()
    assert first.end() == 0
    path = first.var / "postgres/analytics.conf"
    owner = path.stat().st_uid
    path.unlink()
    path.symlink_to(treasure)
    again = up().start()
    assert again.end() == 0
    assert treasure.read_text() == "of root" and treasure.stat().st_uid == 0
    assert not path.is_symlink() and path.stat().st_uid == owner


@for_root
def test_root_goes_on_as_the_owner_of_the_clone(tmp_path_factory, request):
    """In a folder of another user's root makes nothing at all."""
    who = unprivileged_user()
    folder = pathlib.Path(subprocess.check_output(
        ["mktemp", "-d", "/tmp/analytics-owner-XXXXXX"], text=True).strip())
    request.addfinalizer(lambda: subprocess.run(["rm", "-rf", folder], check=True))
    folder.chmod(0o755)
    root = clone(folder)
    (root / "build/release").mkdir(parents=True)
    give(folder, who)
    run = Up(folder, root=root, var=root / "var")
    give(folder, who)
    try:
        run.start(timeout=400)
        assert "Going on as" in run.output()
        assert proc(run, "ingestion").stat().st_uid == who["user"]
        run.post("owner")
        run.wait_views("owner", 1)
        assert run.end() == 0
        mine = [path for path in folder.rglob("*") if path.lstat().st_uid != who["user"]
                and path != run.output_path]
        assert not mine
    finally:
        run.abandon()


@for_root
def test_root_takes_no_folder_of_another_user(up, tmp_path):
    who = unprivileged_user()
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    os.chown(theirs, who["user"], who["group"])
    assert "belongs to" in up(var=theirs).fail()
    assert "belongs to" in up(var=theirs / "var").fail()
    assert not (theirs / "var").exists()
    assert "belongs to" in up(SPOOL_DIR=theirs / "spool").fail()


@for_root
def test_root_takes_no_folder_that_others_may_write_to_or_replace(up, tmp_path):
    """With a link in its place all of a folder of root's would be given away."""
    who = unprivileged_user()
    public, sticky = tmp_path / "public", tmp_path / "sticky"
    for folder, mode in ((public, 0o777), (sticky, 0o1777)):
        folder.mkdir()
        folder.chmod(mode)
    theirs = sticky / "spool"
    theirs.mkdir()
    os.chown(theirs, who["user"], who["group"])
    for wrong in (up(var=public), up(var=public / "var"), up(SPOOL_DIR=public / "spool"),
                  up(SPOOL_DIR=public), up(SPOOL_DIR=theirs)):
        said = wrong.fail()
        assert "any user of the machine may write into" in said or "belongs to" in said
    assert public.stat().st_uid == 0
    assert theirs.stat().st_uid == who["user"]
    mine = up(SPOOL_DIR=sticky / "mine").start()
    assert (sticky / "mine").stat().st_uid == proc(mine, "ingestion").stat().st_uid
    assert mine.end() == 0


@for_root
def test_a_spool_of_an_older_start_changes_its_owner(up):
    """Then ingestion was root; its files are fed all the same."""
    run = up()
    (run.var / "spool").mkdir(parents=True)
    left = run.var / "spool/kept.damaged"
    left.write_text("{}\n")
    run.start()
    assert left.stat().st_uid == proc(run, "ingestion").stat().st_uid != 0
    assert run.end() == 0


@for_root
def test_a_folder_of_root_with_other_things_is_no_spool(up, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "letters").write_text("mine")
    assert "belongs to root and has other things in it" in up(SPOOL_DIR=other).fail()
    assert (other / "letters").stat().st_uid == 0


# --- scripts/demo ------------------------------------------------------------------

def demo(env, *arguments, root=SOURCE):
    return subprocess.Popen([root / "scripts/demo", "--days=1", *arguments], env=env, text=True,
                            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def test_the_ingestion_of_the_demo_has_no_more_rights_than_the_one_of_up(shared_up):
    env = {name: value for name, value in shared_up.env.items() if name != "INGEST_KEY"}
    sender = demo(env, "--live")
    try:
        def found():
            assert sender.poll() is None, sender.stderr.read()
            return [pid for pid, words in processes_with("--trusted-proxies=127.0.0.1").items()
                    if words.startswith(("ingestion --port=0",
                                         f"{SOURCE}/build/release/ingestion/ingestion --port=0"))
                    and is_below(pid, sender.pid)]
        wait_until(lambda: len(found()) == 1, 20, "ingestion to run")
        pid = found()[0]
        text = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode()
        names = {pair.split("=", 1)[0] for pair in text.split("\0") if "=" in pair}
        assert names <= {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "REDIS_URL", "INGEST_KEY",
                         "GEOIP_TEXT_DIR", "PWD", "OLDPWD", "SHLVL", "_"}, names
        assert "REDIS_URL=redis://ingestion:" in text
        words = pathlib.Path(f"/proc/{pid}/status").read_text()
        if os.geteuid() == 0:
            assert "NoNewPrivs:\t1" in words and "CapBnd:\t0000000000000000" in words
            assert pathlib.Path(f"/proc/{pid}").stat().st_uid != 0
            assert not [one for one in pathlib.Path(f"/proc/{pid}/fd").iterdir()
                        if one.resolve().is_dir()]
    finally:
        sender.terminate()
        sender.communicate(timeout=60)


def is_below(pid, ancestor):
    while pid > 1 and pid != ancestor:
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return pid == ancestor


@for_root
def test_root_runs_nothing_of_another_user_for_the_demo(tmp_path, request):
    who = unprivileged_user()
    var = tmp_path / "var"
    var.mkdir()
    (var / "env").write_text(f"touch {tmp_path}/owned\n")
    os.chown(var / "env", who["user"], who["group"])
    env = {"PATH": os.environ["PATH"], "ANALYTICS_VAR": str(var)}
    assert "belongs to" in demo(env).communicate(timeout=60)[1]
    theirs = pathlib.Path(subprocess.check_output(
        ["mktemp", "-d", "/tmp/analytics-owner-XXXXXX"], text=True).strip())
    request.addfinalizer(lambda: subprocess.run(["rm", "-rf", theirs], check=True))
    theirs.chmod(0o755)
    root = copy_of_scripts(theirs)
    give(theirs, who)
    assert "Going on as" in demo(env, root=root).communicate(timeout=60)[1]
    assert not (tmp_path / "owned").exists()
