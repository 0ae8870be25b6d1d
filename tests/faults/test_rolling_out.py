"""A migration rolls out while scrapers of the version before it are at work."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import asyncpg
import pytest

from tests.records import full_workflow, small_workflow
from workflow_store import SchemaOutdated, SchemaTooNew, WorkflowStore, schema
from workflow_store.schema.folder import migration_files

# What a migration may do that leaves the version before it working.
STEPS = (
    "ALTER TABLE workflow_store.workflows ADD COLUMN another text",
    "ALTER TABLE workflow_store.workflow_metadata ADD COLUMN another integer NOT NULL DEFAULT 0",
    "ALTER TABLE workflow_store.workflow_metadata ALTER COLUMN title SET STATISTICS 200",
    "CREATE TABLE workflow_store.another (workflow_id text PRIMARY KEY)",
    "CREATE INDEX another_index ON workflow_store.workflow_content (extracted_at)",
    "ALTER TABLE workflow_store.workflow_structure ALTER COLUMN node_count TYPE bigint",
    "ALTER TABLE workflow_store.workflow_structure ALTER COLUMN node_count TYPE integer",
)


def _after(count: int) -> str:
    last = int(migration_files()[-1].id.partition("_")[0])
    return f"{last + count:04d}_of_a_later_version"


async def _mark(connection: asyncpg.Connection[Any], name: str) -> None:
    await connection.execute(
        "INSERT INTO workflow_store._yoyo_migration VALUES ($1, $1, now() AT TIME ZONE 'UTC')", name
    )


async def test_scrapers_notice_nothing_of_a_migration(
    store: WorkflowStore, connection: asyncpg.Connection[Any]
) -> None:
    over = asyncio.Event()
    rounds = 0

    async def scrape(number: int) -> None:
        nonlocal rounds
        turn = 0
        while not over.is_set():
            turn += 1
            workflow_id = f"{number}-{turn}"
            await store.upsert_workflow(full_workflow(workflow_id))
            assert await store.update_workflow(workflow_id, metadata={"views": turn}) is not None
            assert await store.get_workflow(workflow_id) is not None
            await store.list_workflows(limit=5, order_by="quality_score")
            await store.ingest([small_workflow(f"{workflow_id}-{copy}") for copy in range(3)])
            await store.search_workflows("telegram", limit=3)
            rounds += 1

    async with store.writer() as writer:

        async def put() -> None:
            turn = 0
            while not over.is_set():
                turn += 1
                await writer.put(small_workflow(f"put {turn}"))

        tasks = [asyncio.create_task(scrape(number)) for number in range(4)] + [asyncio.create_task(put())]
        for step in STEPS:
            seen = rounds
            while rounds < seen + 4 and not any(task.done() for task in tasks):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await connection.execute(step)
        seen = rounds
        while rounds < seen + 8 and not any(task.done() for task in tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        over.set()
        await asyncio.gather(*tasks)

    assert rounds >= 4 * len(STEPS)


async def test_one_migration_ahead_is_opened_with_a_warning(
    database_dsn: str, connection: asyncpg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    await _mark(connection, _after(1))
    with caplog.at_level(logging.WARNING, "workflow_store.schema"):
        async with WorkflowStore.open(dsn=database_dsn) as store:
            assert await store.count_workflows() == 0

    assert [record.getMessage() for record in caplog.records if getattr(record, "event", "") == "schema_ahead"] == [
        f"the database is one migration ahead of this version of workflow-store: {_after(1)}"
    ]


async def test_two_migrations_ahead_are_refused(database_dsn: str, connection: asyncpg.Connection[Any]) -> None:
    await _mark(connection, _after(1))
    await _mark(connection, _after(2))

    with pytest.raises(SchemaTooNew, match=_after(2)):
        await WorkflowStore.open(dsn=database_dsn)


async def test_a_migration_behind_is_refused_with_the_way_out(database_dsn: str) -> None:
    last = migration_files()[-1].id
    await schema.rollback(database_dsn, steps=1)

    with pytest.raises(SchemaOutdated, match=f"{last}; `workflow-store db upgrade`"):
        await WorkflowStore.open(dsn=database_dsn)
