"""What an ingest does with workflows that are stored already, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest

from tests.records import full_workflow, with_views
from workflow_store import CommandTimeout, IngestError, IngestReport, InvalidField, Workflow, WorkflowStore
from workflow_store.database import Session

pytestmark = pytest.mark.usefixtures("creating")

OnlyNew = Literal["insert", "skip"]


async def views(store: WorkflowStore) -> dict[str, int | None]:
    listed = [workflow async for workflow in store.stream_workflows(include={"metadata"})]
    return {workflow.workflow_id: workflow.metadata.views for workflow in listed if workflow.metadata}


def viewed(workflow_id: str, number: int) -> Workflow:
    return with_views(full_workflow(workflow_id), number)


@pytest.mark.parametrize("batch_size", [1, 2, 100])
async def test_skip_stores_what_is_new_and_leaves_the_rest_alone(store: WorkflowStore, batch_size: int) -> None:
    await store.create_workflow(viewed("b", 1))
    given = [viewed("a", 2), viewed("b", 2), viewed("c", 2), viewed("c", 3), viewed("a", 3)]

    report = await store.ingest(given, mode="skip", batch_size=batch_size)

    assert (report.inserted, report.skipped, report.rejected, report.repeated) == (2, 3, 0, 0)
    assert report.stored == 2
    assert await views(store) == {"a": 2, "b": 1, "c": 2}


async def test_skip_writes_nothing_at_all_for_what_is_stored(store: WorkflowStore, session: Session) -> None:
    given = [full_workflow("a"), full_workflow("b")]
    await store.ingest(given)
    seen = "SELECT array_agg((workflow_id, last_seen_at, xmin::text)::text) FROM workflow_store.workflow_scrape"
    before = await session.connection.fetchval(seen)

    report = await store.ingest(given, mode="skip")

    assert (report.skipped, report.stored, report.bytes) == (2, 0, 0)
    assert await session.connection.fetchval(seen) == before


@pytest.mark.parametrize("batch_size", [1, 2, 100])
async def test_insert_sets_what_is_stored_already_aside(
    store: WorkflowStore, session: Session, batch_size: int
) -> None:
    await store.create_workflow(viewed("b", 1))
    given = [viewed("a", 2), viewed("b", 2), viewed("c", 2), viewed("c", 3)]

    report = await store.ingest(given, mode="insert", batch_size=batch_size)

    assert (report.inserted, report.rejected, report.skipped) == (2, 2, 0)
    assert sorted((one.position, one.reason) for one in report.rejections) == [
        (1, "workflow 'b' already exists"),
        (3, "workflow 'c' already exists"),
    ]
    assert await views(store) == {"a": 2, "b": 1, "c": 2}
    kept = await session.connection.fetchval("SELECT count(*) FROM workflow_store.ingest_quarantine")
    assert kept == 2


async def test_insert_that_raises_stores_nothing_of_its_batch(store: WorkflowStore) -> None:
    await store.create_workflow(viewed("d", 1))
    given = [viewed(name, 2) for name in "abcdef"]

    with pytest.raises(IngestError, match="record 3: .*workflow 'd' already exists") as caught:
        await store.ingest(given, mode="insert", on_error="raise", batch_size=2, connections=1)

    assert caught.value.report.inserted == 2
    assert await views(store) == {"a": 2, "b": 2, "d": 1}


@pytest.mark.parametrize("mode", ["insert", "skip"])
async def test_writers_of_the_same_new_ids_store_each_once(store: WorkflowStore, mode: OnlyNew) -> None:
    given = [full_workflow(f"id{number:03}") for number in range(60)]

    reports = await asyncio.gather(*(store.ingest(given, mode=mode, batch_size=7) for _ in range(6)))

    assert sum(report.inserted for report in reports) == 60
    assert sum(report.skipped + report.rejected for report in reports) == 5 * 60
    assert await store.count_workflows() == 60


async def test_a_workflow_deleted_a_moment_ago_is_new(store: WorkflowStore) -> None:
    await store.create_workflow(viewed("a", 1))
    await store.delete_workflow("a")

    report = await store.ingest([viewed("a", 2), viewed("b", 2)], mode="insert", on_error="raise")

    assert report.inserted == 2
    assert await views(store) == {"a": 2, "b": 2}


async def test_a_source_that_never_ends_is_ended_by_the_timeout(store: WorkflowStore) -> None:
    async def endless() -> AsyncIterator[Workflow]:
        number = 0
        while True:
            yield full_workflow(f"id{number:06}")
            number += 1
            await asyncio.sleep(0)

    report = IngestReport()
    with pytest.raises(CommandTimeout, match=r"did not end within 1\.5 s") as caught:
        await store.ingest(endless(), batch_size=5, timeout=1.5, report=report)

    assert report.inserted > 0
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__notes__ == [f"stored before this: {report.inserted} workflows, rejected 0"]
    # A batch that was in flight may have been committed before its cancellation arrived.
    assert 0 <= await store.count_workflows() - report.inserted <= 2 * 5
    assert (await store.ingest([full_workflow("after")])).inserted == 1


async def test_a_timeout_of_the_source_itself_passes_through(store: WorkflowStore) -> None:
    async def slow() -> AsyncIterator[Workflow]:
        yield full_workflow("a")
        raise TimeoutError("the page")

    with pytest.raises(TimeoutError, match="the page"):
        await store.ingest(slow(), timeout=60)


@pytest.mark.parametrize(
    ("option", "value"), [("mode", "merge"), ("mode", None), ("on_error", "ignore"), ("timeout", 0), ("timeout", -1.0)]
)
async def test_options_that_are_none_are_refused(store: WorkflowStore, option: str, value: object) -> None:
    options: dict[str, object] = {option: value}
    with pytest.raises(InvalidField) as caught:
        await store.ingest([full_workflow("a")], **options)  # type: ignore[arg-type]

    assert caught.value.field == option
    assert await store.count_workflows() == 0


async def test_an_ingest_may_wait_for_the_search_of_long_texts(store: WorkflowStore) -> None:
    report = await store.ingest((full_workflow(f"id{number}") for number in range(30)), refresh=True)

    assert report.inserted == 30
    assert (await store.get_search_lag()).pending == 0
