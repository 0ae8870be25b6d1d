"""An ingest looks into the documents of what it sends, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lines import exported_line
from tests.quarantined import quarantined
from tests.records import small_workflow
from workflow_store import IngestError, Json, Structure, Workflow, WorkflowStore
from workflow_store.database import Session
from workflow_store.importers import read_path
from workflow_store.ingest import batch as batches
from workflow_store.models import plain
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


async def test_where_most_is_new_it_is_looked_into_as_it_comes(store: WorkflowStore, looked_into: list[str]) -> None:
    report = await store.ingest(numbered(40), batch_size=5, connections=1)
    assert report.inserted == 40
    # The first batches, until the outcome of one is known.
    assert 5 <= len(looked_into) <= 15
    looked_into.clear()

    report = await store.ingest(numbered(40), batch_size=5, connections=1)
    assert (report.unchanged, looked_into) == (40, [])


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


def export(folder: Path, documents: Mapping[str, bytes]) -> Path:
    """A file of lines as ``export`` writes them, with these documents by their workflows' ids."""
    path = folder / "exported.jsonl"
    lines = [exported_line(with_document(name, Json(0)), document) for name, document in documents.items()]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


async def test_documents_of_exported_lines_are_read_where_they_are_sent(
    store: WorkflowStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []

    def is_read(raw: bytes) -> bool:
        read.append(raw)
        return plain.is_plain(raw)

    monkeypatch.setattr("workflow_store.models.json.is_plain", is_read)
    documents = {f"w{number}": b'{"nodes": [%d]}' % number for number in range(5)}
    await store.ingest(read_path(export(tmp_path, documents)))
    assert sorted(read) == sorted(documents.values())
    read.clear()

    report = await store.ingest(read_path(export(tmp_path, documents)))
    assert (report.unchanged, read) == (5, [])
    documents["w3"] = b'{"nodes": [33]}'
    report = await store.ingest(read_path(export(tmp_path, documents)))
    assert (report.unchanged, report.updated, read) == (4, 1, [b'{"nodes": [33]}'])


async def test_keys_that_came_twice_in_an_exported_line_are_counted_when_it_is_sent(
    store: WorkflowStore, tmp_path: Path
) -> None:
    documents = {"a": b'{"nodes":[],"x":1,"x":2}', "b": b'{"nodes":[]}', "c": b'{"y":{"z":1,"z":2,"z":3}}'}
    path = export(tmp_path, documents)

    report = await store.ingest(read_path(path))

    assert (report.inserted, report.duplicate_keys) == (3, 3)
    assert sorted(notice.split(":")[0] for notice in report.notices) == ["a", "c"]
    assert await document_of(store, "c") == Json({"y": {"z": 3}})
    # The same again is told by its hash, and nobody reads it.
    again = await store.ingest(read_path(path))
    assert (again.unchanged, again.duplicate_keys) == (3, 0)
    # So is one that is looked into at once, however its batch is written, and so is a change.
    cases: list[dict[str, Any]] = [{"on_error": "raise"}, {"mode": "insert"}, {"mode": "skip"}]
    for options in cases:
        await store.delete_workflow("a")
        report = await store.ingest(read_path(export(tmp_path, {"a": documents["a"]})), **options)
        assert (report.inserted, report.duplicate_keys) == (1, 1)
    report = await store.ingest(read_path(export(tmp_path, {"a": b'{"x":3,"x":4}'})))
    assert (report.updated, report.duplicate_keys) == (1, 1)
    # Of two of one id in a batch both are read, and those of the one that stays are counted.
    lines = [export(tmp_path, {"a": one}).read_bytes() for one in (b'{"x":5,"x":6}', b'{"x":7,"x":8}')]
    path.write_bytes(b"".join(lines))
    report = await store.ingest(read_path(path))
    assert (report.updated, report.repeated, report.duplicate_keys) == (1, 1, 1)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"nodes":[1e131072]}', "beyond what PostgreSQL holds"),
        (b'{"nodes":[-1e999999999999]}', "beyond what PostgreSQL holds"),
        (DEEP.raw, "nested deeper than 512 levels"),
        (b'{"nodes":["\xff"]}', "not UTF-8 at byte 11"),
        (b'{"x":1,"x":1e131072}', "beyond what PostgreSQL holds"),
    ],
)
async def test_an_exported_line_with_a_bad_document_is_put_aside_alone_with_its_bytes(
    store: WorkflowStore, session: Session, tmp_path: Path, document: bytes, reason: str
) -> None:
    path = export(tmp_path, {"a": b"[1]", "bad": document, "b": b"[2]", "c": b'{"x":1,"x":2}'})

    report = await store.ingest(read_path(path))

    assert (report.inserted, report.rejected, report.duplicate_keys) == (3, 1, 1)
    assert await stored(store) == ["a", "b", "c"]
    (aside,) = await quarantined(session)
    assert (aside.workflow_id, aside.position) == ("bad", 1)
    assert reason in aside.reason
    assert aside.raw == path.read_bytes().splitlines()[1]
