"""POST /event: requests that try to be two, or that no two programs read alike.

Which are refused is one table, with one verdict on each, whatever libmicrohttpd is
installed: none of these bytes reaches it (shared/http/wire.c)."""
import json
import socket

import pytest

from support.contract_fixtures import SHARED_STACKS, connection, ingestion  # noqa: F401
from support.events import event, new_id
from support.http import Closed, Connection, build, chunked
from support.settings import patience

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
    "bare LF ends a chunk line": raw(b"Transfer-Encoding: chunked",
                                     body=CHUNKS.replace(b"\r\n", b";\n", 1)),
    "bare LF ends an extension": raw(b"Transfer-Encoding: chunked",
                                     body=CHUNKS.replace(b"\r\n", b";a=b\n", 1)),
    "bare LF after a chunk": raw(b"Transfer-Encoding: chunked",
                                  body=CHUNKS.replace(b"}\r\n", b"}\n", 1)),
    "bare CR after a size": raw(b"Transfer-Encoding: chunked",
                                 body=CHUNKS.replace(b"\r\n", b"\r", 1)),
    "chunks with bare line feeds": raw(b"Transfer-Encoding: chunked",
                                       body=CHUNKS.replace(b"\r\n", b"\n")),
    "blank before a size": raw(b"Transfer-Encoding: chunked", body=b" " + CHUNKS),
    "blank after a size": raw(b"Transfer-Encoding: chunked",
                               body=CHUNKS.replace(b"\r\n", b" \r\n", 1)),
    "chunk of 17 digits": raw(b"Transfer-Encoding: chunked",
                              body=b"0000000000000" + CHUNKS[:-5] + b"0" * 17 + b"\r\n\r\n"),
    "NUL in an extension": raw(b"Transfer-Encoding: chunked",
                               body=CHUNKS.replace(b"\r\n", b";\0\r\n", 1)),
    "length in a trailer": raw(b"Transfer-Encoding: chunked",
                               body=CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n"),
    "coding in a trailer": raw(b"Transfer-Encoding: chunked",
                               body=CHUNKS[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"),
    "folded trailer": raw(b"Transfer-Encoding: chunked",
                          body=CHUNKS[:-2] + b"X: y\r\n z\r\n\r\n"),
    "NUL in a trailer": raw(b"Transfer-Encoding: chunked",
                            body=CHUNKS[:-2] + b"X: \0\r\n\r\n"),
    "bare LF ends a trailer": raw(b"Transfer-Encoding: chunked",
                                  body=CHUNKS[:-2] + b"X: y\n\r\n"),
    "trailer without colon": raw(b"Transfer-Encoding: chunked",
                                 body=CHUNKS[:-2] + b"X\r\n\r\n"),
    "coding in HTTP/1.0": raw(b"Transfer-Encoding: chunked", body=CHUNKS).replace(
        b"/1.1", b"/1.0"),
    "bare CR in a value": raw(b"X: a\rTransfer-Encoding: chunked", b"Content-Length: " + N),
    "bare CR at the end of a value": raw(b"X: a\r", b"Content-Length: " + N),
    "bare CR in the target": raw(b"Content-Length: " + N).replace(b"/event", b"/event\r"),
    "control character in a value": raw(b"X: \x01", b"Content-Length: " + N),
    "DEL in a value": raw(b"X: \x7f", b"Content-Length: " + N),
    "one bare line feed": raw(b"X: a\nY: b", b"Content-Length: " + N),
    "bare line feeds": raw(b"Content-Length: " + N, body=b"").replace(b"\r\n", b"\n") + BODY,
    "blanks in the first line": raw(b"Content-Length: " + N).replace(b" ", b"  ", 2),
    "a word too many": raw(b"Content-Length: " + N).replace(b"/event", b"/event x"),
    "a blank in the target": raw(b"Content-Length: " + N).replace(b"/event", b"/eve nt"),
    "a tab in the first line": raw(b"Content-Length: " + N).replace(b"POST ", b"POST\t"),
    "a blank in front": b" " + raw(b"Content-Length: " + N),
    "a blank after the version": raw(b"Content-Length: " + N).replace(b"/1.1", b"/1.1 "),
    "no target": raw(b"Content-Length: " + N).replace(b" /event", b""),
    "a method that is no token": raw(b"Content-Length: " + N).replace(b"POST", b"PO(ST"),
    "version 0.9": raw(b"Content-Length: " + N).replace(b"/1.1", b"/0.9"),
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "a line": b"hello\r\n",
}
STATUSES = {"version 2.0": 505, "version 0.9": 505, "preface of HTTP/2": 505}
# A program that reads from the same connection on its own would see these as well.
PIECES = [None, 1, 7]


def send_in(connection, data, size):
    """Sends it whole, or in pieces of so many bytes."""
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        for at in range(0, len(data), size or len(data)):
            connection.send(data[at:at + (size or len(data))])
    except OSError:
        pass  # it has heard enough


@pytest.mark.parametrize("size", PIECES, ids=["whole", "in bytes", "in sevens"])
@pytest.mark.parametrize("name", SMUGGLING)
def test_what_could_be_two_requests_is_refused_and_ends_the_connection(
        shared_stack, connection, name, size):
    """One answer, the connection closed, nothing stored, no second request run."""
    site = f"smuggled-{new_id()}"
    send_in(connection, SMUGGLING[name].replace(MARK.encode(), site.encode()), size)
    answer = connection.read_response()
    assert answer.status == STATUSES.get(name, 400) and answer.error, answer
    assert answer.header("Connection") == "close" and answer.header("Location") is None
    send_in(connection, HIDDEN.replace(MARK.encode(), site.encode()), None)
    assert connection.read_to_end(patience(5)) == b""
    shared_stack.wait_drained()
    assert shared_stack.database.value(
        "SELECT count(*) FROM events WHERE site_id = %s", [site]) == 0


@pytest.mark.parametrize("name", SMUGGLING)
def test_what_was_asked_before_is_answered_before(connection, name):
    """In the order of the requests, also when both come at once."""
    connection.send(build("POST", "/event", event()) + SMUGGLING[name])
    assert connection.read_response().status == 200
    assert connection.read_response().status == STATUSES.get(name, 400)
    assert connection.read_to_end(patience(5)) == b""


DECIDED = {"unknown path": (b"POST /nope", b""), "wrong method": (b"DELETE /event", b""),
           "encoding": (b"POST /event", b"Content-Encoding: br\r\n")}


@pytest.mark.parametrize("body", [b"zz\r\n", b"1\r\nabc\r\n", b"0\r\nHost: y\r\n\r\n"],
                         ids=["size", "data", "trailer"])
@pytest.mark.parametrize("name", DECIDED)
def test_a_body_that_goes_wrong_ends_the_connection_whatever_the_headers_say(
        connection, name, body):
    """Otherwise it would stay open, and every further request be thrown away unanswered."""
    start, header = DECIDED[name]
    connection.send(start + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                    + header + b"\r\n" + body)
    answer = connection.read_response()
    assert answer.status == 400 and answer.error, answer
    assert answer.header("Connection") == "close"
    assert connection.read_to_end(patience(5)) == b""


# Odd, but every program reads them in one way.
CURIOUS = {
    "version 1.2": raw(b"Content-Length: " + N).replace(b"/1.1", b"/1.2"),
    "empty lines in front": b"\r\n\r\n" + raw(b"Content-Length: " + N),
    "a header without value": raw(b"X:", b"Content-Length: " + N),
    "a colon in a value": raw(b"X: a: b", b"Content-Length: " + N),
    "blanks around a value": raw(b"Content-Length:\t " + N + b" \t"),
    "bytes over 127 in a value": raw(b"X: \xe4\xff", b"Content-Length: " + N),
    "zeros before a length": raw(b"Content-Length: 000" + N),
    "a trailer": raw(b"Transfer-Encoding: chunked", body=CHUNKS[:-2] + b"X: y\r\n\r\n"),
    "an extension": raw(b"Transfer-Encoding: chunked",
                        body=CHUNKS.replace(b"\r\n", b' ;a="b";c\r\n', 1)),
    "zeros before a size": raw(b"Transfer-Encoding: CHUNKED", body=b"000" + CHUNKS),
    "a cookie": raw(b"Cookie: a=b; c", b"Content-Length: " + N),
    "an upgrade": raw(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                      b"HTTP2-Settings: AAMAAABkAAQAAP__", b"Content-Length: " + N),
}


@pytest.mark.parametrize("size", PIECES, ids=["whole", "in bytes", "in sevens"])
@pytest.mark.parametrize("name", CURIOUS)
def test_what_is_odd_gets_one_answer(connection, name, size):
    """One request, one answer, and the next request is the next one."""
    send_in(connection, CURIOUS[name] + build("OPTIONS", "/event"), size)
    assert connection.read_response().status == 200
    assert connection.read_response().status == 204
    assert connection.buffer == b""


@pytest.mark.parametrize("size", PIECES, ids=["whole", "in bytes", "in sevens"])
def test_the_first_version_of_http(connection, size):
    data = raw(b"Content-Length: " + N).replace(b"/1.1", b"/1.0")
    send_in(connection, data.replace(b"Host: x", b"Connection: Keep-Alive") + data, size)
    assert [connection.read_response().status for _ in range(2)] == [200, 200]
    assert connection.read_to_end(patience(5)) == b""


HEAD_MAX = 16384  # as docs/protocol.md says


def head_of(size, shape):
    """A head of so many bytes, from the request line to the empty line."""
    lines = [b"POST /event HTTP/1.1", b"Host: x", b"Content-Length: " + N]
    if shape == "target":
        lines[0] = b"POST /event?a HTTP/1.1"
    room = size - len(b"\r\n".join(lines)) - 4
    if shape == "target":
        lines[0] = b"POST /event?a" + b"&b" * (room // 2) + b"c" * (room % 2) + b" HTTP/1.1"
    elif shape == "small headers":
        lines += [b"a:"] * (room // 4 - 1)
        lines.append(b"b:" + b"x" * (room - 4 * (room // 4 - 1) - 4))
    else:
        name = b"\r\nCookie: " if shape == "cookie" else b"\r\nX-Forwarded-For: "
        lines[-1] += name + b"y" * (room - len(name))
    head = b"\r\n".join(lines) + b"\r\n\r\n"
    assert len(head) == size
    return head


@pytest.mark.parametrize("size", [None, 1000], ids=["whole", "in pieces"])
@pytest.mark.parametrize("shape", ["cookie", "forwarded", "small headers", "target"])
def test_a_head_may_be_as_long_as_documented_and_no_longer(connection, shape, size):
    for _ in range(3):
        send_in(connection, head_of(HEAD_MAX, shape) + BODY, size)
        assert connection.read_response().status == 200
    send_in(connection, head_of(HEAD_MAX + 1, shape) + BODY, size)
    answer = connection.read_response()
    assert answer.status == 431 and answer.error
    assert connection.read_to_end(patience(5)) == b""


def test_a_request_line_that_does_not_end(connection):
    send_in(connection, b"POST /" + b"x" * HEAD_MAX, None)
    answer = connection.read_response()
    assert answer.status == 414 and answer.error
    assert connection.read_to_end(patience(5)) == b""


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
