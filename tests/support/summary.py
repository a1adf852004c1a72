"""Counts the tests of a run of scripts/test, and says what failed.

usage: summary.py REPORT

The folder REPORT holds, for each preset, the JUnit file that CTest wrote
(<preset>.ctest.xml) and the JUnit files of the single pytest runs (<preset>.results/), and
steps.tsv for the steps that are no CTest test.  A CTest test stands for the tests inside:
those of pytest are counted from its JUnit file, those of cmocka from what the program
printed.  A CTest test that failed counts at least one failure, whatever its insides say.

What failed was run again, twice: <preset>.again.xml and <preset>.again.results/ tell of that.
A CTest test that passed both times is counted from there, and what had failed in it is named:
with the reason that tests/known_flaky.txt gives, or as unexplained.

The last line is "N passed, N failed", and ", N skipped" only if there are skips.  The exit
code is 0 if nothing failed and something passed.
"""
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

MESSAGE_LINES = 12
KNOWN_FLAKY = pathlib.Path(__file__).resolve().parents[1] / "known_flaky.txt"

Case = collections.namedtuple("Case", "name outcome message")


def pytest_cases(path, prefix):
    """The cases of one pytest run; a test with an error while it is torn down fails."""
    cases = []
    for node in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{prefix}::{node.get('name')}"
        bad = [child for child in node if child.tag in ("failure", "error")]
        skip = node.find("skipped")
        if bad:
            cases.append(Case(name, "failed", bad[0].get("message") or bad[0].text or ""))
        elif skip is not None:
            cases.append(Case(name, "skipped", skip.get("message") or ""))
        else:
            cases.append(Case(name, "passed", ""))
    return cases


def cmocka_cases(output, name):
    """As many cases as a cmocka program counted in what it printed."""
    def count(word):
        return sum(map(int, re.findall(rf"\[ *{word} *\] (\d+) test", output)))
    failed = re.findall(r"^\[  FAILED  \] (?!\d+ test)(\S+)", output, flags=re.M)
    cases = [Case(name, "passed", "") for _ in range(count("PASSED"))]
    cases += [Case(f"{name}::{test}", "failed", "see the log") for test in
              sorted(set(failed))]
    cases += [Case(name, "skipped", "") for _ in range(count("SKIPPED"))]
    return cases


def inner_cases(node, label, results):
    """What is known of the tests inside a CTest test."""
    name = node.get("name")
    for stem in (name, name.split(".", 1)[-1]):
        path = results / f"{stem}.xml"
        if path.is_file():
            return pytest_cases(path, label)
    return cmocka_cases(node.findtext("system-out") or "", label)


def ctest_nodes(path):
    """The CTest tests of a JUnit file by name.  One that was repeated may stand there several
    times: the worst counts."""
    nodes = {}
    if path.is_file():
        for node in ElementTree.parse(path).getroot().iter("testcase"):
            name = node.get("name")
            if name not in nodes or nodes[name].get("status") == "run":
                nodes[name] = node
    return nodes


def node_cases(node, preset, results):
    label = f"{preset}: {node.get('name')}"
    inner = inner_cases(node, label, results)
    is_good = node.get("status") == "run"
    if not is_good and not any(case.outcome == "failed" for case in inner):
        failure = node.find("failure")
        message = failure.get("message") if failure is not None else ""
        inner.append(Case(label, "failed", message or "it did not end well"))
    return inner or [Case(label, "passed", "")]


def ctest_cases(path, preset):
    """The cases of a preset, each once, and those that passed only when they were run again."""
    report = path.parent
    again = ctest_nodes(report / f"{preset}.again.xml")
    cases, repeated = [], []
    for name, node in ctest_nodes(path).items():
        first = node_cases(node, preset, report / f"{preset}.results")
        if name in again and node.get("status") != "run":
            cases += node_cases(again[name], preset, report / f"{preset}.again.results")
            if again[name].get("status") == "run":
                repeated += [case for case in first if case.outcome == "failed"]
        else:
            cases += first
    return cases, repeated


def step_cases(path):
    return [Case(name, outcome, f"see {log}") for name, outcome, log in
            (line.split("\t") for line in path.read_text().splitlines())]


def collect(report):
    """All cases, and those that passed only when they were run again."""
    cases, repeated = step_cases(report / "steps.tsv"), []
    for path in sorted(report.glob("*.ctest.xml")):
        more, passed_later = ctest_cases(path, path.name.removesuffix(".ctest.xml"))
        cases += more
        repeated += passed_later
    return cases, repeated


def known_flaky(path=KNOWN_FLAKY):
    """Names of tests and the reasons why they may fail now and then."""
    lines = [line.split(None, 1) for line in path.read_text().splitlines()
             if line.strip() and not line.startswith("#")]
    return {name: reason for name, reason in lines}


def show_repeated(repeated, known):
    if not repeated:
        return
    unexplained = 0
    print(f"\nPassed only when run again ({len(repeated)}):")
    for case in repeated:
        name = case.name.split(": ", 1)[1].split("[")[0]
        reason = known.get(name)
        unexplained += reason is None
        print(f"  {case.name}", f"      {reason or 'UNEXPLAINED'}", sep="\n")
        for line in [] if reason else case.message.strip().splitlines()[:MESSAGE_LINES]:
            print(f"      {line}")
    print(f"{len(repeated)} passed only when run again, {unexplained} of them unexplained "
          "(tests/known_flaky.txt)")


def show(cases, outcome, title):
    chosen = [case for case in cases if case.outcome == outcome]
    if chosen:
        print(f"\n{title}:")
    for case in chosen:
        lines = case.message.strip().splitlines()[:MESSAGE_LINES]
        print(f"  {case.name}", *(f"      {line}" for line in lines), sep="\n")


def main(report):
    cases, repeated = collect(pathlib.Path(report))
    count = collections.Counter(case.outcome for case in cases)
    show(cases, "skipped", "Skipped")
    show(cases, "failed", "Failed")
    print(f"\nLogs and JUnit files: {report}")
    show_repeated(repeated, known_flaky())
    print(f"{count['passed']} passed, {count['failed']} failed"
          + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
