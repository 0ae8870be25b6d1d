"""``Folder``: media files on a local disk, with nothing but the standard library."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Generator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from workflow_store.media.blobs import ASIDE, OWNERS, Blob, hash_in, path_of
from workflow_store.media.errors import MediaUnavailable
from workflow_store.media.spool import Upload, remove_partials, write_temporary
from workflow_store.media.work import in_thread, opened

_PIECE: Final = 256 * 1024
_TEMPORARY: Final = "tmp"


@contextmanager
def _disk_faults(root: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise MediaUnavailable(f"media folder {root}: {error.strerror or error}") from error


class Folder:
    """A local folder. A file appears in its place whole and on the disk, or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def address(self) -> str:
        return str(self._root)

    @property
    def spool_folder(self) -> Path:
        return self._root / _TEMPORARY

    async def prepare(self, upload: Upload) -> None:
        with _disk_faults(self._root):
            await in_thread(self._prepare, upload)

    async def ensure(self, upload: Upload) -> None:
        with _disk_faults(self._root):
            await in_thread(self._ensure, upload)

    async def read(self, sha256: bytes) -> bytes | None:
        with _disk_faults(self._root):
            try:
                return await in_thread(self._place(sha256).read_bytes)
            except FileNotFoundError:
                return None

    @asynccontextmanager
    async def stream(self, sha256: bytes) -> AsyncGenerator[AsyncIterator[bytes] | None]:
        async with AsyncExitStack() as stack:
            with _disk_faults(self._root):
                try:
                    file = await stack.enter_async_context(opened(self._place(sha256)))
                except FileNotFoundError:
                    file = None
            yield None if file is None else await stack.enter_async_context(aclosing(self._pieces(file)))

    async def _pieces(self, file: IO[bytes]) -> AsyncGenerator[bytes, None]:
        with _disk_faults(self._root):
            while piece := await in_thread(file.read, _PIECE):
                yield piece

    async def listed(self) -> AsyncIterator[Collection[Blob]]:
        with _disk_faults(self._root):
            for first in await in_thread(self._names, self._root):
                if len(first) == 2:
                    yield await in_thread(self._blobs_under, first)

    async def set_aside(self, sha256: bytes, aside: str) -> None:
        with _disk_faults(self._root):
            await in_thread(self._set_aside, self._place(sha256), self._root / ASIDE / aside)

    async def put_back(self, sha256: bytes, aside: str) -> bool:
        with _disk_faults(self._root):
            return await in_thread(self._put_back, self._root / ASIDE / aside, self._place(sha256))

    async def discard(self, aside: str) -> None:
        with _disk_faults(self._root):
            await in_thread((self._root / ASIDE / aside).unlink, missing_ok=True)

    async def asides(self) -> list[str]:
        with _disk_faults(self._root):
            return await in_thread(self._names, self._root / ASIDE)

    async def register(self, owner: str) -> None:
        with _disk_faults(self._root):
            await in_thread(self._register, self._root / OWNERS / owner)

    async def owners(self) -> set[str]:
        with _disk_faults(self._root):
            return set(await in_thread(self._names, self._root / OWNERS))

    async def forget(self, owner: str) -> None:
        with _disk_faults(self._root):
            await in_thread((self._root / OWNERS / owner).unlink, missing_ok=True)

    async def remove_partials(self, before: float) -> int:
        with _disk_faults(self._root):
            return await in_thread(remove_partials, self.spool_folder, before)

    def _place(self, sha256: bytes) -> Path:
        return self._root / path_of(sha256)

    def _prepare(self, upload: Upload) -> None:
        if self._is_there(upload):
            return
        if upload.path is None and upload.data is not None:
            upload.path = write_temporary(self.spool_folder, upload.data)
        if upload.path is not None:
            _sync(upload.path)

    def _ensure(self, upload: Upload) -> None:
        place = self._place(upload.sha256)
        if not self._is_there(upload):
            # It is not there yet, is shorter than it should be, or was collected after it had been found.
            self._prepare(upload)
            assert upload.path is not None
            self._make(place.parent)
            upload.path.replace(place)
            upload.path = None
        # Also where the file was there: who renamed it may have died before its name was on the disk.
        for folder in (place.parent, place.parent.parent, self._root):
            _sync(folder)

    def _is_there(self, upload: Upload) -> bool:
        try:
            return self._place(upload.sha256).stat().st_size == upload.size
        except FileNotFoundError:
            return False

    def _make(self, folder: Path) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)

    def _names(self, folder: Path) -> list[str]:
        try:
            return sorted(path.name for path in folder.iterdir())
        except FileNotFoundError:
            return []

    def _blobs_under(self, first: str) -> list[Blob]:
        found: list[Blob] = []
        for path in (self._root / first).glob("*/*"):
            sha256 = hash_in(path.relative_to(self._root).as_posix())
            if sha256 is not None:
                # A collection beside this one may have taken it.
                with suppress(FileNotFoundError):
                    status = path.stat()
                    found.append(Blob(sha256, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC)))
        return found

    def _set_aside(self, place: Path, aside: Path) -> None:
        self._make(aside.parent)
        with suppress(FileNotFoundError):
            place.rename(aside)

    def _put_back(self, aside: Path, place: Path) -> bool:
        if place.exists():
            aside.unlink(missing_ok=True)
            return False
        try:
            self._make(place.parent)
            aside.replace(place)
        except FileNotFoundError:
            return False
        _sync(place.parent)
        return True

    def _register(self, note: Path) -> None:
        if not note.exists():
            self._make(note.parent)
            note.touch()
            _sync(note.parent)
            _sync(self._root)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # a folder can't be opened there, and NTFS keeps a journal of names
    # Windows flushes only what is open for writing.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
