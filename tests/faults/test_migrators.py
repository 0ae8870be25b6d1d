"""Migrators at once, killed, cancelled, late and in one another's way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from workflow_store import resources, schema
from workflow_store.errors import CommandTimeout, LockTimeout, MigrationFailed
from workflow_store.schema.child import DSN_VARIABLE
from workflow_store.schema.dump import dump_schema
from workflow_store.schema.folder import migration_files

IDS = [file.id for file in migration_files()]
ROOT = Path(resources.__file__).parents[1]
KEY = int.from_bytes(b"workflow")


@pytest.fixture
async def connection(empty_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
async def holder(empty_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection that holds locks, beside the one that looks: a transaction sees one picture of the activity."""
    holder = await asyncpg.connect(empty_database)
    yield holder
    await holder.close()


@contextlib.asynccontextmanager
async def lock_held(connection: asyncpg.Connection[Any]) -> AsyncIterator[None]:
    await connection.execute(f"SELECT pg_advisory_lock({KEY})")
    try:
        yield
    finally:
        await connection.execute(f"SELECT pg_advisory_unlock({KEY})")


async def start_migrator(dsn: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workflow_store.schema", "migrate"),
        env={**os.environ, DSN_VARIABLE: dsn, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def eventually(promise: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not await promise():
        assert time.monotonic() < deadline, "it never came about"
        await asyncio.sleep(0.01)


def migrators(connection: asyncpg.Connection[Any], condition: str = "true") -> Callable[[], Awaitable[bool]]:
    """Whether a migrator's session is there that fulfils a condition."""
    query = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        f" AND application_name = 'workflow-store schema' AND {condition})"
    )

    async def there() -> bool:
        return bool(await connection.fetchval(query))

    return there


def no_migrators(connection: asyncpg.Connection[Any]) -> Callable[[], Awaitable[bool]]:
    there = migrators(connection)

    async def gone() -> bool:
        return not await there()

    return gone


def children() -> set[int]:
    """Processes this one has started and not waited for."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


async def assert_whole(dsn: str, connection: asyncpg.Connection[Any]) -> None:
    """Each migration is entered once, no lock is left, and the schema is the one of an undisturbed run."""
    entered = await connection.fetch("SELECT migration_id FROM workflow_store._yoyo_migration ORDER BY 1")
    logged = await connection.fetch(
        "SELECT migration_id FROM workflow_store._yoyo_log WHERE operation = 'apply' ORDER BY 1"
    )
    assert [row["migration_id"] for row in entered] == IDS
    assert [row["migration_id"] for row in logged] == IDS
    assert await connection.fetchval("SELECT count(*) FROM workflow_store.yoyo_lock") == 0
    assert await asyncio.to_thread(dump_schema, dsn) == (resources.folder("sql") / "schema.sql").read_text("utf-8")
    await schema.check(connection)


async def test_of_eight_migrators_at_once_one_applies_each_step(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    reports = await asyncio.gather(*(schema.migrate(empty_database) for _ in range(8)))

    assert sorted(name for report in reports for name in report.applied) == IDS
    assert {report.current for report in reports} == {IDS[-1]}
    await assert_whole(empty_database, connection)


async def test_a_migrator_killed_at_any_moment_leaves_nothing_stale(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    unfinished = 0
    for moment in range(15):
        process = await start_migrator(empty_database)
        await eventually(migrators(connection), seconds=30)
        await asyncio.sleep(moment * 0.012)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        unfinished += await process.wait() != 0

        await schema.migrate(empty_database, lock_timeout=10)

        await assert_whole(empty_database, connection)
        await connection.execute("DROP SCHEMA workflow_store CASCADE")
    assert unfinished >= 3, "too few of the kills came in time"


@pytest.mark.parametrize("table", ["yoyo_lock", "_yoyo_log", "_yoyo_migration"])
async def test_a_migrator_killed_between_a_step_and_its_mark_has_done_neither(
    empty_database: str, connection: asyncpg.Connection[Any], holder: asyncpg.Connection[Any], table: str
) -> None:
    await schema.migrate(empty_database, to=IDS[0])
    async with holder.transaction():
        await holder.execute(f"LOCK TABLE workflow_store.{table} IN SHARE MODE")
        process = await start_migrator(empty_database)
        await eventually(migrators(connection, "wait_event_type = 'Lock'"), seconds=30)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        # The server ends the session by itself, though what it waits for is still held.
        await eventually(no_migrators(connection))
    assert (await schema.status(empty_database)).current == IDS[0]

    report = await schema.migrate(empty_database, lock_timeout=10)

    assert list(report.applied) == IDS[1:]
    await assert_whole(empty_database, connection)


async def test_a_rollback_killed_before_its_mark_is_gone_has_done_neither(
    empty_database: str, connection: asyncpg.Connection[Any], holder: asyncpg.Connection[Any]
) -> None:
    await schema.migrate(empty_database)
    async with holder.transaction():
        await holder.execute("LOCK TABLE workflow_store._yoyo_migration IN SHARE MODE")
        task = asyncio.ensure_future(schema.rollback(empty_database))
        await eventually(migrators(connection, "wait_event_type = 'Lock'"), seconds=30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(no_migrators(connection))
    assert (await schema.migrate(empty_database, lock_timeout=10)).applied == ()
    await assert_whole(empty_database, connection)

    assert (await schema.rollback(empty_database, lock_timeout=10)).rolled_back == (IDS[-1],)


async def test_a_lock_row_left_behind_is_removed(empty_database: str, connection: asyncpg.Connection[Any]) -> None:
    await schema.migrate(empty_database, to=IDS[0])
    await connection.execute("INSERT INTO workflow_store.yoyo_lock (locked, ctime, pid) VALUES (1, now(), 4711)")

    await schema.migrate(empty_database, lock_timeout=5)

    await assert_whole(empty_database, connection)


async def test_yoyo_at_work_by_hand_is_waited_for_no_longer_than_told(
    empty_database: str, connection: asyncpg.Connection[Any], holder: asyncpg.Connection[Any]
) -> None:
    await schema.migrate(empty_database, to=IDS[0])

    async with holder.transaction():
        await holder.execute("INSERT INTO workflow_store.yoyo_lock (locked, ctime, pid) VALUES (1, now(), 4711)")
        with pytest.raises(LockTimeout, match=f"{IDS[1]}: yoyo's own lock is held"):
            await schema.migrate(empty_database, lock_timeout=0.3)

    assert (await schema.status(empty_database)).current == IDS[0]


async def test_a_lock_held_too_long_is_told_and_leaves_no_trace(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    started = time.monotonic()
    async with lock_held(connection):
        with pytest.raises(LockTimeout, match=r"another migrator .* 0\.5 s"):
            await schema.migrate(empty_database, lock_timeout=0.5)

    assert time.monotonic() - started < 20
    assert await connection.fetchval("SELECT to_regnamespace('workflow_store')") is None


async def test_a_step_that_waits_too_long_for_a_table_fails_by_name(
    empty_database: str, connection: asyncpg.Connection[Any], holder: asyncpg.Connection[Any]
) -> None:
    await schema.migrate(empty_database)

    async with holder.transaction():
        await holder.execute("SELECT count(*) FROM workflow_store.workflow_scrape")
        with pytest.raises(MigrationFailed, match=f"{IDS[-1]}: .*lock timeout"):
            await schema.rollback(empty_database, lock_timeout=0.5)

    await assert_whole(empty_database, connection)


async def test_a_cancelled_call_leaves_no_process_and_no_lock(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    before = children()
    async with lock_held(connection):
        task = asyncio.ensure_future(schema.migrate(empty_database))
        await eventually(migrators(connection), seconds=30)
        assert len(children() - before) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert children() <= before
    await eventually(no_migrators(connection))

    assert list((await schema.migrate(empty_database, lock_timeout=10)).applied) == IDS


async def test_a_call_cancelled_twice_still_ends_its_process(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    before = children()
    async with lock_held(connection):
        task = asyncio.ensure_future(schema.migrate(empty_database))
        await eventually(migrators(connection), seconds=30)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        async def reaped() -> bool:
            return children() <= before

        await eventually(reaped)


async def test_a_late_call_is_ended_even_if_its_process_is_frozen(
    empty_database: str, connection: asyncpg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow_store.schema.child._GRACE", 0.5)
    before = children()
    async with lock_held(connection):
        task = asyncio.ensure_future(schema.migrate(empty_database, timeout=5))
        await eventually(migrators(connection), seconds=30)
        (child,) = children() - before
        os.kill(child, signal.SIGSTOP)
        with pytest.raises(CommandTimeout, match="within 5 s"):
            await task

        assert children() <= before


async def test_a_process_that_dies_without_a_word_is_a_failed_migration(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    before = children()
    async with lock_held(connection):
        task = asyncio.ensure_future(schema.migrate(empty_database))
        await eventually(migrators(connection), seconds=30)
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)

        with pytest.raises(MigrationFailed, match="ended with code -9: no word"):
            await task


async def test_a_connection_lost_in_a_step_is_told_with_the_step(
    empty_database: str, connection: asyncpg.Connection[Any], holder: asyncpg.Connection[Any]
) -> None:
    await schema.migrate(empty_database, to=IDS[0])
    async with holder.transaction():
        await holder.execute("LOCK TABLE workflow_store._yoyo_migration IN SHARE MODE")
        task = asyncio.ensure_future(schema.migrate(empty_database))
        await eventually(migrators(connection, "wait_event_type = 'Lock'"), seconds=30)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'workflow-store schema'"
        )
        with pytest.raises(MigrationFailed, match=rf"{IDS[1]}: .*57P01"):
            await task

    await schema.migrate(empty_database)
    await assert_whole(empty_database, connection)
