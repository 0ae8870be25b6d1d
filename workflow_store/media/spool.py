"""Bytes on their way in: hashed, measured, and held until they are stored."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias, cast

from workflow_store.errors import InvalidField
from workflow_store.media.errors import MediaTooLarge, MediaUnavailable
from workflow_store.media.work import in_thread, opened

MediaSource: TypeAlias = "bytes | bytearray | memoryview[int] | AsyncIterable[bytes] | Path"

PREFIX: Final = "workflow-store-media-"
_PIECE: Final = 1024 * 1024
# Below this, a thread costs more than the work.
_SMALL: Final = 64 * 1024


@dataclass(slots=True)
class Upload:
    """Bytes held until they are stored: in ``data``, or in the temporary file ``path``; ``size`` counts them."""

    sha256: bytes
    size: int
    data: bytes | None = None
    path: Path | None = None


@asynccontextmanager
async def received(source: MediaSource, folder: Path, max_bytes: int) -> AsyncGenerator[Upload]:
    """Take in all of ``source``; the upload's temporary file is gone at the end, whatever happens.

    Raises:
        MediaTooLarge: there are more than ``max_bytes``; a stream is left at that point.
        InvalidField: the source or one of its pieces is not what it should be.
        MediaUnavailable: the temporary file can't be written.
        OSError: the file ``source`` can't be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        if memoryview(source).nbytes > max_bytes:
            raise MediaTooLarge(max_bytes)
        upload = await _held(bytes(source))
        try:
            yield upload
        finally:
            # A folder may have written them to a file on their way.
            if upload.path is not None:
                await in_thread(upload.path.unlink, missing_ok=True)
        return
    pieces = _pieces_of_file(source) if isinstance(source, Path) else _pieces_of_stream(source)
    spool = _Spool(folder, max_bytes)
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                await in_thread(spool.write, piece)
        upload = await in_thread(spool.finish)
        yield upload
    finally:
        await in_thread(spool.remove)


async def _held(data: bytes) -> Upload:
    if len(data) <= _SMALL:
        return Upload(hashlib.sha256(data).digest(), len(data), data)
    return Upload((await in_thread(hashlib.sha256, data)).digest(), len(data), data)


async def _pieces_of_file(path: Path) -> AsyncGenerator[bytes, None]:
    async with opened(path) as file:
        while piece := await in_thread(file.read, _PIECE):
            yield piece


async def _pieces_of_stream(source: object) -> AsyncGenerator[bytes, None]:
    if not isinstance(source, AsyncIterable):
        raise InvalidField("data", f"bytes, a Path or an async iterable of bytes is expected, not {_kind(source)}")
    iterator = aiter(cast("AsyncIterable[object]", source))
    waiting = bytearray()
    try:
        async for piece in iterator:
            if not isinstance(piece, bytes | bytearray | memoryview):
                raise InvalidField("data", f"the stream yielded {_kind(piece)} instead of bytes")
            waiting += piece
            if len(waiting) >= _PIECE:
                yield bytes(waiting)
                waiting.clear()
        if waiting:
            yield bytes(waiting)
    finally:
        # An answer that is read only in part holds its connection until it is closed.
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


class _Spool:
    """A temporary file that is written and hashed piece by piece, in threads."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None
        self._path: Path | None = None
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._max_bytes:
            raise MediaTooLarge(self._max_bytes)
        self._digest.update(piece)
        with self._faults():
            self._opened().write(piece)

    def finish(self) -> Upload:
        with self._faults():
            self._opened().close()
        return Upload(self._digest.digest(), self._size, path=self._path)

    def remove(self) -> None:
        if self._file is not None:
            # What could not be written before, on a full disk say, can't be now either.
            with suppress(OSError):
                self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    @contextmanager
    def _faults(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise MediaUnavailable(f"temporary file in {self._folder}: {error.strerror or error}") from error

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            handle, name = _temporary(self._folder)
            self._path = Path(name)
            self._file = os.fdopen(handle, "wb")
        return self._file


def write_temporary(folder: Path, data: bytes) -> Path:
    """A new temporary file in ``folder`` with these bytes; none is left where writing fails."""
    handle, name = _temporary(folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BaseException:
        path.unlink()
        raise
    return path


def _temporary(folder: Path) -> tuple[int, str]:
    for missing in (folder.parent, folder):
        missing.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.mkstemp(prefix=PREFIX, dir=folder)


def remove_partials(folder: Path, before: float) -> int:
    """Delete temporary files that nobody has written to since ``before``, a POSIX time; return how many."""
    removed = 0
    if folder.is_dir():
        for path in folder.glob(f"{PREFIX}*"):
            # Another's file, or one that went away just now, is none of ours.
            with suppress(FileNotFoundError, PermissionError):
                if path.is_file() and path.stat().st_mtime <= before:
                    path.unlink()
                    removed += 1
    return removed


def _kind(value: object) -> str:
    return type(value).__name__
