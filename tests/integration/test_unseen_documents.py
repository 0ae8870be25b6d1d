"""An ingest looks into the documents of what it sends, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.quarantined import quarantined
from tests.records import small_workflow
from workflow_store import IngestError, Json, Structure, Workflow, WorkflowStore
from workflow_store.database import Session
from workflow_store.ingest import batch as batches
from workflow_store.queries.encoding import check_documents
from workflow_store.queries.parameters import Encoded, Limits

NUL = Json.trusted(b'{"name": "\\u0000"}')
DEEP = Json.trusted(b"[" * 600 + b"]" * 600)


def with_document(workflow_id: str, document: Json) -> Workflow:
    return small_workflow(workflow_id).model_copy(update={"structure": Structure(workflow_json=document)})


def numbered(count: int, document: Json | None = None) -> list[Workflow]:
    return [with_document(f"w{number:02}", document or Json({"number": number})) for number in range(count)]


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the records whose documents a batch looked into."""
    ids: list[str] = []

    def look(record: Encoded, limits: Limits) -> None:
        ids.append(record.workflow_id)
        check_documents(record, limits)

    monkeypatch.setattr(batches, "check_documents", look)
    return ids


async def stored(store: WorkflowStore) -> Sequence[str]:
    return sorted([workflow.workflow_id async for workflow in store.stream_workflows()])


async def document_of(store: WorkflowStore, workflow_id: str) -> Json | None:
    workflow = await store.get_workflow(workflow_id)
    assert workflow is not None
    assert workflow.structure is not None
    return workflow.structure.workflow_json


async def test_only_documents_that_are_sent_are_looked_into(store: WorkflowStore, looked_into: list[str]) -> None:
    await store.ingest(numbered(10))
    assert sorted(looked_into) == [f"w{number:02}" for number in range(10)]
    looked_into.clear()

    report = await store.ingest(numbered(10))

    assert (report.unchanged, looked_into) == (10, [])
    changed = [*numbered(9), with_document("w09", Json({"number": "another"})), with_document("w10", Json([]))]
    report = await store.ingest(changed)
    assert (report.unchanged, report.updated, report.inserted) == (9, 1, 1)
    assert sorted(looked_into) == ["w09", "w10"]


@pytest.mark.parametrize(("document", "reason"), [(NUL, "NUL"), (DEEP, "nested deeper than 512 levels")])
async def test_one_that_can_not_be_stored_is_put_aside_and_its_neighbours_are_stored(
    store: WorkflowStore, session: Session, document: Json, reason: str
) -> None:
    await store.ingest(numbered(3))
    given: list[Any] = [*numbered(5), with_document("bad", document), with_document("w05", Json(5))]

    report = await store.ingest(given)

    assert (report.unchanged, report.inserted, report.rejected) == (3, 3, 1)
    assert await stored(store) == [f"w{number:02}" for number in range(6)]
    (aside,) = await quarantined(session)
    assert aside.workflow_id == "bad"
    assert "structure.workflow_json" in aside.reason
    assert reason in aside.reason


async def test_of_two_of_one_id_the_one_that_can_be_stored_is(store: WorkflowStore, session: Session) -> None:
    good = with_document("twice", Json({"good": True}))

    for given in ([good, with_document("twice", NUL)], [with_document("twice", NUL), good]):
        report = await store.ingest(given)

        assert (report.rejected, report.repeated) == (1, 0)
        assert await document_of(store, "twice") == Json({"good": True})
        await store.delete_workflow("twice")
    assert [row.workflow_id for row in await quarantined(session)] == ["twice"]


async def test_what_is_cleaned_is_counted_once(database_dsn: str) -> None:
    async with WorkflowStore.open(dsn=database_dsn, pool_min_size=0, nul="strip", batch_size=4) as lenient:
        report = await lenient.ingest([*numbered(6), with_document("w06", NUL), *numbered(6, NUL)])

        assert (report.inserted, report.rejected) == (7, 0)
        assert report.cleaned == 7
        assert len([notice for notice in report.notices if "w06" in notice]) == 1
        assert await document_of(lenient, "w06") == Json({"name": ""})


async def test_where_the_first_bad_one_ends_it_nothing_after_it_is_stored(store: WorkflowStore) -> None:
    given = [*numbered(2), with_document("bad", NUL), *numbered(9)]

    with pytest.raises(IngestError, match=r"structure\.workflow_json"):
        await store.ingest(given, on_error="raise", batch_size=2)

    assert await stored(store) == ["w00", "w01"]
