"""``Bucket``: media files on S3, Google Cloud Storage or Azure, through obstore."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import obstore

from workflow_store.media.blobs import ASIDE, OWNERS, Blob, hash_in, path_of
from workflow_store.media.errors import MediaUnavailable
from workflow_store.media.objects import object_faults, objects_at
from workflow_store.media.spool import Upload, remove_partials
from workflow_store.media.work import in_thread

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta
    from obstore.store import ObjectStore

_PIECE: Final = 1024 * 1024
_PAGE: Final = 1000


class Bucket:
    """An object store. Bytes are held in memory, or in the system's temporary folder, until they are uploaded."""

    def __init__(self, objects: ObjectStore, address: str) -> None:
        self._objects = objects
        self._address = address

    @classmethod
    def at(cls, url: str) -> Bucket:
        """The bucket of a URL; credentials come from the environment, as each provider's own tools read them.

        Raises:
            MediaUnavailable: the URL can't be used.
        """
        return cls(*objects_at(url, "media", MediaUnavailable))

    @property
    def address(self) -> str:
        return self._address

    @property
    def spool_folder(self) -> Path:
        return Path(tempfile.gettempdir())

    async def prepare(self, upload: Upload) -> None:
        await self.ensure(upload)

    async def ensure(self, upload: Upload) -> None:
        key = path_of(upload.sha256)
        with self._faults():
            with suppress(FileNotFoundError):
                if (await obstore.head_async(self._objects, key))["size"] == upload.size:
                    return
            source = upload.data if upload.data is not None else upload.path
            assert source is not None
            await obstore.put_async(self._objects, key, source)

    async def read(self, sha256: bytes) -> bytes | None:
        with self._faults():
            try:
                found = await obstore.get_async(self._objects, path_of(sha256))
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    @asynccontextmanager
    async def stream(self, sha256: bytes) -> AsyncGenerator[AsyncIterator[bytes] | None]:
        with self._faults():
            try:
                found = await obstore.get_async(self._objects, path_of(sha256))
            except FileNotFoundError:
                found = None

        if found is None:
            yield None
            return
        async with aclosing(self._pieces(found)) as pieces:
            yield pieces

    async def _pieces(self, found: GetResult) -> AsyncGenerator[bytes, None]:
        with self._faults():
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)

    async def listed(self) -> AsyncIterator[Collection[Blob]]:
        async for page in self._pages(None):
            yield [
                Blob(sha256, item["size"], item["last_modified"])
                for item in page
                if (sha256 := hash_in(item["path"])) is not None
            ]

    async def set_aside(self, sha256: bytes, aside: str) -> None:
        with self._faults(), suppress(FileNotFoundError):
            # Objects have no rename; the copy is there before the original goes.
            await obstore.copy_async(self._objects, path_of(sha256), f"{ASIDE}/{aside}")
            await self._delete(path_of(sha256))

    async def put_back(self, sha256: bytes, aside: str) -> bool:
        place, kept = path_of(sha256), f"{ASIDE}/{aside}"
        with self._faults():
            try:
                await obstore.head_async(self._objects, place)
                missing = False
            except FileNotFoundError:
                missing = True
            try:
                if missing:
                    await obstore.copy_async(self._objects, kept, place)
            except FileNotFoundError:
                return False
            await self._delete(kept)
            return missing

    async def discard(self, aside: str) -> None:
        with self._faults():
            await self._delete(f"{ASIDE}/{aside}")

    async def asides(self) -> list[str]:
        return await self._names(ASIDE)

    async def register(self, owner: str) -> None:
        with self._faults():
            try:
                await obstore.head_async(self._objects, f"{OWNERS}/{owner}")
            except FileNotFoundError:
                await obstore.put_async(self._objects, f"{OWNERS}/{owner}", owner.encode())

    async def owners(self) -> set[str]:
        return set(await self._names(OWNERS))

    async def forget(self, owner: str) -> None:
        with self._faults():
            await self._delete(f"{OWNERS}/{owner}")

    async def remove_partials(self, before: float) -> int:
        return await in_thread(remove_partials, self.spool_folder, before)

    async def _names(self, folder: str) -> list[str]:
        return sorted([item["path"].rsplit("/", 1)[-1] async for page in self._pages(folder) for item in page])

    async def _pages(self, prefix: str | None) -> AsyncIterator[Sequence[ObjectMeta]]:
        with self._faults():
            # Arrow's types, which it could answer with too, are not installed.
            async for page in obstore.list(self._objects, prefix, chunk_size=_PAGE):  # pyright: ignore[reportUnknownMemberType]
                yield page

    async def _delete(self, key: str) -> None:
        # Some stores call the deletion of what is not there an error, others don't.
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._objects, key)

    def _faults(self) -> AbstractContextManager[None]:
        return object_faults(self._address, MediaUnavailable)
