"""A client that is generated from /openapi.json: it compiles, and calls every operation of both
daemons.  And the document is valid OpenAPI 3.1.

It uses packages from npm (tests/client), whose compiler takes as long under a sanitizer as
without and sees nothing of the daemons; test_openapi.py holds them to the document.
"""
import pytest

from support import npm
from support.events import event
from support.settings import SOURCE, build_dir
from support.site_data import load

CLIENT = SOURCE / "tests/client"
KEY, TOKEN = "key-of-ingestion", "token-of-reporting"


@pytest.fixture(scope="module")
def folder():
    return npm.install(CLIENT, build_dir() / "client")


@pytest.fixture
def pair(daemons, redis, database):
    load(database, [event(props={"plan": "pro"}), event(user_id="u2"),
                    event(path="/b", event_type="signup")])
    ingestion = daemons.start("ingestion", wait=False, REDIS_URL=redis.url, INGEST_KEY=KEY)
    reporting = daemons.start("reporting", DATABASE_URL=database.url, REPORTING_TOKEN=TOKEN)
    ingestion.wait_ready()
    return ingestion, reporting


def test_a_generated_client_calls_every_operation(folder, pair):
    ingestion, reporting = pair
    answer = reporting.get("/openapi.json", {"Authorization": f"Bearer {TOKEN}"})
    (folder / "openapi.json").write_bytes(answer.body)
    assert "valid OpenAPI 3.1" in npm.run("node", "validate.mjs", "openapi.json", cwd=folder)
    npm.run("node_modules/.bin/openapi-typescript", "openapi.json", "-o", "schema.d.ts",
            cwd=folder)
    npm.run("node_modules/.bin/tsc", "-p", ".", cwd=folder)
    said = npm.run("node", "out/calls.js", cwd=folder, env={
        "INGESTION": f"http://127.0.0.1:{ingestion.port}", "INGEST_KEY": KEY,
        "REPORTING": f"http://127.0.0.1:{reporting.port}", "REPORTING_TOKEN": TOKEN})
    assert said.endswith(f"{len(operations(answer.json()))} operations called\n")


def operations(document):
    return [value for methods in document["paths"].values()
            for name, value in methods.items() if name != "parameters"]


def test_packages_are_pinned_and_name_no_host():
    lock = (CLIENT / "package-lock.json").read_text()
    assert '"resolved"' not in lock and '"integrity"' in lock
    assert "^" not in (CLIENT / "package.json").read_text()
