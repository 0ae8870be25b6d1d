"""A server of one's own that is a primary, or the standby of another one, and changes from one to the other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.ports import free_port, listens
from workflow_store.embedded.account import server_account
from workflow_store.embedded.binaries import bin_dir


class Node:
    """A cluster on a port of 127.0.0.1, where everybody is let in.

    Attributes:
        data: its folder.
        port: on which it listens.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._folder = folder
        self.port = free_port()

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Node]:
        """One for as long as the block lasts; it has no data yet."""
        folder = Path(tempfile.mkdtemp(prefix="workflow-store-node-", dir="/tmp"))
        account = server_account()
        if account.uid is not None:
            os.chown(folder, account.uid, account.gid or -1)
        node = cls(folder)
        try:
            yield node
        finally:
            with suppress(AssertionError):
                node.run("pg_ctl", "stop", "--pgdata", str(node.data), "--mode", "immediate")
            shutil.rmtree(folder, ignore_errors=True)

    def dsn(self, database: str = "postgres") -> str:
        """URI of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def initialise(self) -> None:
        """Make an empty cluster."""
        # A rewind needs the log since before the two went apart.
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--set=wal_keep_size=256MB")
        self.run("initdb", "--pgdata", str(self.data), *options)

    def make_folder(self, *paths: Path) -> None:
        """Make folders, and give them to the user of the server."""
        for path in paths:
            path.mkdir(exist_ok=True)
            server_account().own(path)

    def clone(self, source: Node) -> None:
        """Make it a standby of another one, as that is now."""
        self.run(
            "pg_basebackup", "--pgdata", str(self.data), "--write-recovery-conf", "--checkpoint=fast",
            f"--dbname={source._conninfo()}",
        )  # fmt: skip

    def rewind(self, source: Node) -> None:
        """Make it, a primary that went down, a standby of the one that took over."""
        self.run("pg_rewind", "--target-pgdata", str(self.data), "--write-recovery-conf",
                 f"--source-server={source._conninfo()}")  # fmt: skip

    def start(self, **settings: Any) -> None:
        """Start it; returns when it answers."""
        given = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": self.port, **settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        log = self._folder / "log"
        self.run("pg_ctl", "start", "--wait", "--pgdata", str(self.data), "--log", str(log), "--options", options)

    def promote(self) -> None:
        """Make a standby a primary; returns when it is one."""
        self.run("pg_ctl", "promote", "--wait", "--pgdata", str(self.data))

    def kill(self) -> None:
        """SIGKILL to the postmaster."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while (Path("/proc") / str(pid)).exists() or listens(self.port):
            assert time.monotonic() < deadline, "it does not end"
            time.sleep(0.01)

    def execute(self, text: str, database: str = "postgres") -> list[Any]:
        """The rows of a statement outside a transaction."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as its user, and see that it did its work."""
        done = server_account().run([bin_dir() / program, *arguments], timeout=120)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done

    def _conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
