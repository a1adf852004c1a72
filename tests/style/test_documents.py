"""README, docker-compose.yml and the rest say what the programs do."""
import collections
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from conftest import tracked
from support import settings_tables
from support.settings import SOURCE
from support.wait import wait_until

README = (SOURCE / "README.md").read_text()
SETTINGS = (SOURCE / "docs/settings.md").read_text()
PORTS = {"ingestion": "3000", "processor": "5000", "reporting": "4000"}


@pytest.fixture(scope="session")
def compose(tmp_path_factory):
    """docker-compose.yml as docker-compose itself reads it, with nothing set."""
    return compose_config(tmp_path_factory.mktemp("compose"), "")


def compose_config(folder, env):
    """The same with the text as .env."""
    command = (["docker-compose"] if shutil.which("docker-compose")
               else ["docker", "compose"])
    file = folder / "env"
    file.write_text(env)
    done = subprocess.run(
        [*command, "-f", "docker-compose.yml", "--env-file", str(file), "config"],
        cwd=SOURCE, env={"PATH": os.environ["PATH"], "HOME": "/"}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def defaults(daemon):
    return {name: default for name, default, _, _ in settings_tables.settings(daemon)}


# --- README --------------------------------------------------------------------

@pytest.mark.parametrize("daemon", settings_tables.DAEMONS)
def test_the_document_has_the_settings_that_help_prints(daemon):
    match = settings_tables.section(daemon).search(SETTINGS)
    assert match, f"docs/settings.md has no section for the settings of {daemon}"
    assert match.group(2) == settings_tables.table(daemon), \
        "run tests/support/settings_tables.py --write"


@pytest.mark.parametrize("daemon", settings_tables.DAEMONS)
def test_help_says_something_about_each_setting(daemon):
    """A noun phrase: it begins as a sentence does, ends without a full stop, and names its unit
    where the name of the setting has one."""
    units = {"MS": "in ms", "US": "in us", "S": "in s", "SECONDS": "in seconds", "BYTES": "Bytes"}
    found = {name: meaning for name, _, _, meaning in settings_tables.settings(daemon)}
    assert len(found) >= 10
    assert not [name for name, meaning in found.items()
                if not re.match(r"[A-Z]|site_ids", meaning) or meaning.endswith(".")
                or units.get(name.rpartition("_")[2], "") not in meaning]


def test_a_setting_of_several_daemons_means_the_same_in_all():
    meanings = collections.defaultdict(set)
    for daemon in settings_tables.DAEMONS:
        for name, _, _, meaning in settings_tables.settings(daemon):
            meanings[name].add(meaning)
    assert {name for name, all_of_it in meanings.items() if len(all_of_it) > 1} == \
        {"PORT", "SHUTDOWN_TIMEOUT_MS"}


def test_the_two_commands_come_first_in_readme():
    first = re.search(r"```\w*\n(.*?)```", README, flags=re.S).group(1)
    assert "./scripts/up" in first and "./scripts/test" in first


def test_no_line_to_copy_puts_a_secret_among_a_programs_words():
    """Every user of the machine can read those."""
    for path in (SOURCE / "README.md", *(SOURCE / "docs").glob("*.md")):
        found = re.findall(r"-H [\"']Authorization: Bearer \$.*|psql \"?\$|redis-cli -u.*",
                           path.read_text())
        assert not found, (path, found)


def test_readme_shows_the_curl_lines_that_up_prints():
    script = (SOURCE / "scripts/up").read_text()
    event = re.search(r"local event='(.*)'", script).group(1)
    assert (f"curl -X POST http://localhost:3000/event "
            f"-H 'Content-Type: application/json' -d '{event}'") in README
    assert "curl 'http://localhost:4000/stats?site_id=demo'" in README


def test_files_named_in_documents_exist():
    """`code` that looks like a path, and the targets of links."""
    missing = []
    for document in tracked("*.md"):
        text = (SOURCE / document).read_text()
        names = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text)
        names += re.findall(
            r"`((?:scripts|docs|deploy|shared|ingestion|processor|reporting|sql|tests|"
            r"cmake|\.ci)/[\w./-]*)`", text)
        for name in names:
            if not ((SOURCE / document).parent / name).exists() \
                    and not (SOURCE / name).exists():
                missing.append(f"{document}: {name}")
    assert not missing


