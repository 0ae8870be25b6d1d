"""Calls that are cut off in the moment between the server's answer and the return of the connection.

There is such a moment only where something has to be awaited for that, as with a connection that is to be replaced.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.faults.proxy import Proxy
from tests.records import small_workflow
from workflow_store import CommitUnknown, Settings, Workflow, WorkflowStore
from workflow_store.database.faults import what_was_cancelled

Write = Callable[[WorkflowStore, Workflow], Awaitable[object]]


async def _in_a_transaction(store: WorkflowStore, workflow: Workflow) -> None:
    async with store.transaction() as transaction:
        await transaction.create_workflow(workflow)


async def _is_held(store: WorkflowStore) -> None:
    while not store.get_pool_statistics().longest_held:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def _is_giving_back(store: WorkflowStore) -> None:
    """Wait for the steps of the loop in which nobody holds the connection, and the pool has not got it back."""
    await _is_held(store)
    while store.get_pool_statistics().longest_held:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert store.get_pool_statistics().checked_out == 1


@pytest.mark.parametrize("write", [WorkflowStore.create_workflow, WorkflowStore.upsert_workflow, _in_a_transaction])
async def test_a_write_that_is_stored_is_never_called_one_that_is_not(database_dsn: str, write: Write) -> None:
    # Each connection is to be replaced when it comes back.
    settings = Settings.load(dsn=database_dsn, pool_min_size=1, pool_max_size=1, max_lifetime=0.001)
    async with WorkflowStore.open(settings) as store:
        writing = asyncio.ensure_future(write(store, small_workflow("1")))
        await _is_giving_back(store)

        writing.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await writing

        assert await store.get_workflow("1") is not None
        assert isinstance(what_was_cancelled(caught.value, "too late", 0.0), CommitUnknown)
        assert store.get_pool_statistics().checked_out == 0


@pytest_asyncio.fixture
async def tasks_made() -> AsyncIterator[list[str]]:
    """The coroutines of the tasks that the loop makes."""
    loop = asyncio.get_running_loop()
    made: list[str] = []

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(make)
    yield made
    loop.set_task_factory(None)


@pytest.mark.parametrize("write", [WorkflowStore.create_workflow, WorkflowStore.upsert_workflow, _in_a_transaction])
async def test_else_there_is_no_moment_in_which_it_is_neither_held_nor_back(
    database_dsn: str, tasks_made: list[str], write: Write
) -> None:
    async with WorkflowStore.open(dsn=database_dsn, search_refresh="manual") as store:
        await store.count_workflows()
        tasks_made.clear()

        await write(store, small_workflow("1"))

        assert tasks_made == []
        assert store.get_pool_statistics().checked_out == 0


async def test_a_connection_goes_back_by_a_driver_that_keeps_its_own_counsel(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(asyncpg.Connection, "_on_release")

    with monkeypatch.context() as context:
        context.setattr(asyncpg.pool.Pool, "release", _released_by_hand)
        for _ in range(50):
            assert await store.get_workflow("1") is None

    assert store.get_pool_statistics().checked_out == 0


async def _released_by_hand(pool: Any, connection: Any, *, timeout: float | None = None) -> None:
    await connection._holder.release(timeout)


async def test_one_that_has_to_be_awaited_after_all_is_ended(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reset(connection: Any) -> None:
        await asyncio.sleep(0)

    with monkeypatch.context() as context:
        context.setattr(asyncpg.Connection, "_reset", reset)
        assert await store.get_workflow("1") is None
    assert store.get_pool_statistics().checked_out == 0

    await store.create_workflow(small_workflow("1"))
    assert await store.exists(["1"]) == {"1"}


async def test_a_connection_that_cannot_go_back_is_ended_when_nobody_waits_for_it_any_more(
    database_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "workflow_store")
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with Proxy.before(database_dsn) as proxy:
        settings = Settings.load(dsn=proxy.dsn, pool_min_size=1, pool_max_size=1, release_timeout=0.2)
        async with WorkflowStore.open(settings) as store:
            proxy.set(freeze=True)
            reading = asyncio.ensure_future(store.get_workflow("1"))
            await _is_held(store)
            await asyncio.sleep(0.05)
            # Once while the answer is missing, once more while the connection goes back.
            reading.cancel()
            await asyncio.sleep(0.05)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert store.get_pool_statistics().checked_out == 1

            async with asyncio.timeout(10):
                while store.get_pool_statistics().checked_out:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            proxy.clear()
            assert await store.get_workflow("1") is None
    gc.collect()

    assert told == []
    assert [getattr(record, "event", "") for record in caplog.records].count("connection_dropped") == 1
