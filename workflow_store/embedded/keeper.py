"""A process that does nothing but hold the embedded server, so that it runs while no program uses it.

``python -m workflow_store.embedded.keeper`` starts or joins the server of the settings, writes one line, and waits for
SIGTERM or SIGINT. While it runs it has ``keeper.lock`` of the data folder locked, whose text is its number.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from workflow_store.embedded.archiving import archive_options
from workflow_store.embedded.folder import data_home
from workflow_store.embedded.locks import try_locked
from workflow_store.embedded.server import EmbeddedServer
from workflow_store.errors import EmbeddedError, StoreError
from workflow_store.settings import Settings

_READY: Final = "ready"
_POLL: Final = 0.02
# Seconds: to start, and for the making of a new data folder, which the start's own time does not count.
_TIMEOUT: Final = 60.0
_PATIENCE: Final = 60.0


def keeper_pid(home: Path) -> int | None:
    """The process that keeps the server of a data folder running; None where there is none."""
    path = _lock(home)
    if not path.exists():
        return None
    fd = try_locked(path)
    if fd is not None:
        os.close(fd)
        return None
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return None


def launch(home: Path, timeout: float) -> int:
    """Start a keeper that outlives this process; its number. One that runs already stays the only one.

    Raises:
        EmbeddedError: it does not start; the message has its words.
    """
    # By way of a shell that ends at once: it is nobody's child, and nobody has to wait for its end.
    with subprocess.Popen(
        ["/bin/sh", "-c", '"$@" &', "sh", sys.executable, "-m", __name__, str(timeout)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={**os.environ, "WORKFLOW_STORE_DATA_DIR": str(home)},
        start_new_session=True,
    ) as shell:
        assert shell.stdout is not None
        text = _said(shell.stdout.fileno(), time.monotonic() + timeout + _PATIENCE)
    running = keeper_pid(home)
    if running is None:
        raise EmbeddedError(text.strip() or f"the server was not ready within {timeout:g} s")
    return running


def _said(fd: int, ends: float) -> str:
    """What it says until it is ready, has ended, or the time is over."""
    text = b""
    while not text.startswith(_READY.encode()) and (left := ends - time.monotonic()) > 0:
        readable, _, _ = select.select([fd], [], [], left)
        piece = os.read(fd, 4096) if readable else b""
        if not piece:
            break
        text += piece
    return text.decode(errors="replace")


def end(home: Path, timeout: float) -> bool:
    """End the keeper, which stops the server where nobody else uses it; False where there was none.

    Raises:
        EmbeddedError: it does not end.
    """
    pid = keeper_pid(home)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    ends = time.monotonic() + timeout
    while keeper_pid(home) == pid:
        if time.monotonic() > ends:
            raise EmbeddedError(f"process {pid}, which keeps the server running, does not end within {timeout:g} s")
        time.sleep(_POLL)
    return True


def main() -> int:
    """Hold the server until told to end; 1 where it can't be had, or another keeper has it.

    The first argument, if there is one, is the seconds within which the server has to be ready.
    """
    # Blocked before anything is started: what comes early is waited for later, and nothing is left half done.
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        settings = Settings.load()
        timeout = float(sys.argv[1]) if len(sys.argv) > 1 else _TIMEOUT
        server = EmbeddedServer.start(data_home(settings), options=archive_options(settings), timeout=timeout)
    except StoreError as error:
        _say(str(error))
        return 1
    fd = try_locked(_lock(server.data_dir))
    if fd is None:
        _say("another process keeps it running already")
        server.stop()
        return 1
    os.ftruncate(fd, 0)
    os.write(fd, str(os.getpid()).encode())
    _say(_READY)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (1, 2):
        os.dup2(nowhere, standard)
    signal.sigwait(signals)
    server.stop()
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _lock(home: Path) -> Path:
    return home / "keeper.lock"


if __name__ == "__main__":
    sys.exit(main())
