"""POST /event, its body: every rule and every sentence, and what is stored in the end.

Each accepted event is followed through Redis and the processor into Postgres, on a machine
and with a server that are not in UTC.
"""
import datetime
import json
import random
import re

import pytest

from support.events import event, new_id
from support.settings import SOURCE
from support.wait import wait_until

OK = b'{"status":"ok"}'


def stored_row(stack, event_id):
    rows = stack.database.rows(
        "SELECT site_id, event_type, path, user_id, "
        "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') "
        "FROM events WHERE event_id = %s", [event_id])
    assert len(rows) < 2
    return rows[0] if rows else None


def accept(stack, body, event_id):
    """Posts and returns the stored row."""
    answer = stack.ingestion.post_event(body)
    assert (answer.status, answer.body) == (200, OK), answer
    return wait_until(lambda: stored_row(stack, event_id), 10, f"{body!r:.300} to be stored")


def refuse(stack, body, status=400):
    answer = stack.ingestion.post_event(body)
    assert answer.status == status, f"{body!r:.300} -> {answer}"
    return answer.error


# --- what is accepted, and how it is stored ---------------------------------------------

def random_text(length, seed):
    """Characters of four bytes in UTF-8: as large as a text of that length can be, and
    not to be compressed."""
    source = random.Random(seed)
    return "".join(chr(source.randrange(0x10000, 0x10ffff)) for _ in range(length))


