"""The two locks of a data folder: who uses the server, and who starts or stops it.

``hold.lock`` is locked shared for as long as someone uses the server. The kernel drops the lock with the process,
however it dies, so counting needs no list of processes. Whoever can make it exclusive is the last one.
``start.lock`` is locked exclusive around everything that makes, starts, stops or moves the server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from workflow_store.errors import EmbeddedError

_POLL = 0.02


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _try_lock(fd: int, *, shared: bool) -> bool:
    import fcntl  # absent on Windows, where the package must still import

    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def try_locked(path: Path) -> int | None:
    """A descriptor of a file that is locked exclusive for as long as it is open; None where somebody else has it."""
    fd = _open(path)
    if _try_lock(fd, shared=False):
        return fd
    os.close(fd)
    return None


class Hold:
    """One use of the server; taken and given up under the start lock.

    Raises:
        EmbeddedError: someone has it exclusive, which nobody does without the start lock.
    """

    def __init__(self, path: Path) -> None:
        self._fd = _open(path)
        if not _try_lock(self._fd, shared=True):
            self.close()
            raise EmbeddedError(f"{path} is locked by another program")

    def is_last(self) -> bool:
        """Whether nobody else holds the server; afterwards this hold may only be closed.

        The lock is converted on its own descriptor, so that a copy of it in a child that is just being forked does
        not count as somebody else.
        """
        return _try_lock(self._fd, shared=False)

    def close(self) -> None:
        """Give the hold up; closing it again does nothing.

        The descriptor is closed, never unlocked: unlocking would also take the lock from a parent or a child that
        shares it through a fork.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@contextmanager
def start_lock(path: Path, deadline: float) -> Generator[None]:
    """Be the only one that starts or stops the server; waits until ``deadline`` (``time.monotonic()`` seconds).

    Raises:
        EmbeddedError: another process had it all the time.
    """
    fd = _open(path)
    try:
        while not _try_lock(fd, shared=False):
            if time.monotonic() >= deadline:
                raise EmbeddedError(f"another process is still starting or stopping the server: {path} is locked")
            time.sleep(_POLL)
        yield
    finally:
        os.close(fd)