def test_tests_named_in_documents_exist():
    """So that no promise outlives the test that shows it."""
    defined = {name for path in [*tracked("tests/*.py"), *tracked("tests/*.c")]
               for name in re.findall(r"^(?:def|static void) (test_\w+)", (SOURCE / path).read_text(),
                                      flags=re.M)}
    named = {name for document in tracked("docs/*.md")
             for name in re.findall(r"`(test_\w+)`", (SOURCE / document).read_text())}
    assert len(named) > 150
    assert not named - defined


def test_the_document_describes_every_setting_of_up():
    usage = subprocess.run([SOURCE / "scripts/up", "--help"], check=True, text=True,
                           capture_output=True).stdout
    names = re.findall(r"^  ([A-Z_]+) ", usage, flags=re.M)
    assert len(names) >= 7
    assert not [name for name in names if f"`{name}`" not in SETTINGS]


def test_the_version_is_the_same_everywhere():
    cmake = re.search(r"VERSION (\d+\.\d+\.\d+) LANGUAGES",
                      (SOURCE / "CMakeLists.txt").read_text()).group(1)
    printed = subprocess.run([settings_tables.program("ingestion"), "--version"],
                             check=True, capture_output=True, text=True).stdout
    changelog = re.findall(r"^## \[(\d+\.\d+\.\d+)\]",
                           (SOURCE / "CHANGELOG.md").read_text(), flags=re.M)
    assert printed.strip() == f"ingestion {cmake}"
    assert changelog[0] == cmake


# --- docker-compose.yml and the Dockerfile -------------------------------------

ONCE = {"secrets", "migrate"}  # they do their work and end


def test_compose_has_the_whole_suite(compose):
    assert set(compose["services"]) == {"redis", "postgres", *ONCE, *PORTS}
    for name, service in compose["services"].items():
        assert name in ONCE or service["healthcheck"]["test"], name


def make_secrets(folder):
    """What the container secrets makes, with the users of this machine left out."""
    script = (SOURCE / "deploy/make-secrets").read_text()
    assert "    chown -R" in script
    tree = folder / "tree"
    (tree / "deploy").mkdir(parents=True)
    shutil.copytree(SOURCE / "scripts", tree / "scripts")
    (tree / "deploy/make-secrets").write_text(script.replace("    chown -R", "    : chown -R"))
    (tree / "deploy/make-secrets").chmod(0o755)
    (folder / "run").mkdir()
    for _ in range(2):  # the second start changes nothing
        subprocess.run([tree / "deploy/make-secrets"], check=True, capture_output=True,
                       env={"PATH": os.environ["PATH"], "SECRETS_DIR": folder / "run"})
    return folder / "run/secrets"


def test_each_service_of_compose_has_accounts_of_its_own(compose, tmp_path):
    """Made at the first start, with a password that the server is given too; and no service
    finds another's."""
    made = make_secrets(tmp_path)
    services = compose["services"]

    def value(service, name):
        path = services[service]["environment"][name]
        prefix = f"/run/analytics/secrets/{service}/"
        assert path.startswith(prefix)
        file = made / service / path.removeprefix(prefix)
        assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (
            0o500, 0o400)
        return file.read_text().strip()
    passwords = set()
    for service, role in (("migrate", "owner"), ("processor", "processor"),
                          ("reporting", "reporting")):
        password = re.fullmatch(rf"postgresql://analytics_{role}:(\w{{48}})@postgres:5432/"
                                "analytics", value(service, "DATABASE_URL_FILE")).group(1)
        assert value("postgres", f"POSTGRES_{role.upper()}_PASSWORD_FILE") == password
        passwords.add(password)
    accounts = (made / "redis/users.acl").read_text()
    for service in ("ingestion", "processor"):
        password = re.fullmatch(rf"redis://{service}:(\w{{48}})@redis:6379",
                                value(service, "REDIS_URL_FILE")).group(1)
        assert f"user {service} on >{password} resetkeys" in accounts
        passwords.add(password)
    passwords.add(value("postgres", "POSTGRES_PASSWORD_FILE"))
    passwords.add(value("reporting", "REPORTING_TOKEN_FILE"))
    assert len(passwords) == 7
    assert "user default on nopass resetkeys resetchannels -@all +ping\n" in accounts
    assert {path.name for path in made.iterdir()} == {
        "redis", "postgres", "migrate", "ingestion", "processor", "reporting"}
    users = {name: service.get("user") for name, service in services.items()
             if name not in ("secrets", "postgres")}
    assert len(set(users.values())) == len(users) and "root" not in str(users)
    numbers = re.search(r"USERS=\((.*?)\)", (SOURCE / "deploy/make-secrets").read_text(),
                        flags=re.S).group(1)
    for name, user in users.items():
        assert f"[{name}]={user.split(':')[0]}" in numbers
    assert services["processor"]["depends_on"]["migrate"]["condition"] \
        == "service_completed_successfully"


