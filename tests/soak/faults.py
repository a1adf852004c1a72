"""The faults of a soak.  Each is a generator: what stands before `yield` is the harm, what
stands after it heals.  The number that it yields is for how many seconds at most the harm
lasts; the run draws how long it really does.
"""
import collections
import multiprocessing
import os
import signal

import psycopg2
import redis as redis_client

from support.daemon import binary
from support.failpoints import EXIT_CODES, failpoints
from support.wait import wait_until

Fault = collections.namedtuple("Fault", "name function weight uses")
FAULTS = {}
ALL = "daemons lines redis postgres"


def fault(name, weight, uses):
    """Two faults come together only if they do not use the same."""
    def add(function):
        FAULTS[name] = Fault(name, function, weight, set(uses.split()))
        return function
    return add


# --- daemons --------------------------------------------------------------------------

@fault("a daemon is killed", 4, "daemons")
def kill(town, draw):
    one = draw.choice(list(town.victims.values()))
    one.kill9()
    yield 2
    one.start(wait=False)


@fault("a daemon is told to end", 3, "daemons")
def end(town, draw):
    one = draw.choice(list(town.victims.values()))
    one.stop()
    yield 1
    one.start(wait=False)


@fault("a daemon is paused", 4, "daemons")
def pause(town, draw):
    one = draw.choice(list(town.victims.values()))
    one.pause()
    yield 6
    one.resume()


@fault("a processor is killed while it holds a lease", 3, ALL)
def kill_with_lease(town, draw):
    """The claim passes by on the line, and the one that made it dies with it: whichever it
    is, so only the victim is pointed at."""
    one = town.processors[0]
    town.postgres_line.when(draw.choice([b"PGCOPY\n", b"COMMIT\0", b"BEGIN;"]),
                            lambda _: os.kill(one.process.pid, signal.SIGKILL))
    yield 1
    town.push_twice(5)
    wait_until(lambda: not one.is_running, 20, "the processor to be killed")
    one.was_killed, one.process = True, None
    one.start(wait=False)


@fault("a failpoint", 8, ALL)
def failpoint(town, draw):
    """The victim is started anew, to fail where the sources say it can."""
    which = draw.choice(["processor", "processor", "ingestion"])
    names = failpoints("ingestion") if which == "ingestion" \
        else [name for name in failpoints("processor", "shared")
              if not name.startswith(("migrate.", "careful.halving"))
              and not name.endswith(".hand_back")]
    rule = f"{draw.choice(names)}:{draw.choice(['exit', 'kill', 'stop', 'error'])}"
    one = town.victims[which]
    one.stop()
    one.env["FAILPOINTS"] = f"{rule}:{draw.randint(1, 3)}"
    one.start(wait=False)
    if not rule.startswith(("spool.", "feeder.")):
        town.push_poison(1)
        town.push_twice(20)
    yield 4
    del one.env["FAILPOINTS"]
    end_where_it_fails(one)
    one.start(wait=False)


def end_where_it_fails(one):
    """It may not have failed yet, and do so on its way out."""
    if one.is_running:
        one.signal(signal.SIGTERM)

    def has_ended():
        if one.process.poll() is None:
            one.resume()
        return one.process.poll() is not None
    wait_until(has_ended, 20, one.story)
    assert one.process.returncode in (0, *EXIT_CODES.values()), one.story()
    one.process = None


# --- lines ----------------------------------------------------------------------------

def any_line(town, draw):
    return draw.choice(list(town.lines.values()))


@fault("a line is cut", 3, "lines")
def cut(town, draw):
    for _ in range(draw.randint(1, 5)):
        line = any_line(town, draw)
        draw.choice([line.cut, line.reset, line.half_close])()
        yield 0.3


@fault("a line swallows everything", 4, "lines")
def swallow(town, draw):
    any_line(town, draw).swallow(draw.choice(["up", "down", None]))
    yield 6
    town.heal()


@fault("a line is slow", 2, "lines")
def slow(town, draw):
    any_line(town, draw).delay(draw.uniform(0.01, 0.3))
    yield 5
    town.heal()


@fault("a line refuses", 2, "lines")
def refuse(town, draw):
    line = any_line(town, draw)
    line.refuse()
    line.reset()
    yield 4
    town.heal()


@fault("replies are lost", 4, "lines")
def lose_replies(town, draw):
    line, word = draw.choice([(town.door_line, b"LPUSH"), (town.worker_line, b"EVALSHA"),
                              (town.postgres_line, b"COMMIT\0")])
    line.when(word, draw.choice([line.lose_reply, line.lose_connection,
                                 line.lose_by_reset]), times=draw.randint(1, 10))
    yield 2


@fault("replies to ingestion are damaged", 1, "lines")
def damage(town, draw):
    town.door_line.flip_bytes(5, draw.random())
    yield 3
    town.heal()
    town.door_line.cut()


# --- Redis ----------------------------------------------------------------------------

