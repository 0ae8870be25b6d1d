"""Rows on their way back: each column lands in its own field, as validation would have put it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.unit.records import WORKFLOWS, full_workflow
from workflow_store.models import Content, Json, Metadata, Structure, Transcript, Workflow
from workflow_store.queries.rows import WorkflowRow, to_workflow

# Columns that are not called like the field they are for.
RENAMED = {
    "metadata_extracted_at": ("metadata", "extracted_at"),
    "structure_extracted_at": ("structure", "extracted_at"),
    "content_extracted_at": ("content", "extracted_at"),
}
SIGNS = {"has_metadata": "metadata", "has_structure": "structure", "has_content": "content"}
KEYS = {"title_key": ("metadata", "title"), "views_key": ("metadata", "views")}
KEYS |= {"node_count_key": ("structure", "node_count")}
PARTS: dict[str, Any] = {"metadata": Metadata, "structure": Structure, "content": Content}


def row_of(workflow: Workflow) -> WorkflowRow:
    """The row a database would send, found by the names of its columns."""

    def column(name: str) -> Any:
        if name in SIGNS:
            return getattr(workflow, SIGNS[name]) is not None
        if name == "transcripts_hash":
            return None if workflow.transcripts is None else b"hash"
        if name == "transcripts":
            return [tuple(dict(one).values()) for one in workflow.transcripts or ()]
        part, field = RENAMED.get(name) or KEYS.get(name) or (None, name)
        if part is None and name not in Workflow.model_fields:
            (part,) = (part for part, model in PARTS.items() if name in model.model_fields)
        value = getattr(workflow if part is None else getattr(workflow, part), field, None)
        return Json(value) if isinstance(value, tuple) else value

    return WorkflowRow(*map(column, WorkflowRow._fields))


@given(WORKFLOWS)
def test_a_row_becomes_the_workflow_it_came_from(workflow: Workflow) -> None:
    assert to_workflow(row_of(workflow), transcripts=True) == workflow


def test_a_built_workflow_can_not_be_told_from_a_validated_one() -> None:
    workflow = full_workflow()

    built = to_workflow(row_of(workflow), transcripts=True)

    assert built == workflow
    assert built.notices == ()
    assert built.with_notices(("n",)).notices == ("n",)
    assert built.to_json().raw == workflow.to_json().raw
    assert Workflow.model_validate(built.model_dump()) == workflow
    assert built.model_copy(update={"url": "x"}).url == "x"
    with pytest.raises(ValueError, match="frozen"):
        built.url = "x"  # type: ignore[misc]


@pytest.mark.parametrize("model", [Metadata, Structure, Content, Transcript, Workflow])
def test_every_field_of_a_built_model_is_set(model: Any) -> None:
    built = to_workflow(row_of(full_workflow()), transcripts=True)
    assert built.transcripts is not None
    found = {type(one): one for one in (built, built.metadata, built.structure, built.content, *built.transcripts)}

    record = found[model]

    assert record is not None
    assert record.model_fields_set == model.model_fields.keys()
    assert record.__dict__.keys() == model.model_fields.keys()
    assert record.__pydantic_extra__ is None


def test_parts_that_are_not_there_are_none() -> None:
    built = to_workflow(row_of(Workflow(workflow_id="1", url="u")), transcripts=True)

    assert (built.metadata, built.structure, built.content, built.transcripts) == (None, None, None, None)


def test_no_transcripts_are_not_unknown_transcripts() -> None:
    none = row_of(Workflow(workflow_id="1", url="u", transcripts=()))

    assert to_workflow(none, transcripts=True).transcripts == ()
    assert to_workflow(none._replace(transcripts=None), transcripts=True).transcripts == ()
    assert to_workflow(none, transcripts=False).transcripts is None


def test_transcripts_that_were_not_asked_for_are_none() -> None:
    assert to_workflow(row_of(full_workflow()), transcripts=False).transcripts is None


def test_a_row_that_lacks_a_column_of_a_transcript_is_noticed() -> None:
    row = row_of(full_workflow())._replace(transcripts=[("only", "two")])

    with pytest.raises(ValueError, match="zip"):
        to_workflow(row, transcripts=True)
