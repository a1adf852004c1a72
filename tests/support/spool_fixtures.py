"""The fixtures of the tests of the spool: its folder, and a Redis that may be harmed."""
import pytest

from support.spool import Spool


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool")


@pytest.fixture
def server(private_redis):
    return private_redis()
