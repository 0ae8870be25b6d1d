from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import asyncpg
import pytest

from workflow_store import (
    CommandTimeout,
    CommitUnknown,
    PermissionDenied,
    PoolTimeout,
    ServerUnavailable,
    Settings,
    SettingsError,
    StatementRejected,
    StoreClosed,
    WorkflowStore,
)
from workflow_store.database import Database, Session
from workflow_store.queries import Query, catalogue

CANARY = "canary-7f3a"


async def opened(dsn: str, **settings: Any) -> Database:
    return await Database.open(dsn, Settings.load(**({"pool_min_size": 1, "pool_max_size": 2} | settings)))


async def test_an_exhausted_pool_says_so_in_numbers_within_the_deadline(database_dsn: str) -> None:
    database = await opened(database_dsn, acquire_timeout=0.2)

    async with database.session(), database.session():
        with pytest.raises(
            PoolTimeout,
            match=r"within 0\.2 s: 2 open of at most 2, 0 idle, the longest held for 0\.\d s, 0 others waiting",
        ):
            async with database.session():
                pytest.fail("there was no third connection")  # pragma: no cover

    async with database.session():
        pass
    await database.close()


async def test_the_pools_counts_follow_who_holds_what(database_dsn: str) -> None:
    database = await opened(database_dsn)

    async with database.session(), database.session():
        held = database.statistics()
    idle = database.statistics()
    await database.close()

    assert (held.pool_size, held.checked_in, held.checked_out, held.overflow, held.total_connections) == (1, 0, 2, 1, 2)
    assert (idle.checked_in, idle.checked_out, idle.waiting) == (2, 0, 0)


async def test_a_connection_that_is_gone_when_it_goes_back_is_no_error(
    database_dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def taken_back_meanwhile(*_args: object, **_options: object) -> None:
        raise asyncpg.InternalClientError("release() called on a free connection holder")

    database = await opened(database_dsn)
    async with database.session() as session:
        session.connection.terminate()
    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Pool, "release", taken_back_meanwhile)
        async with database.session() as session:
            session.connection.terminate()
    async with database.session() as session:
        assert await session.fetch_one(catalogue.PING) == 1
    await database.close()

    (warning,) = caplog.messages
    assert warning.startswith("a connection was dropped instead of going back to the pool: the connection is unusable")


async def test_no_server_is_one_clear_error_with_the_address_and_no_secret() -> None:
    dsn = f"postgresql://scraper:{CANARY}@127.0.0.1:9/flows"

    with pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1:9, database flows: no connection") as caught:
        await opened(dsn)

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_server_that_does_not_answer_is_given_up_within_connect_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        with pytest.raises(ServerUnavailable, match=r"no answer within 0\.3 s"):
            await asyncio.wait_for(opened(f"postgresql://u@127.0.0.1:{port}/d", connect_timeout=0.3), 5)


async def test_a_refused_login_is_permission_denied(workflow_store_server: Any) -> None:
    dsn = workflow_store_server.dsn_of("no_such_database_here")

    with pytest.raises((ServerUnavailable, PermissionDenied), match="no_such_database_here"):
        await opened(dsn)


async def test_a_statement_that_takes_too_long_is_a_command_timeout_and_the_pool_recovers(database_dsn: str) -> None:
    database = await opened(database_dsn, command_timeout=0.3)

    async with database.session() as session:
        with pytest.raises(CommandTimeout):
            await session.fetch_text("SELECT pg_sleep(10)", (), tuple)
    async with database.session() as session:
        assert await session.fetch_text("SELECT 1", (), tuple) == [(1,)]
    await database.close()


async def test_what_the_server_refuses_keeps_its_sqlstate(session: Session) -> None:
    with pytest.raises(StatementRejected, match="does not exist") as caught:
        await session.fetch_text("SELECT no_such_column", (), tuple)

    assert caught.value.sqlstate == "42703"


async def test_a_value_that_does_not_fit_its_parameter_is_told(session: Session) -> None:
    with pytest.raises(StatementRejected, match=r"invalid input for query argument \$1: 5"):
        await session.fetch_text(catalogue.DELETE_METADATA.text, (5,), tuple)


async def test_a_query_that_must_have_a_row_says_when_it_has_none(session: Session) -> None:
    with pytest.raises(StatementRejected, match="metadata/delete returned no row"):
        await session.fetch_one(catalogue.DELETE_METADATA, "nobody")


async def test_idle_connections_are_closed_down_to_the_minimum(database_dsn: str) -> None:
    database = await opened(database_dsn, pool_min_size=1, pool_max_size=3, max_idle=0.4)
    try:
        async with database.session() as one, database.session(), database.session():
            assert await one.fetch_one(catalogue.PING) == 1
        async with database.session() as used, asyncio.timeout(10):
            while database.statistics().total_connections > 1:  # noqa: ASYNC110 - the pool tells nobody
                await asyncio.sleep(0.02)
            # The one that is in use stays, however long that takes.
            await asyncio.sleep(0.6)
            assert await used.fetch_one(catalogue.PING) == 1
        await asyncio.sleep(0.8)
        assert database.statistics().total_connections == 1
        async with database.session() as again:
            assert await again.fetch_one(catalogue.PING) == 1
    finally:
        await database.close()


