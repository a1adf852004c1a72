"""POST /event, the HTTP around the body: routes, methods, headers, encodings, limits, and
connections that go on."""
import gzip
import json
import re
import socket
import threading
import zlib

import pytest

from support.contract_fixtures import SHARED_STACKS, connection, ingestion  # noqa: F401
from support.events import event, new_id
from support.http import Connection, build, chunked
from support.settings import patience
from support.wait import wait_until

OK = b'{"status":"ok"}'
BODY_MAX = 102400


def goes_on(connection, answer):
    """The connection is usable after the answer, or the answer announced its end and the
    server ended it cleanly.  Returns whether it is usable."""
    if (answer.header("Connection") or "").lower() == "close":
        assert connection.is_closed_within(patience(5))
        assert connection.buffer == b""
        return False
    again = connection.request("POST", "/event", event())
    assert (again.status, again.body) == (200, OK)
    return True


# --- the answer ---------------------------------------------------------------------------

def test_the_answer_to_an_event(connection):
    connection.send(build("POST", "/event", event(), {"Content-Type": "application/json"}))
    answer = connection.read_response()
    assert (answer.version, answer.status, answer.body) == ("HTTP/1.1", 200, OK)
    assert answer.header("Content-Type").split(";")[0] == "application/json"
    assert answer.header("Content-Length") == str(len(OK))
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Connection") is None
    assert answer.header("Server") is None and answer.header("X-Powered-By") is None


@pytest.mark.parametrize("target", ["/event", "/event/", "/EVENT", "/Event/", "/event?a=b",
                                    "/event/?", "/event?"])
def test_the_path_of_the_route(ingestion, target):
    assert ingestion.request("POST", target, event()).status == 200


@pytest.mark.parametrize("target", [
    "/", "/events", "/even", "/event/x", "/event//", "//event", "/stats", "/event%2f",
    "/%65vent", "/event%00", "/event/..", "/../event", "/event.json", "/favicon.ico",
    "/" + "x" * 2000, "/%", "/%0d%0aX-Evil:%201", "/<script>"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_unknown_paths(ingestion, method, target):
    answer = ingestion.request(method, target, event() if method in ("POST", "PUT") else b"")
    assert answer.status == 404
    assert answer.error and "<script>" not in answer.error
    assert answer.header("X-Evil") is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND",
                                    "FOO", "post"])
def test_other_methods(ingestion, method):
    answer = ingestion.request(method, "/event")
    assert answer.status == 405
    assert answer.header("Allow") == "POST, OPTIONS"
    assert answer.error


@pytest.mark.parametrize("target, status", [("/event", 405), ("/nowhere", 404),
                                            ("/healthz", 200), ("/readyz", 200)])
def test_head_has_the_headers_of_get_and_no_body(ingestion, target, status):
    with Connection(ingestion.port) as connection:
        head = connection.request("HEAD", target)
        assert head.status == status
        if (head.header("Connection") or "").lower() != "close":
            again = connection.request("POST", "/event", event())  # no body in between
            assert again.status == 200
        else:
            assert connection.read_to_end() == b""
    get = ingestion.get(target)
    assert get.status == status
    for name in ("Content-Type", "Content-Length", "Allow"):
        assert head.header(name) == get.header(name)


def test_a_method_with_a_body_on_a_wrong_route_does_not_leave_the_body_behind(ingestion):
    for method, target in (("PUT", "/event"), ("POST", "/nowhere"), ("DELETE", "/event")):
        with Connection(ingestion.port) as connection:
            answer = connection.request(method, target, build("POST", "/event", event()))
            assert answer.status in (404, 405)
            goes_on(connection, answer)


# --- CORS ---------------------------------------------------------------------------------

def test_preflight(connection):
    answer = connection.request("OPTIONS", "/event", headers={
        "Origin": "https://shop.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, content-encoding"})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Access-Control-Allow-Origin") == "https://shop.example"
    assert answer.header("Vary") == "Origin"
    assert "POST" in re.split(r",\s*", answer.header("Access-Control-Allow-Methods"))
    allowed = re.split(r",\s*", answer.header("Access-Control-Allow-Headers").lower())
    assert "content-type" in allowed
    assert answer.header("Access-Control-Max-Age") == "7200"
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert connection.request("POST", "/event", event()).status == 200


def test_a_browser_may_read_every_answer(ingestion):
    for body, headers, status in ((event(), {}, 200), (b"{", {}, 400),
                                  (b"x" * (BODY_MAX + 1), {}, 413),
                                  (event(), {"Content-Encoding": "br"}, 415)):
        answer = ingestion.request("POST", "/event", body,
                                   {"Origin": "https://shop.example", **headers})
        assert answer.status == status
        assert answer.header("Access-Control-Allow-Origin") == "https://shop.example"
        assert answer.header("Access-Control-Allow-Credentials") == "true"
        assert answer.header("Vary") == "Origin"


