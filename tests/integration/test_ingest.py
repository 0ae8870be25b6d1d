from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from tests.quarantined import quarantined
from tests.records import full_workflow, parts_of, small_workflow, with_views
from workflow_store import (
    ConcurrencyConflict,
    IngestError,
    IngestReport,
    InvalidField,
    Json,
    Metadata,
    Rejected,
    StoreClosed,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
    samples,
)
from workflow_store.database import Session
from workflow_store.ingest import OnError, write_batch
from workflow_store.queries import catalogue
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Encoded, Limits

pytestmark = pytest.mark.usefixtures("creating")

TABLES = (
    "workflows",
    "workflow_metadata",
    "workflow_structure",
    "workflow_content",
    "video_transcripts",
    "workflow_scrape",
    "ingest_quarantine",
)


def encoded(workflow: Workflow) -> Encoded:
    return encode(workflow, Limits(), datetime.now(UTC))


async def row_versions(session: Session) -> dict[str, dict[str, int]]:
    """For each table, which transaction wrote each workflow's row."""
    versions = {}
    for table in TABLES[:-1]:
        rows = await session.connection.fetch(
            f"SELECT workflow_id, sum(xmin::text::bigint)::bigint FROM workflow_store.{table} GROUP BY workflow_id"
        )
        versions[table] = {row[0]: row[1] for row in rows}
    return versions


async def all_connections_come_back(store: WorkflowStore) -> bool:
    """Whether the pool is whole again; the refresh of search documents may still hold a connection for a moment."""
    for _ in range(100):
        if store.get_pool_statistics().checked_out == 0:
            return True
        await asyncio.sleep(0.05)
    return False


async def _states(session: Session) -> set[str]:
    rows = await session.connection.fetch(
        "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        # A worker of autovacuum is active, too.
        " AND backend_type = 'client backend'"
    )
    return {row["state"] for row in rows}


async def count(session: Session, table: str) -> int:
    return int(await session.connection.fetchval(f"SELECT count(*) FROM workflow_store.{table}"))


async def rows_of(session: Session, table: str) -> list[str]:
    """The rows of a table as texts, without what the server's clock and sequences say."""
    rows = await session.connection.fetch(
        "SELECT (to_jsonb(t) - '{created_at,updated_at,last_seen_at,given_at,marked_at,mark,id,due_at}'::text[])::text"
        f" FROM workflow_store.{table} AS t"
    )
    return sorted(row[0] for row in rows)


async def test_an_ingest_stores_every_record_and_counts_it(store: WorkflowStore) -> None:
    workflows = [full_workflow(f"id{number:03}") for number in range(25)]

    report = await store.ingest(workflows, batch_size=4, connections=3)

    assert (report.inserted, report.updated, report.unchanged, report.rejected) == (25, 0, 0, 0)
    assert report.stored == 25
    assert report.bytes == sum(encoded(workflow).size for workflow in workflows)
    assert report.seconds > 0
    for workflow in workflows:
        assert parts_of(await store.get_workflow(workflow.workflow_id)) == parts_of(workflow)


async def test_what_copy_stores_is_what_create_stores(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow("a"))
    await store.ingest([full_workflow("b")])

    for table in TABLES[:-2]:
        rows = await session.connection.fetch(
            f"SELECT to_jsonb(t) - 'workflow_id' - 'updated_at' - 'url' FROM workflow_store.{table} AS t "
            "ORDER BY workflow_id"
        )
        half = len(rows) // 2
        assert [row[0] for row in rows[:half]] == [row[0] for row in rows[half:]], table


async def test_an_async_source_is_read_too(store: WorkflowStore) -> None:
    async def source() -> AsyncIterator[Workflow]:
        for number in range(7):
            await asyncio.sleep(0)
            yield small_workflow(str(number))

    assert (await store.ingest(source(), batch_size=2)).inserted == 7


