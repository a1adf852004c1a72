"""uap-core (Debian package of that name): its regular expressions as an oracle for the classifier
of User-Agents, and its own test files; both with the names of ingestion/enrich/agent.h."""
import collections
import gzip
import pathlib
import re

import yaml

from support.settings import SOURCE

FOLDER = pathlib.Path("/usr/share/uap-core")
LOG = SOURCE / "tests/data/access.log.gz"

# Where our names differ from uap-core's.  It tells the same browser on a phone from that on a
# desk; the device says that already.
BROWSERS = {
    "Chrome Mobile": "Chrome", "Chrome Mobile iOS": "Chrome",
    "Mobile Safari": "Safari", "MobileSafari": "Safari",
    "Firefox Mobile": "Firefox", "Firefox iOS": "Firefox", "Firefox Beta": "Firefox",
    "Firefox Alpha": "Firefox", "Firefox (Namoroka)": "Firefox", "Firefox (Shiretoko)": "Firefox",
    "Firefox (Minefield)": "Firefox",
    "Edge Mobile": "Edge", "Opera Mobile": "Opera", "Opera Touch": "Opera",
    "Other": "",
}
SYSTEMS = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS", "Other": ""}
IPADOS_FIRST = 13

Named = collections.namedtuple("Named", "browser browser_version os os_version")


def load(name):
    return yaml.load((FOLDER / name).read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def browser_name(family):
    return BROWSERS.get(family, family)


def system(agent, family, major, minor):
    name = SYSTEMS.get(family, family)
    if name == "iOS" and "iPad" in agent and major and int(major) >= IPADOS_FIRST:
        name = "iPadOS"
    return name, ".".join(part for part in (major, minor) if part)


class Parser:
    """One list of regexes.yaml: the first that is found names the family and the versions."""

    def __init__(self, rows, keys):
        self.rows = [(re.compile(row["regex"]), row) for row in rows]
        self.keys = keys

    @staticmethod
    def filled(template, match):
        def group(number):
            n = int(number.group(1))
            return (match.group(n) or "") if n <= match.re.groups else ""
        return re.sub(r"\$(\d)", group, template).strip()

    def parse(self, agent):
        for regex, row in self.rows:
            match = regex.search(agent)
            if match:
                return [self.filled(row[key], match) if row.get(key) is not None
                        else match.group(n) if n <= match.re.groups else None
                        for n, key in enumerate(self.keys, 1)]
        return ["Other"] + [None] * (len(self.keys) - 1)


def oracle():
    """A function from a User-Agent to what the regular expressions make of it."""
    rows = load("regexes.yaml")
    browsers = Parser(rows["user_agent_parsers"], ("family_replacement", "v1_replacement"))
    systems = Parser(rows["os_parsers"],
                     ("os_replacement", "os_v1_replacement", "os_v2_replacement"))

    def named(agent):
        family, major = browsers.parse(agent)
        return Named(browser_name(family), major or "", *system(agent, *systems.parse(agent)))
    return named


def cases(*names):
    """(User-Agent, family, major, minor) of test files."""
    return [(case["user_agent_string"], case["family"], str(case.get("major") or ""),
             str(case.get("minor") or ""))
            for name in names for case in load(name)["test_cases"]]


def log_agents():
    """The User-Agents of the real log, each with how many requests it has."""
    with gzip.open(LOG, "rt", errors="replace") as lines:
        return collections.Counter(line.rstrip("\n").split('"')[5] for line in lines)
