"""usage: python3 -m soak [MINUTES] [SEED] [--rate N] [--only WORD]

Random faults for so many minutes (20) against the whole suite under load; then everything
is healed, drained and judged.  The same seed draws the same faults.  Exit code 0: nothing
lost, nothing doubled, everything recovered by itself, nothing leaked.
"""
import argparse
import collections
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
import traceback

from soak import faults
from soak.town import Town
from soak.watch import Watch
from support import rollups
from support.ending import wait_drained
from support.settings import build_dir, patience
from support.spool import Spool
from support.wait import wait_until

PAIRS = 0.25  # so often two faults come at once
IN_TIME = 2.5


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.split("\n\n")[1])
    parser.add_argument("minutes", nargs="?", type=float, default=20)
    parser.add_argument("seed", nargs="?", type=int, default=random.randrange(10**6))
    parser.add_argument("--rate", type=int, default=400, help="events a second")
    parser.add_argument("--only", default="", help="only faults whose name has this word")
    return parser.parse_args()


class Soak:
    def __init__(self, town, seed, only):
        self.town = town
        self.draw = random.Random(seed)
        self.faults = [one for one in faults.usable().values() if only in one.name]
        self.began = time.monotonic()
        self.recoveries = collections.defaultdict(list)
        self.count = 0

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", file=sys.stderr, flush=True)

    def choose(self):
        """One fault, or two that do not get in each other's way."""
        def pick(among):
            return self.draw.choices(among, [one.weight for one in among])[0]
        chosen = [pick(self.faults)]
        others = [one for one in self.faults if not one.uses & chosen[0].uses]
        if others and self.draw.random() < PAIRS:
            chosen.append(pick(others))
        return chosen

    def harm(self, chosen):
        """Runs the faults side by side: each goes on when its time has come."""
        running = [(time.monotonic(), number, one.function(self.town, self.draw))
                   for number, one in enumerate(chosen)]
        while running:
            running.sort()
            due, number, fault = running.pop(0)
            time.sleep(max(0.0, due - time.monotonic()))
            seconds = next(fault, None)
            if seconds is not None:
                due = time.monotonic() + self.draw.uniform(0.2, max(seconds, 0.2))
                running.append((due, number, fault))

    def turn(self):
        chosen = self.choose()
        names = " and ".join(one.name for one in chosen)
        self.count += len(chosen)
        self.say(f"{self.count:4}: {names}")
        self.harm(chosen)
        self.town.heal()
        seconds = self.town.wait_recovered()
        for one in chosen:
            self.recoveries[one.name].append(seconds)
        time.sleep(self.draw.uniform(0.2, 2))

    def table(self):
        print("\nfault                                          times  recovered in, median"
              "    most")
        for name, times in sorted(self.recoveries.items()):
            print(f"{name:<46} {len(times):5}  {statistics.median(times):18.2f} s "
                  f"{max(times):6.2f} s")


def judge(town, watch, wrong):
    """Heals, drains and judges; adds what is wrong to the list."""
    town.heal()
    results = town.stop_load()
    watch.stop()
    wait_until(lambda: not Spool(town.directory / "spool").segments(), 120,
               "the spool to be fed")
    wait_drained(town.redis, 120)
    town.database.close()
    rollups.wait_equal(town.database, 120)
    verdict = town.judge.verdict(town.database)
    print(f"\n{verdict}\nanswers {dict(town.judge.statuses)}")
    for name, result in zip(("victim", "steady"), results):
        print(f"{name}: {result}")
    if not verdict.is_clean:
        wrong.append(str(verdict))
    if verdict.dead != town.poison:
        wrong.append(f"{town.poison} poisonous jobs, {verdict.dead} dead letters")
    slowest = max(results[1].latencies, default=0)
    if slowest > patience(IN_TIME):
        wrong.append(f"an answer of the steady ingestion took {slowest:.2f} s")
    print(f"questions {dict(watch.statuses)}, the slowest {watch.slowest:.2f} s; "
          f"{watch.views} views at the end")
    for name, memory in watch.memories.items():
        line, grown = memory.line(name)
        print(line)
        wrong += grown
    wrong += watch.wrong[:5]
    town.check_queue()
    return verdict


def run(options, directory):
    print(f"seed {options.seed}, {options.minutes:g} minutes, {build_dir().name} build, "
          f"logs in {directory}", flush=True)
    town = Town(directory, options.seed, options.rate)
    wrong = []
    try:
        soak = Soak(town.start(), options.seed, options.only)
        watch = Watch(town)
        try:
            town.wait_recovered()
            while time.monotonic() - soak.began < 60 * options.minutes:
                soak.turn()
        except Exception:
            traceback.print_exc()
            wrong.append(f"fault {soak.count} of seed {options.seed}: it did not recover")
        soak.table()
        print(f"\n{soak.count} faults in {(time.monotonic() - soak.began) / 60:.1f} minutes")
        judge(town, watch, wrong)
    except Exception as error:
        traceback.print_exc()
        wrong.append(f"{type(error).__name__}: {error}")
    finally:
        wrong += town.close()
    for one in wrong:
        print(f"WRONG: {one}")
    print("failed" if wrong else f"passed (seed {options.seed})")
    return 1 if wrong else 0


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = tempfile.mkdtemp(prefix="analytics-soak-")
    code = 1
    try:
        code = run(arguments(), directory)
    finally:
        if code == 0:
            shutil.rmtree(directory, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
