"""Where the daemons are, and how much and how patiently to test.

ANALYTICS_BUILD          the build directory (default: build/release, then build/dev)
ANALYTICS_TEST_SCALE     multiplies the number of events of the large tests (default 1);
                         a sanitizer build sets 0.1
ANALYTICS_TEST_LONG      set: faults that are cut short otherwise last their full time
ANALYTICS_TEST_PATIENCE  multiplies how long a test waits for what must happen at last
                         (default 1); a sanitizer build sets 4
"""
import os
import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2]

# Neither the machine nor Postgres runs in UTC in these tests, so that a forgotten
# conversion shows.  Both zones have a half hour in them.
MACHINE_ZONE = "Asia/Kolkata"
POSTGRES_ZONE = "America/St_Johns"


def build_dir():
    given = os.environ.get("ANALYTICS_BUILD")
    if given:
        return pathlib.Path(given).resolve()
    for preset in ("release", "dev"):
        if (SOURCE / "build" / preset).is_dir():
            return SOURCE / "build" / preset
    raise RuntimeError("nothing is built: run cmake --preset release and "
                       "cmake --build --preset release, or set ANALYTICS_BUILD")


def is_sanitized():
    """Whether the build has a sanitizer, which keeps what is freed and has much memory mapped."""
    cache = (build_dir() / "CMakeCache.txt").read_text()
    return re.search(r"^ANALYTICS_SANITIZE:\w+=.+$", cache, flags=re.M) is not None


def scaled(count, at_least=1):
    """count, multiplied by ANALYTICS_TEST_SCALE."""
    return max(at_least, int(count * float(os.environ.get("ANALYTICS_TEST_SCALE") or 1)))


def patience(seconds):
    """seconds, multiplied by ANALYTICS_TEST_PATIENCE."""
    return seconds * float(os.environ.get("ANALYTICS_TEST_PATIENCE") or 1)


def long_or_short(long, short):
    """How long a fault lasts: in full when ANALYTICS_TEST_LONG is set
    (scripts/soak rows), else only so long that a test can tell."""
    return long if os.environ.get("ANALYTICS_TEST_LONG") else short
