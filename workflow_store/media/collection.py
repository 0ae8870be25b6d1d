"""Garbage: files that no workflow links to, deleted so that a put at the same moment loses nothing.

A put holds a shared lock on its file's hash from before it looks for the file until its link is committed; a collection
takes the exclusive lock, or leaves the file alone. So whoever links a file either is seen by the collection, or comes
after it, finds the file gone and stores it again.

A process may sleep at any point and lose its connection, and with that its locks. Therefore a file is not deleted but
set aside, the links are asked again on the same connection, whose answer shows that the lock was held all the time, and
only then what is aside is deleted. Where the answer does not come, the file goes back into its place; where the process
dies, the next collection puts it there.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from workflow_store.database import Session, Sessions
from workflow_store.errors import MisuseError
from workflow_store.media.blobs import Blob, Blobs, hash_of_aside, new_aside
from workflow_store.media.errors import MediaShared
from workflow_store.media.files import GarbageReport
from workflow_store.media.statements import LINKED_FILES, OWNER, TRY_LOCK_FILES
from workflow_store.media.work import to_the_end

Item = TypeVar("Item")

# A put of the same bytes waits for a whole batch.
_BATCH: Final = 32
# Temporary files are left for as long as a source may keep its reader waiting.
_PARTIAL_GRACE: Final = 3600.0


class Collector:
    """One collection."""

    def __init__(self, sessions: Sessions, blobs: Blobs, grace: float) -> None:
        self._sessions = sessions
        self._blobs = blobs
        self._grace = grace
        self._owner = ""
        self.report: GarbageReport = GarbageReport()

    async def run(self, *, alone: bool) -> GarbageReport:
        """Delete all garbage that is older than the grace period.

        Raises:
            MediaShared: other databases have put files there, and ``alone`` does not say that they are gone.
            MisuseError: the sessions are those of a transaction, which might not see the newest links.
        """
        async with self._sessions.session() as session:
            if session.in_transaction:
                raise MisuseError("garbage can't be collected inside a transaction")
            self._owner = await session.fetch_one(OWNER)
        others = await self._others()
        if others and not alone:
            await self._put_all_back()
            raise MediaShared(self._blobs.address, others)
        for other in others:
            await self._blobs.forget(other)
        now = time.time()
        self.report.partial = await self._blobs.remove_partials(now - max(self._grace, _PARTIAL_GRACE))
        await self._finish_interrupted()
        limit = datetime.fromtimestamp(now - self._grace, UTC)
        async for page in self._blobs.listed():
            self.report.examined += len(page)
            old = [blob for blob in page if blob.modified <= limit]
            self.report.young += len(page) - len(old)
            unlinked = await self._unlinked(old)
            for batch in _batches(unlinked):
                await self._collect(batch)
        return self.report

    async def _others(self) -> set[str]:
        return await self._blobs.owners() - {self._owner}

    async def _unlinked(self, blobs: Collection[Blob]) -> list[Blob]:
        if not blobs:
            return []
        async with self._sessions.session() as session:
            linked = set(await session.fetch(LINKED_FILES, [blob.sha256 for blob in blobs]))
        return [blob for blob in blobs if blob.sha256 not in linked]

    async def _collect(self, batch: Sequence[Blob]) -> None:
        sizes = {blob.sha256: blob.size for blob in batch}
        async with self._sessions.session() as session, session.transaction(isolation="read_committed"):
            locked, linked = await _locked(session, list(sizes))
            self.report.busy += len(sizes) - len(locked)
            aside: dict[str, bytes] = {}
            try:
                for sha256 in sorted(locked - linked):
                    name = new_aside(sha256)
                    aside[name] = sha256
                    await self._blobs.set_aside(sha256, name)
                linked = set(await session.fetch(LINKED_FILES, list(aside.values())))
                # A database that registers later than this looks for its files later too, and finds them gone.
                if await self._others():
                    linked.update(aside.values())
                for name, sha256 in aside.items():
                    if sha256 in linked:
                        await self._blobs.put_back(sha256, name)
                    else:
                        await self._blobs.discard(name)
                        self.report.collected += 1
                        self.report.bytes += sizes[sha256]
            except BaseException:
                await to_the_end(self._put_back(aside))
                raise

    async def _put_back(self, aside: dict[str, bytes]) -> None:
        for name, sha256 in aside.items():
            await self._blobs.put_back(sha256, name)

    async def _put_all_back(self) -> None:
        for name in await self._blobs.asides():
            sha256 = hash_of_aside(name)
            if sha256 is not None:
                self.report.put_back += await self._blobs.put_back(sha256, name)

    async def _finish_interrupted(self) -> None:
        """Bring to an end what a collection that died has left aside."""
        left = {name: sha256 for name in await self._blobs.asides() if (sha256 := hash_of_aside(name)) is not None}
        for names in _batches(list(left)):
            async with self._sessions.session() as session, session.transaction(isolation="read_committed"):
                locked, linked = await _locked(session, [left[name] for name in names])
                for name in names:
                    if left[name] in linked:
                        self.report.put_back += await self._blobs.put_back(left[name], name)
                    elif left[name] in locked:
                        await self._blobs.discard(name)


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


async def _locked(session: Session, hashes: Sequence[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Of these files, those that are locked now, and those of them that are linked."""
    locked = await session.fetch(TRY_LOCK_FILES, hashes)
    return set(locked), set(await session.fetch(LINKED_FILES, locked))
