"""The original's integration tests of its storage, by name and meaning.

Where those measured seconds, these count: statements, connections, bytes. A slow machine must not fail a test, and a
statement too many must.
"""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest_asyncio

from tests.contract.results import extracted, failed_result, flat_result
from tests.records import parts_of
from workflow_store import Json, Repository, Settings, Structure, Workflow, WorkflowStore
from workflow_store.database import HeldSession, Session
from workflow_store.queries.parameters import Limits

MEGABYTE = 1024 * 1024


def workflows(number: int = 100) -> list[Workflow]:
    """Every tenth without its second layer, every twentieth without its third."""
    made = []
    for n in range(number):
        failed = [name for name, every in (("layer2", 10), ("layer3", 20)) if n % every == 0]
        result = failed_result(*failed, number=n, quality_score=60.0 + n % 40, processing_time=10.0 + n % 5)
        made.append(extracted(result, f"W-{n:03}"))
    return made


@pytest_asyncio.fixture
async def filled(store: WorkflowStore) -> WorkflowStore:
    await store.ingest(workflows())
    return store


class Counted(Repository):
    """A repository on one connection that keeps the statements it sends."""

    def __init__(self, session: Session) -> None:
        super().__init__(HeldSession(session), Limits())
        self.statements: list[str] = []

    def log(self, record: Any) -> None:
        self.statements.append(record.query)

    async def taken(self) -> int:
        """How many statements were sent since the last look."""
        await asyncio.sleep(0)  # the driver tells of a statement in the loop's next turn
        number = len(self.statements)
        self.statements.clear()
        return number


@pytest_asyncio.fixture
async def counted(session: Session) -> AsyncIterator[Counted]:
    repository = Counted(session)
    # The driver asks once a connection what the types of parameters are.
    await repository.create_workflow(extracted(flat_result(), "first"))
    await repository.get_workflows(["first"])
    await repository.list_workflows()
    await repository.search_workflows("first", mode="substring")
    await repository.get_statistics()
    await repository.delete_workflow("first")
    with session.connection.query_logger(repository.log):
        yield repository


async def test_bulk_insert_100_workflows(counted: Counted, store: WorkflowStore) -> None:
    for workflow in workflows():
        await counted.create_workflow(workflow)
    one_by_one = await counted.taken()
    known = await store.get_workflows(workflow.workflow_id for workflow in workflows())
    await store.delete_workflows(known)

    report = await store.ingest(workflows())

    # A statement each, or one batch for all of them.
    assert one_by_one == 100
    assert (report.inserted, report.rejected, report.stored) == (100, 0, 100)
    again = await store.get_workflows(known)
    assert list(again) == list(known)
    assert [parts_of(workflow) for workflow in again.values()] == [parts_of(workflow) for workflow in known.values()]


async def test_query_performance(filled: WorkflowStore, counted: Counted) -> None:
    whole = await counted.get_workflow("W-001")
    assert await counted.taken() == 1
    assert whole is not None
    assert None not in (whole.metadata, whole.structure, whole.content, whole.transcripts)

    page = await counted.list_workflows(limit=50, include={"metadata", "structure", "content"})
    assert await counted.taken() == 1
    assert len(page) == 50

    hits = await counted.search_workflows("workflow 42", mode="substring")
    assert await counted.taken() == 1
    assert [hit.workflow.workflow_id for hit in hits.items] == ["W-042"]

    many = await counted.get_workflows(f"W-{n:03}" for n in range(100))
    assert await counted.taken() == 1
    assert len(many) == 100


async def test_database_statistics(filled: WorkflowStore, counted: Counted) -> None:
    found = await counted.get_statistics()

    assert await counted.taken() == 1
    assert found.total_workflows == 100
    assert (found.layer1_success_count, found.layer2_success_count, found.layer3_success_count) == (100, 90, 95)
    assert (found.layer1_success_rate, found.layer2_success_rate, found.layer3_success_rate) == (100.0, 90.0, 95.0)
    scores = [60.0 + n % 40 for n in range(100)]
    assert found.avg_quality_score == sum(scores) / 100
    assert found.avg_processing_time == 12.0


