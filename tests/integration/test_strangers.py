"""Who means no good to what pages send to: memory stays flat, and nothing breaks.  A million
requests of each kind are `scripts/soak strangers`."""
from support.metrics import scrape
from support.settings import is_sanitized
from support.strangers import KINDS, Strangers

COUNT = 200 if is_sanitized() else 2000  # of most kinds; a sanitizer keeps what is freed
FLAT_KIB = 4096


def test_strangers_leave_memory_flat(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, INGEST_THREADS=1, TRUSTED_PROXIES="127.0.0.1",
                           RATE_LIMIT_PER_IP=1000, AGENT_CACHE_ENTRIES=64)
    client = Strangers(daemon.port)
    for name, make, share in KINDS:
        count = COUNT * share // 100
        client.send(make, 0, count)
        before = daemon.rss_kib()
        client.send(make, count, count)
        grown = daemon.rss_kib() - before
        assert is_sanitized() or grown < FLAT_KIB, (name, grown)
    client.close()
    assert client.statuses <= {200, 400, 429}, client.statuses
    gauges = scrape(daemon)
    assert gauges.value("analytics_ingestion_pending_bytes") == 0
    assert gauges.value("analytics_ingestion_body_bytes") == 0
