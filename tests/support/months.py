"""Months of UTC, which the partitions of events go by."""
import datetime

from support.settings import patience
from support.wait import wait_until


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def month(offset):
    """The first day of the month so many months from now."""
    today = now()
    months = today.year * 12 + today.month - 1 + offset
    return datetime.date(months // 12, months % 12 + 1, 1)


def name_of(day):
    return f"events_y{day:%Y}m{day:%m}"


def wait_for_turn(seconds=20):
    """If the month ends in less than so many seconds: until it has."""
    first = datetime.datetime.combine(month(1), datetime.time(), datetime.timezone.utc)
    if first - now() < datetime.timedelta(seconds=patience(seconds)):
        wait_until(lambda: now() > first, 2 * seconds, "the month to end")
