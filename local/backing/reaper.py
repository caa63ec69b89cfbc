"""Kills the children of a process that died, however it died (even by SIGKILL).

The parent holds the write end of this process's standard input. Lines `+pid` and `-pid` name the
children it started and saw end; at the end of the input every named process is killed with all its
descendants and its process group. A pipe is used rather than PR_SET_PDEATHSIG, which follows the
parent's thread instead of its process, is lost when the child changes its user, and is Linux only.

Run as a file: `python -P reaper.py`.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Follow standard input to its end, then kill what it named."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    alive: dict[int, str | None] = {}
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+":
            alive[pid] = birth(pid)
        else:
            alive.pop(pid, None)
    ours = {pid for pid, born in alive.items() if birth(pid) in (born, None)}
    for pid in _with_descendants(ours):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    for pid in ours:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def birth(pid: int) -> str | None:
    """When the process with this number began, where the system tells (Linux); None if it has ended.

    Numbers are used again. One whose process ended unnoticed must not cost a stranger's life; a group whose
    leader has ended keeps its number to itself.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()[19]


def _with_descendants(pids: set[int]) -> list[int]:
    import psutil  # noqa: PLC0415 - needed only at the end; stay small

    found: list[int] = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [child.pid for child in process.children(recursive=True)] + [pid]
    return found


if __name__ == "__main__":
    main()
