"""Restoring: into a fresh database, which takes the place of the old one only when it equals what was backed up."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workflow_store.errors import BackupDamaged, BackupError, SchemaTooNew
from workflow_store.media.blobs import hash_in
from workflow_store.media.files import MediaOptions
from workflow_store.media.place import open_blobs
from workflow_store.media.spool import Upload
from workflow_store.operations.backup.creation import MEDIA, fingerprint, patient_session
from workflow_store.operations.backup.databases import Databases
from workflow_store.operations.backup.dump import read_dump
from workflow_store.operations.backup.manifest import Manifest, TableEntry
from workflow_store.operations.backup.places import Backups
from workflow_store.operations.backup.programs import Programs
from workflow_store.operations.servers import admin_server
from workflow_store.queries.catalogue import HAS_LZ4, SERVER_FACTS
from workflow_store.schema.folder import migration_files
from workflow_store.settings import Settings


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did.

    Attributes:
        name: of the backup.
        database: that has its contents now.
        kept: the database that had the name before, if there was one; nobody can connect to it until it is opened.
        tables: rows of each table, equal to what the manifest says.
        media: media files that were put back, of those the backup has.
        seconds: how long it took.
    """

    name: str
    database: str
    kept: str | None
    tables: dict[str, int]
    media: int
    seconds: float


async def restore_backup(
    name: str, settings: Settings | None = None, *, drop_old: bool = False, **overrides: Any
) -> RestoreReport:
    """Put a backup in the place of the database.

    The backup is verified first, byte by byte. It goes into a fresh database beside the old one, is compared there with
    its manifest, and only then the two change names. Where anything fails before that, nothing has changed.

    Args:
        name: of the backup, as it is listed.
        settings: read from the environment and the settings file where not given.
        drop_old: remove the old database instead of keeping it under another name.
        overrides: single settings by name.

    Raises:
        BackupError: there is none of this name, or a program failed.
        ServerError: the server failed.
        BackupDamaged: it is not what its manifest says, or what was restored is not.
        SchemaTooNew: a later version of this library made it.
    """
    chosen = Settings.chosen(settings, overrides)
    places = Backups.of(chosen)
    folder = places.folder
    begun = time.monotonic()
    manifest = await asyncio.to_thread(folder.verify, await asyncio.to_thread(places.at_hand, name))
    require_known(manifest)
    require_contents(manifest)
    async with admin_server(chosen) as dsn:
        databases = Databases(dsn)
        stamp = f"{datetime.now(UTC):%Y%m%d_%H%M%S}_{secrets.token_hex(2)}"
        fresh, kept = _beside(databases.name, "restore", stamp), _beside(databases.name, "before", stamp)
        await databases.create(fresh)
        try:
            tables = await fill(manifest, folder.place(name), databases.dsn_of(fresh), chosen)
            media = await put_back_media(folder.place(name), chosen)
            was_there = await databases.put_in_place(fresh, kept)
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(databases.drop(fresh)))
            raise
        if was_there and drop_old:
            await databases.drop(kept)
    return RestoreReport(
        name=name,
        database=databases.name,
        kept=kept if was_there and not drop_old else None,
        tables={table: entry.rows for table, entry in tables.items()},
        media=media,
        seconds=round(time.monotonic() - begun, 3),
    )


def require_known(manifest: Manifest) -> None:
    """See to it that this version knows the schema of a backup.

    Raises:
        SchemaTooNew: a later version made it.
    """
    known = {file.id for file in migration_files()}
    if manifest.schema_version is not None and manifest.schema_version not in known:
        raise SchemaTooNew(
            f"the backup {manifest.name} has the migration {manifest.schema_version}, which this version of "
            "workflow-store does not know; a later version made it"
        )


def require_contents(manifest: Manifest) -> None:
    """See to it that a backup is of a database's contents.

    Raises:
        BackupError: it is of a server's files.
    """
    if manifest.is_physical:
        raise BackupError(f"{manifest.name} is of a whole server's files: `recover_backup` restores it")


async def fill(manifest: Manifest, folder: Path, dsn: str, settings: Settings) -> dict[str, TableEntry]:
    """Read a backup into an empty database, and compare that with the manifest.

    Raises:
        BackupDamaged: it is not equal.
        BackupError: the server is older than the one the backup is of, or a program failed.
    """
    async with patient_session(dsn, settings) as session:
        server = await session.fetch_one(SERVER_FACTS)
        if server.version // 10_000 < manifest.server_major:
            raise BackupError(
                f"the backup {manifest.name} is of PostgreSQL {manifest.server_version}, and this server is older"
            )
        programs = await Programs.find(max(server.version // 10_000, manifest.server_major))
        lz4 = await session.fetch_one(HAS_LZ4)
        await read_dump(programs, manifest, folder, dsn, lz4=lz4)
        async with session.transaction(isolation="repeatable_read", readonly=True):
            found = await fingerprint(session)
    differing = sorted(name for name in {*manifest.tables, *found} if manifest.tables.get(name) != found.get(name))
    if differing:
        raise BackupDamaged(
            manifest.name, (f"{table} is not, restored, what the manifest says of it" for table in differing)
        )
    return found


async def put_back_media(folder: Path, settings: Settings) -> int:
    """Put those media files of a backup back that are not there; how many."""
    blobs = open_blobs(MediaOptions.of(settings))
    put = 0
    for path, sha256 in _media_in(folder / MEDIA):
        if await blobs.read(sha256) is None:
            # Its bytes, and not its path: an upload's file is moved into its place.
            data = await asyncio.to_thread(path.read_bytes)
            upload = Upload(sha256=sha256, size=len(data), data=data)
            await blobs.prepare(upload)
            await blobs.ensure(upload)
            put += 1
    return put


def _media_in(folder: Path) -> Iterator[tuple[Path, bytes]]:
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            sha256 = hash_in(str(path.relative_to(folder)))
            if sha256 is not None:
                yield path, sha256


def _beside(name: str, purpose: str, stamp: str) -> str:
    # The server cuts names at 63 bytes, and two that are cut could be one.
    return f"{name.encode()[:30].decode(errors='ignore')}_{purpose}_{stamp}"
