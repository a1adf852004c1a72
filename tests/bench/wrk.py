"""The one tool that drives every side over HTTP: wrk, with one thread."""
import dataclasses
import itertools
import json
import pathlib
import subprocess

from bench import events
from support.process import die_with_parent

HERE = pathlib.Path(__file__).parent
TIMEOUT = "5s"
EVENTS_A_RUN = 4_000_000  # more than any run sends: the numbers of two runs never meet


@dataclasses.dataclass(frozen=True)
class Result:
    requests: int  # answered
    seconds: float
    bad: int       # answered with 400 or above
    errors: int    # connections refused, reset or too slow
    p50: float     # ms, as the others
    p90: float
    p99: float
    max: float

    @property
    def rate(self):
        return (self.requests - self.bad) / self.seconds

    @property
    def is_clean(self):
        return self.bad == 0 and self.errors == 0


class Wrk:
    """Makes wrk's files in a scratch folder and counts the runs."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.pool = scratch / "pool.lua"
        events.write_pool(self.pool)
        done = (HERE / "done.lua").read_text()
        for name in ("post.lua", "get.lua", "ways.lua"):
            (scratch / name).write_text((HERE / name).read_text() + "\n" + done)
        self._runs = itertools.count()

    def _start(self, script, port, connections, seconds, arguments):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", TIMEOUT,
                   "-s", self.scratch / script, f"http://127.0.0.1:{port}", "--", *arguments]
        return subprocess.Popen([str(word) for word in command], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, preexec_fn=die_with_parent(),
                                start_new_session=True)

    def start_post(self, port, connections, seconds, pause_ms=0):
        first = next(self._runs) * EVENTS_A_RUN
        day = events.today().strftime("%Y-%m-%d")
        return self._start("post.lua", port, connections, seconds,
                           [self.pool, day, first, pause_ms])

    def start_get(self, port, target, seconds, pause_ms=0, connections=1):
        return self._start("get.lua", port, connections, seconds, [target, pause_ms])

    def post(self, port, connections, seconds):
        return finish(self.start_post(port, connections, seconds))

    def repeat(self, port, connections, seconds, request):
        """The one request in that file."""
        return finish(self._start("ways.lua", port, connections, seconds, [request]))

    def post_paced(self, port, connections, seconds, rate):
        """At some `rate` requests a second in place of as many as can be."""
        pause_ms = max(1, round(1000 * connections / rate))
        return finish(self.start_post(port, connections, seconds, pause_ms))

    def get(self, port, target, seconds, pause_ms=0, connections=1):
        return finish(self.start_get(port, target, seconds, pause_ms, connections))


def finish(process):
    """Waits for a wrk that was started, and reads what it said."""
    output, _ = process.communicate()
    line = next((line for line in output.splitlines() if line.startswith("RESULT ")), None)
    if process.returncode != 0 or line is None:
        raise RuntimeError(f"wrk ended with {process.returncode}:\n{output}")
    said = json.loads(line.removeprefix("RESULT "))
    return Result(requests=said["requests"], seconds=said["us"] / 1e6, bad=said["bad"],
                  errors=said["errors"], p50=said["p50"] / 1e3, p90=said["p90"] / 1e3,
                  p99=said["p99"] / 1e3, max=said["max"] / 1e3)
