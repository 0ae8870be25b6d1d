"""Workflows for tests, and what a store has to answer for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from workflow_store import Content, Json, Metadata, Structure, Transcript, Workflow

Part = TypeVar("Part", bound=BaseModel)

SCRAPED_AT = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)


def full_workflow(workflow_id: str = "2462", **changes: Any) -> Workflow:
    """A workflow with a value in every column."""
    fields: dict[str, Any] = {
        "workflow_id": workflow_id,
        "url": f"https://n8n.io/workflows/{workflow_id}",
        "extracted_at": SCRAPED_AT,
        "processing_time": 14.5,
        "quality_score": 85.3,
        "error_message": "layer 3 took long",
        "metadata": Metadata(
            title="Telegram AI agent",
            description="Answers in *Markdown*",
            use_case="Support",
            author_name="Ada",
            author_url="https://n8n.io/creators/ada",
            views=3_000_000_000,
            shares=10,
            categories=("AI", "Sales"),
            tags=("telegram", "агент", "🤖"),
            workflow_created_at=datetime(2025, 1, 1, tzinfo=UTC),
            workflow_updated_at=datetime(2025, 2, 1, 12, 30, tzinfo=UTC),
            raw_metadata=Json({"views": 3_000_000_000, "nested": {"": None}}),
        ),
        "structure": Structure(
            node_count=2,
            connection_count=1,
            node_types=("n8n-nodes-base.start", "n8n-nodes-base.telegram"),
            extraction_type="full",
            fallback_used=True,
            workflow_json=Json.parse(b'{"nodes": [{"id": 1180591620717411303424}], "connections": {}, "x": 1e400}'),
        ),
        "content": Content(
            explainer_text="How it works",
            explainer_html="<p>How it works</p>",
            setup_instructions="Set up",
            use_instructions="Use",
            has_videos=True,
            video_count=2,
            has_iframes=True,
            iframe_count=1,
            raw_content=Json(["<p>", 1.5]),
        ),
        "transcripts": (
            Transcript(
                video_url="https://youtu.be/1",
                video_id="1",
                platform="youtube",
                transcript_text="Hello",
                transcript_json=Json([{"t": 0.1}]),
                duration=300.5,
                language="en",
            ),
            Transcript(video_url="https://vimeo.com/2"),
        ),
    }
    return Workflow(**(fields | changes))


def small_workflow(workflow_id: str, **changes: Any) -> Workflow:
    """A workflow with a title and a small document."""
    fields: dict[str, Any] = {
        "workflow_id": workflow_id,
        "url": f"https://n8n.io/workflows/{workflow_id}",
        "metadata": Metadata(title=f"Workflow {workflow_id}", views=1),
        "structure": Structure(node_count=1, workflow_json=Json({"nodes": [{"id": workflow_id}]})),
    }
    return Workflow(**(fields | changes))


def with_views(workflow: Workflow, views: int) -> Workflow:
    """The same workflow as it is scraped again with another view count."""
    assert workflow.metadata is not None
    return workflow.model_copy(update={"metadata": workflow.metadata.model_copy(update={"views": views})})


def parts_of(workflow: Workflow | None) -> dict[str, Any]:
    """What a record says, without stamps and bookkeeping: what must come back as it went in."""
    assert workflow is not None
    return {
        "url": workflow.url,
        "error_message": workflow.error_message,
        "quality_score": workflow.quality_score,
        "metadata": _unstamped(workflow.metadata),
        "structure": _unstamped(workflow.structure),
        "content": _unstamped(workflow.content),
        "transcripts": None if workflow.transcripts is None else [_unstamped(item) for item in workflow.transcripts],
    }


def _unstamped(part: Part | None) -> Part | None:
    return None if part is None else part.model_copy(update={"extracted_at": None})
