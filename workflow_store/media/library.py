"""``Media``: the methods on media files."""

from __future__ import annotations

import hashlib
import math
import mimetypes
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from workflow_store.database import Sessions, deadline, operation
from workflow_store.errors import IntegrityViolation, InvalidField
from workflow_store.media.blobs import Blobs
from workflow_store.media.collection import Collector
from workflow_store.media.errors import MediaCorrupt, MediaMissing, WorkflowMissing
from workflow_store.media.files import GarbageReport, MediaFile, MediaOptions
from workflow_store.media.place import open_blobs
from workflow_store.media.spool import MediaSource, Upload, received
from workflow_store.media.statements import (
    DELETE_LINK,
    GET_LINK,
    LINK_FILE,
    LIST_LINKS,
    LOCK_FILE,
    OWNER,
    LinkRow,
)
from workflow_store.media.work import in_thread

MAX_LISTED: Final = 1000
_NAME_BYTES: Final = 1024
_TYPE_BYTES: Final = 255
_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?", re.ASCII)
_UNKNOWN_TYPE: Final = "application/octet-stream"
_ATTEMPTS: Final = 3
_FOREIGN_KEY: Final = "23503"


class MediaStream:
    """A file's bytes, piece by piece: iterate it once.

    Attributes:
        file: whose bytes they are.
    """

    def __init__(self, workflow_id: str, file: MediaFile, pieces: AsyncIterator[bytes]) -> None:
        self.file = file
        self._workflow_id = workflow_id
        self._pieces = pieces
        self._digest = hashlib.sha256()
        self._size = 0

    def __aiter__(self) -> MediaStream:
        return self

    async def __anext__(self) -> bytes:
        """The next piece.

        Raises:
            MediaCorrupt: in place of the end, where the bytes before were not those that were stored.
            MediaUnavailable: the folder or bucket failed.
        """
        async for piece in self._pieces:
            self._size += len(piece)
            self._digest.update(piece)
            return piece
        _check(self._workflow_id, self.file, self._size, self._digest.hexdigest())
        raise StopAsyncIteration


