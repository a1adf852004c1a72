"""Too many connections: those of one client, those of all, and the listener for health that
answers beside them."""
import contextlib
import gzip
import random
import resource
import signal
import socket

import pytest

from support.daemon import run
from support.events import event
from support.http import Closed, Connection, build, request
from support.load import allow_connections
from support.metrics import Metrics
from support.process import free_port
from support.settings import patience
from support.wait import wait_until

DAEMONS = ["ingestion", "processor", "reporting"]
CROWDS = {"ingestion": 10000, "processor": 100, "reporting": 1000}
GOOD = {"ingestion": ("POST", "/event", event()), "processor": ("GET", "/healthz"),
        "reporting": ("GET", "/stats?site_id=demo")}


@pytest.fixture(params=DAEMONS)
def name(request):
    return request.param


@pytest.fixture(autouse=True)
def many_files():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    allow_connections(12000)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def start(daemons, redis, database):
    def begin(name, health=True, **env):
        if name == "ingestion":  # or else another loop may not have reached Redis yet
            env.setdefault("INGEST_THREADS", 1)
        if health:
            env.setdefault("HEALTH_PORT", free_port())
        daemon = daemons.start(name, REDIS_URL=redis.url, DATABASE_URL=database.url, **env)
        daemon.health_port = env.get("HEALTH_PORT")
        return daemon
    return begin


def ask(daemon, target, **options):
    return request(daemon.health_port, "GET", target, timeout=patience(5), **options)


def figures(daemon, name):
    return Metrics(ask(daemon, "/metrics").body.decode()).value(
        f"analytics_{daemon.name}_{name}")


def crowd(port, count, source="127.0.0.1", data=b""):
    found = []
    for _ in range(count):
        one = socket.socket()
        if source != "127.0.0.1":  # a port of its own for each is soon hard to find
            one.bind((source, 0))
        one.connect(("127.0.0.1", port))
        one.sendall(data)
        found.append(one)
    return found


def close(connections):
    for one in connections:
        one.close()


def is_closed(one, seconds=0.0):
    one.settimeout(patience(seconds) or 0.001)
    try:
        return one.recv(1) == b""
    except ConnectionError:
        return True
    except OSError:
        return False


# --- the listener for health --------------------------------------------------------------------

def test_health_and_metrics_have_a_listener_of_their_own(start, name):
    daemon = start(name)
    for target in ("/healthz", "/readyz", "/metrics"):
        assert ask(daemon, target).status == 200
    assert daemon.get("/metrics").status == 404
    assert daemon.get("/healthz").status == daemon.get("/readyz").status == 200
    for target in ("/stats?site_id=demo", "/event", "/"):
        assert ask(daemon, target).status == 404
    posted = request(daemon.health_port, "POST", "/event", event())
    assert posted.status == 404
    wrong = request(daemon.health_port, "POST", "/metrics", b"")
    assert wrong.status == 405 and wrong.header("Allow") == "GET, HEAD"


def test_without_it_the_daemons_are_as_they_were(start, name):
    daemon = start(name, health=False)
    for target in ("/healthz", "/readyz", "/metrics"):
        assert daemon.get(target).status == 200


def test_it_is_bound_to_the_loopback_unless_told_otherwise(start, name):
    daemon = start(name, HOST="::")
    with socket.socket(socket.AF_INET6) as probe:
        assert probe.connect_ex(("::1", daemon.port)) == 0
    with socket.socket(socket.AF_INET6) as probe:
        assert probe.connect_ex(("::1", daemon.health_port)) != 0
    daemon.stop()
    other = start(name, HEALTH_HOST="::")
    for host in ("::1", "127.0.0.1"):
        assert ask(other, "/healthz", host=host).status == 200


def test_the_system_may_choose_its_port(start, name):
    daemon = start(name, HEALTH_PORT=0)
    daemon.wait_log(r"health_port=[1-9]")
    line = daemon.log_lines("health_port=")[0]
    daemon.health_port = int(line.split("health_port=")[1].split()[0])
    assert ask(daemon, "/readyz").status == 200


def test_a_port_that_cannot_be_is_refused(tmp_path, name):
    port = str(free_port())
    same = run(name, cwd=tmp_path, env={"PORT": port, "HEALTH_PORT": port})
    assert same.returncode == 2 and "HEALTH_PORT" in same.stderr
    for wrong in ("-2", "65536", "x"):
        refused = run(name, cwd=tmp_path, env={"HEALTH_PORT": wrong})
        assert refused.returncode == 2 and "HEALTH_PORT" in refused.stderr
    with socket.create_server(("127.0.0.1", int(port))):
        taken = run(name, cwd=tmp_path, env={"PORT": "0", "HEALTH_PORT": port})
    assert taken.returncode == 1 and "HEALTH_PORT" in taken.stderr and port in taken.stderr


