"""The rows of shared/event/fields.h, the one table of what an event has."""
import re
from typing import NamedTuple

from support.settings import SOURCE

ROW = re.compile(r'^    X\((\w+), +"(\w+)", +(\w+), +(\w+), +EVENT_(\w+), +(\d+)\)', re.M)


class Field(NamedTuple):
    name: str
    key: str
    type: str      # TEXT, TIME or UUID
    member: str
    presence: str  # REQUIRED, NULLABLE or OPTIONAL
    most: int      # characters


def fields():
    """Those of clients, in the order of the table; each is a column of events, too."""
    text = (SOURCE / "shared/event/fields.h").read_text()
    table = text[text.index("#define EVENT_FIELDS(X)"):text.index("#define EVENT_JOB_FIELDS")]
    found = [Field(*row[:5], int(row[5])) for row in ROW.findall(table)]
    assert len(found) == len(re.findall(r"^    X\(", table, re.M)), "a row has another form than this looks for"
    return found
