"""``Blobs``: where the bytes lie, named by their SHA-256 and by nothing from outside.

::

    ab/cd/abcd…            a file: the 64 hexadecimal digits of its hash, under its first two pairs
    aside/abcd….<random>   a file that a collection is about to delete
    owners/<owner>         one for each database that has put files here
    tmp/                   a local folder only: files that are being written
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from workflow_store.media.spool import Upload

ASIDE: Final = "aside"
OWNERS: Final = "owners"
_FILE = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})")
_ASIDE = re.compile(r"([0-9a-f]{64})\.[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: its hash, its bytes' number, and when it was written."""

    sha256: bytes
    size: int
    modified: datetime


class Blobs(Protocol):
    """A folder or a bucket. What fails in it is raised as ``MediaUnavailable``."""

    @property
    def address(self) -> str:
        """Where it is, without a secret."""
        ...

    @property
    def spool_folder(self) -> Path:
        """A local folder for files on their way in."""
        ...

    async def prepare(self, upload: Upload) -> None:
        """Do what takes long, so that ``ensure`` need not."""
        ...

    async def ensure(self, upload: Upload) -> None:
        """Have the file in its place, whole and durable, when this returns."""
        ...

    async def read(self, sha256: bytes) -> bytes | None:
        """The bytes, unchecked; None where there is no such file."""
        ...

    def stream(self, sha256: bytes) -> AbstractAsyncContextManager[AsyncIterator[bytes] | None]:
        """The bytes piece by piece, unchecked; None where there is no such file."""
        ...

    def listed(self) -> AsyncIterator[Collection[Blob]]:
        """All stored files, some at a time."""
        ...

    async def set_aside(self, sha256: bytes, aside: str) -> None:
        """Take a file out of its place but keep it as ``aside``; none may be there."""
        ...

    async def put_back(self, sha256: bytes, aside: str) -> bool:
        """Undo ``set_aside``; False where the place was taken meanwhile or nothing was aside."""
        ...

    async def discard(self, aside: str) -> None:
        """Delete what was set aside; nothing may be there."""
        ...

    async def asides(self) -> list[str]:
        """What is set aside."""
        ...

    async def register(self, owner: str) -> None:
        """Note that a database has put files here."""
        ...

    async def owners(self) -> set[str]:
        """The databases that have."""
        ...

    async def forget(self, owner: str) -> None:
        """Remove such a note; none may be there."""
        ...

    async def remove_partials(self, before: float) -> int:
        """Delete unfinished uploads last written to before a POSIX time; return how many."""
        ...


def path_of(sha256: bytes) -> str:
    """Where a file lies, relative to the folder or bucket."""
    digits = sha256.hex()
    return f"{digits[:2]}/{digits[2:4]}/{digits}"


def hash_in(path: str) -> bytes | None:
    """The hash of the file that lies at a relative path; None for anything that is not a stored file."""
    found = _FILE.fullmatch(path)
    return bytes.fromhex(found[3]) if found else None


def new_aside(sha256: bytes) -> str:
    """A name no other collection uses, so that none touches what another has set aside."""
    return f"{sha256.hex()}.{secrets.token_hex(8)}"


def hash_of_aside(aside: str) -> bytes | None:
    """The hash of a file that was set aside; None for a name that is not ours."""
    found = _ASIDE.fullmatch(aside)
    return bytes.fromhex(found[1]) if found else None
