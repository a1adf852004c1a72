"""The tables of settings in docs/settings.md, and the names that docker-compose.yml passes on, made
from what the daemons print with --help.

usage: settings_tables.py          prints the tables
       settings_tables.py --write  puts them into docs/settings.md, and the names into
                                   docker-compose.yml

The daemons are those of ANALYTICS_BUILD (see settings.py).
"""
import pathlib
import re
import subprocess
import sys

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.settings import SOURCE, build_dir

DAEMONS = ("ingestion", "processor", "reporting")
DOCUMENT = SOURCE / "docs/settings.md"
COMPOSE = SOURCE / "docker-compose.yml"
RANGE = re.compile(r" \((-?\d+ to -?\d+|[\w-]+(?:\|[\w-]+)+)\)$")
DEFAULT = re.compile(r" \[([^\[\]]*)\]$")


def program(name):
    return build_dir() / name / name


def settings(name):
    """What --help says: (name, default, range, meaning), switches left out."""
    text = subprocess.run([program(name), "--help"], check=True, capture_output=True,
                          text=True, timeout=20).stdout
    found = []
    for flag, meaning in re.findall(
            r"^  (--[a-z0-9-]+|[A-Z0-9_]+ \(no flag\))\n      (.+)$", text, flags=re.M):
        flag = flag.removeprefix("--").removesuffix(" (no flag)")
        default, values = "", ""
        match = DEFAULT.search(meaning)
        if match:
            default, meaning = match.group(1), meaning[:match.start()]
        match = RANGE.search(meaning)
        if match:
            values, meaning = match.group(1), meaning[:match.start()]
        if flag in ("migrate", "share"):  # what to do, not a setting
            continue
        found.append((flag.upper().replace("-", "_"), default, values, meaning))
    return found


def table(name):
    def cell(text):
        return text.replace("|", "\\|")
    rows = ["| name | default | range | meaning |", "|---|---|---|---|"]
    rows += [f"| `{key}` | {cell(default)} | {cell(values)} | {cell(meaning)} |"
             for key, default, values, meaning in settings(name)]
    return "".join(row.replace("|  |", "| |").replace("|  |", "| |") + "\n" for row in rows)


def section(name):
    """The table (group 2) as it stands in docs/settings.md, between its marks."""
    return re.compile(rf"(<!-- settings of {name} -->\n)((?:\|.*\n)*)(<!-- end -->)")


def compose_section(name):
    """In docker-compose.yml: what a service is given by name (group 1), and after a mark what
    is passed on (group 3)."""
    return re.compile(rf"(^  {name}:\n(?:(?!  \w).*\n)*?    environment:\n)((?:.*\n)*?"
                      r"      # passed on, .*\n)((?:      \w+:\n)*)(      # end\n)", flags=re.M)


def passed_on(name, given):
    """The settings of a daemon that compose itself gives no value: they come from the
    environment or from .env, and are not there where neither has them.  A URL comes from its
    file."""
    fixed = {key for key in re.findall(r"^      (\w+):", given, flags=re.M)}
    fixed |= {key.removesuffix("_FILE") for key in fixed if key.endswith("_URL_FILE")}
    return "".join(f"      {key}:\n" for key, *_ in settings(name) if key not in fixed)


def compose_text():
    """docker-compose.yml as it has to be."""
    text = COMPOSE.read_text()
    for name in DAEMONS:
        text = compose_section(name).sub(
            lambda m: m.group(1) + m.group(2) + passed_on(name, m.group(2)) + m.group(4), text)
    return text


def main(arguments):
    text = DOCUMENT.read_text()
    for name in DAEMONS:
        print(table(name))
        text = section(name).sub(lambda m: m.group(1) + table(name) + m.group(3), text)
    if "--write" in arguments:
        DOCUMENT.write_text(text)
        COMPOSE.write_text(compose_text())


if __name__ == "__main__":
    main(sys.argv[1:])
