"""The original's unit tests of its storage, by name and meaning, against this one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.results import extracted, failed_result, flat_result
from workflow_store import AlreadyExists, InvalidField, WorkflowStore
from workflow_store.database import Session

TABLES = (
    "workflows",
    "workflow_metadata",
    "workflow_structure",
    "workflow_content",
    "video_transcripts",
    "workflow_scrape",
    "workflow_search",
    "workflow_search_pending",
)


async def rows(session: Session, table: str) -> int:
    return int(await session.connection.fetchval(f"SELECT count(*) FROM workflow_store.{table}"))


async def test_create_workflow(store: WorkflowStore) -> None:
    before = datetime.now(UTC)
    result = {"processing_time": 14.5, "quality_score": 85.3, "layers": {"layer1": {"success": True, "title": "T"}}}

    await store.create_workflow(extracted(result, "TEST-001"))

    stored = await store.get_workflow("TEST-001")
    assert stored is not None
    assert (stored.workflow_id, stored.url) == ("TEST-001", "https://n8n.io/workflows/TEST-001")
    assert (stored.processing_time, stored.quality_score) == (14.5, 85.3)
    assert (stored.layer1_success, stored.layer2_success, stored.layer3_success) == (True, False, False)
    assert (stored.error_message, stored.retry_count) == (None, 0)
    assert stored.extracted_at is not None
    assert before <= stored.extracted_at <= datetime.now(UTC)
    with pytest.raises(AlreadyExists):
        await store.create_workflow(extracted(result, "TEST-001"))


async def test_workflow_relationships(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(extracted(failed_result("layer2"), "1"))

    stored = await store.get_workflow("1")

    assert stored is not None
    assert stored.metadata is not None
    assert stored.structure is None
    assert stored.content is not None
    assert len(stored.transcripts or ()) == 1
    assert (stored.layer2_success, stored.error_message) == (False, "layer2 timed out")
    # A row only for a layer that succeeded, each with the id of its workflow.
    for table, number in zip(TABLES[:5], (1, 1, 0, 1, 1), strict=True):
        assert await rows(session, table) == number, table
        assert await rows(session, f"{table} WHERE workflow_id = '1'") == number, table


async def test_create_workflow_complete(store: WorkflowStore) -> None:
    given = flat_result()

    await store.create_workflow(extracted(given))

    stored = await store.get_workflow("1")
    assert stored is not None
    assert (stored.layer1_success, stored.layer2_success, stored.layer3_success) == (True, True, True)
    page, structure, content = stored.metadata, stored.structure, stored.content
    assert page is not None
    assert (page.title, page.description, page.use_case) == (
        "Test workflow 1",
        "Sends an email of kind 1",
        "Email automation",
    )
    assert (page.author_name, page.author_url) == ("Ada", "https://n8n.io/creators/ada")
    assert (page.categories, page.tags) == (("Sales", "Marketing"), ("email", "automation"))
    assert (page.views, page.shares) == (101, 10)
    assert page.workflow_created_at == datetime(2025, 1, 1, tzinfo=UTC)
    assert page.workflow_updated_at == datetime(2025, 2, 1, 12, 30, tzinfo=UTC)
    assert page.raw_metadata is not None
    assert page.raw_metadata.value == given["layers"]["layer1"]
    assert structure is not None
    assert (structure.node_count, structure.connection_count) == (5, 4)
    assert structure.node_types == ("start", "httpRequest")
    assert (structure.extraction_type, structure.fallback_used) == ("full", False)
    assert structure.workflow_json is not None
    assert structure.workflow_json.value == given["layers"]["layer2"]["data"]
    assert content is not None
    assert (content.explainer_text, content.explainer_html) == ("How it works", "<p>How it works</p>")
    assert (content.setup_instructions, content.use_instructions) == ("Set it up", "Use it")
    assert (content.has_videos, content.video_count, content.has_iframes, content.iframe_count) == (True, 1, True, 1)
    assert content.raw_content is not None
    assert content.raw_content.value == given["layers"]["layer3"]
    (transcript,) = stored.transcripts or ()
    assert (transcript.video_url, transcript.video_id) == ("https://youtu.be/abc123", "abc123")
    assert (transcript.platform, transcript.language, transcript.duration) == ("youtube", "en", 300)
    assert transcript.transcript_text == "Hello and welcome"


async def test_get_workflow(store: WorkflowStore) -> None:
    await store.create_workflow(extracted(flat_result()))

    whole = await store.get_workflow("1")
    bare = await store.get_workflow("1", include=())

    assert whole is not None
    assert bare is not None
    assert bare == whole.model_copy(update={"metadata": None, "structure": None, "content": None, "transcripts": None})
    assert None not in (whole.metadata, whole.structure, whole.content, whole.transcripts)
    assert await store.get_workflow("NONEXISTENT") is None


async def test_list_workflows_pagination(store: WorkflowStore) -> None:
    for number in range(15):
        result = flat_result(number, timestamp=f"2026-01-{number + 1:02}T00:00:00")
        await store.create_workflow(extracted(result, f"W-{number:02}"))
    newest_first = [f"W-{number:02}" for number in reversed(range(15))]

    first = await store.list_workflows(offset=0, limit=10, total=True)
    second = await store.list_workflows(offset=10, limit=10)
    by_cursor = await store.list_workflows(limit=10, after=(await store.list_workflows(limit=10)).next)
    upwards = await store.list_workflows(order_by="extracted_at", order_desc=False)

    assert [workflow.workflow_id for workflow in first.items] == newest_first[:10]
    assert [workflow.workflow_id for workflow in second.items] == newest_first[10:]
    assert [workflow.workflow_id for workflow in by_cursor.items] == newest_first[10:]
    assert [workflow.workflow_id for workflow in upwards.items] == newest_first[::-1]
    assert (first.total, second.next, by_cursor.next) == (15, None, None)


async def test_update_workflow(store: WorkflowStore) -> None:
    await store.create_workflow(extracted(flat_result()))
    before = await store.get_workflow("1")

    updated = await store.update_workflow("1", quality_score=95.0, retry_count=2, error_message="once more")

    assert before is not None
    assert updated is not None
    assert updated == await store.get_workflow("1")
    assert updated.updated_at is not None
    assert before.updated_at is not None
    assert updated.updated_at > before.updated_at
    changes = {"quality_score": 95.0, "retry_count": 2, "error_message": "once more", "updated_at": updated.updated_at}
    assert updated == before.model_copy(update=changes)
    assert await store.update_workflow("NONEXISTENT", quality_score=1.0) is None


async def test_delete_workflow_cascade(store: WorkflowStore, session: Session) -> None:
    await store.create_workflow(extracted(flat_result()))
    await store.refresh_search()
    assert [await rows(session, table) for table in TABLES] == [1, 1, 1, 1, 1, 1, 1, 0]

    assert await store.delete_workflow("1") is True

    assert [await rows(session, table) for table in TABLES] == [0] * len(TABLES)
    assert await store.get_workflow("1") is None
    assert await store.delete_workflow("1") is False


async def test_get_statistics(store: WorkflowStore) -> None:
    empty = await store.get_statistics()
    for number in range(10):
        failed = () if number < 8 else ("layer2", "layer3")
        result = failed_result(*failed, number=number, quality_score=80.0 + number, processing_time=10.0 + number)
        await store.create_workflow(extracted(result, str(number)))

    found = await store.get_statistics()

    assert (empty.total_workflows, empty.layer1_success_rate, empty.avg_quality_score) == (0, 0.0, None)
    assert found.total_workflows == 10
    assert (found.layer1_success_count, found.layer2_success_count, found.layer3_success_count) == (10, 8, 8)
    assert (found.layer1_success_rate, found.layer2_success_rate, found.layer3_success_rate) == (100.0, 80.0, 80.0)
    assert (found.avg_quality_score, found.avg_processing_time) == (84.5, 14.5)


async def test_list_with_filters(store: WorkflowStore) -> None:
    for number in range(10):
        failed = () if number % 2 == 0 else ("layer2",)
        result = failed_result(*failed, number=number, quality_score=70.0 + 3 * number)
        await store.create_workflow(extracted(result, str(number)))

    async def listed(**filters: Any) -> set[str]:
        return {workflow.workflow_id for workflow in (await store.list_workflows(**filters)).items}

    assert await listed(layer1_success=True) == set("0123456789")
    assert await listed(layer2_success=True) == set("02468")
    assert await listed(layer2_success=False) == set("13579")
    assert await listed(layer3_success=False) == set()
    assert await listed(min_quality=85.0) == set("56789")
    assert await listed(min_quality=76.0, max_quality=82.0) == set("234")
    assert await listed(max_quality=80.0, layer2_success=True) == set("02")
    with pytest.raises(InvalidField, match="min_quality"):
        await store.list_workflows(min_qualty=85.0)


async def test_search_workflows(store: WorkflowStore) -> None:
    for number, (title, use_case) in enumerate(
        [("Email Automation Workflow", "Marketing"), ("Slack Integration", "Reports"), ("Gmail sorter", "slack duty")]
    ):
        result = flat_result(number)
        result["layers"]["layer1"] |= {"title": title, "description": None, "use_case": use_case}
        await store.create_workflow(extracted(result, str(number)))

    async def found(term: str, **options: Any) -> list[str]:
        page = await store.search_workflows(term, mode="substring", **options)
        return [hit.workflow.workflow_id for hit in page.items]

    assert await found("mail") == ["0", "2"]
    assert await found("SLACK") == ["1"]
    assert await found("slack", search_fields=["title", "use_case"]) == ["1", "2"]
    assert await found("slack", search_fields=["use_case"]) == ["2"]
    assert await found("a", limit=2) == ["0", "1"]
    assert await found("nothing of the kind") == []
    assert [hit.workflow.workflow_id for hit in (await store.search_workflows("emails automated")).items] == ["0"]
