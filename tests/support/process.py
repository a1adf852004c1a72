"""Child processes that die with the tests, free ports, and a user that is not root."""
import ctypes
import fcntl
import os
import pathlib
import pwd
import random
import signal
import socket
import tempfile

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def die_with_parent(with_signal=signal.SIGKILL):
    """For Popen(preexec_fn=...): the child gets the signal when the thread that started
    it ends.  So servers are started from the main thread only; and each in a session of
    its own, as scripts/up starts them, for Linux shares the processors among sessions."""
    def set_it():
        _libc.prctl(_PR_SET_PDEATHSIG, int(with_signal))
    return set_it


def unprivileged_user():
    """Arguments for Popen that drop root; {} when we are not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("running as root, and there is no user postgres or nobody")


_held_ports = []  # open lock files: each reserves a port while this process lives


def free_port():
    """A TCP port that nobody listens on and no other test process is going to use.

    The range lies below the one from which the system gives ports to clients.  The lock
    matters because ingestion listens with SO_REUSEPORT: two test runs would share a port
    without noticing."""
    locks = pathlib.Path(tempfile.gettempdir()) / f"analytics-test-ports-{os.geteuid()}"
    locks.mkdir(exist_ok=True)
    for _ in range(1000):
        port = random.SystemRandom().randint(20000, 31999)
        lock = open(locks / str(port), "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for family, host in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                with socket.socket(family) as probe:
                    if family == socket.AF_INET6:
                        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    probe.bind((host, port))
        except OSError as error:
            lock.close()
            if isinstance(error, BlockingIOError) or error.errno in (98, 13):
                continue
            if error.errno == 97:  # no IPv6 here
                pass
            else:
                raise
        _held_ports.append(lock)
        return port
    raise RuntimeError("no free port between 20000 and 31999")


def tail(path, lines=60):
    try:
        text = pathlib.Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        return str(error)
    return "\n".join(text[-lines:])
