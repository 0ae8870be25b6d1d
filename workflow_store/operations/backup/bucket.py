"""``BackupBucket``: copies of backups in an object store; one is there when its manifest is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import obstore

from workflow_store.errors import BackupDamaged, BackupError
from workflow_store.media.objects import object_faults, objects_at
from workflow_store.operations.backup.folder import BackupFolder, differences, require_whole
from workflow_store.operations.backup.manifest import MANIFEST, SEAL, FileEntry, Manifest, is_inside
from workflow_store.operations.backup.place import BackupPlace
from workflow_store.operations.backup.retention import outdated

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# An object store has no empty folders, and a server's files need theirs: a list of them lies beside the manifest.
_FOLDERS: Final = "folders.txt"
# A piece of a file is one request, and has to arrive before that times out.
_PIECE: Final = 8 * 1024 * 1024


class BackupBucket(BackupPlace):
    """Backups in an object store, each below its name."""

    def __init__(self, objects: ObjectStore, address: str) -> None:
        self._objects = objects
        self._address = address

    @classmethod
    def at(cls, url: str) -> BackupBucket:
        """The one of a URL; credentials come from the environment, as each provider's own tools read them.

        Raises:
            BackupError: the URL can't be used.
        """
        return cls(*objects_at(url, "backups", BackupError))

    @property
    def address(self) -> str:
        return self._address

    def names(self) -> tuple[str, ...]:
        """All that looks like a backup, unfinished ones too."""
        with self._faults():
            # Arrow's types, which it could answer with too, are not installed.
            found = obstore.list_with_delimiter(self._objects)  # pyright: ignore[reportUnknownMemberType]
            return tuple(sorted(prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in found["common_prefixes"]))

    def read(self, name: str) -> Manifest:
        """The manifest of a backup.

        Raises:
            ValueError: it is not there, not whole, or not one of ours.
            BackupError: the object store does not answer.
        """
        data, seal = self._bytes(f"{name}/{MANIFEST}"), self._bytes(f"{name}/{SEAL}")
        if data is None or seal is None:
            raise ValueError(f"{MANIFEST} or its seal is not there")
        return Manifest.parse(name, data, seal)

    def has(self, manifest: Manifest) -> bool:
        """Whether that backup was copied there, to its end."""
        return self._readable(manifest.name) == manifest

    def upload(self, folder: Path, manifest: Manifest) -> None:
        """Copy a backup there: its files, and when all are there, its manifest.

        Raises:
            BackupError: the object store refused, or does not answer.
        """
        with self._faults():
            for file in manifest.files:
                obstore.put(self._objects, f"{manifest.name}/{file}", folder / file)
            empty = "".join(f"{path}\n" for path in _empty_folders(folder))
            obstore.put(self._objects, f"{manifest.name}/{_FOLDERS}", empty.encode())
            for file in (SEAL, MANIFEST):
                obstore.put(self._objects, f"{manifest.name}/{file}", folder / file)

    def verify(self, name: str) -> Manifest:
        """Read every byte of a backup and compare it with the manifest; nothing is written here.

        Raises:
            BackupError: there is none of this name, or the object store does not answer.
            BackupDamaged: it is not what its manifest says; every difference is named.
        """
        manifest = self.known(name)
        there = self._files(name) - {_FOLDERS}
        problems = list(differences(manifest, there, lambda file: self._entry(f"{name}/{file}")))
        if problems:
            raise BackupDamaged(name, problems)
        return manifest

    def fetch(self, name: str, folder: BackupFolder) -> None:
        """Bring a backup into a folder, where it is there whole or not at all.

        Raises:
            BackupError: there is none of this name, there is no room, or the object store does not answer.
            BackupDamaged: it is not what its manifest says.
        """
        manifest = self.known(name)
        folder.require_room(manifest.size)
        with folder.making(name) as work:
            for path in filter(is_inside, (self._bytes(f"{name}/{_FOLDERS}") or b"").decode().splitlines()):
                (work / path).mkdir(parents=True, exist_ok=True)
            for file in (*manifest.files, MANIFEST, SEAL):
                self._write(f"{name}/{file}", work / file)
            # A server refuses files that others can read.
            for parent, folders, files in os.walk(work):
                for entry in folders:
                    (Path(parent) / entry).chmod(0o700)
                for entry in files:
                    (Path(parent) / entry).chmod(0o600)
            require_whole(work, manifest)

    def remove(self, name: str) -> None:
        """Remove a backup: its manifest first, so that what is left is none."""
        with self._faults():
            there = self._files(name)
            for files in (there & {MANIFEST, SEAL}, there - {MANIFEST, SEAL}):
                if files:
                    obstore.delete(self._objects, [f"{name}/{file}" for file in sorted(files)])

    def prune(self, keep_days: int) -> tuple[str, ...]:
        """Remove the backups that are older, never the last good one nor what a kept one builds on; their names."""
        old = sorted(outdated(self.list(), keep_days, self.is_good))
        for name in old:
            self.remove(name)
        return tuple(old)

    def _files(self, name: str) -> set[str]:
        with self._faults():
            pages = obstore.list(self._objects, f"{name}/")  # pyright: ignore[reportUnknownMemberType]
            return {item["path"].split(f"{name}/", 1)[1] for page in pages for item in page}

    def _entry(self, key: str) -> FileEntry:
        digest = hashlib.sha256()
        size = 0
        for piece in self._pieces(key):
            digest.update(piece)
            size += len(piece)
        return FileEntry(size=size, sha256=digest.hexdigest())

    def _write(self, key: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece in self._pieces(key):
                file.write(piece)

    def _bytes(self, key: str) -> bytes | None:
        with self._faults():
            try:
                return bytes(obstore.get(self._objects, key).bytes())
            except FileNotFoundError:
                return None

    def _pieces(self, key: str) -> Iterator[bytes]:
        with self._faults():
            size = obstore.head(self._objects, key)["size"]
        for start in range(0, size, _PIECE):
            with self._faults():
                piece = obstore.get_range(self._objects, key, start=start, length=min(_PIECE, size - start))
            yield bytes(piece)

    def _faults(self) -> AbstractContextManager[None]:
        return object_faults(self._address, BackupError)


def _empty_folders(folder: Path) -> Sequence[str]:
    return sorted(
        str(Path(parent).relative_to(folder)) for parent, folders, files in os.walk(folder) if not folders and not files
    )
