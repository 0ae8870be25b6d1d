"""``read_path`` and ``read_paths``: files and folders in, workflows and rejections out."""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from workflow_store.errors import InvalidField, RecordError
from workflow_store.importers.document import read_document
from workflow_store.importers.exported import exported_id
from workflow_store.importers.files import KEPT_OF_LONG, File, Line, lines, open_bytes, printable, walk
from workflow_store.importers.limits import DEFAULT_LIMITS, Limits
from workflow_store.importers.place import ID_FROM, IdFrom, Place
from workflow_store.importers.records import Record, RecordReader
from workflow_store.importers.templates import Joiner, TemplateAnswer
from workflow_store.models import Rejected
from workflow_store.models.lines import Item, Reading, UnreadLine


def read_path(path: str | os.PathLike[str], *, id_from: IdFrom = "auto", limits: Limits = DEFAULT_LIMITS) -> Reading:
    """Read a file or a folder; see ``read_paths``."""
    return read_paths((path,), id_from=id_from, limits=limits)


def read_paths(
    paths: Iterable[str | os.PathLike[str]], *, id_from: IdFrom = "auto", limits: Limits = DEFAULT_LIMITS
) -> Reading:
    """Read files and folders, one after the other, as a stream.

    A folder is read with its folders, sorted by name: ``*.json``, ``*.jsonl``, ``*.ndjson`` and these with ``.gz``.
    What is in a file is told from its content. A record that can't be read is a ``Rejected`` that says why, and so is
    a file of a folder that can't be read; neither stops the next one. The two answers of the template API about one
    template are joined wherever they lie; the first waits in memory (``limits.max_held_bytes``) for the other.

    Args:
        paths: files and folders.
        id_from: where the id of a record comes from that does not bring its own: ``auto`` (the template id of a
            template-API answer, else the ``source`` beside the workflow, else the path relative to the folder given),
            ``template`` (also the template a workflow says it was made from), ``source``, ``path``, or ``workflow``
            (the workflow's own ``id``, which repeats among exports). What is absent falls back to ``auto``.
        limits: sizes and depths.

    Raises:
        InvalidField: a path does not exist, or ``id_from`` is none of the above; raised by the call, not by the
            iterator.
    """
    if id_from not in ID_FROM:
        raise InvalidField("id_from", f"{id_from!r} is not known", ID_FROM)
    roots = [Path(path) for path in paths]
    for root in roots:
        if not root.exists():
            raise InvalidField("path", f"no such file or folder: {printable(str(root))}")
    joiner = Joiner(limits)
    return Reading(_read(roots, RecordReader(id_from, limits), joiner), joiner.rest)


def _read(roots: list[Path], reader: RecordReader, joiner: Joiner) -> Iterator[Item | UnreadLine]:
    for file in _files(roots):
        if isinstance(file, Rejected):
            yield file
            continue
        yield from _items(file, reader, joiner)


def _joined(records: Iterable[Record], joiner: Joiner) -> Iterator[Item]:
    for record in records:
        if isinstance(record, TemplateAnswer):
            yield from joiner.add(record)
        else:
            yield record


def _files(roots: list[Path]) -> Iterator[File | Rejected]:
    """The files of all roots, each with a relative path of its own, since ids are made of it."""
    names = Counter(root.name for root in roots if not root.is_dir())
    taken: dict[str, str] = {}
    for root in roots:
        for file in walk(root) if root.is_dir() else (_single(root, roots, names),):
            if isinstance(file, File) and len(roots) > 1:
                real = os.path.realpath(file.path)
                relative = file.place.relative
                if taken.setdefault(relative, real) != real:
                    # A file of the same relative path in two folders is two workflows.
                    relative = printable(f"{root.resolve().name}/{relative}")
                    if taken.setdefault(relative, real) != real:
                        relative = printable(real)
                    file = replace(file, place=Place(file.place.source, relative))
            yield file


def _single(path: Path, roots: list[Path], names: Counter[str]) -> File:
    relative = path.name
    if names[path.name] > 1:
        alike = [root.parent.absolute() for root in roots if root.name == path.name and not root.is_dir()]
        relative = path.absolute().relative_to(os.path.commonpath(alike)).as_posix()
    return File(path, Place(printable(str(path)), printable(relative)))


def _items(file: File, reader: RecordReader, joiner: Joiner) -> Iterator[Item | UnreadLine]:
    last = 0
    try:
        with open_bytes(file.path) as stream:
            source = lines(stream, reader.limits.max_line_bytes)
            head = list(islice(source, 2))
            if not head:
                yield Rejected(file.place.source, "an empty file")
            elif _is_lines(file, head, reader.limits):
                for line in chain(head, source):
                    last = line.number
                    yield from _line(line, file.place, reader, joiner)
            else:
                yield from _joined(_whole(stream, file.place, reader), joiner)
    except EOFError:
        yield Rejected(file.place.source, f"the compressed file ends too early{_after(last)}")
    except (OSError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        yield Rejected(file.place.source, f"the file can't be read{_after(last)}: {reason}")


def _after(line: int) -> str:
    return f" after line {line:,}" if line else ""


def _is_lines(file: File, head: list[Line], limits: Limits) -> bool:
    """Whether each line is a record: by the file's name, unless that is plainly wrong; else by its first two lines."""
    first = head[0].raw.strip().removeprefix(b"\xef\xbb\xbf")
    if file.is_named_lines:
        return first not in (b"{", b"[")
    if len(head) == 1 or not head[1].raw.lstrip().startswith(b"{") or not head[0].is_whole:
        return False
    try:
        return isinstance(read_document(first, limits).value, dict)
    except RecordError:
        return False


def _line(line: Line, file: Place, reader: RecordReader, joiner: Joiner) -> Iterator[Item | UnreadLine]:
    def read() -> Iterator[Item]:
        return _joined(reader.read(line.raw, file.line(line.number)), joiner)

    if not line.is_whole:
        yield _too_long(file.line(line.number), "a line", line.length, reader.limits, line.raw)
        return
    workflow_id = exported_id(line.raw)
    if workflow_id is None:
        yield from read()
    else:
        yield UnreadLine(workflow_id, line.raw, read)


def _whole(stream: BinaryIO, place: Place, reader: RecordReader) -> Iterator[Record]:
    """A file that is one JSON document."""
    stream.seek(0)
    limit = reader.limits.max_line_bytes
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        yield _too_long(place, "a document", None, reader.limits, raw[:KEPT_OF_LONG])
    else:
        yield from reader.read(raw, place)


def _too_long(place: Place, what: str, length: int | None, limits: Limits, raw: bytes) -> Rejected:
    size = f" of {length:,} bytes" if length is not None else ""
    reason = f"{what}{size}; at most {limits.max_line_bytes:,} bytes are read"
    # Of a document only so much is known that it is longer than what is read.
    return Rejected(place.source, reason, raw, length=limits.max_line_bytes + 1 if length is None else length)
