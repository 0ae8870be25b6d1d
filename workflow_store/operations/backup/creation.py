"""Making a backup: one snapshot for the dump, the fingerprint and the list of media, while others go on writing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from workflow_store import schema
from workflow_store.database import Session
from workflow_store.errors import BackupError
from workflow_store.media.blobs import Blobs, path_of
from workflow_store.media.files import MediaOptions
from workflow_store.media.place import open_blobs
from workflow_store.operations.backup.dump import DUMPS
from workflow_store.operations.backup.folder import BASE, BackupFolder, entries
from workflow_store.operations.backup.manifest import Kind, Manifest, TableEntry
from workflow_store.operations.backup.places import Backups
from workflow_store.operations.backup.programs import Programs, database_argument
from workflow_store.operations.servers import admin_server, direct_session
from workflow_store.queries.backups import (
    BACKUP_FACTS,
    BACKUP_MEDIA,
    BACKUP_OUTPUT,
    EXPORT_SNAPSHOT,
    FINGERPRINT,
    MediaRow,
)
from workflow_store.settings import Settings

MEDIA: Final = "media"
# Hashing everything that is stored is one statement.
_PATIENCE: Final = 24 * 3600.0
# A dump is compressed, and has no indexes; together with media it fits into this, or the check says so.
_SHARE: Final = 0.75


async def create_backup(
    settings: Settings | None = None, *, kind: Kind = "archive", media: bool = True, **overrides: Any
) -> Manifest:
    """Make a backup of the database and of the media files it links to, as they are at one moment.

    Nobody is kept from writing. The backup is there whole, on the disk, when this returns, or not at all; with
    ``backup_url``, in the bucket too.

    Args:
        settings: read from the environment and the settings file where not given; ``admin_dsn``, ``backup_dir``.
        kind: ``"archive"``, which is written and restored by several processes; ``"sql"``, statements that any psql of
            this or a later version reads; ``"base"``, the files of the whole server, from which, with its log, any
            later moment can be had back; ``"incremental"``, what changed of them since the newest of these two kinds.
        media: also the media files.
        overrides: single settings by name.

    Raises:
        BackupError: there is no room, no program for this server, or a program failed; or the backup is made, and could
            not be copied into the bucket, which the message says.
        SchemaError: there is no schema, or not the one this version knows.
        ServerError, EmbeddedError: the server can't be used.
    """
    chosen = Settings.chosen(settings, overrides)
    places = Backups.of(chosen)
    folder = places.folder
    begun = time.monotonic()
    async with admin_server(chosen) as dsn, patient_session(dsn, chosen) as session:
        await schema.check(session.connection)
        state = await session.fetch_one(BACKUP_FACTS)
        await asyncio.to_thread(folder.require_room, int(state.size * _SHARE))
        programs = await Programs.find(state.server_number // 10_000)
        created_at = datetime.now(UTC)
        name = f"{created_at:%Y%m%dT%H%M%S%fZ}-{kind}"
        builds_on = await asyncio.to_thread(_predecessor, folder) if kind == "incremental" else None
        with folder.making(name) as work:
            tables, links = await _taken(session, programs, dsn, kind, work, folder, builds_on)
            blobs = open_blobs(MediaOptions.of(chosen))
            copied, missing = await _copy_media(blobs, links if media else (), work / MEDIA)
            manifest = Manifest(
                name=name,
                kind=kind,
                created_at=created_at,
                tool_version=metadata.version("workflow-store"),
                server_version=state.server_version,
                server_number=state.server_number,
                database=state.database,
                schema_version=state.schema_version,
                builds_on=builds_on,
                tables=tables,
                files=await asyncio.to_thread(entries, work),
                media=copied,
                media_missing=missing,
                seconds=round(time.monotonic() - begun, 3),
            )
            await asyncio.to_thread(manifest.write, work)
    await asyncio.to_thread(places.copy_out, manifest)
    return manifest


async def _taken(
    session: Session,
    programs: Programs,
    dsn: str,
    kind: Kind,
    work: Path,
    folder: BackupFolder,
    builds_on: str | None,
) -> tuple[dict[str, TableEntry], Sequence[MediaRow]]:
    if kind in ("archive", "sql"):
        return await _dump(session, programs, dsn, kind, work)
    since = () if builds_on is None else (f"--incremental={folder.place(builds_on) / BASE / 'backup_manifest'}",)
    await programs.run(
        dsn,
        "pg_basebackup",
        *("--format=plain", "--checkpoint=fast", "--wal-method=stream", "--manifest-checksums=SHA256", *since),
        *(f"--pgdata={work / BASE}", f"--dbname={database_argument(dsn)}"),
    )
    # Afterwards: what the files know of is among them.
    return {}, await session.fetch(BACKUP_MEDIA)


def _predecessor(folder: BackupFolder) -> str:
    found = next((manifest.name for manifest in folder.list() if manifest.is_physical), None)
    if found is None:
        raise BackupError(f"there is no base backup in {folder.path} for an incremental one to build on")
    return folder.verify(found).name


async def _dump(
    session: Session, programs: Programs, dsn: str, kind: Kind, work: Path
) -> tuple[dict[str, TableEntry], Sequence[MediaRow]]:
    async with session.transaction(isolation="repeatable_read", readonly=True):
        snapshot = await session.fetch_one(EXPORT_SNAPSHOT)
        dump = asyncio.create_task(
            programs.run(
                dsn,
                "pg_dump",
                *_options(kind),
                *("--no-owner", "--no-acl", f"--snapshot={snapshot}", f"--file={work / DUMPS[kind]}"),
                f"--dbname={database_argument(dsn)}",
            )
        )
        try:
            tables = await fingerprint(session)
            links = await session.fetch(BACKUP_MEDIA)
            await dump
        finally:
            if not dump.done():
                dump.cancel()
                await asyncio.gather(dump, return_exceptions=True)
    return tables, links


def _options(kind: Kind) -> tuple[str, ...]:
    if kind == "sql":
        return ("--format=plain", "--compress=gzip:6")
    return ("--format=directory", f"--jobs={max(1, min(4, os.cpu_count() or 1))}", "--compress=gzip:6")


async def fingerprint(session: Session) -> dict[str, TableEntry]:
    """Rows and digest of every table, as the open transaction sees them."""
    await session.fetch(BACKUP_OUTPUT)
    return {row.name: TableEntry(rows=row.rows, digest=row.digest) for row in await session.fetch(FINGERPRINT)}


async def _copy_media(blobs: Blobs, links: Sequence[MediaRow], target: Path) -> tuple[int, tuple[str, ...]]:
    """Copy files that are linked; how many, and the hashes of those that are lost or not what they were."""
    missing: list[str] = []
    copied = 0
    for link in links:
        data = await blobs.read(link.sha256)
        if data is None or await asyncio.to_thread(_hash, data) != link.sha256:
            missing.append(link.sha256.hex())
            continue
        await asyncio.to_thread(_write, target / path_of(link.sha256), data)
        copied += 1
    return copied, tuple(missing)


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def patient_session(dsn: str, settings: Settings) -> AbstractAsyncContextManager[Session]:
    """A connection of its own whose statements may take hours."""
    return direct_session(dsn, settings.model_copy(update={"command_timeout": _PATIENCE}))
