"""The proxy itself: each of its modes does to a real connection what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest
import pytest_asyncio

from tests.faults.proxy import Proxy

Client: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError)


@pytest_asyncio.fixture
async def proxy(empty_database: str) -> AsyncIterator[Proxy]:
    async with Proxy.before(empty_database) as made:
        yield made


@pytest_asyncio.fixture
async def connection(proxy: Proxy) -> AsyncIterator[Client]:
    made = await asyncpg.connect(proxy.dsn)
    yield made
    made.terminate()


async def test_it_passes_everything_and_counts_it(proxy: Proxy, connection: Client) -> None:
    before = proxy.passed["client"]

    text = await connection.fetchval("SELECT repeat('x', 1000000)")

    assert len(text) == 1_000_000
    assert proxy.passed["client"] - before > 1_000_000
    assert proxy.received["D"] >= 1
    assert proxy.connections[0].statements >= 1


@pytest.mark.parametrize("to", ["server", "client"])
async def test_what_is_swallowed_never_arrives(proxy: Proxy, connection: Client, to: str) -> None:
    proxy.set(swallow=True, to=to)  # type: ignore[arg-type]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await connection.execute("SELECT 1")

    assert proxy.swallowed > 0
    assert [one.is_dead for one in proxy.connections] == [True]
    proxy.clear()
    assert proxy.connections == []
    fresh = await asyncpg.connect(proxy.dsn)
    assert await fresh.fetchval("SELECT 1") == 1
    await fresh.close()


async def test_what_is_frozen_arrives_after_the_thaw(proxy: Proxy, connection: Client) -> None:
    proxy.set(freeze=True)
    asked = asyncio.create_task(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait([asked], timeout=0.2)
    assert not done

    proxy.set(freeze=False)

    assert await asked == 1


async def test_it_refuses_and_accepts_again_on_the_same_port(proxy: Proxy, connection: Client) -> None:
    port = proxy.port
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(proxy.dsn)
    assert await connection.fetchval("SELECT 1") == 1

    proxy.accept()

    assert proxy.port == port
    await (await asyncpg.connect(proxy.dsn)).close()


async def test_it_resets_those_that_come_and_those_that_are_there(proxy: Proxy, connection: Client) -> None:
    proxy.reset_new()
    with pytest.raises(_GONE):
        await asyncpg.connect(proxy.dsn)
    proxy.reset()

    with pytest.raises(_GONE):
        await connection.fetchval("SELECT 1")
    assert proxy.connections == []


async def test_one_byte_at_a_time_is_slow_and_right(proxy: Proxy, connection: Client) -> None:
    proxy.set(piece=1, tick=0.0001)

    assert await connection.fetchval("SELECT repeat('ab', 50)") == "ab" * 50


async def test_latency_holds_each_answer(proxy: Proxy, connection: Client) -> None:
    await connection.fetchval("SELECT 1")
    proxy.set(latency=0.1)
    began = asyncio.get_running_loop().time()

    await connection.fetchval("SELECT 1")

    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_it_cuts_inside_a_row(proxy: Proxy, connection: Client) -> None:
    proxy.set(cut_after=500, to="client")

    with pytest.raises(_GONE):
        await connection.fetch("SELECT repeat('x', 10000)")


@pytest.mark.parametrize("then", ["reset", "close", "swallow", "freeze"])
async def test_a_trapped_answer_to_commit_leaves_the_row(proxy: Proxy, connection: Client, then: str) -> None:
    await connection.execute("CREATE TABLE caught (number int)")
    trap = proxy.trap("COMMIT", then=then)  # type: ignore[arg-type]

    async def write() -> None:
        async with connection.transaction():
            await connection.execute("INSERT INTO caught VALUES ($1)", 1)

    writing = asyncio.create_task(write())
    await trap.sprung.wait()

    done, _ = await asyncio.wait([writing], timeout=0.3)
    assert bool(done) == (then in ("reset", "close"))
    other = await asyncpg.connect(proxy.dsn)
    assert await other.fetchval("SELECT count(*) FROM caught") == 1
    await other.close()
    proxy.clear()
    if then == "freeze":
        await writing
    else:
        connection.terminate()
        with pytest.raises(_GONE):
            await writing


async def test_a_trapped_request_never_reaches_the_server(proxy: Proxy, connection: Client) -> None:
    await connection.execute("CREATE TABLE missed (number int)")
    trap = proxy.trap(lambda text: "INTO missed" in text, then="reset", side="request")

    with pytest.raises(_GONE):
        await connection.execute("INSERT INTO missed VALUES (1)")

    assert trap.snapped == 1
    other = await asyncpg.connect(proxy.dsn)
    assert await other.fetchval("SELECT count(*) FROM missed") == 0
    await other.close()


async def test_a_prepared_statement_is_seen_each_time(proxy: Proxy, connection: Client) -> None:
    trap = proxy.trap("SELECT $1", then="reset", times=0)
    for number in range(3):
        assert await connection.fetchval("SELECT $1::int", number) == number

    assert trap.seen == 3
    assert trap.snapped == 0
