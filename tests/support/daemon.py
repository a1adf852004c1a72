"""The three daemons as child processes: started, watched, ended, and looked through.

A daemon that ends by itself, ends with a code other than 0, takes too long to end, or
leaves a sanitizer's report fails the test that started it.
"""
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

from support import pretended
from support.http import request
from support.process import die_with_parent, free_port, tail
from support.settings import MACHINE_ZONE, SOURCE, build_dir, patience
from support.wait import wait_until

SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak|Memory)Sanitizer|WARNING: ThreadSanitizer|"
    r"SUMMARY: (Address|Undefined|Leak|Memory|Thread)|: runtime error: |"
    r"AddressSanitizer:DEADLYSIGNAL")
SANITIZER_EXIT = 99

SHUTDOWN_SECONDS = 5.0


def binary(name):
    path = build_dir() / name / name
    assert path.exists(), f"{path} is not built"
    return path


def base_environment(home):
    """What every daemon gets: nothing of the person who runs the tests but PATH."""
    sanitizer = f"exitcode={SANITIZER_EXIT}"
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(home),
        "TZ": MACHINE_ZONE, "LC_ALL": "C.UTF-8",
        "ASAN_OPTIONS": f"{sanitizer}:detect_leaks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": f"{sanitizer}:print_stacktrace=1:halt_on_error=1",
        "TSAN_OPTIONS": f"{sanitizer}:halt_on_error=0:second_deadlock_stack=1"
                        f":suppressions={SOURCE}/tests/support/tsan.suppressions",
        **pretended.inherited(),
    }


def run(name, *arguments, cwd, env=None, timeout=20):
    """Runs a daemon that should end by itself (--help, a wrong setting)."""
    environment = pretended.with_preloaded(
        base_environment(cwd), {k: str(v) for k, v in (env or {}).items()})
    return subprocess.run([binary(name), *arguments], cwd=cwd, env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=patience(timeout))


class Daemon:
    """start() it, and end it with stop(), kill9() or stop_signal()."""

    def __init__(self, name, directory, env=None, arguments=(), nofile=None, prefix=()):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.arguments = list(arguments)
        self.nofile = nofile  # RLIMIT_NOFILE
        self.prefix = list(prefix)  # a program that runs it, with its arguments
        self.env = pretended.with_preloaded(
            base_environment(self.directory),
            {k: str(v) for k, v in (env or {}).items() if v is not None})
        self.env.setdefault("HOST", "127.0.0.1")
        if name == "ingestion":  # a quarter of a second at each start where it is installed
            self.env.setdefault("GEOIP_TEXT_DIR", "")
        if "PORT" not in self.env:
            self.env["PORT"] = str(free_port())
        self.port = int(self.env["PORT"])
        self.stdout_path = self.directory / "stdout.log"
        self.stderr_path = self.directory / "stderr.log"
        self.process = None
        self.was_killed = False
        self.expected_exit = 0

    # --- life

    def start(self, wait=True):
        assert self.process is None, f"{self.name} runs already"
        self.was_killed = False

        def prepare():
            die_with_parent()()
            if self.nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (self.nofile, self.nofile))
        with open(self.stdout_path, "ab") as out, open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen(
                [*self.prefix, binary(self.name), *self.arguments], cwd=self.directory,
                env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                preexec_fn=prepare, start_new_session=True)
        if wait:
            self.wait_ready()
        return self

    def ready_status(self):
        return self.get("/readyz", timeout=patience(5)).status

    def wait_ready(self, timeout=20):
        def ready():
            self.check_alive()
            return self.ready_status() == 200
        wait_until(ready, timeout, f"{self.name} to be ready", retry=(OSError,))
        return self

    def wait_alive(self, timeout=20):
        """Until it answers at all: its servers may be down."""
        def answers():
            self.check_alive()
            return self.get("/healthz").status == 200
        wait_until(answers, timeout, f"{self.name} to answer", retry=(OSError,))
        return self

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def check_alive(self):
        code = self.process.poll()
        assert code is None, f"{self.name} ended with {code}:\n{self.story()}"

    def signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def wait_exit(self, timeout=SHUTDOWN_SECONDS):
        """The exit code, which must come in time."""
        try:
            return self.process.wait(patience(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {patience(timeout):g} s:"
                                 f"\n{self.story()}") from None

    def stop(self):
        """SIGTERM; checks the exit code, and returns the seconds it took."""
        if self.process is None:
            if self.stderr_path.exists():
                self.check_reports()
            return 0.0
        if self.is_running:
            self.resume()
            self.signal(signal.SIGTERM)
        began = time.monotonic()
        try:
            code = self.wait_exit()
        except AssertionError:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise
        took = time.monotonic() - began
        self.process = None
        self.check_reports()
        assert code == self.expected_exit, f"{self.name} ended with {code}:\n{self.story()}"
        return took

    def kill9(self):
        self.was_killed = True
        self.process.kill()
        self.process.wait()
        self.process = None
        self.check_reports()

    def restart(self):
        self.stop()
        return self.start()

    # --- what it said

    def stdout(self):
        return self.stdout_path.read_text(errors="replace")

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def story(self):
        return (f"--- {self.name} stderr\n{tail(self.stderr_path)}\n"
                f"--- {self.name} stdout\n{tail(self.stdout_path, 20)}")

    def has_logged(self, pattern):
        return re.search(pattern, self.stderr()) is not None

    def wait_log(self, pattern, timeout=10):
        wait_until(lambda: self.has_logged(pattern), timeout,
                   lambda: f"{self.name} to log /{pattern}/\n{self.story()}")

    def log_lines(self, pattern=""):
        return [line for line in self.stderr().splitlines() if re.search(pattern, line)]

    def check_reports(self):
        report = SANITIZER_REPORT.search(self.stderr())
        assert not report, f"a sanitizer spoke:\n{tail(self.stderr_path, 200)}"

    # --- as a process

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- over HTTP

    def request(self, method, target, body=b"", headers=(), timeout=None):
        return request(self.port, method, target, body, headers,
                       timeout=timeout or patience(10))

    def get(self, target, headers=(), timeout=None):
        return self.request("GET", target, headers=headers, timeout=timeout)

    def post_event(self, event, headers=(), timeout=None):
        """event is a dict, a str or bytes."""
        return self.request("POST", "/event", event, headers, timeout)

    def stats(self, site_id, date=None, **more):
        """The decoded answer of reporting; it must be a 200."""
        import urllib.parse
        query = {"site_id": site_id, **({"date": date} if date else {}), **more}
        answer = self.get("/stats?" + urllib.parse.urlencode(query))
        assert answer.status == 200, answer
        return answer.json()
