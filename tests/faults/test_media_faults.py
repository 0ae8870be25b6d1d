"""Media files beside collections, kills, cancellations and lost connections."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from obstore.store import LocalStore, MemoryStore

from tests.records import small_workflow
from workflow_store import WorkflowStore, resources
from workflow_store.database import Database
from workflow_store.errors import CommitUnknown, MisuseError, ServerUnavailable
from workflow_store.media import Media, MediaFile, MediaMissing, MediaOptions, MediaUnavailable
from workflow_store.media.blobs import Blobs, new_aside, path_of
from workflow_store.media.bucket import Bucket
from workflow_store.media.folder import Folder
from workflow_store.media.spool import PREFIX, Upload
from workflow_store.settings import Settings

ROOT = Path(resources.__file__).parents[1]
DATA = b"data"
DIGEST = hashlib.sha256(DATA).digest()

# The other process: it stops where it is told to, for as long as it takes to be killed.
CHILD = """
import asyncio, os, sys
from pathlib import Path
from workflow_store.database import Database
from workflow_store.media import Media, MediaOptions
from workflow_store.media.folder import Folder
from workflow_store.settings import Settings

WHERE, ROOT, DSN = sys.argv[1], Path(sys.argv[2]), os.environ["CHILD_DSN"]

async def stop():
    print("stopped", flush=True)
    await asyncio.sleep(3600)

class Stopping(Folder):
    async def prepare(self, upload):
        await super().prepare(upload)
        if WHERE == "before the file":
            await stop()
    async def ensure(self, upload):
        await super().ensure(upload)
        if WHERE == "between file and row":
            await stop()
    async def discard(self, aside):
        if WHERE == "with a file aside":
            await stop()
        await super().discard(aside)

async def halves():
    yield bytes(2 * 1024 * 1024)
    await stop()

async def main():
    database = await Database.open(DSN, Settings.load(pool_min_size=1, pool_max_size=2))
    media = Media(database, MediaOptions(), Stopping(ROOT))
    if WHERE == "with a file aside":
        await media.collect_garbage(grace=0)
    elif WHERE == "inside a stream":
        await media.put("1", "a", halves())
    elif WHERE == "anywhere":
        for number in range(100_000):
            data = os.urandom(1 + number % 300_000)
            file = await media.put("1", f"{sys.argv[3]}-{number % 40}", data)
            print(file.name, file.sha256, flush=True)
            if number % 7 == 3:
                await media.collect_garbage(grace=0)
    else:
        await media.put("1", "a", b"data")

asyncio.run(main())
"""


@pytest_asyncio.fixture
async def database(store: WorkflowStore, database_dsn: str) -> AsyncIterator[Database]:
    for workflow_id in ("1", "2"):
        await store.create_workflow(small_workflow(workflow_id))
    database = await Database.open(database_dsn, Settings.load(pool_min_size=1, pool_max_size=12))
    yield database
    await database.close()


@pytest.fixture(params=["folder", "memory bucket", "local bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return Folder(tmp_path / "media")
    if request.param == "memory bucket":
        return Bucket(MemoryStore(), request.param)
    return Bucket(LocalStore(tmp_path / "bucket", mkdir=True), request.param)


async def start(where: str, root: Path, dsn: str, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, where, str(root), *more),
        env={**os.environ, "CHILD_DSN": dsn, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )


async def kill(process: asyncio.subprocess.Process) -> bytes:
    """Kill a process at once and return what it still had said."""
    assert process.stdout is not None
    process.send_signal(signal.SIGKILL)
    said = await process.stdout.read()
    await process.wait()
    return said


async def kill_once_stopped(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"stopped\n"
    await kill(process)


async def eventually(promise: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not await promise():
        assert time.monotonic() < deadline, "it never came about"
        await asyncio.sleep(0.02)


async def collected_by_now(media: Media) -> Any:
    """Collect until no dead process's session holds a lock any more."""
    reports = []

    async def none_busy() -> bool:
        reports.append(await media.collect_garbage(grace=0))
        return reports[-1].busy == 0

    await eventually(none_busy)
    return reports[-1]


