from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from obstore.store import LocalStore, MemoryStore, S3Store

from tests.records import small_workflow
from workflow_store import WorkflowStore
from workflow_store.database import Database, HeldSession
from workflow_store.errors import InvalidField, MisuseError
from workflow_store.media import (
    Media,
    MediaCorrupt,
    MediaFile,
    MediaMissing,
    MediaOptions,
    MediaShared,
    MediaTooLarge,
    MediaUnavailable,
    WorkflowMissing,
)
from workflow_store.media.blobs import Blobs, new_aside, path_of
from workflow_store.media.bucket import Bucket
from workflow_store.media.folder import Folder
from workflow_store.media.spool import PREFIX
from workflow_store.settings import Settings

LARGE = os.urandom(7 * 1024 * 1024 + 3)


@dataclass
class Place:
    """Where the media of a test lie, with a way to reach behind their back."""

    blobs: Blobs
    kind: str
    files: Callable[[], list[str]]
    write: Callable[[str, bytes], None]
    remove: Callable[[str], None]


def folder_at(root: Path) -> Place:
    def files() -> list[str]:
        return sorted(path.relative_to(root).as_posix() for path in root.glob("**/*") if path.is_file())

    def write(path: str, data: bytes) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)

    return Place(Folder(root), "folder", files, write, lambda path: (root / path).unlink())


def bucket_of(objects: LocalStore | MemoryStore, kind: str) -> Place:
    def files() -> list[str]:
        return sorted(item["path"] for page in objects.list() for item in page)

    def write(path: str, data: bytes) -> None:
        objects.put(path, data)

    return Place(Bucket(objects, kind), kind, files, write, objects.delete)


