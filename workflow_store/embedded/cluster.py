"""One PostgreSQL cluster in a data folder: made, started, asked, stopped.

Every function here runs under the start lock of the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from workflow_store.embedded.account import Account
from workflow_store.embedded.binaries import Binaries
from workflow_store.embedded.folder import DATABASE, PORT, ROLE, SOCKET_NAME, DataFolder, dsn
from workflow_store.embedded.processes import exists, is_postmaster, live_pid
from workflow_store.errors import EmbeddedError, EmbeddedUnavailable

_POLL = 0.03
_INIT_TIMEOUT = 300.0
_STOP_TIMEOUT = 120
_LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "C")
# The shell gives the server back to init and tells its number; the log and the command are its arguments, not its text.
_LAUNCH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


@dataclass(frozen=True)
class Cluster:
    """A cluster and the programs that serve it.

    Attributes:
        folder: the data folder.
        binaries: of the cluster's major version.
        path: PostgreSQL's data directory; ``folder.cluster``, but while an upgrade prepares another.
        socket_dir: where it listens; it never listens on TCP.
    """

    folder: DataFolder
    binaries: Binaries
    path: Path
    socket_dir: Path

    @property
    def account(self) -> Account:
        return self.folder.account

    def create(self, *, durable: bool = True) -> None:
        """Make the cluster with data checksums, UTF-8 and code-point order; all of it appears at once, or nothing.

        Args:
            durable: wait until it is on the disk; without that, call ``sync`` before anyone relies on it.

        Raises:
            EmbeddedError: ``initdb`` failed; the message has what it said.
        """
        work = self.folder.temporary("init")
        fresh = work / "data"
        command: list[str | Path] = [
            self.binaries["initdb"],
            "--pgdata",
            fresh,
            "--username",
            ROLE,
            "--encoding",
            "UTF8",
        ]
        command += ["--data-checksums", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        command += ["--lc-collate", "C", "--lc-messages", "C", "--no-instructions"]
        command += [] if durable else ["--no-sync"]
        # The rules that count are the data folder's; these are for whoever starts the cluster without them.
        command += ["--auth-local", "peer", "--auth-host", "reject"]
        command += ["--set", "timezone=UTC", "--set", "log_timezone=UTC"]
        answer = None
        for locale in _LOCALES:
            # Only LC_CTYPE needs the C library: extensions ask it which characters are letters.
            with_locale = [*command, "--lc-ctype", locale, "--lc-numeric", "C", "--lc-monetary", "C", "--lc-time", "C"]
            answer = self.run(with_locale, timeout=_INIT_TIMEOUT)
            if answer.returncode == 0:
                fresh.rename(self.path)
                shutil.rmtree(work, ignore_errors=True)
                sync_folder(self.path.parent)
                return
            if "locale" not in answer.stderr:
                break
        shutil.rmtree(work, ignore_errors=True)
        assert answer is not None
        raise EmbeddedError(f"initdb could not make {self.path}: {answer.stderr.strip()}")

    def sync(self) -> None:
        """Bring every file of a stopped cluster to the disk.

        Raises:
            EmbeddedError: that failed.
        """
        answer = self.run([self.binaries["initdb"], "--sync-only", "--pgdata", self.path], timeout=None)
        if answer.returncode != 0:
            raise EmbeddedError(f"{self.path} can't be brought to the disk: {answer.stderr.strip()}")

    def start(self, options: Mapping[str, str], deadline: float, *, roles: tuple[str, ...] = (ROLE,)) -> bool:
        """Start the server, or find it running, and wait until it answers; returns whether it was started here.

        Args:
            options: server settings that override the defaults; a running server keeps the ones it has.
            deadline: ``time.monotonic()`` seconds.
            roles: who the server's user may log in as; it answers when one of them gets in.

        Raises:
            EmbeddedError: it ended, or does not answer by then; the message has the end of its log. A server that is
                still recovering is left to it, so that the next start finds it further on.
        """
        launched: int | None = None
        while True:
            patience = max(2, min(10, int(deadline - time.monotonic())))
            refusals = [self.refusal(role, patience) for role in roles]
            running = self.pid() is not None
            if running and None in refusals:
                return launched is not None
            if not running and (launched is None or not is_postmaster(launched, self.path)):
                if launched is not None:
                    raise EmbeddedError(f"PostgreSQL {self.binaries.version} did not start{self.folder.log_tail()}")
                launched = self._launch(options, roles)
            if time.monotonic() >= deadline:
                raise EmbeddedError(
                    f"the server of {self.path} does not answer in time ({refusals[0]}){self.folder.log_tail()}"
                )
            time.sleep(_POLL)

    def stop(self) -> None:
        """Stop the server, ending its sessions; a server that does not run is stopped already.

        Raises:
            EmbeddedError: it does not end.
        """
        pid = self.pid()
        if pid is None:
            return
        command: list[str | Path] = [self.binaries["pg_ctl"], "stop", "--pgdata", self.path, "--mode", "fast"]
        answer = self.run([*command, "--wait", "--timeout", str(_STOP_TIMEOUT)], timeout=_STOP_TIMEOUT + 30)
        if answer.returncode != 0 and self.pid() is not None:
            raise EmbeddedError(
                f"the server of {self.path} does not stop: {answer.stderr.strip()}{self.folder.log_tail()}"
            )

    def ensure_database(self) -> None:
        """Make the store's database where it is missing.

        Raises:
            EmbeddedError: it can't be made, or not entered.
        """
        try:
            psycopg.connect(dsn(self.socket_dir), connect_timeout=10).close()
            return
        except psycopg.OperationalError:
            pass
        command: list[str | Path] = [
            self.binaries["createdb"],
            "--host",
            self.socket_dir,
            "--port",
            str(PORT),
            "--username",
            ROLE,
        ]
        answer = self.run([*command, "--no-password", "--maintenance-db", "postgres", DATABASE], timeout=60)
        if answer.returncode != 0:
            raise EmbeddedError(
                f"the database {DATABASE} could not be made: {answer.stderr.strip()}{self.folder.log_tail()}"
            )

    def pid(self) -> int | None:
        """The number of the server's process if it is alive."""
        return live_pid(self.path)

    def refusal(self, role: str = ROLE, patience: int = 10) -> str | None:
        """Log in as ``role``; returns why that was refused within ``patience`` seconds, or None."""
        try:
            psycopg.connect(dsn(self.socket_dir, "postgres", role), connect_timeout=patience).close()
        except psycopg.OperationalError as error:
            return str(error).strip()
        return None

    def _launch(self, options: Mapping[str, str], roles: tuple[str, ...]) -> int:
        self._forget_reused_pid()
        self.folder.prepare_log()
        hba, ident = self.folder.write_access_rules(roles=roles)
        quoted = str(self.socket_dir).replace('"', '""')
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{quoted}"',
            "unix_socket_permissions": "0700",
            "hba_file": str(hba),
            "ident_file": str(ident),
            "max_connections": "200",
            "cluster_name": "workflow-store",
            **options,
        }
        command: list[str | Path] = [self.binaries["postgres"], "-D", self.path]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        answer = self.run(["/bin/sh", "-c", _LAUNCH, "sh", self.folder.log, *command], timeout=30)
        if answer.returncode != 0:
            raise EmbeddedError(f"PostgreSQL could not be started: {answer.stderr.strip()}")
        return int(answer.stdout)

    def _forget_reused_pid(self) -> None:
        """Keep a server from taking some other process for its dead predecessor.

        After a crash ``postmaster.pid`` stays. PostgreSQL would refuse to start where its number belongs to another
        process of the same user by now, as is usual after a container's restart, or where the dead one was never
        waited for, as in a container whose first process does not do that. The number is replaced with one that is
        free; the rest stays, by which PostgreSQL finds old sessions that are still alive. The socket's lock file has
        the same number and nothing else of use: the socket's folder is this cluster's own.
        """
        (self.socket_dir / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
        path = self.path / "postmaster.pid"
        with suppress(OSError, ValueError):
            first, rest = path.read_text(encoding="utf-8").split("\n", 1)
            if not exists(int(first)) or is_postmaster(int(first), self.path):
                return
            gone = subprocess.Popen(["/bin/sh", "-c", ":"], cwd="/")
            gone.wait()
            fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(f"{gone.pid}\n{rest}")

    def run(self, command: Sequence[str | Path], *, timeout: float | None) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's user.

        Raises:
            EmbeddedUnavailable: that user can't execute it.
            EmbeddedError: it did not end within ``timeout`` seconds.
        """
        try:
            return self.account.run(command, timeout=timeout)
        except OSError as error:
            raise EmbeddedUnavailable(f"user {self.account.name!r} can't run {command[0]}: {error}") from error
        except subprocess.TimeoutExpired:
            raise EmbeddedError(f"{command[0]} did not end within {timeout:g} s") from None


def sync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
