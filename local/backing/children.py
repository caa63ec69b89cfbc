"""Child processes that never outlive this process."""

import atexit
import os
import subprocess
import sys
import threading
from pathlib import Path

_lock = threading.RLock()
_reapers: dict[int, "subprocess.Popen[bytes]"] = {}  # by the owner's pid: a forked child starts its own


def guard(pid: int) -> None:
    """See to it that `pid` and its descendants are killed when this process ends, however it ends."""
    _tell(f"+{pid}\n")


def release(pid: int) -> None:
    """`pid` has ended and was waited for: its number may belong to somebody else from now on."""
    _tell(f"-{pid}\n")


def kill_all() -> None:
    """Kill every guarded process now and wait until that is done. Safe in a signal handler."""
    with _lock:
        reaper = _reapers.get(os.getpid())
        if reaper is not None and reaper.stdin is not None and not reaper.stdin.closed:
            reaper.stdin.close()
            reaper.wait()


def _tell(line: str) -> None:
    with _lock:
        reaper = _reapers.get(os.getpid()) or _start_reaper()
        if reaper.stdin is not None and not reaper.stdin.closed:
            reaper.stdin.write(line.encode())


def _start_reaper() -> "subprocess.Popen[bytes]":
    script = Path(__file__).with_name("reaper.py")
    reaper = subprocess.Popen(
        [sys.executable, "-P", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,  # a Ctrl-C in the terminal must not reach it before its parent has cleaned up
    )
    _reapers[os.getpid()] = reaper
    atexit.register(_end_reaper, os.getpid())
    return reaper


def _end_reaper(owner: int) -> None:
    """At a normal exit: let the reaper end what is left, and wait for it."""
    if owner == os.getpid():
        kill_all()
