"""The drill: a backup is restored on a scratch server and proven equal, so that a restore is not hoped for."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_store.database.connections import MaskedDsn
from workflow_store.embedded import EmbeddedServer
from workflow_store.errors import BackupError, EmbeddedUnavailable
from workflow_store.operations.backup.databases import Databases
from workflow_store.operations.backup.manifest import Manifest
from workflow_store.operations.backup.places import Backups
from workflow_store.operations.backup.programs import Programs, database_argument
from workflow_store.operations.backup.restoration import fill, require_contents, require_known
from workflow_store.operations.servers import admin_server
from workflow_store.settings import Settings


@dataclass(frozen=True, slots=True)
class DrillReport:
    """What was proven.

    Attributes:
        name: of the backup.
        server: where it was restored: ``scratch``, an embedded server made for it, or ``beside``, a database of its own
            on the server of the settings.
        tables: rows of each table, equal in number and content to the manifest's.
        media: media files whose hashes are right.
        checks: what was looked at, in words.
        seconds: how long it took.
    """

    name: str
    server: str
    tables: dict[str, int]
    media: int
    checks: tuple[str, ...]
    seconds: float


async def drill_backup(name: str | None = None, settings: Settings | None = None, **overrides: Any) -> DrillReport:
    """Restore a backup elsewhere and prove it equal: counts and contents, foreign keys, and the files of the tables and
    their indexes by pg_amcheck. What is stored is not touched.

    Args:
        name: of the backup; the newest where not given.
        settings: read from the environment and the settings file where not given.
        overrides: single settings by name.

    Raises:
        BackupError: there is none, or a program failed.
        ServerError: the server failed.
        BackupDamaged: it is not what its manifest says.
    """
    chosen = Settings.chosen(settings, overrides)
    places = Backups.of(chosen)
    folder = places.folder
    begun = time.monotonic()
    wanted = await asyncio.to_thread(places.latest, physical=False) if name is None else name
    manifest = await asyncio.to_thread(folder.verify, await asyncio.to_thread(places.at_hand, wanted))
    require_known(manifest)
    require_contents(manifest)
    async with _scratch(chosen, manifest) as (kind, dsn):
        # The constraints are made after the rows: the server has looked at each foreign key when this returns.
        tables = await fill(manifest, folder.place(manifest.name), dsn, chosen)
        programs = await Programs.find(manifest.server_major)
        await programs.run(dsn, "pg_amcheck", "--install-missing", "--heapallindexed", database_argument(dsn))
    checks = ("bytes of the files", "rows and contents", "foreign keys", "pg_amcheck")
    return DrillReport(
        manifest.name,
        kind,
        {table: entry.rows for table, entry in tables.items()},
        manifest.media,
        checks,
        round(time.monotonic() - begun, 3),
    )


@asynccontextmanager
async def _scratch(settings: Settings, manifest: Manifest) -> AsyncGenerator[tuple[str, str]]:
    folder = Path(tempfile.gettempdir()) / f"workflow-store-drill-{secrets.token_hex(6)}"
    try:
        # Nobody relies on it: nothing is to survive.
        server = await EmbeddedServer.open(folder, options={"fsync": "off", "full_page_writes": "off"})
    except EmbeddedUnavailable:
        async with _beside(settings) as dsn:
            yield "beside", dsn
        return
    try:
        if int(server.version.split(".")[0].split("beta")[0]) < manifest.server_major:
            raise BackupError(f"the backup {manifest.name} is of PostgreSQL {manifest.server_version}, newer than here")
        yield "scratch", MaskedDsn(server.dsn)
    finally:
        await server.aclose()
        await asyncio.to_thread(shutil.rmtree, folder, True)


@asynccontextmanager
async def _beside(settings: Settings) -> AsyncGenerator[str]:
    async with admin_server(settings) as dsn:
        databases = Databases(dsn)
        name = f"workflow_store_drill_{secrets.token_hex(6)}"
        await databases.create(name)
        try:
            yield databases.dsn_of(name)
        finally:
            await asyncio.shield(asyncio.ensure_future(databases.drop(name)))
