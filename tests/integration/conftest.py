"""Fixtures of the whole-system tests.  Each file is one pytest process.

Servers of the session are shared by the tests of a file, emptied in between; a test that
stops or breaks a server takes one of its own (private_redis, private_postgres).
"""
import contextlib
import pathlib

import pytest

from support.daemon import run
from support.postgres_server import Database, PostgresServer
from support.redis_server import RedisServer
from support.stack import Daemons, Stack
from support.up import Up


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.call_failed = outcome.get_result().failed


@pytest.fixture(scope="session")
def redis_of_session(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis(redis_of_session):
    """Redis with nothing in it."""
    redis_of_session.flush()
    return redis_of_session


@pytest.fixture(scope="session")
def postgres():
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated_template(postgres, tmp_path_factory):
    """The name of a database with the schema and nothing else."""
    name = postgres.create_database()
    done = run("processor", "--migrate", cwd=tmp_path_factory.mktemp("migrate"),
               env={"DATABASE_URL": postgres.url(name)}, timeout=60)
    assert done.returncode == 0, done.stderr
    return name


@pytest.fixture
def empty_database(postgres):
    """A database in which nothing is."""
    database = Database(postgres, postgres.create_database())
    yield database
    database.drop()


@pytest.fixture
def database(postgres, migrated_template):
    """A database with the schema."""
    database = Database(postgres, postgres.create_database(migrated_template))
    yield database
    database.drop()


@pytest.fixture
def private_redis(tmp_path):
    """A function that starts a Redis for this test alone; options as of redis-server."""
    with contextlib.ExitStack() as servers:
        def start(running=True, **options):
            server = RedisServer(tmp_path / f"redis-{options.get('port', '')}", **options)
            servers.callback(server.stop)
            return server.start() if running else server
        yield start


@pytest.fixture
def private_postgres():
    """A function that starts a Postgres for this test alone; options as of postgres -c."""
    with contextlib.ExitStack() as servers:
        def start(running=True, **options):
            server = PostgresServer(**options)
            servers.callback(server.remove)
            return server.start() if running else server
        yield start


@pytest.fixture
def daemons(request, tmp_path):
    """start("ingestion", REDIS_URL=...) and the like; all are ended after the test, and
    must then have ended well."""
    group = Daemons(pathlib.Path(tmp_path))
    yield group
    wrong = group.finish()
    if getattr(request.node, "call_failed", False):
        print(group.stories())
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def make_stack(daemons, redis, database):
    """A function that starts the whole suite; options as of Stack."""
    def make(**options):
        return Stack(daemons, options.pop("redis", redis),
                     options.pop("database", database), **options)
    return make


@pytest.fixture
def stack(make_stack):
    """The whole suite, one of each."""
    return make_stack()


@pytest.fixture
def up(tmp_path):
    """A function that makes runs of scripts/up; all are ended after the test."""
    runs = []

    def make(**options):
        runs.append(Up(tmp_path, **options))
        return runs[-1]
    yield make
    for run in runs:
        if run.process and run.process.poll() is None:
            run.process.terminate()
            run.process.wait(60)