@pytest.fixture(params=["folder", "memory bucket", "local bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return folder_at(tmp_path / "media")
    if request.param == "memory bucket":
        return bucket_of(MemoryStore(), request.param)
    return bucket_of(LocalStore(tmp_path / "bucket", mkdir=True), request.param)


@pytest_asyncio.fixture
async def database(store: WorkflowStore, database_dsn: str) -> AsyncIterator[Database]:
    for workflow_id in ("1", "2"):
        await store.create_workflow(small_workflow(workflow_id))
    database = await Database.open(database_dsn, Settings.load(pool_min_size=1, pool_max_size=4))
    yield database
    await database.close()


@pytest.fixture
def media(database: Database, place: Place) -> Media:
    return Media(database, MediaOptions(max_bytes=10 * 1024 * 1024), place.blobs)


async def stream_of(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def stored(place: Place) -> list[str]:
    return [path for path in place.files() if not path.startswith("owners/")]


def path_for(data: bytes) -> str:
    return path_of(hashlib.sha256(data).digest())


async def read(media: Media, workflow_id: str, name: str) -> bytes:
    async with media.open(workflow_id, name) as stream:
        return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("data", [b"", b"data", LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("form", ["bytes", "stream", "path"])
async def test_what_is_put_comes_back_whole(media: Media, place: Place, tmp_path: Path, data: bytes, form: str) -> None:
    (tmp_path / "source").write_bytes(data)
    source: Any = {"bytes": data, "stream": stream_of(data), "path": tmp_path / "source"}[form]
    before = datetime.now(UTC)

    file = await media.put("1", "a.png", source)

    assert file == MediaFile("a.png", hashlib.sha256(data).hexdigest(), len(data), "image/png", file.created_at)
    assert abs(file.created_at - before) < timedelta(minutes=1)
    assert await media.get("1", "a.png") == data
    assert await read(media, "1", "a.png") == data
    assert await media.list("1") == (file,)
    assert stored(place) == [path_for(data)]


async def test_a_stream_says_whose_bytes_it_has(media: Media) -> None:
    file = await media.put("1", "a", b"data")

    async with media.open("1", "a") as stream:
        assert stream.file == file


async def test_a_stream_may_be_left_early(media: Media, place: Place) -> None:
    await media.put("1", "a", LARGE)

    async with media.open("1", "a") as stream:
        first = await anext(stream)

    assert LARGE.startswith(first)
    # What is in memory as a whole comes as a whole.
    assert len(first) < len(LARGE) or place.kind == "memory bucket"


async def test_one_content_is_stored_once_however_often_it_is_linked(media: Media, place: Place) -> None:
    for workflow_id in ("1", "2"):
        for name in ("a", "b"):
            await media.put(workflow_id, name, stream_of(b"data") if name == "a" else b"data")

    assert stored(place) == [path_for(b"data")]
    assert [file.name for file in await media.list("2")] == ["a", "b"]


async def test_the_same_name_again_replaces_the_link(media: Media) -> None:
    await media.put("1", "a", b"old", "text/plain")

    file = await media.put("1", "a", b"newer", "text/html; charset=utf-8")

    assert (file.size, file.content_type) == (5, "text/html; charset=utf-8")
    assert await media.get("1", "a") == b"newer"
    assert await media.list("1") == (file,)


async def test_deleting_takes_the_link_and_leaves_the_file_to_the_collection(media: Media, place: Place) -> None:
    await media.put("1", "a", b"data")

    assert await media.delete("1", "a") is True
    assert await media.delete("1", "a") is False
    assert stored(place) == [path_for(b"data")]
    report = await media.collect_garbage(grace=0)
    assert (report.examined, report.collected, report.bytes, report.young) == (1, 1, 4, 0)
    assert stored(place) == []


async def test_a_deleted_workflow_takes_its_links_along(store: WorkflowStore, media: Media, place: Place) -> None:
    await media.put("1", "a", b"mine")
    await media.put("1", "b", b"ours")
    await media.put("2", "b", b"ours")

    await store.delete_workflow("1")
    await media.collect_garbage(grace=0)

    assert await media.list("1") == ()
    assert stored(place) == [path_for(b"ours")]
    assert await media.get("2", "b") == b"ours"


async def test_a_workflow_that_is_not_stored_gets_no_link(media: Media, place: Place) -> None:
    with pytest.raises(WorkflowMissing, match="'9' is not stored") as caught:
        await media.put("9", "a", b"data")

    assert caught.value.workflow_id == "9"
    assert await media.list("9") == ()
    await media.collect_garbage(grace=0)
    assert stored(place) == []


async def test_a_missing_file_says_whether_the_link_or_the_bytes_are_missing(media: Media, place: Place) -> None:
    for ask in (media.get("1", "a"), read(media, "1", "a")):
        with pytest.raises(MediaMissing, match="does not exist") as caught:
            await ask
        assert not caught.value.linked
    await media.put("1", "a", b"data")
    place.remove(path_for(b"data"))
    for ask in (media.get("1", "a"), read(media, "1", "a")):
        with pytest.raises(MediaMissing, match="its file is gone") as caught:
            await ask
        assert caught.value.linked


@pytest.mark.parametrize("damage", [b"dat4", b"dat", b"data+", b""], ids=["changed", "short", "long", "empty"])
async def test_a_damaged_file_is_never_given_out_as_whole(media: Media, place: Place, damage: bytes) -> None:
    await media.put("1", "a", b"data")
    place.write(path_for(b"data"), damage)
    came = []

    with pytest.raises(MediaCorrupt, match="SHA-256 is|bytes instead of 4"):
        await media.get("1", "a")
    with pytest.raises(MediaCorrupt, match="damaged"):
        async with media.open("1", "a") as stream:
            async for piece in stream:
                came.append(piece)  # noqa: PERF401

    assert b"".join(came) == damage


async def test_one_changed_byte_of_a_large_file_is_found(media: Media, place: Place) -> None:
    await media.put("1", "a", LARGE)
    place.write(path_for(LARGE), LARGE[:-1] + bytes([LARGE[-1] ^ 1]))

    with pytest.raises(MediaCorrupt, match="SHA-256"):
        await read(media, "1", "a")


@pytest.mark.parametrize("form", ["bytes", "stream"])
async def test_a_truncated_or_lost_file_is_healed_by_putting_it_again(media: Media, place: Place, form: str) -> None:
    def source() -> Any:
        return b"data" if form == "bytes" else stream_of(b"data")

    await media.put("1", "a", source())
    place.write(path_for(b"data"), b"da")
    await media.put("2", "a", source())
    assert await media.get("1", "a") == b"data"

    place.remove(path_for(b"data"))
    await media.put("2", "b", source())
    assert await media.get("1", "a") == b"data"


@pytest.mark.parametrize("form", ["bytes", "stream", "path"])
async def test_a_file_above_the_limit_leaves_nothing(
    database: Database, place: Place, tmp_path: Path, form: str
) -> None:
    media = Media(database, MediaOptions(max_bytes=1000), place.blobs)
    (tmp_path / "source").write_bytes(bytes(1001))
    source: Any = {"bytes": bytes(1001), "stream": stream_of(bytes(1001)), "path": tmp_path / "source"}[form]

    with pytest.raises(MediaTooLarge, match="larger than 1,000 bytes"):
        await media.put("1", "a", source)

    assert stored(place) == []
    assert await media.list("1") == ()
    assert (await media.put("1", "a", bytes(1000))).size == 1000


@pytest.mark.parametrize(
    "name", ["a", "ö" * 512, "../../etc/passwd", "/", "a/b", ".", "a\nb", "'; DROP TABLE x --", "🤖", "C:\\con"]
)
async def test_any_name_of_1_to_1024_bytes_is_a_name_and_no_path(media: Media, place: Place, name: str) -> None:
    file = await media.put("1", name, b"data")

    assert file.name == name
    assert await media.get("1", name) == b"data"
    assert stored(place) == [path_for(b"data")]


@pytest.mark.parametrize("name", ["", "a" * 1025, "ö" * 513, "a\x00b", "\ud800", 7], ids=repr)
async def test_a_name_that_can_not_be_stored_is_refused(media: Media, place: Place, name: str) -> None:
    for call in (media.put("1", name, b"data"), media.get("1", name), media.delete("1", name), read(media, "1", name)):
        with pytest.raises(InvalidField, match="name: "):
            await call
    for call in (media.put(name, "a", b"data"), media.list(name)):  # type: ignore[assignment]
        with pytest.raises(InvalidField, match="workflow_id: "):
            await call
    assert place.files() == []


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("a.png", None, "image/png"),
        ("a.unknown-thing", None, "application/octet-stream"),
        ("a.png", "text/plain", "text/plain"),
        ("a", "image/svg+xml", "image/svg+xml"),
        ("a", 'multipart/x; boundary="b"', 'multipart/x; boundary="b"'),
    ],
)
async def test_a_type_is_as_given_or_guessed_from_the_name(
    media: Media, name: str, given: str | None, kind: str
) -> None:
    assert (await media.put("1", name, b"", given)).content_type == kind


@pytest.mark.parametrize("kind", ["", "png", "a/b\r\nX: y", "a/b\x00", "image/ png", "a/" + "b" * 254, 7])
async def test_a_type_that_is_none_is_refused(media: Media, kind: str) -> None:
    with pytest.raises(InvalidField, match="content_type"):
        await media.put("1", "a", b"", kind)


async def test_only_the_allowed_types_are_taken(database: Database, place: Place) -> None:
    media = Media(database, MediaOptions(content_types=("image/*", "Text/Plain")), place.blobs)

    await media.put("1", "a.png", b"")
    await media.put("1", "b", b"", "TEXT/plain; charset=utf-8")
    with pytest.raises(InvalidField, match=r"text/html is not taken here; allowed: image/\*, text/plain"):
        await media.put("1", "c.html", b"")
    assert [file.name for file in await media.list("1")] == ["a.png", "b"]


async def test_a_list_is_in_the_order_of_names_and_comes_in_parts(media: Media) -> None:
    names = ["B", "a", "b", "ä", "🤖"]
    for name in reversed(names):
        await media.put("1", name, b"data")

    first = await media.list("1", limit=2)
    rest = await media.list("1", after=first[-1].name)

    assert [file.name for file in first + rest] == names
    for limit in (0, 1001, True, "5"):
        with pytest.raises(InvalidField, match="limit: "):
            await media.list("1", limit=limit)  # type: ignore[arg-type]
    with pytest.raises(InvalidField, match="after: "):
        await media.list("1", after="\x00")


async def test_the_grace_period_protects_what_was_just_written(media: Media, place: Place) -> None:
    await media.put("1", "a", b"data")
    await media.delete("1", "a")

    report = await media.collect_garbage()

    assert (report.examined, report.collected, report.young) == (1, 0, 1)
    assert stored(place) == [path_for(b"data")]
    for grace in (-1, float("nan"), float("inf"), True, "1"):
        with pytest.raises(InvalidField, match="grace: "):
            await media.collect_garbage(grace)  # type: ignore[arg-type]


async def test_what_is_no_media_file_is_never_deleted(media: Media, place: Place) -> None:
    foreign = ["ab/cd/notes.txt", "notes.txt", "zz/zz/x", "aside/notes"]
    for path in foreign:
        place.write(path, b"mine")
    await media.put("1", "a", b"data")

    report = await media.collect_garbage(grace=0)

    assert (report.examined, report.collected) == (1, 0)
    assert stored(place) == sorted([*foreign, path_for(b"data")])


async def test_many_files_are_collected_in_batches(media: Media, place: Place) -> None:
    for number in range(70):
        place.write(path_for(b"%d" % number), b"%d" % number)
    await media.put("1", "a", b"7")

    report = await media.collect_garbage(grace=0)

    assert (report.examined, report.collected, report.busy) == (70, 69, 0)
    assert stored(place) == [path_for(b"7")]


async def test_nothing_is_collected_where_nothing_was_ever_put(media: Media) -> None:
    assert await media.collect_garbage(grace=0) == type(await media.collect_garbage())()


async def test_a_database_that_shares_the_place_keeps_its_files(media: Media, place: Place) -> None:
    await media.put("1", "a", b"data")
    await place.blobs.register("another")
    await media.delete("1", "a")
    place.write(f"aside/{new_aside(hashlib.sha256(b'other').digest())}", b"other")

    with pytest.raises(MediaShared, match="another.*alone=True") as caught:
        await media.collect_garbage(grace=0)

    assert caught.value.owners == ("another",)
    assert stored(place) == sorted([path_for(b"data"), path_for(b"other")])
    report = await media.collect_garbage(grace=0, alone=True)
    assert report.collected == 2
    assert stored(place) == []
    assert (await media.collect_garbage(grace=0)).collected == 0


async def test_two_databases_have_two_names(media: Media, store: WorkflowStore, place: Place) -> None:
    await media.put("1", "a", b"data")
    await media.put("1", "b", b"more")

    (owner,) = await place.blobs.owners()
    system, number = owner.split("-")

    assert system.isdigit()
    assert number.isdigit()
    await place.blobs.register(owner)
    assert await place.blobs.owners() == {owner}


async def test_an_interrupted_collection_is_brought_to_its_end(media: Media, place: Place) -> None:
    linked, garbage, doubled = (hashlib.sha256(data).digest() for data in (b"linked", b"garbage", b"doubled"))
    for name in ("linked", "doubled"):
        await media.put("1", name, name.encode())
    place.write(path_for(b"garbage"), b"garbage")
    for digest in (linked, garbage):
        await place.blobs.set_aside(digest, new_aside(digest))
    place.write(f"aside/{new_aside(doubled)}", b"doubled")

    report = await media.collect_garbage(grace=0)

    assert (report.put_back, report.collected) == (1, 0)
    assert stored(place) == sorted([path_for(b"linked"), path_for(b"doubled")])
    assert await media.get("1", "linked") == b"linked"


async def test_setting_aside_and_back_bears_that_nothing_is_there(place: Place) -> None:
    digest = hashlib.sha256(b"data").digest()
    aside = new_aside(digest)

    await place.blobs.set_aside(digest, aside)

    assert await place.blobs.put_back(digest, aside) is False
    await place.blobs.discard(aside)
    await place.blobs.forget("nobody")
    assert await place.blobs.read(digest) is None
    assert stored(place) == []


async def test_leftovers_of_dead_uploads_are_collected(media: Media, place: Place) -> None:
    spool = place.blobs.spool_folder
    spool.mkdir(parents=True, exist_ok=True)
    old, young = spool / f"{PREFIX}test-old", spool / f"{PREFIX}test-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 7200,) * 2)

    report = await media.collect_garbage(grace=0)

    assert report.partial >= 1
    assert not old.exists()
    assert young.exists()
    young.unlink()


async def test_a_link_made_in_a_transaction_is_there_once_it_commits(
    media: Media, database: Database, place: Place
) -> None:
    async with database.session() as session, session.transaction():
        inside = media.within(HeldSession(session))
        await inside.put("1", "a", b"data")
        assert await inside.get("1", "a") == b"data"
        assert await media.list("1") == ()
        with pytest.raises(MisuseError, match="inside a transaction"):
            await inside.collect_garbage(grace=0)
        report = await media.collect_garbage(grace=0)
        assert (report.busy, report.collected) == (1, 0)

    assert await media.get("1", "a") == b"data"
    assert inside.address == media.address


async def test_a_link_in_a_transaction_that_fails_is_garbage(media: Media, database: Database, place: Place) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.session() as session, session.transaction():
            await media.within(HeldSession(session)).put("1", "a", b"data")
            raise ZeroDivisionError

    assert await media.list("1") == ()
    assert (await media.collect_garbage(grace=0)).collected == 1
    assert stored(place) == []


async def test_a_file_put_anew_and_collected_while_it_is_read_is_read_anew(
    media: Media, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await media.put("1", "a", b"old")
    ask = media._get_link

    async def then_replaced(workflow_id: str, name: str) -> Any:
        link = await ask(workflow_id, name)
        if link.sha256 == hashlib.sha256(b"old").digest():
            await media.put("1", "a", b"new")
            await media.collect_garbage(grace=0)
        return link

    monkeypatch.setattr(media, "_get_link", then_replaced)
    assert await media.get("1", "a") == b"new"
    await media.put("1", "a", b"old")
    assert await read(media, "1", "a") == b"new"


async def test_two_puts_of_one_content_at_once_store_it_once(media: Media, place: Place) -> None:
    await asyncio.gather(*(media.put("1", f"n{number}", stream_of(LARGE)) for number in range(4)))

    assert stored(place) == [path_for(LARGE)]
    assert await media.get("1", "n3") == LARGE


async def test_a_folder_that_can_not_be_used_is_a_typed_error(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    media = Media(database, MediaOptions(folder=tmp_path / "file"))

    with pytest.raises(MediaUnavailable, match=r"media folder .*file"):
        await media.put("1", "a", b"data")
    with pytest.raises(MediaUnavailable, match=r"media folder .*file"):
        await media.collect_garbage(grace=0)
    assert await media.list("1") == ()


async def test_a_folder_is_closed_to_others(media: Media, place: Place, tmp_path: Path) -> None:
    if place.kind != "folder":
        return
    await media.put("1", "a", b"data")

    assert (tmp_path / "media").stat().st_mode & 0o077 == 0


async def test_a_bucket_that_does_not_answer_is_a_typed_error_without_secrets(database: Database) -> None:
    objects = S3Store(
        "bucket",
        endpoint="http://127.0.0.1:9",
        access_key_id="canary",
        secret_access_key="canary",
        allow_http=True,
        client_options={"allow_http": True, "connect_timeout": "1s", "timeout": "2s"},
        retry_config={"max_retries": 0},
    )
    media = Media(database, MediaOptions(), Bucket(objects, "s3://bucket"))

    with pytest.raises(MediaUnavailable, match="^s3://bucket: ") as caught:
        await media.put("1", "a", b"data")

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert await media.list("1") == ()
