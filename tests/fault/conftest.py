"""The fixtures of the whole-system tests are in support/fixtures.py."""
from support.fixtures import *  # noqa: F401,F403
