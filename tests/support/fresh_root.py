#!/usr/bin/env python3
"""Proves the set-up in bare Debian roots made by debootstrap.  Needs root, debootstrap, git
and the ports 3000, 4000 and 5000; no container engine.

usage: fresh_root.py newcomer [--tests]   scripts/up as root in /root (mode 700), as a user
                                          with sudo, as a user without; with --tests also
                                          scripts/test, as root and as the user with sudo
       fresh_root.py images               the steps of deploy/Dockerfile, and what they made

What is proved is the commit that is checked out.  FRESH_ROOT is the folder to work in
[/var/tmp/fresh-root]; a bare root is kept there as a tarball for next time.  FRESH_SUITE and
FRESH_MIRROR choose another release [bookworm, debootstrap's own mirror].
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
WORK = pathlib.Path(os.environ.get("FRESH_ROOT", "/var/tmp/fresh-root"))
SUITE = os.environ.get("FRESH_SUITE", "bookworm")
MIRROR = os.environ.get("FRESH_MIRROR")  # None: debootstrap's own
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NAME = "analytics-backend"
# npm may have to go through a proxy that only this machine knows.
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
TRUSTED_HERE = "/etc/ssl/certs/outside.crt"

# Everything in a root runs in namespaces of its own, so nothing outlives its first process.
ENTER = """
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/dev/shm"
cd "$1"
exec chroot . /usr/bin/setpriv --reuid "$2" --regid "$2" --init-groups \
    /usr/bin/env -i PATH="$3" HOME="$4" LC_ALL=C.UTF-8 "${@:5}"
