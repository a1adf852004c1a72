"""The fixtures of the tests of POST /event's contract: one ingestion for each way in which a
request can wait for Redis, and a connection to it.  A test file imports all three names."""
import pytest

from support.http import Connection
from support.settings import patience

SHARED_STACKS = {way: {"reporting": False, "ingestion_env": {"REQUEST_WAIT": way}}
                 for way in ("park", "suspend")}


@pytest.fixture
def ingestion(shared_stack):
    return shared_stack.ingestion


@pytest.fixture
def connection(ingestion):
    with Connection(ingestion.port, timeout=patience(10)) as one:
        yield one
