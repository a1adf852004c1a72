"""Instructions for each event, counted by callgrind, against the figures committed in
instructions.json.  They do not depend on the machine's load, so that a change that costs
something shows wherever the tests are run.

A change that is meant: run this file with --write, say in the commit why.  The compiler and
the libraries have their part in the figures; on another system than the one they were
taken on the margin is wider.
"""
import json
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from support.settings import build_dir  # noqa: E402  (the path comes first)

FIGURES = HERE / "instructions.json"
FEW, MANY = 2_000, 12_000  # the difference is free of what starting costs
NAMES = ("ingestion", "processor")


def system():
    """The distribution and its compiler, such as "debian 12, gcc 12"."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(),
                              flags=re.M))
    gcc = subprocess.run(["gcc", "-dumpversion"], check=True, capture_output=True, text=True)
    return f"{release['ID']} {release.get('VERSION_ID', '')}, gcc {gcc.stdout.strip()}"


def instructions(name, events):
    program = build_dir() / "tests" / "bench" / f"instructions_{name}"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program,
         str(events)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def for_each_event(name):
    return (instructions(name, MANY) - instructions(name, FEW)) / (MANY - FEW)


@pytest.mark.parametrize("name", NAMES)
def test_an_event_takes_no_more_instructions_than_committed(name):
    figures = json.loads(FIGURES.read_text())
    is_same = figures["system"] == system()
    margin = figures["margin" if is_same else "margin_elsewhere"]
    committed, found = figures["instructions"][name], for_each_event(name)
    print(f"{name}: {found:.0f} instructions an event, committed {committed}, "
          f"margin {margin:.0%}")
    assert found <= committed * (1 + margin), \
        f"{name} takes {found:.0f} instructions for each event, not {committed}"
    if is_same:  # or else what was gained could be lost again unseen
        assert found >= committed * (1 - margin), \
            f"{name} takes only {found:.0f} instructions for each event: commit that " \
            f"(test_instructions.py --write)"


def write():
    figures = json.loads(FIGURES.read_text())
    figures["system"] = system()
    figures["instructions"] = {name: round(for_each_event(name)) for name in NAMES}
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    print(FIGURES.read_text(), end="")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: test_instructions.py --write")
    write()
