"""The embedded server kept running in the background: started once, stopped without loss, joined after a kill."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.records import small_workflow
from workflow_store import Settings, WorkflowStore
from workflow_store.embedded.keeper import keeper_pid
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import BackupError, ComposeError, EmbeddedError, ServerError, SettingsError, StoreError
from workflow_store.operations.backup import BackupFolder
from workflow_store.operations.running import start_server, stop_server


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    """Of an embedded server of its own, which is gone at the end."""
    folder = Path(tempfile.gettempdir()) / f"workflow-store-{secrets.token_hex(4)}"
    named = tmp_path / "settings.toml"
    named.touch()
    for name in [name for name in os.environ if name.startswith("WORKFLOW_STORE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(named))
    settings = Settings.load(data_dir=folder, backup_dir=tmp_path / "backups", media_dir=tmp_path / "media")
    yield settings
    asyncio.run(stop_server(settings, force=True))
    for leftover in folder.parent.glob(f"{folder.name}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def server_of(settings: Settings) -> int | None:
    assert settings.data_dir is not None
    return live_pid(settings.data_dir / "data")


def keeper_of(settings: Settings) -> int | None:
    assert settings.data_dir is not None
    return keeper_pid(settings.data_dir)


async def test_it_runs_until_it_is_stopped_and_keeps_what_was_stored(settings: Settings) -> None:
    started = await start_server(settings)
    server = server_of(settings)
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
    after_the_store = server_of(settings)
    stopped = await stop_server(settings)
    gone = server_of(settings)
    async with WorkflowStore.open(settings) as store:
        kept = await store.get_workflow("1")

    assert not started.was_running
    assert server is not None
    assert after_the_store == server
    assert (stopped.was_running, stopped.is_running, gone) == (True, False, None)
    assert kept is not None


async def test_started_again_and_at_once_by_many_it_is_one(settings: Settings) -> None:
    reports = await asyncio.gather(*(start_server(settings) for _ in range(4)))
    again = await start_server(settings)

    assert {report.keeper for report in reports} == {keeper_of(settings)}
    assert again.was_running
    await stop_server(settings)
    assert keeper_of(settings) is None
    nothing = await stop_server(settings)
    assert (nothing.was_running, nothing.is_running) == (False, False)


async def test_the_keeper_outlives_who_started_it(settings: Settings) -> None:
    environment = {**os.environ, "WORKFLOW_STORE_DATA_DIR": str(settings.data_dir)}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "workflow_store", "start"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )

    assert ended.returncode == 0, ended.stderr
    assert f"kept by process {keeper_of(settings)}" in ended.stdout
    assert server_of(settings) is not None


async def test_other_programs_are_not_cut_unless_forced(settings: Settings) -> None:
    await start_server(settings)
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
        polite = await stop_server(settings)
        assert await store.count_workflows() == 1
        forced = await stop_server(settings, force=True)
        with pytest.raises((ServerError, StoreError)):
            await store.count_workflows(timeout=3)

    assert (polite.was_running, polite.is_running) == (True, True)
    assert (forced.was_running, forced.is_running) == (True, False)
    async with WorkflowStore.open(settings) as store:
        assert await store.count_workflows() == 1


async def test_a_killed_keeper_leaves_the_server_to_the_next_stop(settings: Settings) -> None:
    report = await start_server(settings)
    assert report.keeper is not None
    os.kill(report.keeper, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while keeper_of(settings) is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert server_of(settings) is not None

    stopped = await stop_server(settings)

    assert (stopped.was_running, stopped.is_running) == (True, False)


async def test_a_backup_comes_before_the_stop_and_without_it_nothing_is_stopped(settings: Settings) -> None:
    await start_server(settings)
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(small_workflow("1"))
    settings.backup_folder.parent.joinpath("backups").write_text("in the way")
    with pytest.raises((BackupError, OSError)):
        await stop_server(settings, backup=True)
    still = server_of(settings)
    settings.backup_folder.unlink()
    stopped = await stop_server(settings, backup=True)

    assert still is not None
    assert stopped.backup is not None
    assert BackupFolder.of(settings).verify(stopped.backup).tables["workflows"].rows == 1
    assert server_of(settings) is None


async def test_without_compose_or_its_file_it_says_so(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "compose.yaml"
    with pytest.raises(ComposeError, match=f"there is no compose file {file}"):
        await start_server(compose_file=file)
    file.write_text("services: {}\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (start_server, stop_server):
        with pytest.raises(ComposeError, match="no `docker compose` and no docker-compose"):
            await call(compose_file=file)


async def test_what_can_not_be_started_says_why(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not ours to start"):
        await start_server(dsn="postgresql://user@127.0.0.1/database")
    occupied = tmp_path / "occupied"
    occupied.mkdir(mode=0o777)
    occupied.chmod(0o777)
    with pytest.raises(EmbeddedError):
        await start_server(data_dir=occupied)
