"""An awaitable whose first step is made at once behaves as one that is awaited."""

from __future__ import annotations

import asyncio

import pytest

from workflow_store.database.begun import Begun


async def done() -> int:
    return 7


async def test_what_needs_not_wait_is_done_at_once() -> None:
    begun = Begun(done())

    assert (begun.is_done, begun.result, await begun) == (True, 7, 7)


async def test_an_error_of_the_first_step_is_raised_at_once() -> None:
    async def fail() -> None:
        raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        Begun(fail())


async def test_what_waits_goes_on_where_it_is_awaited() -> None:
    turns: list[str] = []
    gate = asyncio.get_running_loop().create_future()

    async def wait() -> str:
        turns.append("begun")
        turns.append(await gate)
        await asyncio.sleep(0)
        return "result"

    begun = Begun(wait())
    assert (begun.is_done, turns) == (False, ["begun"])
    asyncio.get_running_loop().call_soon(gate.set_result, "opened")

    assert await begun == "result"
    assert turns == ["begun", "opened"]


async def test_an_error_of_a_later_step_is_raised_where_it_is_awaited() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("later")

    begun = Begun(fail())
    with pytest.raises(LookupError, match="later"):
        await begun


async def test_it_ends_by_a_deadline_and_is_told() -> None:
    told: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    begun = Begun(wait())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await begun
    assert told == ["cancelled"]


async def test_it_may_go_on_after_it_was_cancelled() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "ended well"

    async def ended() -> str:
        return await Begun(stubborn())

    task = asyncio.create_task(ended())
    await asyncio.sleep(0)
    task.cancel()

    assert await task == "ended well"


async def test_what_is_given_up_is_closed() -> None:
    told: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            told.append("closed")

    steps = Begun(wait()).__await__()
    next(steps)
    steps.close()
    assert told == ["closed"]
