"""Every failpoint in the sources of the processor with every action: the process ends, is
killed, is paused for longer than its leases last, or the place fails.

Its work is one queue in which everything is that it can meet: good events, events that
came twice, one that Postgres is slow with, poison that is seen by the processor, poison that
only Postgres sees, a batch that another processor left behind, and a batch that nobody has a
lease of.
"""
import contextlib
import re
import signal
import uuid

import pytest

from support.ending import settle_and_judge, wait_drained
from support.events import Mix, event, job, new_id
from support.failpoints import ACTIONS, EXIT_CODES, failpoints
from support.judge import Judge
from support.redis_server import ATTEMPTS, LEASES, QUEUE
from support.wait import wait_until

SETTINGS = {"LEASE_MS": 450, "BATCH_MAX": 25, "RETRY_MAX_MS": 200, "HALT_RETRY_MS": 100,
            "PROCESSOR_WORKERS": 2}

# The first time is not the interesting one: the first piece of a COPY is its header.
NTH = {"copy.sending": 2}


PROCESSOR = failpoints("processor", "shared")


def test_the_failpoints_were_found():
    assert len(PROCESSOR) > 20 and all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name)
                                       for name in PROCESSOR)


@pytest.mark.parametrize("rules", ["worker.claimed", "worker.claimed:explode", "x:kill:0",
                                   "a:kill,,", "worker.claimed:kill:1x"])
def test_a_wrong_rule_ends_the_process(daemons, redis, database, rules):
    daemon = daemons.start("processor", wait=False, REDIS_URL=redis.url,
                           DATABASE_URL=database.url, FAILPOINTS=rules)
    assert daemon.wait_exit() == 2
    assert daemon.has_logged("FAILPOINTS is wrong")
    daemon.process = None


# --- the work -----------------------------------------------------------------------

TROUBLE = """
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.path = '/poison' THEN RAISE EXCEPTION 'not this one'; END IF;
    IF new.path = '/slow' THEN PERFORM pg_sleep(0.3); END IF;
    RETURN new;
END $$;
CREATE TRIGGER trouble BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION trouble();
"""


def make_work(redis, judge):
    """Fills the queue; returns how many jobs there are."""
    events = Mix(11, repeats=0).take(90)
    events[30:30] = [event(event_id=new_id(), path="/poison") for _ in range(2)]
    events.insert(0, event(event_id=new_id(), path="/slow"))
    for one in events:
        judge.pushed(one)
    jobs = [job(one) for one in events]
    # The double comes before the poison: it sends the batch the careful way, on which the
    # poison is then found by halving.
    jobs[40:40] = ["not json", job(events[0])]
    jobs.insert(26, job(events[22]))
    left, orphans = jobs[:12], jobs[12:20]
    with redis.client() as client:
        for number, part in enumerate((left, orphans)):
            batch = str(uuid.UUID(int=number + 1, version=4))
            client.rpush(f"{{events}}:batch:{batch}", *part)
            if part is left:
                client.zadd(LEASES, {batch: 1})
                client.hset(ATTEMPTS, mapping={batch: 1, f"{batch}:owner": "gone"})
        client.lpush(QUEUE, *jobs[20:])
    return len(jobs)


class Scenario:
    """A processor that is to fail, and what belongs to it."""

    def __init__(self, daemons, redis, database, rule):
        self.daemons, self.redis, self.database = daemons, redis, database
        self.judge = Judge()
        self.settings = {**SETTINGS, "REDIS_URL": redis.url, "DATABASE_URL": database.url}
        self.victim = daemons.make("processor", FAILPOINTS=rule, **self.settings)
        self.processors = [self.victim]

    def start_heir(self):
        self.processors.append(self.daemons.start("processor", **self.settings))

    def end(self, jobs):
        # What is dead is the poison that was put in, and nothing else.
        verdict = settle_and_judge(self.judge, self.redis, self.database, self.processors)
        assert verdict.dead == 3
        assert self.redis.completed() == jobs - verdict.dead


def fail_and_recover(scenario, action, said):
    """Waits for the failpoint, and until what it did is over."""
    victim = scenario.victim
    victim.wait_log(said, 20)
    if action in EXIT_CODES:
        assert victim.wait_exit() == EXIT_CODES[action]
        victim.process = None
        scenario.start_heir()
    elif action == "stop":
        scenario.start_heir()
        wait_drained(scenario.redis)
        victim.resume()


@pytest.fixture
def make_scenario(daemons, redis, request):
    def make(name, action):
        # The schema itself is made where its making is to fail.
        kind = "empty_database" if name.startswith("migrate.") else "database"
        rule = f"{name}:{action}:{NTH.get(name, 1)}"
        return Scenario(daemons, redis, request.getfixturevalue(kind), rule)
    return make


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", [n for n in PROCESSOR if not n.endswith(".hand_back")])
def test_a_processor_that_fails_at(make_scenario, name, action):
    scenario = make_scenario(name, action)
    if not name.startswith("migrate."):
        scenario.database.rows(TROUBLE)
    jobs = make_work(scenario.redis, scenario.judge)
    scenario.victim.start(wait=False)
    fail_and_recover(scenario, action, f"failpoint {name} {action}")
    if name.startswith("migrate."):
        settle_and_judge(scenario.judge, scenario.redis, scenario.database,
                         scenario.processors)
    else:
        scenario.end(jobs)


# --- SIGTERM: batches are handed back -------------------------------------------------

@contextlib.contextmanager
def locked_events(database):
    conn = database.connect()
    conn.autocommit = False
    try:
        with conn.cursor() as cursor:
            cursor.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        conn.close()


# A worker hands back what it is between two tries of; the lease thread what a worker is stuck
# with.
HAND_BACK = {"worker.hand_back": {"LOCK_TIMEOUT_MS": 20},
             "lease.hand_back": {"LOCK_TIMEOUT_MS": 60000, "SHUTDOWN_TIMEOUT_MS": 200}}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", [n for n in PROCESSOR if n.endswith(".hand_back")])
def test_a_processor_that_fails_on_sigterm_at(make_scenario, name, action):
    scenario = make_scenario(name, action)
    scenario.victim.env.update({k: str(v) for k, v in HAND_BACK[name].items()})
    judge = scenario.judge
    with locked_events(scenario.database):
        scenario.victim.start(wait=False)
        one = event(event_id=new_id())
        judge.pushed(one)
        with scenario.redis.client() as client:
            client.lpush(QUEUE, job(one))
        wait_until(scenario.redis.batches, 10, "the job to be claimed")
        if name == "worker.hand_back":
            scenario.victim.wait_log("could not store a batch")
        scenario.victim.signal(signal.SIGTERM)
        scenario.victim.wait_log(f"failpoint {name} {action}")
    if action == "stop":
        scenario.start_heir()
        wait_drained(scenario.redis)
        scenario.victim.resume()
    code = scenario.victim.wait_exit()
    assert code == EXIT_CODES.get(action, 0)
    scenario.victim.process = None
    if action != "stop":
        scenario.start_heir()
    settle_and_judge(judge, scenario.redis, scenario.database, scenario.processors)
