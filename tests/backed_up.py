"""What is backed up, and what is done to backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from tests.records import full_workflow
from workflow_store import Settings, Workflow, WorkflowStore
from workflow_store.operations.backup import Manifest
from workflow_store.samples import generate


async def everything(settings: Settings) -> dict[str, Workflow]:
    """What a store holds, by id."""
    async with WorkflowStore.open(settings) as store:
        return {
            workflow.workflow_id: workflow
            async for workflow in store.stream_workflows(
                include=("metadata", "structure", "content", "transcripts"), order_by="title"
            )
        }


async def filled(settings: Settings, count: int = 40) -> dict[str, Workflow]:
    """Store generated workflows, one with everything, media and an entry of the queue; what is stored then."""
    async with WorkflowStore.open(settings) as store:
        await store.ingest([*generate(count), full_workflow("full")])
        await store.media.put("full", "logo.png", b"a logo")
        await store.media.put("full", "again.png", b"a logo")
        await store.enqueue([("queued", "https://n8n.io/workflows/queued")])
    return await everything(settings)


def regions(folder: Path) -> Iterator[tuple[Path, int]]:
    """The first byte, one in the middle and the last of every file of a backup."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            for place in sorted({0, path.stat().st_size // 2, path.stat().st_size - 1}):
                yield path, place


def aged(folder: Path, manifest: Manifest, days: int) -> None:
    """Have a backup look so many days old."""
    moment = datetime.now(UTC) - timedelta(days=days)
    manifest.model_copy(update={"created_at": moment}).write(folder / manifest.name)


async def names_of_databases(dsn: str) -> set[str]:
    """The databases of a server."""
    connection = await asyncpg.connect(dsn)
    try:
        return {row[0] for row in await connection.fetch("SELECT datname FROM pg_database")}
    finally:
        await connection.close()
