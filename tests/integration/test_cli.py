"""The command line and the settings of all three daemons, from the outside: --help,
--version, --print-config, .env, and what is wrong with a setting."""
import re

import pytest

from support.daemon import run
from support.settings_tables import settings

DAEMONS = ["ingestion", "processor", "reporting"]
SHARED = {"PORT", "HOST", "LOG_LEVEL", "MAX_CONNECTIONS", "IDLE_TIMEOUT_MS",
          "HEADER_TIMEOUT_MS", "BODY_TIMEOUT_MS", "WRITE_TIMEOUT_MS", "SHUTDOWN_TIMEOUT_MS"}
OWN = {"ingestion": {"REDIS_URL", "INGEST_THREADS", "ENQUEUE_TIMEOUT_MS", "MAX_BODY_BYTES"},
       "processor": {"REDIS_URL", "DATABASE_URL", "PROCESSOR_WORKERS", "BATCH_MAX", "LEASE_MS",
                     "EVENTS_RETENTION_MONTHS", "LOG_JOBS_MAX"},
       "reporting": {"DATABASE_URL", "REPORTING_CONNECTIONS", "QUERY_TIMEOUT_MS"}}
PORTS = {"ingestion": "3000", "processor": "5000", "reporting": "4000"}


def table(name):
    """NAME -> (default, range, meaning), as --help has it."""
    return {key: rest for key, *rest in settings(name)}


