"""What is stored has its 200, whatever the client puts beside it.

libmicrohttpd has one piece of memory for all of a connection and builds the head of an
answer in what the request leaves of it.  Heads, trailers and extensions do not reach it
(shared/http/wire.c); requests that are sent one after the other do, and fill it.
"""
import json
import re

import pytest

from support.events import event
from support.http import Connection, build
from support.settings import patience

DEADLINES = {f"{phase}_TIMEOUT_MS": 1000 for phase in ("IDLE", "HEADER", "BODY")}
ASK = build("OPTIONS", "/event")  # answered 204: nobody takes it for the event's answer


# A suspended client that has closed its sending side may lose its answer (docs/design.md).
@pytest.fixture(params=[("park", False), ("park", True), ("suspend", False)],
                ids=["park", "park, half closed", "suspend"])
def judge(request, daemons, redis):
    way, half_closes = request.param
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, REQUEST_WAIT=way, **DEADLINES)
    return lambda cases, count=1: judge_all(ingestion, redis, cases, count, half_closes)


def body_of(name):
    return json.dumps(event(site_id=name)).encode()


def post(name, lines, body=None, framing=None):
    """The head, with these lines between the first one and the last, and the body."""
    body = body_of(name) if body is None else body
    framing = framing or b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"POST /event HTTP/1.1", b"Host: x", *lines, framing, b"", b""]) + body


