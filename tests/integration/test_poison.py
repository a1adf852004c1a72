"""Jobs that can never be stored: each alone to dead_letters, with its bytes."""
import json

import pytest

from support.events import event, job, new_id
from support.processor import push, start, wait_counts
from support.wait import wait_until


@pytest.fixture
def client(redis):
    with redis.client() as client:
        yield client


GARBAGE = [b"garbage", b"", b"null", b"[]", b"{}", b"\x00", b"\xff\xfe", b"{\"site_id\":1}",
           b"[" * 5000 + b"]" * 5000, b"{\"site_id\":\"a\\u0000b\"}", b"1e200000",
           json.dumps(event(timestamp="yesterday")).encode(),
           json.dumps(event(path="x" * 2049)).encode(),
           json.dumps(event(zzz=1)).encode(),
           json.dumps(event(event_id="not-a-uuid")).encode(),
           json.dumps(event(path="\x00")).encode(), b"x" * 200000]


def test_a_batch_of_nothing_but_poison_takes_few_statements(daemons, redis, database, client):
    """5,000 jobs, with bytes that need care in an array, and one that is there six times."""
    database.rows("""
        ALTER TABLE events ADD CONSTRAINT no_poison CHECK (path <> '/poison');
        CREATE TABLE statements (number serial);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO statements DEFAULT VALUES; RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT ON dead_letters FOR EACH STATEMENT
            EXECUTE FUNCTION note()""")
    same = job(event(event_id=new_id(), site_id='a "quoted", {odd}\\ NULL', path="/poison"))
    jobs = [b"poison %d" % n for n in range(4_990)]
    push(client, *jobs, *[b'"\\{NULL},\0\xff\''] * 4, *[same] * 6)
    start(daemons, redis, database, PROCESSOR_WORKERS=1)
    wait_until(redis.is_drained, 60, "the queue to drain")
    assert database.value("SELECT count(*) FROM statements") <= 6
    found = [bytes(row[0]) for row in database.rows("SELECT payload FROM dead_letters")]
    # What brings no id is told apart by its place.
    assert sorted(found) == sorted([*jobs, *[b'"\\{NULL},\0\xff\''] * 4,
                                    same if isinstance(same, bytes) else same.encode()])
    assert database.rows("SELECT site_id, sqlstate, payload_bytes FROM dead_letters "
                         "WHERE site_id IS NOT NULL") == [
        ('a "quoted", {odd}\\ NULL', "23514", len(same))]


def test_batches_with_the_same_dead_do_not_wait_in_a_circle(daemons, redis, database, client):
    """Two workers bury two jobs that they share, beside others of their own, so many bytes in
    one of the workers that they take several statements.  In the order of the events, by days,
    the two meet in a deadlock: the row of the first day has the greatest id."""
    database.rows("""
        ALTER TABLE events ADD CONSTRAINT no_poison CHECK (path <> '/poison');
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(0.1); RETURN new; END $$;
        CREATE TRIGGER slow BEFORE INSERT ON dead_letters FOR EACH ROW
            EXECUTE FUNCTION slow()""")
    ids = sorted(new_id() for _ in range(14))

    def poison(ident, day, padding=""):
        return padding + job(event(event_id=ident, path="/poison",
                                   timestamp=f"2025-11-{day}T10:00:00Z"))
    shared = [poison(ids[-1], 10), poison(ids[0], 20)]
    own = [poison(ident, 15) for ident in ids[1:7]]
    padded = [poison(ident, 15, 100_000 * " ") for ident in ids[7:13]]
    push(client, *shared, *own, *shared, *padded)
    processor = start(daemons, redis, database, BATCH_MAX=8, PROCESSOR_WORKERS=2)
    wait_counts(redis, database, 0, 14)
    assert "could not store a batch" not in processor.stderr()


def test_garbage_goes_to_dead_letters_with_its_bytes(daemons, redis, database, client):
    processor = start(daemons, redis, database, PROCESSOR_WORKERS=1)
    push(client, *GARBAGE, *[job(event()) for _ in range(30)])
    wait_counts(redis, database, 30, len(GARBAGE))
    found = database.rows("SELECT payload, payload_bytes, reason, sqlstate, batch_id, "
                          "batch_place FROM dead_letters")
    assert sorted(bytes(row[0]) for row in found) == sorted(GARBAGE)
    assert all(row[1] == len(bytes(row[0])) and row[2] and row[3] is None for row in found)
    assert len({(row[4], row[5]) for row in found}) == len(GARBAGE)
    assert redis.completed() == 30
    assert processor.has_logged("dead_letters")


def test_a_dead_letter_keeps_its_first_mebibyte(daemons, redis, database, client):
    start(daemons, redis, database)
    push(client, b"y" * 3000000)
    wait_counts(redis, database, 0, 1)
    assert database.row("SELECT octet_length(payload), payload_bytes FROM dead_letters") == \
        (1048576, 3000000)


@pytest.mark.parametrize("bad", [1, 10, 200])
def test_poison_is_isolated_among_a_thousand(daemons, redis, database, client, bad):
    """Rows that Postgres itself refuses: a check that the processor knows nothing of."""
    database.rows("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (path <> '/poison')")
    jobs = [job(event(event_id=new_id(), path="/poison" if n % (1000 // bad) == 3 else "/"))
            for n in range(1000)]
    push(client, *jobs)
    start(daemons, redis, database, PROCESSOR_WORKERS=1)
    wait_counts(redis, database, 1000 - bad, bad)
    found = database.rows("SELECT site_id, sqlstate, reason, payload FROM dead_letters")
    assert {row[:2] for row in found} == {("demo", "23514")}
    assert all("no_poison" in row[2] and b"/poison" in bytes(row[3]) for row in found)
    assert redis.completed() == 1000 - bad


def test_poison_beside_events_that_are_there_already(daemons, redis, database, client):
    database.rows("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (path <> '/poison')")
    there = [job(event(event_id=new_id())) for _ in range(100)]
    push(client, *there)
    start(daemons, redis, database, PROCESSOR_WORKERS=1)
    wait_counts(redis, database, 100)
    push(client, *there, *[job(event(event_id=new_id(), path="/poison")) for _ in range(7)],
         *[job(event(event_id=new_id())) for _ in range(100)])
    wait_counts(redis, database, 200, 7)


def test_a_poisonous_batch_of_one(daemons, redis, database, client):
    database.rows("ALTER TABLE events ADD CONSTRAINT no_poison CHECK (path <> '/poison')")
    start(daemons, redis, database)
    push(client, job(event(path="/poison")))
    wait_counts(redis, database, 0, 1)


def test_a_trigger_that_refuses_rows_is_poison_too(daemons, redis, database, client):
    database.rows("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF new.path = '/no' THEN RAISE EXCEPTION 'not this one'; END IF;
            RETURN new;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()
        """)
    start(daemons, redis, database)
    push(client, *[job(event(path="/no" if n % 50 == 0 else "/")) for n in range(200)])
    wait_counts(redis, database, 196, 4)
    assert {row[0] for row in database.rows("SELECT sqlstate FROM dead_letters")} == {"P0001"}
