"""What a person types behind ``--set`` is read into the type of its field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_store import InvalidField, InvalidJson, InvalidRecord, Json
from workflow_store.cli.assignments import Changes
from workflow_store.cli.outcomes import UsageError


def _set(*assignments: str, document: bytes = b"{}") -> dict[str, Any]:
    changes = Changes(document)
    for assignment in assignments:
        changes.set(assignment)
    return dict(changes.arguments())


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("url=https://n8n.io/?a=b", "https://n8n.io/?a=b"),
        ("error_message=123", "123"),
        ("error_message=", ""),
        ("quality_score=91.0", "91.0"),
        ("extracted_at=2026-05-04", datetime(2026, 5, 4, tzinfo=UTC)),
        ("extracted_at=2026-05-04T03:02:00+02:00", datetime(2026, 5, 4, 1, 2, tzinfo=UTC)),
        ('transcripts=[{"video_url": "u"}]', [{"video_url": "u"}]),
        ("transcripts=[]", []),
        ('metadata={"views": 5}', {"views": 5}),
        ("nonsense=5", "5"),
    ],
)
def test_an_own_field_is_read_as_its_type(assignment: str, value: object) -> None:
    name = assignment.partition("=")[0]

    assert _set(assignment) == {name: value}


@pytest.mark.parametrize(
    ("assignment", "part"),
    [
        ("metadata.title=[1]", {"title": "[1]"}),
        ("metadata.tags=ai, telegram", {"tags": ["ai", "telegram"]}),
        ('metadata.tags=["a,b"]', {"tags": ["a,b"]}),
        ("metadata.tags=", {"tags": []}),
        ("metadata.nonsense.more=1", {"nonsense.more": "1"}),
        ("metadata.raw_metadata=1.10", {"raw_metadata": Json.parse("1.10")}),
    ],
)
def test_a_field_of_a_part_is_read_as_its_type(assignment: str, part: dict[str, Any]) -> None:
    assert _set(assignment) == {"metadata": part}


def test_a_document_keeps_its_bytes() -> None:
    typed = _set('structure.workflow_json={"n": 1.00000000000000000001}')
    given_whole = _set(document=b'{"structure": {"workflow_json": {"n": 1.00000000000000000001}}}')

    assert typed["structure"]["workflow_json"].raw == b'{"n": 1.00000000000000000001}'
    assert given_whole["structure"]["workflow_json"].raw == b'{"n": 1.00000000000000000001}'


def test_what_was_typed_is_laid_over_the_document() -> None:
    changes = Changes(b'{"url": "u", "metadata": {"views": 5, "title": "t"}, "structure": 7}')

    changes.set("metadata.views=6")
    changes.set("structure.node_count=1")
    changes.clear("metadata.title")
    changes.clear("error_message")

    assert changes.arguments() == {
        "url": "u",
        "metadata": {"views": "6", "title": None},
        "structure": {"node_count": "1"},
        "error_message": None,
    }
    assert changes.names == ["url", "metadata.views", "metadata.title", "structure.node_count", "error_message"]


@pytest.mark.parametrize("assignment", ["views", "=5", "", "="])
def test_what_is_no_assignment_is_wrong_usage(assignment: str) -> None:
    with pytest.raises(UsageError, match="--set takes NAME=VALUE"):
        _set(assignment)


@pytest.mark.parametrize("name", ["workflow_id", "self"])
def test_a_name_that_can_not_be_passed_is_refused_as_the_library_refuses(name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        _set(f"{name}=x")

    assert (caught.value.field, "url" in caught.value.allowed) == (name, True)


@pytest.mark.parametrize(
    ("name", "allowed"), [("views", ("metadata.views",)), ("raw_content", ("content.raw_content",))]
)
def test_a_field_of_a_part_without_its_part_is_told_with_it(name: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(InvalidField) as caught:
        _set(f"{name}=5")

    assert (caught.value.field, caught.value.allowed) == (name, allowed)


@pytest.mark.parametrize("name", ["page.title", "url.host", ".title", "transcripts.0"])
def test_a_field_of_what_is_no_part_is_refused_with_the_parts(name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        _set(f"{name}=x")

    assert (caught.value.field, caught.value.allowed) == (name, ("content", "metadata", "structure"))


@pytest.mark.parametrize(
    "assignment",
    [
        "extracted_at=2026",
        "extracted_at=soon",
        "structure.workflow_json={",
        "metadata.tags=[",
        "transcripts=[",
        "metadata=x",
    ],
)
def test_a_value_that_can_not_be_read_is_told_with_its_field(assignment: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        _set(assignment)

    assert caught.value.field == assignment.partition("=")[0]


@pytest.mark.parametrize("document", [b"", b"[1]", b"{", b"\xff", b'{"a": NaN}'])
def test_a_document_that_is_no_object_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidJson):
        Changes(document)


@given(st.text(), st.text())
def test_any_text_is_read_or_refused_by_a_typed_error(name: str, value: str) -> None:
    for assignment in (f"{name}={value}", f"metadata.{name}={value}", f"extracted_at={value}"):
        try:
            _set(assignment)
        except (UsageError, InvalidField, InvalidRecord):
            continue
