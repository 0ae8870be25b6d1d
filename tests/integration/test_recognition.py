"""What is given again just as it is stored is known by its hash; what was changed since is read and stored again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.records import full_workflow, parts_of, small_workflow, with_views
from workflow_store import (
    CommitUnknown,
    IngestReport,
    Json,
    Metadata,
    Rejected,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.importers import Limits, read_path, records
from workflow_store.importers.exported import read_exported
from workflow_store.models.lines import UnreadLine
from workflow_store.queries import given

LINES = 10


def numbered(count: int = LINES) -> list[Workflow]:
    return [full_workflow(f"w{number:03}") for number in range(count)]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[Sequence[Workflow | bytes]], Path]:
    """Writes a file of lines, as ``export`` does."""

    def write(given: Sequence[Workflow | bytes]) -> Path:
        path = tmp_path / "workflows.jsonl"
        path.write_bytes(b"".join((one if isinstance(one, bytes) else one.to_json().raw) + b"\n" for one in given))
        return path

    return write


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The lines that were read."""
    lines: list[bytes] = []

    def count(raw: bytes, limits: Any) -> Workflow | None:
        lines.append(raw)
        return read_exported(raw, limits)

    monkeypatch.setattr(records, "read_exported", count)
    return lines


async def seen_at(session: Session) -> list[Any]:
    rows = await session.connection.fetch(
        'SELECT last_seen_at FROM workflow_store.workflow_scrape ORDER BY workflow_id COLLATE "C"'
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("touch", [True, False])
async def test_lines_that_are_stored_are_not_read(
    store: WorkflowStore, session: Session, file: Callable[..., Path], read: list[bytes], touch: bool
) -> None:
    path = file(numbered())
    first = await store.ingest(read_path(path))
    assert (first.inserted, len(read)) == (LINES, LINES)
    read.clear()
    before = await seen_at(session)

    again = await store.ingest(read_path(path), touch=touch)

    assert (again.unchanged, again.stored, again.rejected, read) == (LINES, LINES, 0, [])
    assert again.bytes >= first.bytes
    after = await seen_at(session)
    assert all((new > old) == touch for old, new in zip(before, after, strict=True))
    assert parts_of(await store.get_workflow("w003")) == parts_of(full_workflow("w003"))


async def test_models_that_are_stored_are_one_question(store: WorkflowStore, session: Session) -> None:
    await store.ingest(numbered())
    await session.connection.execute("UPDATE workflow_store.workflow_scrape SET url = 'https://elsewhere'")

    report = await store.ingest(numbered())

    assert (report.unchanged, report.updated) == (LINES, 0)
    # As a merge that finds nothing to do leaves it.
    urls = await session.connection.fetch("SELECT workflow_id, url FROM workflow_store.workflow_scrape")
    assert dict(map(tuple, urls)) == {one.workflow_id: one.url for one in numbered()}


Change = Callable[[WorkflowStore], Awaitable[object]]


async def _scrape(store: WorkflowStore, workflow_id: str) -> None:
    await store.enqueue([(workflow_id, "https://elsewhere")], datetime(2020, 1, 1, tzinfo=UTC))
    (claim,) = await store.claim(1, 60.0)
    await store.complete(workflow_id, claim.token)


CHANGES: dict[str, Change] = {
    "another title": lambda store: store.update_workflow("w003", metadata={"title": "Another"}),
    "another score": lambda store: store.update_workflow("w003", quality_score=1.0),
    "another error": lambda store: store.mark_failed("w003", "gone"),
    "another count": lambda store: store.update_workflow("w003", retry_count=5),
    "another count, ingested": lambda store: store.ingest([full_workflow("w003", retry_count=5)]),
    "the same error once more": lambda store: store.mark_failed("w003", "layer 3 took long"),
    "scraped": lambda store: _scrape(store, "w003"),
    "other views": lambda store: store.upsert_workflow(with_views(full_workflow("w003"), 7)),
    "other views, ingested": lambda store: store.ingest([with_views(full_workflow("w003"), 7)]),
    "other transcripts": lambda store: store.update_workflow("w003", transcripts=[Transcript(video_url="v")]),
    "no transcripts": lambda store: store.upsert_workflow(full_workflow("w003", transcripts=())),
    "no content": lambda store: store.upsert_workflow(full_workflow("w003", content=None), replace=True),
    "gone": lambda store: store.delete_workflow("w003"),
}


@pytest.mark.parametrize("touch", [True, False], ids=["touched", "untouched"])
@pytest.mark.parametrize("lines", [True, False], ids=["lines", "models"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_what_was_changed_since_is_stored_again(
    store: WorkflowStore, file: Callable[..., Path], change: Change, lines: bool, touch: bool
) -> None:
    workflows = [one.model_copy(update={"retry_count": 2}) for one in numbered()]
    path = file(workflows)

    async def ingest() -> IngestReport:
        return await store.ingest(read_path(path) if lines else workflows, touch=touch)

    await ingest()
    assert (await ingest()).unchanged == LINES
    await change(store)

    await ingest()

    found = await store.get_workflow("w003")
    assert parts_of(found) == parts_of(full_workflow("w003"))
    assert found is not None
    assert found.retry_count == 2
    assert (await ingest()).unchanged == LINES


@pytest.mark.parametrize("touch", [True, False])
@pytest.mark.parametrize("part", ["metadata", "structure", "content"])
async def test_a_part_that_was_taken_out_by_hand_is_stored_again(
    store: WorkflowStore, session: Session, file: Callable[..., Path], part: str, touch: bool
) -> None:
    path = file(numbered())
    await store.ingest(read_path(path))
    await session.connection.execute(f"DELETE FROM workflow_store.workflow_{part} WHERE workflow_id = 'w003'")

    report = await store.ingest(read_path(path), touch=touch)

    assert (report.unchanged, report.updated) == (LINES - 1, 1)
    assert parts_of(await store.get_workflow("w003")) == parts_of(full_workflow("w003"))


async def test_what_was_emptied_by_hand_is_stored_again(
    store: WorkflowStore, session: Session, file: Callable[..., Path]
) -> None:
    path = file(numbered())
    await store.ingest(read_path(path))
    # The rows of the queue stay, with all that they remember.
    await session.connection.execute("TRUNCATE workflow_store.workflows CASCADE")

    assert (await store.ingest(read_path(path))).inserted == LINES
    assert (await store.ingest(read_path(path))).unchanged == LINES


async def test_two_changes_in_one_transaction_are_two_moments(store: WorkflowStore, file: Callable[..., Path]) -> None:
    await store.ingest(read_path(file(numbered())))
    async with store.transaction() as repository:
        one = await repository.update_workflow("w003", quality_score=1.0)
        two = await repository.update_workflow("w003", quality_score=2.0)

    assert one is not None
    assert two is not None
    assert two.updated_at is not None
    assert one.updated_at is not None
    assert two.updated_at > one.updated_at


@pytest.mark.parametrize("between", [0, 40])
async def test_the_last_of_two_lines_stays_though_it_is_stored_already(
    store: WorkflowStore, file: Callable[..., Path], between: int
) -> None:
    stored = full_workflow("twice")
    others = [small_workflow(f"o{number}") for number in range(max(1, between))]
    await store.ingest(read_path(file([stored, *others])))

    # It is asked for while the changed one is on its way into the store, or was so a moment ago.
    for batch_size in (1, 2, 16, 250):
        path = file([with_views(stored, batch_size), *others[:between], stored])
        await store.ingest(read_path(path), batch_size=batch_size)
        assert parts_of(await store.get_workflow("twice")) == parts_of(stored)


async def test_a_line_that_brings_another_workflow_along_is_stored_before_the_next(
    store: WorkflowStore, file: Callable[..., Path]
) -> None:
    stored = [full_workflow("other"), *numbered()]
    await store.ingest(read_path(file(stored)))
    changed = with_views(stored[0], 9).to_json().raw
    several = b'{"workflow_id":"list","url":"u","data":[%s,%s]}' % (changed, full_workflow("list").to_json().raw)

    await store.ingest(read_path(file([*stored[1:], several, stored[0]])))
    assert parts_of(await store.get_workflow("other")) == parts_of(stored[0])

    await store.ingest(read_path(file([*stored[1:], several])))
    assert parts_of(await store.get_workflow("other")) == parts_of(with_views(stored[0], 9))
    # It is no workflow of its own, and never known.
    await store.upsert_workflow(stored[0])
    assert (await store.ingest(read_path(file([*stored[1:], several])))).updated == 1


async def test_answers_about_templates_in_a_line_of_another_shape_are_not_lost(
    store: WorkflowStore, file: Callable[..., Path]
) -> None:
    template = b'{"id": 7, "name": "Seven", "totalViews": 3, "user": {"username": "a"}, "nodes": []}'
    line = b'{"workflow_id":"list","url":"u","workflows":[%s]}' % template

    report = await store.ingest(read_path(file([line])))

    assert (report.inserted, report.rejected) == (1, 0)
    assert await store.exists(["7"])


async def test_what_was_begun_to_be_read_is_ingested_from_there_on(
    store: WorkflowStore, file: Callable[..., Path]
) -> None:
    several = b'{"workflow_id":"list","url":"u","data":[%s]}' % b",".join(one.to_json().raw for one in numbered(3))
    reading = read_path(file([small_workflow("first"), several, small_workflow("last")]))
    begun = [next(reading), next(reading)]

    report = await store.ingest(reading)

    assert [getattr(one, "workflow_id", None) for one in begun] == ["first", "w000"]
    assert report.inserted == 3
    assert await store.exists(["first", "w000", "w001", "w002", "last"]) == {"w001", "w002", "last"}


async def test_a_part_that_was_kept_is_deleted_when_that_is_asked_for(
    store: WorkflowStore, file: Callable[..., Path]
) -> None:
    path = file([full_workflow("w000", content=None)])
    await store.upsert_workflow(full_workflow("w000"))
    for _ in range(2):
        await store.ingest(read_path(path))
    found = await store.get_workflow("w000")
    assert found is not None
    assert found.content is not None

    report = await store.ingest(read_path(path), replace=True)

    found = await store.get_workflow("w000")
    assert found is not None
    assert (found.content, report.updated) == (None, 1)
    assert (await store.ingest(read_path(path), replace=True)).unchanged == 1


async def test_remarks_are_told_each_time(database_dsn: str, file: Callable[..., Path]) -> None:
    line = full_workflow("odd").to_json().raw.replace(b'"title":"Telegram', b'"title":"\\u0000Telegram')
    doubled = full_workflow("doubled").to_json().raw[:-1] + b',"error_message":"the last one"}'
    path = file([line, doubled])
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, nul="strip") as store:
        limits = Limits.of(store.settings)
        first, second = [await store.ingest(read_path(path, limits=limits)) for _ in range(2)]

    assert (first.inserted, second.unchanged) == (2, 2)
    assert (second.cleaned, second.duplicate_keys) == (first.cleaned, first.duplicate_keys) == (1, 1)
    assert second.notices == first.notices


@pytest.mark.parametrize("mode", ["skip", "insert"])
async def test_where_only_new_ones_are_wanted_nobody_is_asked(
    store: WorkflowStore, file: Callable[..., Path], read: list[bytes], mode: Any
) -> None:
    path = file(numbered())
    await store.ingest(read_path(path))
    read.clear()

    report = await store.ingest(read_path(path), mode=mode)

    assert (report.unchanged, report.skipped + report.rejected, len(read)) == (0, LINES, LINES)


async def test_a_question_whose_answer_is_lost_is_answered_by_reading(
    store: WorkflowStore, file: Callable[..., Path], read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(numbered())
    await store.ingest(read_path(path))
    read.clear()
    fetch = Session.fetch

    async def lose(self: Session, query: Any, *args: Any) -> Any:
        if query is given.RECOGNISED:
            raise CommitUnknown("the connection is gone")
        return await fetch(self, query, *args)

    monkeypatch.setattr(Session, "fetch", lose)

    report = await store.ingest(read_path(path))

    assert (report.unchanged, len(read)) == (LINES, LINES)


async def test_positions_and_progress_count_what_was_not_read(store: WorkflowStore, file: Callable[..., Path]) -> None:
    await store.ingest(read_path(file(numbered(100))))
    path = file([*numbered(60), b'{"workflow_id":"bad","url":7}', *numbered(100)[60:]])
    told: list[int] = []

    report = await store.ingest(read_path(path), batch_size=20, progress=lambda now: told.append(now.stored))

    assert (report.unchanged, report.rejected) == (100, 1)
    assert [one.position for one in report.rejections] == [60]
    assert told == sorted(told)
    assert told[-1] == 100


async def test_an_asynchronous_source_and_one_of_rejections_are_asked_for_like_any(store: WorkflowStore) -> None:
    bad = Rejected(source="a page", reason="it was empty", raw=b"<html>")
    await store.ingest(numbered(100))

    async def scraped() -> AsyncIterator[Workflow | Rejected]:
        for workflow in numbered(100):
            yield workflow
            yield bad

    report = await store.ingest(scraped(), batch_size=30)

    assert (report.unchanged, report.rejected) == (100, 100)


async def test_what_an_earlier_revision_stored_is_known_from_the_second_time_on(
    store: WorkflowStore, session: Session, file: Callable[..., Path], read: list[bytes]
) -> None:
    path = file(numbered())
    await store.ingest(read_path(path))
    await session.connection.execute("UPDATE workflow_store.workflow_scrape SET given_hash = NULL, given_at = NULL")
    for expected in (LINES, 0):
        read.clear()
        assert (await store.ingest(read_path(path))).unchanged == LINES
        assert len(read) == expected


def lines_of(count: int) -> Iterator[bytes]:
    for one in numbered(count):
        yield one.to_json().raw


def test_a_line_is_recognised_by_its_first_two_fields(file: Callable[..., Path]) -> None:
    odd = [
        b'{"workflow_id": "spaced", "url": "u"}',
        b'{"workflow_id":"esc\\u0041ped","url":"u"}',
        b'{"url":"u","workflow_id":"turned"}',
        b'{"workflow_id":"\xff","url":"u"}',
        b'{"workflow_id":"%s","url":"u"}' % (b"x" * 257),
        b'{"workflow_id":7,"url":"u"}',
    ]
    reading = read_path(file([*lines_of(2), *odd]))

    assert [getattr(item, "raw", None) for item in reading.unread()][:2] == list(lines_of(2))
    assert len(list(read_path(file([*lines_of(2), *odd])))) == 8


def test_a_small_workflow_with_a_document_is_read_as_it_was_written(file: Callable[..., Path]) -> None:
    workflow = Workflow(
        workflow_id="ü", url="u", metadata=Metadata(title="t"), structure=Structure(workflow_json=Json({"a": 1}))
    )
    (line,) = read_path(file([workflow])).unread()
    assert isinstance(line, UnreadLine)
    assert (line.workflow_id, list(line.read())) == ("ü", [workflow])