async def test_an_unchanged_ingest_moves_only_the_bookkeeping_and_untouched_nothing(
    store: WorkflowStore, session: Session
) -> None:
    workflows = [full_workflow(f"id{number}") for number in range(9)]
    await store.ingest(workflows)
    first = await row_versions(session)

    untouched = await store.ingest(workflows, touch=False, batch_size=4)
    second = await row_versions(session)
    touched = await store.ingest(workflows, batch_size=4)
    third = await row_versions(session)

    assert untouched.unchanged == touched.unchanged == 9
    assert second == first
    assert third["workflow_scrape"] != first["workflow_scrape"]
    assert third | {"workflow_scrape": {}} == first | {"workflow_scrape": {}}


async def test_changed_views_move_metadata_and_the_parents_stamps_only(store: WorkflowStore, session: Session) -> None:
    workflows = [full_workflow(f"id{number}") for number in range(9)]
    await store.ingest(workflows)
    first = await row_versions(session)

    report = await store.ingest([with_views(workflow, 77) for workflow in workflows], batch_size=4)
    second = await row_versions(session)

    assert report.updated == 9
    moved = {table for table in first if first[table] != second[table]}
    assert moved == {"workflows", "workflow_metadata", "workflow_scrape"}
    for table in moved:
        assert all(first[table][workflow_id] != second[table][workflow_id] for workflow_id in first[table])


async def test_one_batch_holds_new_changed_and_unchanged_records(store: WorkflowStore) -> None:
    await store.ingest([full_workflow("changed"), full_workflow("same")])

    report = await store.ingest(
        [full_workflow("new"), full_workflow("same"), full_workflow("changed", content=None, transcripts=())]
    )

    assert (report.inserted, report.updated, report.unchanged) == (1, 1, 1)
    expected = full_workflow("changed", transcripts=())
    assert parts_of(await store.get_workflow("changed")) == parts_of(expected)


async def test_the_same_id_twice_is_folded_part_by_part_and_the_last_wins(store: WorkflowStore) -> None:
    first = full_workflow("1", content=None)
    second = Workflow(workflow_id="1", url="https://second", metadata=Metadata(title="Second"), error_message="late")
    third = Workflow(workflow_id="1", url="https://third", transcripts=(), quality_score=3.0)

    report = await store.ingest([first, small_workflow("2"), second, third])

    assert (report.inserted, report.repeated) == (2, 2)
    assert parts_of(await store.get_workflow("1")) == parts_of(
        first.model_copy(
            update={
                "url": "https://third",
                "metadata": second.metadata,
                "transcripts": (),
                "quality_score": 3.0,
                "error_message": None,
            }
        )
    )


async def test_the_same_id_in_batches_in_flight_ends_with_the_last_record(store: WorkflowStore) -> None:
    source = [small_workflow("same", metadata=Metadata(title=str(number))) for number in range(60)]

    report = await store.ingest(source, batch_size=1, connections=8)

    assert (report.inserted, report.updated, report.repeated) == (1, 59, 0)
    back = await store.get_workflow("same")
    assert back is not None
    assert back.metadata is not None
    assert back.metadata.title == "59"


async def test_a_bad_record_goes_to_quarantine_and_the_others_are_stored(
    store: WorkflowStore, session: Session
) -> None:
    source: list[Any] = [small_workflow(str(number)) for number in range(10)]
    source[3] = small_workflow("bad", metadata=Metadata(title="half \ud83d"))
    source[6] = Rejected(source="file.jsonl:7", reason="Extra data at line 1, column 9", raw=b'{"a":1} x')
    source[9] = {"workflow_id": "a dict"}

    report = await store.ingest(source, batch_size=4)
    rows = await quarantined(session)

    assert (report.inserted, report.rejected) == (7, 3)
    by_position = {row.position: row for row in rows}
    assert sorted(by_position, key=int) == [3, 6, 9]  # type: ignore[arg-type]
    assert by_position[3].workflow_id == "bad"
    assert "metadata.title: a lone surrogate" in by_position[3].reason
    assert b"half" in by_position[3].raw
    assert (by_position[6].source, by_position[6].raw, by_position[6].raw_length) == (
        "file.jsonl:7",
        b'{"a":1} x',
        9,
    )
    assert by_position[9].reason == "a Workflow was expected, not dict"
    assert {item.position for item in report.rejections} == {3, 6, 9}