def test_it_ends_with_the_daemon_also_under_scrapes(start, name):
    daemon = start(name)
    with Connection(daemon.health_port) as scraper, Connection(daemon.health_port) as idle:
        assert scraper.request("GET", "/metrics").status == 200
        daemon.stop()
        assert scraper.is_closed_within(1) and idle.is_closed_within(1)


def test_readyz_there_says_what_is_wrong(daemons, name):
    daemon = daemons.make(name, REDIS_URL="redis://127.0.0.1:1", HEALTH_PORT=free_port(),
                          DATABASE_URL="postgresql://127.0.0.1:1/nowhere")
    daemon.start(wait=False).wait_alive()
    daemon.health_port = int(daemon.env["HEALTH_PORT"])
    answer = ask(daemon, "/readyz")
    assert answer.status == 503 and answer.error
    assert ask(daemon, "/healthz").status == 200


# --- all of them --------------------------------------------------------------------------------

BODY_BEGUN = b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"


@pytest.mark.parametrize("data", [b"", b"GET /", BODY_BEGUN], ids=["silent", "begun", "body"])
def test_a_crowd_keeps_neither_health_nor_a_client_out(start, name, data):
    """As many as may be connected, and 50 more."""
    daemon = start(name, BODY_TIMEOUT_MS=60000)
    count = CROWDS[name] + 50
    many = crowd(daemon.port, count, data=data)
    try:
        for target in ("/healthz", "/readyz", "/metrics"):
            assert ask(daemon, target).status == 200
        answer = request(daemon.port, *GOOD[name], timeout=patience(10))
        assert answer.status == 200
        most = figures(daemon, "connections_max")
        assert figures(daemon, "connections") <= most + max(1, most / 64)
    finally:
        close(many)


def test_health_on_the_one_port_answers_beside_a_crowd_too(start, name):
    daemon = start(name, health=False, MAX_CONNECTIONS=50)
    many = crowd(daemon.port, 100)
    for target in ("/healthz", "/readyz", "/metrics"):
        assert daemon.get(target).status == 200
    close(many)


def test_a_crowd_at_the_listener_for_health_keeps_nobody_out_of_it(start, name):
    daemon = start(name)
    many = crowd(daemon.health_port, 200)
    assert ask(daemon, "/healthz").status == 200
    assert request(daemon.port, *GOOD[name]).status == 200
    close(many)


def test_connections_fit_the_limit_of_open_files(daemons, redis, database, name):
    daemon = daemons.make(name, nofile=200, REDIS_URL=redis.url, DATABASE_URL=database.url,
                          MAX_CONNECTIONS=5000, HEALTH_PORT=free_port())
    daemon.start()
    daemon.health_port = int(daemon.env["HEALTH_PORT"])
    daemon.wait_log("the limit of open files is low")
    most = figures(daemon, "connections_max")
    assert 10 < most < 200
    many = crowd(daemon.port, 300)
    for target in ("/healthz", "/readyz", "/metrics"):
        assert ask(daemon, target).status == 200
    assert request(daemon.port, *GOOD[name], timeout=patience(10)).status == 200
    close(many)
    assert daemon.open_files() < 200


# --- those of one client --------------------------------------------------------------------------

@pytest.mark.parametrize("threads", [1, 3])
def test_an_address_has_its_limit(start, threads):
    daemon = start("ingestion", MAX_CONNECTIONS_PER_IP=12, INGEST_THREADS=threads)
    others = crowd(daemon.port, 12, "127.0.0.2")
    many = crowd(daemon.port, 12, "127.0.0.3")
    assert not any(is_closed(one) for one in [*others, *many])
    more = crowd(daemon.port, 30, "127.0.0.3")
    wait_until(lambda: sum(is_closed(one) for one in [*many, *more]) == 30, 10)
    assert not any(is_closed(one) for one in others)
    assert daemon.post_event(event()).status == 200
    close([*others, *many, *more])
    wait_until(lambda: figures(daemon, "connections") == 0, 10)
    again = crowd(daemon.port, 12, "127.0.0.3")
    assert daemon.post_event(event()).status == 200
    assert not any(is_closed(one) for one in again)
    close(again)


def test_the_oldest_idle_connection_of_the_address_gives_way(start, name):
    daemon = start(name, MAX_CONNECTIONS_PER_IP=5,
                   **({"INGEST_THREADS": 1} if name == "ingestion" else {}))
    many = crowd(daemon.port, 5)
    for _ in range(3):
        assert request(daemon.port, *GOOD[name], timeout=patience(5)).status == 200
    assert is_closed(many[0], 5)
    closed = f"analytics_{name}_connections_closed_early_total"
    metrics = Metrics(ask(daemon, "/metrics").body.decode())
    assert metrics.value(closed, reason="address") >= 1
    assert metrics.value(closed, reason="full") == metrics.value(closed, reason="refused") == 0
    close(many)