def test_the_accounts_of_compose_are_taken_by_redis(tmp_path):
    """And may do what their daemons need, and no more."""
    made = make_secrets(tmp_path)
    program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
    server = subprocess.Popen(
        ["bash", "-c", 'exec -a redis-server "$@"', "bash", program, "--port", "0",
         "--unixsocket", tmp_path / "socket", "--save", "", "--protected-mode", "no",
         "--aclfile", made / "redis/users.acl"], cwd=tmp_path, stdout=subprocess.DEVNULL)

    def ask(user, *words):
        passwords = dict(re.findall(r"user (\w+) on >(\w+)", (made / "redis/users.acl")
                                    .read_text()))
        login = ["--user", user] if user else []
        return subprocess.run(
            ["redis-cli", "-s", tmp_path / "socket", "--no-auth-warning", *login, *words],
            env={"PATH": os.environ["PATH"], "REDISCLI_AUTH": passwords.get(user, "")}
            if user else {"PATH": os.environ["PATH"]}, capture_output=True,
            text=True).stdout.strip()
    try:
        wait_until(lambda: ask(None, "ping") == "PONG", 10, "Redis")
        assert "NOPERM" in ask(None, "llen", "{events}:queue")
        assert ask("ingestion", "lpush", "{events}:queue", "x") == "1"
        assert ask("ingestion", "llen", "{events}:queue") == "1"
        assert "redis_version" in ask("ingestion", "info", "server")
        for words in (["rpop", "{events}:queue"], ["flushall"], ["get", "other"],
                      ["config", "get", "*"], ["acl", "list"], ["keys", "*"]):
            assert "NOPERM" in ask("ingestion", *words), words
        assert ask("processor", "eval", "return redis.call('lindex', KEYS[1], 0)", "1",
                   "{events}:queue") == "x"
        for words in (["flushall"], ["get", "other"], ["config", "get", "*"], ["acl", "list"]):
            assert "NOPERM" in ask("processor", *words), words
    finally:
        server.kill()
        server.wait()


def test_compose_passes_on_every_setting():
    assert settings_tables.COMPOSE.read_text() == settings_tables.compose_text(), \
        "run tests/support/settings_tables.py --write"


@pytest.mark.parametrize("daemon", PORTS)
def test_settings_reach_the_daemons_of_compose(daemon, tmp_path):
    """From the file .env, each setting those daemons that have it, and no other."""
    secret = {"ingestion": "INGEST_KEY", "processor": None, "reporting": "REPORTING_TOKEN"}
    config = compose_config(tmp_path, "".join(
        f"{name}=k3y\n" for name in secret.values() if name) + "LOG_LEVEL=debug\n"
        "BATCH_MAX=7\nSPOOL_MAX_BYTES=2000000\nINGEST_KEY_FILE=/run/secrets/key\n")
    found = config["services"][daemon]["environment"]
    expected = {"LOG_LEVEL": "debug"}
    expected |= {secret[daemon]: "k3y"} if secret[daemon] else {"BATCH_MAX": "7"}
    expected |= {"SPOOL_MAX_BYTES": "2000000", "INGEST_KEY_FILE": "/run/secrets/key"} \
        if daemon == "ingestion" else {}
    assert expected == {key: str(value) for key, value in found.items() if key in {
        "LOG_LEVEL", "BATCH_MAX", "SPOOL_MAX_BYTES", "INGEST_KEY_FILE", "INGEST_KEY",
        "REPORTING_TOKEN"} and value is not None}


@pytest.mark.parametrize("env, address", [("", "127.0.0.1"),
                                          ("BIND_ADDRESS=0.0.0.0\n", "0.0.0.0")])
def test_compose_publishes_on_this_machine_alone(tmp_path, env, address):
    config = compose_config(tmp_path, env)
    for name, service in config["services"].items():
        assert bool(service.get("ports")) == (name in PORTS)
        for port in service.get("ports", []):
            assert str(port).startswith(f"{address}:") or port["host_ip"] == address