async def test_a_rerun_adds_no_second_row_to_the_quarantine(store: WorkflowStore, session: Session) -> None:
    bad = [Rejected(source="a", reason="one", raw=b"x"), Rejected(source="a", reason="two", raw=b"x")]

    await store.ingest(bad)
    (before,) = await quarantined(session)
    await store.ingest(bad[:1])
    (after,) = await quarantined(session)

    assert after.first_seen_at == before.first_seen_at
    assert after.last_seen_at > before.last_seen_at


async def test_quarantined_bytes_are_capped_and_their_length_is_told(store: WorkflowStore, session: Session) -> None:
    raw = b"\x00\xff" * 700_000
    await store.ingest([Rejected(source="big \x00 \ud800", reason="too \x00 large", raw=raw)])

    (row,) = await quarantined(session)

    assert (row.raw, row.raw_length) == (raw[:1_000_000], 1_400_000)
    assert (row.source, row.reason) == ("big \\x00 \\ud800", "too \\x00 large")


@pytest.mark.parametrize("position", [0, 1, 5, 9])
async def test_raise_stores_nothing_of_the_batch_and_carries_report_and_position(
    store: WorkflowStore, session: Session, position: int
) -> None:
    source = [small_workflow(str(number)) for number in range(10)]
    source[position] = small_workflow("bad", metadata=Metadata(title="\x00"))

    with pytest.raises(IngestError, match=rf"record {position}: .*NUL") as caught:
        await store.ingest(source, batch_size=4, connections=1, on_error="raise")

    whole_batches = position // 4 * 4
    assert caught.value.position == position
    assert caught.value.report.inserted == await count(session, "workflows") == whole_batches
    assert await count(session, "ingest_quarantine") == 0


async def test_a_source_that_raises_passes_through_and_committed_batches_stay(
    store: WorkflowStore, session: Session
) -> None:
    def source() -> Iterator[Workflow]:
        for number in range(10):
            yield small_workflow(str(number))
        raise OSError("the scraper fell over")

    report = IngestReport()
    with pytest.raises(OSError, match="fell over") as caught:
        await store.ingest(source(), batch_size=4, report=report)

    assert report.inserted == await count(session, "workflows") == 8
    assert caught.value.__notes__ == ["stored before this: 8 workflows, rejected 0"]
    assert (await store.ingest([small_workflow("later")])).inserted == 1


@pytest.fixture
async def fussy(session: Session) -> None:
    """A constraint that the library knows nothing of, so that only the server can refuse a record."""
    await session.connection.execute(
        "ALTER TABLE workflow_store.workflow_metadata ADD CONSTRAINT fussy CHECK (title <> 'refused')"
    )


def source_with_refused(positions: set[int]) -> list[Workflow]:
    return [
        small_workflow(f"id{number:02}", metadata=Metadata(title="refused" if number in positions else "fine"))
        for number in range(20)
    ]


@pytest.mark.parametrize("positions", [{0}, {19}, {7, 8}, {1, 6, 15}])
async def test_a_record_that_only_the_server_refuses_is_found_and_the_others_are_stored(
    store: WorkflowStore, session: Session, fussy: None, positions: set[int]
) -> None:
    report = await store.ingest(source_with_refused(positions))

    assert (report.inserted, report.rejected) == (20 - len(positions), len(positions))
    assert {item.position for item in report.rejections} == positions
    assert await count(session, "workflows") == 20 - len(positions)
    rows = await quarantined(session)
    assert {row.position for row in rows} == positions
    assert all("fussy" in row.reason for row in rows)


async def test_raise_finds_the_position_of_a_record_that_only_the_server_refuses(
    store: WorkflowStore, session: Session, fussy: None
) -> None:
    with pytest.raises(IngestError, match=r"record 13: .*fussy") as caught:
        await store.ingest(source_with_refused({13}), on_error="raise")

    assert caught.value.position == 13
    assert await count(session, "workflows") == 0


