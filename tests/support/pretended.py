"""A pretended date, as scripts/soak dates gives one to the tests, the daemons and Postgres:
Debian's libfaketime, which LD_PRELOAD puts into each of them.  Redis hangs with it, and knows
no dates; it keeps the real time.  Chromium hangs, too: its pages are told the date."""
import os
import select
import time

LIBRARY = "/usr/$LIB/faketime/libfaketimeMT.so.1"  # the dynamic linker knows $LIB


def environment(moment):
    """What makes it so many seconds since 1970 now, for all processes alike.  The monotonic
    clock and the times of files are left alone, and so is shared memory, which belongs to
    one user."""
    return {"LD_PRELOAD": LIBRARY, "FAKETIME": f"{moment - time.time():+.0f}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1"}


def inherited():
    """What a process needs to live in the pretended date, if this one does."""
    names = environment(0) if "FAKETIME" in os.environ else ()
    return {name: os.environ[name] for name in names if name in os.environ}


def with_preloaded(env, more):
    """env with the variables more, both LD_PRELOADs at once."""
    both = [one["LD_PRELOAD"] for one in (env, more) if one.get("LD_PRELOAD")]
    return {**env, **more, **({"LD_PRELOAD": ":".join(map(str, both))} if both else {})}


def real(env):
    """env without the pretended date."""
    return {key: value for key, value in env.items() if key not in inherited()}


def seconds():
    """How far the pretended time is from the real one."""
    return int(inherited().get("FAKETIME", "0").rstrip("s"))


def _sleep(seconds):
    select.select([], [], [], max(0.0, seconds))


if inherited():
    time.sleep = _sleep  # Python's own asks for a point in monotonic time: libfaketime shifts it
