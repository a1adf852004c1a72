"""POST /event: requests that try to be two, or that no two programs read alike."""
import json
import re

import pytest

from support.events import event, new_id
from support.http import Closed, Connection, build, chunked
from support.settings import patience

# Both ways in which a request can wait for Redis.
SHARED_STACKS = {way: {"reporting": False, "ingestion_env": {"REQUEST_WAIT": way}}
                 for way in ("park", "suspend")}


@pytest.fixture
def ingestion(shared_stack):
    return shared_stack.ingestion


@pytest.fixture
def connection(ingestion):
    with Connection(ingestion.port, timeout=patience(10)) as one:
        yield one


MARK = "smuggled-" + "0" * 36  # its zeros become an id of each test's own
HIDDEN = build("POST", "/event", event(site_id=MARK))
BODY = json.dumps(event(site_id=MARK)).encode()
N = str(len(BODY)).encode()


def raw(*lines, body=BODY):
    return b"\r\n".join([b"POST /event HTTP/1.1", b"Host: x", *lines, b"", b""]) + body


CHUNKS = chunked(BODY)
SMUGGLING = {
    "length and chunked": raw(b"Content-Length: 5", b"Transfer-Encoding: chunked",
                              body=CHUNKS + HIDDEN),
    "chunked and length": raw(b"Transfer-Encoding: chunked", b"Content-Length: 5",
                              body=CHUNKS + HIDDEN),
    "two lengths": raw(b"Content-Length: " + N, b"Content-Length: 5", body=BODY + HIDDEN),
    "two equal lengths": raw(b"Content-Length: " + N, b"Content-Length: " + N),
    "a list of lengths": raw(b"Content-Length: " + N + b", " + N),
    "length with plus": raw(b"Content-Length: +" + N),
    "negative length": raw(b"Content-Length: -1"),
    "length in hex": raw(b"Content-Length: 0x10"),
    "length with letters": raw(b"Content-Length: " + N + b"x"),
    "length with a blank": raw(b"Content-Length: 1 0"),
    "length empty": raw(b"Content-Length: "),
    "length beyond 64 bits": raw(b"Content-Length: 99999999999999999999"),
    "length with underscore": raw(b"Content_Length: 1", b"Content-Length: 1_0"),
    "two chunked": raw(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked",
                       body=CHUNKS),
    "chunked twice": raw(b"Transfer-Encoding: chunked, chunked", body=CHUNKS),
    "gzip, chunked": raw(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
    "chunked, identity": raw(b"Transfer-Encoding: chunked, identity", body=CHUNKS),
    "identity": raw(b"Transfer-Encoding: identity", b"Content-Length: " + N),
    "xchunked": raw(b"Transfer-Encoding: xchunked", body=CHUNKS),
    "quoted chunked": raw(b'Transfer-Encoding: "chunked"', body=CHUNKS),
    "empty encoding": raw(b"Transfer-Encoding: ", body=CHUNKS),
    "blank before the colon": raw(b"Transfer-Encoding : chunked", b"Content-Length: " + N),
    "length, blank before colon": raw(b"Content-Length : " + N),
    "tab before the colon": raw(b"Transfer-Encoding\t: chunked", b"Content-Length: " + N),
    "vertical tab": raw(b"Transfer-Encoding: \x0bchunked", body=CHUNKS),
    "folded encoding": raw(b"Transfer-Encoding:", b" chunked", b"Content-Length: " + N),
    "folded encoding alone": raw(b"Transfer-Encoding:", b"\tchunked", body=CHUNKS),
    "encoding goes on": raw(b"Transfer-Encoding: chunked", b" x", b"Content-Length: " + N),
    "NUL in a value": raw(b"X: a\0b", b"Content-Length: " + N),
    "NUL at the end of a value": raw(b"X: a\0", b"Content-Length: " + N),
    "NUL in the target": raw(b"Content-Length: " + N).replace(b"/event", b"/event\0"),
    "NUL in the method": raw(b"Content-Length: " + N).replace(b"POST", b"POST\0"),
    "a folded header that frames nothing": raw(b"X: a", b" b", b"Content-Length: " + N),
    "folded length": raw(b"Content-Length:", b" " + N, body=HIDDEN),
    "length goes on": raw(b"Content-Length: 1", b" 0", body=HIDDEN),
    "folded host": b"POST /event HTTP/1.1\r\nHost:\r\n x\r\nContent-Length: " + N
                   + b"\r\n\r\n" + BODY,
    "folded first line": b"POST /event HTTP/1.1\r\n Host: x\r\nContent-Length: " + N
                         + b"\r\n\r\n" + BODY,
    "two hosts": raw(b"Host: y", b"Content-Length: " + N),
    "no host": b"POST /event HTTP/1.1\r\nContent-Length: " + N + b"\r\n\r\n" + BODY,
    "NUL in a name": raw(b"X\0Y: a", b"Content-Length: " + N),
    "byte over 127 in a name": raw(b"Transfer-Encodin\xe7: chunked",
                                   b"Content-Length: " + N),
    "blank in a name": raw(b"Content Length: 3", b"Content-Length: " + N),
    "no name": raw(b": x", b"Content-Length: " + N),
    "no colon": raw(b"Content-Length " + N, b"Content-Length: " + N),
    "version 2.0": raw(b"Content-Length: " + N).replace(b"/1.1", b"/2.0"),
    "version 11": raw(b"Content-Length: " + N).replace(b"/1.1", b"/11"),
    "no version": raw(b"Content-Length: " + N).replace(b" HTTP/1.1", b""),
    "lower-case http": raw(b"Content-Length: " + N).replace(b"HTTP", b"http"),
    "chunk size with 0x": raw(b"Transfer-Encoding: chunked",
                              body=b"0x5\r\nhello\r\n0\r\n\r\n"),
    "negative chunk": raw(b"Transfer-Encoding: chunked", body=b"-5\r\nhello\r\n0\r\n\r\n"),
    "chunk size with plus": raw(b"Transfer-Encoding: chunked",
                                body=b"+5\r\nhello\r\n0\r\n\r\n"),
    "chunk beyond 64 bits": raw(b"Transfer-Encoding: chunked",
                                body=b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
    "chunk size empty": raw(b"Transfer-Encoding: chunked", body=b"\r\nhello\r\n0\r\n\r\n"),
    "chunk longer than said": raw(b"Transfer-Encoding: chunked",
                                  body=b"3\r\nhello\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("data", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_what_could_be_two_requests_is_refused_and_ends_the_connection(
        shared_stack, connection, data):
    """One answer, the connection closed, nothing stored, no second request run."""
    site = f"smuggled-{new_id()}"
    connection.send(data.replace(MARK.encode(), site.encode()))
    answer = connection.read_response()
    assert 400 <= answer.status < 600 and answer.status not in (404, 405), answer
    try:
        connection.send(HIDDEN.replace(MARK.encode(), site.encode()))
    except OSError:
        pass  # closed already
    rest = connection.read_to_end(patience(5))
    # libmicrohttpd says its own 400 twice at times, and closes.
    assert set(re.findall(rb"HTTP/1\.1 (\d+)", rest)) <= {b"400"}, rest
    shared_stack.wait_drained()
    assert shared_stack.database.value(
        "SELECT count(*) FROM events WHERE site_id = %s", [site]) == 0


# Odd, but every program reads them in one way, or ours does not matter.
CURIOUS = {
    "version 1.2": raw(b"Content-Length: " + N).replace(b"/1.1", b"/1.2"),
    "blanks in the first line": raw(b"Content-Length: " + N).replace(b" ", b"  ", 2),
    "a word too many": raw(b"Content-Length: " + N).replace(b"/event", b"/event x"),
    "bare line feeds": raw(b"Content-Length: " + N, body=b"").replace(b"\r\n", b"\n") + BODY,
    "empty lines in front": b"\r\n\r\n" + raw(b"Content-Length: " + N),
    "length in a trailer": raw(b"Transfer-Encoding: chunked",
                               body=CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n"),
    "chunks with bare line feeds": raw(b"Transfer-Encoding: chunked",
                                       body=CHUNKS.replace(b"\r\n", b"\n")),
    "a header without value": raw(b"X:", b"Content-Length: " + N),
    "a colon in a value": raw(b"X: a: b", b"Content-Length: " + N),
}


@pytest.mark.parametrize("data", CURIOUS.values(), ids=CURIOUS.keys())
def test_what_is_odd_gets_one_answer(connection, data):
    """One request, one answer; the next request is the next one, or there is none."""
    connection.send(data + build("OPTIONS", "/event"))
    answer = connection.read_response()
    assert answer.status in (200, 400, 404)
    try:
        assert connection.read_response().status == 204
    except (Closed, ConnectionResetError):
        pass
    assert connection.buffer == b""


def test_another_expectation(connection):
    answer = connection.request("POST", "/event", event(), {"Expect": "200-ok"})
    assert answer.status == 417


@pytest.mark.parametrize("data", [
    raw(b"X: " + b"x" * 100_000, b"Content-Length: " + N),
    raw(*[b"X-%d: y" % i for i in range(5000)], b"Content-Length: " + N),
    raw(b"Content-Length: " + N).replace(b"/event", b"/event?" + b"x" * 100_000),
], ids=["long header", "many headers", "long target"])
def test_headers_without_end(ingestion, data):
    with Connection(ingestion.port, timeout=patience(10)) as connection:
        try:
            connection.send(data)
            assert connection.read_response().status in (400, 413, 414, 431)
        except (Closed, OSError):
            pass  # closed while we were still sending: no answer could be read
        assert connection.is_closed_within(patience(5))
    assert ingestion.post_event(event()).status == 200