def files_in(root: Path) -> list[str]:
    found = (path.relative_to(root).as_posix() for path in root.glob("**/*") if path.is_file())
    return sorted(path for path in found if not path.startswith("owners/"))


async def hashes_of(blobs: Blobs) -> set[str]:
    return {blob.sha256.hex() async for page in blobs.listed() for blob in page}


def age(root: Path) -> None:
    """Make all that lies there two days old."""
    for path in root.glob("**/*"):
        os.utime(path, (time.time() - 172_800,) * 2)


async def all_of(media: Media, workflow_id: str = "1") -> tuple[MediaFile, ...]:
    files = await media.list(workflow_id)
    for file in files:
        assert hashlib.sha256(await media.get(workflow_id, file.name)).hexdigest() == file.sha256
    return files


async def left_alone(database: Database, connection: asyncpg.Connection[Any]) -> None:
    """Wait until all connections are back, with no transaction open: a second cancellation leaves that to the pool."""
    query = (
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND state LIKE 'idle in transaction%')"
    )

    async def alone() -> bool:
        return await connection.fetchval(query) is True and database.statistics().checked_out == 0

    await eventually(alone)


async def end_backends_that_hold_files(connection: asyncpg.Connection[Any]) -> None:
    """Cut off whoever holds the lock of a file, and wait until the server has let go of it."""
    held = (
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1835361385"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    await connection.execute(f"SELECT pg_terminate_backend(pid) FROM ({held}) AS held")

    async def gone() -> bool:
        return await connection.fetchval(f"SELECT NOT EXISTS ({held})") is True

    await eventually(gone)


@pytest.mark.parametrize("where", ["between file and row", "before the file", "inside a stream"])
async def test_a_put_that_is_killed_leaves_no_link_and_nothing_that_a_collection_can_not_find(
    database: Database, database_dsn: str, tmp_path: Path, where: str
) -> None:
    root = tmp_path / "media"
    media = Media(database, MediaOptions(), Folder(root))

    await kill_once_stopped(await start(where, root, database_dsn))

    assert await media.list("1") == ()
    (left,) = files_in(root)
    assert left == path_of(DIGEST) if where == "between file and row" else left.startswith(f"tmp/{PREFIX}")
    assert (await media.collect_garbage()).collected == 0
    assert files_in(root) == [left]
    age(root)
    report = await collected_by_now(media)
    assert files_in(root) == []
    assert report.busy == 0


async def test_what_a_killed_put_has_left_serves_the_next_one(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    root = tmp_path / "media"
    media = Media(database, MediaOptions(), Folder(root))
    await kill_once_stopped(await start("between file and row", root, database_dsn))

    await media.put("1", "a", DATA)

    assert (await collected_by_now(media)).collected == 0
    assert await media.get("1", "a") == DATA


async def test_a_collection_that_is_killed_is_brought_to_its_end_by_the_next(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    root = tmp_path / "media"
    media = Media(database, MediaOptions(), Folder(root))
    await media.put("1", "a", DATA)
    await media.put("1", "b", b"kept")
    await media.delete("1", "a")
    await kill_once_stopped(await start("with a file aside", root, database_dsn))
    assert len(files_in(root)) == 2

    async def done() -> bool:
        await media.collect_garbage(grace=0)
        return files_in(root) == [path_of(hashlib.sha256(b"kept").digest())]

    await eventually(done)
    assert await media.get("1", "b") == b"kept"


async def test_every_put_that_was_acknowledged_survives_kills_at_any_moment(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    root = tmp_path / "media"
    media = Media(database, MediaOptions(), Folder(root))
    chance = random.Random(20)
    acknowledged: dict[str, list[str]] = {}
    for turn in range(8):
        process = await start("anywhere", root, database_dsn, str(turn))
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readline(), 30)
        await asyncio.sleep(chance.uniform(0.0, 0.4))
        said += await kill(process)
        for line in said.decode().splitlines(keepends=True):
            if line.endswith("\n"):
                name, sha256 = line.split()
                acknowledged.setdefault(name, []).append(sha256)

        there = {file.name: file.sha256 for file in await all_of(media)}
        assert there.keys() >= acknowledged.keys()
        # The last put of each name may have been stored without its answer coming through.
        torn = [name for name in acknowledged if there[name] != acknowledged[name][-1]]
        assert len([name for name in torn if name.startswith(f"{turn}-")]) <= 1
        assert all(name.startswith(tuple(f"{past}-" for past in range(turn + 1))) for name in torn)

    age(root)
    await collected_by_now(media)
    linked = {path_of(bytes.fromhex(file.sha256)) for file in await all_of(media)}
    assert set(files_in(root)) == linked
    assert sum(map(len, acknowledged.values())) > 8


async def test_puts_and_collections_at_once_lose_nothing(database: Database, blobs: Blobs) -> None:
    media = Media(database, MediaOptions(), blobs)
    contents = [bytes([number]) * 100 for number in range(3)]
    seen: Counter[str] = Counter()
    for turn in range(60):
        chance = random.Random(turn)
        barrier = asyncio.Barrier(6)

        async def put(number: int, chance: random.Random = chance, barrier: asyncio.Barrier = barrier) -> None:
            data = chance.choice(contents)
            await barrier.wait()
            await asyncio.sleep(chance.uniform(0, 0.004))
            await media.put("1", f"n{number}", data)
            assert await media.get("1", f"n{number}") == data
            if chance.random() < 0.7:
                await media.delete("1", f"n{number}")

        async def collect(chance: random.Random = chance, barrier: asyncio.Barrier = barrier) -> None:
            await barrier.wait()
            await asyncio.sleep(chance.uniform(0, 0.008))
            report = await media.collect_garbage(grace=0)
            seen.update(collected=report.collected, busy=report.busy)

        await asyncio.gather(*(put(number) for number in range(4)), collect(), collect())
        await all_of(media)

    await media.collect_garbage(grace=0)
    assert await hashes_of(blobs) == {file.sha256 for file in await media.list("1")}
    assert await blobs.asides() == []
    assert seen["collected"] > 20, seen


class Between:
    """Blobs with something happening right before or after one of their methods."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.before: dict[str, Callable[[], Awaitable[None]]] = {}
        self.after: dict[str, Callable[[], Awaitable[None]]] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._blobs, name)
        if name not in self.before and name not in self.after:
            return method

        async def with_an_event(*args: Any) -> Any:
            if name in self.before:
                await self.before.pop(name)()
            result = await method(*args)
            if name in self.after:
                await self.after.pop(name)()
            return result

        return with_an_event


@pytest.mark.parametrize("step", ["set_aside", "discard"])
async def test_a_put_that_meets_a_collection_waits_and_stores_its_file_again(
    database: Database, blobs: Blobs, step: str
) -> None:
    media = Media(database, MediaOptions(), blobs)
    await media.put("1", "a", DATA)
    await media.delete("1", "a")
    between = Between(blobs)
    puts: list[asyncio.Future[MediaFile]] = []

    async def a_put_comes() -> None:
        puts.append(asyncio.ensure_future(media.put("1", "b", DATA)))
        await asyncio.sleep(0.1)
        assert not puts[0].done()

    between.after[step] = a_put_comes
    report = await Media(database, MediaOptions(), between).collect_garbage(grace=0)

    await puts[0]
    assert report.collected == 1
    assert await media.get("1", "b") == DATA
    assert (await media.collect_garbage(grace=0)).collected == 0


@pytest.mark.parametrize("step", ["prepare", "ensure"])
async def test_a_collection_that_meets_a_put_takes_nothing_the_put_needs(
    database: Database, blobs: Blobs, step: str
) -> None:
    media = Media(database, MediaOptions(), blobs)
    await media.put("1", "a", DATA)
    await media.delete("1", "a")
    between = Between(blobs)
    collections = []

    async def a_collection_comes() -> None:
        collections.append(await media.collect_garbage(grace=0))

    between.after[step] = a_collection_comes
    await Media(database, MediaOptions(), between).put("1", "b", DATA)

    assert (collections[0].collected, collections[0].busy) == ((1, 0) if step == "prepare" else (0, 1))
    assert await media.get("1", "b") == DATA


async def test_a_collection_that_slept_and_lost_its_lock_takes_nothing_from_a_put_meanwhile(
    database: Database, blobs: Blobs, connection: asyncpg.Connection[Any]
) -> None:
    media = Media(database, MediaOptions(), blobs)
    await media.put("1", "a", DATA)
    await media.delete("1", "a")
    between = Between(blobs)

    async def long_sleep() -> None:
        await end_backends_that_hold_files(connection)
        await media.put("1", "b", DATA)

    between.before["set_aside"] = long_sleep
    with pytest.raises((ServerUnavailable, CommitUnknown)):
        await Media(database, MediaOptions(), between).collect_garbage(grace=0)

    assert await media.get("1", "b") == DATA
    assert await blobs.asides() == []


async def test_a_collection_that_slept_before_it_deletes_deletes_only_its_own(
    database: Database, blobs: Blobs, connection: asyncpg.Connection[Any]
) -> None:
    media = Media(database, MediaOptions(), blobs)
    await media.put("1", "a", DATA)
    await media.delete("1", "a")
    between = Between(blobs)

    async def long_sleep() -> None:
        await end_backends_that_hold_files(connection)
        await media.put("1", "b", DATA)
        await media.collect_garbage(grace=0)

    between.before["discard"] = long_sleep
    with pytest.raises((ServerUnavailable, CommitUnknown)):
        await Media(database, MediaOptions(), between).collect_garbage(grace=0)

    assert await media.get("1", "b") == DATA
    assert await blobs.asides() == []


async def test_a_database_that_comes_during_a_collection_keeps_its_files(database: Database, blobs: Blobs) -> None:
    media = Media(database, MediaOptions(), blobs)
    await media.put("1", "a", DATA)
    await media.delete("1", "a")
    between = Between(blobs)

    async def another_database_puts() -> None:
        # The lock of this database's server is none of its own.
        await blobs.register("another")
        await blobs.ensure(Upload(DIGEST, len(DATA), DATA))

    between.before["set_aside"] = another_database_puts
    report = await Media(database, MediaOptions(), between).collect_garbage(grace=0)

    assert report.collected == 0
    assert await blobs.read(DIGEST) == DATA
    assert await blobs.asides() == []


async def test_a_file_taken_between_the_listing_and_the_look_is_no_error(database: Database, tmp_path: Path) -> None:
    root = tmp_path / "media"
    folder = Folder(root)
    media = Media(database, MediaOptions(), folder)
    for number in range(200):
        await folder.ensure(await _prepared(folder, b"%d" % number))

    reports = await asyncio.gather(*(media.collect_garbage(grace=0) for _ in range(4)))

    assert files_in(root) == []
    assert sum(report.collected for report in reports) >= 200


async def _prepared(folder: Folder, data: bytes) -> Upload:
    upload = Upload(hashlib.sha256(data).digest(), len(data), data)
    await folder.prepare(upload)
    return upload


async def test_a_temporary_file_that_was_taken_away_is_a_typed_error_and_no_link(
    database: Database, tmp_path: Path
) -> None:
    root = tmp_path / "media"
    between = Between(Folder(root))
    media = Media(database, MediaOptions(), between)

    async def swept() -> None:
        for path in (root / "tmp").iterdir():
            path.unlink()

    between.after["prepare"] = swept
    with pytest.raises(MediaUnavailable, match="No such file"):
        await media.put("1", "a", Path(__file__))

    assert await media.list("1") == ()


@pytest.mark.parametrize("form", ["bytes", "stream", "path"])
async def test_a_put_cancelled_at_any_moment_leaves_no_temporary_file_and_no_open_transaction(
    database: Database, blobs: Blobs, connection: asyncpg.Connection[Any], tmp_path: Path, form: str
) -> None:
    spool = blobs.spool_folder if isinstance(blobs, Folder) else tmp_path / "spool"
    if isinstance(blobs, Bucket):
        spool.mkdir()
        blobs.__class__ = type("BucketHere", (Bucket,), {"spool_folder": spool})
    media = Media(database, MediaOptions(), blobs)
    outcomes: Counter[str] = Counter()

    async def pieces(data: bytes) -> AsyncIterator[bytes]:
        yield data
        await asyncio.sleep(0)
        yield data

    for turn in range(120):
        data = b"%d" % turn * 50
        (tmp_path / "source").write_bytes(data)
        source: Any = {"bytes": data, "stream": pieces(data), "path": tmp_path / "source"}[form]
        task = asyncio.ensure_future(media.put("1", "a", source))
        if turn < 60:
            for _ in range(turn):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep((turn - 60) / 60 * 0.03)
        task.cancel()
        if turn % 3 == 0:
            await asyncio.sleep(0)
            task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        outcomes["put" if isinstance(outcome, MediaFile) else type(outcome).__name__] += 1
        if spool.is_dir():
            assert list(spool.iterdir()) == []

    assert outcomes.keys() <= {"put", "CancelledError"}
    assert outcomes["CancelledError"] > 20
    await left_alone(database, connection)
    files = await all_of(media)
    await media.collect_garbage(grace=0)
    assert await hashes_of(blobs) == {file.sha256 for file in files}


async def test_a_collection_cancelled_at_any_moment_keeps_every_linked_file_in_its_place(
    database: Database, blobs: Blobs, connection: asyncpg.Connection[Any]
) -> None:
    media = Media(database, MediaOptions(), blobs)
    kept = [f"kept {number}" for number in range(5)]
    for name in kept:
        await media.put("1", name, name.encode())
    cancelled = 0
    for turn in range(80):
        for number in range(3):
            data = b"garbage %d" % number
            await blobs.ensure(Upload(hashlib.sha256(data).digest(), len(data), data))
        task = asyncio.ensure_future(media.collect_garbage(grace=0))
        if turn < 40:
            for _ in range(turn * 2):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep((turn - 40) / 40 * 0.02)
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        cancelled += isinstance(outcome, asyncio.CancelledError)
        for name in kept:
            assert await media.get("1", name) == name.encode()

    assert cancelled > 20
    await left_alone(database, connection)
    await media.collect_garbage(grace=0)
    assert await hashes_of(blobs) == {hashlib.sha256(name.encode()).hexdigest() for name in kept}
    assert await blobs.asides() == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists the files a process has open")
async def test_a_read_cancelled_at_any_moment_leaves_no_open_file(database: Database, tmp_path: Path) -> None:
    media = Media(database, MediaOptions(), Folder(tmp_path / "media"))
    await media.put("1", "a", bytes(1024 * 1024))

    async def read() -> None:
        async with media.open("1", "a") as stream:
            async for _ in stream:
                await asyncio.sleep(0)

    for turn in range(60):
        task = asyncio.ensure_future(read())
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    opened = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert not [path for path in opened if path.is_relative_to(tmp_path)]
    assert database.statistics().checked_out == 0


async def test_a_lost_connection_at_the_link_leaves_no_link(
    database: Database, blobs: Blobs, connection: asyncpg.Connection[Any]
) -> None:
    between = Between(blobs)
    media = Media(database, MediaOptions(), between)

    async def cut() -> None:
        await end_backends_that_hold_files(connection)

    between.before["ensure"] = cut
    with pytest.raises((ServerUnavailable, CommitUnknown)):
        await media.put("1", "a", DATA)

    with pytest.raises(MediaMissing):
        await media.get("1", "a")
    await media.put("1", "a", DATA)
    assert await media.get("1", "a") == DATA


async def test_a_collection_interrupted_elsewhere_gives_a_shared_place_its_files_back(
    database: Database, blobs: Blobs
) -> None:
    media = Media(database, MediaOptions(), blobs)
    await media.put("1", "a", DATA)
    await blobs.set_aside(DIGEST, new_aside(DIGEST))
    await blobs.register("another")

    with pytest.raises(Exception, match="other databases") as caught:
        await media.collect_garbage(grace=0)

    assert not isinstance(caught.value, MisuseError)
    assert await media.get("1", "a") == DATA
