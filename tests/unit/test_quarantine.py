"""What quarantine keeps of a record that could not be stored."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.records import full_workflow
from workflow_store.ingest.quarantine import record_hash, rejected_workflow, storable
from workflow_store.models import Json, Rejected, Structure, Workflow

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)


def test_a_rejected_workflow_keeps_its_own_json() -> None:
    workflow = full_workflow()

    rejected = rejected_workflow(workflow, 7, "metadata.title: a NUL character")

    assert Workflow.from_json(rejected.raw) == workflow
    assert rejected == Rejected("workflow id", "metadata.title: a NUL character", rejected.raw, 7, "id")


def test_a_workflow_that_can_not_be_json_is_kept_whole_all_the_same() -> None:
    document = Json.trusted(b'{"nodes": ["\xff"]}')
    workflow = Workflow(
        workflow_id="1", url="u", error_message="half \ud800", structure=Structure(workflow_json=document)
    )

    kept = rejected_workflow(workflow, 0, "not UTF-8").raw

    assert rb"half \ud800" in kept
    assert document.raw in kept
    told = json.loads(kept.replace(b"\xff", b"x"))
    assert told["workflow_id"] == "1"
    assert told["structure"]["workflow_json"] == {"nodes": ["x"]}


def test_half_a_character_is_kept_as_an_escape_and_documents_stay_documents() -> None:
    document = Json({"nodes": ["n" * 100_000, "é😀"]})
    workflow = Workflow(
        workflow_id="1", url="u", error_message="half \ud800", structure=Structure(workflow_json=document)
    )

    told = json.loads(rejected_workflow(workflow, 0, "a lone surrogate").raw)

    assert told["error_message"] == "half \ud800"
    assert told["structure"]["workflow_json"] == document.value


def test_one_record_has_one_hash_whatever_was_said_of_it() -> None:
    first = Rejected("file:1", "bad", b"{", position=1, workflow_id="a")

    assert record_hash(first) == record_hash(Rejected("file:1", "worse", b"{", position=2))
    assert len(record_hash(first)) == 16


@given(ANY_TEXT, st.binary(max_size=8), ANY_TEXT, st.binary(max_size=8))
def test_two_records_have_two_hashes(one: str, raw: bytes, other: str, other_raw: bytes) -> None:
    assume((storable(one), raw) != (storable(other), other_raw))

    assert record_hash(Rejected(one, "", raw)) != record_hash(Rejected(other, "", other_raw))


def test_the_line_between_source_and_bytes_is_part_of_the_hash() -> None:
    assert record_hash(Rejected("ab", "", b"c")) != record_hash(Rejected("a", "", b"bc"))


def test_all_bytes_of_a_record_count() -> None:
    start = b"x" * 2_000_000

    assert record_hash(Rejected("s", "", start + b"1")) != record_hash(Rejected("s", "", start + b"2"))


@given(ANY_TEXT)
def test_any_text_can_be_stored_in_some_spelling(text: str) -> None:
    stored = storable(text)

    assert "\x00" not in stored
    assert stored.encode("utf-8").decode("utf-8") == stored


@pytest.mark.parametrize(
    ("text", "stored"), [("plain é😀", "plain é😀"), ("a\x00b", r"a\x00b"), ("a\ud800", r"a\ud800"), ("", "")]
)
def test_only_what_postgresql_refuses_is_spelt_out(text: str, stored: str) -> None:
    assert storable(text) == stored