async def test_a_connection_older_than_its_lifetime_is_replaced(database_dsn: str) -> None:
    database = await opened(database_dsn, pool_max_size=1, max_lifetime=0.1)
    query = Query[int]("server/facts", "SELECT pg_backend_pid()")

    async with database.session() as session:
        first = await session.fetch_one(query)
    async with database.session() as session:
        same = await session.fetch_one(query)
    await asyncio.sleep(0.15)
    async with database.session() as session:
        await session.fetch_one(query)
    async with database.session() as session:
        other = await session.fetch_one(query)
    await database.close()

    assert first == same != other


async def test_a_connection_the_server_ended_goes_away_and_the_next_call_works(
    database_dsn: str, session: Session
) -> None:
    database = await opened(database_dsn, pool_max_size=1)

    with pytest.raises(ServerUnavailable):
        async with database.session() as held:
            pid = held.connection.get_server_pid()
            await session.fetch_text("SELECT pg_terminate_backend($1)", (pid,), tuple)
            await asyncio.sleep(0.1)
            await held.fetch_text("SELECT 1", (), tuple)

    async with database.session() as held:
        assert await held.fetch_text("SELECT 1", (), tuple) == [(1,)]
    await database.close()


async def test_a_commit_whose_answer_is_lost_is_unknown(database_dsn: str, session: Session) -> None:
    # COMMIT takes a while here, so that the connection can be cut in the middle of it.
    await session.connection.execute(
        """
        CREATE TABLE slow (n int);
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION wait()
        """
    )
    database = await opened(database_dsn)

    async def cut(pid: int) -> None:
        await asyncio.sleep(0.3)
        await session.fetch_text("SELECT pg_terminate_backend($1)", (pid,), tuple)

    with pytest.raises(CommitUnknown, match="the answer was lost"):
        async with database.session() as held, held.transaction():
            await held.connection.execute("INSERT INTO slow VALUES (1)")
            cutting = asyncio.create_task(cut(held.connection.get_server_pid()))

    await cutting
    await database.close()


async def test_a_connection_lost_before_commit_is_a_known_failure(database_dsn: str, session: Session) -> None:
    database = await opened(database_dsn)

    with pytest.raises(ServerUnavailable, match="nothing was stored"):
        async with database.session() as held, held.transaction():
            pid = held.connection.get_server_pid()
            await session.fetch_text("SELECT pg_terminate_backend($1)", (pid,), tuple)
            await asyncio.sleep(0.2)

    await database.close()


async def test_a_transaction_left_open_by_its_holder_is_rolled_back_on_release(database_dsn: str) -> None:
    database = await opened(database_dsn, pool_max_size=1)

    async with database.session() as session:
        await session.connection.execute("BEGIN; CREATE TABLE left_behind ()")
    async with database.session() as session:
        assert await session.fetch_text("SELECT to_regclass('left_behind')", (), tuple) == [(None,)]
        assert not session.in_transaction
    await database.close()


async def test_a_closed_store_says_so_and_closing_twice_is_fine(database_dsn: str) -> None:
    database = await opened(database_dsn)

    await database.close()
    await database.close()

    with pytest.raises(StoreClosed, match="closed"):
        async with database.session():
            pytest.fail("a closed pool gave a connection")  # pragma: no cover


async def test_closing_ends_connections_that_are_still_held(database_dsn: str) -> None:
    database = await opened(database_dsn, close_timeout=0.2)
    holding = asyncio.Event()

    async def holder() -> None:
        async with database.session() as session:
            holding.set()
            await session.fetch_text("SELECT pg_sleep(30)", (), tuple)

    task = asyncio.create_task(holder())
    await holding.wait()
    await asyncio.sleep(0.05)
    await asyncio.wait_for(database.close(), 3)

    with pytest.raises((ServerUnavailable, StatementRejected)):
        await asyncio.wait_for(task, 3)


def test_another_event_loop_is_refused(database_dsn: str) -> None:
    caught: list[BaseException] = []

    async def open_here() -> Database:
        return await opened(database_dsn)

    async def use_there(database: Database) -> None:
        async with database.session():
            pytest.fail("another loop got a connection")  # pragma: no cover

    def run() -> None:
        with asyncio.Runner() as one, asyncio.Runner() as other:
            database = one.run(open_here())
            try:
                other.run(use_there(database))
            except StoreClosed as error:
                caught.append(error)
            one.run(database.close())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert "another event loop" in str(caught[0])


async def test_a_store_is_opened_awaited_or_entered_and_only_once(database_dsn: str) -> None:
    store = await WorkflowStore.open(dsn=database_dsn, pool_min_size=1)
    assert await store.count_workflows() == 0
    assert store.get_pool_statistics().total_connections == 1
    assert "database workflow_store_test_" in store.address
    with pytest.raises(StoreClosed, match="opened before"):
        await store
    await store.close()

    with pytest.raises(StoreClosed, match="not open"):
        await store.get_workflow("1")
    with pytest.raises(StoreClosed, match="not open"):
        store.get_pool_statistics()
    with pytest.raises(SettingsError, match="not both"):
        WorkflowStore.open(Settings.load(dsn=database_dsn), dsn=database_dsn)


async def test_a_server_that_may_lose_commits_is_warned_of(database_dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=1) as store:
        address = store.address

    assert f"{address} may lose commits it has acknowledged" in caplog.text
