"""Parts of the scripts that can be tried without starting anything: how .env is read, which
packages are chosen, and how tests are counted."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from support import summary
from support.settings import SOURCE, build_dir

# --- .env: the scripts and the daemons must read the same -----------------------


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(SOURCE / "scripts", tmp_path / "scripts")
    return tmp_path


def bash(clone, script, **env):
    """Runs a script with the libraries; returns what it printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c",
         '. scripts/lib/common.sh; . scripts/lib/packages.sh; ' + script, "up"], cwd=clone,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **env}, text=True,
        stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout if done.returncode == 0 else f"{done.returncode}: {done.stderr}"


@pytest.mark.parametrize("text, value", [
    ("HOST=one", "one"),
    ("HOST=one\n", "one"),
    ("  HOST = one  \n", "one"),
    ("export HOST=one\n", "one"),
    ("export   HOST=one\n", "one"),
    ('HOST="one two"\n', "one two"),
    ("HOST='one'\n", "one"),
    ("HOST='one\"\n", "'one\""),
    ('HOST=""\n', ""),
    ("HOST=\n", ""),
    ("HOST=one\nHOST=two\n", "two"),
    ("# HOST=one\nHOST=two\n", "two"),
    ("#HOST=one\n", ""),
    ("HOST=one # two\n", "one # two"),
    ("HOST=one=two\n", "one=two"),
    ("XHOST=one\nHOSTX=two\n", ""),
    ("HOST=one\r\n", "one"),
    ("HOST=$HOME`id`\\n\n", "$HOME`id`\\n"),
])
def test_env_file_is_read_as_the_daemons_read_it(clone, text, value):
    (clone / ".env").write_text(text)
    done = subprocess.run([build_dir() / "ingestion/ingestion", "--print-config"], cwd=clone,
                          env={}, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    shown = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert shown["HOST"] == value
    assert bash(clone, "setting HOST") == value


def test_the_environment_wins_over_the_file(clone):
    (clone / ".env").write_text("HOST=file\n")
    assert bash(clone, "setting HOST default", HOST="environment") == "environment"
    assert bash(clone, "setting HOST default", HOST="") == "file"
    (clone / ".env").unlink()
    assert bash(clone, "setting HOST default") == "default"


# --- packages --------------------------------------------------------------------

LIST = """
# a comment
[one]
installed-1 installed-2 | available-1
available-1 | available-2
gone | available-2

[two]
gone-1 gone-2 | half gone
"""


@pytest.fixture
def listed(clone):
    """A clone with a list, on a system where names tell what is there."""
    (clone / "scripts/packages.txt").write_text(LIST)
    return clone, """
        packages_are_installed() { [[ "$*" == installed* ]]; }
        packages_look_up() { PACKAGES_AVAILABLE=([available-1]=yes [available-2]=yes
            [half]=yes); }
    """


def test_needs_are_read_by_section(listed):
    clone, _ = listed
    assert bash(clone, "packages_needs one").splitlines() == [
        "installed-1 installed-2 | available-1", "available-1 | available-2",
        "gone | available-2"]
    assert bash(clone, "packages_needs two") == "gone-1 gone-2 | half gone\n"
    assert "has no section [three]" in bash(clone, "packages_needs one three")


def test_the_first_alternative_that_can_be_had_is_chosen(listed):
    clone, system = listed
    assert bash(clone, system + "packages_unmet one").splitlines() == [
        "available-1 | available-2", "gone | available-2"]
    assert bash(clone, system + "packages_unmet one | packages_to_install").splitlines() == [
        "available-1", "available-2"]
    assert "package sources have no gone-1 gone-2 | half gone" in bash(
        clone, system + "packages_unmet two | packages_to_install")


def test_every_need_has_an_alternative_for_this_system():
    sections = ["runtime", "redis", "postgres", "build", "test", "unpacked", "places", "node"]
    done = subprocess.run([SOURCE / "scripts/packages", "list", *sections], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr


# --- how tests are counted -------------------------------------------------------

CTEST = """<testsuite>
  <testcase name="unit.a" status="run"><system-out>
[==========] Running 3 test(s).
[  PASSED  ] 3 test(s).
[==========] Running 2 test(s).
[  PASSED  ] 2 test(s).</system-out></testcase>
  <testcase name="unit.b" status="fail"><failure message="it failed"/><system-out>
[  PASSED  ] 1 test(s).
[  FAILED  ] 2 test(s), listed below:
[  FAILED  ] test_x
[  FAILED  ] test_y
 2 FAILED TEST(S)</system-out></testcase>
  <testcase name="unit.crash" status="fail"><failure message="SEGFAULT"/><system-out>
[ RUN      ] test_z</system-out></testcase>
  <testcase name="integration.c" status="fail"><failure message=""/><system-out/></testcase>
  <testcase name="integration.slow" status="fail"><failure message="Timeout"/>
    <system-out/></testcase>
  <testcase name="integration.late" status="fail"><failure message="exit"/>
    <system-out/></testcase>
  <testcase name="plain" status="run"><system-out>fine</system-out></testcase>
  <testcase name="absent" status="notrun"><skipped message="SKIP_RETURN"/></testcase>
</testsuite>"""
PYTEST = """<testsuites><testsuite>
  <testcase name="test_1"/>
  <testcase name="test_2"><failure message="assert 1 == 2"/></testcase>
  <testcase name="test_3"><error message="teardown"/></testcase>
  <testcase name="test_4"><skipped message="no reason"/></testcase>
</testsuite></testsuites>"""
PYTEST_GOOD = '<testsuites><testsuite><testcase name="test_1"/></testsuite></testsuites>'


@pytest.fixture
def report(tmp_path):
    (tmp_path / "steps.tsv").write_text("build.dev\tpassed\tlog\nbuild.asan\tfailed\tlog\n")
    (tmp_path / "dev.ctest.xml").write_text(CTEST)
    (tmp_path / "dev.results").mkdir()
    (tmp_path / "dev.results/c.xml").write_text(PYTEST)
    (tmp_path / "dev.results/integration.late.xml").write_text(PYTEST_GOOD)
    return tmp_path


def outcomes(report):
    return sorted((case.name, case.outcome) for case in summary.collect(report)[0])


def test_each_test_counts_once(report):
    assert outcomes(report) == sorted([
        ("build.dev", "passed"), ("build.asan", "failed"),
        *[("dev: unit.a", "passed")] * 5, ("dev: unit.b", "passed"),
        ("dev: unit.b::test_x", "failed"), ("dev: unit.b::test_y", "failed"),
        ("dev: unit.crash", "failed"),
        ("dev: integration.c::test_1", "passed"), ("dev: integration.c::test_2", "failed"),
        ("dev: integration.c::test_3", "failed"), ("dev: integration.c::test_4", "skipped"),
        ("dev: integration.slow", "failed"),
        ("dev: integration.late::test_1", "passed"), ("dev: integration.late", "failed"),
        ("dev: plain", "passed"), ("dev: absent", "failed")])


def run_summary(report):
    done = subprocess.run([sys.executable, "-B", SOURCE / "tests/support/summary.py",
                           report], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1]


def test_the_last_line_and_the_exit_code_tell_the_result(report):
    assert run_summary(report) == (1, "10 passed, 9 failed, 1 skipped")
    (report / "dev.ctest.xml").unlink()
    assert run_summary(report) == (1, "1 passed, 1 failed")
    (report / "steps.tsv").write_text("build.dev\tpassed\tlog\n")
    assert run_summary(report) == (0, "1 passed, 0 failed")
    (report / "steps.tsv").write_text("")
    assert run_summary(report) == (1, "0 passed, 0 failed"), "no test is no success"


# A project with tests of every constancy, for the real scripts/test and the real CTest.
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(fickle LANGUAGES NONE)
enable_testing()
foreach(name good bad once alternating)
    add_test(NAME unit.${name} COMMAND bash ${CMAKE_SOURCE_DIR}/fickle ${name})
    set_tests_properties(unit.${name} PROPERTIES LABELS unit)
endforeach()
"""
FICKLE = """count=$(cat "$1.count" 2>/dev/null || true)
echo -n "$count." >"$1.count"
case $1.${#count} in good.* | once.[1-9]* | alternating.*[13579]) exit 0 ;; esac
exit 1
"""
PRESETS = json.dumps({
    "version": 6,
    "configurePresets": [{"name": name, "generator": "Ninja",
                          "binaryDir": "${sourceDir}/build/${presetName}"}
                         for name in ("dev", "clang")],
    **{f"{kind}Presets": [{"name": name, "configurePreset": name} for name in ("dev", "clang")]
       for kind in ("build", "test")}})


@pytest.fixture
def fickle(clone):
    """Runs the real scripts/test there; returns its exit code and its last lines."""
    sections = "runtime redis postgres build test node unpacked".split()
    (clone / "scripts/packages.txt").write_text("".join(f"[{name}]\n" for name in sections))
    (clone / "tests/support").mkdir(parents=True)
    shutil.copy(SOURCE / "tests/support/summary.py", clone / "tests/support")
    (clone / "tests/known_flaky.txt").write_text("# none\n")
    (clone / "CMakePresets.json").write_text(PRESETS)
    (clone / "CMakeLists.txt").write_text(PROJECT)
    (clone / "fickle").write_text(FICKLE)

    def test(*words):
        done = subprocess.run([clone / "scripts/test", *(words or ("-p", "dev"))], cwd=clone,
                              text=True, capture_output=True, stdin=subprocess.DEVNULL)
        assert done.stdout, done.stderr
        return done.returncode, done.stdout.splitlines()
    return test


def test_who_fails_must_then_pass_twice(fickle):
    code, lines = fickle()
    assert code == 1
    text = "\n".join(lines)
    assert lines[-1] == "3 passed, 2 failed", text  # the build, good and once
    assert lines[-2].startswith("1 passed only when run again, 1 of them unexplained"), text
    failed = text[text.index("\nFailed:"):text.index("\nLogs and")]
    assert "dev: unit.bad" in failed and "dev: unit.alternating" in failed
    assert "unit.once" not in failed
    assert "Passed only when run again (1):\n  dev: unit.once\n      UNEXPLAINED" in text


def test_a_known_reason_is_given(fickle, clone):
    (clone / "tests/known_flaky.txt").write_text("# a comment\nunit.once The moon was full.\n")
    code, lines = fickle("-p", "dev", "-R", "once|good")
    assert code == 0 and lines[-1] == "3 passed, 0 failed"
    assert lines[-2].startswith("1 passed only when run again, 0 of them unexplained")
    assert lines[-4:-2] == ["  dev: unit.once", "      The moon was full."]


def test_nothing_is_said_when_nothing_was_repeated(fickle):
    code, lines = fickle("-p", "dev", "-R", "good")
    assert code == 0 and lines[-1] == "2 passed, 0 failed"
    assert "again" not in "\n".join(lines)


def test_a_preset_that_does_not_build_fails_alone(fickle, clone):
    """The presets are built in the background; each counts as a test."""
    only_clang = """add_custom_target(made ALL COMMAND
        bash -c "[[ $PWD == */clang ]]" VERBATIM)\n"""
    (clone / "CMakeLists.txt").write_text(PROJECT + only_clang)
    code, lines = fickle("-p", "dev", "-p", "clang", "-R", "good")
    text = "\n".join(lines)
    assert code == 1 and lines[-1] == "2 passed, 1 failed", text
    assert "  build.dev\n" in text


def test_a_repeated_test_counts_once_and_names_what_had_failed(report):
    (report / "dev.again.results").mkdir()
    (report / "dev.again.results/integration.c.xml").write_text(PYTEST.replace(
        '<failure message="assert 1 == 2"/>', "").replace('<error message="teardown"/>', ""))
    (report / "dev.again.xml").write_text("""<testsuite>
      <testcase name="integration.c" status="run"/><testcase name="integration.c" status="run"/>
      <testcase name="integration.slow" status="run"/>
      <testcase name="integration.slow" status="fail"><failure message="Timeout"/></testcase>
    </testsuite>""")
    cases, repeated = summary.collect(report)
    assert [case.name for case in repeated] == [
        "dev: integration.c::test_2", "dev: integration.c::test_3"]
    inside = [(case.name, case.outcome) for case in cases if "integration.c" in case.name]
    assert inside == [(f"dev: integration.c::test_{n}", "skipped" if n == 4 else "passed")
                      for n in range(1, 5)]
    assert [case.outcome for case in cases if "slow" in case.name] == ["failed"]


def test_every_known_flaky_test_has_a_reason():
    for name, reason in summary.known_flaky().items():
        assert re.fullmatch(r"\w+\.\w+(::\w+)?", name), name
        assert len(reason) >= 20, f"{name}: {reason}"
