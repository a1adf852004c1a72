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


def clocks_went_back(days):
    """The last Sunday among these (month, day), IN_BERLIN or IN_NEW_YORK, that is over for days:
    figures by the hour are not kept for ever, so a test cannot name a year."""
    day = now().date() - datetime.timedelta(days=7)
    while day.weekday() != 6 or (day.month, day.day) not in days:
        day -= datetime.timedelta(days=1)
    return day


IN_NEW_YORK = [(11, day) for day in range(1, 8)]
IN_BERLIN = [(10, day) for day in range(25, 32)]


def _wait_past(moment, seconds, what):
    if moment - now() < datetime.timedelta(seconds=patience(seconds)):
        wait_until(lambda: now() > moment, 2 * seconds, f"the {what} to end")


def wait_for_turn(seconds=20):
    """If the month ends in less than so many seconds: until it has."""
    _wait_past(datetime.datetime.combine(month(1), datetime.time(), datetime.timezone.utc),
               seconds, "month")


def wait_for_hour(seconds=20):
    """The same of the hour."""
    _wait_past(now().replace(minute=0, second=0, microsecond=0) + datetime.timedelta(hours=1),
               seconds, "hour")