TEXTS = {
    "one letter": "x",
    "a space": " ",
    "a tab": "\t",
    "spaces around": "  a  ",
    "no leading slash": "index.html",
    "query": "/a?b=c&d=%20+#e",
    "escapes": "\" \\ / \b \f \n \r \t",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f",
    "latin": "Äpfel für Zoë",
    "astral": "😀🏴\u200d☠️𝄞",
    "right to left": "שלום \u202e العربية",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "byte order mark": "\ufeffx",
    "replacement character": "\ufffd",
    "line separators": "\u2028\u2029\u0085",
    "combining": "e\u0301 is not \u00e9",
    "COPY marks": "\\N \\. \\\n\\.\n\\x41 \\101",
    "SQL": "'; DROP TABLE events; --",
    "quotes": "''\"\"$$%s%n{}",
    "words": "null",
    "number": "0",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("is_ascii", [False, True], ids=["raw", "escaped"])
def test_text_is_stored_as_it_was_sent(shared_stack, text, is_ascii):
    one = event(event_id=new_id(), site_id=text, event_type=text, path=text, user_id=text)
    body = json.dumps(one, ensure_ascii=is_ascii)
    assert accept(shared_stack, body, one["event_id"])[:4] == (text, text, text, text)


@pytest.mark.parametrize("letter", ["a", None], ids=["ascii", "four bytes each"])
def test_the_longest_texts_are_stored(shared_stack, letter):
    def text(length, seed):
        return letter * length if letter else random_text(length, seed)
    one = event(event_id=new_id(), site_id=text(255, 1), event_type=text(255, 2),
                path=text(2048, 3), user_id=text(255, 4))
    row = accept(shared_stack, json.dumps(one, ensure_ascii=False), one["event_id"])
    assert row[:4] == tuple(one[f] for f in ("site_id", "event_type", "path", "user_id"))
    assert shared_stack.stats(one["site_id"])["top_paths"] is not None


@pytest.mark.parametrize("user, stored", [
    (..., None), (None, None), ("", ""), ("null", "null"), (" ", " ")])
def test_users(shared_stack, user, stored):
    one = event(event_id=new_id(), user_id=user)
    assert accept(shared_stack, one, one["event_id"])[3] == stored


def test_all_white_space_of_json_is_accepted(shared_stack):
    key = new_id()
    body = (' \t\r\n{ "site_id"\n:\t"s" , "event_type":"t"\r\n,"path":"/","timestamp":'
            f'"2025","event_id" : "{key}" }} \t\r\n')
    assert accept(shared_stack, body, key)[:4] == ("s", "t", "/", None)


def test_the_order_of_keys_does_not_matter(shared_stack):
    one = event(event_id=new_id())
    body = json.dumps(dict(reversed(one.items())))
    assert accept(shared_stack, body, one["event_id"])[0] == "demo"


def test_of_a_key_that_comes_twice_the_last_wins(shared_stack):
    key = new_id()
    body = ('{"path":"/first","site_id":7,"site_id":"s","event_type":"t","path":"/last",'
            '"user_id":"u","user_id":null,"timestamp":"never","timestamp":"2025",'
            f'"event_id":"no","event_id":"{key}","p\\u0061th":"/escaped"}}')
    assert accept(shared_stack, body, key)[:4] == ("s", "t", "/escaped", None)
    assert refuse(shared_stack, '{"site_id":"s","event_type":"t","path":"/","timestamp":'
                                '"2025","path":""}') == '"path" is not allowed to be empty'


def test_a_body_of_the_largest_size_is_accepted(shared_stack):
    one = event(event_id=new_id())
    body = json.dumps(one).ljust(102400)
    assert accept(shared_stack, body, one["event_id"])[0] == "demo"


# --- event_id -----------------------------------------------------------------------------

@pytest.mark.parametrize("key", [
    "0190163d-8694-739b-aea5-966c26f8ad91", "0190163D-8694-739B-AEA5-966C26F8AD92",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "c232ab00-9414-11ec-b3c8-9f6bdeced846"])
def test_any_uuid_is_an_event_id(shared_stack, key):
    assert accept(shared_stack, event(event_id=key), key)


@pytest.mark.parametrize("key", [
    "", "x", "0190163d8694739baea5966c26f8ad91", "{0190163d-8694-739b-aea5-966c26f8ad91}",
    "0190163d-8694-739b-aea5-966c26f8ad9", "0190163d-8694-739b-aea5-966c26f8ad911",
    "0190163g-8694-739b-aea5-966c26f8ad91", " 0190163d-8694-739b-aea5-966c26f8ad91",
    "0190163d-8694-739b-aea5_966c26f8ad91", "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
    "0190163d-869-4739b-aea5-966c26f8ad91", 7, True, {}, []])
def test_anything_else_is_no_event_id(shared_stack, key):
    assert refuse(shared_stack, event(event_id=key)) == '"event_id" must be a valid GUID'


def test_without_event_id_each_event_is_one(shared_stack):
    site = f"anonymous-{new_id()}"
    for key in (..., None, ...):
        assert shared_stack.post(event(site_id=site, event_id=key)).status == 200
    wait_until(lambda: shared_stack.database.value(
        "SELECT count(*) FROM events WHERE site_id = %s", [site]) == 3, 10)
    versions = shared_stack.database.rows(
        "SELECT substr(event_id::text, 15, 1) FROM events WHERE site_id = %s", [site])
    assert versions == [("7",)] * 3


def test_an_event_sent_again_is_stored_once(shared_stack):
    site, key = f"again-{new_id()}", new_id()
    once = event(site_id=site, event_id=key)
    same = [once, {**once, "event_id": key.upper()}, {**once, "path": "/other"},
            {**once, "timestamp": "2025-11-14T15:30:00.0009+05:30"}]
    different = [{**once, "site_id": site + "b"},
                 {**once, "timestamp": "2025-11-14T10:00:00.001Z"}]
    for one in same + different + same:
        answer = shared_stack.post(one)
        assert (answer.status, answer.body) == (200, OK)
    shared_stack.wait_drained()
    assert sorted(shared_stack.database.rows(
        "SELECT site_id = %s, path, count(*) FROM events WHERE event_id = %s GROUP BY 1, 2",
        [site, key])) == [(False, "/", 1), (True, "/", 2)]


# --- timestamps ---------------------------------------------------------------------------

TIMESTAMPS = {
    "2025": "2025-01-01T00:00:00.000",
    "2025-11": "2025-11-01T00:00:00.000",
    "2025-11-14": "2025-11-14T00:00:00.000",
    "2025-11-14T10:00": "2025-11-14T10:00:00.000",
    "2025-11-14T10:00:01": "2025-11-14T10:00:01.000",
    "2025-11-14 10:00:01": "2025-11-14T10:00:01.000",
    "2025-11-14\t10:00:01": "2025-11-14T10:00:01.000",
    "2025-11-14 10:00Z": "2025-11-14T10:00:00.000",
    "2025-11-14T10:00:00Z": "2025-11-14T10:00:00.000",
    "2025-11-14T10:00Z": "2025-11-14T10:00:00.000",
    "2025-11-14T10:00+05:30": "2025-11-14T04:30:00.000",
    "2025-11-14T10:00:00+05:30": "2025-11-14T04:30:00.000",
    "2025-11-14T10:00:00+0530": "2025-11-14T04:30:00.000",
    "2025-11-14T10:00:00+05": "2025-11-14T05:00:00.000",
    "2025-11-14T10:00:00-03:30": "2025-11-14T13:30:00.000",
    "2025-11-14T10:00:00-0330": "2025-11-14T13:30:00.000",
    "2025-11-14T10:00:00-03": "2025-11-14T13:00:00.000",
    "2025-11-14T10:00:00+00:00": "2025-11-14T10:00:00.000",
    "2025-11-14T10:00:00-00:00": "2025-11-14T10:00:00.000",
    "2025-11-14T10:00:00+23:59": "2025-11-13T10:01:00.000",
    "2025-11-14T10:00:00-23:59": "2025-11-15T09:59:00.000",
    "2025-01-01T00:00:00+01": "2024-12-31T23:00:00.000",
    "2025-12-31T23:30:00-01": "2026-01-01T00:30:00.000",
    "2025-11-14T10:00:00.1Z": "2025-11-14T10:00:00.100",
    "2025-11-14T10:00:00.12": "2025-11-14T10:00:00.120",
    "2025-11-14T10:00:00.123Z": "2025-11-14T10:00:00.123",
    "2025-11-14T10:00:00.123456789Z": "2025-11-14T10:00:00.123",
    "2025-11-14T10:00:00.9999Z": "2025-11-14T10:00:00.999",
    "2025-12-31T23:59:59.999999999": "2025-12-31T23:59:59.999",
    "1969-12-31T23:59:59.9996Z": "1969-12-31T23:59:59.999",
    "2025-11-14T10:00:00." + "0" * 200 + "+01:00": "2025-11-14T09:00:00.000",
    "2025-11-14T24:00": "2025-11-15T00:00:00.000",
    "2025-11-14 24:00Z": "2025-11-15T00:00:00.000",
    "2025-12-31T24:00+05:30": "2025-12-31T18:30:00.000",
    "2025-12-31T24:00": "2026-01-01T00:00:00.000",
    "2024-02-29": "2024-02-29T00:00:00.000",
    "2000-02-29T23:59:59Z": "2000-02-29T23:59:59.000",
    "2024-02-28T24:00": "2024-02-29T00:00:00.000",
    "1970-01-01T00:00:00Z": "1970-01-01T00:00:00.000",
    "1969-12-31T23:59:59.999Z": "1969-12-31T23:59:59.999",
    "1900-03-01": "1900-03-01T00:00:00.000",
    "1582-10-10": "1582-10-10T00:00:00.000",
    "0001": "0001-01-01T00:00:00.000",
    "0001-01-01T00:00:00.001Z": "0001-01-01T00:00:00.001",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999",
    "9999": "9999-01-01T00:00:00.000",
    # Hours that do not exist, or exist twice, in the zones of machine and server.
    "2025-03-09T02:30:00": "2025-03-09T02:30:00.000",
    "2025-11-02T01:30:00": "2025-11-02T01:30:00.000",
}


@pytest.mark.parametrize("text", TIMESTAMPS, ids=lambda text: text[:40])
def test_a_timestamp_is_stored_in_utc_with_milliseconds(shared_stack, text):
    one = event(event_id=new_id(), timestamp=text)
    assert accept(shared_stack, one, one["event_id"])[4] == TIMESTAMPS[text] + "000"


NO_TIMESTAMPS = """
 2025-11-14|2025-11-14 |2025-11-14T10:00:00Z |\t2025-11-14|2025-11-14T10:00:00Z\\n
20251114|20251114T100000Z|2025-11-14T1000Z|2025-11-14T1000|2025-11-14T100000Z|202511|202
2025-11-14T10|2025-11-14T10Z|2025-11-14T|2025-11-14T10:|2025-11-14T10:0|2025-11-14T1:00
2025-11-14T10:00:|2025-11-14T10:00:0|2025-11-14T10:00:00:00|2025-11-14Z|2025Z|2025-11Z
2025-11-14+05:30|2025T10:00|2025-11T10:00|2025-11-14T25:00|2025-11-14T25:00:00Z
2025-11-14T24:00:00|2025-11-14T24:00:00Z|2025-11-14T24:01|2025-11-14T24:00:01
2025-11-14T23:60|2025-11-14T10:60:00|2025-11-14T23:59:60Z|2025-11-14T10:00:61
2025-11-14T10:00:00,5Z|2025-11-14T10:00:00,5|2025-11-14T10:00:00.|2025-11-14T10:00:00.Z
2025-11-14T10:00:00.+05:30|2025-11-14T10:00:00.5.5|2025-11-14T10:00:00.x
2025-11-14t10:00:00Z|2025-11-14T10:00:00z|2025-11-14T10:00:00 Z|2025-11-14T10:00:00 +05:30
2025-11-14  10:00:00|2025-11-14 T10:00:00|2025-11-14_10:00:00|2025-11-14\\n10:00:00
2025-11-14T10:00:00+24:00|2025-11-14T10:00:00+24|2025-11-14T10:00:00-2400
2025-11-14T10:00:00+99:99|2025-11-14T10:00:00+05:60|2025-11-14T10:00:00+5
2025-11-14T10:00:00+053|2025-11-14T10:00:00+05:3|2025-11-14T10:00:00+05:30:00
2025-11-14T10:00:00+|2025-11-14T10:00:00Z+05|2025-11-14T10:00:00+05Z|2025-11-14T10:00:00ZZ
2025-11-14T10:00:00+-05|2025-11-14T10:00:00\u221205:00|2025-11-14T10:00:00 UTC
2025-W46-5|2025-W46|2025W465|2025-318|2025318|2025-1-1|2025-11-1|2025-1-14|25-11-14|2025-
2025-11-|2025/11/14|2025.11.14|14-11-2025|1763114400|1763114400000|1763114400.5|0|1e3
Fri, 14 Nov 2025 10:00:00 GMT|Fri Nov 14 2025|14 Nov 2025|November 14, 2025|11/14/2025
2025-02-30|2025-02-29|2025-02-29T10:00:00Z|2025-04-31|2025-06-31|2025-11-31|2025-01-32
1900-02-29|2100-02-29|2025-13-01|2025-13|2025-00|2025-00-10|2025-01-00|2025-02-30T10:00:00Z
0000|0000-01-01|0000-12-31T23:59:59Z|10000-01-01|10000|99999|+2025-11-14|-2025-11-14
+002025-11-14|+012025-11-14T10:00:00Z|-000001-01-01|-0001-01-01
now|today|infinity|-infinity|epoch|yesterday|x|-|T|T10:00|10:00|24:00|null|2025-11-14T10:00:00[UTC]
\uff12\uff10\uff12\uff15|2025-11-14\u00a010:00:00|\u0662\u0660\u0662\u0665-11-14|P1D
2025-11-14T10:00:00Z/2025-11-15T10:00:00Z|2025-11-14T10:00:00Z2025-11-14T10:00:00Z
""".strip("\n")
NO_TIMESTAMPS = [text.replace("\\n", "\n") for line in NO_TIMESTAMPS.split("\n")
                 for text in line.split("|") if text]


@pytest.mark.parametrize("text", NO_TIMESTAMPS, ids=ascii)
def test_no_timestamp(shared_stack, text):
    assert refuse(shared_stack, event(timestamp=text)) == \
        '"timestamp" must be in iso format'


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T24:00",
                                  "9999-12-31T23:59:59-00:01"])
