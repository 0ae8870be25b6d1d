"""Named fields of stored workflows are set, and everything that is kept beside them stays true."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from tests.records import SCRAPED_AT, full_workflow, parts_of, small_workflow
from workflow_store import (
    Content,
    InvalidField,
    InvalidRecord,
    Json,
    Metadata,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.database import Session
from workflow_store.queries import catalogue
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Limits
from workflow_store.repository.updates import UPDATABLE_FIELDS, UPDATABLE_PARTS

LATER = datetime(2026, 6, 1, tzinfo=UTC)
PARTS: dict[str, type[BaseModel]] = {"metadata": Metadata, "structure": Structure, "content": Content}
# Another value for every column than the full workflow has.
OTHERS: dict[str, Any] = {
    "metadata": {
        "title": "Slack \U0001f916 agent" * 20,
        "description": "Asks",
        "use_case": "Sales",
        "author_name": "Grace",
        "author_url": "https://n8n.io/creators/grace",
        "views": 5,
        "shares": 11,
        "categories": ("Ops",),
        "tags": (),
        "workflow_created_at": LATER,
        "workflow_updated_at": None,
        "raw_metadata": Json([1, 2]),
        "extracted_at": LATER,
    },
    "structure": {
        "node_count": 7,
        "connection_count": 6,
        "node_types": ("n8n-nodes-base.slack",),
        "extraction_type": "partial",
        "fallback_used": False,
        "workflow_json": Json.parse(b'{"b": 1.50, "a":[1E2]}'),
        "extracted_at": LATER,
    },
    "content": {
        "explainer_text": "Why it works",
        "explainer_html": "<p>Why it works</p>",
        "setup_instructions": None,
        "use_instructions": "Use it",
        "has_videos": False,
        "video_count": 0,
        "has_iframes": False,
        "iframe_count": 3,
        "raw_content": None,
        "extracted_at": LATER,
    },
}
OTHER_FIELDS: dict[str, Any] = {
    "url": "https://elsewhere",
    "extracted_at": LATER,
    "processing_time": 3.25,
    "quality_score": None,
    "error_message": None,
    "retry_count": 9,
}
EACH = [(part, name) for part, model in PARTS.items() for name in model.model_fields]


def with_field(workflow: Workflow, part: str, name: str, value: Any) -> Workflow:
    return workflow.model_copy(update={part: getattr(workflow, part).model_copy(update={name: value})})


async def get(store: WorkflowStore, workflow_id: str = "2462") -> Workflow:
    workflow = await store.get_workflow(workflow_id)
    assert workflow is not None
    return workflow


async def update(store: WorkflowStore, change: dict[str, Any], workflow_id: str = "2462") -> Workflow | None:
    return await store.update_workflow(workflow_id, **change)


def changed_to(change: dict[str, Any], workflow_id: str = "2462") -> Workflow:
    return Workflow(workflow_id=workflow_id, url="u", **change)


async def assert_kept_true(session: Session, given: Workflow, unknown: Collection[str] = ()) -> None:
    """Hashes are those of the record as it was given, or NULL where unknown; so are the keys of the listings."""
    fresh = encode(given, Limits(), SCRAPED_AT)
    (known,) = await session.fetch(catalogue.KNOWN_WORKFLOWS, [given.workflow_id])
    row = await session.connection.fetchrow(
        "SELECT title_key, views, node_count FROM workflow_store.workflows WHERE workflow_id = $1", given.workflow_id
    )
    assert row is not None
    assert tuple(row) == (fresh.workflow.title_key, fresh.workflow.views, fresh.workflow.node_count)
    for part, has, stored in (
        ("metadata", known.has_metadata, known.metadata_hash),
        ("structure", known.has_structure, known.structure_hash),
        ("content", known.has_content, known.content_hash),
    ):
        values = getattr(fresh, part)
        assert has == (values is not None)
        assert stored == (None if part in unknown or values is None else values.content_hash), part
    assert known.transcripts_hash == fresh.workflow.transcripts_hash


async def test_a_field_is_set_and_the_workflow_comes_back_as_it_is_stored(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    before = await get(store)

    back = await store.update_workflow("2462", metadata={"views": 5}, quality_score=91.0)

    expected = with_field(full_workflow(quality_score=91.0), "metadata", "views", 5)
    assert parts_of(back) == parts_of(expected)
    assert back == await get(store)
    assert back is not None
    assert before.updated_at is not None
    assert back.updated_at is not None
    assert back.updated_at > before.updated_at
    assert (back.extracted_at, back.metadata and back.metadata.extracted_at) == (SCRAPED_AT, SCRAPED_AT)


@pytest.mark.parametrize(("part", "name"), EACH, ids=lambda value: value)
async def test_every_column_of_every_part_can_be_set_alone(
    store: WorkflowStore, session: Session, part: str, name: str
) -> None:
    await store.create_workflow(full_workflow())
    value = OTHERS[part][name]
    given = with_field(full_workflow(), part, name, value)
    changed = with_field(await get(store), part, name, value)

    back = await update(store, {part: {name: value}})

    assert back is not None
    assert getattr(back, part) == getattr(changed, part)
    assert back.model_copy(update={"updated_at": changed.updated_at}) == changed
    await assert_kept_true(session, given, {part})
    assert await store.upsert_workflow(given) == "unchanged"
    await assert_kept_true(session, given)


@pytest.mark.parametrize("name", sorted(UPDATABLE_FIELDS))
async def test_every_field_of_the_row_can_be_set_alone(store: WorkflowStore, session: Session, name: str) -> None:
    await store.create_workflow(full_workflow())
    changed = (await get(store)).model_copy(update={name: OTHER_FIELDS[name]})

    back = await update(store, {name: OTHER_FIELDS[name]})

    assert back is not None
    assert back.model_copy(update={"updated_at": changed.updated_at}) == changed
    await assert_kept_true(session, full_workflow())
    assert await store.upsert_workflow(full_workflow(**{name: OTHER_FIELDS[name]})) == "unchanged"


async def test_everything_can_be_set_at_once(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    transcripts = [Transcript(video_url="https://youtu.be/3", language="de"), {"video_url": "https://youtu.be/4"}]

    back = await update(store, {**OTHERS, "transcripts": transcripts, **OTHER_FIELDS})

    assert back is not None
    for part in PARTS:
        assert getattr(back, part).model_dump() == PARTS[part](**OTHERS[part]).model_dump()
    assert {name: getattr(back, name) for name in OTHER_FIELDS} == OTHER_FIELDS
    assert [item.video_url for item in back.transcripts or ()] == ["https://youtu.be/3", "https://youtu.be/4"]
    given = full_workflow(**OTHERS, transcripts=transcripts, **OTHER_FIELDS)
    await assert_kept_true(session, given, PARTS)
    assert await store.upsert_workflow(given) == "unchanged"


@pytest.mark.parametrize("length", [0, 1, 3])
async def test_a_list_of_transcripts_replaces_the_stored_one(
    store: WorkflowStore, session: Session, length: int
) -> None:
    await store.create_workflow(full_workflow())
    transcripts = [Transcript(video_url=f"https://youtu.be/{9 - n}", duration=n) for n in range(length)]

    back = await store.update_workflow("2462", transcripts=transcripts)

    given = full_workflow(transcripts=tuple(transcripts))
    assert parts_of(back) == parts_of(given)
    await assert_kept_true(session, given)
    assert await store.upsert_workflow(given) == "unchanged"


@pytest.mark.parametrize("part", PARTS)
async def test_a_part_that_is_not_stored_is_created(store: WorkflowStore, session: Session, part: str) -> None:
    await store.create_workflow(Workflow(workflow_id="1", url="u"))
    name, value = next(iter(OTHERS[part].items()))

    back = await update(store, {part: {name: value}}, "1")

    assert back is not None
    created = getattr(back, part)
    assert created is not None
    assert created.model_copy(update={"extracted_at": None}) == PARTS[part](**{name: value})
    assert created.extracted_at is not None
    given = changed_to({part: {name: value}}, "1")
    await assert_kept_true(session, given, {part})
    assert await store.upsert_workflow(given) == "unchanged"


async def test_an_empty_part_is_not_created(store: WorkflowStore) -> None:
    await store.create_workflow(Workflow(workflow_id="1", url="u"))

    back = await store.update_workflow("1", metadata={}, structure={}, content={})

    assert parts_of(back) == parts_of(Workflow(workflow_id="1", url="u"))
    assert back is not None
    assert not back.layer1_success


async def test_an_unknown_workflow_is_none_and_nothing_is_made(store: WorkflowStore, session: Session) -> None:
    assert await store.update_workflow("nobody", metadata={"views": 5}, transcripts=[], retry_count=1) is None

    for table in ("workflows", "workflow_metadata", "workflow_scrape", "workflow_search_pending"):
        assert await session.connection.fetchval(f"SELECT count(*) FROM workflow_store.{table}") == 0


@pytest.mark.parametrize(
    "name",
    sorted(
        (Workflow.model_fields.keys() - UPDATABLE_FIELDS - {"workflow_id", "metadata", "structure", "content"})
        - {"transcripts"}
        | {"views", "title", "transcripts_hash", "content_hash", "id", "last_seen_at", "notices"}
    ),
)
async def test_what_the_store_keeps_itself_and_what_it_does_not_know_is_refused(
    store: WorkflowStore, name: str
) -> None:
    await store.create_workflow(full_workflow())
    before = await get(store)

    with pytest.raises(InvalidField, match="error_message, extracted_at, processing_time, quality_score") as caught:
        await update(store, {"quality_score": 1.0, name: 1})

    assert caught.value.field == name
    assert caught.value.allowed == tuple(sorted(UPDATABLE_FIELDS))
    assert await get(store) == before


async def test_columns_that_are_not_fields_of_a_part_are_refused(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    for part, allowed in UPDATABLE_PARTS.items():
        columns = await session.connection.fetch(
            "SELECT column_name::text FROM information_schema.columns"
            " WHERE table_schema = 'workflow_store' AND table_name = $1",
            f"workflow_{part}",
        )
        refused = {column["column_name"] for column in columns} - allowed
        assert {"workflow_id", "content_hash"} <= refused
        for name in [*sorted(refused), "viewz", 7]:
            with pytest.raises(InvalidField, match=rf"{part}\.{name}: is no field.*extracted_at") as caught:
                await update(store, {part: {name: None}})
            assert caught.value.allowed == tuple(sorted(allowed))
        assert allowed <= {column["column_name"] for column in columns}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": {"views": "many"}}, "metadata.views"),
        ({"metadata": {"views": 2**63}}, "metadata.views"),
        ({"metadata": {"title": "a\x00b"}}, "metadata.title"),
        ({"metadata": {"title": "\ud800"}}, "metadata.title"),
        ({"metadata": {"tags": "one"}}, "metadata.tags"),
        ({"metadata": {"raw_metadata": {"a": "\x00"}}}, "metadata.raw_metadata"),
        ({"metadata": {"raw_metadata": float("nan")}}, "metadata.raw_metadata"),
        ({"metadata": {"workflow_created_at": "last week"}}, "metadata.workflow_created_at"),
        ({"metadata": {"extracted_at": None}}, "metadata.extracted_at"),
        ({"structure": {"fallback_used": None}}, "structure.fallback_used"),
        ({"structure": {"workflow_json": Json.trusted(b"[" * 600 + b"]" * 600)}}, "structure.workflow_json"),
        ({"content": {"video_count": None}}, "content.video_count"),
        ({"content": {"explainer_text": "x" * (16 * 1024 * 1024 + 1)}}, "content.explainer_text"),
        ({"transcripts": [{"video_id": "1"}]}, "transcripts.0.video_url"),
        ({"transcripts": [Transcript(video_url="u"), {"video_url": "u", "id": 1}]}, "transcripts.1.id"),
        ({"transcripts": [{"video_url": "a\x00"}]}, "transcripts.0.video_url"),
        ({"url": ""}, "url"),
        ({"url": None}, "url"),
        ({"extracted_at": None}, "extracted_at"),
        ({"retry_count": None}, "retry_count"),
        ({"retry_count": -1}, "retry_count"),
        ({"quality_score": float("inf")}, "quality_score"),
        ({"error_message": "a\x00"}, "error_message"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_value_that_does_not_fit_is_refused_by_its_field(
    store: WorkflowStore, change: dict[str, Any], field: str
) -> None:
    await store.create_workflow(full_workflow())
    before = await get(store)

    with pytest.raises(InvalidRecord) as caught:
        await update(store, {"error_message": "other", **change})

    assert caught.value.field == field
    assert await get(store) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": [("views", 5)]}, "metadata"),
        ({"content": Content()}, "content"),
        ({"transcripts": "u"}, "transcripts"),
    ],
    ids=["metadata", "content", "transcripts"],
)
async def test_a_part_in_another_shape_is_refused(store: WorkflowStore, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        await update(store, change)

    assert caught.value.field == field


async def test_after_an_update_the_record_before_it_is_an_update_and_the_new_one_is_not(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())

    await store.update_workflow("2462", metadata={"views": 5})

    assert await store.upsert_workflow(full_workflow()) == "updated"
    assert await store.upsert_workflow(full_workflow()) == "unchanged"
    await store.update_workflow("2462", metadata={"views": 5})
    assert await store.upsert_workflow(with_field(full_workflow(), "metadata", "views", 5)) == "unchanged"


async def test_an_unchanged_record_makes_the_hashes_known_again(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    await store.update_workflow("2462", metadata={"views": 5}, structure={"node_count": 2}, content={"video_count": 2})
    (unknown,) = await session.fetch(catalogue.KNOWN_WORKFLOWS, ["2462"])

    await store.upsert_workflow(with_field(full_workflow(), "metadata", "views", 5))

    (known,) = await session.fetch(catalogue.KNOWN_WORKFLOWS, ["2462"])
    assert (unknown.metadata_hash, unknown.structure_hash, unknown.content_hash) == (None, None, None)
    assert None not in (known.metadata_hash, known.structure_hash, known.content_hash)


async def test_a_listing_follows_an_update(store: WorkflowStore) -> None:
    for number in range(3):
        await store.create_workflow(small_workflow(str(number)))

    await store.update_workflow("1", metadata={"views": 10, "title": "A"}, structure={"node_count": None})

    for order, first in (("views", "1"), ("title", "2"), ("node_count", "2")):
        page = await store.list_workflows(order_by=order)
        assert page.items[0].workflow_id == first, order
    assert (await store.list_workflows(order_by="node_count")).items[-1].workflow_id == "1"


async def test_a_new_word_is_searched_and_new_views_are_no_reason_to_search_anew(
    store: WorkflowStore, session: Session
) -> None:
    await store.create_workflow(full_workflow())
    await store.refresh_search()
    waiting = "SELECT count(*) FROM workflow_store.workflow_search_pending"

    async with store.transaction() as tx:
        await tx.update_workflow("2462", metadata={"views": 5})
        await tx.update_workflow("2462", quality_score=1.0)
        await tx.update_workflow("2462", content={"video_count": 2})
    unmarked = await session.connection.fetchval(waiting)
    await store.update_workflow("2462", content={"explainer_text": "zebra"})
    await store.refresh_search()

    assert unmarked == 0
    hits = await store.search_workflows("zebra")
    assert [hit.workflow.workflow_id for hit in hits.items] == ["2462"]


async def test_updates_at_once_are_all_there_and_none_is_torn(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    columns = [(part, name) for part, name in EACH if name != "extracted_at"]

    answers = await asyncio.gather(
        *(update(store, {part: {name: OTHERS[part][name]}}) for part, name in columns),
        *(store.upsert_workflow(full_workflow("other")) for _ in range(5)),
    )

    assert None not in answers
    back = await get(store)
    for part, name in columns:
        assert getattr(getattr(back, part), name) == OTHERS[part][name], name
    await assert_kept_true(session, full_workflow(**OTHERS), PARTS)


async def test_an_update_in_a_transaction_goes_with_it(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    before = await get(store)

    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.update_workflow("2462", metadata={"views": 5}, transcripts=[])
            raise ZeroDivisionError

    assert await get(store) == before


async def test_an_update_that_a_deadlock_ended_is_repeated(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(full_workflow())
    other = session.connection
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"

    async with session.transaction():
        # The other one never looks for a deadlock, so that the update is the one that is given up.
        await other.execute("SET LOCAL deadlock_timeout = '10min'")
        await other.execute("SELECT 1 FROM workflow_store.workflow_metadata WHERE workflow_id = '2462' FOR UPDATE")
        task = asyncio.create_task(update(store, {"metadata": {"views": 5}}))
        while not await other.fetchval(waiting):  # noqa: ASYNC110 (another session's lock sets no event)
            await asyncio.sleep(0.01)
        await other.execute("SELECT 1 FROM workflow_store.workflows WHERE workflow_id = '2462' FOR UPDATE")
    updated = await task

    assert updated is not None
    assert updated.metadata is not None
    assert updated.metadata.views == 5