async def test_progress_is_told_after_each_batch(store: WorkflowStore) -> None:
    seen: list[int] = []

    await store.ingest(
        [small_workflow(str(number)) for number in range(10)],
        batch_size=4,
        connections=1,
        progress=lambda report: seen.append(report.stored),
    )

    assert seen == [4, 8, 10]


async def test_what_is_new_leaves_the_same_rows_by_either_way(
    store: WorkflowStore, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [
        *(one for one in samples.generate(50)),
        full_workflow("whole"),
        Workflow(workflow_id="bare", url="u", extracted_at=datetime(2026, 1, 1, tzinfo=UTC)),
        full_workflow("counted", retry_count=7),
        full_workflow("queued, counted", retry_count=7),
        full_workflow("queued", retry_count=None),
        full_workflow("no transcript", transcripts=()),
    ]
    left: list[dict[str, list[str]]] = []
    for few in (0, len(given)):
        monkeypatch.setattr("workflow_store.ingest.creation._FEW", few)
        for table in TABLES:
            await session.connection.execute(f"TRUNCATE workflow_store.{table} CASCADE")
        # Scraped in vain before.
        await store.enqueue([(queued, "https://n8n.io") for queued in ("queued", "queued, counted")])
        for claim in await store.claim(2, 60):
            await store.mark_failed(claim.workflow_id, "no answer", token=claim.token)
        report = await store.ingest(given)
        assert report.inserted == len(given)
        left.append({table: await rows_of(session, table) for table in (*TABLES, "workflow_search_pending")})

    assert left[0] == left[1]
    assert len(left[0]["workflows"]) == len(given)
    # Each is known by what was noted of it.
    assert (await store.ingest(given)).unchanged == len(given)


async def test_notices_reach_the_report(store: WorkflowStore) -> None:
    workflow = small_workflow("1").with_notices(("created_at: 'last week' is no date",))

    report = await store.ingest([workflow])

    assert report.notices == ["1: created_at: 'last week' is no date"]


async def test_a_source_is_read_no_further_than_the_batches_in_flight(store: WorkflowStore, session: Session) -> None:
    read = 0

    def endless() -> Iterator[Workflow]:
        nonlocal read
        while True:
            read += 1
            yield small_workflow(f"id{read}")

    async with session.transaction():
        await session.connection.execute("LOCK TABLE workflow_store.workflows IN SHARE MODE")
        task = asyncio.create_task(store.ingest(endless(), batch_size=5, connections=2))
        async with asyncio.timeout(10):
            while read < 15:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        held = read
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert held == 15
    assert await all_connections_come_back(store)


@pytest.mark.parametrize("on_error", ["quarantine", "raise"])
async def test_a_cancelled_ingest_leaves_whole_batches_and_no_open_transaction(
    store: WorkflowStore, session: Session, on_error: OnError
) -> None:
    source = [full_workflow(f"id{number}") for number in range(400)]
    for steps in range(0, 60, 3):
        task = asyncio.create_task(store.ingest(source, batch_size=20, on_error=on_error))
        for _ in range(steps):
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert await all_connections_come_back(store)
    async with asyncio.timeout(10):
        # The server, or a pooler, learns a moment later than the pool that a connection was given up.
        while not await _states(session) <= {"idle"}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    stored = await count(session, "workflows")
    assert {await count(session, table) for table in TABLES[1:4]} == {stored}
    # Where what is stored is recognised, it does not fill a batch that was begun.
    assert on_error == "quarantine" or stored % 20 == 0
    assert (await store.ingest(source)).stored == 400


async def test_an_id_inserted_since_the_question_is_merged(store: WorkflowStore, session: Session) -> None:
    other = full_workflow("1", content=None)
    ours = [full_workflow("0"), full_workflow("1", metadata=None), full_workflow("2")]
    async with session.transaction():
        assert await write_batch(session, [encoded(other)]) == ["inserted"]
        task = asyncio.create_task(store.ingest(ours))
        await asyncio.sleep(0.3)
        assert not task.done()

    report = await task

    assert (report.inserted, report.updated) == (2, 1)
    assert parts_of(await store.get_workflow("1")) == parts_of(full_workflow("1"))


async def test_an_id_deleted_since_the_question_is_inserted_again(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow("1"))
    async with session.transaction():
        await session.fetch_one(catalogue.DELETE_WORKFLOW, "1")
        task = asyncio.create_task(store.upsert_workflow(small_workflow("1", metadata=Metadata(title="Again"))))
        await asyncio.sleep(0.3)
        assert not task.done()

    assert await task == "inserted"
    assert parts_of(await store.get_workflow("1")) == parts_of(small_workflow("1", metadata=Metadata(title="Again")))


async def test_no_record_is_torn_between_two_writers(store: WorkflowStore) -> None:
    def version(number: int) -> Workflow:
        return full_workflow(
            "1",
            url=f"https://v{number}",
            metadata=Metadata(title=f"v{number}"),
            structure=Structure(workflow_json=Json({"v": number})),
            transcripts=tuple(Transcript(video_url=f"https://v{number}") for _ in range(number % 3)),
        )

    await store.create_workflow(version(0))
    await asyncio.gather(*(store.upsert_workflow(version(number)) for number in range(1, 60)))

    back = await store.get_workflow("1")

    assert back is not None
    number = int(back.url.removeprefix("https://v"))
    assert parts_of(back) == parts_of(version(number))


async def test_many_writers_on_the_same_ids_all_end_and_their_answers_add_up(store: WorkflowStore) -> None:
    ids = [f"id{number:02}" for number in range(40)]

    async def writer(number: int) -> IngestReport:
        order = ids if number % 2 else list(reversed(ids))
        workflows = [small_workflow(i, metadata=Metadata(title=f"{i} by {number}", views=number)) for i in order]
        return await store.ingest(workflows, batch_size=13)

    reports = await asyncio.gather(*(writer(number) for number in range(8)))

    assert sum(report.inserted for report in reports) == 40
    assert sum(report.stored for report in reports) == 8 * 40
    for workflow in (await store.list_workflows()).items:
        assert workflow.metadata is not None
        assert workflow.metadata.title == f"{workflow.workflow_id} by {workflow.metadata.views}"


async def test_a_deadlock_is_repeated_until_it_succeeds(store: WorkflowStore, session: Session) -> None:
    await store.ingest([small_workflow("1"), small_workflow("2")])
    async with session.transaction():
        await session.connection.execute("SELECT 1 FROM workflow_store.workflows WHERE workflow_id = '2' FOR UPDATE")
        task = asyncio.create_task(store.ingest([full_workflow("1"), full_workflow("2")]))
        await asyncio.sleep(0.3)
        # Now each waits for the other; the server gives one of the two up.
        try:
            async with session.transaction():
                await session.connection.execute(
                    "SELECT 1 FROM workflow_store.workflows WHERE workflow_id = '1' FOR UPDATE"
                )
        except asyncpg.DeadlockDetectedError:
            pass

    assert (await task).updated == 2


async def test_a_conflict_inside_a_callers_transaction_is_the_callers(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(small_workflow("1"))

    with pytest.raises(ConcurrencyConflict):
        async with store.transaction(isolation="serializable") as tx:
            await tx.get_statistics()
            await session.connection.execute("UPDATE workflow_store.workflows SET url = 'other'")
            await tx.upsert_workflow(full_workflow("1"))


async def test_misuse_is_told_before_anything_is_read(store: WorkflowStore) -> None:
    with pytest.raises(InvalidField, match="batch_size: 1 or more, not 0"):
        await store.ingest([], batch_size=0)
    with pytest.raises(InvalidField, match="connections: 1 or more, not True"):
        await store.ingest([], connections=True)
    with pytest.raises(StoreClosed, match="not open"):
        await WorkflowStore.open(dsn="postgresql://nowhere").ingest([])


async def test_an_empty_source_is_an_empty_report(store: WorkflowStore) -> None:
    report = await store.ingest([])

    assert (report.stored, report.rejected, report.bytes) == (0, 0, 0)
