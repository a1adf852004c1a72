"""Where the microseconds of an event go: processor time of each part while everything runs.

Postgres' backends are told apart by their application_name: one roll-up, the workers, the
readers of /stats; the rest (checkpointer, WAL writer, autovacuum) is what remains of the
whole server.
"""
import os
import resource

TICK = 1 / os.sysconf("SC_CLK_TCK")

# A name of pg_stat_activity begins with this: part.
BACKENDS = (("analytics-rollup", "postgres_rollup"), ("analytics-reporting", "postgres_stats"),
            ("analytics-", "postgres_copy"))


def _fields(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()


def of_process(pid):
    """Seconds, all threads."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) * TICK


def of_ended_children(pid):
    fields = _fields(pid)
    return (int(fields[13]) + int(fields[14])) * TICK


def _of_children(postmaster):
    with open(f"/proc/{postmaster}/task/{postmaster}/children", encoding="utf-8") as children:
        return {int(pid): of_process(int(pid)) for pid in children.read().split()}


def of_server(server):
    """Seconds of all of Postgres."""
    postmaster = server.process.pid
    return (sum(_of_children(postmaster).values()) + of_process(postmaster)
            + of_ended_children(postmaster))


def of_postgres(server, database):
    """Seconds by part."""
    postmaster = server.process.pid
    found = _of_children(postmaster)
    total = sum(found.values()) + of_process(postmaster) + of_ended_children(postmaster)
    parts = {}
    for pid, name in database.rows("SELECT pid, application_name FROM pg_stat_activity "
                                   "WHERE backend_type = 'client backend'"):
        part = next((part for start, part in BACKENDS if name.startswith(start)), None)
        if part and pid in found:
            parts[part] = parts.get(part, 0.0) + found[pid]
    parts["postgres_rest"] = total - sum(parts.values())
    return parts


class Meter:
    """Processes by name, Postgres, and the load generator: what ended as our child."""

    def __init__(self, pids, server, database):
        self.pids, self.server, self.database = pids, server, database
        self.before = self._read()

    def _read(self):
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"wrk": used.ru_utime + used.ru_stime,
                **{name: of_process(pid) for name, pid in self.pids.items()},
                **of_postgres(self.server, self.database)}

    def spent(self):
        """Seconds of each part since the start."""
        now = self._read()
        return {name: max(0.0, now[name] - self.before.get(name, 0.0)) for name in now}
