"""Backups that are copied into a bucket, and had back from there when the folder is lost."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.backed_up import aged, everything, filled, regions
from tests.commands import run
from tests.ports import free_port
from workflow_store import Settings
from workflow_store.errors import BackupDamaged, BackupError, SettingsError
from workflow_store.operations.backup import Backups, Kind, create_backup, drill_backup, restore_backup, run_backup
from workflow_store.operations.backup.manifest import MANIFEST

pytestmark = pytest.mark.usefixtures("no_database_is_left_behind")


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path, bucket: Path) -> Settings:
    return Settings.load(
        dsn=database_dsn,
        backup_dir=tmp_path / "backups",
        backup_url=bucket.as_uri(),
        media_dir=tmp_path / "media",
        pool_min_size=1,
    )


def lose_the_folder(settings: Settings) -> None:
    shutil.rmtree(settings.backup_folder)


@pytest.mark.parametrize("kind", ["archive", "sql"])
async def test_what_the_folder_has_lost_is_restored_from_the_bucket(kind: Kind, settings: Settings) -> None:
    before = await filled(settings)
    made = await create_backup(settings, kind=kind)
    lose_the_folder(settings)
    places = Backups.of(settings)

    listed = places.list()
    verified = places.verify(made.name)
    drilled = await drill_backup(None, settings)
    report = await restore_backup(made.name, settings)

    assert listed == (made,)
    assert verified == made
    assert (drilled.name, drilled.media) == (made.name, 1)
    assert report.tables == {name: entry.rows for name, entry in made.tables.items()}
    assert await everything(settings) == before
    assert places.folder.verify(made.name) == made


async def test_a_byte_changed_in_the_bucket_is_found_and_nothing_is_restored(settings: Settings, bucket: Path) -> None:
    before = await filled(settings, 5)
    made = await create_backup(settings, kind="sql")
    places = Backups.of(settings)
    changed = [one for one in regions(bucket / made.name) if one[0].name != "folders.txt"]

    for path, place in changed:
        good = path.read_bytes()
        path.write_bytes(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
        with pytest.raises(BackupDamaged):
            places.verify(made.name)
        path.write_bytes(good)
    path, _ = changed[0]
    path.write_bytes(path.read_bytes()[:-1])
    lose_the_folder(settings)
    with pytest.raises(BackupDamaged):
        await restore_backup(made.name, settings)

    assert len(changed) > 8
    assert await everything(settings) == before
    assert places.folder.names() == ()
    assert list(settings.backup_folder.iterdir()) == []


async def test_one_that_was_not_copied_whole_is_none_until_a_run_has_copied_it(
    settings: Settings, bucket: Path
) -> None:
    await filled(settings, 3)
    made = await create_backup(settings, kind="sql")
    (bucket / made.name / MANIFEST).unlink()
    places = Backups.of(settings)
    assert places.bucket is not None

    in_between = places.bucket.list(), places.bucket.names()
    ran = await run_backup(settings)

    assert in_between == ((), (made.name,))
    assert ran.made is None
    assert places.bucket.list() == (made,)
    assert places.bucket.verify(made.name) == made


async def test_where_the_bucket_refuses_the_backup_is_in_the_folder_and_that_is_said(
    settings: Settings, bucket: Path
) -> None:
    await filled(settings, 3)
    made = await create_backup(settings, kind="sql")
    shutil.rmtree(bucket / made.name)
    # A file where a folder would have to be.
    (bucket / made.name).write_bytes(b"")
    places = Backups.of(settings)

    with pytest.raises(BackupError, match=f"^{made.name} is in {settings.backup_folder}, but not in the bucket: "):
        places.copy_out(made)

    assert places.folder.verify(made.name) == made


async def test_old_ones_are_removed_in_both_places_and_dumps_leave_the_folder_before(settings: Settings) -> None:
    await filled(settings, 3)
    oldest, older, newest = [await create_backup(settings, kind="sql") for _ in range(3)]
    places = Backups.of(settings)
    assert places.bucket is not None
    for manifest, days in ((oldest, 60), (older, 10)):
        aged(settings.backup_folder, manifest, days)
        shutil.rmtree(Path(places.bucket.address) / manifest.name)
        (aged_now,) = [one for one in places.folder.list() if one.name == manifest.name]
        places.copy_out(aged_now)

    removed = places.prune(30, 7)

    assert removed == (oldest.name,)
    assert places.folder.names() == (newest.name,)
    assert set(places.bucket.names()) == {older.name, newest.name}
    assert places.at_hand(older.name) == older.name
    assert set(places.folder.names()) == {older.name, newest.name}


async def test_a_file_that_would_lie_outside_of_the_folder_is_refused(settings: Settings, bucket: Path) -> None:
    await filled(settings, 3)
    made = await create_backup(settings, kind="sql")
    lose_the_folder(settings)
    hostile = {**made.files, "../../outside": next(iter(made.files.values()))}
    made.model_copy(update={"files": hostile}).write(bucket / made.name)

    with pytest.raises(BackupDamaged, match="outside of the backup's folder"):
        await restore_backup(made.name, settings)

    assert not (settings.backup_folder.parent / "outside").exists()


def test_a_url_that_is_none_is_refused_and_one_of_no_known_kind_shows_no_secret(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="BACKUP_URL: .*must be a URL"):
        Settings.load(backup_url="/somewhere")
    with pytest.raises(BackupError, match="can't be used as a place for backups") as caught:
        Backups.of(Settings.load(backup_url="ftp://canary@somewhere/?canary"))

    assert "canary" not in str(caught.value)


async def test_while_the_bucket_is_away_what_the_folder_has_is_listed_and_restored(
    settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(settings, 5)
    made = await create_backup(settings.model_copy(update={"backup_url": None}))
    away = {
        "WORKFLOW_STORE_BACKUP_DIR": str(settings.backup_dir),
        "WORKFLOW_STORE_BACKUP_URL": "s3://bucket/prefix",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "somewhere",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "canary",
    }
    for name, value in away.items():
        monkeypatch.setenv(name, value)

    listed = await asyncio.to_thread(run, "backup", "list", "--json")
    restored = await asyncio.to_thread(run, "backup", "restore", made.name, "--drop-old", "--yes", "--json")
    verified = await asyncio.to_thread(run, "backup", "verify", made.name)

    assert (listed.code, [item["name"] for item in listed.document["items"]]) == (1, [made.name])
    assert listed.document["complaint"].startswith("s3://bucket/prefix: ")
    assert (restored.code, restored.document["name"]) == (0, made.name)
    assert (verified.code, "s3://bucket/prefix: " in verified.err) == (1, True)
    assert "canary" not in listed.out + verified.err


async def test_the_commands(settings: Settings, dsn: str, bucket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(settings, 5)
    monkeypatch.setenv("WORKFLOW_STORE_BACKUP_DIR", str(settings.backup_dir))
    monkeypatch.setenv("WORKFLOW_STORE_BACKUP_URL", bucket.as_uri())

    made = await asyncio.to_thread(run, "backup", "run", "--json")
    lose_the_folder(settings)
    listed = await asyncio.to_thread(run, "backup", "list", "--json")
    good = await asyncio.to_thread(run, "backup", "verify", "--latest")
    restored = await asyncio.to_thread(run, "backup", "restore", "--latest", "--drop-old", "--yes", "--json")

    name = made.document["made"]["name"]
    assert [item["name"] for item in listed.document["items"]] == [name]
    assert listed.document["bucket"] == str(bucket)
    assert (good.code, good.out.startswith(f"{name} is good: 6 workflows")) == (0, True)
    assert (restored.code, restored.document["name"]) == (0, name)
