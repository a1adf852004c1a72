"""What identifies a visitor stays in ingestion: no address, no User-Agent and no salt is found
where anything is kept, nor in the memory of the other daemons, of which a core dump is made."""
import ipaddress
import pathlib
import re

import pytest

from support.events import event
from support.http import request
from support.redis_server import QUEUE
from support.wait import wait_until

AGENT = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.7261.93 Safari/537.36 OPR/124.9.8877.31")
MARK = "/marker-7f3a9c"  # is in every event, so it must be found where events are kept
ADDRESSES = ["203.0.113.77", "2001:db8:77:88:99:aa:bb:cc"]


def needles():
    """Texts and bytes, the cut address too."""
    mapped = [ipaddress.ip_address(ADDRESSES[0]).packed.rjust(16, b"\xff")]
    v4 = b"\0" * 10 + b"\xff\xff" + mapped[0][-4:]
    v6 = ipaddress.ip_address(ADDRESSES[1])
    return {"IPv4": b"203.0.113.77", "IPv4, bytes": v4, "IPv6": b"2001:db8:77:88",
            "IPv6, bytes": v6.packed, "IPv6 /64, bytes": v6.packed[:8] + b"\0" * 8,
            "agent": b"124.9.8877", "agent's start": AGENT[:40].encode()}


def traces(name, data, looked_for, marked):
    """What was found, and whether the search works at all."""
    assert not marked or MARK.encode() in data, f"{name} does not even have the event's path"
    return [f"{what} in {name}" for what, bytes_ in looked_for.items() if bytes_ in data]


def files(folder):
    return [(str(path), path.read_bytes()) for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and not path.is_symlink()]


def memory(pid):
    """What a core dump of the process has."""
    data = b""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            low, high, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if rights[0] != "r" or line.rstrip().endswith(("[vvar]", "[vvar_vclock]",
                                                           "[vsyscall]")):
                continue
            mem.seek(int(low, 16))
            try:
                data += mem.read(int(high, 16) - int(low, 16))
            except OSError:
                pass  # a guard page, which a core dump does not have either
    return data


def post(port, address):
    headers = [("X-Forwarded-For", address), ("User-Agent", AGENT),
               ("Accept-Language", "de-CH"), ("Content-Type", "text/plain")]
    answers = [request(port, "POST", "/event", event(path=MARK), headers),
               request(port, "POST", "/collect", {"site_id": "demo", "path": MARK}, headers),
               request(port, "GET", f"/pixel.gif?site_id=demo&path={MARK}", headers=headers)]
    return [one.status for one in answers]


def send_all(daemon):
    statuses = [status for address in ADDRESSES for status in post(daemon.port, address)]
    assert set(statuses) == {200}, statuses
    return len(statuses)


@pytest.fixture
def suite(daemons, private_redis, tmp_path):
    redis = private_redis()
    ingestion = daemons.start(
        "ingestion", REDIS_URL=redis.url, TRUSTED_PROXIES="127.0.0.1", LOG_LEVEL="debug",
        SPOOL_DIR=tmp_path / "spool", RATE_LIMIT_PER_IP=1000, REDIS_TIMEOUT_MS=300)
    return redis, ingestion


def test_no_trace_of_a_visitor_is_left(daemons, suite, database, tmp_path):
    redis, ingestion = suite
    looked_for = needles()
    with redis.client() as client:
        salts = [client.get(name) for name in wait_until(
            lambda: client.keys("{events}:salt:*"), 20, ingestion.story)]
    secret = {**looked_for, **{f"salt {i}": salt for i, salt in enumerate(salts)}}
    found = []

    count = send_all(ingestion)
    with redis.client() as client:
        jobs = b"\n".join(client.lrange(QUEUE, 0, -1))
    found += traces("the jobs", jobs, secret, marked=True)

    redis.stop()
    count += send_all(ingestion)
    spool = b"".join(data for _, data in files(tmp_path / "spool"))
    found += traces("the spool", spool, secret, marked=True)
    redis.start()

    settings = {"DATABASE_URL": database.url, "LOG_LEVEL": "debug"}
    processor = daemons.start("processor", REDIS_URL=redis.url, **settings)
    reporting = daemons.start("reporting", **settings)
    wait_until(lambda: database.value("SELECT count(*) FROM events") == count, 30,
               processor.story)
    assert reporting.get("/stats?site_id=demo").status == 200
    found += traces("Redis's files", b"".join(data for _, data in files(redis.directory)),
                    looked_for, marked=True)
    for daemon, marked in ((processor, True), (reporting, False)):
        found += traces(f"the memory of {daemon.name}", memory(daemon.process.pid), secret, marked)
    for daemon in (ingestion, processor, reporting):
        found += traces(f"what {daemon.name} said", (daemon.stderr() + daemon.stdout()).encode(),
                        secret, marked=False)
    found += traces("the database", b"".join(data for _, data in files(database.server.directory)),
                    secret, marked=True)
    assert not found, found
