"""The salts of the days in Redis: who makes them, who has them, and when they are gone."""
import datetime
import secrets

import pytest

from support.metrics import scrape
from support.wait import wait_until

PREFIX = "{events}:salt:"
NOTED = "{events}:salts"
DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def days(starts_hour=0):
    """The names of the salts that are wanted now: of this day, and of one that is near."""
    begun = now() - datetime.timedelta(hours=starts_hour)
    return {PREFIX + (begun + ahead).date().isoformat() for ahead in (0 * HOUR, HOUR)}


def salts(redis):
    with redis.client() as client:
        return {name.decode(): client.get(name) for name in client.keys(PREFIX + "*")}


def wait_for(redis, names, daemon):
    return wait_until(lambda: names() <= set(found := salts(redis)) and found, 20,
                      lambda: f"{names()}\n{daemon.story()}")


def test_the_first_process_makes_a_salt_and_others_take_it(daemons, redis):
    first = daemons.start("ingestion", REDIS_URL=redis.url)
    made = wait_for(redis, days, first)
    name = sorted(made)[0]
    assert {len(value) for value in made.values()} == {16}
    with redis.client() as client:
        assert 47 * 3600 < client.ttl(name) <= 48 * 3600
        second = daemons.start("ingestion", REDIS_URL=redis.url)
        wait_until(lambda: client.info("commandstats")["cmdstat_set"]["calls"] >= 2 * len(made),
                   20, second.story)
    assert salts(redis)[name] == made[name]
    for daemon in (first, second):
        assert made[name].hex() not in daemon.story().lower()


def test_a_salt_is_there_an_hour_before_its_day(daemons, redis):
    """The day begins at the next full hour, so both salts are wanted now."""
    starts = (now() + HOUR).hour
    daemon = daemons.start("ingestion", REDIS_URL=redis.url, VISITOR_DAY_STARTS_UTC=starts)
    made = wait_for(redis, lambda: days(starts), daemon)
    assert len(set(made.values())) == len(made)


def test_a_redis_that_has_lost_its_data_gets_the_salt_back(daemons, redis):
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    made = wait_for(redis, days, daemon)
    with redis.client() as client:
        client.flushall()
        for one in client.client_list():
            if int(one["id"]) != client.client_id():
                client.client_kill_filter(_id=one["id"])
    again = wait_for(redis, days, daemon)
    assert {name: again[name] for name in made} == made


def test_what_is_no_salt_is_not_taken_for_one(daemons, redis):
    with redis.client() as client:
        for name in days():
            client.set(name, "short")
    daemon = daemons.start("ingestion", REDIS_URL=redis.url)
    wait_until(lambda: "does not share the salts" in daemon.story(), 20, daemon.story)
    assert set(salts(redis).values()) == {b"short"}


# --- Redis's files ------------------------------------------------------------------------

def files_with(redis, secret):
    return [path for path in redis.directory.rglob("*")
            if path.is_file() and secret in path.read_bytes()]


@pytest.fixture
def salt(private_redis):
    """A Redis that has a salt in memory and in a file."""
    server = private_redis()
    secret = secrets.token_bytes(16)
    name = sorted(days())[0]
    with server.client() as client:
        client.set(name, secret)
        client.config_set("appendfsync", "always")
        client.lpush("other", "x")
    wait_until(lambda: files_with(server, secret), 20)
    return server, name, secret


def test_an_expired_salt_leaves_the_files_of_redis(daemons, salt, database):
    server, name, secret = salt
    settings = {"REDIS_URL": server.url, "DATABASE_URL": database.url, "SALTS_POLL_MS": 50}
    first = daemons.start("processor", **settings)
    with server.client() as client:
        wait_until(lambda: client.zrange(NOTED, 0, -1) == [name.encode()], 20, first.story)
        first.stop()
        client.pexpire(name, 1)  # while no processor runs
        wait_until(lambda: not client.exists(name), 10)
        assert files_with(server, secret)
        second = daemons.start("processor", **settings)
        wait_until(lambda: not files_with(server, secret), 30, second.story)
        wait_until(lambda: not client.exists(NOTED), 20, second.story)
        assert client.info("persistence")["aof_last_bgrewrite_status"] == "ok"
    assert scrape(second).value("analytics_processor_salt_rewrites_total") == 1
    assert secret not in second.story().encode("utf-8", "surrogateescape")


def test_a_redis_that_refuses_the_rewrite_is_warned_of_once(daemons, salt, database):
    server, name, _ = salt
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-bgrewriteaof")
        daemon = daemons.start("processor", REDIS_URL=server.url, DATABASE_URL=database.url,
                               SALTS_POLL_MS=50)
        wait_until(lambda: client.exists(NOTED), 20, daemon.story)
        client.delete(name)
        wait_until(lambda: not client.exists(NOTED), 20, daemon.story)
        client.set(name, "x" * 16)
        wait_until(lambda: client.exists(NOTED), 20, daemon.story)
        client.delete(name)
        wait_until(lambda: not client.exists(NOTED), 20, daemon.story)
    assert daemon.story().count("salts of past days") == 1