async def test_data_integrity(filled: WorkflowStore, session: Session) -> None:
    stored = await filled.get_workflows(f"W-{n:03}" for n in range(100))

    assert list(stored) == [workflow.workflow_id for workflow in workflows()]
    for given in workflows():
        back = stored[given.workflow_id]
        for part in ("metadata", "structure", "content"):
            expected = getattr(given, part)
            found = getattr(back, part)
            assert (found is None) == (expected is None)
            if found is not None:
                assert found.model_copy(update={"extracted_at": None}) == expected
        assert back.error_message == given.error_message
        assert len(back.transcripts or ()) == len(given.transcripts or ())
    for table in ("workflow_metadata", "workflow_structure", "workflow_content", "video_transcripts"):
        orphans = f"SELECT count(*) FROM workflow_store.{table} WHERE workflow_id NOT IN (TABLE ids)"
        ids = "WITH ids AS (SELECT workflow_id FROM workflow_store.workflows)"
        assert await session.connection.fetchval(f"{ids} {orphans}") == 0


async def test_memory_usage(store: WorkflowStore) -> None:
    size, number = 20_000, 400

    def source() -> Iterator[Workflow]:
        for n in range(number):
            document = Json({"nodes": [f"{n}{'x' * size}"]})
            yield Workflow(workflow_id=f"{n:04}", url="u", structure=Structure(workflow_json=document))

    await store.ingest(source(), batch_size=10)  # connections, statements and caches are made by now
    tracemalloc.start()
    try:
        await store.ingest(source(), batch_size=10, replace=True)
        await store.delete_workflows(f"{n:04}" for n in range(number))
        await store.ingest(source(), batch_size=10)
        read = 0
        async for workflow in store.stream_workflows(include={"structure"}, prefetch=10):
            assert workflow.structure is not None
            read += 1
        left, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # 8 MB go in and come out. Three batches of ten, 0.6 MB, are alive at a time: one that is read and two in flight,
    # each as the caller's record, as rows and as bytes on their way.
    assert read == number
    assert peak < 4 * MEGABYTE
    assert left < 1 * MEGABYTE


async def test_connection_pool(database_dsn: str) -> None:
    defaults = Settings()
    assert (defaults.pool_min_size, defaults.pool_max_size) == (10, 10 + 20)
    assert (defaults.acquire_timeout, defaults.max_lifetime) == (30.0, 3600.0)

    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=2, pool_max_size=4, search_refresh="manual") as store:
        opened = store.get_pool_statistics()
        await asyncio.gather(*(store.upsert_workflow(workflow) for workflow in workflows(50)))
        async with store.transaction(), store.transaction(), store.transaction():
            held = store.get_pool_statistics()
        idle = store.get_pool_statistics()

        assert (opened.pool_size, opened.total_connections, opened.checked_out) == (2, 2, 0)
        assert (held.checked_out, held.waiting) == (3, 0)
        assert held.total_connections == held.checked_in + held.checked_out <= 4
        assert held.overflow == held.total_connections - 2
        assert (idle.checked_out, idle.checked_in) == (0, idle.total_connections)
        assert await store.count_workflows() == 50


async def test_performance_requirements(counted: Counted, store: WorkflowStore) -> None:
    for workflow in workflows():
        await counted.create_workflow(workflow)
    for n in range(100):
        assert await counted.get_workflow(f"W-{n:03}") is not None
    await counted.list_workflows(limit=50)
    await counted.search_workflows("email", mode="substring")
    await counted.get_statistics()
    for n in range(100):
        assert await counted.delete_workflow(f"W-{n:03}")

    # Whatever is asked, the server is asked once.
    assert await counted.taken() == 100 + 100 + 1 + 1 + 1 + 100
    assert await store.count_workflows() == 0
