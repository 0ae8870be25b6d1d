from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from workflow_store.errors import InvalidField, SettingsError
from workflow_store.media import MediaOptions, MediaTooLarge, MediaUnavailable
from workflow_store.media.blobs import hash_in, hash_of_aside, new_aside, path_of
from workflow_store.media.bucket import Bucket
from workflow_store.media.folder import Folder
from workflow_store.media.place import open_blobs
from workflow_store.media.spool import PREFIX, Upload, received, remove_partials, write_temporary
from workflow_store.media.work import in_thread, opened, to_the_end

DIGEST = hashlib.sha256(b"data").digest()


async def stream_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_a_path_comes_from_the_hash_alone_and_gives_it_back() -> None:
    digits = DIGEST.hex()

    assert path_of(DIGEST) == f"{digits[:2]}/{digits[2:4]}/{digits}"
    assert hash_in(path_of(DIGEST)) == DIGEST


@pytest.mark.parametrize(
    "path",
    [
        "readme.txt",
        f"00/00/{DIGEST.hex()}",
        f"{path_of(DIGEST)}.bak",
        f"x/{path_of(DIGEST)}",
        path_of(DIGEST).upper(),
        f"aside/{DIGEST.hex()}.99c39960be18de85",
    ],
)
def test_what_is_no_stored_file_is_not_taken_for_one(path: str) -> None:
    assert hash_in(path) is None


def test_two_collections_never_use_one_name_for_what_they_set_aside() -> None:
    first, second = new_aside(DIGEST), new_aside(DIGEST)

    assert first != second
    assert hash_of_aside(first) == hash_of_aside(second) == DIGEST
    assert hash_of_aside("notes.txt") is None


@pytest.mark.parametrize("source", [b"data", bytearray(b"data"), memoryview(b"data")])
async def test_bytes_are_held_as_they_are(source: bytes, tmp_path: Path) -> None:
    async with received(source, tmp_path / "tmp", 4) as upload:
        assert upload == Upload(DIGEST, 4, b"data")
    assert not (tmp_path / "tmp").exists()


async def test_a_large_piece_of_bytes_is_hashed_as_a_small_one(tmp_path: Path) -> None:
    data = os.urandom(200_000)

    async with received(data, tmp_path, len(data)) as upload:
        assert (upload.sha256, upload.size) == (hashlib.sha256(data).digest(), len(data))


@pytest.mark.parametrize("pieces", [(b"da", b"", b"ta"), (b"data",)])
async def test_a_stream_is_held_in_a_temporary_file_that_is_gone_at_the_end(
    pieces: tuple[bytes, ...], tmp_path: Path
) -> None:
    async with received(stream_of(*pieces), tmp_path, 4) as upload:
        assert upload.path is not None
        held = upload.path.read_bytes()

    assert (upload.sha256, upload.size, held) == (DIGEST, 4, b"data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024 - 1, 1024 * 1024, 3 * 1024 * 1024 + 7])
async def test_a_file_of_any_size_is_read_whole(size: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(size))

    async with received(source, tmp_path / "tmp", size) as upload:
        assert upload.path is not None
        held = upload.path.read_bytes()

    assert held == source.read_bytes()
    assert upload.sha256 == hashlib.sha256(held).digest()
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_too_many_bytes_are_refused_before_anything_is_held(tmp_path: Path) -> None:
    with pytest.raises(MediaTooLarge, match="larger than 3 bytes") as caught:
        async with received(b"data", tmp_path, 3):
            pytest.fail("it was taken")  # pragma: no cover

    assert caught.value.max_bytes == 3


async def test_an_endless_stream_is_stopped_at_the_limit_and_closed(tmp_path: Path) -> None:
    yielded = 0
    closed = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal yielded, closed
        try:
            while True:
                yielded += 1
                yield bytes(512 * 1024)
        finally:
            closed = True

    with pytest.raises(MediaTooLarge):
        async with received(endless(), tmp_path, 4 * 1024 * 1024):
            pytest.fail("it was taken")  # pragma: no cover

    assert yielded == 10
    assert closed
    assert list(tmp_path.iterdir()) == []


async def test_an_iterator_without_a_close_is_taken_too(tmp_path: Path) -> None:
    class Pieces:
        left = 2

        def __aiter__(self) -> Pieces:
            return self

        async def __anext__(self) -> bytes:
            if self.left == 0:
                raise StopAsyncIteration
            self.left -= 1
            return b"da" if self.left else b"ta"

    async with received(Pieces(), tmp_path, 4) as upload:
        assert upload.sha256 == DIGEST


@pytest.mark.parametrize("source", ["text", 7, None, [b"data"]])
async def test_what_is_no_source_is_named(source: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match=f"not {type(source).__name__}"):
        async with received(source, tmp_path, 10):
            pytest.fail("it was taken")  # pragma: no cover


async def test_a_stream_that_yields_text_is_refused(tmp_path: Path) -> None:
    async def text() -> AsyncIterator[bytes]:
        yield b"x" * (1024 * 1024)
        yield "text"  # type: ignore[misc]

    with pytest.raises(InvalidField, match="yielded str"):
        async with received(text(), tmp_path, 10**9):
            pytest.fail("it was taken")  # pragma: no cover
    assert list(tmp_path.iterdir()) == []


async def test_what_a_stream_raises_passes_through_and_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * 1024 * 1024)
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        async with received(broken(), tmp_path, 10**9):
            pytest.fail("it was taken")  # pragma: no cover
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_not_there_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with received(tmp_path / "absent", tmp_path / "tmp", 10):
            pytest.fail("it was taken")  # pragma: no cover


