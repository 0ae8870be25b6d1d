"""Real workflows: all that can be read are, and each equals what its source says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from workflow_store.importers import read_path
from workflow_store.models import Json, Rejected, Workflow


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path) as stream:
        return [json.loads(line) for line in stream]


def json_of(workflow: Workflow) -> Json:
    assert workflow.structure is not None
    assert workflow.structure.workflow_json is not None
    return workflow.structure.workflow_json


def test_every_workflow_of_a_compressed_file_equals_its_source(corpus: Path) -> None:
    source = lines(corpus / "workflows.jsonl.gz")

    read = list(read_path(corpus / "workflows.jsonl.gz"))

    assert len(read) == 600
    for record, line in zip(read, source, strict=True):
        assert isinstance(record, Workflow)
        assert record.workflow_id == line["source"]
        assert json_of(record) == Json(line["workflow"])
        assert record.structure is not None
        assert record.structure.node_count == len(line["workflow"]["nodes"])


def test_template_answers_are_joined_by_id(corpus: Path) -> None:
    source = lines(corpus / "template_api.jsonl.gz")
    search = {str(line["record"]["id"]): line["record"] for line in source if line["endpoint"] == "search"}
    detail = {str(line["record"]["id"]): line["record"] for line in source if line["endpoint"] == "detail"}

    read = list(read_path(corpus / "template_api.jsonl.gz"))

    assert len(read) == 100
    whole = 0
    for record in read:
        assert isinstance(record, Workflow)
        assert record.metadata is not None
        assert record.metadata.raw_metadata == Json(search.pop(record.workflow_id))
        if record.structure is not None:
            whole += 1
            assert json_of(record) == Json(detail[record.workflow_id]["workflow"])
    assert (whole, search) == (19, {})


def test_hard_files_are_read_or_rejected_with_a_reason(corpus: Path) -> None:
    why = {
        entry["file"]: entry["why"] for entry in map(json.loads, (corpus / "odd/INDEX.jsonl").read_text().splitlines())
    }

    records = list(read_path(corpus / "odd"))

    read = {record.workflow_id: record for record in records if isinstance(record, Workflow)}
    refused = {Path(record.source).name: record.reason for record in records if isinstance(record, Rejected)}
    assert read.keys() == {
        name for name, reasons in why.items() if not {"empty", "parse_error:Extra data"} & set(reasons)
    }
    for name, workflow in read.items():
        assert json_of(workflow) == Json(json.loads((corpus / "odd" / name).read_bytes()))
    for name, reasons in why.items():
        if "empty" in reasons:
            assert refused.pop(name) == "an empty file"
        elif "parse_error:Extra data" in reasons:
            assert refused.pop(name).startswith("other text after the end of the JSON, at line ")
    assert all(reason.endswith("an object without nodes, with file, source, size, why") for reason in refused.values())
    assert len(refused) == len(why)
