"""Every failpoint in the sources of ingestion with every action: the process ends, is killed,
is paused, or the place fails; under load, with a spool, while Redis is away or comes back,
or is slow to flush its file.
"""
import pytest

from support.bad_disk import BadDisk
from support.ending import settle_and_judge
from support.failpoints import ACTIONS, EXIT_CODES, failpoints
from support.judge import Judge
from support.load import Load
from support.spool import Spool, posts
from support.wait import wait_until

INGESTION = failpoints("ingestion")


def test_the_failpoints_were_found():
    assert len(INGESTION) > 10


class Door:
    """An ingestion that is to fail, with a spool, and load on it."""

    def __init__(self, daemons, redis, spool, rule):
        self.daemons, self.redis, self.spool = daemons, redis, spool
        self.judge = Judge()
        self.victim = self.make(FAILPOINTS=rule)
        self.load = Load(self.victim.port, posts(), connections=8, judge=self.judge,
                         reconnect=True, batch_every=4, batch_size=5)

    def make(self, **env):
        return self.daemons.make("ingestion", REDIS_URL=self.redis.url, INGEST_THREADS=1,
                                 SPOOL_DIR=self.spool.path, **env)

    def wait_taken(self, count):
        """Until so many events more have been answered 200."""
        more = len(self.judge.acknowledged) + count
        wait_until(lambda: len(self.judge.acknowledged) > more, 20,
                   lambda: f"{count} events to be taken\n{self.victim.story()}")

    def restart(self):
        self.victim.process = None
        del self.victim.env["FAILPOINTS"]
        self.victim.start()

    def outlive_pause(self):
        """While it is paused another ingestion with the same spool works."""
        heir = self.make().start()
        events = list(posts(20))
        result = Load(heir.port, events, connections=4, judge=self.judge).run()
        assert set(result.statuses) == {200}, result
        self.victim.resume()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", INGESTION)
def test_an_ingestion_that_fails_at(daemons, private_redis, database, tmp_path, name,
                                    action):
    disk = BadDisk(tmp_path / "disk")
    disk.set(*["fdatasync delay 100"] * name.startswith("stopgap."))
    redis, spool = private_redis(env=disk.env), Spool(tmp_path / "spool")
    door = Door(daemons, redis, spool, f"{name}:{action}")
    said = f"failpoint {name} {action}"
    if not name.startswith(("committer.", "stopgap.")):
        redis.stop()
    door.victim.start(wait=False).wait_alive()
    door.load.start()
    if name.startswith(("reader.", "spool.take", "spool.finish")):
        door.wait_taken(200)
        redis.start()
    door.victim.wait_log(said, 20)
    if action in EXIT_CODES:
        assert door.victim.wait_exit() == EXIT_CODES[action]
    if not redis.process:
        redis.start()
    if action in EXIT_CODES:
        door.restart()
    elif action == "stop":
        door.outlive_pause()
    door.wait_taken(100)
    door.load.stop()
    result = door.load.join()
    spool.wait_empty(60)
    processor = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url)
    settle_and_judge(door.judge, redis, database, [processor])
    if action == "error":
        assert not result.errors and set(result.statuses) <= {200, 503}, result
