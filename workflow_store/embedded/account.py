"""The system user that the server runs as, and what that user can reach.

PostgreSQL refuses to run as root. A plain user's server runs as that user; root's runs as a user of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from workflow_store.embedded.locks import start_lock
from workflow_store.errors import EmbeddedUnavailable

SYSTEM_USER = "workflow-store"
_FALLBACK_USER = "postgres"
_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CREATE_LOCK = Path("/run/workflow-store-useradd.lock")
_CREATE_TIMEOUT = 60.0
_CREATE_ATTEMPTS = 20
_DATABASE_IS_LOCKED = 1


def environment() -> dict[str, str]:
    """The whole environment of a child process: nothing of the caller's, whose PG*, LD_* and PYTHON* would leak in."""
    return {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": _SEARCH_PATH}


def make_folder(path: Path, mode: int) -> None:
    """Make ``path`` and what is missing above it with ``mode``; what exists is left as it is."""
    for folder in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        try:
            folder.mkdir(mode)
        except FileExistsError:
            continue
        folder.chmod(mode)  # the caller's umask may have taken from it


@dataclass(frozen=True)
class Account:
    """A system user.

    Attributes:
        name: its login name.
        uid: its number.
        gid: the number of its main group.
        switch: whether a child process must change to it; False where the caller is that user.
    """

    name: str
    uid: int
    gid: int
    switch: bool

    def run(self, command: Sequence[str | Path], *, timeout: float | None) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, in a session of its own, away from the caller's folder and environment.

        Raises:
            OSError: the program can't be executed by this user.
            subprocess.TimeoutExpired: it took longer than ``timeout`` seconds and was killed.
        """
        return subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            cwd="/",
            env=environment(),
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def own(self, path: Path) -> None:
        """Give ``path``, just made by the caller, to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def closed_folder(self, path: Path) -> Path | None:
        """The first folder on the way to ``path`` (itself included) that this user can't enter, or None.

        The kernel is asked, in a child process with this user's rights: mode bits alone leave out access lists.
        """
        if not self.switch:
            return None
        way = [*reversed(path.parents), path]
        script = 'for folder do cd -- "$folder" 2>/dev/null || { printf %s "$folder"; exit 1; }; done'
        answer = self.run(["/bin/sh", "-c", script, "sh", *way], timeout=30)
        return Path(answer.stdout) if answer.returncode else None


def server_account() -> Account:
    """The user that the server runs as here; root makes the system user ``workflow-store`` when it is missing.

    Raises:
        EmbeddedUnavailable: the caller has no entry in the user database, or root can't get another user.
    """
    import pwd  # absent on Windows, where the package must still import

    uid = os.geteuid()
    if uid != 0:
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise EmbeddedUnavailable(
                f"user {uid} has no entry in the user database, which PostgreSQL needs; "
                "add one to /etc/passwd, or set WORKFLOW_STORE_DSN for another server"
            ) from None
        return Account(entry.pw_name, uid, os.getegid(), switch=False)
    account = _existing(SYSTEM_USER) or _create() or _existing(_FALLBACK_USER)
    if account is None:
        raise EmbeddedUnavailable(
            "PostgreSQL refuses to run as root, and no system user could be made for it; run "
            f"'useradd --system --no-create-home --shell /usr/sbin/nologin {SYSTEM_USER}', run as a plain user, "
            "or set WORKFLOW_STORE_DSN for another server"
        )
    try:
        account.run(["/bin/sh", "-c", ":"], timeout=30)
    except PermissionError as error:
        raise EmbeddedUnavailable(
            f"PostgreSQL refuses to run as root, and this root can't become user {account.name!r} ({error.strerror}); "
            "run as a plain user, or set WORKFLOW_STORE_DSN for another server"
        ) from None
    return account


def _existing(name: str) -> Account | None:
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid, switch=True) if entry.pw_uid != 0 else None


def _create() -> Account | None:
    program = shutil.which("useradd", path=_SEARCH_PATH)
    if program is None:
        return None
    command = [program, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    with ExitStack() as stack:
        # Two useradd at the same moment can both succeed and leave two users of one name.
        with suppress(OSError):
            stack.enter_context(start_lock(_CREATE_LOCK, time.monotonic() + _CREATE_TIMEOUT))
        for _ in range(_CREATE_ATTEMPTS):
            account = _existing(SYSTEM_USER)
            if account is not None:
                return account
            made = subprocess.run(command, capture_output=True, check=False, env=environment(), cwd="/", timeout=60)
            if made.returncode not in (0, _DATABASE_IS_LOCKED):
                return None
            time.sleep(0 if made.returncode == 0 else 0.1)
    return None
