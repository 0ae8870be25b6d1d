"""The embedded server kept running in the background, and stopped again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflow_store.embedded import EmbeddedServer, keeper
from workflow_store.embedded.folder import data_home
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import SettingsError
from workflow_store.operations.backup import Manifest, create_backup
from workflow_store.settings import Settings

_STOPS_WITHIN: Final = 180.0


@dataclass(frozen=True, slots=True)
class StartReport:
    """What a start did.

    Attributes:
        data_dir: the data folder.
        keeper: the process that keeps the server running.
        was_kept: it did so before.
    """

    data_dir: Path
    keeper: int
    was_kept: bool


@dataclass(frozen=True, slots=True)
class StopReport:
    """What a stop did.

    Attributes:
        data_dir: the data folder.
        was_running: there was a server.
        is_running: it is still there, since other programs use it.
        backup: that was made before, where one was asked for.
    """

    data_dir: Path
    was_running: bool
    is_running: bool
    backup: Manifest | None


async def start_server(settings: Settings | None = None, *, timeout: float = 60.0, **overrides: Any) -> StartReport:
    """Start the embedded server, or join it, and keep it running until ``stop_server``.

    Args:
        settings: read from the environment and the settings file where not given; the process that keeps the server
            running reads the same environment.
        timeout: seconds until it has to be ready.
        overrides: single settings by name.

    Raises:
        SettingsError: the settings name a server of somebody else.
        EmbeddedError: it does not start; the message has its words.
    """
    chosen = Settings.chosen(settings, overrides)
    home = _ours(chosen)
    before = await asyncio.to_thread(keeper.keeper_pid, home)
    if before is not None:
        return StartReport(home, before, was_kept=True)
    return StartReport(home, await asyncio.to_thread(keeper.launch, home, timeout), was_kept=False)


async def stop_server(
    settings: Settings | None = None, *, backup: bool = False, force: bool = False, **overrides: Any
) -> StopReport:
    """Stop the embedded server: what it has acknowledged is kept, connections of this machine's programs are not cut.

    Args:
        settings: as for ``start_server``.
        backup: make a backup first; where that fails, nothing is stopped.
        force: stop it although other programs use it; their connections end, and what they had not committed is undone.
        overrides: single settings by name.

    Raises:
        SettingsError: the settings name a server of somebody else.
        BackupError: the backup could not be made.
        EmbeddedError: it does not stop.
    """
    chosen = Settings.chosen(settings, overrides)
    home = _ours(chosen)
    was_running = live_pid(home / "data") is not None
    made = await create_backup(chosen) if backup else None
    await asyncio.to_thread(_stop, home, force=force)
    return StopReport(home, was_running, live_pid(home / "data") is not None, made)


def _stop(home: Path, *, force: bool) -> None:
    keeper.end(home, _STOPS_WITHIN)
    if live_pid(home / "data") is not None:
        # Others use it, or all who did were killed: then this hold is the last.
        EmbeddedServer.start(home).stop(force=force)


def _ours(settings: Settings) -> Path:
    if settings.dsn is not None or settings.admin_dsn is not None:
        raise SettingsError("dsn: the settings name a server, and that is not ours to start or stop")
    # As the server itself knows it, and its process is told.
    return data_home(settings).resolve()
