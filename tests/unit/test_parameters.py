"""Workflows as rows: what is checked, what is hashed, and where each value lands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.unit.records import (
    CONTENTS,
    METADATA,
    PARTS,
    STRUCTURES,
    TRANSCRIPTS,
    WORKFLOWS,
    full_workflow,
    moment,
    spelt,
)
from workflow_store.errors import InvalidField, InvalidRecord
from workflow_store.models import Json, Metadata, Transcript, Workflow
from workflow_store.queries.encoding import TITLE_KEY_LENGTH, encode, encode_one
from workflow_store.queries.parameters import (
    Encoded,
    Limits,
    TranscriptValues,
    WorkflowValues,
    transcript_arrays,
)

NOW: Final = moment(100)
# Text that looks like the framing of a hash.
FRAMES = st.text(alphabet="nt1:0j", max_size=6)


def encoded(workflow: Workflow, limits: Limits | None = None) -> Encoded:
    return encode(workflow, limits or Limits(), NOW)


def with_field(part: str | None, name: str, value: Any) -> Workflow:
    """The full workflow with one field changed, past the model's own checks."""
    workflow = full_workflow()
    if part is None:
        return workflow.model_copy(update={name: value})
    inner = getattr(workflow, part)
    if part == "transcripts":
        changed: Any = (inner[0].model_copy(update={name: value}),)
    else:
        changed = inner.model_copy(update={name: value})
    return workflow.model_copy(update={part: changed})


def dotted(part: str | None, name: str) -> str:
    if part is None:
        return name
    return f"transcripts.0.{name}" if part == "transcripts" else f"{part}.{name}"


def value_of(part: str | None, name: str) -> Any:
    workflow = full_workflow()
    if part is None:
        return getattr(workflow, name)
    inner = getattr(workflow, part)
    return getattr(inner[0] if part == "transcripts" else inner, name)


def fields() -> Iterator[tuple[str | None, str]]:
    for name in Workflow.model_fields:
        if name not in PARTS:
            yield None, name
    for part, model in PARTS.items():
        for name in model.model_fields:
            yield part, name


def fields_of(*kinds: type) -> list[Any]:
    return [
        pytest.param(part, name, id=dotted(part, name))
        for part, name in fields()
        if type(value_of(part, name)) in kinds
    ]


def other_than(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, tuple):
        return (*value, "x")
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, Json):
        return Json([value])
    return value + 1


def part_hash(record: Encoded, part: str) -> bytes:
    found = record.workflow.transcripts_hash if part == "transcripts" else getattr(record, part).content_hash
    assert isinstance(found, bytes)
    return found


def test_the_full_workflow_leaves_no_field_out() -> None:
    # What this module tests by introspection, it tests for the fields that have a value here.
    assert all(value_of(part, name) is not None for part, name in fields())


@pytest.mark.parametrize(("part", "name"), fields_of(str))
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ab\x00", "a NUL character at character 2"),
        ("a\ud800", "a lone surrogate (half a character) at character 1"),
        ("é" * 501, "a text of 1,002 bytes; at most 1,000 are allowed"),
    ],
)
def test_every_text_is_checked(part: str | None, name: str, text: str, reason: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        encoded(with_field(part, name, text), Limits(max_document_bytes=1_000))

    assert caught.value.field == dotted(part, name)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("part", "name"), fields_of(Json))
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (rb'{"a":"\u0000"}', r"a NUL character (\u0000) at $.a"),
        (rb'["\ud800"]', "a lone surrogate (half a character) at $[0]"),
        (b'"' + b"x" * 999 + b'"', "a document of 1,001 bytes; at most 1,000 are allowed"),
        (b"[[[[]]]]", "nested deeper than 3 levels"),
    ],
)
def test_every_document_is_checked(part: str, name: str, raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        encoded(with_field(part, name, Json.trusted(raw)), Limits(max_document_bytes=1_000, max_json_depth=3))

    assert caught.value.field == dotted(part, name)
    assert caught.value.reason == reason


@pytest.mark.parametrize(("part", "name"), fields_of(tuple))
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("a", "\x00"), "a NUL character"),
        (("a", "\ud800"), "a lone surrogate"),
        (("x" * 1_000,), "at most 1,000 are allowed"),
    ],
)
def test_every_list_of_names_is_checked(part: str, name: str, names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InvalidRecord, match=reason) as caught:
        encoded(with_field(part, name, names), Limits(max_document_bytes=1_000))

    assert caught.value.field == dotted(part, name)


def test_the_position_of_a_bad_transcript_is_told() -> None:
    transcripts = tuple(Transcript(video_url=url) for url in ("a", "b", "c\x00"))

    with pytest.raises(InvalidRecord, match=r"^transcripts\.2\.video_url: a NUL character at character 1$"):
        encoded(Workflow(workflow_id="1", url="u", transcripts=transcripts))


