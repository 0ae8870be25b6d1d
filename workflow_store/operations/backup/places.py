"""``Backups``: all places where backups lie, the folder and, where there is one, the bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from workflow_store.errors import BackupError
from workflow_store.operations.backup.folder import BackupFolder
from workflow_store.operations.backup.manifest import Manifest
from workflow_store.operations.backup.place import BackupPlace
from workflow_store.settings import Settings

if TYPE_CHECKING:
    from workflow_store.operations.backup.bucket import BackupBucket


class Backups(BackupPlace):
    """The folder, where backups are made and restored from, and the bucket that has copies of them.

    Attributes:
        folder: of ``backup_dir``.
        bucket: of ``backup_url``; None where that is not set.
    """

    def __init__(self, folder: BackupFolder, bucket: BackupBucket | None) -> None:
        self.folder = folder
        self.bucket = bucket

    @classmethod
    def of(cls, settings: Settings) -> Backups:
        """Those of the settings; nothing is sent yet.

        Raises:
            BackupError: a bucket needs the extra ``media``, or its URL can't be used.
        """
        folder = BackupFolder.of(settings)
        if settings.backup_url is None:
            return cls(folder, None)
        try:
            from workflow_store.operations.backup.bucket import BackupBucket
        except ImportError:
            raise BackupError("backups in a bucket need obstore: pip install 'workflow-store[media]'") from None
        return cls(folder, BackupBucket.at(settings.backup_url.get_secret_value()))

    @property
    def address(self) -> str:
        """Where, in words, without a secret."""
        return str(self.folder.path) if self.bucket is None else f"{self.folder.path} and {self.bucket.address}"

    def names(self) -> tuple[str, ...]:
        """All that looks like a backup, damaged ones too."""
        return tuple(sorted({*self.folder.names(), *(() if self.bucket is None else self.bucket.names())}))

    def read(self, name: str) -> Manifest:
        """The manifest of a backup, of the folder if it can be read there.

        Raises:
            ValueError: it can be read nowhere; the message says why.
            BackupError: the bucket does not answer.
        """
        try:
            return self.folder.read(name)
        except ValueError:
            if self.bucket is None:
                raise
        return self.bucket.read(name)

    def find(self, name: str) -> Manifest | None:
        """The manifest of a backup; the bucket is asked only for what the folder has not."""
        return self.folder.find(name) or (None if self.bucket is None else self.bucket.find(name))

    def verify(self, name: str) -> Manifest:
        """Read every byte of a backup, in each place where it is, and compare it with its manifest.

        Raises:
            BackupError: there is none of this name.
            BackupDamaged: it is not what its manifest says.
        """
        there = [place for place in (self.folder, self.bucket) if place is not None and name in place.names()]
        if not there:
            raise BackupError(f"there is no backup {name!r} in {self.address}")
        manifest, *_ = [place.verify(name) for place in there]
        return manifest

    def at_hand(self, name: str) -> str:
        """See to it that a backup lies in the folder, with all that it builds on; its name.

        Raises:
            BackupError: there is none of this name, there is no room, or the bucket does not answer.
            BackupDamaged: it is not what its manifest says.
        """
        wanted: str | None = name
        while self.bucket is not None and wanted is not None:
            if wanted not in self.folder.names() and wanted in self.bucket.names():
                self.bucket.fetch(wanted, self.folder)
            there = self.find(wanted)
            wanted = None if there is None else there.builds_on
        return name

    def copy_out(self, manifest: Manifest) -> bool:
        """Copy a backup of the folder into the bucket, where there is one that has it not; whether it did.

        Raises:
            BackupError: the bucket refused, or does not answer; the backup in the folder is as it was.
        """
        if self.bucket is None:
            return False
        try:
            if self.bucket.has(manifest):
                return False
            self.bucket.upload(self.folder.place(manifest.name), manifest)
        except BackupError as error:
            raise BackupError(f"{manifest.name} is in {self.folder.path}, but not in the bucket: {error}") from None
        return True

    def prune(self, keep_days: int, local_days: int | None = None) -> tuple[str, ...]:
        """Remove the backups that are older, never the last good one nor what a kept one builds on; their names.

        Args:
            keep_days: days, in all places.
            local_days: days after which a dump that the bucket has is removed from the folder.
        """
        removed = {*self.folder.prune(keep_days), *(() if self.bucket is None else self.bucket.prune(keep_days))}
        if self.bucket is not None and local_days is not None:
            limit = datetime.now(UTC) - timedelta(days=local_days)
            copied = {manifest.name: manifest for manifest in self.bucket.list()}
            for manifest in self.folder.list():
                # The server's own files stay: the next incremental one builds on them, and the log leads on from them.
                if manifest.created_at < limit and not manifest.is_physical and copied.get(manifest.name) == manifest:
                    self.folder.remove(manifest.name)
        return tuple(sorted(removed))
