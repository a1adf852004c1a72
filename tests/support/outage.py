"""An outage of Redis as the clients of a rig see it, with a spool and without: it has come
through, it is over, and what they were answered meanwhile."""
from support.settings import scaled
from support.spool import Spool
from support.wait import wait_until

IN_TIME = 2.0  # s: a request waits at most so long for Redis


def wait_trouble(rig, spool):
    """Until the outage has come through to the clients: with 503, or from the spool."""
    if spool:
        rig.ingestion.wait_log("events go to the spool")
        rig.wait_answers(scaled(200))
    else:
        wait_until(lambda: rig.judge.statuses[503] >= 5, 20, "requests to be refused")


def wait_well(rig, spool):
    """Until events are taken and stored again, by themselves."""
    rig.wait_answers(scaled(100))
    rig.wait_stored(scaled(100))
    if spool:
        wait_until(lambda: not Spool(spool["SPOOL_DIR"]).segments(), 30,
                   "the spool to be fed")


def check_statuses(rig, spool):
    wanted = {200} if spool else {200, 503}
    assert set(rig.judge.statuses) <= wanted, rig.judge.statuses