"""


def tell(text):
    print(f"=== {text}", flush=True)


class Root:
    """A bare system below a folder."""

    def __init__(self, name, parent=None):
        self.path = WORK / name
        shutil.rmtree(self.path, ignore_errors=True)
        if parent:
            subprocess.run(["cp", "-a", "--reflink=auto", parent.path, self.path], check=True)
            return
        tarball = WORK / f"{SUITE}.tar"
        if not tarball.exists():
            make_tarball(tarball)
        self.path.mkdir(parents=True)
        subprocess.run(["tar", "-C", self.path, "-xf", tarball], check=True)
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        shutil.copy(TRUSTED, self.path / TRUSTED_HERE.lstrip("/"))

    def command(self, words, user="root", env=None):
        home = "/root" if user == "root" else f"/home/{user}"
        env = {"NODE_EXTRA_CA_CERTS": TRUSTED_HERE, **(env or {})}
        variables = [f"{key}={value}" for key, value in env.items()]
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", ENTER,
                "enter", self.path, user, PATH, home, *variables, *words]

    def run(self, *words, user="root", env=None, check=True, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.command(words, user, env), check=check, **options)

    def clone(self, folder, user="root"):
        """The project, cloned, belonging to the user."""
        target = self.path / folder.lstrip("/")
        subprocess.run(["git", "-c", f"safe.directory={SOURCE}", "clone", "-q",
                        "--no-hardlinks", f"file://{SOURCE}", target], check=True)
        self.run("chown", "-R", f"{user}:{user}", folder)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def make_tarball(tarball):
    tell(f"debootstrap {SUITE}")
    root = WORK / "debootstrap"
    shutil.rmtree(root, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", "--include=git,ca-certificates",
                    SUITE, root, *([MIRROR] if MIRROR else [])],
                   check=True, stdout=subprocess.DEVNULL)
    new = tarball.with_suffix(".new")
    subprocess.run(["tar", "-C", root, "-cf", new, "."], check=True)
    new.rename(tarball)
    shutil.rmtree(root)


# --- a newcomer ----------------------------------------------------------------

def start_up(root, folder, user):
    """scripts/up until it is ready, the curl lines, Ctrl-C; returns the seconds it took."""
    output = WORK / "up.log"
    began = time.monotonic()
    with open(output, "wb") as log:
        process = subprocess.Popen(
            root.command([f"{folder}/scripts/up"], user), stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT)
    while "What follows" not in output.read_text():
        if process.poll() is not None or time.monotonic() - began > 900:
            sys.exit(f"scripts/up is not ready:\n{output.read_text()}")
        time.sleep(0.1)
    took = time.monotonic() - began
    try_curl_lines(root, re.findall(r"^curl .*$", output.read_text(), flags=re.M), user)
    os.kill(process_below(process, b"scripts/up"), signal.SIGINT)
    code = process.wait(60)
    text = output.read_text()
    assert code == 0 and text.endswith("Stopped.\n"), f"exit code {code}:\n{text}"
    return took


def process_below(process, word):
    """The pid of the program below our unshare, which does not pass signals on."""
    pid = process.pid
    while word not in (line := pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()) \
            or line.startswith((b"unshare", b"bash\0-c")):
        time.sleep(0.02)
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        pid = int(children[0]) if children else pid
    return pid


def try_curl_lines(root, lines, user):
    def shell(line):
        return root.run("bash", "-c", line, user=user, stdout=subprocess.PIPE, text=True,
                        stderr=subprocess.DEVNULL).stdout
    post, ask = lines
    posted = shell(post)
    assert posted == '{"status":"ok"}', posted
    end = time.monotonic() + 5
    while True:
        answer = shell(ask)
        if '"total_views":0' not in answer or time.monotonic() > end:
            break
    print(f"    {posted}\n    {answer}", flush=True)
    assert re.search(r'"total_views":[1-9].*"unique_users":1,"top_paths":\[\{"path":"/"',
                     answer), answer


def check_no_services(root):
    """Installing has started nothing, and nothing will start at the next boot."""
    wants = root.path / "etc/systemd/system/multi-user.target.wants"
    names = [path.name for path in wants.iterdir()] if wants.exists() else []
    assert not [name for name in names if "redis" in name], names
    clusters = list((root.path / "etc/postgresql").glob("*/*"))
    assert not clusters, clusters
    assert not (root.path / "etc/postgresql-common/createcluster.d").exists()


def prove_up(root, folder, user):
    first = start_up(root, folder, user)
    second = start_up(root, folder, user)
    tell(f"{user}: the first start took {first:.0f} s, the second {second:.1f} s")
    assert second < 15


def prove_tests(root, folder, user):
    began = time.monotonic()
    with open(WORK / f"test-{user}.log", "wb") as log:
        done = root.run(f"{folder}/scripts/test", user=user, check=False, stdout=log,
                        stderr=subprocess.STDOUT)
    text = (WORK / f"test-{user}.log").read_text()
    tell(f"{user}: scripts/test took {(time.monotonic() - began) / 60:.1f} min: "
         f"{text.splitlines()[-1]}")
    if done.returncode != 0:
        sys.exit(text[-5000:])


def newcomer(with_tests):
    root = Root("newcomer-root")
    folder = f"/root/{NAME}"
    root.clone(folder)
    prove_up(root, folder, "root")
    check_no_services(root)
    if with_tests:
        prove_tests(root, folder, "root")

    # The packages are there now: a user without sudo needs nothing more.
    root.run("useradd", "-m", "guest")
    root.run("chmod", "700", "/home/guest")
    root.clone(f"/home/guest/{NAME}", "guest")
    prove_up(root, f"/home/guest/{NAME}", "guest")
    root.remove()

    root = Root("newcomer-sudo")
    root.run("apt-get", "update", "-qq")
    root.run("apt-get", "install", "-qq", "--no-install-recommends", "sudo",
             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    root.run("useradd", "-m", "somebody")
    (root.path / "etc/sudoers.d/somebody").write_text("somebody ALL=(ALL) NOPASSWD: ALL\n")
    folder = f"/home/somebody/{NAME}"
    root.clone(folder, "somebody")
    prove_up(root, folder, "somebody")
    check_no_services(root)
    if with_tests:
        prove_tests(root, folder, "somebody")
    root.remove()


# --- the images ----------------------------------------------------------------

def instructions():
    text = (SOURCE / "deploy/Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip():
            word, rest = line.split(None, 1)
            yield word, rest


def context():
    """What is under version control, as the engine would get it."""
    folder = WORK / "context"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "-c", f"safe.directory={SOURCE}", "clone", "-q",
                    f"file://{SOURCE}", folder], check=True)
    shutil.rmtree(folder / ".git")
    return folder


class Stage:
    def __init__(self, name, parent):
        self.root = Root(f"stage-{name}", parent and parent.root)
        self.folder = parent.folder if parent else "/"
        self.user = parent.user if parent else "root"

    def copy(self, words, sources):
        origin = sources["context"]
        if words[0].startswith("--from="):
            origin = sources[words.pop(0).removeprefix("--from=")].root.path
        target = self.root.path / os.path.join(self.folder, words[-1]).lstrip("/")
        for word in words[:-1]:
            source = origin / word.lstrip("/")
            is_content = source.is_dir()
            into = target if is_content or not words[-1].endswith("/") else target / source.name
            into.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", "--no-preserve=ownership",
                            f"{source}/." if is_content else source, into], check=True)

    def run(self, command):
        self.root.run("sh", "-c", f"cd {self.folder} && {command}", user=self.user,
                      stdout=subprocess.DEVNULL)


def build_images():
    stages = {"context": context()}
    stage = None
    for word, rest in instructions():
        tell(f"{word} {rest}")
        if word == "FROM":
            parent, _, name = rest.split()
            stage = stages[name] = Stage(name, stages.get(parent))
        elif word == "WORKDIR":
            stage.folder = rest
            (stage.root.path / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            stage.copy(rest.split(), stages)
        elif word == "USER":
            stage.user = rest
        elif word == "RUN":
            stage.run(rest)
    return stages


@contextlib.contextmanager
def running(stage, command, env):
    """The container's program, as the user of the image."""
    process = subprocess.Popen(
        stage.root.command(["sh", "-c", f"cd {stage.folder} && exec {command}"], stage.user,
                           env), stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        pid = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        os.kill(int(pid), signal.SIGTERM)
        code = process.wait(30)
    assert code == 0, f"{command} ended with {code}"


def wait_healthy(stage, command):
    end = time.monotonic() + 30
    while stage.root.run("sh", "-c", command, user=stage.user, check=False,
                         stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL).returncode != 0:
        assert time.monotonic() < end, f"unhealthy: {command}"
        time.sleep(0.2)


def images():
    stages = build_images()
    suite, postgres = stages["suite"], stages["postgres"]
    for name in ("gcc", "cmake"):
        assert not suite.root.run("sh", "-c", f"command -v {name}", check=False,
                                  stdout=subprocess.DEVNULL).returncode == 0
    url = "postgresql://analytics:secret@127.0.0.1:15432/analytics"
    queue = "redis://127.0.0.1:16379"
    redis = subprocess.Popen(["redis-server", "--port", "16379", "--save", "",
                              "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL)
    with contextlib.ExitStack() as stack:
        stack.callback(redis.kill)
        stack.enter_context(running(postgres, "deploy/postgres-start",
                                    {"POSTGRES_PORT": 15432, "POSTGRES_PASSWORD": "secret",
                                     **{f"POSTGRES_{role}_PASSWORD": role for role in
                                        ("OWNER", "PROCESSOR", "REPORTING")}}))
        wait_healthy(postgres, "pg_isready -q -h 127.0.0.1 -p 15432")
        for name, port in (("processor", 5000), ("ingestion", 3000), ("reporting", 4000)):
            stack.enter_context(running(suite, name, {
                "PORT": port, "REDIS_URL": queue, "DATABASE_URL": url}))
            wait_healthy(suite, f"curl -fsS http://127.0.0.1:{port}/readyz")
        script = (SOURCE / "scripts/up").read_text()
        event = re.search(r"local event='(.*)'", script).group(1)
        try_curl_lines(suite.root, [
            f"curl -sX POST http://localhost:3000/event -d '{event}'",
            "curl -s 'http://localhost:4000/stats?site_id=demo'"], suite.user)
    for stage in list(stages.values())[1:]:
        stage.root.remove()
    tell("the images work")


def main():
    if os.geteuid() != 0:
        sys.exit("fresh_root.py: needs root, to make and enter system roots")
    if sys.argv[1:2] == ["newcomer"]:
        newcomer("--tests" in sys.argv[2:])
    elif sys.argv[1:] == ["images"]:
        images()
    else:
        sys.exit(__doc__.split("\n\n")[1])


if __name__ == "__main__":
    main()
