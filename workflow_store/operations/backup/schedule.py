"""What runs by the clock: a backup where none is due any more, its verification, and the removal of old ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from workflow_store.operations.backup.creation import create_backup, patient_session
from workflow_store.operations.backup.manifest import Kind, Manifest
from workflow_store.operations.backup.places import Backups
from workflow_store.operations.servers import admin_server
from workflow_store.queries.backups import BACKUP_LOCK
from workflow_store.settings import Settings

# A daily run that comes a little early is not a second one.
_FRESH: Final = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did.

    Attributes:
        made: the backup it made and verified; None where the newest is fresh, or another run is at work.
        reason: why none was made, or nothing.
        removed: the backups it removed.
    """

    made: Manifest | None
    reason: str
    removed: tuple[str, ...]


async def run_backup(
    settings: Settings | None = None, *, kind: Kind = "archive", force: bool = False, **overrides: Any
) -> RunReport:
    """Make and verify a backup unless the newest is younger than 20 hours and good, then remove those that are too old.

    Any number of runs may be started: one at a time is at work on a database.

    Args:
        settings: read from the environment and the settings file where not given; ``backup_keep_days``.
        kind: as for ``create_backup``.
        force: make one even if the newest is fresh.
        overrides: single settings by name.

    Raises:
        BackupError, BackupDamaged, ServerError: as ``create_backup`` and ``BackupFolder.verify``.
    """
    chosen = Settings.chosen(settings, overrides)
    places = Backups.of(chosen)
    async with admin_server(chosen) as dsn, patient_session(dsn, chosen) as session:
        if not await session.fetch_one(BACKUP_LOCK):
            return RunReport(None, "another run is at work on this database", ())
        newest = next(iter(places.folder.list()), None)
        fresh = newest is not None and datetime.now(UTC) - newest.created_at < _FRESH
        if newest is not None and fresh and not force and await asyncio.to_thread(places.folder.is_good, newest.name):
            made, reason = None, f"{newest.name} is younger than {_FRESH.total_seconds() / 3600:g} hours, and good"
            # One that could not be copied out when it was made.
            if places.bucket is not None and await asyncio.to_thread(places.copy_out, newest):
                await asyncio.to_thread(places.bucket.verify, newest.name)
        else:
            made, reason = await create_backup(chosen, kind=kind), ""
            await asyncio.to_thread(places.verify, made.name)
        removed = await asyncio.to_thread(places.prune, chosen.backup_keep_days, chosen.backup_local_days)
    return RunReport(made, reason, removed)
