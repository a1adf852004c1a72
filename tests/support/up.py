"""scripts/up as a child process: its settings, its output, its end."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from support.events import event
from support.http import request
from support.process import die_with_parent, free_port
from support.settings import SOURCE, patience
from support.wait import wait_until

DAEMONS = ("ingestion", "processor", "reporting")


def processes_with(marker):
    """The processes, but for this one, that have the text in their command line, their
    environment or the name of their working directory."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            words = (folder / "cmdline").read_bytes()
            texts = words, (folder / "environ").read_bytes(), bytes((folder / "cwd").readlink())
        except OSError:
            continue
        if words and any(marker.encode() in text for text in texts):
            found[int(folder.name)] = words.replace(b"\0", b" ").decode()
    return found


class Up:
    """One run of scripts/up: its settings, its output, its end."""

    def __init__(self, directory, root=SOURCE, var=None, **env):
        self.directory, self.root = directory, root
        self.var = var or directory / "var"
        self.output_path = directory / f"output-{time.monotonic_ns()}"
        self.ports = {name: free_port() for name in DAEMONS}
        self.health_ports = {name: free_port() for name in DAEMONS}
        self.env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(directory),
            "ANALYTICS_VAR": str(self.var), "LC_ALL": "C.UTF-8",
            **{f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()},
            **{f"{name.upper()}_HEALTH_PORT": str(port)
               for name, port in self.health_ports.items()},
        }
        self.env.update({k: str(v) for k, v in env.items()})
        self.env = {k: v for k, v in self.env.items() if v != ""}
        self.env.setdefault("GEOIP_TEXT_DIR", "")  # nothing is downloaded
        self.process = None

    def launch(self, stdout=None, **options):
        with open(self.output_path, "wb") as output:
            self.process = subprocess.Popen(
                [self.root / "scripts/up"], env=self.env, cwd="/",
                stdin=subprocess.DEVNULL, stdout=stdout or output,
                stderr=stdout or output, start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM), **options)
        return self

    def start(self, timeout=60, **options):
        self.launch(**options)

        def ready():
            assert self.process.poll() is None, self.output()
            return "Ready." in self.output()
        wait_until(ready, timeout, lambda: f"scripts/up to be ready:\n{self.output()}")
        return self

    def output(self):
        return self.output_path.read_text(errors="replace")

    def wait(self, timeout=60):
        return self.process.wait(patience(timeout))

    def end(self, with_signal=signal.SIGTERM, timeout=30):
        """Ends it and returns its exit code; nothing may be left."""
        self.process.send_signal(with_signal)
        code = self.wait(timeout)
        self.check_nothing_is_left()
        return code

    def abandon(self):
        """Ends it if a test that failed has left it running."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def fail(self, timeout=60):
        """Runs it to its own end; returns the sentence that it ends with."""
        self.launch()
        code = self.wait(timeout)
        output = self.output()
        assert code not in (0, None), output
        self.check_nothing_is_left()
        sentences = re.findall(r"^up: (.+)$", output, flags=re.M)
        assert len(sentences) == 1, output
        return sentences[0]

    def leftovers(self):
        """Processes that have to do with our data folder, and listeners on our ports."""
        found = processes_with(str(self.var))
        found.update({name: port for ports in (self.ports, self.health_ports)
                      for name, port in ports.items() if listens(port)})
        return found

    def check_nothing_is_left(self):
        wait_until(lambda: not self.leftovers(), 5,
                   lambda: f"all to be gone; left are {self.leftovers()}")
        assert not (self.var / "env").exists()

    def check_nothing_is_left_but_env(self):
        """After a kill: var/env stays, with what it says of servers that are gone."""
        wait_until(lambda: not self.leftovers(), 20,
                   lambda: f"all to be gone; left are {self.leftovers()}")

    # --- as a newcomer uses it

    def get(self, daemon, target):
        return request(self.ports[daemon], "GET", target)

    def post(self, site_id):
        answer = request(self.ports["ingestion"], "POST", "/event", event(site_id=site_id))
        assert (answer.status, answer.body) == (200, b'{"status":"ok"}')

    def views(self, site_id):
        return self.get("reporting", f"/stats?site_id={site_id}").json()["total_views"]

    def wait_views(self, site_id, count):
        wait_until(lambda: self.views(site_id) == count, 10, f"{count} views of {site_id}")

    def url(self, name):
        """The value of REDIS_URL or DATABASE_URL in var/env."""
        return re.search(rf"^export {name}=(.*)$", (self.var / "env").read_text(),
                         flags=re.M).group(1)

    def child(self, word):
        """The pid of the one child whose command line has the word."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            pids = file.read().split()
        lines = {int(pid): pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                 for pid in pids}
        found = [pid for pid, line in lines.items()
                 if word.encode() in line and not line.startswith(b"sed")]
        assert len(found) == 1, lines
        return found[0]


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def listener(port):
    """Somebody else who has the port."""
    with socket.create_server(("127.0.0.1", port)):
        yield


def copy_of_scripts(directory):
    """A clone that is not built: enough for what fails before the build."""
    root = directory / "clone"
    shutil.copytree(SOURCE / "scripts", root / "scripts")
    return root


def give(directory, who):
    """Gives the folder and all in it to the user (arguments for Popen, see process.py)."""
    for folder, names, files in os.walk(directory):
        for name in (folder, *(os.path.join(folder, n) for n in names + files)):
            os.chown(name, who["user"], who["group"], follow_symlinks=False)


def clone(directory):
    """The project as it is now, as a newcomer would clone it, without what is built."""
    root = directory / "clone"
    names = subprocess.run(
        ["git", "-c", f"safe.directory={SOURCE}", "ls-files", "-z", "-co",
         "--exclude-standard"], cwd=SOURCE, check=True, capture_output=True, text=True)
    for name in names.stdout.split("\0"):
        if name and (SOURCE / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, root / name)
    return root