def in_pieces(data, count):
    size = -(-len(data) // count)
    return [data[at:at + size] for at in range(0, len(data), size)]


def send(connection, ingestion, pieces, half_closes):
    try:
        for piece in pieces[:-1]:
            connection.send(piece)
            # By the time this is answered the piece has been read.
            assert ingestion.get("/healthz").status == 200
        connection.send(pieces[-1])
        if half_closes:
            connection.half_close()
    except OSError:
        pass  # it has heard enough


def judge_all(ingestion, redis, cases, count, half_closes):
    """Sends each case on a connection of its own, in so many pieces.  Returns the status that
    each got first, or None; those with 200 are stored, and nobody else."""
    sent = {}
    for name, data in cases.items():
        sent[name] = Connection(ingestion.port, timeout=patience(20))
        send(sent[name], ingestion, in_pieces(data, count), half_closes)
    answers = {}
    for name, connection in sent.items():
        answers[name] = connection.read_to_end()
        connection.close()
    statuses = {name: re.findall(rb"^HTTP/1\.1 (\d+) ", data, re.M)
                for name, data in answers.items()}
    answered = {name for name in cases if b"200" in statuses[name]}
    with redis.client() as client:
        jobs = [json.loads(job) for job in client.lrange("{events}:queue", 0, -1)]
        client.delete("{events}:queue")
    stored = [job["site_id"] for job in jobs]
    assert sorted(stored) == sorted(answered), "not answered: " + repr(
        {name: answers[name] for name in set(stored) ^ answered})
    for name in answered:
        check_answer(answers[name])
    assert all(set(found) <= {b"200", b"204", b"400", b"408", b"413", b"414", b"431"}
               for found in statuses.values()), statuses
    return [int(found[0]) if found else None for found in statuses.values()]


def check_answer(data):
    """The first answer is the contract's to the byte, but for its date, and for what says
    that the connection ends."""
    head, rest = data.split(b"\r\n\r\n", 1)
    assert rest.startswith(b'{"status":"ok"}'), data
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK" and re.match(rb"Date: \w{3}, \d\d \w{3} ", lines[1])
    assert [line for line in lines[2:] if line != b"Connection: close"] == [
        b"Content-Type: application/json; charset=utf-8", b"Access-Control-Allow-Origin: *",
        b"Content-Length: 15"], data


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("length", [1, 20, 60])
def test_headers(judge, length, count):
    cases = {f"{fields} of {length}": post(f"{fields} of {length}", [
        b"X-%d: %s" % (n, b"y" * length) for n in range(fields)])
             for fields in range(0, 18_000 // (length + 6), 18_000 // (length + 6) // 50)}
    taken = judge(cases, count)
    assert 8 <= taken.count(200) < len(cases) and set(taken) == {200, 431}


@pytest.mark.parametrize("fields", [60, 80, 90, 94, 95, 96, 97])
def test_the_next_requests_come_with_it(judge, fields):
    """They stay in the connection's memory while the event is answered."""
    lines = [b"X: y"] * fields
    cases = {f"{fields} and {more}": post(f"{fields} and {more}", lines)
             + (ASK * 200)[:more] for more in range(4000, 6200, 40)}
    assert 200 in judge(cases)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("line", [b"X-80: a\r\n yyyyyyyyyyyyyyyyyyyy", b"X-80: a\r\n\ty",
                                  b"X-80:\r\n  ", b"X-80: a\r\n b\r\n c", b"X-80: yy\0\0\0y",
                                  b"X-80: \0", b"X-80: y\0"])
def test_headers_that_are_not_lines_are_refused(judge, line, count):
    cases = {}
    for fields in [0, 1, 10, 50, *range(88, 98)]:
        for place in {0, fields // 2, fields}:
            lines = [b"X-%d: yyyyyyyyyyyyyyyyyyyy" % n for n in range(fields)]
            lines.insert(place, line)
            cases[f"{fields}, {place}"] = post(f"{fields}, {place}", lines)
    assert set(judge(cases, count)) == {400}


def test_a_request_line_with_a_nul_is_refused(judge):
    good = post("good", [])
    cases = {"target": post("target", []).replace(b"/event ", b"/event\0x "),
             "blank": post("blank", []).replace(b"/event ", b"/event\0 "),
             "method": post("method", []).replace(b"POST", b"POST\0x"),
             "good": good, "blanks": post("blanks", []).replace(b"POST ", b"POST   ")}
    assert judge(cases) == [400, 400, 400, 200, 400]


@pytest.mark.parametrize("more", [0, 2000, 5000, 11000])
def test_a_chunk_with_a_long_extension(judge, more):
    """It makes the read buffer grow until nothing is left."""
    cases = {}
    for length in range(3000, 12400, 400):
        for last in (True, False):
            name = f"{length} of {last} and {more}"
            body = body_of(name)
            extension = b";" + b"e" * length
            cases[name] = post(
                name, [], b"%x%s\r\n%s\r\n0%s\r\n\r\n" % (
                    len(body), b"" if last else extension, body, extension if last else b""),
                b"Transfer-Encoding: chunked") + (ASK * 200)[:more]
    assert 200 in judge(cases)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("line", [b"X: y", b"X: " + b"y" * 100])
def test_trailers(judge, line, count):
    """They come when the headers have long been judged."""
    cases = {}
    for fields in [0, 1, *range(20, 180, 3)]:
        name = f"{fields} trailers"
        body = body_of(name)
        cases[name] = post(name, [], b"%x\r\n%s\r\n0\r\n%s\r\n" % (
            len(body), body, (line + b"\r\n") * fields), b"Transfer-Encoding: chunked")
    assert judge(cases, count).count(200) > 2


@pytest.mark.parametrize("fields", [0, 40, 60, 75])
def test_empty_lines_in_front(judge, fields):
    cases = {f"{empty}, {more}": b"\r\n" * empty + post(f"{empty}, {more}", [b"X: y"] * fields)
             + (ASK * 200)[:more] for empty in range(0, 6200, 300) for more in (0, 2500, 6000)}
    assert 200 in judge(cases)


def test_a_list_of_origins(daemons, redis):
    """The answer then names the origin that asked."""
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, CORS_ORIGINS="https://a.example", **DEADLINES)
    lines = [b"Origin: https://a.example"] + [b"X: y"] * 28
    cases = {f"and {more}": post(f"and {more}", lines) + (ASK * 200)[:more]
             for more in range(0, 2000, 20)}
    statuses = {}
    for name, data in cases.items():
        with Connection(ingestion.port, timeout=patience(20)) as connection:
            send(connection, ingestion, [data], True)
            answer = connection.read_response()
            statuses[name] = answer.status
            if answer.status == 200:
                assert answer.header("Access-Control-Allow-Origin") == "https://a.example"
                assert answer.header("Vary") == "Origin" and answer.json() == {"status": "ok"}
    assert redis.queue_length() == list(statuses.values()).count(200) > 0
