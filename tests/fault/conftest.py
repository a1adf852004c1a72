"""The fixtures of the whole-system tests are in support/fixtures.py; here are those that
put them together for a fault."""
import os

import pytest

from support.fixtures import *  # noqa: F401,F403
from support.postgres_server import Database
from support.rig import Rig


def pytest_collection_modifyitems(items):
    """Leaves a share of the cases: see system_test_shares() in system_test.cmake."""
    share, shares = map(int, os.environ.get("ANALYTICS_TEST_SHARE", "1/1").split("/"))
    items[:] = items[share - 1::shares]


@pytest.fixture
def rig(daemons, redis, database):
    """The suite on servers that the tests of a file share: for faults on the lines."""
    rig = Rig(daemons, redis, database)
    yield rig
    rig.close()


@pytest.fixture
def own_postgres(private_postgres):
    """A function that starts a Postgres of this test's own; a database of it, empty."""
    databases = []

    def start(**options):
        server = private_postgres(**options)
        databases.append(Database(server, server.create_database()))
        return databases[-1]
    yield start
    for one in databases:
        one.close()


@pytest.fixture
def make_rig(daemons):
    """A function that makes a rig of the servers given."""
    rigs = []

    def make(redis, database, **options):
        rigs.append(Rig(daemons, redis, database, **options))
        return rigs[-1]
    yield make
    for one in rigs:
        one.close()


@pytest.fixture
def start(make_rig, private_redis, database):
    """A rig on a Redis of its own."""
    def start(processors=1, ingestion=None, processor=None, **options):
        rig = make_rig(private_redis(**options), database)
        return rig.start(processors, ingestion, processor)
    return start


@pytest.fixture(params=["no spool", "spool"])
def spool(request, tmp_path):
    """The settings of ingestion for both ways of living without Redis."""
    return {"SPOOL_DIR": tmp_path / "spool"} if request.param == "spool" else {}
