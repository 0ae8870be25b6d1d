"""What operations cost, counted: round trips, statements and bytes on the wire, calls in the client."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.wire import Wire, wire
from workflow_store import Workflow, WorkflowStore, samples
from workflow_store.importers import read_path
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Limits


@pytest_asyncio.fixture
async def counted(database_dsn: str) -> AsyncIterator[Wire]:
    """A proxy before the database of this test."""
    async with wire(database_dsn) as proxy:
        yield proxy


def on_one_connection(dsn: str) -> AbstractAsyncContextManager[WorkflowStore]:
    """A store whose ingest has one connection; the refresh of search documents would be counted with it."""
    return WorkflowStore.open(dsn=dsn, pool_min_size=1, pool_max_size=2, search_refresh="manual", ingest_connections=1)


@pytest_asyncio.fixture
async def store(counted: Wire) -> AsyncIterator[WorkflowStore]:
    """By way of the proxy."""
    async with on_one_connection(counted.dsn) as opened:
        yield opened


@pytest_asyncio.fixture
async def direct(database_dsn: str) -> AsyncIterator[WorkflowStore]:
    """Without the proxy, whose calls would be counted with the client's."""
    async with on_one_connection(database_dsn) as opened:
        yield opened


@pytest.fixture(scope="module")
def workflows() -> Sequence[Workflow]:
    """Generated ones with all four parts and without a count of their own."""
    return list(islice((one for one in samples.generate(1_000) if is_whole(one)), 60))


def is_whole(workflow: Workflow) -> bool:
    parts = (workflow.metadata, workflow.structure, workflow.content, workflow.transcripts)
    return None not in parts and workflow.retry_count is None


def with_views(workflows: Sequence[Workflow], views: int) -> list[Workflow]:
    return [
        one.model_copy(update={"metadata": one.metadata.model_copy(update={"views": views})})
        for one in workflows
        if one.metadata
    ]


def with_other_ids(workflows: Sequence[Workflow], count: int) -> list[Workflow]:
    """So many of them, over and over."""
    again = islice(cycle(workflows), count)
    return [one.model_copy(update={"workflow_id": f"again {number}"}) for number, one in enumerate(again)]


