"""Backups of a database: one moment, whole or not at all, damaged ones refused before anything is touched."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.backed_up import aged, everything, filled, names_of_databases, regions
from tests.commands import run
from tests.records import full_workflow, small_workflow
from workflow_store import Settings, WorkflowStore
from workflow_store.errors import BackupDamaged, BackupError, SchemaMissing, SchemaTooNew
from workflow_store.operations.backup import (
    BackupFolder,
    Kind,
    create_backup,
    drill_backup,
    recover_backup,
    restore_backup,
    run_backup,
)
from workflow_store.operations.backup.databases import Databases
from workflow_store.operations.backup.manifest import MANIFEST, SEAL

KINDS: tuple[Kind, ...] = ("archive", "sql")
NEWER = "9999_of_tomorrow"


pytestmark = pytest.mark.usefixtures("no_database_is_left_behind")


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return Settings.load(
        dsn=database_dsn, backup_dir=tmp_path / "backups", media_dir=tmp_path / "media", pool_min_size=1
    )


@pytest.fixture
def folder(settings: Settings) -> BackupFolder:
    return BackupFolder.of(settings)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_restored_is_what_was_backed_up(kind: Kind, settings: Settings, tmp_path: Path) -> None:
    before = await filled(settings)

    made = await create_backup(settings, kind=kind)
    async with WorkflowStore.open(settings) as store:
        await store.delete_workflow("full")
        await store.create_workflow(small_workflow("later"))
    shutil.rmtree(tmp_path / "media")
    report = await restore_backup(made.name, settings)

    assert await everything(settings) == before
    async with WorkflowStore.open(settings) as store:
        assert await store.media.get("full", "logo.png") == b"a logo"
        assert [entry.workflow_id for entry in await store.pending()] == ["queued"]
    assert report.tables == {name: entry.rows for name, entry in made.tables.items()}
    assert (report.tables["workflows"], report.media, made.media) == (41, 1, 1)
    assert made.kind == kind
    assert made.schema_version == "0008_recognition"


async def test_every_table_is_in_the_fingerprint(settings: Settings, database_dsn: str) -> None:
    await filled(settings, 5)
    connection = await asyncpg.connect(database_dsn)
    try:
        rows = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'workflow_store'::regnamespace AND relkind IN ('r', 'p')"
        )
    finally:
        await connection.close()

    made = await create_backup(settings)

    assert made.tables.keys() == {row[0] for row in rows if "yoyo" not in row[0]}


async def test_a_backup_is_of_one_moment_while_others_write(settings: Settings) -> None:
    stop = asyncio.Event()

    async def write() -> None:
        # Each transaction writes a pair: a snapshot has both of it or none.
        number = 0
        async with WorkflowStore.open(settings) as store:
            while not stop.is_set():
                async with store.transaction() as tx:
                    await tx.create_workflow(full_workflow(f"a{number:06}"))
                    await tx.create_workflow(full_workflow(f"b{number:06}"))
                number += 1

    writer = asyncio.create_task(write())
    try:
        made = [await create_backup(settings, kind=kind) for kind in KINDS]
    finally:
        stop.set()
        await writer

    for manifest in made:
        await restore_backup(manifest.name, settings, drop_old=True)
        found = await everything(settings)
        assert len(found) == manifest.tables["workflows"].rows
        assert {name[1:] for name in found if name[0] == "a"} == {name[1:] for name in found if name[0] == "b"}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_old_database_is_kept_unless_it_is_not_wanted(
    kind: Kind, settings: Settings, workflow_store_server: Any
) -> None:
    await filled(settings, 3)
    made = await create_backup(settings, kind=kind)
    before = await names_of_databases(workflow_store_server.dsn)

    kept = (await restore_backup(made.name, settings)).kept
    dropped = (await restore_backup(made.name, settings, drop_old=True)).kept

    assert kept is not None
    assert dropped is None
    assert await names_of_databases(workflow_store_server.dsn) == before | {kept}


async def test_a_database_that_is_gone_is_restored_too(settings: Settings, workflow_store_server: Any) -> None:
    before = await filled(settings, 3)
    made = await create_backup(settings)
    assert settings.dsn is not None
    name = Databases(settings.dsn.get_secret_value()).name
    workflow_store_server.drop_database(name)

    report = await restore_backup(made.name, settings)

    assert (report.database, report.kept) == (name, None)
    assert await everything(settings) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_a_changed_byte_is_found_in_each_region_and_nothing_is_restored(
    kind: Kind, settings: Settings, folder: BackupFolder, workflow_store_server: Any
) -> None:
    before = await filled(settings, 10)
    made = await create_backup(settings, kind=kind)
    databases = await names_of_databases(workflow_store_server.dsn)
    places = list(regions(folder.path / made.name))

    for path, place in places:
        good = path.read_bytes()
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
        with pytest.raises(BackupDamaged):
            folder.verify(made.name)
        path.write_bytes(good)
    path, place = places[len(places) // 2]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BackupDamaged):
        await restore_backup(made.name, settings)
    with pytest.raises(BackupDamaged):
        await drill_backup(made.name, settings)

    assert len(places) >= 9
    assert await names_of_databases(workflow_store_server.dsn) == databases
    assert await everything(settings) == before


async def test_what_is_missing_or_does_not_belong_is_named(settings: Settings, folder: BackupFolder) -> None:
    await filled(settings, 3)
    made = await create_backup(settings, kind="sql")
    place = folder.path / made.name
    (place / "dump.sql.gz").rename(place / "elsewhere.gz")

    with pytest.raises(BackupDamaged) as caught:
        folder.verify(made.name)

    assert caught.value.problems == ("dump.sql.gz is missing", "elsewhere.gz does not belong to it")


async def test_a_backup_under_another_name_or_without_a_manifest_is_no_backup(
    settings: Settings, folder: BackupFolder
) -> None:
    await filled(settings, 3)
    made = await create_backup(settings, kind="sql")
    shutil.copytree(folder.path / made.name, folder.path / "copy")
    (folder.path / "empty").mkdir()

    with pytest.raises(BackupDamaged, match=f"is that of {made.name}"):
        folder.verify("copy")
    with pytest.raises(BackupDamaged, match="can't be read"):
        folder.verify("empty")
    with pytest.raises(BackupError, match="no backup 'none'"):
        folder.verify("none")
    assert [manifest.name for manifest in folder.list()] == [made.name]


async def test_dumps_that_are_whole_but_of_something_else_are_told_by_their_contents(
    settings: Settings, folder: BackupFolder, workflow_store_server: Any
) -> None:
    before = await filled(settings, 5)
    first = await create_backup(settings, kind="sql")
    async with WorkflowStore.open(settings) as store:
        await store.update_workflow("full", quality_score=1.0)
    second = await create_backup(settings, kind="sql")
    changed = await everything(settings)
    # The files of one under the manifest of the other, with all checksums right.
    place = folder.path / first.name
    shutil.copy(folder.path / second.name / "dump.sql.gz", place / "dump.sql.gz")
    first.model_copy(update={"files": second.files}).write(place)
    assert folder.verify(first.name).tables == first.tables
    databases = await names_of_databases(workflow_store_server.dsn)

    with pytest.raises(BackupDamaged, match="workflows is not, restored, what the manifest says"):
        await restore_backup(first.name, settings)

    assert changed != before
    assert await everything(settings) == changed
    assert await names_of_databases(workflow_store_server.dsn) == databases


async def test_a_backup_of_a_later_version_or_a_newer_server_is_refused(
    settings: Settings, folder: BackupFolder
) -> None:
    before = await filled(settings, 3)
    made = await create_backup(settings, kind="sql")
    place = folder.path / made.name

    made.model_copy(update={"schema_version": NEWER}).write(place)
    with pytest.raises(SchemaTooNew, match=NEWER):
        await restore_backup(made.name, settings)
    made.model_copy(update={"server_number": 990_001, "server_version": "99.1"}).write(place)
    with pytest.raises(BackupError, match=r"is of PostgreSQL 99\.1"):
        await restore_backup(made.name, settings)

    assert await everything(settings) == before


async def test_what_is_not_known_of_the_format_is_refused(settings: Settings, folder: BackupFolder) -> None:
    await filled(settings, 1)
    made = await create_backup(settings, kind="sql")
    place = folder.path / made.name
    text = json.dumps(json.loads((place / MANIFEST).read_text()) | {"format": 2})
    (place / MANIFEST).write_text(text)
    (place / SEAL).write_text(f"{hashlib.sha256(text.encode()).hexdigest()}  {MANIFEST}\n")

    with pytest.raises(BackupDamaged, match="not one of this version's"):
        folder.verify(made.name)


async def test_a_database_without_the_schema_is_not_backed_up(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaMissing):
        await create_backup(dsn=empty_database, backup_dir=tmp_path)

    assert list(tmp_path.iterdir()) == []


async def test_without_room_nothing_is_written(
    settings: Settings, folder: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(settings, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(100, 90, 10))

    with pytest.raises(BackupError, match="10 bytes free"):
        await create_backup(settings)

    assert folder.names() == ()


async def test_a_cancelled_backup_leaves_nothing(settings: Settings, folder: BackupFolder) -> None:
    await filled(settings, 200)
    for delay in (0.05, 0.15, 0.3):
        task = asyncio.create_task(create_backup(settings))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled() or folder.names()

    whole = folder.names()
    assert all(folder.is_good(name) for name in whole)
    assert {entry.name for entry in folder.path.iterdir()} == set(whole)


async def test_a_media_file_that_was_lost_is_told(settings: Settings, tmp_path: Path) -> None:
    await filled(settings, 1)
    shutil.rmtree(tmp_path / "media")

    made = await create_backup(settings)

    assert made.media == 0
    assert len(made.media_missing) == 1


async def test_a_run_makes_one_a_day_and_another_where_that_is_damaged(
    settings: Settings, folder: BackupFolder
) -> None:
    await filled(settings, 3)

    first = await run_backup(settings)
    again = await run_backup(settings)
    assert first.made is not None
    (folder.path / first.made.name / "dump" / "toc.dat").write_bytes(b"")
    repaired = await run_backup(settings)
    forced = await run_backup(settings, force=True)

    assert again.made is None
    assert "younger than 20 hours" in again.reason
    assert repaired.made is not None
    assert forced.made is not None
    assert len(folder.list()) == 3


async def test_of_runs_at_once_one_makes_a_backup(settings: Settings, folder: BackupFolder) -> None:
    await filled(settings, 3)

    reports = await asyncio.gather(*(run_backup(settings) for _ in range(5)))

    assert len(folder.list()) == 1
    assert sum(report.made is not None for report in reports) == 1


async def test_old_ones_are_removed_but_never_the_last_good_one(settings: Settings, folder: BackupFolder) -> None:
    await filled(settings, 3)
    oldest, older, newer = [await create_backup(settings, kind="sql") for _ in range(3)]
    aged(folder.path, oldest, 60)
    aged(folder.path, older, 50)
    aged(folder.path, newer, 40)
    (folder.path / newer.name / "dump.sql.gz").write_bytes(b"")

    removed = folder.prune(30)

    assert removed == (oldest.name, newer.name)
    assert folder.prune(30) == ()
    assert folder.verify(older.name).name == older.name


async def test_a_drill_proves_a_backup_and_touches_nothing(settings: Settings) -> None:
    before = await filled(settings, 20)
    made = await create_backup(settings)

    report = await drill_backup(None, settings)

    assert report.name == made.name
    assert report.tables["workflows"] == 21
    assert "pg_amcheck" in report.checks
    assert await everything(settings) == before


async def test_files_of_a_server_are_not_recovered_over_a_given_server(settings: Settings) -> None:
    with pytest.raises(BackupError, match="for the embedded server"):
        await recover_backup("any", settings)


async def test_the_commands(settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(settings, 5)
    monkeypatch.setenv("WORKFLOW_STORE_BACKUP_DIR", str(settings.backup_dir))

    made = await asyncio.to_thread(run, "backup", "create", "--json")
    listed = await asyncio.to_thread(run, "backup", "list", "--json")
    good = await asyncio.to_thread(run, "backup", "verify", "--latest")
    nobody = await asyncio.to_thread(run, "backup", "restore", "--latest")
    both = await asyncio.to_thread(run, "backup", "verify")
    restored = await asyncio.to_thread(run, "backup", "restore", "--latest", "--drop-old", "--yes", "--json")
    late = await asyncio.to_thread(run, "backup", "restore", "--latest", "--yes", "--to-time", "2026-05-04T03:02:00Z")
    ran = await asyncio.to_thread(run, "backup", "run", "--json")
    name = made.document["name"]
    (BackupFolder.of(settings).path / name / "dump" / "toc.dat").write_bytes(b"")
    bad = await asyncio.to_thread(run, "backup", "verify", name, "--json")
    refused = await asyncio.to_thread(run, "backup", "restore", name, "--yes")

    assert (made.code, made.document["tables"]["workflows"]["rows"]) == (0, 6)
    assert [item["name"] for item in listed.document["items"]] == [name]
    assert (good.code, good.out.startswith(f"{name} is good: 6 workflows")) == (0, True)
    assert (nobody.code, both.code, late.code) == (2, 2, 2)
    assert (restored.code, restored.document["kept"]) == (0, None)
    assert ran.document["made"] is None
    assert bad.code == 1
    assert [problem.split(" instead of ")[0] for problem in bad.document["problems"]] == ["dump/toc.dat has 0 bytes"]
    assert (refused.code, "is damaged" in refused.err) == (1, True)
