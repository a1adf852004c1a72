"""The failpoints of the daemons, found by reading the sources; see shared/base/failpoint.h."""
import re
import signal

from support.settings import SOURCE

ACTIONS = ("exit", "kill", "stop", "error")
EXIT_CODES = {"exit": 70, "kill": -signal.SIGKILL}


def failpoints(*folders):
    found = set()
    for folder in folders:
        for path in (SOURCE / folder).rglob("*.c"):
            found |= set(re.findall(r'FAILPOINT\(\s*"([^"]+)"', path.read_text()))
    return sorted(found)
