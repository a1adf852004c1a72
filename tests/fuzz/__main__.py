"""usage: python3 -m fuzz TARGET [SECONDS] [OPTION]...

Runs one libFuzzer target of the preset fuzz for so many seconds (900), with the server that
it needs, and says what came of it.  What it finds interesting is kept in build/fuzz/corpus
for the next time; an input that breaks a promise is left in build/fuzz/findings, and the
exit code is not 0.  Options go to libFuzzer.
"""
import pathlib
import re
import subprocess
import sys

from fuzz.servers import environment
from support.process import die_with_parent
from support.settings import build_dir

SEEDS = pathlib.Path(__file__).parent / "corpus"
OPTIONS = ("-timeout=60", "-rss_limit_mb=2048", "-print_final_stats=1")


def targets():
    return sorted(path.name for path in SEEDS.iterdir())


def command(target, seconds, options):
    own = build_dir() / "corpus" / target
    findings = build_dir() / "findings"
    own.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    dictionary = pathlib.Path(__file__).parent / f"{target}.dict"
    return [build_dir() / "tests" / "fuzz" / f"fuzz_{target}",
            f"-max_total_time={seconds}", f"-artifact_prefix={findings}/{target}-",
            *OPTIONS, *([f"-dict={dictionary}"] if dictionary.exists() else []),
            *options, own, SEEDS / target]


def summary(target, log):
    """One line of figures from what libFuzzer has said."""
    state = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", log)
    runs = re.findall(r"stat::number_of_executed_units: (\d+)", log)
    took = re.findall(r"Done \d+ runs in (\d+) second", log)
    if not (state and runs and took):
        return f"{target}: ended early, see above"
    edges, features, inputs = state[-1]
    return (f"{target}: {int(runs[-1]):,} executions in {took[-1]} s, {edges} edges, "
            f"{features} features, {inputs} inputs kept")


def main(target=None, seconds="900", *options):
    if target not in targets() or not seconds.isdigit():
        sys.exit(__doc__ + "\nTargets: " + ", ".join(targets()))
    with environment(target) as env:
        child = subprocess.Popen(command(target, seconds, options), env=env, errors="replace",
                                 stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 preexec_fn=die_with_parent())
        log = []
        for line in child.stderr:
            sys.stderr.write(line)
            log.append(line)
        code = child.wait()
    print(summary(target, "".join(log)))
    sys.exit(code and 1)


main(*sys.argv[1:])