def test_only_a_workflow_can_be_encoded() -> None:
    assert encode_one(full_workflow(), Limits()).workflow == encoded(full_workflow()).workflow
    with pytest.raises(InvalidField, match="^workflow: a Workflow is expected, not dict$"):
        encode_one({"workflow_id": "1"}, Limits())


HASHED = [
    pytest.param(part, name, id=dotted(part, name))
    for part, name in fields()
    if part is not None and name != "extracted_at"
]


@pytest.mark.parametrize(("part", "name"), HASHED)
def test_the_hash_of_a_part_changes_with_each_of_its_fields(part: str, name: str) -> None:
    before = encoded(full_workflow())
    value = value_of(part, name)

    after = encoded(with_field(part, name, other_than(value)))

    assert part_hash(after, part) != part_hash(before, part)
    assert len(part_hash(after, part)) == 16
    for other in PARTS.keys() - {part}:
        assert part_hash(after, other) == part_hash(before, other)


@pytest.mark.parametrize(("part", "name"), HASHED)
def test_the_hash_knows_a_missing_value_from_an_empty_one(part: str, name: str) -> None:
    empty: Any = {str: "", tuple: (), Json: Json(None), int: 0, float: 0.0, bool: False}.get(
        type(value_of(part, name)), moment(0)
    )

    absent, there = (encoded(with_field(part, name, value)) for value in (None, empty))

    assert part_hash(absent, part) != part_hash(there, part)


@pytest.mark.parametrize("part", PARTS)
def test_the_hash_of_a_part_says_nothing_about_when_it_was_scraped(part: str) -> None:
    before = encoded(full_workflow())

    after = encoded(with_field(part, "extracted_at", moment(50)))

    assert part_hash(after, part) == part_hash(before, part)


@pytest.mark.parametrize("name", [name for part, name in fields() if part is None])
def test_the_hashes_of_parts_say_nothing_about_the_workflow_around_them(name: str) -> None:
    before = encoded(full_workflow())

    after = encoded(with_field(None, name, other_than(value_of(None, name))))

    assert [part_hash(after, part) for part in PARTS] == [part_hash(before, part) for part in PARTS]


@pytest.mark.parametrize(("part", "name"), [case for case in fields_of(datetime) if case in HASHED])
def test_the_hash_does_not_depend_on_the_zone_of_a_time(part: str, name: str) -> None:
    elsewhere = value_of(part, name).astimezone(timezone(timedelta(hours=-7)))

    assert part_hash(encoded(with_field(part, name, elsewhere)), part) == part_hash(encoded(full_workflow()), part)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Metadata(title="ab", description="c"), Metadata(title="a", description="bc")),
        (Metadata(title="a"), Metadata(description="a")),
        (Metadata(views=1), Metadata(shares=1)),
        (Metadata(tags=("a", "b")), Metadata(tags=("a,b",))),
        (Metadata(tags=("a",)), Metadata(categories=("a",))),
        (Metadata(title="nn"), Metadata(title="n")),
        (Metadata(title="1:t"), Metadata(title="1", description="t")),
    ],
)
def test_two_layouts_of_the_same_text_have_two_hashes(one: Metadata, other: Metadata) -> None:
    first, second = (encoded(Workflow(workflow_id="1", url="u", metadata=part)) for part in (one, other))

    assert part_hash(first, "metadata") != part_hash(second, "metadata")


@given(st.data(), st.sampled_from([("metadata", METADATA), ("structure", STRUCTURES), ("content", CONTENTS)]))
def test_two_parts_have_one_hash_only_if_they_are_the_same(
    data: st.DataObject, kind: tuple[str, st.SearchStrategy[Any]]
) -> None:
    part, strategy = kind
    one, other = data.draw(strategy), data.draw(strategy)

    first, second = (
        encoded(Workflow.model_validate({"workflow_id": "1", "url": "u", part: it})) for it in (one, other)
    )

    assert (part_hash(first, part) == part_hash(second, part)) == (spelt(one) == spelt(other))


@given(*(st.tuples(FRAMES, FRAMES.map(lambda text: text or None), FRAMES) for _ in range(2)))
@example(("", "n", ""), ("n", None, ""))
def test_text_that_looks_like_framing_does_not_confuse_the_hash(
    one: tuple[str, str | None, str], other: tuple[str, str | None, str]
) -> None:
    assume(one != other)

    first, second = (
        encoded(Workflow(workflow_id="1", url="u", metadata=Metadata(title=a, description=b, use_case=c)))
        for a, b, c in (one, other)
    )

    assert part_hash(first, "metadata") != part_hash(second, "metadata")


