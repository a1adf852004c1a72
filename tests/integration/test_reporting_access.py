"""Who may read: GET /stats with a token."""
import pytest

from support.daemon import run

TOKEN = "t0ken-that-is-nowhere-else"


@pytest.mark.parametrize("is_file", [False, True], ids=["value", "file"])
def test_a_token_is_asked_for_once_it_is_set(daemons, database, tmp_path, is_file):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    setting = {"REPORTING_TOKEN_FILE": path} if is_file else {"REPORTING_TOKEN": TOKEN}
    daemon = daemons.start("reporting", DATABASE_URL=database.url, **setting)
    for wrong in ["", "Bearer nonsense", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}"]:
        refused = daemon.get("/stats?site_id=demo",
                             headers=[("Authorization", wrong)] if wrong else ())
        assert refused.status == 401
        assert refused.header("WWW-Authenticate") == "Bearer"
        assert refused.json() == {"error": "unauthorized"}
    allowed = daemon.get("/stats?site_id=demo",
                         headers=[("Authorization", f"Bearer {TOKEN}")])
    assert allowed.status == 200
    assert daemon.get("/healthz").status == 200
    assert TOKEN not in daemon.stderr() + daemon.stdout()


def test_a_token_is_never_shown_nor_taken_from_a_flag(tmp_path):
    shown = run("reporting", "--print-config", cwd=tmp_path, env={"REPORTING_TOKEN": TOKEN})
    assert shown.returncode == 0 and "REPORTING_TOKEN=***" in shown.stdout
    refused = run("reporting", f"--reporting-token={TOKEN}", cwd=tmp_path)
    assert refused.returncode == 2
    missing = run("reporting", cwd=tmp_path,
                  env={"REPORTING_TOKEN_FILE": tmp_path / "none", "PORT": "0"})
    assert missing.returncode == 2 and "REPORTING_TOKEN" in missing.stderr
    for done in (shown, refused, missing):
        assert TOKEN not in done.stdout + done.stderr