@fault("redis is killed", 4, "redis")
def redis_killed(town, draw):
    town.redis.kill()
    yield 6
    town.redis.start()


@fault("redis is stopped", 2, "redis")
def redis_stopped(town, draw):
    town.redis.stop()
    yield 6
    town.redis.start()


@fault("redis is paused", 3, "redis")
def redis_paused(town, draw):
    town.redis.pause()
    yield 5
    town.redis.resume()


@fault("redis is full", 2, "redis")
def redis_full(town, draw):
    with town.redis.client() as client:
        client.config_set("maxmemory", 1)
        yield 4
        client.config_set("maxmemory", 0)


@fault("redis is a replica", 1, "redis")
def redis_read_only(town, draw):
    with town.redis.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        yield 3
        client.execute_command("REPLICAOF", "NO", "ONE")


@fault("redis is busy with a script", 1, "redis")
def redis_busy(town, draw):
    with town.redis.client(socket_timeout=0.2) as client:
        client.config_set("busy-reply-threshold", 100)
        try:
            client.execute_command("EVAL", "while true do end", 0)
        except redis_client.TimeoutError:
            pass
    yield 3
    with town.redis.client() as client:
        client.execute_command("SCRIPT", "KILL")


@fault("redis makes writers wait", 1, "redis")
def redis_waits(town, draw):
    with town.redis.client() as client:
        client.execute_command("CLIENT", "PAUSE", 10000, "WRITE")
        yield 3
        client.execute_command("CLIENT", "UNPAUSE")


@fault("redis forgets its scripts", 1, "redis")
def redis_forgets(town, draw):
    with town.redis.client() as client:
        client.script_flush()
    yield 0.2


# --- Postgres -------------------------------------------------------------------------

@fault("postgres ends", 5, "postgres")
def postgres_ends(town, draw):
    town.database.close()
    how = draw.choice(["fast", "immediate", "kill"])
    town.postgres.kill() if how == "kill" else town.postgres.stop(how)
    yield 6
    town.postgres.start()


@fault("postgres is paused", 3, "postgres")
def postgres_paused(town, draw):
    town.postgres.pause()
    yield 5
    town.postgres.resume()


@fault("backends are ended", 3, "postgres")
def backends_ended(town, draw):
    for _ in range(draw.randint(1, 4)):
        ask(town, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                  "application_name LIKE 'analytics-%' AND random() < 0.5")
        yield 0.3


@fault("a backend is killed", 2, "postgres")
def backend_killed(town, draw):
    rows = ask(town, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE "
                     "'analytics-%' ORDER BY random() LIMIT 1")
    town.database.close()
    if rows:
        os.kill(rows[0][0], signal.SIGKILL)
    yield 1


@fault("a table is locked", 3, "postgres")
def locked(town, draw):
    conn = town.database.connect()
    conn.autocommit = False
    with conn.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
        try:
            cursor.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        except psycopg2.Error:
            pass  # a stalled writer was there first
        yield 4
    conn.close()


@fault("a table is missing", 2, "postgres")
def missing(town, draw):
    ask(town, "ALTER TABLE events RENAME TO away")
    yield 2
    ask(town, "ALTER TABLE away RENAME TO events")


@fault("postgres is read-only", 2, "postgres")
def read_only(town, draw):
    ask(town, "ALTER SYSTEM SET default_transaction_read_only = on")
    ask(town, "SELECT pg_reload_conf()")
    yield 3
    ask(town, "ALTER SYSTEM SET default_transaction_read_only = off")
    ask(town, "SELECT pg_reload_conf()")


@fault("connections run out", 1, "postgres")
def crowded(town, draw):
    taken = []
    try:
        while len(taken) < 200:
            taken.append(psycopg2.connect(town.database.url))
    except psycopg2.OperationalError:
        pass
    town.postgres_line.cut()
    yield 3
    for one in taken:
        one.close()


def ask(town, sql):
    """By a connection that may write, whatever the server's setting says."""
    conn = town.database.connect(options="-c default_transaction_read_only=off "
                                         "-c lock_timeout=10s")
    try:
        with conn.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        conn.close()


# --- input and the machine ------------------------------------------------------------

@fault("poison and doubles", 3, "redis")
def poison(town, draw):
    town.push_poison(draw.randint(1, 30))
    town.push_twice(draw.randint(1, 300))
    yield 0.5


def burn():
    while True:
        pass


@fault("the processor time is short", 2, "time")
def short_of_time(town, draw):
    burners = [multiprocessing.Process(target=burn, daemon=True)
               for _ in range(2 * (os.cpu_count() or 2))]
    for one in burners:
        one.start()
    yield 5
    for one in burners:
        one.kill()
        one.join()


def usable():
    """Those that this build can do."""
    has_failpoints = b"FAILPOINTS is wrong" in binary("processor").read_bytes()
    return {name: one for name, one in FAULTS.items()
            if name != "a failpoint" or has_failpoints}
