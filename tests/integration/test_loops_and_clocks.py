"""A store in the wrong loop or process, and a clock that jumps."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.records import small_workflow
from workflow_store import Settings, WorkflowStore
from workflow_store.errors import PoolTimeout, StoreClosed

# A program of its own: a fork or an ended loop in the middle of the test run would be the test run's.
_PROGRAM = """
import asyncio, os, sys
from workflow_store import WorkflowStore
from workflow_store.errors import StoreError

async def opened():
    store = await WorkflowStore.open(dsn=sys.argv[1], pool_min_size=1, pool_max_size=2)
    assert await store.count_workflows() == 0
    return store

async def told(store):
    try:
        await asyncio.wait_for(store.count_workflows(), 5)
    except StoreError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"
"""
_FORK = """
async def main():
    store = await opened()
    reading, writing = os.pipe()
    if os.fork() == 0:
        # The loop of the parent is not the child's: it makes one of its own, as a forking server does.
        asyncio.events._set_running_loop(None)
        try:
            os.write(writing, asyncio.run(told(store)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.wait()
    print(os.read(reading, 1000).decode())
    print(await told(store))
    await store.close()

asyncio.run(main())
"""
_ENDED = """
one = asyncio.new_event_loop()
store = one.run_until_complete(opened())
one.close()
print(asyncio.run(told(store)))
"""


def _run(program: str, dsn: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM + program, dsn],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "WORKFLOW_STORE_SEARCH_REFRESH": "manual"},
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_a_forked_child_is_told_and_its_parent_goes_on(database_dsn: str) -> None:
    child, parent = _run(_FORK, database_dsn)

    assert child == "StoreClosed: the store was opened in another event loop"
    assert parent == "nothing"


def test_a_loop_that_has_ended_is_told(database_dsn: str) -> None:
    (told,) = _run(_ENDED, database_dsn)

    assert told == "StoreClosed: the store was opened in another event loop"


async def test_a_child_that_goes_on_in_its_parents_loop_is_told(
    store: WorkflowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context, pytest.raises(StoreClosed, match="before this process was forked"):
        context.setattr("workflow_store.database.pool.os.getpid", lambda: -1)
        await store.count_workflows()

    assert await store.count_workflows() == 0


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_no_wait_follows_the_wall_clock(database_dsn: str, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    slept: list[float] = []
    wall, sleep = time.time, asyncio.sleep

    async def watched_sleep(seconds: float, result: Any = None) -> Any:
        slept.append(seconds)
        return await sleep(seconds, result)

    settings = Settings.load(dsn=database_dsn, pool_min_size=1, pool_max_size=2, leak_report_after=60.0)
    async with WorkflowStore.open(settings) as store:
        began = time.monotonic()
        monkeypatch.setattr(time, "time", lambda: wall() + jump)
        monkeypatch.setattr(asyncio, "sleep", watched_sleep)
        async with store.transaction(timeout=5), store.transaction(timeout=5):
            with pytest.raises(PoolTimeout):
                await store.count_workflows(timeout=0.2)
            held = store.get_pool_statistics().longest_held
        async with store.writer(max_delay=0.01) as writer:
            assert await writer.put(small_workflow("1"), timeout=5) == "inserted"
        assert (await store.ingest([small_workflow("2")], timeout=5)).inserted == 1
        took = time.monotonic() - began

    assert 0.2 <= held < took
    assert all(0 <= seconds < 60 for seconds in slept)
