"""`processor --dead`: dead letters listed, shown, replayed and purged, while processors run,
and while it is interrupted at the worst moment."""
import contextlib
import json
import re
import subprocess

import pytest

from support.daemon import base_environment, binary, run
from support.events import event, job, new_id
from support.redis_server import QUEUE
from support.settings import patience
from support.wait import wait_until

FAST = {"ROLLUP_POLL_MS": 20, "RETRY_BASE_MS": 10, "RETRY_MAX_MS": 50}
LETTERS = "SELECT event_id::text FROM dead_letters ORDER BY created_at, event_id"

# An operator's own rule: events with a path in this table are refused.
REFUSE = """
CREATE TABLE refused_paths (path text PRIMARY KEY);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM refused_paths r WHERE r.path = NEW.path) THEN
        RAISE EXCEPTION 'path % is refused', NEW.path;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse();
INSERT INTO refused_paths VALUES ('/refused');
"""
MEND = "TRUNCATE refused_paths"


class Dead:
    """The program, with the servers of a test."""

    def __init__(self, redis, database, directory):
        self.redis, self.database, self.directory = redis, database, directory
        self.env = {"REDIS_URL": redis.url, "DATABASE_URL": database.url}

    def run(self, command, *flags, code=0, env=None):
        done = run("processor", "--dead", command, *flags, cwd=self.directory,
                   env={**self.env, **(env or {})}, timeout=60)
        assert done.returncode == code, done
        return done

    def start(self, *words):
        environment = base_environment(self.directory)
        environment.update(self.env)
        return subprocess.Popen(
            [binary("processor"), "--dead", *words], cwd=self.directory, env=environment,
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def json(self, command, *flags):
        lines = self.run(command, "--json", *flags).stdout.split("\n")
        return [json.loads(line) for line in lines if line]

    def ids(self):
        return [row[0] for row in self.database.rows(LETTERS)]


@pytest.fixture
def dead(redis, database, tmp_path):
    return Dead(redis, database, tmp_path)


@pytest.fixture
def processor(redis, database, daemons):
    database.rows(REFUSE)
    return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url, **FAST)


def push(redis, *jobs):
    with redis.client() as client:
        client.lpush(QUEUE, *jobs)


def wait_letters(database, count):
    wait_until(lambda: database.value("SELECT count(*) FROM dead_letters") == count, 15,
               f"{count} dead letters")


def refused(**fields):
    return job(event(path="/refused", **fields))


def insert_letters(database, count, site="bulk", payload="job", first="2025-01-01Z"):
    """Letters as the processor writes them, one a second."""
    database.rows(
        "INSERT INTO dead_letters (event_id, site_id, payload, payload_bytes, reason,"
        " batch_id, batch_place, created_at)"
        " SELECT gen_random_uuid(), %s, convert_to(%s || n, 'UTF8'), length(%s || n),"
        " 'made up ' || n, 'batch', n, %s::timestamptz + n * interval '1 s'"
        " FROM generate_series(1, %s) n", (site, payload, payload, first, count))


def stored(database, event_id):
    return database.value("SELECT count(*) FROM events WHERE event_id = %s", (event_id,))


# --- list and show ---------------------------------------------------------------

def test_list_is_an_aligned_table(dead, redis, database, processor):
    ids = [new_id(), new_id()]
    push(redis, refused(event_id=ids[0], site_id="shop"), refused(event_id=ids[1]),
         b'{"site_id":"\x1b[2Jevil\n', "x" * 500)
    wait_letters(database, 4)
    lines = dead.run("list").stdout.splitlines()
    assert len(lines) == 5
    head = lines[0]
    assert head.split() == ["failed", "at", "event_id", "site_id", "state", "reason", "payload"]
    for name in ("event_id", "site_id", "state", "reason", "payload"):
        at = head.index(name)
        assert all(line[at - 2:at] == "  " and line[at] != " " for line in lines), name
    text = "\n".join(lines)
    assert all(i in text for i in ids)
    assert "shop" in text and "P0001" in text and "path /refused is refused" in text
    assert r'{"site_id":"\x1b[2Jevil\n' in text
    assert "xxx.." in text and max(map(len, lines)) < 220
    assert not re.search(r"[^\x20-\x7e\n]", text)


