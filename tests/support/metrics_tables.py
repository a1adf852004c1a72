"""The tables of docs/metrics.md, made from what the daemons show at /metrics.

usage: metrics_tables.py          prints the tables
       metrics_tables.py --write  puts them into docs/metrics.md

The daemons are those of ANALYTICS_BUILD (see settings.py); they need no server for this.
"""
import pathlib
import re
import sys
import tempfile

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.daemon import Daemon
from support.metrics import scrape
from support.settings import SOURCE

DAEMONS = ("ingestion", "processor", "reporting")
DOCUMENT = SOURCE / "docs/metrics.md"
NOWHERE = {"REDIS_URL": "redis://127.0.0.1:1",
           "DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"}


def cell(text):
    return text.replace("|", "\\|")


def labels_of(metrics, name):
    values = metrics.label_values(name)
    if "version" in values:
        return "`version`"
    return "; ".join(f"`{label}`: {', '.join(sorted(found))}"
                     for label, found in sorted(values.items()))


def table(metrics):
    rows = ["| name | type | meaning | labels |", "|---|---|---|---|"]
    rows += [f"| `{name}` | {family.kind} | {cell(family.help)} | "
             f"{cell(labels_of(metrics, name))} |".replace("|  |", "| |")
             for name, family in metrics.families.items()]
    return "".join(row + "\n" for row in rows)


def section(name):
    """The table (group 2) as it stands in the document, between its marks."""
    return re.compile(rf"(<!-- metrics of {name} -->\n)((?:\|.*\n)*)(<!-- end -->)")


def main(arguments):
    text = DOCUMENT.read_text()
    for name in DAEMONS:
        with tempfile.TemporaryDirectory() as folder:
            daemon = Daemon(name, folder, NOWHERE).start(wait=False)
            try:
                daemon.wait_alive()
                made = table(scrape(daemon))
            finally:
                daemon.stop()
        print(made)
        text = section(name).sub(lambda m: m.group(1) + made + m.group(3), text)
    if "--write" in arguments:
        DOCUMENT.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
