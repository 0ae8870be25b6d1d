"""Calls whose deadline falls into the moment between the server's answer and the return of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.records import small_workflow
from workflow_store import CommitUnknown, Workflow, WorkflowStore
from workflow_store.database.faults import what_was_cancelled

Write = Callable[[WorkflowStore, Workflow], Awaitable[object]]


async def _in_a_transaction(store: WorkflowStore, workflow: Workflow) -> None:
    async with store.transaction() as transaction:
        await transaction.create_workflow(workflow)


async def _is_giving_back(store: WorkflowStore) -> None:
    """Wait for the steps of the loop in which nobody holds the connection, and the pool has not got it back."""
    while not store.get_pool_statistics().longest_held:  # noqa: ASYNC110
        await asyncio.sleep(0)
    while store.get_pool_statistics().longest_held:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert store.get_pool_statistics().checked_out == 1


@pytest.mark.parametrize("write", [WorkflowStore.create_workflow, WorkflowStore.upsert_workflow, _in_a_transaction])
async def test_a_write_that_is_stored_is_never_called_one_that_is_not(store: WorkflowStore, write: Write) -> None:
    workflow = small_workflow("1")
    writing = asyncio.ensure_future(write(store, workflow))
    await _is_giving_back(store)

    writing.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await writing

    assert await store.get_workflow("1") is not None
    assert isinstance(what_was_cancelled(caught.value, "too late", 0.0), CommitUnknown)
    assert store.get_pool_statistics().checked_out == 0
