"""Waiting for a condition: the only way in which a test lets time pass."""
import time

from support.settings import patience


def wait_until(condition, timeout=10.0, message=None, interval=0.01, retry=()):
    """Calls condition() until it returns something true, and returns that.

    `retry` are exceptions that count as "not yet".  `message` (a string, or a function
    called at the end) says what was waited for."""
    limit = patience(timeout)
    end = time.monotonic() + limit
    last = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except retry as error:
            last = error
        if time.monotonic() >= end:
            what = message() if callable(message) else message
            what = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(
                f"waited {limit:g} s in vain for: {what} (last seen: {last!r})")
        time.sleep(interval)
