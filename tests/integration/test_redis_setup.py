"""A Redis that is not set up to hold a queue: the processor says so, once at each connect,
and works all the same."""
from support.events import event, job
from support.redis_server import BATCHES, QUEUE
from support.wait import wait_until

EVICTS = "Redis may throw away events that wait: set maxmemory-policy noeviction"
FORGETS = "events that wait are lost when Redis ends: set appendonly yes"


def looks(redis):
    """How often the processor has looked at the oldest job, which it does once a second."""
    with redis.client() as client:
        return client.info("commandstats").get("cmdstat_lindex", {"calls": 0})["calls"]


def said(processor):
    return [text for line in processor.stderr().splitlines() for text in (EVICTS, FORGETS)
            if text in line]


def check_said(processor, redis, expected):
    """What it has said after it has looked at the queue some times more."""
    before = looks(redis)
    wait_until(lambda: looks(redis) >= before + 2, 10, "two looks at the queue")
    assert said(processor) == expected, processor.story()


def test_it_says_what_is_wrong_once_at_each_connect(daemons, private_redis, database):
    redis = private_redis(maxmemory_policy="allkeys-lru", appendonly="no")
    processor = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                              RETRY_MAX_MS=200)
    check_said(processor, redis, [EVICTS, FORGETS])
    redis.options["maxmemory-policy"] = "noeviction"
    redis.restart()
    check_said(processor, redis, [EVICTS, FORGETS, FORGETS])
    redis.options["appendonly"] = "yes"
    redis.restart()
    check_said(processor, redis, [EVICTS, FORGETS, FORGETS])
    redis.options["maxmemory-policy"] = "volatile-ttl"
    redis.restart()
    check_said(processor, redis, [EVICTS, FORGETS, FORGETS, EVICTS])
    assert all(" warn processor " in line for line in processor.stderr().splitlines()
               if EVICTS in line or FORGETS in line)


def test_a_redis_that_does_not_tell_is_believed(daemons, private_redis, database):
    redis = private_redis(maxmemory_policy="allkeys-lru", appendonly="no")
    with redis.client() as client:
        client.execute_command("ACL", "SETUSER", "worker", "on", ">hush", "~{events}:*",
                               "+@all", "-@dangerous", "-@admin", "+sort")
        client.lpush(QUEUE, job(event()))
    processor = daemons.start("processor", DATABASE_URL=database.url,
                              REDIS_URL=redis.url.replace("//", "//worker:hush@"))
    wait_until(lambda: redis.completed() == 1, 10, "the job to be stored")
    check_said(processor, redis, [])
    assert processor.ready_status() == 200


def test_an_account_that_may_not_take_jobs_off_the_queue(daemons, private_redis, database):
    """It copies none either: each claim would make one more of every job."""
    redis = private_redis()
    nameless = job(event(event_id=None))
    with redis.client() as client:
        client.execute_command("ACL", "SETUSER", "worker", "on", ">hush", "~{events}:*",
                               "+@all", "-ltrim")
        client.lpush(QUEUE, nameless, nameless)
        processor = daemons.start("processor", DATABASE_URL=database.url, wait=False,
                                  REDIS_URL=redis.url.replace("//", "//worker:hush@"),
                                  HALT_RETRY_MS=50, RETRY_MAX_MS=50)
        wait_until(lambda: failed_scripts(client) >= 4, 10, "some claims")
        assert client.llen(QUEUE) == 2 and not client.keys(BATCHES)
        client.execute_command("ACL", "SETUSER", "worker", "+ltrim")
    wait_until(lambda: redis.completed() == 2, 10, processor.story)
    assert database.rows("SELECT count(*) FROM events") == [(2,)]


def failed_scripts(client):
    """How many scripts have failed."""
    return client.info("commandstats").get("cmdstat_evalsha",
                                           {"failed_calls": 0})["failed_calls"]
