"""Packages from npm, as a package-lock.json pins them, fetched once into the build's folder.

Node.js with npm is Debian's (scripts/packages.txt, section node), or one that was there already.
"""
import os
import shutil
import subprocess

import pytest

from support import pretended
from support.settings import patience


def run(*words, cwd, env=None, timeout=120):
    """A program of Node.js, in the real time; fails the test with what it has said."""
    environment = {**pretended.real(os.environ), **(env or {})}
    done = subprocess.run(words, cwd=cwd, env=environment, text=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=patience(timeout))
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def install(source, folder):
    """The folder with the files of source, and the packages of its lock in node_modules."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            pytest.fail(f"{program} is missing: scripts/packages install node", pytrace=False)
    folder.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_text()
    stamp = folder / "installed"
    is_there = stamp.exists() and stamp.read_text() == lock
    for file in source.iterdir():
        shutil.copy(file, folder)
    if is_there:
        return folder
    try:
        run("npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund",
            cwd=folder, timeout=240)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        pytest.fail(f"npm could not fetch the packages of {source}/package-lock.json, which needs "
                    f"its registry once:\n{error}", pytrace=False)
    stamp.write_text(lock)
    return folder