@given(*(st.lists(TRANSCRIPTS, max_size=3) for _ in range(2)))
def test_two_lists_of_transcripts_have_one_hash_only_if_they_are_the_same(
    one: list[Transcript], other: list[Transcript]
) -> None:
    first, second = (encoded(Workflow(workflow_id="1", url="u", transcripts=tuple(listed))) for listed in (one, other))

    same = list(map(spelt, one)) == list(map(spelt, other))
    assert (part_hash(first, "transcripts") == part_hash(second, "transcripts")) == same


def test_no_transcripts_are_not_unknown_transcripts() -> None:
    none = encoded(Workflow(workflow_id="1", url="u", transcripts=()))
    unknown = encoded(Workflow(workflow_id="1", url="u"))

    assert none.transcripts == ()
    assert none.workflow.transcripts_hash is not None
    assert unknown.transcripts is None
    assert unknown.workflow.transcripts_hash is None


@given(WORKFLOWS)
def test_each_value_lands_under_its_own_name(workflow: Workflow) -> None:
    record = encoded(workflow)

    for part in ("metadata", "structure", "content"):
        given_part, values = getattr(workflow, part), getattr(record, part)
        assert (given_part is None) == (values is None)
        if values is not None:
            assert_lands(given_part, values, workflow)
    assert (workflow.transcripts is None) == (record.transcripts is None)
    for position, (transcript, row) in enumerate(
        zip(workflow.transcripts or (), record.transcripts or (), strict=True)
    ):
        assert row.position == position
        assert_lands(transcript, row, workflow)


def assert_lands(part: BaseModel, values: Any, workflow: Workflow) -> None:
    row = values._asdict()
    assert row.pop("workflow_id") == workflow.workflow_id
    row.pop("content_hash", None)
    row.pop("position", None)
    assert row.keys() == type(part).model_fields.keys()
    for name, value in row.items():
        expected = getattr(part, name)
        if isinstance(expected, tuple):
            expected = Json(list(expected))
        if name == "extracted_at":
            expected = expected or workflow.extracted_at or NOW
        assert value == expected, name


def test_the_workflows_own_row() -> None:
    assert encoded(full_workflow()).workflow._asdict() == {
        "workflow_id": "id",
        "url": "https://page",
        "extracted_at": moment(1),
        "processing_time": 1.5,
        "quality_score": 87.5,
        "layer1_success": True,
        "layer2_success": True,
        "layer3_success": True,
        "error_message": "half of it",
        "transcripts_hash": encoded(full_workflow()).workflow.transcripts_hash,
        "title_key": "title",
        "views": 11,
        "node_count": 21,
    }
    assert encoded(full_workflow()).retry_count == 3
    assert encoded(full_workflow()).workflow_id == "id"


def test_a_bare_workflow_is_a_row_of_its_own() -> None:
    record = encoded(Workflow(workflow_id="1", url="u", layer1_success=True))

    assert record.workflow == WorkflowValues(
        "1", "u", NOW, None, None, False, False, False, None, None, None, None, None
    )
    assert (record.metadata, record.structure, record.content, record.transcripts) == (None, None, None, None)


@pytest.mark.parametrize("title", ["", "x" * 128, "x" * 129, "😀" * 5_000, "é" * 200])
def test_titles_are_ordered_by_their_first_128_characters(title: str) -> None:
    record = encoded(with_field("metadata", "title", title))

    assert record.workflow.title_key == title[:TITLE_KEY_LENGTH]
    assert TITLE_KEY_LENGTH == 128
    assert record.metadata is not None
    assert record.metadata.title == title


@pytest.mark.parametrize(("part", "name"), fields_of(str, Json))
def test_the_size_grows_by_the_bytes_of_each_text_and_document(part: str | None, name: str) -> None:
    value = value_of(part, name)
    longer = Json.trusted(value.raw + b" " * 1_000) if isinstance(value, Json) else value + "é" * 500

    assert encoded(with_field(part, name, longer)).size == encoded(full_workflow()).size + 1_000


def test_transcripts_become_one_array_a_column() -> None:
    rows = encoded(
        Workflow(
            workflow_id="1",
            url="u",
            transcripts=(Transcript(video_url="a", language="en"), Transcript(video_url="b", duration=2.0)),
        )
    ).transcripts
    assert rows is not None

    columns = dict(zip(TranscriptValues._fields[2:], transcript_arrays(rows), strict=True))

    assert columns["video_url"] == ("a", "b")
    assert columns["duration"] == (None, 2.0)
    assert columns["language"] == ("en", None)
    assert columns["extracted_at"] == (NOW, NOW)
    assert transcript_arrays(()) == [() for _ in columns]
