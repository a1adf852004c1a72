"""Fixtures of the whole-system tests.  Each file is one pytest process.

Servers of the session are shared by the tests of a file, emptied in between; a test that
stops or breaks a server takes one of its own (private_redis, private_postgres).
"""
import contextlib
import functools
import os
import pathlib
import subprocess
import tempfile

import pytest

from support.daemon import run
from support.months import month
from support.postgres_server import Database, PostgresServer
from support.redis_server import RedisServer
from support.stack import Daemons, Stack
from support.up import Up


def pytest_generate_tests(metafunc):
    """A module with SHARED_STACKS runs its tests with each of those stacks."""
    stacks = getattr(metafunc.module, "SHARED_STACKS", None)
    if stacks and "shared_stack" in metafunc.fixturenames:
        metafunc.parametrize("shared_stack", stacks.values(), ids=stacks.keys(),
                             indirect=True, scope="module")


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
def template_of_month(postgres, tmp_path_factory):
    """A function that gives the name of a database with the schema, the partitions near the
    month (its first day), and nothing else."""
    @functools.lru_cache
    def make(first):
        name = postgres.create_database()
        done = run("processor", "--migrate", cwd=tmp_path_factory.mktemp("migrate"),
                   env={"DATABASE_URL": postgres.url(name)}, timeout=60)
        assert done.returncode == 0, f"{first}: {done.stderr}"
        return name
    return make


@pytest.fixture(scope="session")
def migrated_template(template_of_month):
    """The name of a database with the schema and nothing else."""
    return template_of_month(month(0))


def end_daemons(request):
    """Ends the daemons of a test before the servers they need are taken away, in whatever
    order the test asked for them."""
    group = getattr(request.node, "daemons", None)
    if group:
        group.finish()


@pytest.fixture
def empty_database(request, postgres):
    """A database in which nothing is."""
    database = Database(postgres, postgres.create_database())
    yield database
    end_daemons(request)
    database.drop()


@pytest.fixture
def database(request, postgres, template_of_month):
    """A database with the schema."""
    database = Database(postgres, postgres.create_database(template_of_month(month(0))))
    yield database
    end_daemons(request)
    database.drop()


@pytest.fixture
def private_redis(request, tmp_path):
    """A function that starts a Redis for this test alone; options as of redis-server."""
    with contextlib.ExitStack() as servers:
        def start(running=True, **options):
            server = RedisServer(tmp_path / f"redis-{options.get('port', '')}", **options)
            servers.callback(server.stop)
            return server.start() if running else server
        yield start
        end_daemons(request)


@pytest.fixture
def private_postgres(request):
    """A function that starts a Postgres for this test alone; options as of postgres -c."""
    with contextlib.ExitStack() as servers:
        def start(running=True, **options):
            server = PostgresServer(**options)
            servers.callback(server.remove)
            return server.start() if running else server
        yield start
        end_daemons(request)


@pytest.fixture
def daemons(request, tmp_path):
    """start("ingestion", REDIS_URL=...) and the like; all are ended after the test, and
    must then have ended well."""
    group = request.node.daemons = Daemons(pathlib.Path(tmp_path))
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


@pytest.fixture(scope="module")
def shared_stack(request, tmp_path_factory, postgres, migrated_template):
    """The whole suite for all tests of a file, with a Redis of its own.  A file that wants
    it otherwise says so: SHARED_STACKS = {"name": {"processors": 2, ...}, ...}."""
    folder = tmp_path_factory.mktemp("shared")
    server = RedisServer(folder / "redis").start()
    database = Database(postgres, postgres.create_database(migrated_template))
    group = Daemons(folder)
    try:
        yield Stack(group, server, database, **getattr(request, "param", {}))
    finally:
        wrong = group.finish()
        database.drop()
        server.stop()
    if wrong or request.session.testsfailed:
        print(group.stories())
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def up(tmp_path):
    """A function that makes runs of scripts/up; all are ended after the test."""
    runs = []

    def make(**options):
        runs.append(Up(tmp_path, **options))
        return runs[-1]
    yield make
    for run in runs:
        run.abandon()


@pytest.fixture
def small_disk():
    """A function that mounts a file system of so many bytes ("1m").  For root only."""
    mounted = []

    def mount(size):
        path = pathlib.Path(tempfile.mkdtemp(prefix="analytics-disk-"))
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            path.rmdir()
            pytest.skip("a small file system can be mounted by root only")
        mounted.append(path)
        return path
    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)
        path.rmdir()
