"""The server's data is destroyed, and had back as of the moment between two writes; nothing is taken on trust."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.backed_up import aged, everything
from tests.records import small_workflow
from workflow_store import Settings, Workflow, WorkflowStore
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import BackupDamaged, BackupError, EmbeddedError
from workflow_store.importers import read_path
from workflow_store.operations.backup import BackupFolder, create_backup, recover_backup
from workflow_store.samples import generate


@pytest.fixture
def home() -> Iterator[Path]:
    # Not below the tests' own temporary folder: the server's user has to reach it.
    home = Path(tempfile.mkdtemp(prefix="workflow-store-disaster-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings.load(
        data_dir=home / "data",
        media_dir=home / "media",
        backup_dir=home / "backups",
        wal_archive=True,
        pool_min_size=1,
        search_refresh="manual",
    )


async def moment() -> datetime:
    """A moment with no write near it, by the clock that the server reads too."""
    await asyncio.sleep(0.05)
    between = datetime.now(UTC)
    await asyncio.sleep(0.05)
    return between


async def source(corpus: Path) -> AsyncIterator[Workflow]:
    """2,000 workflows: the real ones, then generated ones."""
    given = 0
    for item in read_path(corpus / "workflows.jsonl.gz"):
        if isinstance(item, Workflow):
            given += 1
            yield item
    for workflow in generate(2_000 - given):
        yield workflow


async def test_a_destroyed_server_is_had_back_as_of_the_moment_between_two_writes(
    settings: Settings, home: Path, corpus: Path
) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.ingest(source(corpus))
        some = [workflow.workflow_id for workflow in (await store.list_workflows(limit=20)).items]
        for workflow_id in some:
            await store.media.put(workflow_id, "picture.png", workflow_id.encode())
        await create_backup(settings, kind="base")
        await store.ingest([small_workflow(f"since-{number}") for number in range(100)])
        await store.update_workflow(some[0], quality_score=12.5)
        await create_backup(settings, kind="incremental")
        await store.create_workflow(small_workflow("the last before"))
        between = await moment()
        await store.create_workflow(small_workflow("the first after"))
        await store.delete_workflow(some[1])
    after = await everything(settings)
    shutil.rmtree(home / "data")
    shutil.rmtree(home / "media")

    report = await recover_backup(BackupFolder.of(settings).latest(), settings, to_time=between)

    restored = await everything(settings)
    assert report.last_commit is not None
    assert report.last_commit < between
    assert "the last before" in restored
    assert "the first after" not in restored
    assert restored.keys() == (after.keys() | {some[1]}) - {"the first after"}
    assert len(restored) > 2_000
    assert all(restored[name] == after[name] for name in restored.keys() & after.keys())
    assert restored[some[0]].quality_score == 12.5
    async with WorkflowStore.open(settings) as store:
        assert [await store.media.get(name, "picture.png") for name in some] == [name.encode() for name in some]


async def test_a_destroyed_machine_is_had_back_from_the_bucket_as_of_its_last_backup(
    settings: Settings, home: Path
) -> None:
    bucket = home / "bucket"
    copied = settings.model_copy(update={"backup_url": SecretStr(bucket.as_uri())})
    async with WorkflowStore.open(copied) as store:
        await store.create_workflow(small_workflow("1"))
        await create_backup(copied, kind="base")
        await store.create_workflow(small_workflow("2"))
        last = await create_backup(copied, kind="incremental")
        await store.create_workflow(small_workflow("3"))
    for folder in ("data", "media", "backups"):
        shutil.rmtree(home / folder, ignore_errors=True)

    await recover_backup(last.name, copied)

    # The log since then lay beside the backups, and is gone with them.
    assert (await everything(copied)).keys() == {"1", "2"}


async def test_a_killed_server_loses_only_what_its_log_had_not_handed_over(settings: Settings, home: Path) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
        made = await create_backup(settings, kind="base")
        await store.create_workflow(small_workflow("2"))
        pid = live_pid(home / "data" / "data")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(home / "data" / "data")

    await recover_backup(made.name, settings)

    # The segment with the second was open, and is gone with the folder.
    assert (await everything(settings)).keys() == {"1"}


async def test_what_is_there_is_kept_and_goes_on_where_it_was_left(settings: Settings) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
        made = await create_backup(settings, kind="base")
        between = await moment()
        await store.create_workflow(small_workflow("2"))

    report = await recover_backup(made.name, settings, to_time=between)
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("3"))
    # The log goes on from the moment that was gone back to.
    again = await recover_backup(made.name, settings)

    assert report.kept is not None
    assert again.kept is not None
    assert (report.kept / "PG_VERSION").exists()
    assert (await everything(settings)).keys() == {"1", "3"}


async def test_nothing_changes_where_a_recovery_can_not_be(settings: Settings, home: Path) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
        early = datetime.now(UTC) - timedelta(hours=1)
        base = await create_backup(settings, kind="base")
        step = await create_backup(settings, kind="incremental")
        with pytest.raises(EmbeddedError, match="is in use"):
            await recover_backup(base.name, settings)
    before = await everything(settings)
    folder = BackupFolder.of(settings)

    with pytest.raises(BackupError, match="after that moment"):
        await recover_backup(base.name, settings, to_time=early)
    with pytest.raises(BackupError, match="can't be replayed to that moment"):
        await recover_backup(step.name, settings, to_time=datetime.now(UTC) + timedelta(hours=1))
    for manifest in (base, step):
        for path, place in regions(folder.path / manifest.name / "base"):
            good = path.read_bytes()
            path.write_bytes(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
            with pytest.raises(BackupDamaged):
                folder.verify(manifest.name)
            with pytest.raises(BackupDamaged):
                await recover_backup(step.name, settings)
            path.write_bytes(good)
    shutil.rmtree(folder.path / base.name)
    with pytest.raises(BackupError, match="no backup"):
        await recover_backup(step.name, settings)

    assert await everything(settings) == before
    assert not list((home / "data").glob("restore-*"))


def regions(folder: Path) -> Iterator[tuple[Path, int]]:
    """A byte of each kind of file that a server's data has."""
    for name in ("PG_VERSION", "backup_label", "backup_manifest", "global/pg_control"):
        yield folder / name, (folder / name).stat().st_size // 2
    heap = max((folder / "base").glob("*/*"), key=lambda path: path.stat().st_size)
    log = max((folder / "pg_wal").glob("0*"), key=lambda path: path.stat().st_size)
    for path in (heap, log):
        yield path, 0
        yield path, path.stat().st_size - 1


async def test_what_an_incremental_one_builds_on_is_not_pruned_nor_the_log_it_needs(settings: Settings) -> None:
    folder = BackupFolder.of(settings)
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
        first = await create_backup(settings, kind="base")
        second = await create_backup(settings, kind="base")
        third = await create_backup(settings, kind="incremental")
        await store.create_workflow(small_workflow("2"))
    for manifest in (first, second):
        aged(folder.path, manifest, 60)
    log = {entry.name for entry in (folder.path / "wal").iterdir()}

    removed = folder.prune(30)

    assert removed == (first.name,)
    assert third.builds_on == second.name
    assert {entry.name for entry in (folder.path / "wal").iterdir()} < log
    await recover_backup(third.name, settings)
    assert (await everything(settings)).keys() == {"1", "2"}
