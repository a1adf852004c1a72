"""Behind a real nginx: who the client is, and connections that it keeps."""
import socket

import pytest

from support.daemon import run
from support.events import event
from support.http import Connection, build
from support.metrics import scrape
from support.nginx import nginx

LIMITS = {"RATE_LIMIT_PER_IP": 1, "RATE_LIMIT_BURST_SECONDS": 3, "TRUSTED_PROXIES": "127.0.0.1"}
UNREAD = "client_addresses_unread_total"


class From(Connection):
    """A connection whose own end has this address."""

    def __init__(self, address, port):
        super().__init__(port)
        self.socket.close()
        self.socket = socket.create_connection(("127.0.0.1", port), 10,
                                               source_address=(address, 0))


def burst(address, port, count, headers=()):
    with From(address, port) as connection:
        return [connection.request("POST", "/event", event(), headers).status
                for _ in range(count)]


@pytest.mark.parametrize("line", [
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "proxy_set_header X-Forwarded-For $remote_addr:$remote_port;",
    "proxy_set_header X-Forwarded-For \"$http_x_forwarded_for, $remote_addr:$remote_port\";",
    "proxy_set_header X-Forwarded-For '\"$remote_addr\"';",
    "proxy_set_header X-Forwarded-For ''; proxy_set_header Forwarded for=$remote_addr;",
    "proxy_set_header X-Forwarded-For '';"
    " proxy_set_header Forwarded 'for=\"$remote_addr:$remote_port\";proto=http;host=\"$host\"';",
], ids=["usual", "port", "added", "quoted", "forwarded", "forwarded with port"])
def test_each_client_of_a_proxy_has_its_own_limit(daemons, redis, tmp_path, line):
    """Also one that makes addresses up."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, **LIMITS)
    with nginx(tmp_path / "nginx", daemon.port, line) as port:
        for address in ("127.0.0.2", "127.0.0.3"):
            assert burst(address, port, 3) == [200] * 3
        assert 429 in burst("127.0.0.2", port, 12)
        made_up = [("X-Forwarded-For", "192.0.2.{}")]
        with From("127.0.0.4", port) as connection:
            statuses = [connection.request("POST", "/event", event(), [
                (name, value.format(n)) for name, value in made_up]).status for n in range(12)]
        assert 429 in statuses
    assert scrape(daemon).value(f"analytics_ingestion_{UNREAD}") == 0


def test_a_client_that_adds_the_other_header_gains_nothing(daemons, redis, tmp_path):
    """nginx passes on what it does not set; then the two disagree."""
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, **LIMITS)
    line = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
    with nginx(tmp_path / "nginx", daemon.port, line) as port:
        with From("127.0.0.4", port) as connection:
            statuses = [connection.request("POST", "/event", event(), [
                ("Forwarded", f"for=192.0.2.{n}")]).status for n in range(12)]
        assert 429 in statuses
        assert burst("127.0.0.5", port, 3) == [200] * 3
    assert scrape(daemon).value(f"analytics_ingestion_{UNREAD}") == 12


def test_clients_of_reporting_too(daemons, database, tmp_path):
    daemon = daemons.start("reporting", DATABASE_URL=database.url, **LIMITS)
    line = "proxy_set_header X-Forwarded-For $remote_addr:$remote_port;"
    with nginx(tmp_path / "nginx", daemon.port, line, "proxy_set_header Host $host;") as port:
        def ask(address, count):
            with From(address, port) as connection:
                return [connection.request("GET", "/stats?site_id=demo", headers=[
                    ("Host", "stats.example")]).status for _ in range(count)]
        for address in ("127.0.0.2", "127.0.0.3"):
            assert ask(address, 3) == [200] * 3
        assert 429 in ask("127.0.0.2", 12)


@pytest.mark.parametrize("name", ["ingestion", "reporting"])
def test_an_idle_connection_outlives_that_of_a_load_balancer(tmp_path, name):
    """Or it sends a request into a connection that is being closed.  AWS's keep idle
    connections for 60 s, nginx too, Google Cloud's for 600 s."""
    shown = run(name, "--print-config", cwd=tmp_path).stdout
    idle_ms = int(shown.split("IDLE_TIMEOUT_MS=")[1].split()[0])
    assert idle_ms > 600_000


def test_a_proxy_keeps_its_connection(daemons, redis, tmp_path):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1)
    with nginx(tmp_path / "nginx", daemon.port) as port:
        def accepted():
            return scrape(daemon).value("analytics_ingestion_connections_accepted_total")
        before = accepted()
        for _ in range(20):
            with Connection(port) as connection:
                connection.send(build("POST", "/event", event(), {"Connection": "close"}))
                assert connection.read_response().status == 200
        assert accepted() - before == 2  # nginx's one, and the scrape's own
