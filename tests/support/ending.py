"""The end of every fault test: the queue drained, the rollups caught up, then judgement.

  lost, doubled, unexpected, altered  none of each (see judge.py)
  rollups                             equal to aggregates of the raw events, by SQL
  queue                               no batch, no lease and no count of attempts left
  clients                             each answered within its deadline
"""
from support import rollups
from support.redis_server import ATTEMPTS, LEASES
from support.settings import patience
from support.wait import wait_until


def wait_drained(redis, timeout=60):
    wait_until(redis.is_drained, timeout,
               lambda: f"the queue to drain; it has {redis.queue_length()} jobs, batches "
                       f"{redis.batches()}, attempts {attempts(redis)}", interval=0.02)


def attempts(redis):
    with redis.client() as client:
        return {key.decode(): value.decode(errors="replace")
                for key, value in client.hgetall(ATTEMPTS).items()}


def leases(redis):
    with redis.client() as client:
        return [member.decode() for member in client.zrange(LEASES, 0, -1)]


def check_nothing_claimed(redis, processors, late=False):
    """Workers that wait for a job hold a lease for the batch that they would claim; those of
    processors that died end by themselves, and somebody has to see it.  `late`: a line that
    swallowed a claim may bring it to Redis after its worker has gone; the next one sees it."""
    alive = [one for one in processors if one.is_running]
    workers = sum(int(one.env.get("PROCESSOR_WORKERS", 2)) for one in alive)
    if alive:
        wait_until(lambda: len(leases(redis)) <= workers, 60,
                   lambda: f"the leases of dead workers to end: {leases(redis)}")
    for one in alive:
        one.stop()
    assert not redis.batches()
    left = set(leases(redis))
    if late and left:
        alive[0].start()
        wait_until(lambda: not left & set(leases(redis)), 60, f"the leases {left} to end")
        alive[0].stop()
    assert not leases(redis) and not attempts(redis), (leases(redis), attempts(redis))


def check_answers(results, seconds):
    """Every answer of a Load came in time."""
    for result in results:
        slowest = max(result.latencies, default=0)
        assert slowest <= patience(seconds), f"an answer took {slowest:.2f} s: {result}"


def settle_and_judge(judge, redis, database, processors, timeout=60, may_lose=(),
                     late=False):
    """Ends the processors; returns the verdict, which is clean.  `may_lose` are the ids of
    events of which a fault may lose what it likes, where the documents say so."""
    wait_drained(redis, timeout)
    database.close()  # its connection may be from before the fault
    rollups.wait_equal(database, timeout)
    verdict = judge.verdict(database)
    verdict.lost = [one for one in verdict.lost if one not in may_lose]
    if may_lose:
        verdict.torn = []  # a part of a batch may be lost like any event
    assert verdict.is_clean, str(verdict)
    check_nothing_claimed(redis, processors, late)
    return verdict
