"""What the style tests share: the files under version control."""
import pathlib
import subprocess

import pytest

from support.settings import SOURCE


def tracked(*patterns):
    """The files that git tracks and that are there, as paths below the root."""
    names = subprocess.run(
        ["git", "-c", f"safe.directory={SOURCE}", "ls-files", "-co", "--exclude-standard",
         "-z", "--", *patterns],
        cwd=SOURCE, check=True, capture_output=True, text=True).stdout
    found = sorted(pathlib.Path(name) for name in names.split("\0") if name)
    return [path for path in found if (SOURCE / path).is_file()]


@pytest.fixture(scope="session")
def source_files():
    """All C files."""
    files = tracked("*.c", "*.h")
    assert len(files) > 20, "these cannot be all"
    return files


@pytest.fixture(scope="session")
def product_files(source_files):
    """The C files of the daemons, without their tests."""
    return [path for path in source_files if path.parts[0] != "tests"]


@pytest.fixture(scope="session")
def headers(product_files):
    return [path for path in product_files if path.suffix == ".h"]


@pytest.fixture(scope="session")
def scripts():
    """All shell scripts, told by the first line or the folder."""
    found = []
    for path in tracked("scripts/*", "deploy/*", ".ci/*", "tests/*"):
        first = (SOURCE / path).read_bytes().split(b"\n", 1)[0]
        if path.suffix == ".sh" or (first.startswith(b"#!") and b"sh" in first):
            found.append(path)
    assert pathlib.Path("scripts/up") in found
    return found