def config(name, tmp_path, *arguments, env=None):
    """What --print-config says."""
    done = run(name, "--print-config", *arguments, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.fixture(params=DAEMONS)
def name(request):
    return request.param


def test_help_names_every_setting(name, tmp_path):
    done = run(name, "--help", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"{name} ")
    found = table(name)
    assert SHARED | OWN[name] <= set(found)
    assert found["PORT"][0] == PORTS[name]
    for key, (_, values, meaning) in found.items():
        assert len(meaning) > 5, key
        flag = "--" + key.lower().replace("_", "-")
        assert f"  {flag}\n" in done.stdout or f"  {key} (no flag)\n" in done.stdout
    for word in ("--help", "--version", "--print-config"):
        assert word in done.stdout
    assert ("--migrate" in done.stdout) == (name == "processor")


def test_version(name, tmp_path):
    done = run(name, "--version", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert re.fullmatch(rf"{name} \d+\.\d+\.\d+\n", done.stdout)


def test_help_and_version_need_no_right_settings(name, tmp_path):
    for word in ("--help", "--version"):
        assert run(name, word, cwd=tmp_path, env={"PORT": "x"}).returncode == 0


def test_print_config_shows_every_setting(name, tmp_path):
    found = config(name, tmp_path)
    assert set(found) == set(table(name))
    for key, (default, _, _) in table(name).items():
        assert found[key] == default, key


def test_print_config_masks_passwords(name, tmp_path):
    env = {"REDIS_URL": "redis://someone:s3cr3t@127.0.0.1:6379/2",
           "DATABASE_URL": "postgresql://someone:s3cr3t@127.0.0.1:5432/db?sslmode=disable"}
    done = run(name, "--print-config", cwd=tmp_path, env=env)
    assert done.returncode == 0
    assert "s3cr3t" not in done.stdout + done.stderr
    for key in {"REDIS_URL", "DATABASE_URL"} & set(table(name)):
        assert f"{key}={env[key].replace('s3cr3t', '***')}\n" in done.stdout
    if "DATABASE_URL" in table(name):
        for text in ("host=h user=someone password=s3cr3t dbname=d",
                     "host=h password = 's3cr3t' dbname=d",
                     "postgresql://h/d?user=someone&password=s3cr3t",
                     "postgresql://someone:s3cr3t@h1,h2/d"):
            done = run(name, "--print-config", cwd=tmp_path, env={"DATABASE_URL": text})
            assert done.returncode == 0
            assert "s3cr3t" not in done.stdout + done.stderr, text
            assert "***" in done.stdout


def test_a_secret_is_neither_shown_nor_taken_from_the_command_line(name, tmp_path):
    """Where any process of the machine could read it."""
    text = run(name, "--help", cwd=tmp_path).stdout
    for key in re.findall(r"^  ([A-Z0-9_]+) \(no flag\)$", text, flags=re.M):
        done = run(name, "--print-config", cwd=tmp_path, env={key: "s3cr3t-0123456789"})
        assert "s3cr3t" not in done.stdout + done.stderr
        assert done.returncode != 0 or f"{key}=***\n" in done.stdout
        flag = "--" + key.lower().replace("_", "-")
        done = run(name, f"{flag}=s3cr3t-0123456789", cwd=tmp_path)
        assert done.returncode == 2
        assert "s3cr3t" not in done.stdout + done.stderr


def test_flag_before_environment_before_file_before_default(name, tmp_path):
    assert config(name, tmp_path)["PORT"] == PORTS[name]
    (tmp_path / ".env").write_text("PORT=1001\nHOST=127.0.0.9\nLOG_LEVEL=warn\n")
    found = config(name, tmp_path)
    assert (found["PORT"], found["HOST"], found["LOG_LEVEL"]) == ("1001", "127.0.0.9", "warn")
    env = {"PORT": "1002", "HOST": "127.0.0.8"}
    found = config(name, tmp_path, env=env)
    assert (found["PORT"], found["HOST"], found["LOG_LEVEL"]) == ("1002", "127.0.0.8", "warn")
    for flag in (["--port=1003"], ["--port", "1003"]):
        found = config(name, tmp_path, *flag, env=env)
        assert (found["PORT"], found["HOST"]) == ("1003", "127.0.0.8")
    assert config(name, tmp_path, env={"PORT": ""})["PORT"] == "1001"


def test_the_grammar_of_the_file(name, tmp_path):
    (tmp_path / ".env").write_text(
        "# a comment\n\n  PORT = 1001  \nexport HOST='127.0.0.9'\r\n"
        "IDLE_TIMEOUT_MS=\"7000\"\nSOMEONE_ELSES=a=b # c\nLOG_LEVEL=\n"
        "UNKNOWN='x y'\n\tHEADER_TIMEOUT_MS=1234\nPORT=1002")
    found = config(name, tmp_path)
    assert found["PORT"] == "1002"  # the last one
    assert found["HOST"] == "127.0.0.9"
    assert found["IDLE_TIMEOUT_MS"] == "7000"
    assert found["HEADER_TIMEOUT_MS"] == "1234"
    assert found["LOG_LEVEL"] == "info"


@pytest.mark.parametrize("text", ["PORT\n", "=1\n", "PORT=1001\nnonsense\n", "PORT=\0\n",
                                  "PORT=x\n", "X=1\nPORT=70000\n"])
def test_a_wrong_file(name, tmp_path, text):
    (tmp_path / ".env").write_text(text)
    done = run(name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert ".env" in done.stderr or "PORT" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_read(name, tmp_path):
    (tmp_path / ".env").mkdir()
    done = run(name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert ".env" in done.stderr


def test_an_example_file_is_not_read(name, tmp_path):
    (tmp_path / ".env.example").write_text("PORT=1001\n")
    (tmp_path / "env").write_text("PORT=1001\n")
    assert config(name, tmp_path)["PORT"] == PORTS[name]


def wrong_values(values):
    """Values outside of a range as --help prints it."""
    if match := re.fullmatch(r"(-?\d+) to (-?\d+)", values):
        low, high = map(int, match.groups())
        return [str(low - 1), str(high + 1), "x", "1.5", "1e3", "0x10", f"{low}x", " 5", "5 ",
                "+5", "--5", "9" * 30, "-" + "9" * 30, "NaN", "5,0", "\u0665"]
    if "|" in values:
        return ["x", "INFO", values, values.split("|")[0] + " ", "|", values[:-1]]
    return []


def settings_with_a_range():
    return [(name, key, values) for name in DAEMONS
            for key, _, values, _ in settings(name) if values]


@pytest.mark.parametrize("name, key, values", settings_with_a_range())
def test_a_value_out_of_range(tmp_path, name, key, values):
    """The message has the name, the value and the range, in one line; exit 2."""
    assert wrong_values(values), values
    for value in wrong_values(values):
        done = run(name, "--print-config", cwd=tmp_path, env={key: value})
        assert (done.returncode, done.stdout) == (2, ""), value
        assert len(done.stderr.splitlines()) == 1
        for part in [key, *re.split(r" to |\|", values)]:
            assert part in done.stderr, done.stderr
        assert value in done.stderr or value.encode("unicode_escape").decode() \
            in done.stderr or not value.isascii(), done.stderr
        flag = f"--{key.lower().replace('_', '-')}={value}"
        done = run(name, flag, "--print-config", cwd=tmp_path)
        assert done.returncode == 2 and key in done.stderr


@pytest.mark.parametrize("name, key, values", settings_with_a_range())
def test_the_ends_of_a_range_are_accepted(tmp_path, name, key, values):
    ends = re.split(r" to |\|", values)
    for value in ends:
        assert config(name, tmp_path, env={key: value})[key] == value


@pytest.mark.parametrize("arguments", [["--prot=1"], ["--prot", "1"], ["-x"], ["x"], ["--"],
                                       ["--port"], ["--PORT=1"], ["--migrat"], [""],
                                       ["--port=1", "--nothing"], ["-h"]], ids=str)
def test_unknown_options(name, tmp_path, arguments):
    done = run(name, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "option" in done.stderr


REDIS_URLS = ["x", "http://127.0.0.1", "redis://", "redis://127.0.0.1:0",
              "redis://127.0.0.1:70000", "redis://127.0.0.1:x", "redis://127.0.0.1/x",
              "redis://someone:s3cr3t@", "redis://someone:s3cr3t@h:port", "unix://",
              "redis://:s3cr3t@127.0.0.1:6379/-1", "redis://[::1", "redis://%zz@h"]


@pytest.mark.parametrize("url", REDIS_URLS)
@pytest.mark.parametrize("name", ["ingestion", "processor"])
def test_a_wrong_redis_url(tmp_path, name, url):
    """Said at the start and never with the password, though the program has not tried to
    connect yet."""
    done = run(name, cwd=tmp_path, env={
        "REDIS_URL": url, "PORT": "0", "HOST": "127.0.0.1",
        "DATABASE_URL": "host=/nowhere connect_timeout=1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "REDIS_URL" in done.stderr
    assert "s3cr3t" not in done.stderr


@pytest.mark.parametrize("url", ["x y z", "host", "foo=bar",
                                 "postgresql://s:s3cr3t@h/d?nothing=1",
                                 "password=s3cr3t foo=1"])
@pytest.mark.parametrize("name", ["processor", "reporting"])
def test_a_wrong_database_url(tmp_path, name, url):
    done = run(name, cwd=tmp_path, env={"DATABASE_URL": url, "PORT": "0",
                                        "HOST": "127.0.0.1",
                                        "REDIS_URL": "redis://127.0.0.1:1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "DATABASE_URL" in done.stderr
    assert "s3cr3t" not in done.stderr


@pytest.mark.parametrize("host", ["256.0.0.1", "not a host", "1.2.3.4"])
def test_a_host_that_is_not_ours(name, tmp_path, host):
    done = run(name, cwd=tmp_path, env={"HOST": host, "PORT": "0",
                                        "REDIS_URL": "redis://127.0.0.1:1",
                                        "DATABASE_URL": "host=/nowhere"})
    assert done.returncode in (1, 2) and done.stdout == ""
    assert "could not listen" in done.stderr


# --- files with settings and secrets ----------------------------------------------

def test_a_url_with_a_password_is_not_taken_from_a_flag(name, tmp_path):
    """Every user of the machine can see it there, if only for a moment."""
    flag, url = (("--redis-url", "redis://u:s3cr3t@h") if name == "ingestion" else
                 ("--database-url", "postgresql://u:s3cr3t@h/d"))
    for words in ([f"{flag}={url}"], [flag, url]):
        done = run(name, "--print-config", *words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "is not taken from a flag" in done.stderr and "s3cr3t" not in done.stderr
    assert config(name, tmp_path, f"{flag}={url.replace(':s3cr3t', '')}")


def test_a_url_comes_from_a_file(name, tmp_path):
    key, url = (("REDIS_URL", "redis://u:s3cr3t@h") if name == "ingestion" else
                ("DATABASE_URL", "postgresql://u:s3cr3t@h/d"))
    secret = tmp_path / "url"
    secret.write_text(f"{url}\n")
    secret.chmod(0o600)
    shown = config(name, tmp_path, env={f"{key}_FILE": secret})
    assert shown[key] == url.replace("s3cr3t", "***")
    secret.chmod(0o602)
    done = run(name, cwd=tmp_path, env={f"{key}_FILE": secret})
    assert done.returncode == 2 and "may be written to by any user" in done.stderr


def test_an_env_file_that_any_user_may_write_to_is_refused(name, tmp_path):
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL=debug\n")
    file.chmod(0o646)
    done = run(name, "--print-config", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert ".env: any user of the machine may write to it" in done.stderr
    file.chmod(0o644)
    assert config(name, tmp_path)["LOG_LEVEL"] == "debug"


def test_a_secret_that_any_user_may_read_is_told(name, tmp_path, daemons):
    secret = tmp_path / "url"
    redis, database = "redis://u:s3cr3t@127.0.0.1:1", "postgresql://u:s3cr3t@127.0.0.1:1/d"
    secret.write_text(redis if name == "ingestion" else database)
    given = {"REDIS_URL_FILE": secret} if name == "ingestion" else {
        "DATABASE_URL_FILE": secret, "REDIS_URL": "redis://127.0.0.1:1"}
    for mode, told in ((0o644, 1), (0o640, 0)):
        secret.chmod(mode)
        daemon = daemons.start(name, wait=False, **given).wait_alive()
        assert daemon.stderr().count("any user of the machine may read a file") == told
        assert "s3cr3t" not in daemon.stderr()
        daemon.stop()


def test_migrate_is_no_environment_variable(tmp_path):
    done = run("processor", "--print-config", cwd=tmp_path, env={"MIGRATE": "true"})
    assert done.returncode == 0 and "migrate" not in done.stdout.lower()


def test_a_setting_of_any_name_in_the_environment_is_not_ours(name, tmp_path):
    """Other programs' variables do not disturb."""
    assert config(name, tmp_path, env={"PORT_": "x", "PGHOST": "x", "port": "x"})


@pytest.mark.parametrize("setting, value, sentence", [
    ("GEOIP_DB", "/nowhere/city.mmdb", "GEOIP_DB: could not open the database"),
    ("GEOIP_DB", "/dev/null", "GEOIP_DB: could not open the database"),
    ("GEOIP_TEXT_DIR", "/nowhere", "GEOIP_TEXT_DIR: could not open \"/nowhere/geoip"),
    ("REFERRER_SPAM_FILE", "/nowhere/spam", "REFERRER_SPAM_FILE: could not open"),
    ("IGNORE_IPS", "10.0.0.0/8,localhost", "IGNORE_IPS: \"localhost\" is not an address"),
])
def test_a_list_or_database_that_cannot_be_read_ends_the_start(tmp_path, setting, value, sentence):
    done = run("ingestion", cwd=tmp_path, env={"PORT": 0, setting: value})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"ingestion: {sentence}"), done.stderr
