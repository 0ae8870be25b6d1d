"""Rows on their way back: what each query returns, and the models made of it.

The models are built without a second validation: the database's types and constraints already hold what it checks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, cast

import orjson

from workflow_store.models.building import built
from workflow_store.models.json import Json
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow


class WorkflowRow(NamedTuple):
    """``workflow/get`` and the listings: the row and, where asked for, its parts side by side."""

    workflow_id: str
    url: str
    extracted_at: datetime
    updated_at: datetime
    processing_time: float | None
    quality_score: float | None
    layer1_success: bool
    layer2_success: bool
    layer3_success: bool
    error_message: str | None
    transcripts_hash: bytes | None
    title_key: str | None
    views_key: int | None
    node_count_key: int | None
    retry_count: int
    has_metadata: bool
    title: str | None
    description: str | None
    use_case: str | None
    author_name: str | None
    author_url: str | None
    views: int | None
    shares: int | None
    categories: Json | None
    tags: Json | None
    workflow_created_at: datetime | None
    workflow_updated_at: datetime | None
    raw_metadata: Json | None
    metadata_extracted_at: datetime | None
    has_structure: bool
    node_count: int | None
    connection_count: int | None
    node_types: Json | None
    extraction_type: str | None
    fallback_used: bool | None
    workflow_json: Json | None
    structure_extracted_at: datetime | None
    has_content: bool
    explainer_text: str | None
    explainer_html: str | None
    setup_instructions: str | None
    use_instructions: str | None
    has_videos: bool | None
    video_count: int | None
    has_iframes: bool | None
    iframe_count: int | None
    raw_content: Json | None
    content_extracted_at: datetime | None
    transcripts: list[tuple[Any, ...]] | None


class KnownRow(NamedTuple):
    """``ingest/known``: what a new scrape of a stored workflow is compared with."""

    workflow_id: str
    url: str
    error_message: str | None
    quality_score: float | None
    has_metadata: bool
    has_structure: bool
    has_content: bool
    metadata_hash: bytes | None
    structure_hash: bytes | None
    content_hash: bytes | None
    transcripts_hash: bytes | None
    updated_at: datetime
    retry_count: int | None


class ResolveRow(NamedTuple):
    """``ingest/resolve``: as ``KnownRow``, and ``age``, the seconds since its row was last changed."""

    workflow_id: str
    url: str
    error_message: str | None
    quality_score: float | None
    has_metadata: bool
    has_structure: bool
    has_content: bool
    metadata_hash: bytes | None
    structure_hash: bytes | None
    content_hash: bytes | None
    transcripts_hash: bytes | None
    updated_at: datetime
    retry_count: int | None
    age: float


class StampedRow(NamedTuple):
    """``workflow/stamp``."""

    workflow_id: str
    updated_at: datetime


class MergedMetadataRow(NamedTuple):
    """``metadata/merge``."""

    changed: bool
    changed_text: bool


class ServerFacts(NamedTuple):
    """``server/facts``."""

    version: int
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str


_TRANSCRIPT_FIELDS = tuple(Transcript.model_fields)


def to_workflow(row: WorkflowRow, *, transcripts: bool) -> Workflow:
    """The model of a row. ``transcripts`` says whether they were asked for."""
    listed: tuple[Transcript, ...] | None = None
    if transcripts and row.transcripts_hash is not None:
        listed = tuple(
            built(Transcript, dict(zip(_TRANSCRIPT_FIELDS, item, strict=True))) for item in row.transcripts or ()
        )
    return built(
        Workflow,
        {
            "workflow_id": row.workflow_id,
            "url": row.url,
            "extracted_at": row.extracted_at,
            "updated_at": row.updated_at,
            "processing_time": row.processing_time,
            "quality_score": row.quality_score,
            "layer1_success": row.layer1_success,
            "layer2_success": row.layer2_success,
            "layer3_success": row.layer3_success,
            "error_message": row.error_message,
            "retry_count": row.retry_count,
            "metadata": _metadata(row) if row.has_metadata else None,
            "structure": _structure(row) if row.has_structure else None,
            "content": _content(row) if row.has_content else None,
            "transcripts": listed,
        },
    )


# Field by field, not by zip: a page is made of some hundred of these, in half the time.
def _metadata(row: WorkflowRow) -> Metadata:
    return built(
        Metadata,
        {
            "title": row.title,
            "description": row.description,
            "use_case": row.use_case,
            "author_name": row.author_name,
            "author_url": row.author_url,
            "views": row.views,
            "shares": row.shares,
            "categories": _names(row.categories),
            "tags": _names(row.tags),
            "workflow_created_at": row.workflow_created_at,
            "workflow_updated_at": row.workflow_updated_at,
            "raw_metadata": row.raw_metadata,
            "extracted_at": row.metadata_extracted_at,
        },
    )


def _structure(row: WorkflowRow) -> Structure:
    return built(
        Structure,
        {
            "node_count": row.node_count,
            "connection_count": row.connection_count,
            "node_types": _names(row.node_types),
            "extraction_type": row.extraction_type,
            "fallback_used": row.fallback_used,
            "workflow_json": row.workflow_json,
            "extracted_at": row.structure_extracted_at,
        },
    )


def _content(row: WorkflowRow) -> Content:
    return built(
        Content,
        {
            "explainer_text": row.explainer_text,
            "explainer_html": row.explainer_html,
            "setup_instructions": row.setup_instructions,
            "use_instructions": row.use_instructions,
            "has_videos": row.has_videos,
            "video_count": row.video_count,
            "has_iframes": row.has_iframes,
            "iframe_count": row.iframe_count,
            "raw_content": row.raw_content,
            "extracted_at": row.content_extracted_at,
        },
    )


def _names(document: Json | None) -> tuple[str, ...] | None:
    return None if document is None else tuple(cast("list[str]", orjson.loads(document.raw)))