# --- content types ------------------------------------------------------------------------

@pytest.mark.parametrize("content_type", [
    None, "application/json", "application/json; charset=utf-8", "text/plain",
    "application/json;charset=UTF-8", 'application/json; charset="utf-8"',
    "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png",
    "multipart/form-data; boundary=x", "application/json; a=b; Charset=Utf-8", "", "x", ";",
    "application/cloudevents+json; charset=utf-8"])
def test_any_content_type_is_parsed_as_json(shared_stack, content_type):
    one = event(event_id=new_id())
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = shared_stack.ingestion.post_event(one, headers)
    assert (answer.status, answer.body) == (200, OK)
    wait_until(lambda: shared_stack.database.rows(
        "SELECT 1 FROM events WHERE event_id = %s", [one["event_id"]]), 10)
    refused = shared_stack.ingestion.post_event(b"a=b", headers)
    assert refused.status == 400


@pytest.mark.parametrize("charset", ["iso-8859-1", "latin1", "utf-16", "UTF-16LE", "utf-7",
                                     "windows-1252", "koi8-r", '"iso-8859-1"', "x"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_charset_that_is_not_utf8(ingestion, kind, charset):
    answer = ingestion.post_event(event(), {"Content-Type": f"{kind}; charset={charset}"})
    assert answer.status == 415
    assert answer.error


# --- content encodings --------------------------------------------------------------------

def deflated(data):
    return zlib.compress(data)


@pytest.mark.parametrize("name, encode", [
    ("gzip", gzip.compress), ("deflate", deflated), ("GZIP", gzip.compress),
    ("Deflate", deflated), ("identity", bytes), ("gzip", lambda data: gzip.compress(data, 0))])
def test_encoded_bodies(shared_stack, name, encode):
    one = event(event_id=new_id(), path="/encoded/ä😀")
    body = encode(json.dumps(one).encode())
    answer = shared_stack.ingestion.post_event(body, {"Content-Encoding": name})
    assert (answer.status, answer.body) == (200, OK)
    wait_until(lambda: shared_stack.database.rows(
        "SELECT 1 FROM events WHERE event_id = %s AND path = %s",
        [one["event_id"], one["path"]]), 10)


@pytest.mark.parametrize("encode, name", [(gzip.compress, "gzip"), (deflated, "deflate")])
def test_an_encoded_body_in_chunks_of_one_byte(connection, encode, name):
    body = encode(json.dumps(event()).encode())
    head = build("POST", "/event", b"", [("Transfer-Encoding", "chunked"),
                                         ("Content-Encoding", name)])
    connection.send(head + chunked(*(body[i:i + 1] for i in range(len(body)))))
    assert connection.read_response().status == 200


@pytest.mark.parametrize("name", ["br", "zstd", "compress", "x", "gzip, deflate",
                                  "gzip, gzip", "identity, br", "gzip;q=1"])
def test_unknown_encodings(ingestion, name):
    answer = ingestion.post_event(event(), {"Content-Encoding": name})
    assert answer.status == 415
    assert answer.error


PLAIN = json.dumps(event()).encode()
ZIPPED = gzip.compress(PLAIN)


@pytest.mark.parametrize("name, body", [
    ("gzip", PLAIN), ("deflate", PLAIN), ("gzip", zlib.compress(PLAIN)),
    ("deflate", ZIPPED), ("gzip", ZIPPED[:-1]), ("gzip", ZIPPED[:-8]), ("gzip", ZIPPED[:20]),
    ("gzip", ZIPPED[:5]), ("gzip", b"\x1f\x8b"), ("deflate", zlib.compress(PLAIN)[:-1]),
    ("deflate", zlib.compress(PLAIN)[:10]), ("gzip", ZIPPED[:30] + b"\xff" + ZIPPED[31:]),
    ("gzip", ZIPPED[:-6] + b"\0\0" + ZIPPED[-4:]), ("gzip", ZIPPED[:-4] + b"\1\0\0\0"),
    ("deflate", zlib.compress(PLAIN)[:-4] + b"\0\0\0\0"), ("gzip", b"\0" * 100),
    ("gzip", b"\x1f\x8b\x08\xff" + ZIPPED[4:]), ("gzip", b"\x1f\x8b\x09" + ZIPPED[3:]),
], ids=range(18))
def test_corrupt_and_truncated_streams(ingestion, name, body):
    answer = ingestion.post_event(body, {"Content-Encoding": name})
    assert answer.status == 400
    assert answer.error


def test_an_encoded_body_that_is_empty(ingestion):
    for name, body in (("gzip", gzip.compress(b"")), ("deflate", zlib.compress(b""))):
        answer = ingestion.post_event(body, {"Content-Encoding": name})
        assert (answer.status, answer.error) == (400, '"site_id" is required')


@pytest.mark.parametrize("name, encode", [("gzip", gzip.compress), ("deflate", deflated)])
def test_the_limit_holds_for_what_comes_out(ingestion, name, encode):
    for size, status in ((BODY_MAX, 200), (BODY_MAX + 1, 413)):
        body = encode(json.dumps(event()).encode().ljust(size))
        assert ingestion.post_event(body, {"Content-Encoding": name}).status == status


@pytest.mark.parametrize("name, wbits", [("gzip", 31), ("deflate", 15)])
def test_a_body_that_does_not_get_smaller_may_be_as_large(ingestion, name, wbits):
    """The limit is that of the decoded body, and packing adds a little."""
    for size, status in ((BODY_MAX, 200), (BODY_MAX + 1, 413)):
        packer = zlib.compressobj(0, zlib.DEFLATED, wbits)
        body = packer.compress(json.dumps(event()).encode().ljust(size)) + packer.flush()
        assert len(body) > BODY_MAX
        assert ingestion.post_event(body, {"Content-Encoding": name}).status == status
    assert ingestion.post_event(b" " * (BODY_MAX + 4097),
                                {"Content-Encoding": name}).status == 413


def test_x_gzip_is_gzip(ingestion):
    """RFC 9110, section 8.4.1.3; some libraries still call it so."""
    body = gzip.compress(json.dumps(event()).encode())
    for name in ("x-gzip", "X-GZip"):
        assert ingestion.post_event(body, {"Content-Encoding": name}).status == 200


@pytest.mark.parametrize("name", [b"gzip \t", b"identity ", b"\tgzip"])
def test_white_space_around_an_encoding_is_none_of_it(connection, name):
    body = json.dumps(event()).encode()
    body = gzip.compress(body) if b"gzip" in name else body
    connection.send(b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Encoding:" + name +
                    b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert connection.read_response().status == 200


def test_nothing_is_asked_of_a_body_that_nobody_reads(ingestion, connection):
    headers = {"Content-Type": "a/b; charset=latin1", "Content-Encoding": "br"}
    answer = connection.request("GET", "/healthz", b"x" * (2 * BODY_MAX), headers)
    assert answer.status == 200
    goes_on(connection, answer)


def test_a_bomb_is_cut_at_the_limit(ingestion):
    """100 KB that would be 100 MB, twenty times, without the memory to show for it."""
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < BODY_MAX
    assert ingestion.post_event(bomb, {"Content-Encoding": "gzip"}).status == 413
    before, cpu = ingestion.rss_kib(), ingestion.cpu_seconds()
    for _ in range(20):
        assert ingestion.post_event(bomb, {"Content-Encoding": "gzip"}).status == 413
    assert ingestion.rss_kib() - before < patience(8) * 1024
    assert ingestion.cpu_seconds() - cpu < patience(1)


# --- the limit of the body ----------------------------------------------------------------

def test_too_large_by_length(connection):
    answer = connection.request("POST", "/event", b" " * (BODY_MAX + 1))
    assert answer.status == 413
    assert answer.error
    goes_on(connection, answer)


def test_too_large_by_chunks(connection):
    head = build("POST", "/event", b"", [("Transfer-Encoding", "chunked")])
    connection.send(head + chunked(*[b" " * 1024] * 101))
    answer = connection.read_response()
    assert answer.status == 413
    goes_on(connection, answer)


def test_the_largest_body_by_chunks(connection):
    body = json.dumps(event()).encode().ljust(BODY_MAX)
    head = build("POST", "/event", b"", [("Transfer-Encoding", "chunked")])
    connection.send(head + chunked(*(body[i:i + 1000] for i in range(0, BODY_MAX, 1000))))
    assert connection.read_response().status == 200


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
def test_the_answer_reaches_a_client_that_sends_far_too_much(connection, is_chunked):
    """2 MB: the answer is read while the body is still being sent."""
    size = 2_000_000
    head = build("POST", "/event", b"", [("Transfer-Encoding", "chunked")] if is_chunked
                 else [("Content-Length", str(size))])

    def send_all():
        try:
            connection.send(head)
            for _ in range(size // 10_000):
                block = b" " * 10_000
                connection.send(b"2710\r\n" + block + b"\r\n" if is_chunked else block)
            if is_chunked:
                connection.send(b"0\r\n\r\n")
        except OSError:
            pass  # the server may close while we send: what counts is the answer
    sender = threading.Thread(target=send_all)
    sender.start()
    answer = connection.read_response()
    assert answer.status == 413
    connection.is_closed_within(patience(1))
    connection.close()
    sender.join(patience(10))
    assert not sender.is_alive()


def test_a_client_that_asks_first_need_not_send(connection):
    connection.send(build("POST", "/event", b"", [("Content-Length", str(BODY_MAX + 1)),
                                                  ("Expect", "100-continue")]))
    assert connection.read_response(skip_continue=False).status == 413


# --- one connection, many requests ---------------------------------------------------------

def test_a_refused_event_does_not_end_the_connection(connection):
    for _ in range(3):
        for body, status in ((b"{", 400), (event(), 200), (event(zzz=1), 400),
                             (b"", 400), (event(path=""), 400), (event(), 200)):
            assert connection.request("POST", "/event", body).status == status


@pytest.mark.parametrize("method, target, body, headers, status", [
    ("POST", "/event", b"[]", {}, 400),
    ("GET", "/event", b"", {}, 405),
    ("GET", "/nowhere", b"", {}, 404),
    ("POST", "/nowhere", event(), {}, 404),
    ("POST", "/event", event(), {"Content-Encoding": "br"}, 415),
    ("POST", "/event", event(), {"Content-Type": "a/b; charset=x"}, 415),
    ("POST", "/event", b"x", {"Content-Encoding": "gzip"}, 400),
    ("OPTIONS", "/event", b"", {}, 204),
    ("GET", "/healthz", b"", {}, 200),
])
def test_after_any_answer_the_connection_goes_on_or_ends_cleanly(
        connection, method, target, body, headers, status):
    answer = connection.request(method, target, body, headers)
    assert answer.status == status
    goes_on(connection, answer)


def test_pipelined_requests_are_answered_in_order(connection):
    wanted, out = [], []
    for number in range(60):
        bad = number % 3 == 1
        out.append(build("POST", "/event", event(path=7) if bad else event()))
        wanted.append(400 if bad else 200)
    connection.send(b"".join(out))
    assert [connection.read_response().status for _ in wanted] == wanted


@pytest.mark.parametrize("step", [1, 2, 7])
def test_a_request_in_small_pieces(connection, step):
    data = build("POST", "/event", event(path="/ä😀"))
    for at in range(0, len(data), step):
        connection.send(data[at:at + step])
    assert connection.read_response().status == 200


def test_two_requests_cut_at_every_byte(ingestion):
    one = build("POST", "/event", event())
    with Connection(ingestion.port) as connection:
        for at in range(1, len(one), 3):
            connection.send(one + one[:at])
            assert connection.read_response().status == 200
            connection.send(one[at:])
            assert connection.read_response().status == 200


def test_connection_close_is_heeded(connection):
    answer = connection.request("POST", "/event", event(), {"Connection": "close"})
    assert answer.status == 200
    assert connection.is_closed_within(patience(2))


def test_http_1_0(ingestion):
    body = json.dumps(event()).encode()
    with Connection(ingestion.port) as connection:
        connection.send(b"POST /event HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
                        + body)
        answer = connection.read_response()
        assert (answer.status, answer.body) == (200, OK)
        assert connection.is_closed_within(patience(2))


def test_expect_100_continue(connection):
    body = json.dumps(event()).encode()
    connection.send(build("POST", "/event", b"", [("Content-Length", str(len(body))),
                                                  ("Expect", "100-continue")]))
    assert connection.read_response(skip_continue=False).status == 100
    connection.send(body)
    assert connection.read_response().status == 200


def test_chunked_bodies(connection):
    body = json.dumps(event()).encode()
    head = build("POST", "/event", b"", [("Transfer-Encoding", "chunked")])
    for data in (chunked(body), chunked(*(body[i:i + 1] for i in range(len(body)))),
                 b"%X;name=value\r\n%s\r\n0\r\n\r\n" % (len(body), body),
                 b"%x\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (len(body), body)):
        connection.send(head + data)
        answer = connection.read_response()
        assert answer.status == 200, data
    connection.send(head.replace(b"chunked", b"CHUNKED") + chunked(body))
    assert connection.read_response().status == 200


def test_ipv6_too(daemons, redis):
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    ingestion = daemons.start("ingestion", REDIS_URL=redis.url, HOST="")
    for host in ("127.0.0.1", "::1"):
        with Connection(ingestion.port, host) as connection:
            assert connection.request("POST", "/event", event()).status == 200


def test_no_answer_shows_the_inside(ingestion):
    """No path, library or function name in any error."""
    texts = []
    for body, headers in ((b"{", {}), (b"\xff", {}), (b"x", {"Content-Encoding": "gzip"}),
                          (event(), {"Content-Encoding": "br"}), (b"x" * 200_000, {}),
                          (event(), {"Content-Type": "a; charset=b"}), (event(path=7), {})):
        texts.append(ingestion.post_event(body, headers).error)
    texts += [ingestion.get("/nowhere").error, ingestion.get("/event").error]
    for text in texts:
        assert not re.search(r"(?i)cjson|zlib|redis|libuv|microhttpd|\.c\b|/usr|errno|null ptr",
                             text), text
        assert 0 < len(text) < 300
