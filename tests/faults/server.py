"""A durable server of one's own that can be killed, frozen and started again on the same data, at the same address."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from workflow_store.embedded import EmbeddedServer
from workflow_store.embedded.account import server_account
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import EmbeddedError
from workflow_store.schema import migrate

DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
_POLL = 0.01
_START_PATIENCE = 60.0


class Server:
    """An embedded server with the settings of production; ``running`` makes one.

    Attributes:
        dsn: of its database, which has the schema.
        bin_dir: the programs that fit it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._hold = EmbeddedServer.start(home)
        self._frozen: list[int] = []
        self.dsn: str = self._hold.dsn
        self.bin_dir: Path = self._hold.bin_dir
        asyncio.run(migrate(self.dsn))

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Server]:
        """A server for as long as the block lasts. It makes an event loop of its own, so it is not for inside of one.

        Raises:
            AssertionError: it would lose what it has acknowledged when the machine stops.
        """
        folder = Path(tempfile.mkdtemp(prefix="workflow-store-faults-", dir="/tmp"))
        folder.chmod(0o755)
        server = None
        try:
            server = cls(folder / "home")
            assert server.settings(DURABLE) == dict.fromkeys(DURABLE, "on")
            yield server
        finally:
            if server is not None:
                server.thaw()
                server._hold.stop()
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def pid(self) -> int | None:
        """The postmaster; None where none is alive."""
        return live_pid(self._hold.cluster)

    def backends(self) -> list[int]:
        """Its children: a process for each connection, and those that write, sweep and the like."""
        pid = self.pid
        return [] if pid is None else children(pid)

    def settings(self, names: Sequence[str]) -> dict[str, str]:
        """Settings as the server itself says them."""
        with psycopg.connect(self.dsn) as connection:
            return {name: str((connection.execute(f"SHOW {name}").fetchone() or ("",))[0]) for name in names}

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children notice, and end by themselves."""
        pid = self.pid
        if pid is not None:
            orphans = children(pid)
            os.kill(pid, signal.SIGKILL)
            _until(lambda: self.pid is None and not any(map(_is_alive, orphans)))

    def stop(self) -> None:
        """``pg_ctl stop -m immediate``: no goodbye, no checkpoint."""
        self.run("pg_ctl", "stop", "--pgdata", str(self._hold.cluster), "--mode", "immediate", "--wait")

    def start(self) -> None:
        """Start it again on the same data, at the same address; returns when it answers.

        Raises:
            EmbeddedError: it does not.
        """
        deadline = time.monotonic() + _START_PATIENCE
        while True:
            try:
                hold = EmbeddedServer.start(self._home)
                break
            except EmbeddedError:
                # An orphan of the killed one may hold its shared memory for a moment.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self._hold, former = hold, self._hold
        former.stop()

    def freeze(self) -> None:
        """SIGSTOP to the postmaster and all its children: it is there, and does not move."""
        pid = self.pid
        if pid is None:
            return
        self._send(pid, signal.SIGSTOP)
        # It can make no more of them now.
        for child in children(pid):
            self._send(child, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT to all that were frozen."""
        for pid in reversed(self._frozen):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._frozen.clear()

    def _send(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            self._frozen.append(pid)

    def run(self, program: str, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as its user."""
        return server_account().run([self.bin_dir / program, *arguments], timeout=timeout)

    def check_files(self) -> str:
        """What ``pg_amcheck --heapallindexed`` has against the tables and indexes; empty where it has nothing."""
        connection = conninfo_to_dict(self.dsn)
        answer = self.run(
            "pg_amcheck",
            "--heapallindexed",
            "--install-missing",
            f"--host={connection['host']}",
            f"--port={connection['port']}",
            f"--username={connection['user']}",
            f"--database={connection['dbname']}",
        )
        return "" if answer.returncode == 0 and not answer.stdout else (answer.stdout + answer.stderr).strip() or "?"


def children(pid: int) -> list[int]:
    """The children of a process, those that have ended left out."""
    with suppress(FileNotFoundError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [child for child in map(int, text.split()) if _is_alive(child)]
    return []


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(_POLL)