def test_when_none_is_idle_the_new_one_is_refused(start):
    daemon = start("ingestion", MAX_CONNECTIONS_PER_IP=5, INGEST_THREADS=1)
    wait_until(lambda: figures(daemon, "connections") == 0, 10)
    whole = build("POST", "/event", event())
    many = crowd(daemon.port, 5, data=whole[:-1])
    wait_until(lambda: figures(daemon, "connections") == 5, 10)
    with pytest.raises((Closed, OSError)):
        request(daemon.port, "POST", "/event", event())
    for one in many:  # each of them is served
        one.sendall(whole[-1:])
        one.settimeout(patience(5))
        assert one.recv(100).startswith(b"HTTP/1.1 200 ")
    close(many)
    metrics = Metrics(ask(daemon, "/metrics").body.decode())
    assert metrics.value("analytics_ingestion_connections_closed_early_total",
                         reason="refused") == 1


def test_what_a_refused_connection_has_sent_is_not_stored(start, redis):
    """Nobody would be told; it has come before the connection is accepted."""
    daemon = start("ingestion", MAX_CONNECTIONS_PER_IP=5, INGEST_THREADS=1)
    wait_until(lambda: figures(daemon, "connections") == 0, 10)
    whole = build("POST", "/event", event())
    many = crowd(daemon.port, 5, data=whole[:-1])
    wait_until(lambda: figures(daemon, "connections") == 5, 10)
    daemon.signal(signal.SIGSTOP)
    more = crowd(daemon.port, 10, data=whole)
    daemon.signal(signal.SIGCONT)
    assert all(is_closed(one, 5) for one in more)
    assert redis.queue_length() == 0
    close([*many, *more])


def post(*headers, body, target=b"/event"):
    return b"\r\n".join([b"POST " + target + b" HTTP/1.1", b"Host: x", *headers, b"", body])


LARGE = b"ea60\r\n" + b"x" * 60000 + b"\r\n"
HALVES = [
    post(b"Content-Length: 90000", body=b"x" * 60000),
    post(b"Content-Length: 90000", b"Content-Encoding: gzip", body=gzip.compress(b"x" * 60000)),
    post(b"Content-Length: 10000000", body=b"x" * 60000),
    post(b"Content-Length: 90000", b"Expect: 100-continue", body=b""),
    post(b"Transfer-Encoding: chunked", body=LARGE + b"zz\r\n"),
    post(b"Transfer-Encoding: chunked", body=LARGE * 3),
    post(b"Transfer-Encoding: chunked", body=LARGE + b"zz\r\n", target=b"/nope"),
    build("POST", "/event", event()) * 20 + post(b"Content-Length: 90000", body=b"x" * 60000),
    post(b"Cookie: " + b"y" * 16000, b"Content-Length: 0", body=b"") * 4 + b"GET /",
]


@pytest.mark.parametrize("way", ["park", "suspend"])
def test_whatever_breaks_off_leaves_no_count_behind(start, way):
    """Neither of its address, nor in the budget of bodies."""
    chance = random.Random(7)
    daemon = start("ingestion", MAX_CONNECTIONS_PER_IP=15, INGEST_THREADS=2, REQUEST_WAIT=way,
                   BODIES_MAX_BYTES=1048576, BODY_TIMEOUT_MS=300, HEADER_TIMEOUT_MS=300)
    inside = []
    for _ in range(600):
        data = chance.choice(HALVES)
        one = socket.create_connection(("127.0.0.1", daemon.port))
        one.setblocking(False)
        with contextlib.suppress(OSError):
            one.send(data[:chance.randrange(1, len(data) + 1)])
        inside.append(one)
        if len(inside) > 20:
            close([inside.pop(chance.randrange(len(inside)))])
    close(inside)
    wait_until(lambda: figures(daemon, "connections") == 0, 20)
    assert figures(daemon, "body_bytes") == 0
    many = crowd(daemon.port, 15, data=build("GET", "/healthz"))
    for one in many:
        one.settimeout(patience(5))
        assert one.recv(100).startswith(b"HTTP/1.1 200 ")
    close(many)


def test_trusted_proxies_have_no_limit_and_the_list_is_read_again(start):
    daemon = start("ingestion", MAX_CONNECTIONS_PER_IP=3, INGEST_THREADS=1)
    (daemon.directory / ".env").write_text("TRUSTED_PROXIES=127.0.0.9\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_log("read the settings again")
    many = crowd(daemon.port, 50, "127.0.0.9")
    few = crowd(daemon.port, 10, "127.0.0.8")
    wait_until(lambda: sum(is_closed(one) for one in few) == 7, 10)
    assert not any(is_closed(one) for one in many)
    close([*many, *few])