def test_redis_and_postgres_of_compose_are_in_networks_without_a_way_out(compose):
    nets = {name: set(service.get("networks") or []) for name, service
            in compose["services"].items()}
    assert nets["redis"] == {"queue"} and nets["postgres"] == {"database"}
    assert "database" not in nets["ingestion"] and "queue" not in nets["reporting"]
    assert {name for name, net in compose["networks"].items()
            if (net or {}).get("internal")} == {"queue", "database"}
    assert compose["services"]["secrets"]["network_mode"] == "none"


def test_containers_have_limits(compose):
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True, name
        assert service.get("cap_add", []) == (["CHOWN"] if name == "secrets" else [])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"] and service["pids_limit"], name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}


def test_images_are_fixed_by_digest(compose):
    digest = r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}"
    dockerfile = (SOURCE / "deploy/Dockerfile").read_text()
    stages = re.findall(r"^FROM (\S+) AS (\w+)$", dockerfile, flags=re.M)
    assert len(stages) >= 3
    for image, _ in stages:
        assert image in [name for _, name in stages] or re.fullmatch(digest, image), image
    for name, service in compose["services"].items():
        assert "build" in service or re.fullmatch(digest, service["image"]), name


@pytest.mark.parametrize("daemon", PORTS)
def test_compose_publishes_the_ports_that_are_the_defaults(compose, daemon):
    service = compose["services"][daemon]
    assert defaults(daemon)["PORT"] == PORTS[daemon]
    assert str(service["environment"]["PORT"]) == PORTS[daemon]
    published = json.dumps(service["ports"])
    assert published.count(PORTS[daemon]) == 2, published


@pytest.mark.parametrize("daemon", PORTS)
def test_compose_sets_only_settings_that_there_are(compose, daemon):
    unknown = set(compose["services"][daemon]["environment"]) - set(defaults(daemon))
    assert not unknown


@pytest.mark.parametrize("daemon", PORTS)
def test_daemons_take_the_values_that_compose_sets(compose, daemon):
    values = {key: str(value) for key, value
              in compose["services"][daemon]["environment"].items()
              if value and not key.endswith("_URL_FILE")}
    done = subprocess.run([settings_tables.program(daemon), "--print-config"], env=values,
                          cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines())
    secret = ("REDIS_URL", "DATABASE_URL")
    assert {key: shown[key] for key in values if key not in secret} == \
        {key: value for key, value in values.items() if key not in secret}


def test_redis_in_compose_keeps_every_event(compose):
    command = compose["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2]))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "everysec"
    assert options["--maxmemory-policy"] == "noeviction"
    assert compose["services"]["redis"]["volumes"], "its data must outlive the container"
    assert compose["services"]["postgres"]["volumes"]


def test_daemons_in_compose_have_no_privileges(compose):
    dockerfile = (SOURCE / "deploy/Dockerfile").read_text()
    for name in PORTS:
        service = compose["services"][name]
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True
        stage = dockerfile.split(f"AS {service['build']['target']}\n")[1]
        assert re.search(r"^USER (?!root)\w+$", stage, flags=re.M)


def test_there_is_one_list_of_packages():
    """Nothing but scripts/packages installs packages."""
    for path in ("deploy/Dockerfile", "scripts/up", "scripts/test", ".ci/run"):
        text = (SOURCE / path).read_text()
        assert not re.search(r"^[^#]*\bapt(-get)? ", text, flags=re.M), path
    dockerfile = (SOURCE / "deploy/Dockerfile").read_text()
    assert dockerfile.count("RUN scripts/packages install") == 3


def test_no_package_that_is_installed_brings_a_service():
    """Installing must start nothing, nor put anything into the next boot."""
    names = subprocess.run(
        [SOURCE / "scripts/packages", "list", "runtime", "redis", "postgres", "build",
         "test"], check=True, capture_output=True, text=True).stdout.split()
    assert len(names) > 30
    dormant = {"nftables"}  # its unit is neither started nor enabled by the package
    bringing = [name for name in names
                if name not in dormant and re.search(r"/systemd/system/\S+\.service$", subprocess.run(
                    ["dpkg", "-L", name], capture_output=True, text=True).stdout,
                    flags=re.M)]
    assert not bringing


def test_ci_runs_the_tests_and_nothing_else():
    lines = [line for line in (SOURCE / ".ci/run").read_text().splitlines()
             if line and not line.startswith(("#", "set "))]
    assert lines == ['exec "$(dirname "$0")/../scripts/test"']
