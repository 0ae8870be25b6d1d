"""The server's limits: its disk is full, its connections are all taken, a lock or a statement takes too long."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from tests.faults.node import Node
from tests.faults.proxy import Proxy
from tests.records import small_workflow
from workflow_store import Settings, Structure, Workflow, WorkflowStore, schema
from workflow_store.errors import CommandTimeout, LockTimeout, ResourceError, ServerError
from workflow_store.models.json import Json

DATABASE = "workflows"
MB = 1024 * 1024


def settings_for(dsn: str, **more: Any) -> Settings:
    return Settings.load(dsn=dsn, **{"pool_min_size": 0, "pool_max_size": 4, "search_refresh": "manual", **more})


def large(number: int) -> Workflow:
    """Half a megabyte that can't be compressed."""
    noise = os.urandom(MB // 4).hex()
    return small_workflow(f"large {number}", structure=Structure(workflow_json=Json({"nodes": [], "noise": noise})))


@pytest.fixture
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    with Node.made() as node:
        node.initialise()
        node.start(**getattr(request, "param", {}))
        node.execute(f"CREATE DATABASE {DATABASE}")
        asyncio.run(schema.migrate(node.dsn(DATABASE)))
        yield node


@pytest.fixture
def small_disk(node: Node) -> Iterator[Path]:
    """A file system of 100 MB that has the server's tables, and not its log; making one takes root."""
    folder = node.data.parent / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m,mode=755", "tmpfs", str(folder)], check=True)
    try:
        node.make_folder(folder / "tables")
        node.execute(f"CREATE TABLESPACE small LOCATION '{folder / 'tables'}'")
        node.execute(f"ALTER DATABASE {DATABASE} SET TABLESPACE small")
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_is_a_resource_error_after_a_few_attempts_and_reads_go_on(
    node: Node, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "workflow_store")
    async with WorkflowStore.open(settings_for(node.dsn(DATABASE), retry_timeout=2.0)) as store:
        stored = 0
        with pytest.raises(ResourceError) as caught:
            for number in range(400):
                await store.ingest([large(number)])
                stored += 1
        retries = [record for record in caplog.records if getattr(record, "event", "") == "retry"]

        assert caught.value.sqlstate == "53100"
        assert stored > 20
        assert 2 <= len(retries) <= 20, "it backs off, and does not storm"
        assert await store.count_workflows() == stored
        assert await store.get_workflow("large 0") is not None
        assert store.get_pool_statistics().checked_out == 0


async def test_an_ingest_goes_on_when_there_is_room_again(node: Node, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(_free(small_disk) - 12 * MB))
    async with WorkflowStore.open(settings_for(node.dsn(DATABASE), retry_timeout=60.0)) as store:
        working = asyncio.create_task(store.ingest((large(number) for number in range(40)), batch_size=4))
        async with asyncio.timeout(60):
            while _free(small_disk) > MB:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        assert not working.done()
        ballast.unlink()
        report = await asyncio.wait_for(working, 60)

        assert (report.inserted, report.rejected) == (40, 0)
        assert await store.count_workflows() == 40


def _free(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


@pytest.mark.parametrize("node", [{"max_connections": 10}], indirect=True)
async def test_without_a_free_connection_the_server_is_asked_seldom_and_used_when_there_is_one(node: Node) -> None:
    async with Proxy.before(node.dsn(DATABASE)) as proxy, WorkflowStore.open(settings_for(proxy.dsn)) as store:
        others = await asyncio.to_thread(_take_all, node)
        try:
            before = proxy.opened
            answers = await asyncio.gather(
                *(store.count_workflows(timeout=3) for _ in range(200)), return_exceptions=True
            )
            asked = proxy.opened - before
        finally:
            for other in others:
                other.close()
        kinds = {type(answer) for answer in answers}
        again = await asyncio.gather(*(store.count_workflows(timeout=20) for _ in range(200)))

    assert ResourceError in kinds
    assert all(isinstance(answer, ServerError) for answer in answers)
    assert {answer.sqlstate for answer in answers if isinstance(answer, ResourceError)} == {"53300"}
    assert asked <= 20
    assert again == [0] * 200


def _take_all(node: Node) -> list[psycopg.Connection[Any]]:
    """Every connection the server has, those of the store too."""
    taken = [psycopg.connect(node.dsn(), autocommit=True)]
    taken[0].execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'")
    deadline = time.monotonic() + 10
    while len(taken) < 10:
        try:
            taken.append(psycopg.connect(node.dsn()))
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "a connection that was ended is still there"
    return taken


@pytest.mark.parametrize(
    ("limit", "error", "sqlstate"),
    [("lock_timeout", LockTimeout, "55P03"), ("statement_timeout", CommandTimeout, "57014")],
)
async def test_what_the_server_gives_up_is_a_timeout_of_its_kind_and_the_connection_is_good(
    database_dsn: str, connection: asyncpg.Connection[Any], limit: str, error: type[ServerError], sqlstate: str
) -> None:
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE \"{name}\" SET {limit} = '300ms'")
    async with WorkflowStore.open(settings_for(database_dsn, pool_max_size=1)) as store:
        await store.create_workflow(small_workflow("1"))
        pid = await _pid(store)
        async with connection.transaction():
            await connection.execute("SELECT FROM workflow_store.workflows WHERE workflow_id = '1' FOR UPDATE")
            with pytest.raises(error) as caught:
                await store.update_workflow("1", quality_score=2.0)
        assert caught.value.sqlstate == sqlstate
        assert await store.update_workflow("1", quality_score=2.0) is not None
        assert await _pid(store) == pid


async def _pid(store: WorkflowStore) -> int | None:
    async with store._opened().session() as session:
        return session.pid
