"""The pool when its server is away, when it is exhausted, and when somebody does not give back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.faults.proxy import Proxy
from tests.faults.server import Server
from workflow_store import Settings, WorkflowStore
from workflow_store.database import Database
from workflow_store.errors import PoolTimeout, ServerUnavailable
from workflow_store.queries.catalogue import BACKEND_PID

TASKS = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.running() as made:
        yield made


def settings_for(dsn: str, **more: Any) -> Settings:
    return Settings.load(dsn=dsn, **{"pool_min_size": 0, "pool_max_size": 4, "search_refresh": "manual", **more})


async def test_opening_may_wait_for_a_server_that_is_not_there_yet(server: Server) -> None:
    async with Proxy.before(server.dsn) as proxy:
        proxy.refuse()
        settings = settings_for(proxy.dsn, pool_min_size=1)
        with pytest.raises(ServerUnavailable, match=rf"127\.0\.0\.1:{proxy.port}, database "):
            await WorkflowStore.open(settings)

        opening = asyncio.ensure_future(WorkflowStore.open(settings, wait=30))
        await asyncio.sleep(0.6)
        assert not opening.done()
        proxy.accept()
        store = await asyncio.wait_for(opening, 10)
        assert await store.count_workflows() == 0
        await store.close()


async def test_a_wait_that_is_over_says_what_it_waited_for(server: Server) -> None:
    async with Proxy.before(server.dsn) as proxy:
        proxy.refuse()
        with pytest.raises(ServerUnavailable, match=rf"127\.0\.0\.1:{proxy.port}") as caught:
            await WorkflowStore.open(settings_for(proxy.dsn, pool_min_size=1), wait=0.6)

    assert "password" not in str(caught.value)


async def test_first_come_first_served(server: Server) -> None:
    database = await Database.open(server.dsn, settings_for(server.dsn, pool_max_size=2))
    served: list[int] = []
    waits: list[float] = []

    async def take(number: int) -> None:
        began = time.monotonic()
        async with database.session():
            served.append(number)
            waits.append(time.monotonic() - began)
            await asyncio.sleep(0.002)

    async with database.session(), database.session():
        tasks = [asyncio.create_task(take(number)) for number in range(100)]
        # Long beside what a hundred turns take, on a busy machine too.
        await asyncio.sleep(2.0)
        assert database.statistics().waiting == 100
    await asyncio.gather(*tasks)
    await database.close()

    # Two are served side by side, and may pass each other; nobody waits for one who came after the next.
    assert all(later > earlier - 2 for earlier, later in pairwise(served))
    assert sorted(served) == list(range(100))
    assert max(waits) < 3 * min(waits)


async def test_who_comes_back_at_once_does_not_pass_those_who_wait(server: Server) -> None:
    database = await Database.open(server.dsn, settings_for(server.dsn, pool_max_size=2))
    turns: Counter[int] = Counter()

    async def call(number: int) -> None:
        while sum(turns.values()) < 500:
            async with database.session() as session:
                await session.fetch_one(BACKEND_PID)
            turns[number] += 1

    await asyncio.gather(*(call(number) for number in range(10)))
    await database.close()

    assert len(turns) == 10
    assert max(turns.values()) < 2 * min(turns.values())


async def test_who_gets_no_connection_is_told_the_numbers(server: Server) -> None:
    async with WorkflowStore.open(settings_for(server.dsn, pool_max_size=2, acquire_timeout=0.4)) as store:
        async with store.transaction(), store.transaction():
            answers = await asyncio.gather(*(store.count_workflows() for _ in range(3)), return_exceptions=True)
        told = [str(answer) for answer in answers if isinstance(answer, PoolTimeout)]

        assert len(told) == 3
        assert told[0].startswith("no connection became free within 0.4 s: 2 open of at most 2, 0 idle, the longest")
        assert told[0].endswith("2 others waiting")
        assert await store.count_workflows() == 0


async def test_a_connection_that_is_held_for_long_is_reported_once_with_its_place(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "workflow_store")
    async with WorkflowStore.open(settings_for(server.dsn, leak_report_after=0.2)) as store:
        async with store.transaction():
            await asyncio.sleep(0.7)
        await store.count_workflows()
    reports = [record for record in caplog.records if getattr(record, "event", "") == "connection_held"]

    assert len(reports) == 1
    assert reports[0].levelno == logging.WARNING
    assert "test_pool.py" in reports[0].getMessage()
    assert "store.transaction()" in reports[0].getMessage()


async def test_unless_told_to_nothing_is_reported(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    async with WorkflowStore.open(settings_for(server.dsn)) as store, store.transaction():
        await asyncio.sleep(0.3)

    assert not [record for record in caplog.records if getattr(record, "event", "") == "connection_held"]


async def test_a_thousand_tasks_do_not_storm_a_server_that_comes_back(server: Server) -> None:
    async with Proxy.before(server.dsn) as proxy:
        settings = settings_for(proxy.dsn, pool_max_size=10)
        async with WorkflowStore.open(settings) as store:
            assert await store.count_workflows() == 0
            proxy.reset_new()
            proxy.reset()
            refused = 0

            async def ask() -> None:
                nonlocal refused
                while True:
                    try:
                        await store.count_workflows()
                    except ServerUnavailable:
                        refused += 1
                    else:
                        return

            tasks = [asyncio.create_task(ask()) for _ in range(TASKS)]
            await asyncio.sleep(3)
            assert not any(task.done() for task in tasks)
            away = proxy.turned_away
            proxy.clear()
            opened = proxy.opened
            await asyncio.wait_for(asyncio.gather(*tasks), 60)
            back = proxy.opened - opened

    # Asked again and again by a thousand, a server that is away is tried after pauses that become longer; one that is
    # back gets no more connections than the pool may have.
    assert refused > 0
    assert 3 <= away <= 20
    assert back <= 10