def test_list_of_nothing(dead):
    assert len(dead.run("list").stdout.splitlines()) == 1
    assert dead.run("list", "--json").stdout == ""
    assert dead.run("show").stdout == ""
    assert dead.run("replay").stdout == "replayed 0, skipped 0\n"
    assert dead.run("purge", "--yes").stdout == "purged 0\n"


def test_json_has_one_object_a_line(dead, redis, database, processor):
    given = refused(event_id=new_id(), site_id="s\u00e4\u2028", user_id=None)
    push(redis, given, b"\xff\x00raw")
    wait_letters(database, 2)
    letters = {letter["reason"].split(":")[0]: letter for letter in dead.json("list")}
    assert len(letters) == 2
    readable = next(x for x in letters.values() if x["sqlstate"])
    assert list(readable) == ["event_id", "created_at", "site_id", "reason", "sqlstate",
                              "batch_id", "batch_place", "payload_bytes", "payload"]
    assert readable["payload"] == given and readable["site_id"] == "s\u00e4\u2028"
    assert readable["payload_bytes"] == len(given.encode())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", readable["created_at"])
    raw = next(x for x in letters.values() if not x["sqlstate"])
    assert (raw["payload_hex"], raw["site_id"]) == ("ff00726177", None)
    assert dead.json("show") == dead.json("list")


def test_show_has_everything(dead, redis, database, processor):
    event_id = new_id()
    given = refused(event_id=event_id, user_id="\u202egnp.exe\\")
    push(redis, given, refused(event_id=new_id()))
    wait_letters(database, 2)
    text = dead.run("show", f"--event-id={event_id.upper()}").stdout
    assert re.search(rf"^event_id +{event_id}$", text, flags=re.M)
    assert re.search(r"^sqlstate +P0001$", text, flags=re.M)
    assert f"{len(given.encode())} bytes\n" in text
    assert r"\xe2\x80\xaegnp.exe\\\\" in text and "\u202e" not in text
    assert text.count("event_id ") == 1


def test_filters(dead, database):
    insert_letters(database, 10, "one")
    insert_letters(database, 5, "two", first="2025-02-01Z")
    database.rows("INSERT INTO dead_letters (event_id, payload, payload_bytes, reason,"
                  " batch_id, batch_place) VALUES (gen_random_uuid(), '', 0, 'A Big %% Bang',"
                  " 'b', 0)")

    def count(*flags):
        return len(dead.json("list", *flags))
    assert count() == 16
    assert count("--site=one") == 10 and count("--site", "two") == 5
    assert count("--site=on") == 0
    assert count("--reason=MADE up 1") == 3  # 1 and 10 of the one, 1 of the other
    assert count("--reason=big %") == 1 and count("--reason=b_g") == 0
    assert count("--since=2025-02-01") == 6
    assert count("--since=2025-02-01T00:00:02Z", "--until=2025-02-01T00:00:05Z") == 3
    assert count("--until=2025-01-01T01:00:11+01:00", "--site=one") == 10
    assert count("--until=2025-01-01T01:00:10+01:00", "--site=one") == 9
    some = dead.json("list", "--site=two")[2]
    assert dead.json("list", "--event-id", some["event_id"]) == [some]


def test_pages_and_limit(dead, database):
    """More letters than a page has rows, and payloads of more bytes than a page holds."""
    insert_letters(database, 1203)
    insert_letters(database, 20, "big", "y" * 900000, "2025-02-01Z")
    found = dead.json("list", "--limit=100000")
    assert len(found) == 1223
    assert found == sorted(found, key=lambda letter: letter["created_at"])
    assert len({letter["event_id"] for letter in found}) == 1223
    assert all(letter["payload_bytes"] == len(letter["payload"]) for letter in found)
    done = dead.run("list", "--json", "--limit=700")
    assert [json.loads(line) for line in done.stdout.splitlines()] == found[:700]
    assert "there are more" in done.stderr
    done = dead.run("list", "--json", "--limit=1223")
    assert done.stderr == ""


