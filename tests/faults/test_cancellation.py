"""A task that is cancelled anywhere leaves nothing behind: no connection, no transaction, no waiter."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg
import pytest

from tests.records import full_workflow, small_workflow
from workflow_store import Settings, Workflow, WorkflowStore

Call: TypeAlias = Callable[[WorkflowStore, int], Awaitable[object]]

STEPS = range(201)
POOL = 4


async def _in_transactions(store: WorkflowStore, turn: int) -> None:
    async with store.transaction() as outer:
        await outer.upsert_workflow(small_workflow(f"outer {turn}"))
        async with outer.transaction() as inner:
            await inner.upsert_workflow(small_workflow(f"inner {turn}"))
            await asyncio.sleep(0)


async def _stream(store: WorkflowStore, _turn: int) -> None:
    async for _ in store.stream_workflows():
        await asyncio.sleep(0)


async def _batches(turn: int) -> AsyncIterator[Workflow]:
    for number in range(9):
        await asyncio.sleep(0)
        yield small_workflow(f"{turn} of {number}")


async def _ingest(store: WorkflowStore, turn: int) -> None:
    await store.ingest(_batches(turn), batch_size=3, connections=2)


async def _write(store: WorkflowStore, turn: int) -> None:
    async with store.writer(connections=2) as writer:
        await asyncio.gather(*(writer.put(small_workflow(f"{turn} by {number}")) for number in range(5)))


CALLS: dict[str, Call] = {
    "create": lambda store, turn: store.create_workflow(full_workflow(f"created {turn}")),
    "upsert": lambda store, turn: store.upsert_workflow(full_workflow("1", quality_score=turn % 100)),
    "update": lambda store, turn: store.update_workflow("1", metadata={"views": turn}),
    "delete": lambda store, turn: store.delete_workflow(f"created {turn - 1}"),
    "get": lambda store, _: store.get_workflow("1"),
    "list": lambda store, _: store.list_workflows(total=True),
    "search": lambda store, _: store.search_workflows("title"),
    "claim": lambda store, _: store.claim(1, 0.01),
    "transactions": _in_transactions,
    "stream": _stream,
    "ingest": _ingest,
    "writer": _write,
}


@pytest.fixture
async def store(database_dsn: str) -> AsyncIterator[WorkflowStore]:
    settings = Settings.load(dsn=database_dsn, pool_min_size=1, pool_max_size=POOL, search_refresh="manual")
    async with WorkflowStore.open(settings) as store:
        await store.ingest([full_workflow("1"), *(small_workflow(f"stored {number}") for number in range(20))])
        yield store


async def at_rest(store: WorkflowStore, connection: asyncpg.Connection[Any]) -> None:
    """Every connection of the pool can be had at once, none is in a transaction, and none is more than it may have."""
    async with asyncio.timeout(10):
        while store.get_pool_statistics().checked_out:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.01)
    assert store.get_pool_statistics().waiting == 0
    await asyncio.wait_for(asyncio.gather(*(store.count_workflows() for _ in range(3 * POOL))), 10)
    async with asyncio.timeout(10):
        # A connection that was given up is still there for as long as the server needs to see that its client left.
        while True:
            states = await connection.fetch(
                "SELECT state FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            if len(states) <= POOL and {row["state"] for row in states} <= {"idle"}:
                break
            await asyncio.sleep(0.01)
    assert store.get_pool_statistics().total_connections <= POOL


@pytest.mark.parametrize("name", CALLS)
async def test_cancelled_after_any_number_of_steps_nothing_is_left(
    store: WorkflowStore, connection: asyncpg.Connection[Any], name: str
) -> None:
    before = asyncio.all_tasks()
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    outcomes: Counter[str] = Counter()
    for steps in STEPS:
        task = asyncio.ensure_future(CALLS[name](store, steps))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        if steps % 5 == 0:
            # One that is impatient cancels once more, while the first is being answered.
            await asyncio.sleep(0)
            task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        outcomes[type(outcome).__name__ if isinstance(outcome, BaseException) else "done"] += 1
        assert store.get_pool_statistics().waiting == 0

    await at_rest(store, connection)
    assert not [one for one in told if "active transaction" in one["message"]]
    assert outcomes.keys() <= {"done", "CancelledError"}
    # Beside an idle server an answer may be there after few steps.
    assert outcomes["CancelledError"] > 3
    # Those of the driver that terminate a connection end by themselves.
    async with asyncio.timeout(10):
        while asyncio.all_tasks() - before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_those_who_wait_get_the_connection_of_one_who_was_cancelled(
    store: WorkflowStore, connection: asyncpg.Connection[Any]
) -> None:
    async def hold() -> None:
        async with store.transaction():
            await asyncio.sleep(60)

    holders = [asyncio.create_task(hold()) for _ in range(POOL)]
    while store.get_pool_statistics().checked_out < POOL:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    waiting = [asyncio.create_task(store.get_workflow("1")) for _ in range(30)]
    await asyncio.sleep(0.05)
    assert store.get_pool_statistics().waiting == len(waiting)
    # Half of those who wait give up, and then the holders do: no turn is lost with them.
    for task in waiting[::2]:
        task.cancel()
    for task in holders:
        task.cancel()

    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)

    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert all(isinstance(answer, Workflow) for answer in answers[1::2])
    await asyncio.gather(*holders, return_exceptions=True)
    await at_rest(store, connection)