def test_a_zone_does_not_lead_out_of_the_years_0001_to_9999(shared_stack, text):
    assert refuse(shared_stack, event(timestamp=text)) == \
        '"timestamp" must be in iso format'


# --- the other rules ----------------------------------------------------------------------

REQUIRED = ("site_id", "event_type", "path", "timestamp")
NO_STRINGS = [0, 7, -1.5, 1e300, True, False, {}, {"a": 1}, [], ["x"]]


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field(shared_stack, field):
    assert refuse(shared_stack, event(**{field: ...})) == f'"{field}" is required'
    assert refuse(shared_stack, event(**{field: ""})) == \
        f'"{field}" is not allowed to be empty'
    for value in [*NO_STRINGS, None]:
        assert refuse(shared_stack, event(**{field: value})) == \
            f'"{field}" must be a string', value


def test_user_id_must_be_a_string_or_null(shared_stack):
    for value in NO_STRINGS:
        assert refuse(shared_stack, event(user_id=value)) == '"user_id" must be a string'


@pytest.mark.parametrize("field, longest", [
    ("site_id", 255), ("event_type", 255), ("user_id", 255), ("path", 2048)])
@pytest.mark.parametrize("letter", ["a", "ä", "😀"])
def test_one_character_too_many(shared_stack, field, longest, letter):
    body = json.dumps(event(**{field: letter * (longest + 1)}), ensure_ascii=False)
    assert refuse(shared_stack, body) == (
        f'"{field}" length must be less than or equal to {longest} characters long')
    assert shared_stack.post(event(**{field: letter * longest})).status == 200


