"""usage: scripts/soak dates [FILE]...

The whole-system tests on days that are like no other, across a midnight of UTC each: the
tests, the daemons and Postgres live in the pretended date (tests/support/pretended.py).
FILE is the name of a test file without test_ and .py; all but those of scripts/up, which
gives its servers an environment of their own, unless some are named.  Exit code 0: all passed.
"""
import datetime
import os
import pathlib
import subprocess
import sys

from support import pretended

TESTS = pathlib.Path(__file__).resolve().parents[1]
OWN_ENVIRONMENT = {"setup", "setup_faults"}
BEFORE_MIDNIGHT = datetime.timedelta(seconds=20)


def dates(today):
    """What begins shortly after the tests do: the 1st, 15th, 28th, 29 February, 31 December,
    and the new year."""
    year = today.year + 1
    leap = next(n for n in range(year, year + 9) if n % 4 == 0 and n % 100)
    return [datetime.date(year, 3, 1), datetime.date(year, 6, 15), datetime.date(year, 11, 28),
            datetime.date(leap, 2, 29), datetime.date(year, 12, 31),
            datetime.date(year + 1, 1, 1)]


def run(path, day):
    """The last line of pytest, and whether all passed."""
    midnight = datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
    moment = (midnight - BEFORE_MIDNIGHT).timestamp()
    done = subprocess.run(
        ["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", path],
        cwd=TESTS, env={**os.environ, **pretended.environment(moment)}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.splitlines()
    if done.returncode != 0:
        print(done.stdout, flush=True)
    return lines[-1] if lines else "no output", done.returncode == 0


def main(names):
    known = {path.stem.removeprefix("test_"): path
             for path in sorted((TESTS / "integration").glob("test_*.py"))}
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"{__doc__.splitlines()[0]}\nno such test file: {', '.join(unknown)}")
    failed = []
    for day in dates(datetime.date.today()):
        for name in names or sorted(set(known) - OWN_ENVIRONMENT):
            said, is_good = run(known[name], day)
            print(f"{day}  {name:<22} {said}", flush=True)
            if not is_good:
                failed.append(f"{name} on {day}")
    for one in failed:
        print(f"WRONG: {one}")
    print("failed" if failed else "passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
