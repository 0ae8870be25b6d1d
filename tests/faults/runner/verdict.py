"""What is held against a run at its end: the store against the model, the files, the keys, the pool, the tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Final

import asyncpg

from tests.faults.runner.course import Course
from tests.faults.server import Server
from workflow_store import StoreError, Workflow, WorkflowStore

_CHILDREN: Final = ("workflow_metadata", "workflow_structure", "workflow_content", "video_transcripts")
_IDLE_IN_TRANSACTION: Final = """
SELECT pid || ' ' || xact_start AS key, left(query, 200) AS query FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
"""
_BEHIND: Final = 10.0
_NOTICED_WITHIN: Final = 3.0
_CLOSES_WITHIN: Final = 5.0
_CHUNK: Final = 500


async def recovered(store: WorkflowStore) -> list[str]:
    """Wait until the store works again, which it must soon; then all of its connections must be of use at once."""
    began = time.monotonic()
    while True:
        try:
            await store.ping(timeout=2)
            break
        except StoreError as error:
            if time.monotonic() - began > _BEHIND:
                return [f"the store does not work {_BEHIND:g} s after the last fault: {error}"]
            await asyncio.sleep(0.05)
    size = store.settings.pool_max_size
    try:
        async with asyncio.timeout(max(1.0, began + _BEHIND - time.monotonic())), AsyncExitStack() as stack:
            for _ in range(size):
                held = await stack.enter_async_context(store.transaction(readonly=True))
                await held.exists(["nothing"])
    except (StoreError, TimeoutError) as error:
        return [f"not all of {size} connections can be used: {type(error).__name__}: {error}"]
    while True:
        now = store.get_pool_statistics()
        if not now.checked_out and not now.waiting and now.total_connections == size:
            return []
        # Search documents may be made meanwhile.
        if time.monotonic() - began > _BEHIND:
            return [f"the pool is not full of idle connections: {now}"]
        await asyncio.sleep(0.05)


async def contents(course: Course) -> list[str]:
    """What differs between the store and the model."""
    private, shared = course.private, course.shared
    stored: dict[str, Workflow] = {}
    ids = sorted({*private.possible, *shared.attempts})
    for start in range(0, len(ids), _CHUNK):
        stored |= await course.store.get_workflows(ids[start : start + _CHUNK], timeout=60)
    wrong = [private.wrong(workflow_id, stored.get(workflow_id)) for workflow_id in private.possible]
    wrong += [shared.wrong(workflow_id, stored.get(workflow_id), last=True) for workflow_id in shared.attempts]
    known = {*ids}
    async for workflow_id in _all_ids(course.store):
        if workflow_id not in known:
            wrong.append(f"{workflow_id} is stored, and nobody wrote it")
    return [*(text for text in wrong if text is not None), *private.torn(stored)]


async def _all_ids(store: WorkflowStore) -> AsyncIterator[str]:
    after: str | None = None
    while True:
        page = await store.list_workflows(limit=1_000, after=after, include=(), timeout=60)
        for workflow in page.items:
            yield workflow.workflow_id
        after = page.next
        if after is None:
            return


async def queue(course: Course, dsn: str) -> list[str]:
    """What differs between the queue and what the tasks were told."""
    leases = course.leases
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT workflow_id, due_at IS NOT NULL AS due, lease_token::text AS token "
            "FROM workflow_store.workflow_scrape WHERE workflow_id LIKE 'queue-%'"
        )
    finally:
        connection.terminate()
    found = {row["workflow_id"]: row for row in rows}
    wrong = [
        f"{key} was enqueued and is not there" for key, sure in leases.enqueued.items() if sure and key not in found
    ]
    wrong += [f"{key} is queued, and nobody put it there" for key in found.keys() - leases.enqueued.keys()]
    for workflow_id, token in leases.tokens.items():
        row, sure = found.get(workflow_id), leases.ended.get(workflow_id)
        ended = row is not None and row["token"] is None and not row["due"]
        if sure and not ended:
            wrong.append(f"the scrape of {workflow_id} was completed, and is not: {row}")
        if not ended and (row is None or row["token"] != token):
            wrong.append(f"the lease of {workflow_id} is not {token}: {row}")
        if sure is None and ended:
            wrong.append(f"the scrape of {workflow_id} is completed, and nobody did it")
    return wrong


async def server_state(dsn: str) -> list[str]:
    """Rows without their workflow, and transactions that were left open."""
    connection = await asyncpg.connect(dsn)
    wrong: list[str] = []
    try:
        for table in _CHILDREN:
            orphans = await connection.fetchval(
                f"SELECT count(*) FROM workflow_store.{table} AS c "
                "WHERE NOT EXISTS (SELECT FROM workflow_store.workflows AS w WHERE w.workflow_id = c.workflow_id)"
            )
            if orphans:
                wrong.append(f"{orphans} rows of {table} have no workflow")
        wrong += await _left_open(connection)
    finally:
        connection.terminate()
    return wrong


async def _left_open(connection: Any) -> list[str]:
    """Transactions that nobody goes on with; those of the search documents come and go."""
    began = time.monotonic()
    first = {row["key"]: row["query"] for row in await connection.fetch(_IDLE_IN_TRANSACTION)}
    while first:
        await asyncio.sleep(0.1)
        now = {row["key"] for row in await connection.fetch(_IDLE_IN_TRANSACTION)}
        first = {key: query for key, query in first.items() if key in now}
        if time.monotonic() - began > _NOTICED_WITHIN:
            return [f"a transaction is left open: {query}" for query in first.values()]
    return []


def files(server: Server | None) -> list[str]:
    """What ``pg_amcheck`` finds."""
    found = "" if server is None else server.check_files()
    return [f"pg_amcheck: {found}"] if found else []


async def closes(store: WorkflowStore) -> list[str]:
    """Close the store, which must not take long."""
    began = time.monotonic()
    await store.close()
    took = time.monotonic() - began
    return [f"close() took {took:.1f} s"] if took > _CLOSES_WITHIN else []


def leaked(before: set[asyncio.Task[object]]) -> list[str]:
    """Tasks that are still there and were not before."""
    return [f"a task was left: {task!r}" for task in asyncio.all_tasks() - before if not task.done()]
