"""The fields that few events have, from the client to the database, and from other programs."""
import json

import pytest

from support.event_fields import fields
from support.events import event, job, new_id
from support.wait import wait_until

ALL = {"hostname": "shop.example", "referrer": "a.example/x", "utm_source": "s", "utm_medium": "m",
       "utm_campaign": "c", "utm_content": "ü\n\"", "utm_term": "t", "screen_width": 1920,
       "language": "de", "props": {"plan": "pro", "n": 1.5, "yes": True, "no": False},
       "duration_ms": 86400000, "scroll": 100}
DERIVED = {"source": "Google", "channel": "Organic Search", "click": "gclid", "browser": "Firefox",
           "browser_version": "145", "os": "Linux", "os_version": "6", "device": "desktop",
           "country": "DE", "region": "DE-BY", "city": "München", "visitor_id": "fedcba9876543210"}


def columns(database, names, where="true"):
    rows = database.rows(f"SELECT {', '.join(names)} FROM events WHERE {where} ORDER BY path")
    return [dict(zip(names, row)) for row in rows]


def test_all_fields_come_through(stack, database):
    """Events with all, none and one of them in one batch, and twice: the careful way too."""
    sent = [event(path="/1", **ALL), event(path="/2"), event(path="/3", scroll=0),
            event(path="/4", props={"a": None})]
    for one in sent:
        one["event_id"] = new_id()
    for _ in range(2):
        for one in sent:
            assert stack.ingestion.post_event(one).status == 200
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 4, 20)
    found = columns(database, list(ALL))
    assert found[0] == ALL
    assert found[1] == dict.fromkeys(ALL)
    assert found[2] == {**dict.fromkeys(ALL), "scroll": 0}
    assert found[3] == dict.fromkeys(ALL)


def test_other_programs_may_set_every_column(stack, redis, database):
    names = [field.key for field in fields() if field.is_column]
    whole = {**ALL, **DERIVED}
    with redis.client() as client:
        client.lpush("{events}:queue", job(event(path="/1", **whole)), job(event(path="/2")),
                     job(event(path="/3", visitor_id="0000000000000001")))
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 3, 20)
    assert set(whole) <= set(names)
    found = columns(database, list(whole))
    assert found[0] == {**whole, "visitor_id": 0xfedcba9876543210 - 2 ** 64}
    assert found[1] == dict.fromkeys(whole)
    assert found[2] == {**dict.fromkeys(whole), "visitor_id": 1}


def test_the_longest_body_becomes_a_row(stack, database):
    """Its job is longer: ingestion adds to it."""
    body = json.dumps(event(path="/?", props={f"{n:02}": "?" for n in range(30)}))
    body = body.replace('"?"', '"' + "\\u0001" * 500 + '"')
    body = body.replace("/?", "/" + "\\u0001" * ((102400 - len(body)) // 6))
    assert 102390 < len(body) <= 102400
    assert stack.ingestion.post_event(body).status == 200
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 1, 20)
    assert database.value("SELECT length(props->>'00') FROM events") == 500


@pytest.mark.parametrize("field", ["source", "visitor_id", "country"])
def test_clients_may_not_say_what_is_derived(stack, field):
    answer = stack.ingestion.post_event(event(**{field: DERIVED[field]}))
    assert answer.status == 400 and answer.error == f'"{field}" is not allowed'


def test_what_is_wrong_with_a_job_is_said_in_its_dead_letter(stack, redis, database):
    text = json.dumps({**json.loads(job(event())), "scroll": 101})
    with redis.client() as client:
        client.lpush("{events}:queue", text)
    wait_until(lambda: database.value("SELECT count(*) FROM dead_letters") == 1, 20)
    assert database.rows("SELECT reason, payload FROM dead_letters")[0][0] \
        == '"scroll" must be less than or equal to 100'
