"""``Manifest``: what a backup holds, written beside it, so that it can be told later whether it still does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

Kind: TypeAlias = Literal["archive", "sql", "base", "incremental"]

MANIFEST: Final = "manifest.json"
SEAL: Final = "manifest.sha256"


def is_inside(path: str) -> bool:
    """Whether a relative path leads nowhere but into the folder of a backup."""
    parts = PurePosixPath(path)
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts and "\0" not in path


def _required_inside(path: str) -> str:
    if not is_inside(path):
        raise ValueError("a file outside of the backup's folder")
    return path


class FileEntry(BaseModel):
    """A file of the backup: its bytes' number and their SHA-256."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TableEntry(BaseModel):
    """A table: its rows, and a digest of their contents that does not depend on their order."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    rows: Annotated[int, Field(ge=0)]
    digest: str


class Manifest(BaseModel):
    """What a backup holds.

    Attributes:
        name: of its folder.
        kind: ``archive``, a directory that pg_restore reads with several processes; ``sql``, statements for psql;
            ``base``, the server's own files; ``incremental``, those blocks of them that changed since ``builds_on``.
        builds_on: the backup an incremental one needs.
        created_at: when its snapshot was taken.
        tool_version: of this library.
        server_version: of the server it was taken from, in words.
        server_number: the same as a number, such as 170004.
        database: its name.
        schema_version: the last migration the database had.
        tables: rows and digest of each table, as the snapshot saw them; none for the server's own files, whose
            checksums are in the manifest that the server wrote.
        files: everything in the folder but this file and its seal, by relative path.
        media: how many media files are in it.
        media_missing: hashes of media files that a workflow links to, but that were lost or damaged before.
        seconds: how long it took.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    format: Literal[1] = 1
    name: str
    kind: Kind
    created_at: datetime
    tool_version: str
    server_version: str
    server_number: int
    database: str
    schema_version: str | None
    builds_on: str | None = None
    tables: Mapping[str, TableEntry]
    files: Mapping[Annotated[str, AfterValidator(_required_inside)], FileEntry]
    media: int = 0
    media_missing: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(entry.size for entry in self.files.values())

    @property
    def is_physical(self) -> bool:
        """Whether it is of the server's files, and not of one database's contents."""
        return self.kind in ("base", "incremental")

    @property
    def server_major(self) -> int:
        """The server's major version."""
        return self.server_number // 10_000

    def write(self, folder: Path) -> None:
        """Write it and its seal into a folder."""
        text = self.model_dump_json(indent=2) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")
        (folder / SEAL).write_bytes(_seal(text.encode()))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a folder.

        Raises:
            ValueError: it is not there, not whole, or not one of ours; the message says which.
        """
        try:
            data = (folder / MANIFEST).read_bytes()
            seal = (folder / SEAL).read_bytes()
        except OSError as error:
            raise ValueError(f"{MANIFEST} or its seal can't be read: {error.strerror}") from None
        return cls.parse(folder.name, data, seal)

    @classmethod
    def parse(cls, name: str, data: bytes, seal: bytes) -> Manifest:
        """The manifest of a backup of that name.

        Raises:
            ValueError: it is not whole, or not one of ours; the message says which.
        """
        if seal != _seal(data):
            raise ValueError(f"{MANIFEST} is not what its seal says")
        try:
            manifest = cls.model_validate_json(data)
        except ValidationError as error:
            raise ValueError(f"{MANIFEST} is not one of this version's: {error.errors()[0]['msg']}") from None
        if manifest.name != name:
            raise ValueError(f"{MANIFEST} is that of {manifest.name}")
        return manifest


def _seal(manifest: bytes) -> bytes:
    """What ``sha256sum --check`` reads."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()
