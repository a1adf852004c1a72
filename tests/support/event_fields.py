"""The rows of shared/event/fields.h, the one place that says what an event has."""
import re
from typing import NamedTuple

from support.settings import SOURCE

ROW = re.compile(r'^    X\((\w+), +"(\w+)", +(\w+), +(\w+), +EVENT_(\w+), +(\d+), +(\d+)\)', re.M)


class Field(NamedTuple):
    name: str
    key: str
    type: str      # TEXT, TIME, UUID, INT, PROPS or ID64
    member: str
    presence: str  # REQUIRED, NULLABLE, OPTIONAL, CLIENT, INPUT or DERIVED
    least: int
    most: int      # characters, or the greatest number

    @property
    def is_column(self):
        return self.presence != "INPUT"


def rows_of(table):
    text = (SOURCE / "shared/event/fields.h").read_text()
    begin = text.index(f"#define {table}(X)")
    body = text[begin:text.index("\n\n", begin)]
    found = [Field(*row[:5], int(row[5]), int(row[6])) for row in ROW.findall(body)]
    assert len(found) == len(re.findall(r"^    X\(", body, re.M)), \
        "a row has another form than this looks for"
    return found


def client_fields():
    """Those that clients may send, in the order of the rules."""
    return rows_of("EVENT_FIELDS") + rows_of("EVENT_CLIENT_FIELDS")


def derived_fields():
    return rows_of("EVENT_DERIVED_FIELDS")


def fields():
    """All of them, but for what only jobs have and no table."""
    return client_fields() + derived_fields()
