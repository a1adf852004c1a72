"""usage: python3 -m bench [--quick | --tiny] [--only GROUP[,GROUP...]] [--keep]

The whole benchmark, in at most 15 minutes; the result goes to docs/bench.  `ways`, `cliffs`,
`raw`, `rebuild`, `sketches` and `questions` are measured only when they are named.  --quick takes
at most 3 minutes, writes to build/bench and compares with the result in docs/bench.
--tiny only shows that everything works.
"""
import argparse
import contextlib
import datetime
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

from bench import (chart, cliffs, connections, drain, freshness, machine, pipeline, questions,
                   raw, rebuild, report, rows, scaling, sides, sketches, stats, throughput, ways)
from bench.plan import PLANS
from bench.samples import Samples
from bench.wrk import Wrk
from support.settings import SOURCE

GROUPS = {"throughput": throughput, "connections": connections, "pipeline": pipeline,
          "drain": drain, "freshness": freshness, "stats": stats, "scaling": scaling,
          "ways": ways, "cliffs": cliffs, "raw": raw,
          "rebuild": rebuild, "sketches": sketches, "questions": questions}
ASKED_FOR = ("ways", "cliffs", "raw", "rebuild", "sketches",
             "questions")  # only when they are named
WHOLE = [name for name in GROUPS if name not in ASKED_FOR]
COMMITTED = SOURCE / "docs" / "bench" / "bench.json"
FILES = 20_000
EXIT_BY_SIGNAL = 143


class Bench:
    """What every measurement needs."""

    def __init__(self, plan, scratch):
        self.plan = plan
        self.scratch = scratch
        self.samples = Samples()
        self.wrk = Wrk(scratch)
        self.peer = sides.install_peer(scratch)
        self.began = time.monotonic()

    def warm_up(self, side):
        self.wrk.post(side.port, throughput.CONNECTIONS,
                      self.plan.peer_warm_up_seconds if side.name == "peer"
                      else self.plan.warm_up_seconds)

    def say(self, text):
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Ours, the original's stack and the bare limits, "
        "side by side: docs/bench has the result.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="plan", action="store_const", const="quick",
                      help="at most 3 minutes; compares with the committed result")
    size.add_argument("--tiny", dest="plan", action="store_const", const="tiny",
                      help="only whether everything works")
    parser.add_argument("--only", metavar="GROUP,...", type=lambda text: text.split(","),
                        help=f"some of {', '.join(GROUPS)}; compares like --quick")
    parser.add_argument("--keep", action="store_true", help="keep logs and scratch files")
    parser.set_defaults(plan="full")
    found = parser.parse_args()
    unknown = [name for name in found.only or [] if name not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}")
    return found


def run(bench, names):
    """Returns the groups that broke; what they had measured by then counts."""
    broken = []
    for name in names:
        try:
            GROUPS[name].measure(bench)
        except Exception:  # whatever it is: the other groups still have something to say
            traceback.print_exc()
            bench.say(f"{name} broke")
            broken.append(name)
    return broken


def document(bench):
    return {
        "plan": bench.plan.name,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "seconds": round(time.monotonic() - bench.began),
        "machine": machine.describe(),
        "results": rows.results(bench.samples),
        "samples": bench.samples.as_json(),
    }


def show(made, is_whole):
    """Prints the result; the whole one goes to docs/bench, others stand beside that."""
    committed = None if is_whole else report.read(COMMITTED)
    before = committed["results"] if committed else None
    print(report.table(made["results"], before))
    if before:
        print("\n" + report.fallen_text(rows.fallen(made["results"], before)))
    folder = COMMITTED.parent if is_whole else SOURCE / "build" / "bench" / made["plan"]
    report.write(folder / "bench.json", made)
    (folder / "bench.svg").write_text(chart.draw(made), encoding="utf-8")
    print(f"\n{made['seconds']} s; written to {folder.relative_to(SOURCE)}/bench.json "
          "and bench.svg")


def main():
    options = arguments()
    machine.hold_to_cores()
    machine.allow_files(FILES)
    machine.need_disk(tempfile.gettempdir(), PLANS[options.plan].disk_gb)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_BY_SIGNAL))  # cleans up, too
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="analytics-bench-"))
    with contextlib.ExitStack() as stack:
        if not options.keep:
            stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        bench = Bench(PLANS[options.plan], scratch)
        broken = run(bench, options.only or WHOLE)
        made = document(bench)
        if made["results"]:
            show(made, is_whole=options.plan == "full" and not options.only and not broken)
    if broken:
        print(f"broke: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
