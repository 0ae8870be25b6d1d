"""Inputs on which the original lost data, one by one: what it did, and that this one does better."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.results import extracted, failed_result, flat_result, nested_result
from tests.quarantined import quarantined
from tests.records import parts_of
from workflow_store import (
    AlreadyExists,
    InvalidField,
    InvalidJson,
    InvalidRecord,
    Json,
    Metadata,
    Structure,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session


def with_layer(layer: str, **members: Any) -> dict[str, Any]:
    """A flat result with other members in one layer."""
    result = flat_result()
    result["layers"][layer] |= members
    return result


async def stored(store: WorkflowStore, result: dict[str, Any]) -> Workflow:
    """The workflow as it comes back."""
    await store.create_workflow(extracted(result))
    workflow = await store.get_workflow("1")
    assert workflow is not None
    return workflow


async def test_every_field_of_a_nested_result_lands_in_its_column(store: WorkflowStore) -> None:
    workflow = await stored(store, nested_result())

    assert workflow.extracted_at == datetime(2025, 10, 11, 12, 13, 14, 15, tzinfo=UTC)
    assert (workflow.processing_time, workflow.quality_score, workflow.error_message) == (31.2, 87.5, None)
    assert (workflow.layer1_success, workflow.layer2_success, workflow.layer3_success) == (True, True, True)
    page, structure, content = workflow.metadata, workflow.structure, workflow.content
    assert page is not None
    assert (page.title, page.description, page.use_case) == ("Nested workflow 1", "Answers questions", "Support")
    assert (page.author_name, page.views, page.shares) == ("Grace", 4_567, 12)
    assert (page.categories, page.tags) == (("AI", "Support"), ("chat", "telegram"))
    assert page.workflow_created_at == datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert page.workflow_updated_at == datetime(2025, 3, 5, tzinfo=UTC)
    assert structure is not None
    assert (structure.node_count, structure.node_types) == (2, ("agent", "telegram"))
    assert structure.workflow_json is not None
    assert structure.workflow_json.value == nested_result()["layers"]["layer2"]["data"]["workflow"]
    assert content is not None
    assert (content.explainer_text, content.has_videos, content.video_count) == ("First\n\nThen", True, 1)
    (transcript,) = workflow.transcripts or ()
    assert (transcript.video_url, transcript.transcript_text) == ("https://youtu.be/xyz", "Spoken words")
    # What has no column is kept beside the layer.
    assert page.raw_metadata is not None
    assert page.raw_metadata.value["pipeline"]["quality"] == nested_result()["quality"]
    assert page.raw_metadata.value["pipeline"]["validation"] == nested_result()["validation"]


async def test_the_same_id_again_is_a_typed_error_to_create_and_a_merge_to_upsert(store: WorkflowStore) -> None:
    first = await stored(store, flat_result())

    with pytest.raises(AlreadyExists) as caught:
        await store.create_workflow(extracted(flat_result(2)))
    untouched = await store.get_workflow("1")
    outcome = await store.upsert_workflow(extracted(failed_result("layer1", "layer3", quality_score=91.0)))

    assert caught.value.workflow_id == "1"
    assert untouched == first
    assert outcome == "updated"
    changes = {"quality_score": 91.0, "error_message": "layer1 timed out; layer3 timed out"}
    assert parts_of(await store.get_workflow("1")) == parts_of(first) | changes


@pytest.mark.parametrize("layers", [{"layer1": None, "layer2": None, "layer3": None}, {"layer1": None}, {}, None])
async def test_a_crash_without_layers_is_stored_with_its_error(
    store: WorkflowStore, layers: dict[str, None] | None
) -> None:
    workflow = await stored(
        store, nested_result(layers=layers, quality=None, transcripts=None, multimodal=None, errors=["browser died"])
    )

    assert (workflow.layer1_success, workflow.layer2_success, workflow.layer3_success) == (False, False, False)
    assert (workflow.error_message, workflow.quality_score) == ("browser died", None)
    assert (workflow.metadata, workflow.structure, workflow.content) == (None, None, None)
    listed = await store.list_workflows(has_error=True, layer1_success=False)
    assert [item.workflow_id for item in listed.items] == ["1"]


async def test_an_author_that_is_a_text_is_the_authors_name(store: WorkflowStore) -> None:
    workflow = await stored(store, with_layer("layer1", author="Ada Lovelace"))

    assert workflow.metadata is not None
    assert (workflow.metadata.author_name, workflow.metadata.author_url) == ("Ada Lovelace", None)
    assert len(await store.list_workflows(author="Ada Lovelace")) == 1


UNSTORABLE = {
    "NUL in a text": (Workflow(workflow_id="bad", url="u", metadata=Metadata(title="a\x00b")), "metadata.title"),
    "half a character in a text": (
        Workflow(workflow_id="bad", url="u", metadata=Metadata(description="\ud83e")),
        "metadata.description",
    ),
    "NUL in a document": (
        Workflow(workflow_id="bad", url="u", structure=Structure(workflow_json=Json({"nodes": ["\x00"]}))),
        "structure.workflow_json",
    ),
    "escaped half a character in a document": (
        Workflow(workflow_id="bad", url="u", structure=Structure(workflow_json=Json.trusted(b'["\\udc00\\ud800"]'))),
        "structure.workflow_json",
    ),
}


@pytest.mark.parametrize(("bad", "field"), UNSTORABLE.values(), ids=UNSTORABLE)
async def test_what_the_server_cant_hold_is_refused_by_name_and_quarantined_alone(
    store: WorkflowStore, session: Session, bad: Workflow, field: str
) -> None:
    good = [extracted(flat_result(n), str(n)) for n in range(4)]

    with pytest.raises(InvalidRecord) as caught:
        await store.create_workflow(bad)
    with pytest.raises(InvalidRecord):
        await store.upsert_workflow(bad)
    report = await store.ingest([*good[:2], bad, *good[2:]])

    assert caught.value.field == field
    assert (report.inserted, report.rejected) == (4, 1)
    assert await store.exists(["0", "1", "2", "3", "bad"]) == {"0", "1", "2", "3"}
    (row,) = await quarantined(session)
    assert (row.workflow_id, row.position) == ("bad", 2)
    assert field in row.reason
    assert row.raw_length == len(row.raw) > 0


@pytest.mark.parametrize("number", [float("nan"), float("inf")], ids=str)
def test_a_number_that_json_lacks_is_refused_with_its_place(number: float) -> None:
    with pytest.raises(InvalidRecord, match=r"layers\.layer2\.data"):
        extracted(with_layer("layer2", data={"nodes": [], "x": number}))
    with pytest.raises(InvalidJson):
        Json.parse(json.dumps({"x": number}))


async def test_an_escaped_backslash_before_u0000_is_no_nul_and_is_stored(store: WorkflowStore) -> None:
    workflow = await stored(store, with_layer("layer2", data={"nodes": [], "text": "\\u0000"}))

    assert workflow.structure is not None
    assert workflow.structure.workflow_json is not None
    assert workflow.structure.workflow_json.value["text"] == "\\u0000"


async def test_a_title_of_9000_random_characters_is_stored_listed_and_found(store: WorkflowStore) -> None:
    letters = random.Random(7)
    title = "".join(chr(letters.randrange(0x4E00, 0x9FFF)) for _ in range(9_000))

    workflow = await stored(store, with_layer("layer1", title=title))

    assert workflow.metadata is not None
    assert workflow.metadata.title == title
    assert [item.workflow_id for item in (await store.list_workflows(order_by="title")).items] == ["1"]
    assert len(await store.search_workflows(title[8_000:8_020], mode="substring")) == 1


@pytest.mark.parametrize("views", [3_000_000_000, 2**63 - 1])
async def test_views_beyond_32_bits_are_stored_and_filtered(store: WorkflowStore, views: int) -> None:
    workflow = await stored(store, with_layer("layer1", views=views))

    assert workflow.metadata is not None
    assert workflow.metadata.views == views
    assert await store.count_workflows(min_views=views) == 1


async def test_views_beyond_64_bits_are_reported_and_the_record_is_kept(store: WorkflowStore) -> None:
    given = extracted(with_layer("layer1", views=2**70))

    report = await store.ingest([given])

    workflow = await store.get_workflow("1")
    assert workflow is not None
    assert workflow.metadata is not None
    assert (workflow.metadata.views, workflow.metadata.title) == (None, "Test workflow 1")
    assert (report.inserted, report.rejected) == (1, 0)
    assert report.notices == [f"1: layer1.views: {2**70} is not a whole number that fits"]
    assert workflow.metadata.raw_metadata is not None
    assert workflow.metadata.raw_metadata.value["views"] == 2**70


@pytest.mark.parametrize("workflow_id", ["x" * 51, "x" * 1_024, "ж" * 512])
async def test_a_long_id_is_stored(store: WorkflowStore, workflow_id: str) -> None:
    await store.create_workflow(extracted(flat_result(), workflow_id))

    workflow = await store.get_workflow(workflow_id)

    assert workflow is not None
    assert workflow.workflow_id == workflow_id


@pytest.mark.parametrize("workflow_id", ["", "x" * 1_025, "ж" * 513])
def test_an_id_that_no_key_holds_is_a_typed_error(workflow_id: str) -> None:
    with pytest.raises(InvalidRecord, match="workflow_id"):
        extracted(flat_result(), workflow_id)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2025-01-02T03:04:05Z", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2025-01-02T03:04:05+02:00", datetime(2025, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2025-01-02T03:04:05", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
async def test_the_zone_of_a_time_is_kept_and_none_is_utc(store: WorkflowStore, given: str, moment: datetime) -> None:
    workflow = await stored(store, with_layer("layer1", created_at=given))

    assert workflow.metadata is not None
    assert workflow.metadata.workflow_created_at == moment


async def test_a_date_that_is_none_is_null_and_reported_and_the_record_is_kept(store: WorkflowStore) -> None:
    report = await store.ingest([extracted(with_layer("layer1", created_at="last week"))])

    workflow = await store.get_workflow("1")
    assert workflow is not None
    assert workflow.metadata is not None
    assert (workflow.metadata.workflow_created_at, workflow.metadata.title) == (None, "Test workflow 1")
    assert report.notices == ['1: layer1.created_at: "last week" is not a date']
    assert workflow.metadata.raw_metadata is not None
    assert workflow.metadata.raw_metadata.value["created_at"] == "last week"


@pytest.mark.parametrize(("sign", "found"), [("%", ["1"]), ("_", ["2"]), ("\\", ["3"]), ("0%", ["1"]), ("%o", [])])
async def test_a_wildcard_in_a_search_means_itself(store: WorkflowStore, sign: str, found: list[str]) -> None:
    for number, title in enumerate(["plain of", "100% of it", "snake_case of", "back\\slash of"]):
        await store.create_workflow(extracted(with_layer("layer1", title=title, description=None), str(number)))

    page = await store.search_workflows(sign, mode="substring")

    assert [hit.workflow.workflow_id for hit in page.items] == found


async def test_an_unknown_order_is_a_typed_error_that_names_what_is_allowed(store: WorkflowStore) -> None:
    with pytest.raises(
        InvalidField, match="extracted_at, node_count, quality_score, title, updated_at, views"
    ) as caught:
        await store.list_workflows(order_by="popularity")

    assert caught.value.field == "order_by"


@pytest.mark.parametrize("bounds", [{"limit": -1}, {"limit": 0}, {"limit": 1_001}, {"limit": True}, {"offset": -1}])
async def test_a_bound_that_is_not_allowed_is_a_typed_error(store: WorkflowStore, bounds: dict[str, Any]) -> None:
    with pytest.raises(InvalidField, match=f"{next(iter(bounds))}: [01]"):
        await store.list_workflows(**bounds)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"popularity": 5}, "popularity"),
        ({"id": 5}, "id"),
        ({"updated_at": datetime(2025, 1, 1, tzinfo=UTC)}, "updated_at"),
        ({"layer1_success": True}, "layer1_success"),
        ({"metadata": {"id": 5}}, "metadata.id"),
        ({"quality_score": 1.0, "structure": {"content_hash": b""}}, "structure.content_hash"),
    ],
)
async def test_an_unknown_or_owned_field_in_an_update_is_a_typed_error_and_nothing_is_set(
    store: WorkflowStore, changes: dict[str, Any], field: str
) -> None:
    before = await stored(store, flat_result())

    with pytest.raises(InvalidField) as caught:
        await store.update_workflow("1", **changes)

    assert caught.value.field == field
    assert caught.value.allowed
    assert await store.get_workflow("1") == before


async def test_errors_and_retry_count_of_a_result_are_stored(store: WorkflowStore) -> None:
    result = failed_result("layer2", errors=["slow page", "no video"], retry_count=3)

    workflow = await stored(store, result)

    assert workflow.error_message == "slow page; no video; layer2 timed out"
    assert workflow.retry_count == 3


async def test_connections_are_counted_by_edge(store: WorkflowStore) -> None:
    workflow = await stored(store, nested_result())

    assert workflow.structure is not None
    # One from A and two from B by its main output, and one by another kind of output.
    assert workflow.structure.connection_count == 4
