"""Rows on their way to the server: the values of each part, and how two scrapes of one workflow become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

from workflow_store.models.cleaning import NulPolicy
from workflow_store.models.json import DEFAULT_MAX_BYTES, DEFAULT_MAX_DEPTH, Json


class WorkflowValues(NamedTuple):
    workflow_id: str
    url: str
    extracted_at: datetime
    processing_time: float | None
    quality_score: float | None
    layer1_success: bool
    layer2_success: bool
    layer3_success: bool
    error_message: str | None
    transcripts_hash: bytes | None
    title_key: str | None
    views: int | None
    node_count: int | None


class MetadataValues(NamedTuple):
    workflow_id: str
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
    extracted_at: datetime
    content_hash: bytes


class StructureValues(NamedTuple):
    workflow_id: str
    node_count: int | None
    connection_count: int | None
    node_types: Json | None
    extraction_type: str | None
    fallback_used: bool
    workflow_json: Json | None
    extracted_at: datetime
    content_hash: bytes


class ContentValues(NamedTuple):
    workflow_id: str
    explainer_text: str | None
    explainer_html: str | None
    setup_instructions: str | None
    use_instructions: str | None
    has_videos: bool
    video_count: int
    has_iframes: bool
    iframe_count: int
    raw_content: Json | None
    extracted_at: datetime
    content_hash: bytes


class TranscriptValues(NamedTuple):
    workflow_id: str
    position: int
    video_url: str
    video_id: str | None
    platform: str | None
    transcript_text: str | None
    transcript_json: Json | None
    duration: float | None
    language: str | None
    extracted_at: datetime


Row = TypeVar("Row", WorkflowValues, MetadataValues, StructureValues, ContentValues, TranscriptValues)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a record may hold: bytes in one text or document, levels in a document, and what becomes of NUL in it."""

    max_document_bytes: int = DEFAULT_MAX_BYTES
    max_json_depth: int = DEFAULT_MAX_DEPTH
    nul: NulPolicy = "reject"


class Encoded(NamedTuple):
    """A workflow as rows; a part that was not scraped is None.

    ``sizes`` are in bytes of texts and documents: of the workflow's row, and of the parts in their order.
    ``documents`` are those of all parts, ``document_fields`` their names. ``cleaned`` are remarks on what was removed
    or replaced in it. ``line_hash`` is that of the line it was read from, where there is nothing else in that.
    """

    workflow_id: str
    workflow: WorkflowValues
    metadata: MetadataValues | None
    structure: StructureValues | None
    content: ContentValues | None
    transcripts: tuple[TranscriptValues, ...] | None
    retry_count: int | None
    sizes: tuple[int, int, int, int, int]
    documents: tuple[Json, ...]
    cleaned: tuple[str, ...] = ()
    line_hash: str | None = None

    @property
    def size(self) -> int:
        """Bytes of all its texts and documents."""
        return sum(self.sizes)

    @property
    def document_fields(self) -> list[str]:
        """The names of the fields that ``documents`` come from, in their order."""
        places = [(part, getattr(self, part), column) for part, column in _DOCUMENTS]
        places += [(f"transcripts.{row.position}", row, "transcript_json") for row in self.transcripts or ()]
        return [f"{part}.{column}" for part, row, column in places if getattr(row, column, None) is not None]


_DOCUMENTS: Final = (("metadata", "raw_metadata"), ("structure", "workflow_json"), ("content", "raw_content"))
_TRANSCRIPT_DOCUMENT: Final = attrgetter("transcript_json")


def documents_of(
    metadata: MetadataValues | None,
    structure: StructureValues | None,
    content: ContentValues | None,
    transcripts: Iterable[TranscriptValues] | None,
) -> tuple[Json, ...]:
    """The documents of a workflow's parts."""
    places: list[Json | None] = [
        None if metadata is None else metadata.raw_metadata,
        None if structure is None else structure.workflow_json,
        None if content is None else content.raw_content,
        *map(_TRANSCRIPT_DOCUMENT, transcripts or ()),
    ]
    return tuple([document for document in places if document is not None])


def fold(older: Encoded, newer: Encoded) -> Encoded:
    """Two scrapes of one workflow as the one that leaves the store as both would, one after the other.

    Each part is the newer one's where it has it. Where the newer one changes nothing, the older one stands with its
    stamps, as a scrape that brings nothing new does in the store.
    """
    metadata = _later(older.metadata, newer.metadata)
    structure = _later(older.structure, newer.structure)
    content = _later(older.content, newer.content)
    one, other = older.workflow, newer.workflow
    listed = newer.transcripts is not None and other.transcripts_hash != one.transcripts_hash
    transcripts = newer.transcripts if listed else older.transcripts
    retry_count = older.retry_count if newer.retry_count is None else newer.retry_count
    quality_score = one.quality_score if other.quality_score is None else other.quality_score
    same = (
        metadata is older.metadata
        and structure is older.structure
        and content is older.content
        and not listed
        and (one.url, one.error_message, one.quality_score) == (other.url, other.error_message, quality_score)
    )
    if same:
        workflow = one
    else:
        workflow = other._replace(
            processing_time=one.processing_time if other.processing_time is None else other.processing_time,
            quality_score=quality_score,
            layer1_success=metadata is not None,
            layer2_success=structure is not None,
            layer3_success=content is not None,
            transcripts_hash=other.transcripts_hash if listed else one.transcripts_hash,
            title_key=other.title_key if newer.metadata is not None else one.title_key,
            views=None if metadata is None else metadata.views,
            node_count=None if structure is None else structure.node_count,
        )
    before, after = older.sizes, newer.sizes
    sizes = (
        before[0] if same else after[0],
        before[1] if metadata is older.metadata else after[1],
        before[2] if structure is older.structure else after[2],
        before[3] if content is older.content else after[3],
        after[4] if listed else before[4],
    )
    documents = documents_of(metadata, structure, content, transcripts)
    return Encoded(
        newer.workflow_id, workflow, metadata, structure, content, transcripts, retry_count, sizes, documents
    )


def _later(older: Any, newer: Any) -> Any:
    if newer is None or (older is not None and older.content_hash == newer.content_hash):
        return older
    return newer


def arguments_of(record: Encoded) -> list[Any]:
    """One workflow as the arguments of ``workflow/create``."""
    values: list[Any] = [*record.workflow]
    for part, columns in (
        (record.metadata, MetadataValues),
        (record.structure, StructureValues),
        (record.content, ContentValues),
    ):
        # Without the id, which the parent's row brings.
        values += part[1:] if part is not None else (None,) * (len(columns._fields) - 1)
    return [*values, *transcript_arrays(record.transcripts or ()), record.retry_count]


def arrays_of(kind: type[Row], rows: Iterable[Row]) -> list[Sequence[Any]]:
    """Rows as one array a column."""
    return list(zip(*rows, strict=True)) or [()] * len(kind._fields)


def transcript_arrays(transcripts: Iterable[TranscriptValues]) -> list[Sequence[Any]]:
    """A list of transcripts as one array a column, from ``video_url`` to ``extracted_at``."""
    return arrays_of(TranscriptValues, transcripts)[2:]
