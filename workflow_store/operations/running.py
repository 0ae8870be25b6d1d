"""The server that is ours to run: embedded and kept in the background, or composed of containers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflow_store.embedded import EmbeddedServer, keeper
from workflow_store.embedded.folder import data_home
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import SettingsError
from workflow_store.operations.backup import create_backup
from workflow_store.operations.composed import Composed
from workflow_store.settings import Settings

_STARTS_WITHIN: Final = 60.0
_COMPOSED_WITHIN: Final = 300.0
_STOPS_WITHIN: Final = 180.0


@dataclass(frozen=True, slots=True)
class StartReport:
    """What a start did.

    Attributes:
        data_dir: the data folder of the embedded server; None where there is a compose file.
        keeper: the process that keeps that server running.
        was_running: all of it was there before.
        services: of the compose file, those that run now.
    """

    data_dir: Path | None
    keeper: int | None
    was_running: bool
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StopReport:
    """What a stop did.

    Attributes:
        data_dir: the data folder of the embedded server; None where there is a compose file.
        was_running: there was something to stop.
        is_running: it is still there, since other programs use it.
        backup: name of the one that was made before, where one was asked for.
        services: of the compose file, those that ran before.
    """

    data_dir: Path | None
    was_running: bool
    is_running: bool
    backup: str | None
    services: tuple[str, ...] = ()


async def start_server(
    settings: Settings | None = None, *, timeout: float | None = None, **overrides: Any
) -> StartReport:
    """Start the services of the compose file that the settings name, else the embedded server, until ``stop_server``.

    Args:
        settings: read from the environment and the settings file where not given; the process that keeps the embedded
            server running reads the same environment.
        timeout: seconds until it has to be ready; 60, and 300 for services, whose health is looked at now and then.
        overrides: single settings by name.

    Raises:
        SettingsError: the settings name a server of somebody else, and no compose file.
        EmbeddedError, ComposeError: it does not start; the message has its words.
    """
    chosen = Settings.chosen(settings, overrides)
    composed = await Composed.of(chosen)
    if composed is not None:
        before = await composed.running()
        services = await composed.start(_COMPOSED_WITHIN if timeout is None else timeout)
        return StartReport(None, None, was_running=before == services, services=services)
    home = _ours(chosen)
    kept_by = await asyncio.to_thread(keeper.keeper_pid, home)
    if kept_by is not None:
        return StartReport(home, kept_by, was_running=True)
    within = _STARTS_WITHIN if timeout is None else timeout
    return StartReport(home, await asyncio.to_thread(keeper.launch, home, within), was_running=False)


async def stop_server(
    settings: Settings | None = None, *, backup: bool = False, force: bool = False, **overrides: Any
) -> StopReport:
    """Stop what ``start_server`` starts: what the server has acknowledged is kept.

    The embedded one goes on for as long as programs of this machine use it; a composed one ends their connections.

    Args:
        settings: as for ``start_server``.
        backup: make a backup first, with compose in its volume; where that fails, nothing is stopped.
        force: stop the embedded server although others use it, and containers by SIGKILL; what was not committed is
            undone.
        overrides: single settings by name.

    Raises:
        SettingsError: the settings name a server of somebody else, and no compose file.
        BackupError: the backup could not be made.
        EmbeddedError, ComposeError: it does not stop, or the backup of compose could not be made.
    """
    chosen = Settings.chosen(settings, overrides)
    composed = await Composed.of(chosen)
    if composed is not None:
        services = await composed.running()
        name = await composed.back_up() if backup else None
        await composed.stop(force=force)
        return StopReport(None, bool(services), bool(await composed.running()), name, services)
    home = _ours(chosen)
    was_running = live_pid(home / "data") is not None
    name = (await create_backup(chosen)).name if backup else None
    await asyncio.to_thread(_stop, home, force=force)
    return StopReport(home, was_running, live_pid(home / "data") is not None, name)


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
