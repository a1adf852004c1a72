"""What the benchmark runs on, and how all sides are held to the same two cores."""
import os
import pathlib
import platform
import re
import resource
import shutil
import subprocess

from support.settings import SOURCE

CORES = 2


def hold_to_cores():
    """Binds this process, and so all its children, to two cores; returns their number."""
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    return len(cores)


def allow_files(count):
    """1,000 connections take more descriptors than many systems give at first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise RuntimeError(f"the limit of open files is {hard}; {count} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def need_disk(folder, gigabytes):
    """The large site of /stats takes room, twice: ours and the peer's."""
    free = shutil.disk_usage(folder).free / 2**30
    if free < gigabytes:
        raise RuntimeError(f"{folder} has {free:.1f} GB free; {gigabytes} are needed")


def _first_line(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        return "none"
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return lines[0].strip() if lines else "none"


def _processor():
    match = re.search(r"^model name\s*:\s*(.*)$",
                      pathlib.Path("/proc/cpuinfo").read_text(), flags=re.M)
    return match.group(1) if match else platform.machine()


def _system():
    match = re.search(r'^PRETTY_NAME="?([^"\n]*)',
                      pathlib.Path("/etc/os-release").read_text(), flags=re.M)
    return match.group(1) if match else platform.system()


def _commit():
    text = _first_line("git", "-c", f"safe.directory={SOURCE}", "-C", str(SOURCE),
                       "describe", "--always", "--dirty")
    return "unknown" if text.startswith("fatal") else text


def memory_mb():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20


def describe():
    """For the report: enough to judge the figures by, nothing that names the machine."""
    redis = re.search(r"\d+\.\d+\.\d+", _first_line("redis-cli", "--version"))
    return {
        "processor": _processor(), "cores_used": CORES, "memory_mb": memory_mb(),
        "system": _system(), "kernel": platform.release(), "commit": _commit(),
        "compiler": _first_line("gcc", "--version"), "node": _first_line("node", "--version"),
        "redis": redis.group() if redis else "unknown",
        "postgres": _first_line("psql", "--version").removeprefix("psql (PostgreSQL) "),
    }
