"""Connections that are lost while the pool makes them."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.proxy import Proxy
from workflow_store import ServerUnavailable, WorkflowStore


async def test_a_connection_that_is_lost_while_it_is_prepared_is_an_error_of_the_store(database_dsn: str) -> None:
    async with (
        Proxy.before(database_dsn) as proxy,
        WorkflowStore.open(dsn=proxy.dsn, pool_min_size=0, search_refresh="manual") as store,
    ):
        proxy.trap(lambda text: "workflow_metadata" in text, then="reset", side="request", times=None)
        proxy.reset()
        while store.get_pool_statistics().total_connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

        with pytest.raises(ServerUnavailable):
            await store.get_workflow("1")

        proxy.clear()
        assert await store.get_workflow("1") is None
