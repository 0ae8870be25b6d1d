"""The embedded server as its users see it: a hold on a server that all processes share."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from workflow_store.embedded.account import server_account
from workflow_store.embedded.binaries import bin_dir, find_binaries
from workflow_store.embedded.cluster import Cluster
from workflow_store.embedded.folder import DataFolder, default_data_dir, dsn
from workflow_store.embedded.locks import Hold, start_lock
from workflow_store.settings import Settings

_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
_STOP_PATIENCE = 180.0


class EmbeddedServer:
    """A hold on the embedded server of a data folder.

    The first hold starts the server, the last one that is given up stops it. A process that dies gives its holds up;
    one that ends without ``stop`` does so at its exit. A server whose holders were all killed stays, and the next
    ``start`` joins it.

    Attributes:
        dsn: a ``postgresql://`` URI over the server's socket, for asyncpg and libpq; no secret in it.
        data_dir: the data folder, resolved.
        cluster: PostgreSQL's data directory inside it.
        bin_dir: the programs that fit the server: ``psql``, ``pg_dump`` and others.
        version: of the server, such as ``18.6``.
    """

    def __init__(self, cluster: Cluster, hold: Hold) -> None:
        self._server = cluster
        self._hold: Hold | None = hold
        self._guard = threading.Lock()
        self._process = os.getpid()
        self.dsn: str = dsn(cluster.socket_dir)
        self.data_dir: Path = cluster.folder.home
        self.cluster: Path = cluster.path
        self.bin_dir: Path = cluster.binaries.folder
        self.version: str = cluster.binaries.version
        atexit.register(self.stop)

    @classmethod
    def start(
        cls, data_dir: Path | None = None, *, options: Mapping[str, str] = _NO_OPTIONS, timeout: float = 60
    ) -> EmbeddedServer:
        """Start the server of ``data_dir``, or join it where it runs; blocks until it answers.

        Args:
            data_dir: without one, ``WORKFLOW_STORE_DATA_DIR``, else ``default_data_dir()``.
            options: server settings such as ``{"work_mem": "64MB"}``; they count only if this call starts the server.
            timeout: seconds, the wait for other processes that are starting it included; the making of a new data
                folder is not.

        Raises:
            EmbeddedUnavailable: not installed, or it can't run here or in this folder; the message says what helps.
            DataFolderVersionMismatch: another major version made the folder.
            EmbeddedError: it does not start; the message has the end of its log.
            SettingsError: a setting can't be used.
        """
        bin_dir()
        deadline = time.monotonic() + timeout
        account = server_account()
        binaries = find_binaries(account)
        folder = DataFolder.prepare(data_dir or Settings.load().data_dir or default_data_dir(), account)
        with start_lock(folder.start_lock, deadline):
            folder.clean()
            folder.require_major(binaries.major)
            cluster = Cluster(folder, binaries, folder.cluster, folder.socket_dir())
            hold = Hold(folder.hold_lock)
            started = False
            try:
                if folder.major() is None:
                    cluster.create()
                    deadline = time.monotonic() + timeout
                started = cluster.start(options, deadline)
                cluster.ensure_database()
                return cls(cluster, hold)
            except BaseException:
                if started and hold.is_last():
                    cluster.stop()
                hold.close()
                raise

    @classmethod
    async def open(
        cls, data_dir: Path | None = None, *, options: Mapping[str, str] = _NO_OPTIONS, timeout: float = 60
    ) -> EmbeddedServer:
        """``start`` in a thread. If the caller is cancelled meanwhile, the hold is given up as soon as it is there."""
        handover = _Handover()

        def run() -> EmbeddedServer:
            server = cls.start(data_dir, options=options, timeout=timeout)
            if not handover.offer(server):
                server.stop()
            return server

        loop = asyncio.get_running_loop()
        pending = loop.run_in_executor(None, run)
        try:
            return await asyncio.shield(pending)
        except asyncio.CancelledError:
            unwanted = handover.abandon()
            if unwanted is not None:
                loop.run_in_executor(None, unwanted.stop)
            pending.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    def stop(self, *, force: bool = False) -> None:
        """Give the hold up; the last one stops the server. Doing it again does nothing.

        Args:
            force: stop it although others hold it; their connections end.

        Raises:
            EmbeddedError: the server does not stop.
        """
        with self._guard:
            hold, self._hold = self._hold, None
        if hold is None:
            return
        atexit.unregister(self.stop)
        try:
            if os.getpid() != self._process:
                return  # inherited through a fork: the hold is the parent's
            with start_lock(self._server.folder.start_lock, time.monotonic() + _STOP_PATIENCE):
                if hold.is_last() or force:
                    self._server.stop()
        finally:
            hold.close()

    async def aclose(self) -> None:
        """``stop`` in a thread; it goes on if the caller is cancelled meanwhile."""
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self.stop))

    def describe(self) -> str:
        """One line that says which server is used."""
        return (
            f"workflow-store: using the embedded PostgreSQL {self.version} in {self.cluster} "
            "(set WORKFLOW_STORE_DSN for another server)"
        )

    def __repr__(self) -> str:
        return f"<EmbeddedServer {self.version} {self.cluster}{'' if self._hold else ' stopped'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Handover:
    """Settles, between a thread and a task that may be cancelled, which of the two has to give a hold up."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._offered: EmbeddedServer | None = None
        self._abandoned = False

    def offer(self, server: EmbeddedServer) -> bool:
        """The thread has a hold for the task; False if the task is gone and the thread must give it up."""
        with self._guard:
            self._offered = server
            return not self._abandoned

    def abandon(self) -> EmbeddedServer | None:
        """The task leaves; returns what was offered before and nobody else will give up."""
        with self._guard:
            self._abandoned = True
            return self._offered
