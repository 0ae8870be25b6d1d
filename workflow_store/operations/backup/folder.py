"""``BackupFolder``: where backups lie; one is there whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workflow_store.embedded.archiving import WAL
from workflow_store.errors import BackupDamaged, BackupError
from workflow_store.operations.backup.manifest import MANIFEST, SEAL, FileEntry, Manifest
from workflow_store.operations.backup.place import BackupPlace
from workflow_store.operations.backup.retention import outdated
from workflow_store.settings import Settings

_PARTIAL: Final = ".partial-"
BASE: Final = "base"
_LOG_FILE: Final = re.compile(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}(\.|$)")
_PIECE: Final = 1024 * 1024
# A backup that is being made touches its folder all the time; one that was left behind does not.
_ABANDONED: Final = 24 * 3600.0


class BackupFolder(BackupPlace):
    """The folder of the backups, each a folder of its own with a manifest.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, settings: Settings) -> BackupFolder:
        """That of the settings."""
        return cls(settings.backup_folder)

    @property
    def address(self) -> str:
        return str(self.path)

    def names(self) -> tuple[str, ...]:
        """All that looks like a backup, damaged ones too."""
        if not self.path.is_dir():
            return ()
        return tuple(
            sorted(
                entry.name
                for entry in self.path.iterdir()
                if entry.is_dir() and entry.name != WAL and not entry.name.startswith(".")
            )
        )

    def read(self, name: str) -> Manifest:
        """The manifest of a backup.

        Raises:
            ValueError: it is not there, not whole, or not one of ours; the message says which.
        """
        return Manifest.read(self.path / name)

    def chain(self, name: str) -> tuple[Manifest, ...]:
        """A backup and those it builds on, the oldest first; every byte of each is verified.

        Raises:
            BackupError: one of them is not there.
            BackupDamaged: one of them is not what its manifest says.
        """
        links = [self.verify(name)]
        while links[0].builds_on is not None:
            links.insert(0, self.verify(links[0].builds_on))
        return tuple(links)

    def place(self, name: str) -> Path:
        """The folder of a backup.

        Raises:
            BackupError: there is none of this name.
        """
        if name not in self.names():
            raise BackupError(f"there is no backup {name!r} in {self.path}")
        return self.path / name

    def verify(self, name: str) -> Manifest:
        """Read every byte of a backup and compare it with the manifest.

        Raises:
            BackupError: there is none of this name.
            BackupDamaged: it is not what its manifest says; every difference is named.
        """
        manifest = self.known(name)
        require_whole(self.path / name, manifest)
        return manifest

    def require_room(self, size: int) -> None:
        """See to it that so many bytes fit.

        Raises:
            BackupError: they don't, or the folder can't be made.
        """
        try:
            # A server of another user writes its log below it; each backup is shut to others.
            self.path.mkdir(parents=True, exist_ok=True, mode=0o755)
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            raise BackupError(f"{self.path} can't be used: {error.strerror}") from None
        if free < size:
            raise BackupError(f"{self.path} has {free:,} bytes free; a backup may need {size:,}")

    @contextmanager
    def making(self, name: str) -> Generator[Path]:
        """A folder to be filled, which becomes the backup of this name at the end of the block, or goes away.

        Raises:
            BackupError: it can't be written.
        """
        work = self.path / f"{_PARTIAL}{name}"
        try:
            work.mkdir(mode=0o700)
        except OSError as error:
            raise BackupError(f"{work} can't be made: {error.strerror}") from None
        try:
            yield work
            _sync_tree(work)
            work.rename(self.path / name)
            _sync(self.path)
        except OSError as error:
            raise BackupError(f"{work} can't be written: {error.strerror or error}") from None
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def prune(self, keep_days: int) -> tuple[str, ...]:
        """Remove the backups that are older, and what was left of unfinished ones; never the last good one.

        Returns:
            The names of those that were removed, damaged ones among them.
        """
        manifests = self.list()
        old = outdated(manifests, keep_days, self.is_good)
        for name in sorted(old):
            self.remove(name)
        self._prune_log([manifest.name for manifest in manifests if manifest.is_physical and manifest.name not in old])
        if self.path.is_dir():
            for left in self.path.glob(f"{_PARTIAL}*"):
                if time.time() - left.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)
        return tuple(sorted(old))

    def remove(self, name: str) -> None:
        """Remove a backup, and not what builds on it."""
        shutil.rmtree(self.place(name))

    def _prune_log(self, kept: Sequence[str]) -> None:
        """Remove the server's log from before the first of the backups that need it."""
        needed = [found[1] for name in kept if (found := _LOG_FILE.search(_label(self.path / name))) is not None]
        log = self.path / WAL
        if not needed or not log.is_dir():
            return
        # Of a file's name the first eight digits are the timeline; the rest says how far the log had come.
        first = min(name[8:] for name in needed)
        for entry in log.iterdir():
            if _SEGMENT.match(entry.name) and entry.name[8:24] < first:
                entry.unlink()


def _label(folder: Path) -> str:
    try:
        return (folder / BASE / "backup_label").read_text(encoding="utf-8")
    except OSError:
        return ""


def entries(folder: Path) -> dict[str, FileEntry]:
    """Every file below a folder, with its size and hash."""
    return {name: _entry(folder / name) for name in sorted(_files(folder))}


def require_whole(folder: Path, manifest: Manifest) -> None:
    """Read every byte of a backup's folder and compare it with the manifest.

    Raises:
        BackupDamaged: it is not what the manifest says; every difference is named.
    """
    problems = list(differences(manifest, set(_files(folder)), lambda name: _entry(folder / name)))
    if problems:
        raise BackupDamaged(manifest.name, problems)


def differences(manifest: Manifest, there: AbstractSet[str], entry: Callable[[str], FileEntry]) -> Iterator[str]:
    """What is not as the manifest says, a line each.

    Args:
        manifest: what should be there.
        there: the files, by relative path.
        entry: reads one of them; what is an ``OSError`` is told as such.
    """
    files = there - {MANIFEST, SEAL}
    for name in sorted(manifest.files.keys() - files):
        yield f"{name} is missing"
    for name in sorted(files - manifest.files.keys()):
        yield f"{name} does not belong to it"
    for name in sorted(files & manifest.files.keys()):
        wanted = manifest.files[name]
        try:
            found = entry(name)
        except OSError as error:
            yield f"{name} can't be read: {error.strerror}"
            continue
        if found.size != wanted.size:
            yield f"{name} has {found.size:,} bytes instead of {wanted.size:,}"
        elif found.sha256 != wanted.sha256:
            yield f"{name} has other bytes than those that were written"


def _files(folder: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield str((Path(parent) / name).relative_to(folder))


def _entry(path: Path) -> FileEntry:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return FileEntry(size=size, sha256=digest.hexdigest())


def _sync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(Path(parent) / name)
        _sync(Path(parent))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
