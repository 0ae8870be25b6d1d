"""What is ingested, the same for a seed, and what must be stored of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Final

import asyncpg

from tests.faults.runner.model import State, is_same, told, written
from tests.faults.runner.records import record
from workflow_store import Workflow, WorkflowStore

BATCH: Final = 10
_TABLES: Final[Mapping[str, str]] = {
    "workflows": "workflow_id",
    "workflow_metadata": "workflow_id",
    "workflow_structure": "workflow_id",
    "workflow_content": "workflow_id",
    "video_transcripts": "workflow_id, position",
}
_CHILDREN: Final = tuple(table for table in _TABLES if table != "workflows")


def records(seed: int, number: int) -> Iterator[Workflow]:
    """So many records; each has the same stamp in all its parts."""
    for stamp in range(number):
        yield record(f"killed-{stamp:05}", stamp, random.Random(f"{seed}/{stamp}"))


async def differences(dsn: str, seed: int, number: int, acknowledged: int, *, in_order: bool) -> list[str]:
    """What is wrong with what an ingest that was ended has left.

    Args:
        acknowledged: how many records it was told are stored.
        in_order: whether these are the first ones.
    """
    given = list(records(seed, number))
    async with WorkflowStore.open(dsn=dsn, pool_min_size=0, search_refresh="manual") as store:
        stored = await store.get_workflows([workflow.workflow_id for workflow in given], timeout=60)
        total = await store.count_workflows(timeout=60)
    wrong: list[str] = []
    if total != len(stored):
        wrong.append(f"{total} are stored, of which only {len(stored)} were given")
    if len(stored) < acknowledged:
        wrong.append(f"{acknowledged} were acknowledged, {len(stored)} are stored")
    for place, workflow in enumerate(given):
        found = stored.get(workflow.workflow_id)
        if found is None:
            if in_order and place < acknowledged:
                wrong.append(f"record {place} of {acknowledged} that were acknowledged is not stored")
        elif not is_same(found, _as_stored(workflow)):
            wrong.append(f"record {place} is stored as {told(found)}")
    for start in range(0, number, BATCH):
        batch = {workflow.workflow_id for workflow in given[start : start + BATCH]}
        if 0 < len(batch & stored.keys()) < len(batch):
            wrong.append(f"{len(batch & stored.keys())} of the {len(batch)} records of a batch are stored")
    return wrong


def _as_stored(workflow: Workflow) -> State:
    return written(None, workflow.workflow_id, lambda model: model.put(workflow))


async def orphans(dsn: str) -> list[str]:
    """Rows of parts without their workflow."""
    connection = await asyncpg.connect(dsn)
    try:
        numbers = {
            table: await connection.fetchval(
                f"SELECT count(*) FROM workflow_store.{table} AS c "
                "WHERE NOT EXISTS (SELECT FROM workflow_store.workflows AS w WHERE w.workflow_id = c.workflow_id)"
            )
            for table in _CHILDREN
        }
    finally:
        await connection.close()
    return [f"{number} rows of {table} have no workflow" for table, number in numbers.items() if number]


async def fingerprint(dsn: str) -> dict[str, str]:
    """A hash of the contents of each table, without the time of the writing."""
    connection = await asyncpg.connect(dsn)
    try:
        return {
            table: await connection.fetchval(
                f"SELECT count(*) || ' rows, ' || coalesce(md5(string_agg((to_jsonb(t) - 'updated_at')::text, '' "
                f"ORDER BY {key})), '') FROM workflow_store.{table} AS t"
            )
            for table, key in _TABLES.items()
        }
    finally:
        await connection.close()


async def emptied(dsn: str) -> None:
    """Delete everything."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("TRUNCATE workflow_store.workflows, workflow_store.workflow_scrape CASCADE")
    finally:
        await connection.close()


async def left_alone(dsn: str) -> None:
    """Wait until the server has seen that its clients are gone: what they sent last may still be under way."""
    connection = await asyncpg.connect(dsn)
    try:
        while await connection.fetchval(
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ):
            await connection.execute("SELECT pg_catalog.pg_sleep(0.01)")
    finally:
        await connection.close()