@pytest.mark.parametrize("key", ["zzz", "Site_id", "SITE_ID", "site_id ", "a b", "ключ",
                                 "😀", "__proto__", "constructor", "id", "received_at",
                                 "", "a.b", "%s%n", "<script>", 'a"b', "a\\b"])
def test_any_other_key(shared_stack, key):
    body = {**event(), key: 1}
    assert refuse(shared_stack, body) == f'"{key}" is not allowed'


@pytest.mark.parametrize("body, sentence", [
    ({}, '"site_id" is required'),
    ({"zzz": 1}, '"site_id" is required'),
    ({"timestamp": 7, "path": 7, "event_type": 7}, '"site_id" is required'),
    ({"zzz": 1, "event_id": 7, "timestamp": 7, "user_id": 7, "path": 7, "event_type": 7,
      "site_id": 7}, '"site_id" must be a string'),
    ({"zzz": 1, "event_id": 7, "timestamp": 7, "user_id": 7, "path": 7, "event_type": 7,
      "site_id": "s"}, '"event_type" must be a string'),
    ({"zzz": 1, "event_id": 7, "timestamp": 7, "user_id": 7, "path": 7, "event_type": "t",
      "site_id": "s"}, '"path" must be a string'),
    ({"zzz": 1, "event_id": 7, "timestamp": 7, "user_id": 7, "path": "/", "event_type": "t",
      "site_id": "s"}, '"user_id" must be a string'),
    ({"zzz": 1, "event_id": 7, "timestamp": 7, "user_id": "u", "path": "/",
      "event_type": "t", "site_id": "s"}, '"timestamp" must be a string'),
    ({"zzz": 1, "event_id": 7, "timestamp": "2025", "user_id": "u", "path": "/",
      "event_type": "t", "site_id": "s"}, '"event_id" must be a valid GUID'),
    ({"zzz": 1, "aaa": 1, **event()}, '"zzz" is not allowed'),
    ({**event(), "aaa": 1, "zzz": 1}, '"aaa" is not allowed'),
    ({"site_id": "", "path": ""}, '"site_id" is not allowed to be empty'),
    ({"site_id": "s" * 256, "event_type": ""},
     '"site_id" length must be less than or equal to 255 characters long'),
], ids=lambda value: value if isinstance(value, str) else "")
def test_the_first_broken_rule_is_named(shared_stack, body, sentence):
    assert refuse(shared_stack, body) == sentence