class Media:
    """Media files of workflows: a link a name, and each content stored once however often it is linked."""

    def __init__(self, sessions: Sessions, options: MediaOptions, blobs: Blobs | None = None) -> None:
        self._sessions = sessions
        self._options = options
        self._blobs = open_blobs(options) if blobs is None else blobs
        self._types = None if options.content_types is None else tuple(map(_bare, options.content_types))
        self._owner: str | None = None

    def within(self, sessions: Sessions) -> Media:
        """The same files through other sessions, such as that of a transaction."""
        other = Media(sessions, self._options, self._blobs)
        other._owner = self._owner
        return other

    @property
    def address(self) -> str:
        """The folder or bucket, without a secret."""
        return self._blobs.address

    @operation
    async def put(
        self,
        workflow_id: str,
        name: str,
        data: MediaSource,
        content_type: str | None = None,
        *,
        timeout: float | None = None,
    ) -> MediaFile:
        """Store a file and link it to a workflow; a name that is taken is linked anew.

        The link is there only when the file is, whole and durable. A put that fails or is cancelled leaves no link; a
        file it has left is garbage.

        Args:
            name: 1 to 1,024 bytes, of no meaning to the place the file is stored at.
            data: bytes, a file's path, or an async iterable of bytes, which is held on disk and not in memory.
            content_type: guessed from the name where not given.

        Raises:
            InvalidField: a name, a type or data that is not allowed.
            MediaTooLarge: there are more than ``max_bytes``; a stream is not read to its end.
            MediaUnavailable: the folder or bucket failed.
            WorkflowMissing: there is no such workflow.
            OSError: the file that ``data`` names can't be read. What a stream raises passes through.
        """
        _check_text("workflow_id", workflow_id)
        _check_text("name", name)
        kind = self._allowed_type(name, content_type)
        owner = await self._known_owner()
        async with received(data, self._blobs.spool_folder, self._options.max_bytes) as upload:
            await self._blobs.register(owner)
            await self._blobs.prepare(upload)
            row = await self._link(workflow_id, name, kind, upload)
        return row.to_file()

    async def _link(self, workflow_id: str, name: str, kind: str, upload: Upload) -> LinkRow:
        try:
            async with self._sessions.session() as session, session.transaction():
                await session.fetch_one(LOCK_FILE, upload.sha256)
                row = await session.fetch_one(LINK_FILE, workflow_id, name, upload.sha256, upload.size, kind)
                # Nobody sees the row yet. A collection may have taken the file since `prepare`; none can from here on.
                await self._blobs.ensure(upload)
        except IntegrityViolation as error:
            if error.sqlstate == _FOREIGN_KEY:
                raise WorkflowMissing(workflow_id) from error
            raise
        return row

    @operation
    async def get(self, workflow_id: str, name: str, *, timeout: float | None = None) -> bytes:
        """A file's bytes.

        Raises:
            MediaMissing: the workflow has no such file, or it was lost.
            MediaCorrupt: the stored bytes are not those that were put.
            MediaUnavailable: the folder or bucket failed.
        """
        tried: LinkRow | None = None
        for _ in range(_ATTEMPTS):
            link = await self._get_link(workflow_id, name)
            if tried is not None and link.sha256 == tried.sha256:
                break
            data = await self._blobs.read(link.sha256)
            if data is not None:
                digest = await in_thread(hashlib.sha256, data)
                _check(workflow_id, link.to_file(), len(data), digest.hexdigest())
                return data
            # Put anew and collected between the two questions, it seems.
            tried = link
        raise MediaMissing(workflow_id, name, linked=True)

    @asynccontextmanager
    async def open(self, workflow_id: str, name: str, *, timeout: float | None = None) -> AsyncGenerator[MediaStream]:
        """A file as a stream: ``async with media.open(…) as stream: async for piece in stream: …``.

        Pieces come before the checksum is known; a damaged file raises in place of its end.

        Args:
            timeout: seconds for the whole block.

        Raises:
            MediaMissing: the workflow has no such file, or it was lost.
            MediaCorrupt: the stored bytes are not those that were put.
            MediaUnavailable: the folder or bucket failed.
        """
        tried: LinkRow | None = None
        async with deadline(timeout):
            for _ in range(_ATTEMPTS):
                link = await self._get_link(workflow_id, name)
                if tried is not None and link.sha256 == tried.sha256:
                    break
                async with self._blobs.stream(link.sha256) as pieces:
                    if pieces is not None:
                        yield MediaStream(workflow_id, link.to_file(), pieces)
                        return
                tried = link
            raise MediaMissing(workflow_id, name, linked=True)

    @operation
    async def list(
        self,
        workflow_id: str,
        *,
        after: str | None = None,
        limit: int = MAX_LISTED,
        timeout: float | None = None,
    ) -> tuple[MediaFile, ...]:
        """A workflow's files, by name; none where there is no such workflow.

        Args:
            after: the last name of the part before, for a workflow with more files than ``limit``.
            limit: 1 to 1,000.

        Raises:
            InvalidField: a bound that is not allowed.
        """
        _check_text("workflow_id", workflow_id)
        if after is not None:
            _check_text("after", after)
        _check_limit(limit)
        async with self._sessions.session() as session:
            rows = await session.fetch(LIST_LINKS, workflow_id, after or "", limit)
        return tuple(row.to_file() for row in rows)

    @operation
    async def delete(self, workflow_id: str, name: str, *, timeout: float | None = None) -> bool:
        """Delete a link; whether it was there. Its file goes with the next collection if nothing else links to it."""
        _check_text("workflow_id", workflow_id)
        _check_text("name", name)
        async with self._sessions.session() as session:
            return await session.fetch_optional(DELETE_LINK, workflow_id, name) is not None

    @operation
    async def collect_garbage(
        self, grace: float | None = None, *, alone: bool = False, timeout: float | None = None
    ) -> GarbageReport:
        """Delete files that no workflow links to; safe beside any number of puts and other collections.

        Args:
            grace: seconds that a file is left alone after it was written; ``grace`` of the options where not given.
            alone: say that other databases which have put files into the same place do not need them any more.

        Raises:
            MediaShared: there are such databases; nothing was deleted.
            MediaUnavailable: the folder or bucket failed; what was deleted was garbage.
            MisuseError: called inside a transaction.
        """
        seconds = _checked_seconds(self._options.grace if grace is None else grace)
        return await Collector(self._sessions, self._blobs, seconds).run(alone=alone)

    async def _get_link(self, workflow_id: str, name: str) -> LinkRow:
        _check_text("workflow_id", workflow_id)
        _check_text("name", name)
        async with self._sessions.session() as session:
            link = await session.fetch_optional(GET_LINK, workflow_id, name)
        if link is None:
            raise MediaMissing(workflow_id, name)
        return link

    async def _known_owner(self) -> str:
        if self._owner is None:
            async with self._sessions.session() as session:
                self._owner = await session.fetch_one(OWNER)
        return self._owner

    def _allowed_type(self, name: str, given: str | None) -> str:
        kind = _checked_type(given if given is not None else mimetypes.guess_type(name)[0] or _UNKNOWN_TYPE)
        bare = _bare(kind)
        if self._types is not None and not {bare, bare.split("/")[0] + "/*"} & set(self._types):
            raise InvalidField("content_type", f"{bare} is not taken here", self._types)
        return kind


def _bare(kind: str) -> str:
    return kind.split(";", 1)[0].strip().lower()


def _checked_type(value: object) -> str:
    if not isinstance(value, str) or len(value) > _TYPE_BYTES or _TYPE.fullmatch(value) is None:
        raise InvalidField("content_type", "must look like image/png")
    return value


def _check_limit(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LISTED:
        raise InvalidField("limit", f"must be a whole number from 1 to {MAX_LISTED:,}")


def _checked_seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise InvalidField("grace", "must be a number of seconds, 0 or more")
    return value


def _check_text(field: str, value: object) -> None:
    if not isinstance(value, str):
        raise InvalidField(field, f"text is expected, not {type(value).__name__}")
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidField(field, "holds half a character (a lone surrogate)") from None
    if not 1 <= size <= _NAME_BYTES:
        raise InvalidField(field, f"has {size:,} bytes; 1 to {_NAME_BYTES:,} are allowed")
    if "\x00" in value:
        raise InvalidField(field, "holds a NUL character")


def _check(workflow_id: str, file: MediaFile, size: int, sha256: str) -> None:
    if size != file.size:
        raise MediaCorrupt(workflow_id, file.name, f"{size:,} bytes instead of {file.size:,}")
    if sha256 != file.sha256:
        raise MediaCorrupt(workflow_id, file.name, f"its SHA-256 is {sha256} instead of {file.sha256}")
