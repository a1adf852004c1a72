"""The workers of tests/integration/test_model.py, and what a paused one leaves behind."""
import json
import subprocess

import psycopg2

from support.daemon import base_environment
from support.process import die_with_parent
from support.queue_model import BATCH_MAX, BATCH_MAX_BYTES
from support.settings import build_dir
from support.wait import wait_until

TIMESTAMP = "2025-11-14T10:00:00.000Z"
IDLE, WAITING, RUNG = "idle", "waiting", "rung"
TAKEN, READ, HOLDING, STORED = "taken", "read", "holding", "stored"


class Worker:
    """A process of queue_driver, and what it should know."""

    def __init__(self, redis, database, directory):
        environment = base_environment(directory)
        environment.update({
            "REDIS_URL": redis.unix_url, "DATABASE_URL": database.url, "LEASE_MS": "3600000",
            "BATCH_MAX": str(BATCH_MAX), "BATCH_MAX_BYTES": str(BATCH_MAX_BYTES),
            "LOCK_TIMEOUT_MS": "50"})
        self.process = subprocess.Popen(
            [build_dir() / "tests" / "support" / "queue_driver"], cwd=directory, text=True,
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=die_with_parent())
        self.mode, self.claim, self.stored = IDLE, None, 0
        self.unsure_id = None  # of a claim of which an answer was lost
        self.most = BATCH_MAX  # jobs of the next claim, by the size of the last ones
        self.reconnect()

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.next_id, self.owner = answer["next"], answer["owner"]
        return answer

    def do(self, word):
        answer = self.say(word)
        assert answer["error"] == "", answer
        return answer

    def lose(self, word):
        """The step is done and its answer lost.  Redis serves the old connection before
        the new one, so that the step is done when this returns."""
        self.do("lose")
        answer = self.say(word)
        assert answer["error"] == "unavailable", answer
        self.reconnect()

    def cut(self, word):
        """The step is never sent."""
        self.do("cut")
        answer = self.say(word)
        assert answer["error"] == "unavailable", answer
        self.reconnect()

    def reconnect(self):
        wait_until(lambda: self.say("ping")["error"] == "", 10, "Redis to be there")

    def end(self):
        self.process.kill()
        self.process.communicate()


class Backend:
    """What a worker that was paused in the middle of its transaction leaves in Postgres."""

    def __init__(self, database, claim):
        self.batch_id, self.was_ended = claim.id, False
        self.conn = psycopg2.connect(database.url)
        keys = [json.loads(text)["event_id"] for text in claim.jobs
                if text.startswith("{") and "event_id" in text and "/refused" not in text]
        self.keys = set()
        with self.conn.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = 50")
            cursor.execute(f"SET LOCAL application_name = 'analytics-batch {claim.id}'")
            for key in sorted(keys):
                cursor.execute("SAVEPOINT one")
                try:
                    cursor.execute(
                        "INSERT INTO events (event_id, site_id, event_type, path, user_id,"
                        " timestamp) VALUES (%s, 'demo', 'page_view', '/', 'user-1', %s)"
                        " ON CONFLICT DO NOTHING", (key, TIMESTAMP))
                    self.keys |= {key} if cursor.rowcount else set()
                except psycopg2.errors.LockNotAvailable:
                    cursor.execute("ROLLBACK TO SAVEPOINT one")
