"""How long and how large each measurement is."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Plan:
    name: str
    rounds: int              # of what is measured side by side
    seconds: int             # of one run of wrk
    warm_up_seconds: int     # of ours, once
    peer_warm_up_seconds: int  # Node.js compiles what is often run
    connections: tuple       # besides 64, for ingestion alone
    connection_rounds: int
    pipeline_rounds: int
    pipeline_seconds: int
    paced_seconds: int       # of the same at the rate of the original's stack
    drain_rounds: int
    drain_jobs: int
    peer_drain_jobs: int
    redis_requests: int      # of redis-benchmark
    idle_events: int         # one after the other, POST to visible
    user_counts: tuple       # distinct users of a site, on one day; the last site is large
    stats_rounds: int
    peer_queries: int
    scaling_seconds: int     # of wrk, with ingestion under callgrind
    key_rows: int            # that are there when a row's cost by its key is measured
    key_jobs: int            # stored on top
    cliff_events: int        # that are rolled up, of each load
    rebuild_events: int      # of the site that is counted anew
    sketch_users: int        # of the largest set of users
    raw_events: tuple        # of a site whose raw events are asked
    raw_rounds: int
    scaling_jobs: int        # stored by processors under callgrind
    disk_gb: int             # for the servers' data


FULL = Plan(
    name="full", rounds=5, seconds=3, warm_up_seconds=1, peer_warm_up_seconds=6,
    connections=(16, 128, 256, 1000), connection_rounds=3,
    pipeline_rounds=2, pipeline_seconds=30, paced_seconds=15,
    drain_rounds=3, drain_jobs=500_000, peer_drain_jobs=15_000,
    redis_requests=200_000, idle_events=100,
    user_counts=(1_000, 5_000, 100_000, 1_000_000, 5_000_000),
    stats_rounds=5, peer_queries=2, scaling_seconds=3, scaling_jobs=20_000,
    key_rows=5_000_000, key_jobs=1_000_000,
    cliff_events=300_000, rebuild_events=10_000_000, sketch_users=10_000_000,
    raw_events=(1_000_000, 10_000_000), raw_rounds=5, disk_gb=16)

QUICK = Plan(
    name="quick", rounds=2, seconds=1, warm_up_seconds=1, peer_warm_up_seconds=4,
    connections=(16, 128, 256, 1000), connection_rounds=1,
    pipeline_rounds=1, pipeline_seconds=8, paced_seconds=5,
    drain_rounds=1, drain_jobs=200_000, peer_drain_jobs=5_000,
    redis_requests=100_000, idle_events=30,
    user_counts=(1_000, 5_000, 50_000, 250_000),
    stats_rounds=3, peer_queries=2, scaling_seconds=1, scaling_jobs=6_000,
    key_rows=500_000, key_jobs=200_000,
    cliff_events=100_000, rebuild_events=300_000, sketch_users=300_000,
    raw_events=(1_000_000,), raw_rounds=3, disk_gb=4)

# Says whether everything works, and nothing about speed.
TINY = Plan(
    name="tiny", rounds=1, seconds=1, warm_up_seconds=1, peer_warm_up_seconds=4,
    connections=(16,), connection_rounds=1,
    pipeline_rounds=1, pipeline_seconds=2, paced_seconds=2,
    drain_rounds=1, drain_jobs=20_000, peer_drain_jobs=500,
    redis_requests=10_000, idle_events=5,
    user_counts=(1_000, 5_000),
    stats_rounds=1, peer_queries=1, scaling_seconds=1, scaling_jobs=2_000,
    key_rows=20_000, key_jobs=20_000,
    cliff_events=10_000, rebuild_events=5_000, sketch_users=4_000,
    raw_events=(2_000,), raw_rounds=1, disk_gb=2)

PLANS = {plan.name: plan for plan in (FULL, QUICK, TINY)}
