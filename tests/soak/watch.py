"""What a soak measures besides the events: memory and descriptors of the daemons that
live through it, and what dashboards are told."""
import collections
import statistics
import threading
import time

from support.settings import patience

EVERY_SECONDS = 1.0
GROWTH_KIB = 8 * 1024  # and a tenth of what it was
ANSWER_SECONDS = 2.5


class Memory:
    """Of one daemon, by time."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.base_files = daemon.open_files()
        self.samples = []  # (seconds, KiB, descriptors)

    def take(self, now):
        self.samples.append((now, self.daemon.rss_kib(), self.daemon.open_files()))

    def part(self, first, last):
        count = len(self.samples)
        return self.samples[int(count * first):max(int(count * last), 1)] or self.samples[-1:]

    def slope(self):
        """KiB a minute over the last three quarters."""
        part = self.part(.25, 1)
        if len(part) < 3:
            return 0.0
        times = [sample[0] for sample in part]
        if times[-1] == times[0]:
            return 0.0
        return 60 * statistics.linear_regression(times, [s[1] for s in part]).slope

    def line(self, name):
        begin = statistics.median(s[1] for s in self.part(.15, .4))
        end = statistics.median(s[1] for s in self.part(.75, 1))
        files = self.daemon.open_files()
        wrong = []
        if end - begin > GROWTH_KIB + begin / 10:
            wrong.append(f"{name} grew from {begin:.0f} to {end:.0f} KiB")
        if files > self.base_files + 3:
            wrong.append(f"{name} had {self.base_files} descriptors and has {files}")
        return (f"{name:<10} {begin / 1024:7.1f} MiB -> {end / 1024:7.1f} MiB "
                f"({self.slope():+8.1f} KiB/min), descriptors {self.base_files} -> {files}, "
                f"at most {max(s[2] for s in self.samples)}"), wrong


class Watch:
    """Looks on from a thread of its own."""

    def __init__(self, town):
        self.town = town
        self.began = time.monotonic()
        self.memories = {name: Memory(one) for name, one in town.steady.items()}
        self.wrong = []
        self.statuses = collections.Counter()
        self.slowest = 0.0
        self.views = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(EVERY_SECONDS):
            for name, memory in self.memories.items():
                try:
                    memory.take(time.monotonic() - self.began)
                except OSError as error:
                    self.wrong.append(f"{name} has ended: {error}")
                    return
            self.ask()

    def ask(self):
        """A dashboard's question: answered whole and in time, and views never decrease."""
        began = time.monotonic()
        try:
            answer = self.town.reportings[1].get("/stats?site_id=site-1",
                                                 timeout=patience(10))
        except OSError as error:
            self.wrong.append(f"a question was not answered: {error!r}")
            return
        took = time.monotonic() - began
        self.statuses[answer.status] += 1
        self.slowest = max(self.slowest, took)
        if took > patience(ANSWER_SECONDS):
            self.wrong.append(f"a question took {took:.1f} s")
        if answer.status == 200:
            views = answer.json()["total_views"]
            if views < self.views:
                self.wrong.append(f"total_views fell from {self.views} to {views}")
            self.views = views
        elif answer.status != 503:
            self.wrong.append(f"a question was answered {answer}")

    def stop(self):
        self.stopping.set()
        self.thread.join(30)
