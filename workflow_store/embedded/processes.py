"""Which process serves a cluster, asked of the operating system: a number in a file may be of another by now."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")  # macOS has none and is asked through ps
_END_TIMEOUT = 30.0
_EXEC_CHECKS = 10


def live_pid(cluster: Path) -> int | None:
    """The number of the process that serves ``cluster``, or None where none is alive."""
    try:
        pid = int((cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if is_postmaster(pid, cluster) else None


def end_abandoned(cluster: Path) -> None:
    """End the server of a cluster that is about to be removed, without care for what is in it."""
    pid = live_pid(cluster)
    deadline = time.monotonic() + _END_TIMEOUT
    while pid is not None and live_pid(cluster) == pid and time.monotonic() < deadline:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        time.sleep(0.05)


def is_postmaster(pid: int, cluster: Path) -> bool:
    """Whether ``pid`` is alive and serves ``cluster``, or is about to; a number taken by another program is not."""
    return f" -D {cluster} " in f"{_command_line(pid)} "


def exists(pid: int) -> bool:
    """Whether a process has this number, one that has ended but was not waited for included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _command_line(pid: int) -> str:
    """The arguments of a process; empty where there is none, or where it has ended and nobody asked for its result."""
    if not (_PROCESSES / "self").exists():
        command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
        return os.fsdecode(subprocess.run(command, capture_output=True, check=False).stdout).rstrip()
    text = b""
    for _ in range(_EXEC_CHECKS):
        try:
            text = (_PROCESSES / str(pid) / "cmdline").read_bytes()
            state = (_PROCESSES / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            return ""
        # A process has no arguments for a moment while it changes to another program, and none once it has ended.
        if text or state in (b"Z", b"X"):
            break
        time.sleep(0.01)
    return os.fsdecode(text.replace(b"\0", b" ")).rstrip()