@pytest.mark.parametrize("body", ["[]", '["site_id"]', "[{}]", '"x"', "1", "-0.5e7", "true",
                                  "false", "null", " null ", '""'])
def test_valid_json_that_is_no_object(shared_stack, body):
    assert refuse(shared_stack, body) == '"value" must be of type object'


def test_an_empty_body(shared_stack):
    assert refuse(shared_stack, b"") == '"site_id" is required'
    answer = shared_stack.ingestion.request("POST", "/event", b"", {"Content-Length": "0"})
    assert (answer.status, answer.error) == (400, '"site_id" is required')


VALID = json.dumps(event(), separators=(",", ":"))
NO_JSON = [
    "{", "}", "{}}", "{} {}", "{},", "x", "{'site_id':'s'}", "{site_id:1}", '{"site_id"}',
    '{"site_id":}', '{"site_id":"s",}', '{,"site_id":"s"}', '{"site_id":"s" "path":"/"}',
    '{"site_id":"s"', '{"site_id":"s', '{"site_id":"\\x"}', '{"site_id":"\\u12"}',
    '{"site_id":"\\u12G4"}', '{"site_id":"\\', '{"site_id":"a\nb"}', '{"site_id":"a\tb"}',
    '{"site_id":"a\x01b"}', '{"a":01}', '{"a":-01}', '{"a":1.}', '{"a":.5}', '{"a":-.5}',
    '{"a":+1}', '{"a":1e}', '{"a":1e+}', '{"a":0x10}', '{"a":1.e3}', '{"a":2.e-3}',
    '{"a":NaN}', '{"a":Infinity}', '{"a":-}', '{"a":--1}', '{"a":1_000}', '{"a":nul}',
    '{"a":NULL}', '{"a":True}', '{"a":truefalse}', "[", "[1,]", "[1 2]", "[,]", "[1,,2]",
    '{"a":[}', '{"a":{]}', "[1}", '{"a":1,,"b":2}', '{"a"::1}', '{1:1}', '{null:1}',
    '{"a":1}/**/', '// x\n{"a":1}', '{"a":1}#', "\f{}", "\v{}", "\u00a0{}", "\u2028{}",
    "{}\x00", "\x00{}", '{\x00"a":1}', '{"a":1}\x00\x00', "'x'", "\"", '"\\', "tru", "undefined",
    " ", "\n\t", VALID[:-1], VALID + "}", VALID + "x", VALID + VALID, VALID[1:],
    VALID.replace(":", "=", 1), VALID.replace('"', "'"), "site_id=demo&path=/",
    "<event/>", "[" * 33 + "]" * 33, '{"a":' * 40 + "1" + "}" * 40,
    "[" * 50000, '{"a":' * 20000,
]


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: ascii(body)[:40])
def test_no_json(shared_stack, body):
    sentence = refuse(shared_stack, body)
    assert "byte" in sentence and any(c.isdigit() for c in sentence), sentence
    assert "is required" not in sentence and "must be" not in sentence, sentence


