"""What an event has is written down once, in shared/event/fields.h."""
import re

import pytest

from support.event_fields import fields
from support.settings import SOURCE

# Words of more than events: of other tables, of questions and of answers.
SHARED_WORDS = {"site_id", "path", "timestamp", "event_id"} | {
    "url", "ip", "props", "source", "channel", "click", "browser", "os", "device", "country", "region",
    "city", "language", "scroll", "referrer", "hostname"}
TABLE = "shared/event/fields.h"


def table_of_protocol():
    """The rows of the tables of fields in docs/protocol.md: {key: (presence, text)}."""
    text = (SOURCE / "docs/protocol.md").read_text()
    body = text[text.index("### The body"):text.index("### Answers")]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*) \|$", body, flags=re.M)
    return {key: (presence, meaning) for key, presence, meaning in rows}


def test_protocol_has_a_row_for_each_field_in_their_order():
    assert list(table_of_protocol()) == [field.key for field in fields()]


def test_protocol_says_which_metrics_go_with_each_dimension():
    rows = re.findall(r"^ +\(\d+, +'(\w+)'",
                      (SOURCE / "sql/functions/dimensions.sql").read_text(), flags=re.M)
    text = (SOURCE / "docs/protocol.md").read_text()
    table = text[text.index("### Metrics"):text.index("### Filters")]
    listed = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]*) \|", table, flags=re.M)))
    assert sorted(listed) == sorted([*rows, "prop"])  # the keys of what events bring along


@pytest.mark.parametrize("field", fields(), ids=lambda field: field.key)
def test_protocol_says_what_the_table_says_of(field):
    presence, meaning = table_of_protocol()[field.key]
    assert presence == {"REQUIRED": "required", "DERIVED": "derived"}.get(field.presence, "optional")
    if field.type == "TEXT" and field.presence != "DERIVED":
        assert f"string of {field.least} to {field.most:,} characters" in meaning
    if field.type == "INT":
        assert f"integer of {field.least:,} to {field.most:,}" in meaning


def test_no_field_is_spelled_out_again_in_the_programs(product_files):
    """A field that is written out somewhere else is one more place to change."""
    names = [field.key for field in fields() if field.key not in SHARED_WORDS]
    literal = re.compile(r'/\*.*?\*/|("(?:\\.|[^"\\\n])*")', flags=re.S)
    word = re.compile(r"\b(" + "|".join(names) + r")\b")
    found = [f"{path}: {text}" for path in product_files if str(path) != TABLE
             for text in literal.findall((SOURCE / path).read_text()) if word.search(text)]
    assert not found
