"""How far the sketches that count users are off: 30 sets of users, from 3,000 on, in equal steps
of their logarithm.  What a site has, and what a value has."""
import contextlib

from bench import servers

SAMPLES = 30
LEAST = 3_000
SKETCHES = {"site": "14, 5, 2048, 1", "value": "11, 5, 128, 1"}
COUNT = """
    SELECT {columns} FROM (
        SELECT event_user_key('user-' || %s || '-' || n, NULL)::hll_hashval AS key
          FROM generate_series(1, %s) AS n) AS users"""


def measure(bench):
    columns = ", ".join(f"hll_cardinality(hll_add_agg(key, {sizes}))"
                        for sizes in SKETCHES.values())
    squares = dict.fromkeys(SKETCHES, 0.0)
    with contextlib.ExitStack() as stack:
        server = servers.start_postgres(stack)
        database = stack.enter_context(servers.Databases(server, bench.scratch).ours())
        for sample in range(SAMPLES):
            users = round(LEAST * (bench.plan.sketch_users / LEAST) ** (sample / (SAMPLES - 1)))
            found, = database.rows(COUNT.format(columns=columns), (sample, users))
            for name, count in zip(SKETCHES, found):
                squares[name] += (count / users - 1) ** 2
    for name, square in squares.items():
        bench.samples.add("sketches.rms_percent", name, 100 * (square / SAMPLES) ** 0.5)
    bench.say("sketches: done")
