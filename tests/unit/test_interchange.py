"""A workflow as one JSON document, there and back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from tests.unit.records import WORKFLOWS, full_workflow
from workflow_store.errors import InvalidJson, InvalidRecord
from workflow_store.models import Content, Json, Metadata, Structure, Transcript, Workflow

HEAD = '{"workflow_id":"1","url":"u"'
# Spelt as no encoder would: spaces, an escape, an exponent, a repeated member, a number no float holds.
WRITTEN = r'{"a" : 1e2, "caf\u00e9":[ 0.12345678901234567890123 ,1e400], "a":1.0}'


def refusal(text: bytes | str) -> InvalidRecord:
    with pytest.raises(InvalidRecord) as caught:
        Workflow.from_json(text)
    return caught.value


@given(WORKFLOWS)
def test_any_workflow_comes_back_equal(workflow: Workflow) -> None:
    document = workflow.to_json()

    assert Workflow.from_json(document.raw) == workflow
    assert Workflow.from_json(str(document)) == workflow
    assert Json.parse(document.raw) == document


def test_a_full_workflow_is_written_field_by_field() -> None:
    written = full_workflow().to_json().value

    assert written["workflow_id"] == "id"
    assert written["extracted_at"] == "2025-01-03T03:04:05+00:00"
    assert written["layer1_success"] is True
    assert written["metadata"]["tags"] == ["tag", "other"]
    assert written["structure"]["workflow_json"] == {"nodes": []}
    assert written["transcripts"][0]["transcript_json"] == [{"text": "spoken"}]
    assert written.keys() == Workflow.model_fields.keys()
    for part, model in (("metadata", Metadata), ("structure", Structure), ("content", Content)):
        assert written[part].keys() == model.model_fields.keys()
    assert written["transcripts"][0].keys() == Transcript.model_fields.keys()


def test_what_is_none_is_left_out_and_what_is_empty_is_not() -> None:
    workflow = Workflow(workflow_id="1", url="u", metadata=Metadata(tags=()), transcripts=())

    written = workflow.to_json().value

    assert written["transcripts"] == []
    assert written["metadata"] == {"tags": []}
    assert not written.keys() & {"structure", "content", "error_message", "extracted_at"}
    assert Workflow.from_json(workflow.to_json().raw) == workflow


@pytest.mark.parametrize(
    ("part", "column"), [("metadata", "raw_metadata"), ("structure", "workflow_json"), ("content", "raw_content")]
)
@pytest.mark.parametrize("written", [WRITTEN, "null", "[]", '"text"', "1.0"])
def test_a_document_keeps_the_bytes_it_was_written_as(part: str, column: str, written: str) -> None:
    workflow = Workflow.from_json(f'{HEAD}, "{part}" : {{ "{column}" :\n {written} }} }}')

    assert getattr(getattr(workflow, part), column).raw == written.encode()
    assert written.encode() in workflow.to_json().raw


@pytest.mark.parametrize("written", [WRITTEN, "null", "[]", '"text"', "1.0"])
def test_a_transcripts_document_keeps_its_bytes_too(written: str) -> None:
    transcripts = f'[ {{"video_url":"a"}}, {{ "transcript_json" : {written} , "video_url":"b"}} ]'

    workflow = Workflow.from_json(f'{HEAD},"transcripts":{transcripts}}}')

    assert workflow.transcripts is not None
    first, second = workflow.transcripts
    assert first.transcript_json is None
    assert second.transcript_json is not None
    assert second.transcript_json.raw == written.encode()


def test_every_digit_of_a_document_is_kept() -> None:
    numbers = [2**70, 10**6_000 + 1, Decimal("0.12345678901234567890123"), Decimal("1e400"), 0.1]
    workflow = Workflow(workflow_id="1", url="u", structure=Structure(workflow_json=Json(numbers)))

    back = Workflow.from_json(workflow.to_json().raw)

    assert back.structure is not None
    assert back.structure.workflow_json is not None
    assert back.structure.workflow_json.value == numbers


def test_a_document_of_ten_megabytes_comes_back() -> None:
    document = Json({"nodes": [{"name": "n" * 1_000, "position": [number, 0.5]} for number in range(10_000)]})
    workflow = Workflow(workflow_id="1", url="u", structure=Structure(workflow_json=document))

    back = Workflow.from_json(workflow.to_json().raw)

    assert len(document) > 10_000_000
    assert back.structure is not None
    assert back.structure.workflow_json is not None
    assert back.structure.workflow_json.raw == document.raw


def test_a_document_as_deep_as_allowed_comes_back() -> None:
    deep = Json.parse('{"k":[' * 256 + "]}" * 256)
    workflow = Workflow(workflow_id="1", url="u", content=Content(raw_content=deep))

    assert Workflow.from_json(workflow.to_json().raw) == workflow


def test_the_last_of_repeated_members_counts() -> None:
    text = HEAD + ',"metadata":{"raw_metadata":1,"title":"a"},"metadata":{"raw_metadata":2,"raw_metadata": 3.0}}'

    workflow = Workflow.from_json(text)

    assert workflow.metadata is not None
    assert workflow.metadata.title is None
    assert workflow.metadata.raw_metadata is not None
    assert workflow.metadata.raw_metadata.raw == b"3.0"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"metadata": {"views": 2**70}}, "metadata.views"),
        ({"metadata": {"views": 10**5_000}}, "metadata.views"),
        ({"metadata": {"tags": ["a", 5]}}, "metadata.tags.1"),
        ({"metadata": {"workflow_created_at": "9999-12-31T23:59:59-01:00"}}, "metadata.workflow_created_at"),
        ({"metadata": {"workflow_created_at": 10**400}}, "metadata.workflow_created_at"),
        ({"metadata": {"unknown": 1}}, "metadata.unknown"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": "raw_metadata"}, "metadata"),
        ({"structure": {"node_count": 1.5}}, "structure.node_count"),
        ({"content": {"has_videos": "perhaps"}}, "content.has_videos"),
        ({"transcripts": [{"video_url": "a"}, {}]}, "transcripts.1.video_url"),
        ({"transcripts": [{"video_url": "a", "duration": 10**400}]}, "transcripts.0.duration"),
        ({"transcripts": ["transcript_json"]}, "transcripts.0"),
        ({"transcripts": {"transcript_json": 1}}, "transcripts"),
        ({"processing_time": Decimal("1e400")}, "processing_time"),
        ({"workflow_id": "x" * 1_025}, "workflow_id"),
        ({"workflow_id": 5}, "workflow_id"),
        ({"nope": 1}, "nope"),
    ],
)
def test_a_document_that_is_no_workflow_names_the_field_at_fault(members: dict[str, Any], field: str) -> None:
    error = refusal(Json({"workflow_id": "1", "url": "u"} | members).raw)

    assert error.field == field
    assert str(error) == f"{field}: {error.reason}"
    assert len(error.reason) < 200


def test_the_first_of_several_faults_is_named_with_the_number_of_others() -> None:
    error = refusal("{}")

    assert error.field == "workflow_id"
    assert error.reason == "Field required (and 1 more)"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an object was expected, not ''"),
        ("[1]", r"an object was expected, not '\[1\]'"),
        ("{", "Expecting property name enclosed in double quotes at line 1, column 2"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        ('{"a":"\ud800"}', "a lone surrogate"),
        ('{"a":1e131072}', "beyond what PostgreSQL holds"),
        ('{"a":1e99999999999999999999}', "beyond what PostgreSQL holds"),
        ('{"a":NaN}', "NaN is not JSON"),
        ('{"a":' + "[" * 8_000 + "]" * 8_000 + "}", "nested deeper than"),
        ('{"a":' + "[" * 5_000 + "]" * 5_000 + "}", "nested deeper than|Field required"),
    ],
    ids=range(10),
)
def test_a_text_that_is_no_document_is_refused(text: bytes | str, reason: str) -> None:
    with pytest.raises((InvalidJson, InvalidRecord), match=reason):
        Workflow.from_json(text)


def test_half_a_character_in_a_field_is_an_escape_on_the_way_out_and_refused_on_the_way_in() -> None:
    written = Workflow(workflow_id="1", url="u", error_message="\ud800").to_json()

    assert rb'"error_message":"\ud800"' in written.raw
    with pytest.raises(InvalidJson, match=r"lone surrogate \(half a character\) at \$.error_message"):
        written.check()


def test_the_document_is_plain_json() -> None:
    assert json.loads(full_workflow().to_json().raw)["retry_count"] == 3
