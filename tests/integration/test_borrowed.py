"""A store on a caller's own pool or connection, which is given back as it was."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.records import full_workflow, parts_of, small_workflow
from workflow_store import (
    ConnectionUnusable,
    IntegrityViolation,
    Metadata,
    MisuseError,
    SchemaMissing,
    StatementRejected,
    StoreClosed,
    WorkflowStore,
)
from workflow_store.database import BorrowedPool

Connect = Callable[..., Awaitable[Any]]

VALUE = {"a": [1, None, "ä"]}
ECHO = "SELECT $1::jsonb AS echoed, ARRAY[$1::jsonb] AS listed"


def to_jsonb(value: object) -> bytes:
    return b"\x01" + json.dumps(value).encode()


def from_jsonb(data: bytes) -> object:
    return json.loads(data[1:])


CODECS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "text": {"encoder": json.dumps, "decoder": json.loads, "format": "text"},
    "binary": {
        "encoder": to_jsonb,
        "decoder": from_jsonb,
        "format": "binary",
    },
}


class Attributes(asyncpg.Record):
    """A record class as callers have it."""

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __iter__(self) -> Any:
        return iter(self.keys())


@pytest_asyncio.fixture
async def connect(database_dsn: str) -> AsyncIterator[Connect]:
    """Opens connections that are closed after the test."""
    opened: list[Any] = []

    async def connecting(**options: Any) -> Any:
        opened.append(await asyncpg.connect(database_dsn, **options))
        return opened[-1]

    yield connecting
    for connection in opened:
        connection.terminate()


async def use_everything(store: WorkflowStore) -> None:
    """One call of each kind: a statement, a batch with COPY and merge, pages, a stream, a writer, media, search."""
    await store.create_workflow(full_workflow("created"))
    await store.upsert_workflow(full_workflow("created", quality_score=1.0))
    report = await store.ingest([full_workflow(str(number)) for number in range(30)], batch_size=7, connections=4)
    assert report.inserted == 30
    again = await store.ingest([full_workflow(str(number), quality_score=2.0) for number in range(30)], batch_size=7)
    assert again.updated == 30
    async with store.writer(connections=4) as writer:
        outcomes = await asyncio.gather(*(writer.put(small_workflow(f"put {number}")) for number in range(20)))
    assert set(outcomes) == {"inserted"}
    await store.update_workflow("created", metadata={"views": 5})
    page = await store.list_workflows(limit=5, tag="telegram", include=("metadata", "structure", "transcripts"))
    assert len(page.items) == 5
    assert len([workflow async for workflow in store.stream_workflows(prefetch=10)]) == 51
    await store.refresh_search()
    assert (await store.search_workflows("telegram")).items
    assert (await store.get_statistics(detailed=True)).total_workflows == 51
    async with store.transaction() as tx:
        await tx.delete_workflow("put 0")
        await tx.enqueue([("put 1", "https://n8n.io/1")])
    assert await store.exists(["put 0", "put 1"]) == {"put 1"}
    await store.media.put("created", "a.txt", b"bytes")
    assert await store.media.get("created", "a.txt") == b"bytes"
    back = await store.get_workflow("created")
    assert parts_of(back)["structure"] == parts_of(full_workflow())["structure"]


@pytest.mark.parametrize("cache", [100, 0], ids=["cached", "uncached"])
@pytest.mark.parametrize("codec", CODECS)
async def test_a_connection_does_everything_and_keeps_its_own_codec(
    connect: Connect, tmp_path: Path, codec: str, cache: int
) -> None:
    connection = await connect(statement_cache_size=cache, record_class=Attributes)
    given, value = CODECS[codec], VALUE if CODECS[codec] else '{"a": [1, null, "ä"]}'
    if given:
        await connection.set_type_codec("jsonb", schema="pg_catalog", **given)
    prepared = await connection.prepare(ECHO)
    before = await connection.fetchrow(ECHO, value)

    async with WorkflowStore.on(connection, media_dir=tmp_path) as store:
        await use_everything(store)
        between = await connection.fetchrow(ECHO + ", 'within'", value)
    after = await connection.fetchrow(ECHO, value)
    anew = await connection.fetchrow(ECHO + ", 'never seen before'", value)
    earlier = await prepared.fetchrow(value)

    for row in (before, between, after, anew, earlier):
        assert isinstance(row, Attributes)
        assert (row.echoed, row.listed) == (value, [value])


async def test_a_pool_is_used_as_it_is_and_left_open(database_dsn: str, tmp_path: Path) -> None:
    async def prepare(connection: Any) -> None:
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)

    async with asyncpg.create_pool(
        database_dsn, min_size=1, max_size=3, init=prepare, record_class=Attributes, statement_cache_size=0
    ) as pool:
        async with WorkflowStore.on(pool, media_dir=tmp_path) as store:
            await use_everything(store)
            held = store.get_pool_statistics()
        echoed = await asyncio.gather(*(pool.fetchval(ECHO, VALUE) for _ in range(3)))

        assert held.total_connections <= 3
        assert echoed == [VALUE] * 3
        with pytest.raises(StoreClosed):
            await store.exists(["1"])


async def test_a_connection_out_of_a_pool_goes_back_as_it_was(database_dsn: str) -> None:
    async with asyncpg.create_pool(database_dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as connection, WorkflowStore.on(connection) as store:
            await store.create_workflow(full_workflow())
        assert await pool.fetchval(ECHO, "5") == "5"

        with pytest.raises(StoreClosed):
            await store.get_workflow("2462")


@pytest.mark.parametrize("managed", [True, False], ids=["by asyncpg", "by a statement"])
async def test_a_callers_transaction_is_used_and_theirs_to_end(connect: Connect, managed: bool) -> None:
    connection, other = await connect(), await connect()
    block = connection.transaction()
    await (block.start() if managed else connection.execute("BEGIN"))

    async with WorkflowStore.on(connection) as store:
        await store.create_workflow(full_workflow("1"))
        await store.ingest([small_workflow("2")])
        with pytest.raises(ZeroDivisionError):
            async with store.transaction() as tx:
                await tx.create_workflow(small_workflow("3"))
                async with tx.transaction() as inner:
                    await inner.create_workflow(small_workflow("4"))
                raise ZeroDivisionError
        found = await store.exists(["1", "2", "3", "4"])
    outside = await other.fetchval("SELECT count(*) FROM workflow_store.workflows")
    await (block.rollback() if managed else connection.execute("ROLLBACK"))

    assert found == {"1", "2"}
    assert outside == 0
    assert await connection.fetchval("SELECT count(*) FROM workflow_store.workflows") == 0


async def test_a_refused_record_leaves_the_callers_transaction_alive(connect: Connect) -> None:
    connection = await connect()
    await connection.execute(
        "ALTER TABLE workflow_store.workflow_metadata ADD CONSTRAINT fussy CHECK (title <> 'refused')"
    )
    refused = small_workflow("refused", metadata=Metadata(title="refused"))

    async with connection.transaction(), WorkflowStore.on(connection) as store:
        report = await store.ingest([small_workflow("1"), refused, small_workflow("2")])
        with pytest.raises(IntegrityViolation):
            async with store.transaction() as tx:
                await tx.create_workflow(refused)
        await store.create_workflow(small_workflow("3"))

    assert (report.inserted, report.rejected) == (2, 1)
    assert await connection.fetchval("SELECT count(*) FROM workflow_store.workflows") == 3
    assert await connection.fetchval("SELECT count(*) FROM workflow_store.ingest_quarantine") == 1


async def test_a_cancelled_call_leaves_the_callers_transaction_and_codec(connect: Connect) -> None:
    connection, other = await connect(), await connect()
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    lock = other.transaction()

    async with connection.transaction(), WorkflowStore.on(connection) as store:
        await store.create_workflow(full_workflow("1"))
        # A row of somebody else's that is not committed: one with the same id waits for it.
        await lock.start()
        async with WorkflowStore.on(other) as others:
            await others.create_workflow(full_workflow("2"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await store.ingest([full_workflow("2")])
        await lock.rollback()
        assert await connection.fetchval(ECHO, VALUE) == VALUE
        await store.create_workflow(full_workflow("3"))
        found = await store.exists(["1", "2", "3"])

    assert found == {"1", "3"}
    assert await other.fetchval("SELECT count(*) FROM workflow_store.workflows") == 2


@pytest.mark.parametrize("given_up", ["BEGIN", "ROLLBACK"])
async def test_a_connection_with_a_transaction_that_nobody_would_end_is_not_given_back(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, given_up: str
) -> None:
    connection = await connect()
    execute = asyncpg.Connection.execute

    async def cancelled_with_its_answer(self: Any, query: str, *args: Any, **options: Any) -> str:
        if query.startswith(given_up):
            raise asyncio.CancelledError
        return await execute(self, query, *args, **options)

    store = await WorkflowStore.on(connection)
    monkeypatch.setattr(asyncpg.Connection, "execute", cancelled_with_its_answer)
    with pytest.raises(asyncio.CancelledError):
        async with store.transaction():
            raise KeyError

    assert connection.is_closed()
    with pytest.raises(ConnectionUnusable, match="closed"):
        await store.create_workflow(full_workflow("1"))


async def test_isolation_is_that_of_the_open_transaction(connect: Connect) -> None:
    connection = await connect()

    async with connection.transaction(), WorkflowStore.on(connection) as store:
        with pytest.raises(MisuseError, match="open already"):
            async with store.transaction(isolation="serializable"):
                pytest.fail("there is no such savepoint")  # pragma: no cover
        assert await store.exists(["1"]) == set()


async def test_a_failed_transaction_is_told_by_its_state_and_the_codec_stays(connect: Connect) -> None:
    connection = await connect()
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)

    async with WorkflowStore.on(connection) as store:
        block = connection.transaction()
        await block.start()
        with pytest.raises(asyncpg.UndefinedColumnError):
            await connection.execute("SELECT no_such_column")
        with pytest.raises(StatementRejected) as caught:
            await store.create_workflow(full_workflow())
        await block.rollback()

    assert caught.value.sqlstate == "25P02"
    assert await connection.fetchval(ECHO, VALUE) == VALUE


async def test_a_closed_connection_is_told_before_anything_is_sent(connect: Connect) -> None:
    connection = await connect()
    async with WorkflowStore.on(connection) as store:
        await connection.close()

        with pytest.raises(ConnectionUnusable, match="closed"):
            await store.exists(["1"])
    with pytest.raises(ConnectionUnusable, match="closed"):
        await WorkflowStore.on(connection)


async def test_a_connection_that_went_back_to_its_pool_is_told(database_dsn: str) -> None:
    async with asyncpg.create_pool(database_dsn, min_size=1, max_size=1) as pool:
        connection = await pool.acquire()
        store = await WorkflowStore.on(connection)
        await pool.release(connection)

        with pytest.raises(ConnectionUnusable, match="pool"):
            await store.exists(["1"])
        with pytest.raises(ConnectionUnusable, match="released"):
            await WorkflowStore.on(connection)


async def test_a_pool_has_a_connection_back_that_can_not_be_used(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: object) -> None:
        raise ConnectionUnusable("its codecs can't be put back")

    async with asyncpg.create_pool(database_dsn, min_size=1, max_size=1) as pool:
        store = await WorkflowStore.on(pool)
        monkeypatch.setattr(sys.modules[BorrowedPool.__module__], "require_codecs", refuse)

        with pytest.raises(ConnectionUnusable, match="codecs"):
            await store.exists(["1"])

        assert pool.get_idle_size() == 1


async def test_a_pool_that_is_closed_or_was_never_opened_is_told(database_dsn: str) -> None:
    closed = await asyncpg.create_pool(database_dsn, min_size=1, max_size=1)
    await closed.close()

    with pytest.raises(ConnectionUnusable, match="closed"):
        await WorkflowStore.on(closed)
    with pytest.raises(ConnectionUnusable, match="not initialized"):
        await WorkflowStore.on(asyncpg.create_pool(database_dsn))


async def test_a_connection_in_the_middle_of_another_operation_is_told(connect: Connect) -> None:
    connection = await connect()

    async with WorkflowStore.on(connection) as store:
        sleeping = asyncio.create_task(connection.execute("SELECT pg_sleep(0.5)"))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionUnusable, match="another task"):
            await store.exists(["1"])
        await sleeping
        assert await store.exists(["1"]) == set()


@pytest.mark.parametrize("kind", ["connection", "pool"])
def test_another_event_loop_is_told(database_dsn: str, kind: str) -> None:
    async def opened() -> Any:
        if kind == "connection":
            return await asyncpg.connect(database_dsn)
        return await asyncpg.create_pool(database_dsn, min_size=1, max_size=1)

    async def used(source: Any) -> None:
        await WorkflowStore.on(source)

    with asyncio.Runner() as first, asyncio.Runner() as second:
        source = first.run(opened())
        with pytest.raises(ConnectionUnusable, match=f"the {kind} belongs to another event loop"):
            second.run(used(source))
        first.run(source.close())


async def test_something_else_than_a_pool_or_connection_is_told() -> None:
    with pytest.raises(ConnectionUnusable, match="asyncpg is expected, not str"):
        await WorkflowStore.on("postgresql://somewhere")  # type: ignore[arg-type]


async def test_a_database_without_the_schema_is_told_and_left_alone(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)

    async with connection.transaction():
        with pytest.raises(SchemaMissing):
            await WorkflowStore.on(connection)
        # The caller's transaction goes on.
        assert await connection.fetchval("SELECT to_regnamespace('workflow_store')") is None
    await connection.close()
