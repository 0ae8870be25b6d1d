"""Real workflows, through the importers into the store and back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_ingest import row_versions
from tests.quarantined import quarantined
from tests.records import parts_of, small_workflow, with_views
from workflow_store import Json, Rejected, Structure, Workflow, WorkflowStore
from workflow_store.database import Session
from workflow_store.importers import read_path


def source_lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def all_of(corpus: Path) -> list[Workflow | Rejected]:
    return [
        *read_path(corpus / "workflows.jsonl.gz"),
        *read_path(corpus / "template_api.jsonl.gz"),
        *read_path(corpus / "odd"),
    ]


async def test_each_of_the_600_comes_back_equal_to_its_own_json(store: WorkflowStore, corpus: Path) -> None:
    report = await store.ingest(read_path(corpus / "workflows.jsonl.gz"))

    assert (report.inserted, report.rejected, report.repeated) == (600, 0, 0)
    for line in source_lines(corpus / "workflows.jsonl.gz"):
        back = await store.get_workflow(line["source"])
        assert back is not None
        assert back.structure is not None
        assert back.structure.workflow_json == Json(line["workflow"])
        nodes = line["workflow"].get("nodes", [])
        assert back.structure.node_count == len(nodes)
        assert back.structure.node_types == tuple(sorted({node["type"] for node in nodes if "type" in node}))


async def test_the_100_templates_are_joined_by_id(store: WorkflowStore, corpus: Path) -> None:
    report = await store.ingest(read_path(corpus / "template_api.jsonl.gz"))

    assert (report.inserted, report.rejected) == (100, 0)
    with_body = await store.count_workflows(layer2_success=True)
    without_body = await store.count_workflows(layer2_success=False)
    assert (with_body, without_body) == (19, 81)
    for line in source_lines(corpus / "template_api.jsonl.gz"):
        back = await store.get_workflow(str(line["record"]["id"]))
        assert back is not None
        assert back.metadata is not None
        if line["endpoint"] == "detail":
            assert back.structure is not None
            assert back.structure.workflow_json == Json(line["record"]["workflow"])
        else:
            assert back.metadata.title == line["record"]["name"]
            assert back.metadata.views == line["record"]["totalViews"]


async def test_every_readable_odd_file_goes_in_and_the_others_are_quarantined_with_a_reason(
    store: WorkflowStore, session: Session, corpus: Path
) -> None:
    odd = corpus / "odd"
    readable: dict[str, Any] = {}
    unreadable: set[str] = set()
    for path in odd.glob("*.json"):
        try:
            readable[path.name] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            unreadable.add(path.name)

    report = await store.ingest(read_path(odd))
    rows = await quarantined(session)

    assert len(readable) == report.inserted == 15
    for name, document in readable.items():
        back = await store.get_workflow(name)
        assert back is not None
        assert back.structure is not None
        assert back.structure.workflow_json == Json(document)
    by_name = {Path(row.source.rpartition(":")[0] or row.source).name: row for row in rows}
    for name in unreadable:
        row = next(row for source, row in by_name.items() if name in (source, Path(row.source).name))
        assert row.raw == (odd / name).read_bytes()
        expected = "other text after the end of the JSON, at line" if row.raw else "empty"
        assert expected in row.reason


async def test_a_second_ingest_of_everything_writes_nothing_and_a_third_only_what_changed(
    store: WorkflowStore, session: Session, corpus: Path
) -> None:
    records = all_of(corpus)
    workflows = [record for record in records if isinstance(record, Workflow)]
    first = await store.ingest(records)
    before = await row_versions(session)

    second = await store.ingest(all_of(corpus), touch=False)
    after = await row_versions(session)
    viewed = [with_views(workflow, 123_456_789) for workflow in workflows if workflow.metadata is not None]
    third = await store.ingest(viewed)
    moved = await row_versions(session)

    assert first.inserted == len(workflows) == 715
    assert (second.inserted, second.updated, second.unchanged) == (0, 0, 715)
    assert after == before
    assert third.updated == len(viewed)
    for table in ("workflow_structure", "workflow_content", "video_transcripts"):
        assert moved[table] == before[table]
    for table in ("workflow_metadata", "workflows", "workflow_scrape"):
        assert all(moved[table][w.workflow_id] != before[table][w.workflow_id] for w in viewed)


@pytest.mark.parametrize(
    "digits", ["1180591620717411303424", "-" + "9" * 40, "1e400", "1E-300", "0.1234567890123456789", "-0"]
)
async def test_json_keeps_every_digit_both_ways(store: WorkflowStore, digits: str) -> None:
    given = Json.parse(f'{{"n": {digits}}}')
    await store.create_workflow(small_workflow("1", structure=Structure(workflow_json=given)))

    back = await store.get_workflow("1")

    assert back is not None
    assert back.structure is not None
    assert back.structure.workflow_json == given
    assert parts_of(back)["structure"] == Structure(workflow_json=given)
