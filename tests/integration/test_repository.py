from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest

from tests.records import SCRAPED_AT, full_workflow, parts_of, small_workflow, with_views
from workflow_store import (
    AlreadyExists,
    Content,
    InvalidCursor,
    InvalidField,
    InvalidRecord,
    Json,
    Metadata,
    ReadOnly,
    Structure,
    Transcript,
    Workflow,
    WorkflowStore,
)
from workflow_store.models.workflow import Part
from workflow_store.repository.listing import OrderBy


async def test_a_workflow_comes_back_with_every_column_as_it_went_in(store: WorkflowStore) -> None:
    given = full_workflow()

    await store.create_workflow(given)
    back = await store.get_workflow("2462")

    assert parts_of(back) == parts_of(given)
    assert back is not None
    assert (back.extracted_at, back.processing_time, back.retry_count) == (SCRAPED_AT, 14.5, 0)
    assert (back.layer1_success, back.layer2_success, back.layer3_success) == (True, True, True)
    assert back.updated_at is not None
    assert back.metadata is not None
    assert back.metadata.extracted_at == SCRAPED_AT


async def test_what_comes_back_is_a_valid_model_that_can_be_stored_again(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    back = await store.get_workflow("2462")
    assert back is not None

    again = Workflow.model_validate(back.model_dump())

    assert again == back
    assert await store.upsert_workflow(again) == "unchanged"


async def test_creating_twice_says_already_exists_and_changes_nothing(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())

    with pytest.raises(AlreadyExists, match="'2462'") as caught:
        await store.create_workflow(full_workflow(url="https://other"))

    assert caught.value.workflow_id == "2462"
    assert parts_of(await store.get_workflow("2462")) == parts_of(full_workflow())


async def test_upsert_says_what_it_did(store: WorkflowStore) -> None:
    assert await store.upsert_workflow(full_workflow()) == "inserted"
    assert await store.upsert_workflow(full_workflow()) == "unchanged"
    assert await store.upsert_workflow(with_views(full_workflow(), 5)) == "updated"
    assert await store.upsert_workflow(with_views(full_workflow(), 5)) == "unchanged"


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://elsewhere"},
        {"error_message": None},
        {"quality_score": 12.5},
        {"metadata": Metadata(title="Other")},
        {"structure": Structure(workflow_json=Json({"nodes": []}))},
        {"content": Content(explainer_text="Other")},
        {"transcripts": ()},
        {"transcripts": (Transcript(video_url="https://youtu.be/1", transcript_json=Json([{"t": 0.2}])),)},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_each_part_that_changed_is_the_last_one_given(store: WorkflowStore, change: dict[str, Any]) -> None:
    await store.create_workflow(full_workflow())

    outcome = await store.upsert_workflow(full_workflow(**change))

    assert outcome == "updated"
    assert parts_of(await store.get_workflow("2462")) == parts_of(full_workflow(**change))


async def test_a_part_that_was_not_scraped_stays(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    failed = Workflow(workflow_id="2462", url=full_workflow().url, error_message="timed out")

    outcome = await store.upsert_workflow(failed)

    assert outcome == "updated"
    assert parts_of(await store.get_workflow("2462")) == parts_of(full_workflow(error_message="timed out"))
    back = await store.get_workflow("2462")
    assert back is not None
    assert (back.layer1_success, back.processing_time, back.quality_score) == (True, 14.5, 85.3)


async def test_replace_deletes_the_parts_that_are_not_given(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    bare = Workflow(workflow_id="2462", url="https://n8n.io/workflows/2462")

    assert await store.upsert_workflow(bare, replace=True) == "updated"
    assert await store.upsert_workflow(bare, replace=True) == "unchanged"

    back = await store.get_workflow("2462")
    assert parts_of(back) == parts_of(bare)
    assert back is not None
    assert (back.layer1_success, back.layer2_success, back.layer3_success) == (False, False, False)
    assert (await store.list_workflows(order_by="views")).items[0].workflow_id == "2462"


async def test_no_transcripts_is_not_the_same_as_transcripts_never_scraped(store: WorkflowStore) -> None:
    await store.create_workflow(small_workflow("1"))
    unknown = await store.get_workflow("1")

    assert await store.upsert_workflow(small_workflow("1", transcripts=())) == "updated"
    assert await store.upsert_workflow(small_workflow("1", transcripts=())) == "unchanged"

    known = await store.get_workflow("1")
    assert unknown is not None
    assert known is not None
    assert (unknown.transcripts, known.transcripts) == (None, ())


@pytest.mark.parametrize("length", [0, 1, 3])
async def test_a_list_of_transcripts_becomes_longer_and_shorter_in_order(store: WorkflowStore, length: int) -> None:
    await store.create_workflow(full_workflow())
    transcripts = tuple(Transcript(video_url=f"https://youtu.be/{9 - n}", duration=n) for n in range(length))

    assert await store.upsert_workflow(full_workflow(transcripts=transcripts)) == "updated"

    assert parts_of(await store.get_workflow("2462"))["transcripts"] == list(transcripts)


async def test_another_spelling_of_the_same_json_is_unchanged(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())
    before = await store.get_workflow("2462")
    respelt = full_workflow(
        extracted_at=None,
        structure=full_workflow().structure.model_copy(  # type: ignore[union-attr]
            update={
                "workflow_json": Json.parse(
                    b'{ "x":1E400, "connections":{},"nodes":[{"id":1180591620717411303424 } ] }'
                )
            }
        ),
        transcripts=tuple(
            item.model_copy(update={"transcript_json": item.transcript_json and Json.parse(b'[ {"t" : 0.1} ]')})
            for item in full_workflow().transcripts or ()
        ),
    )

    assert await store.upsert_workflow(respelt) == "unchanged"

    after = await store.get_workflow("2462")
    assert before == after


async def test_a_digit_more_is_a_change(store: WorkflowStore) -> None:
    one, more = (
        Workflow(workflow_id="1", url="u", structure=Structure(workflow_json=Json.parse(number)))
        for number in ("1.0", "1.00")
    )
    await store.create_workflow(one)

    assert await store.upsert_workflow(more) == "updated"

    back = await store.get_workflow("1")
    assert back is not None
    assert back.structure is not None
    assert str(back.structure.workflow_json) == "1.00"


async def test_a_retry_count_is_kept_and_no_count_leaves_it(store: WorkflowStore) -> None:
    await store.create_workflow(small_workflow("1", retry_count=3))
    created = await store.get_workflow("1")
    await store.upsert_workflow(small_workflow("1", retry_count=4), touch=False)
    counted = await store.get_workflow("1")
    await store.upsert_workflow(small_workflow("1"))
    left = await store.get_workflow("1")

    assert [workflow and workflow.retry_count for workflow in (created, counted, left)] == [3, 4, 4]


async def test_get_loads_the_parts_that_are_asked_for(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())

    for part in get_args(Part):
        back = await store.get_workflow("2462", include={part})
        assert back is not None
        loaded = {name for name in get_args(Part) if getattr(back, name) is not None}
        assert loaded == {part}
        assert (back.layer1_success, back.layer2_success, back.layer3_success) == (True, True, True)


async def test_get_of_an_unknown_id_is_none_and_an_unknown_part_names_what_is_allowed(store: WorkflowStore) -> None:
    assert await store.get_workflow("nobody") is None
    with pytest.raises(InvalidField, match="content, metadata, structure, transcripts"):
        await store.get_workflow("1", include={"layer1"})  # type: ignore[arg-type]


async def test_delete_says_whether_it_was_there_and_takes_everything_with_it(
    store: WorkflowStore, session: Any
) -> None:
    await store.create_workflow(full_workflow())

    assert await store.delete_workflow("2462") is True
    assert await store.delete_workflow("2462") is False

    for table in (
        "workflows",
        "workflow_metadata",
        "workflow_structure",
        "workflow_content",
        "video_transcripts",
        "workflow_scrape",
    ):
        assert await session.connection.fetchval(f"SELECT count(*) FROM workflow_store.{table}") == 0


@pytest.mark.parametrize("workflow_id", ["x" * 51, "x" * 1024, "ж" * 512, "a/b c", "'; DROP TABLE workflows; --", "%"])
async def test_any_id_up_to_its_limit_is_a_key(store: WorkflowStore, workflow_id: str) -> None:
    await store.create_workflow(small_workflow(workflow_id))

    back = await store.get_workflow(workflow_id)

    assert back is not None
    assert back.workflow_id == workflow_id
    assert await store.delete_workflow(workflow_id)


async def test_a_title_that_no_index_could_hold_is_stored(store: WorkflowStore) -> None:
    title = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(12_000))

    await store.create_workflow(small_workflow("1", metadata=Metadata(title=title)))

    page = await store.list_workflows(order_by="title")
    assert page.items[0].metadata is not None
    assert page.items[0].metadata.title == title


async def test_a_record_that_cannot_be_stored_names_its_field(store: WorkflowStore) -> None:
    with pytest.raises(InvalidRecord, match=r"metadata\.title: a NUL character at character 1"):
        await store.create_workflow(small_workflow("1", metadata=Metadata(title="a\x00b")))
    with pytest.raises(InvalidField, match="Workflow is expected"):
        await store.upsert_workflow({"workflow_id": "1"})  # type: ignore[arg-type]

    assert await store.get_workflow("1") is None


@pytest.fixture
async def listed(store: WorkflowStore) -> list[Workflow]:
    """Twelve workflows, with equal keys, absent keys and absent parts among them."""
    workflows = []
    for number in range(12):
        views = None if number % 4 == 3 else number // 2
        metadata = None if number == 5 else Metadata(title=None if number == 6 else f"T{number % 3}", views=views)
        structure = None if number in (2, 7) else Structure(node_count=None if number == 8 else number % 2)
        quality = None if number % 5 == 4 else 10.0 * (number % 6)
        workflows.append(
            Workflow(
                workflow_id=f"id{number:02}", url="u", metadata=metadata, structure=structure, quality_score=quality
            )
        )
    await store.ingest(workflows)
    return workflows


def expected_order(workflows: list[Workflow], order_by: str, descending: bool) -> list[str]:
    def key(workflow: Workflow) -> Any:
        match order_by:
            case "quality_score":
                return workflow.quality_score
            case "views" | "title":
                return workflow.metadata and getattr(workflow.metadata, order_by)
            case _:
                return workflow.structure and workflow.structure.node_count

    present = [workflow for workflow in workflows if key(workflow) is not None]
    absent = [workflow for workflow in workflows if key(workflow) is None]
    present.sort(key=lambda workflow: (key(workflow), workflow.workflow_id), reverse=descending)
    absent.sort(key=lambda workflow: workflow.workflow_id, reverse=descending)
    return [workflow.workflow_id for workflow in present + absent]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("order_by", ["quality_score", "views", "title", "node_count"])
@pytest.mark.parametrize("limit", [1, 5, 12])
async def test_pages_give_every_row_once_in_order_with_absent_keys_last(
    store: WorkflowStore, listed: list[Workflow], order_by: OrderBy, descending: bool, limit: int
) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = await store.list_workflows(order_by=order_by, order_desc=descending, limit=limit, after=after)
        seen += [workflow.workflow_id for workflow in page.items]
        assert len(page) <= limit
        if page.next is None:
            break
        after = page.next

    skipped = await store.list_workflows(order_by=order_by, order_desc=descending, limit=12, offset=2)

    assert seen == expected_order(listed, order_by, descending)
    assert [workflow.workflow_id for workflow in skipped.items] == seen[2:]


async def test_the_last_page_has_no_next_even_when_it_is_full(store: WorkflowStore, listed: list[Workflow]) -> None:
    assert (await store.list_workflows(limit=12)).next is None
    assert (await store.list_workflows(limit=11)).next is not None


@pytest.mark.parametrize("order_by", ["extracted_at", "updated_at"])
async def test_times_are_listed_by_the_moment(store: WorkflowStore, order_by: OrderBy) -> None:
    for number in (2, 0, 1):
        moment = SCRAPED_AT.replace(microsecond=number)
        await store.create_workflow(small_workflow(f"id{number}", extracted_at=moment))

    pages: list[str] = []
    after = None
    while after is not None or not pages:
        page = await store.list_workflows(order_by=order_by, order_desc=False, limit=1, after=after)
        pages += [workflow.workflow_id for workflow in page.items]
        after = page.next

    assert pages == (["id0", "id1", "id2"] if order_by == "extracted_at" else ["id2", "id0", "id1"])


async def test_filters_keep_what_they_say_and_the_total_counts_them(
    store: WorkflowStore, listed: list[Workflow]
) -> None:
    async def ids(**filters: Any) -> set[str]:
        page = await store.list_workflows(total=True, **filters)
        assert page.total == len(page.items) == await store.count_workflows(**filters)
        return {workflow.workflow_id for workflow in page.items}

    def where(check: Any) -> set[str]:
        return {workflow.workflow_id for workflow in listed if check(workflow)}

    assert await ids() == where(lambda w: True)
    assert await ids(layer1_success=False) == where(lambda w: w.metadata is None) == {"id05"}
    assert await ids(layer2_success=True) == where(lambda w: w.structure is not None)
    assert await ids(layer3_success=True) == set()
    assert await ids(min_quality=20) == where(lambda w: w.quality_score is not None and w.quality_score >= 20)
    assert await ids(min_quality=20, max_quality=30.0) == where(lambda w: w.quality_score in (20.0, 30.0))


async def test_a_list_item_holds_the_parts_that_are_asked_for(store: WorkflowStore) -> None:
    await store.create_workflow(full_workflow())

    (usual,) = (await store.list_workflows()).items
    (all_parts,) = (await store.list_workflows(include={"metadata", "structure", "content"})).items

    assert usual.metadata == full_workflow().metadata.model_copy(  # type: ignore[union-attr]
        update={"extracted_at": SCRAPED_AT}
    )
    assert (usual.structure, usual.content, usual.transcripts) == (None, None, None)
    assert parts_of(all_parts) == parts_of(full_workflow()) | {"transcripts": None}


async def test_misuse_of_a_listing_names_what_is_allowed(store: WorkflowStore, listed: list[Workflow]) -> None:
    with pytest.raises(InvalidField, match="'workflow_json' is no order; allowed: extracted_at, node_count"):
        await store.list_workflows(order_by="workflow_json")
    with pytest.raises(InvalidField, match="limit: 1 to 1,000, not -1"):
        await store.list_workflows(limit=-1)
    with pytest.raises(InvalidField, match="colour: is no filter; allowed: .*layer1_success"):
        await store.list_workflows(colour="red")
    with pytest.raises(InvalidField, match="include: 'transcript'"):
        await store.list_workflows(include={"transcript"})  # type: ignore[arg-type]
    page = await store.list_workflows(limit=2)
    with pytest.raises(InvalidCursor, match="another order"):
        await store.list_workflows(limit=2, after=page.next, min_quality=1.0)
    with pytest.raises(InvalidCursor, match="damaged"):
        await store.list_workflows(after="nonsense")


async def test_statistics_of_an_empty_store_have_no_averages(store: WorkflowStore) -> None:
    statistics = await store.get_statistics()

    assert statistics.total_workflows == 0
    assert statistics.layer1_success_rate == 0.0
    assert statistics.avg_quality_score is None
    assert statistics.avg_processing_time is None


async def test_statistics_count_layers_and_average_what_was_measured(
    store: WorkflowStore, listed: list[Workflow]
) -> None:
    await store.create_workflow(full_workflow())

    statistics = await store.get_statistics()

    scores = [w.quality_score for w in [*listed, full_workflow()] if w.quality_score is not None]
    assert statistics.total_workflows == 13
    assert statistics.layer1_success_count == 12
    assert statistics.layer2_success_count == 11
    assert statistics.layer3_success_count == 1
    assert statistics.layer1_success_rate == pytest.approx(100 * 12 / 13)
    assert statistics.avg_quality_score == pytest.approx(sum(scores) / len(scores))
    assert statistics.avg_processing_time == 14.5


async def test_a_transaction_commits_at_its_end_and_rolls_back_on_an_error(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        await tx.create_workflow(small_workflow("1"))
        assert await store.get_workflow("1") is None
    assert await store.get_workflow("1") is not None

    with pytest.raises(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.delete_workflow("1")
            await tx.upsert_workflow(small_workflow("2"))
            assert await tx.get_workflow("1") is None
            raise ZeroDivisionError

    assert await store.get_workflow("1") is not None
    assert await store.get_workflow("2") is None


async def test_a_nested_transaction_is_a_savepoint(store: WorkflowStore) -> None:
    async with store.transaction() as tx:
        await tx.create_workflow(small_workflow("1"))
        with pytest.raises(ZeroDivisionError):
            async with tx.transaction() as inner:
                await inner.create_workflow(small_workflow("2"))
                raise ZeroDivisionError
        async with tx.transaction() as inner:
            await inner.create_workflow(small_workflow("3"))

    found = [await store.get_workflow(workflow_id) is not None for workflow_id in ("1", "2", "3")]
    assert found == [True, False, True]


async def test_already_exists_leaves_a_transaction_usable(store: WorkflowStore) -> None:
    await store.create_workflow(small_workflow("1"))

    async with store.transaction() as tx:
        with pytest.raises(AlreadyExists):
            await tx.create_workflow(small_workflow("1"))
        await tx.create_workflow(small_workflow("2"))

    assert await store.get_workflow("2") is not None


async def test_a_readonly_transaction_refuses_to_write(store: WorkflowStore) -> None:
    async with store.transaction(isolation="repeatable_read", readonly=True) as tx:
        assert await tx.get_workflow("1") is None
        with pytest.raises(ReadOnly, match="read-only"):
            await tx.create_workflow(small_workflow("1"))


async def test_a_repeatable_read_sees_one_state(store: WorkflowStore) -> None:
    await store.create_workflow(small_workflow("1"))

    async with store.transaction(isolation="repeatable_read") as tx:
        before = (await tx.get_statistics()).total_workflows
        await store.create_workflow(small_workflow("2"))
        after = (await tx.get_statistics()).total_workflows

    assert (before, after) == (1, 1)


async def test_many_tasks_create_one_id_and_exactly_one_succeeds(store: WorkflowStore) -> None:
    results = await asyncio.gather(
        *(store.create_workflow(small_workflow("1")) for _ in range(20)), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["AlreadyExists"] * 19 + ["NoneType"]