def test_output_that_cannot_be_written(dead, database):
    insert_letters(database, 3)
    with open("/dev/full", "w") as full:
        environment = {**base_environment(dead.directory), **dead.env}
        done = subprocess.run([binary("processor"), "--dead", "list"], cwd=dead.directory,
                              env=environment, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "stdout" in done.stderr


# --- settings --------------------------------------------------------------------

@pytest.mark.parametrize("flags", [
    ["--dead"], ["--dead="], ["--dead", "eat"], ["--dead=list", "--since=yesterday"],
    ["--dead=list", "--until=2025-02-30"], ["--dead=list", "--event-id=1"],
    ["--dead=list", "--limit=0"], ["--dead=list", "--migrate=x"], ["--dead=list", "--nothing"],
    ["--dead=list", "--database-url=x y"], ["--site=x"], ["--json"], ["--yes"]], ids=" ".join)
def test_wrong_words(tmp_path, flags):
    done = run("processor", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("processor: ")


def test_flags_are_no_environment_and_settings_are_the_daemons(dead, database):
    insert_letters(database, 2)
    env = {"SITE": "nobody", "site": "nobody", "limit": "1", "json": "true"}
    assert len(dead.run("list", env=env).stdout.splitlines()) == 3
    (dead.directory / ".env").write_text("limit=1\nsite=nobody\nREDIS_URL=redis://h:1\n")
    assert len(dead.run("list").stdout.splitlines()) == 3
    shown = dead.run("list", "--print-config", env={"REDIS_URL": ""}).stdout
    assert "REDIS_URL=redis://h:1\n" in shown and "site" not in shown


def test_help(tmp_path):
    text = run("processor", "--dead", "--help", cwd=tmp_path).stdout
    for flag in ("dead", "site", "reason", "event-id", "since", "until", "limit", "json", "yes"):
        assert f"  --{flag}\n" in text
    assert "--batch-max" not in text
    daemon = run("processor", "--help", cwd=tmp_path).stdout
    assert "processor --dead --help" in daemon and "--since" not in daemon


def test_servers_that_are_not_there(dead, database, tmp_path):
    insert_letters(database, 1, payload=job(event()))
    done = dead.run("list", code=1, env={"DATABASE_URL": "host=127.0.0.1 port=1"})
    assert "could not connect" in done.stderr and done.stdout.count("\n") <= 1
    database.rows("UPDATE dead_letters SET payload = convert_to(%s, 'UTF8'),"
                  " payload_bytes = length(%s)", (refused(), refused()))
    done = dead.run("replay", code=1, env={"REDIS_URL": "redis://127.0.0.1:1"})
    assert "Redis" in done.stderr
    assert len(dead.ids()) == 1


def test_a_database_without_the_schema(redis, empty_database, tmp_path):
    done = Dead(redis, empty_database, tmp_path).run("list", code=1)
    assert "schema_version" in done.stderr


# --- purge -----------------------------------------------------------------------

def test_purge_wants_a_yes(dead, database):
    insert_letters(database, 3)
    done = dead.run("purge", code=2)
    assert done.stdout == "" and "3 dead letters" in done.stderr and "--yes" in done.stderr
    assert len(dead.ids()) == 3
    assert dead.run("purge", "--yes").stdout == "purged 3\n"
    assert dead.ids() == []


def test_purge_deletes_what_the_filter_lets_through(dead, database):
    insert_letters(database, 1300, "one")
    insert_letters(database, 3, "two")
    assert dead.json("purge", "--yes", "--site=one", "--until=2025-01-01T00:00:11Z") \
        == [{"purged": 10}]
    assert dead.json("purge", "--yes", "--site=one", "--limit=600") == [{"purged": 600}]
    assert dead.json("purge", "--yes", "--site=one", "--limit=5000") == [{"purged": 690}]
    assert len(dead.ids()) == 3


# --- replay ----------------------------------------------------------------------

def test_replayed_jobs_are_stored_once(dead, redis, database, processor):
    """With the job's own event_id, and with the letter's where the job has none."""
    own = new_id()
    push(redis, refused(event_id=own, user_id="a"), refused(user_id="b"))
    wait_letters(database, 2)
    letters = {x["event_id"]: x["payload"] for x in dead.json("list")}
    database.rows(MEND)
    assert dead.run("replay").stdout == "replayed 2, skipped 0\n"
    assert dead.ids() == []
    wait_until(redis.is_drained, 15, "the queue to be drained")
    assert sorted(database.rows("SELECT event_id::text, user_id FROM events")) == sorted(
        (i, json.loads(payload)["user_id"]) for i, payload in letters.items())
    assert own in letters
    # The batch of old, should a Redis restored from a backup bring it again.
    push(redis, *(json.dumps({**json.loads(p), "event_id": i}) for i, p in letters.items()))
    wait_until(redis.is_drained, 15, "the queue to be drained")
    assert database.value("SELECT count(*) FROM events") == 2


def test_a_letter_that_fails_again_is_a_letter_again(dead, redis, database, processor):
    push(redis, refused(event_id=new_id()), refused())
    wait_letters(database, 2)
    before = {x["event_id"]: x for x in dead.json("list")}
    assert dead.json("replay") == [{"event_id": i, "result": "replayed"} for i in before]
    wait_until(lambda: len(dead.ids()) == 2 and redis.is_drained(), 15, "two letters again")
    after = {x["event_id"]: x for x in dead.json("list")}
    assert set(after) == set(before)
    assert all(after[i]["batch_id"] != before[i]["batch_id"]
               and after[i]["created_at"] > before[i]["created_at"] for i in after)
    database.rows(MEND)
    assert dead.run("replay").stdout == "replayed 2, skipped 0\n"
    wait_until(lambda: database.value("SELECT count(*) FROM events") == 2, 15, "both rows")


def test_letters_that_can_never_be_events_stay(dead, redis, database, processor):
    push(redis, "nonsense", job(event(site_id="")), refused(event_id=new_id()))
    wait_letters(database, 3)
    database.rows("INSERT INTO dead_letters (event_id, payload, payload_bytes, reason,"
                  " batch_id, batch_place) SELECT gen_random_uuid(), convert_to(%s, 'UTF8'),"
                  " 2000000, 'cut', 'b', 0", (job(event()),))
    database.rows(MEND)
    text = dead.run("replay").stdout
    assert text.endswith("replayed 1, skipped 3\n")
    assert '"site_id" is not allowed to be empty' in text and "were kept" in text
    assert len(re.findall(r"^skipped [0-9a-f-]{36}: ", text, flags=re.M)) == 3
    assert len(dead.ids()) == 3
    results = dead.json("replay")
    assert [x["result"] for x in results] == ["skipped"] * 3
    assert all(x["reason"] for x in results)


def test_replay_of_many_pages_with_filters(dead, redis, database, processor):
    jobs = [refused(event_id=new_id(), site_id=f"site-{n % 2}") for n in range(1201)]
    push(redis, *jobs)
    wait_letters(database, 1201)
    database.rows(MEND)
    assert dead.run("replay", "--site=site-0", "--limit=1000").stdout \
        == "replayed 601, skipped 0\n"
    assert len(dead.ids()) == 600
    assert dead.run("replay", "--limit=550").stderr.count("there are more") == 1
    assert dead.run("replay").stdout == "replayed 50, skipped 0\n"
    wait_until(redis.is_drained, 20, "the queue to be drained")
    assert database.row("SELECT count(*), count(DISTINCT event_id) FROM events") \
        == (1201, 1201)


def test_letters_that_keep_failing_are_replayed_once_a_run(dead, redis, database, processor):
    """They come back faster than the pages are read, as newer letters."""
    push(redis, *(refused(event_id=new_id()) for _ in range(1100)))
    wait_letters(database, 1100)
    assert dead.run("replay", "--limit=100000").stdout.startswith("replayed 1100, skipped 0\n")
    wait_until(lambda: redis.is_drained() and len(dead.ids()) == 1100, 20, "all of them back")


@contextlib.contextmanager
def deletes_wait(database):
    """DELETEs from dead_letters wait, before they have looked for rows, until the end."""
    database.rows("""
        CREATE OR REPLACE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
        CREATE OR REPLACE TRIGGER wait_for_test BEFORE DELETE ON dead_letters
        FOR EACH STATEMENT EXECUTE FUNCTION wait_for_test();
        SELECT pg_advisory_lock(4711)""")
    try:
        yield
    finally:
        database.rows("SELECT pg_advisory_unlock(4711)")


def waits_to_delete(database):
    return database.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
                          " AND application_name = 'analytics-dead-letters'") > 0


def test_killed_between_push_and_delete(dead, redis, database, processor):
    event_id = new_id()
    push(redis, refused(event_id=event_id), refused(user_id="no id"))
    wait_letters(database, 2)
    database.rows(MEND)
    with deletes_wait(database):
        program = dead.start("replay")
        wait_until(lambda: waits_to_delete(database), 15, "the letters to be deleted")
        wait_until(lambda: stored(database, event_id) == 1, 15, "the job to be stored")
        program.kill()
        program.communicate()
        wait_until(lambda: not waits_to_delete(database) or database.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'analytics-dead-letters'"), 15, "its backend to end")
        wait_until(lambda: not waits_to_delete(database), 15, "its backend to end")
    assert len(dead.ids()) == 2
    assert dead.run("replay").stdout == "replayed 2, skipped 0\n"
    wait_until(redis.is_drained, 15, "the queue to be drained")
    assert dead.ids() == []
    assert database.row("SELECT count(*), count(DISTINCT event_id) FROM events") == (2, 2)


def test_killed_before_the_push(dead, redis, database):
    insert_letters(database, 1)
    payload = job(event(event_id=new_id()))
    database.rows("UPDATE dead_letters SET payload = convert_to(%s, 'UTF8'),"
                  " payload_bytes = octet_length(%s)", (payload, payload))
    redis.pause()
    try:
        program = dead.start("replay")
        wait_until(lambda: database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'"
            " AND application_name = 'analytics-dead-letters'"
            " AND query LIKE '%%batch_place%%'") == 1, 15, "the page to be read")
        program.kill()
        program.communicate()
    finally:
        redis.resume()
    assert len(dead.ids()) == 1


@pytest.mark.parametrize("timestamp, kept", [
    ("2025-11-14T10:00:00.000Z", True),  # as ingestion writes it: the same bytes again
    ("2025-11-14 10:00", False)])
def test_a_job_that_fails_again_before_its_letter_is_deleted(dead, redis, database, processor,
                                                            timestamp, kept):
    """The letter of the new failure must not go as that of the old one."""
    push(redis, refused(event_id=new_id(), timestamp=timestamp))
    wait_letters(database, 1)
    before = dead.json("list")[0]
    with deletes_wait(database):
        program = dead.start("replay")
        wait_until(lambda: waits_to_delete(database), 15, "the letter to be deleted")
        wait_until(lambda: database.value(
            "SELECT count(*) FROM dead_letters WHERE batch_id <> %s",
            (before["batch_id"],)) == 1, 15, "the job to fail again")
    out, err = program.communicate(timeout=patience(20))
    assert (program.returncode, err) == (0, "")
    assert out.startswith("replayed 1, skipped 0\n")
    assert ("1 of their letters changed" in out) == kept
    wait_until(redis.is_drained, 15, "the queue to be drained")
    assert dead.ids() == [before["event_id"]]
    database.rows(MEND)
    assert dead.run("replay").stdout == "replayed 1, skipped 0\n"
    wait_until(lambda: stored(database, before["event_id"]) == 1, 15, "the row")
    assert dead.ids() == []


def test_two_replays_side_by_side(dead, redis, database, processor):
    push(redis, *(refused(event_id=new_id()) for _ in range(900)))
    wait_letters(database, 900)
    database.rows(MEND)
    programs = [dead.start("replay"), dead.start("replay")]
    for program in programs:
        out, err = program.communicate(timeout=patience(30))
        assert program.returncode == 0, (out, err)
    wait_until(redis.is_drained, 20, "the queue to be drained")
    assert dead.ids() == []
    assert database.row("SELECT count(*), count(DISTINCT event_id) FROM events") == (900, 900)


def test_a_queue_that_is_full(dead, private_redis, database, tmp_path):
    redis = private_redis(maxmemory="3mb")
    full = Dead(redis, database, tmp_path)
    insert_letters(database, 1)
    payload = job(event(event_id=new_id()))
    database.rows("UPDATE dead_letters SET payload = convert_to(%s, 'UTF8'),"
                  " payload_bytes = octet_length(%s)", (payload, payload))
    with redis.client() as client:
        client.config_set("maxmemory", "1")
        done = full.run("replay", code=1)
        assert "maxmemory" in done.stderr
        letter, = full.ids()
        client.config_set("maxmemory", "0")
    assert full.run("replay").stdout == "replayed 1, skipped 0\n"
    assert redis.queue_length() == 1 and full.ids() == []
    with redis.client() as client:
        pushed = json.loads(client.lindex(QUEUE, 0))
    assert pushed == {**json.loads(payload), "event_id": letter,
                      "timestamp": "2025-11-14T10:00:00.000Z"}
