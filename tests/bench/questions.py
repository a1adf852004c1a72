"""/stats with 90 different questions, three sites and 30 days, at 64 connections: ours, ours when
no answer is kept, and Node.js with the same SQL and as many connections to Postgres."""
import contextlib
import datetime
import json
import urllib.request

from bench import servers, sides
from bench.stats import day

SITES, DAYS, EVENTS = 3, 30, 60_000
CONNECTIONS = 64
INSERT = """
    INSERT INTO events (site_id, event_type, path, user_id, "timestamp")
    SELECT 'site-' || n %% %s, 'page_view', '/p/' || n * 7919 %% 100, 'user-' || n %% 500,
           %s::timestamptz - n * %s / %s * interval '1 day' + interval '12 hours'
      FROM generate_series(1, %s) AS n
"""


def measure(bench):
    with contextlib.ExitStack() as stack:
        databases = servers.Databases(servers.start_postgres(stack), bench.scratch)
        database = stack.enter_context(databases.ours())
        database.rows(INSERT, (SITES, f"{day()} 00:00:00+00", float(DAYS - 1), float(EVENTS), EVENTS))
        while not database.value("SELECT b.is_done FROM rollup_settled(5000) s, "
                                 "rollup_chunk(s, 100000) b"):
            pass
        database.rows("VACUUM ANALYZE")
        ports = {
            "ours": sides.start_daemon(stack, bench.scratch, "reporting",
                                       DATABASE_URL=database.url).port,
            "unkept": sides.start_daemon(stack, bench.scratch, "reporting", ANSWERS_MAX_BYTES=0,
                                         DATABASE_URL=database.url).port,
            "node": sides.start_node(stack, bench.peer, bench.scratch, "questions",
                                     DATABASE_URL=database.url).port,
        }
        _ask(bench, ports)


def _targets():
    return [f"/stats?site_id=site-{site}&date={day() - datetime.timedelta(days=before)}"
            for before in range(DAYS) for site in range(SITES)]


def _ask(bench, ports):
    targets = _targets()
    for target in targets:
        answers = [json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}{target}"))
                   for port in ports.values()]
        if answers[0]["total_views"] == 0 or answers.count(answers[0]) != len(answers):
            bench.samples.fault("questions.rate", f"{target}: {answers}")
    bench.wrk.get(ports["node"], " ".join(targets), bench.plan.peer_warm_up_seconds,
                  connections=CONNECTIONS)
    for _ in range(bench.plan.rounds):
        for name, port in ports.items():
            result = bench.wrk.get(port, " ".join(targets), bench.plan.seconds,
                                   connections=CONNECTIONS)
            bench.samples.add("questions.rate", name, result.rate)
            if not result.is_clean:
                bench.samples.fault("questions.rate", f"{name}: {result}")
    bench.say("questions: " + ", ".join(
        f"{name} {bench.samples.median('questions.rate', name):,.0f}/s" for name in ports))
