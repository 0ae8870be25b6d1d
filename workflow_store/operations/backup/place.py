"""``BackupPlace``: what a folder, a bucket, and both together can be asked alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from workflow_store.errors import BackupDamaged, BackupError
from workflow_store.operations.backup.manifest import Manifest


class BackupPlace(ABC):
    """A place where backups lie."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where, without a secret."""

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """All that looks like a backup, damaged and unfinished ones too, sorted."""

    @abstractmethod
    def read(self, name: str) -> Manifest:
        """The manifest of a backup.

        Raises:
            ValueError: it is not there, not whole, or not one of ours; the message says which.
            BackupError: the place can't be read.
        """

    @abstractmethod
    def verify(self, name: str) -> Manifest:
        """Read every byte of a backup and compare it with the manifest.

        Raises:
            BackupError: there is none of this name, or the place can't be read.
            BackupDamaged: it is not what its manifest says; every difference is named.
        """

    def list(self) -> tuple[Manifest, ...]:
        """The backups whose manifests can be read, the newest first."""
        return newest_first(found for name in self.names() if (found := self._readable(name)) is not None)

    def find(self, name: str) -> Manifest | None:
        """The manifest of a backup; None where there is none of this name, or none that can be read."""
        return self._readable(name) if name in self.names() else None

    def known(self, name: str) -> Manifest:
        """The manifest of a backup that has to be there.

        Raises:
            BackupError: there is none of this name, or the place can't be read.
            BackupDamaged: its manifest is not there, not whole, or not one of ours.
        """
        if name not in self.names():
            raise BackupError(f"there is no backup {name!r} in {self.address}")
        try:
            return self.read(name)
        except ValueError as error:
            raise BackupDamaged(name, [str(error)]) from None

    def _readable(self, name: str) -> Manifest | None:
        try:
            return self.read(name)
        except ValueError:
            return None

    def is_good(self, name: str) -> bool:
        """Whether a backup is what its manifest says."""
        try:
            self.verify(name)
        except BackupError:
            return False
        return True

    def latest(self, *, physical: bool | None = None) -> str:
        """The name of the newest.

        Args:
            physical: only of those of the server's files, or only of the others.

        Raises:
            BackupError: there is none.
        """
        found = [one for one in self.list() if physical is None or one.is_physical == physical]
        if not found:
            raise BackupError(f"there is no backup in {self.address}")
        return found[0].name


def newest_first(manifests: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """In the order of a list."""
    return tuple(sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.name), reverse=True))