@contextmanager
def calls() -> Iterator[Counter[str]]:
    """Counts the calls of functions, Python's and C's: nearly all that a client does here, and the same each time."""
    counted: Counter[str] = Counter()

    def count(frame: object, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            counted[event] += 1

    sys.setprofile(count)
    try:
        yield counted
    finally:
        sys.setprofile(None)


def encode_all(workflows: Sequence[Workflow]) -> None:
    now = datetime.now(UTC)
    for one in workflows:
        encode(one, Limits(), now)


def test_a_record_is_encoded_in_few_calls(workflows: Sequence[Workflow]) -> None:
    encode_all(workflows)
    with calls() as counted:
        encode_all(workflows)

    # With all four parts; a loop over columns in Python would show as several times this.
    assert counted["call"] <= 37 * len(workflows)
    assert counted["c_call"] <= 42 * len(workflows)


async def test_an_unchanged_record_costs_the_client_less_than_its_encoding(
    direct: WorkflowStore, workflows: Sequence[Workflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    # How often others are let in is told by the clock, and would make the count another one each time.
    monkeypatch.setattr("workflow_store.ingest.turns._LONGEST", 3600.0)
    await direct.ingest(workflows)
    await direct.ingest(workflows)
    some = workflows[:40]
    with calls() as encoding:
        encode_all(workflows[len(some) :])
    with calls() as few:
        await direct.ingest(some, touch=False)
    with calls() as many:
        await direct.ingest(workflows, touch=False)

    # Each has two questions; what is left is a record's.
    assert many.total() - few.total() < encoding.total()


async def test_an_unchanged_line_costs_the_client_a_fraction_of_its_reading(
    direct: WorkflowStore, workflows: Sequence[Workflow], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("workflow_store.ingest.turns._LONGEST", 3600.0)
    counts: list[int] = []
    for number in (32, 64, 128):
        path = tmp_path / f"{number}.jsonl"
        given = [workflows[0].model_copy(update={"workflow_id": str(n)}) for n in range(number)]
        path.write_bytes(b"".join(one.to_json().raw + b"\n" for one in given))
        await direct.ingest(read_path(path))
        await direct.ingest(read_path(path))
        with calls() as counted:
            await direct.ingest(read_path(path), touch=False)
        counts.append(counted.total())

    # The last two have the same number of questions.
    assert counts[2] - counts[1] <= 50 * 64


async def test_one_new_workflow_is_one_round_trip(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    await store.create_workflow(workflows[0])
    await store.upsert_workflow(workflows[1])
    counted.reset()

    await store.create_workflow(workflows[2])
    assert (counted.round_trips, counted.statements, counted.prepared) == (1, 1, 0)
    await store.upsert_workflow(workflows[3])
    assert (counted.round_trips, counted.statements, counted.prepared) == (2, 2, 0)


async def test_one_unchanged_workflow_is_a_question_and_a_note(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    await store.create_workflow(workflows[0])
    await store.upsert_workflow(workflows[0])
    counted.reset()

    assert await store.upsert_workflow(workflows[0]) == "unchanged"
    assert (counted.round_trips, counted.statements) == (2, 2)
    assert counted.bytes_sent < 500
    counted.reset()
    assert await store.upsert_workflow(workflows[0], touch=False) == "unchanged"
    assert (counted.round_trips, counted.statements) == (1, 1)


async def test_the_first_get_of_a_connection_is_as_cheap_as_the_next(store: WorkflowStore, counted: Wire) -> None:
    counted.reset()

    assert await store.get_workflow("none") is None
    assert (counted.round_trips, counted.statements, counted.prepared) == (1, 1, 0)


async def test_reads_are_one_round_trip(store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]) -> None:
    await store.ingest(workflows)
    await store.refresh_search()
    ids = [one.workflow_id for one in workflows]
    reads = (
        lambda: store.get_workflow(ids[0]),
        lambda: store.get_workflows(ids),
        lambda: store.exists(ids),
        lambda: store.list_workflows(limit=20),
        lambda: store.list_workflows(limit=20, order_by="views", order_desc=False),
        lambda: store.search_workflows("workflow", limit=20),
        lambda: store.suggest("a"),
        lambda: store.get_statistics(),
    )
    for read in reads:
        # Each connection prepares a statement once.
        await read()
        counted.reset()
        await read()
        assert (counted.round_trips, counted.statements, counted.prepared) == (1, 1, 0)


async def test_a_filtered_page_is_planned_for_its_values_at_the_price_of_one_round_trip(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    await store.ingest(workflows)
    for _ in range(3):
        counted.reset()
        await store.list_workflows(limit=20, node_type="n8n-nodes-base.telegram")

    assert counted.round_trips <= 4
    assert counted.statements <= 2


async def test_a_few_new_workflows_cost_the_same_round_trips_whatever_their_number(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    await store.ingest(workflows[:1])
    for number, some in ((2, workflows[1:3]), (50, workflows[3:53])):
        counted.reset()
        report = await store.ingest(some)

        assert report.inserted == number
        # Two questions; BEGIN; all of them in one statement; COMMIT.
        assert counted.round_trips == counted.statements == 2 + 1 + 1 + 1
        assert counted.prepared == 0
        # Beside what is stored: lengths of values, hashes and stamps.
        assert counted.bytes_sent - report.bytes < 1_200 * number + 1_500


async def test_a_batch_of_new_workflows_costs_the_same_round_trips_whatever_its_size(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    given = with_other_ids(workflows, 300)
    await store.ingest(given[:70])
    for number, some in ((65, given[70:135]), (150, given[135:285])):
        counted.reset()
        report = await store.ingest(some)

        assert report.inserted == number
        # Two questions; BEGIN; a COPY of two round trips for each of five tables; the note; COMMIT.
        assert counted.round_trips == 2 + 1 + 5 * 2 + 1 + 1
        assert counted.statements == 2 + 1 + 5 + 1 + 1
        assert counted.prepared == 0
        # Beside what is stored: names of columns, lengths of values, hashes and stamps.
        assert counted.bytes_sent - report.bytes < 1_200 * number + 1_500


async def test_marks_of_workflows_that_are_gone_do_not_keep_new_ones_from_being_inserted(
    store: WorkflowStore, counted: Wire, connection: asyncpg.Connection[Any], workflows: Sequence[Workflow]
) -> None:
    for given, inserting in ((workflows, 1), (with_other_ids(workflows, 70), 5 * 2 + 1)):
        await store.ingest(given)
        # Whoever empties the table by hand leaves the marks behind: no foreign key leads from them.
        await connection.execute("TRUNCATE workflow_store.workflows CASCADE")
        counted.reset()

        report = await store.ingest(given)

        assert report.inserted == len(given)
        assert counted.round_trips == 2 + 1 + inserting + 1
        assert (await store.get_search_lag()).pending >= len(given)


async def test_a_batch_that_did_not_change_sends_ids_alone(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    ids = sum(len(one.workflow_id) for one in workflows)
    for touch in (True, False):
        await store.ingest(workflows, touch=touch)
        counted.reset()

        await store.ingest(workflows, touch=touch)
        # The first question is about 32, the second about the others.
        assert (counted.round_trips, counted.statements, counted.prepared) == (2, 2, 0)
        # An id, and a hash of 32 digits.
        assert counted.bytes_sent < ids + (4 + 32 + 4) * len(workflows) + 250


async def test_a_batch_that_is_found_unchanged_by_its_parts_sends_ids_and_hashes_alone(
    store: WorkflowStore, counted: Wire, connection: asyncpg.Connection[Any], workflows: Sequence[Workflow]
) -> None:
    await store.ingest(workflows)
    await store.ingest(workflows)
    forget = "UPDATE workflow_store.workflow_scrape SET given_hash = NULL"
    await connection.execute(forget)
    await store.ingest(workflows)
    await connection.execute(forget)
    urls = sum(len(one.url) for one in workflows)
    ids = sum(len(one.workflow_id) for one in workflows)
    counted.reset()

    await store.ingest(workflows)
    # A question in vain, about the first 32; the one for the hashes of their parts, and the note.
    assert (counted.round_trips, counted.statements) == (3, 3)
    assert counted.bytes_sent < 3 * ids + urls + (6 * 4 + 2 * 32 + 32) * len(workflows) + 300


async def test_changed_views_send_the_metadata_alone(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    await store.ingest(workflows)
    await store.ingest(with_views(workflows, 1))
    counted.reset()

    report = await store.ingest(with_views(workflows, 2))

    assert report.updated == len(workflows)
    # Three questions, BEGIN, lock, merge, stamp, note, COMMIT; of these three once for each workflow.
    assert counted.round_trips == 9
    assert counted.statements == 6 + 3 * len(workflows)
    assert counted.prepared == 0
    assert counted.bytes_sent < report.bytes / 4


async def test_tasks_that_wait_together_share_a_commit(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    async with store.writer() as writer:
        await writer.put(workflows[0])
        counted.reset()
        await asyncio.gather(*(writer.put(one) for one in workflows[1:41]))

    # One alone before, the first of the others alone, and the rest together.
    assert writer.groups == 3
    # What one statement costs, and one batch, COMMIT included.
    assert counted.round_trips <= 1 + 1 + 1 + 5 * 2 + 1 + 1 + 2


async def test_one_task_alone_is_one_statement_a_put(
    store: WorkflowStore, counted: Wire, workflows: Sequence[Workflow]
) -> None:
    async with store.writer() as writer:
        await writer.put(workflows[0])
        counted.reset()
        for one in workflows[1:11]:
            await writer.put(one)

    assert (counted.round_trips, counted.statements) == (10, 10)