async def test_a_temporary_folder_that_can_not_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(MediaUnavailable, match="temporary file"):
        async with received(stream_of(b"data"), tmp_path / "file" / "tmp", 10):
            pytest.fail("it was taken")  # pragma: no cover


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
async def test_a_full_disk_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_a_full_disk(prefix: str, dir: Path) -> tuple[int, str]:
        path = dir / f"{prefix}full"
        path.touch()
        return os.open("/dev/full", os.O_WRONLY), str(path)

    monkeypatch.setattr("workflow_store.media.spool.tempfile.mkstemp", on_a_full_disk)

    with pytest.raises(MediaUnavailable, match="No space left"):
        async with received(stream_of(b"data"), tmp_path, 10):
            pytest.fail("it was taken")  # pragma: no cover
    with pytest.raises(OSError, match="No space left"):
        write_temporary(tmp_path, b"data")
    assert list(tmp_path.iterdir()) == []


def test_only_old_temporary_files_of_ours_are_removed(tmp_path: Path) -> None:
    old, young, foreign = tmp_path / f"{PREFIX}old", tmp_path / f"{PREFIX}young", tmp_path / "other"
    for path in (old, young, foreign):
        path.write_bytes(b"")
    for path in (old, foreign):
        os.utime(path, (1, 1))
    (tmp_path / f"{PREFIX}folder").mkdir()

    assert remove_partials(tmp_path, time.time() - 60) == 1
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()
    assert remove_partials(tmp_path / "absent", time.time()) == 0


async def test_a_cancellation_waits_for_the_thread_and_comes_then() -> None:
    started, done = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        time.sleep(0.1)
        done.set()
        raise ValueError("of no use to anyone")

    task = asyncio.ensure_future(in_thread(work))
    await asyncio.to_thread(started.wait)
    task.cancel()
    await asyncio.sleep(0.01)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()


async def test_work_that_cancels_itself_is_cancelled_for_its_caller() -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await to_the_end(gives_up())


async def test_a_file_opened_for_a_cancelled_caller_is_closed(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    async def read() -> None:
        async with opened(fifo):
            pytest.fail("the cancellation was lost")  # pragma: no cover

    task = asyncio.ensure_future(read())
    await asyncio.sleep(0.05)
    task.cancel()
    writer = await in_thread(os.open, fifo, os.O_WRONLY)  # lets the reader's open return
    with pytest.raises(asyncio.CancelledError):
        await task

    with pytest.raises(BrokenPipeError):
        os.write(writer, b"nobody reads this")
    os.close(writer)


def test_the_place_is_a_folder_unless_a_url_names_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_blobs(MediaOptions(folder=tmp_path)).address == str(tmp_path)
    assert open_blobs(MediaOptions()).address.endswith(f"workflow-store{os.sep}media")
    there = open_blobs(MediaOptions(url=f"file://{tmp_path}/a%20b"))
    assert isinstance(there, Folder)
    assert there.address == f"{tmp_path}/a b"
    bucket = open_blobs(MediaOptions(url="memory:///"))
    assert isinstance(bucket, Bucket)
    assert bucket.address == "memory:///"


@pytest.mark.parametrize("url", ["media", "file:media", "file://host/share", "s3:bucket", "/folder"])
def test_a_place_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="must be a URL"):
        open_blobs(MediaOptions(url=url))


def test_a_url_that_can_not_be_used_is_refused_without_showing_its_secret() -> None:
    with pytest.raises(MediaUnavailable) as caught:
        open_blobs(MediaOptions(url="nonsense://user:canary@host/x?sig=canary"))

    assert "host/x" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert "canary" not in repr(MediaOptions(url="s3://canary"))


def test_a_bucket_without_obstore_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "workflow_store.media.bucket")

    with pytest.raises(MediaUnavailable, match=r"workflow-store\[media\]"):
        open_blobs(MediaOptions(url="memory:///"))
