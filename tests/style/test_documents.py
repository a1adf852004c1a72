"""README, docker-compose.yml and the rest say what the programs do."""
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

README = (SOURCE / "README.md").read_text()
PORTS = {"ingestion": "3000", "processor": "5000", "reporting": "4000"}


@pytest.fixture(scope="session")
def compose(tmp_path_factory):
    """docker-compose.yml as docker-compose itself reads it, with nothing set."""
    command = (["docker-compose"] if shutil.which("docker-compose")
               else ["docker", "compose"])
    nothing = tmp_path_factory.mktemp("compose") / "env"
    nothing.touch()
    done = subprocess.run(
        [*command, "-f", "docker-compose.yml", "--env-file", str(nothing), "config"],
        cwd=SOURCE, env={"PATH": os.environ["PATH"], "HOME": "/"}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def defaults(daemon):
    return {name: default for name, default, _, _ in settings_tables.settings(daemon)}


# --- README --------------------------------------------------------------------

@pytest.mark.parametrize("daemon", settings_tables.DAEMONS)
def test_readme_has_the_settings_that_help_prints(daemon):
    match = settings_tables.section(daemon).search(README)
    assert match, f"README.md has no section for the settings of {daemon}"
    assert match.group(2) == settings_tables.table(daemon), \
        "run tests/support/settings_tables.py --write"


@pytest.mark.parametrize("daemon", settings_tables.DAEMONS)
def test_help_says_something_about_each_setting(daemon):
    found = settings_tables.settings(daemon)
    assert len(found) >= 10
    assert all(meaning for _, _, _, meaning in found)


def test_the_two_commands_come_first_in_readme():
    first = re.search(r"```\w*\n(.*?)```", README, flags=re.S).group(1)
    assert "./scripts/up" in first and "./scripts/test" in first


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
    defined = {name for path in tracked("tests/*.py")
               for name in re.findall(r"^def (test_\w+)", (SOURCE / path).read_text(),
                                      flags=re.M)}
    named = set(re.findall(r"`(test_\w+)`", (SOURCE / "docs/reliability.md").read_text()))
    assert len(named) > 60
    assert not named - defined


def test_readme_describes_every_setting_of_up():
    usage = subprocess.run([SOURCE / "scripts/up", "--help"], check=True, text=True,
                           capture_output=True).stdout
    names = re.findall(r"^  ([A-Z_]+) ", usage, flags=re.M)
    assert len(names) >= 7
    assert not [name for name in names if f"`{name}`" not in README]


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

def test_compose_has_the_whole_suite(compose):
    assert set(compose["services"]) == {"redis", "postgres", "migrate", *PORTS}
    for name, service in compose["services"].items():
        assert name == "migrate" or service["healthcheck"]["test"], name


def test_each_service_of_compose_has_a_database_role_of_its_own(compose):
    """With a password of its own, which Postgres is given too."""
    given = compose["services"]["postgres"]["environment"]
    logins = {}
    for name, service in compose["services"].items():
        url = (service.get("environment") or {}).get("DATABASE_URL")
        if url:
            logins[name] = re.fullmatch(
                r"postgresql://analytics_(\w+):(\w+)@postgres:5432/analytics", url).groups()
    assert {name: role for name, (role, _) in logins.items()} == {
        "migrate": "owner", "processor": "processor", "reporting": "reporting"}
    for role, password in logins.values():
        assert given[f"POSTGRES_{role.upper()}_PASSWORD"] == password
    assert compose["services"]["processor"]["depends_on"]["migrate"]["condition"] \
        == "service_completed_successfully"


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
              in compose["services"][daemon]["environment"].items()}
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