def test_every_prefix_of_an_event_is_refused(shared_stack):
    for length in range(1, len(VALID)):
        assert "byte" in refuse(shared_stack, VALID[:length])


def test_bad_utf8_outside_strings_is_no_json(shared_stack):
    for body in (b"\xff{}", b"{}\xff", b"\xef\xbb\xbf", b"{\xc3\xa4:1}", b"\x80"):
        refuse(shared_stack, body)


DEFECTS = {
    "NUL": b"\\u0000", "NUL within": b"a\\u0000b", "lone high": b"\\ud83d",
    "lone low": b"\\ude00", "high and letter": b"\\ud83dx", "high and high": b"\\ud83d\\ud83d",
    "low before high": b"\\ude00\\ud83d", "high and escape": b"\\ud83d\\n",
    "stray continuation": b"\x80", "cut short": b"\xc3", "cut short of three": b"\xe2\x82",
    "cut short of four": b"\xf0\x9f\x98", "overlong slash": b"\xc0\xaf", "overlong NUL":
    b"\xc0\x80", "overlong of three": b"\xe0\x80\xaf", "overlong of four": b"\xf0\x80\x80\xaf",
    "surrogate in UTF-8": b"\xed\xa0\x80", "beyond the end": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80", "latin-1": b"caf\xe9", "0xfe": b"\xfe", "0xff": b"\xff",
}


@pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS.keys())
@pytest.mark.parametrize("field", ["site_id", "event_type", "path", "user_id", "timestamp",
                                   "event_id"])
def test_a_defective_string_is_refused_with_its_field(shared_stack, field, defect):
    body = json.dumps(event(event_id=new_id(), **(
        {field: "@@"} if field != "event_id" else {}))).encode()
    if field == "event_id":
        body = body.replace(b'"event_id": "', b'"event_id": "@@')
    assert b"@@" in body
    assert f'"{field}"' in refuse(shared_stack, body.replace(b"@@", defect))


