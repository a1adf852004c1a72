"""The corpora of the targets that need a server, replayed in every build."""
import pathlib
import subprocess

import pytest

from fuzz.servers import SERVERS, environment
from support.settings import build_dir, patience

CORPUS = pathlib.Path(__file__).parent / "corpus"


def arguments(target):
    """The corpus once: libFuzzer needs to be told, the replay does nothing else."""
    cache = (build_dir() / "CMakeCache.txt").read_text()
    return (["-runs=0"] if "ANALYTICS_FUZZ:BOOL=ON" in cache else []) + [CORPUS / target]


@pytest.mark.parametrize("target", SERVERS)
def test_corpus(target):
    with environment(target) as env:
        done = subprocess.run(
            [build_dir() / "tests" / "fuzz" / f"fuzz_{target}", *arguments(target)],
            env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=patience(120))
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
