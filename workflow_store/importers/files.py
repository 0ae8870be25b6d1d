"""Files and folders as streams of lines, with gzip opened and memory bounded."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from workflow_store.importers.place import Place
from workflow_store.models import Rejected

_SUFFIXES: Final = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_NAMED_LINES: Final = re.compile(r"\.(jsonl|ndjson)(\.gz)?\Z", re.IGNORECASE)
_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 1024 * 1024
_SPOOLED: Final = 64 * 1024 * 1024
# What is kept of a line that is too long to be read.
KEPT_OF_LONG: Final = 64 * 1024
_END: Final = b"\r\n"
_BLANK: Final = b" \t\r\n" + codecs.BOM_UTF8
# Python's own, of 8 KiB, is less than most lines have.
_BUFFER: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file to read."""

    path: Path
    place: Place

    @property
    def is_named_lines(self) -> bool:
        """Whether its name says that each line is a record."""
        return _NAMED_LINES.search(self.path.name) is not None


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; ``raw`` is cut where ``length`` (bytes) is above the limit."""

    number: int
    raw: bytes
    length: int

    @property
    def is_whole(self) -> bool:
        return len(self.raw) == self.length


def walk(folder: Path) -> Iterator[File | Rejected]:
    """The files of a folder and its folders, sorted by name; hidden ones and links back to a parent are left out."""
    yield from _walk(folder, "", frozenset((os.path.realpath(folder),)))


def _walk(folder: Path, prefix: str, above: frozenset[str]) -> Iterator[File | Rejected]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Rejected(printable(str(folder)), f"the folder can't be read: {error.strerror}")
        return
    for entry in found:
        path, relative = Path(entry.path), f"{prefix}{printable(entry.name)}"
        if entry.name.startswith("."):
            continue
        if path.is_dir():
            real = os.path.realpath(path)
            if real not in above:
                yield from _walk(path, f"{relative}/", above | {real})
        elif entry.name.lower().endswith(_SUFFIXES):
            if path.is_file():
                yield File(path, Place(printable(entry.path), relative))
            else:
                what = "a link that leads nowhere" if path.is_symlink() else "not a regular file"
                yield Rejected(printable(entry.path), what)


def printable(path: str) -> str:
    """A path as text that can be stored: bytes that are not UTF-8 are written as ``\\xNN``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, through gzip where its first bytes say so.

    Raises:
        OSError: it can't be opened.
    """
    stream: BinaryIO = path.open("rb", buffering=_BUFFER)
    try:
        if not stream.seekable():
            stream = _spooled(stream)
        start = stream.read(len(_GZIP))
        stream.seek(0)
        return cast(BinaryIO, _GzipStream(stream)) if start == _GZIP else stream
    except BaseException:
        stream.close()
        raise


def _spooled(pipe: BinaryIO) -> BinaryIO:
    """What comes through a pipe, where one can go back to its start."""
    with pipe:
        spool = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115  # closed by the caller
        shutil.copyfileobj(pipe, spool, _CHUNK)
    spool.seek(0)
    return cast(BinaryIO, spool)


class _GzipStream(gzip.GzipFile):
    """Gzip over a stream that is closed with it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._beneath = stream

    def close(self) -> None:
        super().close()
        self._beneath.close()


def lines(stream: BinaryIO, max_bytes: int) -> Iterator[Line]:
    """The lines that are not blank, counted from 1, blank ones too; never more than ``max_bytes`` of one is held."""
    number = 0
    while raw := stream.readline(max_bytes + len(_END)):
        number += 1
        content = raw.rstrip(_END)
        if len(content) > max_bytes:
            kept = content[: min(KEPT_OF_LONG, max_bytes)]
            yield Line(number, kept, len(content) + _skip_to_end(stream, raw))
        elif content[:1] not in _BLANK or content.strip(_BLANK):
            yield Line(number, content, len(content))


def _skip_to_end(stream: BinaryIO, raw: bytes) -> int:
    """Read away the rest of a line that began with ``raw``; how many bytes it had, without its end."""
    length = 0
    while not raw.endswith(b"\n") and (raw := stream.readline(_CHUNK)):
        length += len(raw.rstrip(_END))
    return length
