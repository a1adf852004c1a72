"""clang-tidy over the daemons, one test per file: the wall for the size of a function, and
checks that find bugs (.clang-tidy)."""
import concurrent.futures
import json
import os
import pathlib
import subprocess

import pytest

from support.settings import SOURCE, build_dir


def compiled_files():
    database = json.loads((build_dir() / "compile_commands.json").read_text())
    paths = {pathlib.Path(entry["file"]).resolve() for entry in database}
    inside = {path.relative_to(SOURCE) for path in paths if path.is_relative_to(SOURCE)}
    return sorted(path for path in inside
                  if path.parts[0] in ("shared", "ingestion", "processor", "reporting"))


def tidy(path):
    return subprocess.run(["clang-tidy", "-p", build_dir(), "--quiet", str(path)],
                          cwd=SOURCE, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)


@pytest.fixture(scope="session")
def results():
    """All files at once, on all cores, while the tests wait for one after the other."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {path: pool.submit(tidy, path) for path in compiled_files()}


@pytest.mark.parametrize("path", compiled_files(), ids=str)
def test_clang_tidy_finds_nothing_in(path, results):
    done = results[path].result()
    assert done.returncode == 0, done.stdout