@pytest.mark.parametrize("defect", [b"\\u0000", b"\\ud800", b"\xff"])
def test_a_defective_string_anywhere_else_is_refused(shared_stack, defect):
    for body in (b'{"site_id":"s","event_type":"t","path":"/","timestamp":"2025","x@":1}',
                 b'{"site_id":"s","event_type":"t","path":"/","timestamp":"2025","x":"@"}',
                 b'{"site_id":"s","event_type":"t","path":"/","timestamp":"2025","x":["@"]}'):
        refuse(shared_stack, body.replace(b"@", defect))


def test_what_is_refused_is_not_stored(shared_stack):
    """Counted by the number of jobs that the processor has stored."""
    shared_stack.wait_drained()
    before, rows = shared_stack.redis.completed(), shared_stack.stored()
    for body in [*NO_JSON, "[]", "null", *(event(timestamp=t) for t in NO_TIMESTAMPS),
                 event(path="x" * 2049), event(zzz=1), event(site_id=7)]:
        refuse(shared_stack, body)
    one = event(event_id=new_id())
    accept(shared_stack, one, one["event_id"])
    shared_stack.wait_drained()
    assert shared_stack.redis.completed() - before == 1
    assert shared_stack.stored() - rows == 1


# --- the job in the queue -------------------------------------------------------------------

def test_a_job_has_the_canonical_form(daemons, redis):
    """Never the client's bytes: keys in order, times in UTC, an identity of version 7."""
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url)
    before = datetime.datetime.now(datetime.timezone.utc)
    body = ('{ "timestamp":"2025-11-14T10:00:00.98765+05:30", "path":"\\/\\u00e4",'
            '"event_type":"t\\"", "site_id":"s" }')
    assert ingestion.post_event(body).status == 200
    text = redis.client().lindex("{events}:queue", 0).decode()
    job = json.loads(text)
    assert list(job) == ["event_id", "site_id", "event_type", "path", "user_id", "timestamp",
                         "received_at"]
    assert job["event_id"][14] == "7" and job["event_id"] == job["event_id"].lower()
    assert (job["site_id"], job["event_type"], job["path"]) == ("s", 't"', "/ä")
    assert (job["user_id"], job["timestamp"]) == (None, "2025-11-14T04:30:00.987Z")
    received = datetime.datetime.fromisoformat(job["received_at"].replace("Z", "+00:00"))
    assert abs((received - before).total_seconds()) < 10
    assert job["received_at"].endswith("Z") and len(job["received_at"]) == 24
    assert ": " not in text and ", " not in text


# --- the document ---------------------------------------------------------------------------

DOCUMENT = (SOURCE / "docs" / "protocol.md").read_text()


def test_the_timestamps_of_the_document(shared_stack):
    rows = re.findall(r"^\| `([^`|]+)` \| `(\d{4}-\d\d-\d\dT[\d:.]+)Z` \|$", DOCUMENT, flags=re.M)
    assert len(rows) >= 4
    for sent, stored in rows:
        one = event(event_id=new_id(), timestamp=sent)
        assert accept(shared_stack, one, one["event_id"])[4] == stored + "000"


def test_the_sentences_of_the_document(shared_stack):
    """Each sentence that the tests above demand stands there, and the other way round."""
    told = set(re.findall(r'`("(?:path|timestamp|event_id|zzz|value)" [^`.]+)`', DOCUMENT))
    told.remove('"timestamp" must not lie more than 86400 seconds ahead')  # test_access.py's
    told.remove('"value" must be an array')  # test_batch.py's
    said = {refuse(shared_stack, body) for body in (
        event(path=...), event(path=7), event(path=""), event(path="x" * 2049),
        event(timestamp="x"), event(event_id="x"), event(zzz=1), [])}
    assert told == said


def test_the_job_of_the_document_is_an_event(shared_stack):
    texts = re.findall(r"LPUSH '\{events\}:queue' '(.+)'$", DOCUMENT, flags=re.M)
    texts += re.findall(r'^    (\{"event_id":.+)$', DOCUMENT, flags=re.M)
    assert len(texts) == 2
    shared_stack.wait_drained()
    before = shared_stack.stored()
    for text in texts:
        shared_stack.redis.client().lpush("{events}:queue", text)
    shared_stack.wait_drained()
    assert shared_stack.stored() == before + 2
    assert shared_stack.database.value("SELECT count(*) FROM dead_letters") == 0
