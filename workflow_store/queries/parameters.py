"""Values on their way to the server: a ``Workflow`` checked, encoded once and hashed, as rows ready to be sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple, TypeVar

from workflow_store.errors import InvalidField, InvalidJson, InvalidRecord
from workflow_store.models.json import DEFAULT_MAX_BYTES, DEFAULT_MAX_DEPTH, Json
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow

Text = TypeVar("Text", bound=str | None)

HASH_BYTES: Final = 16
TITLE_KEY_LENGTH: Final = 128


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What a record may hold: bytes in one text or document, levels in a document."""

    max_document_bytes: int = DEFAULT_MAX_BYTES
    max_json_depth: int = DEFAULT_MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Encoded:
    """A workflow as rows; a part that was not scraped is None. ``size`` is in bytes of its texts and documents."""

    workflow: WorkflowValues
    metadata: MetadataValues | None
    structure: StructureValues | None
    content: ContentValues | None
    transcripts: tuple[TranscriptValues, ...] | None
    retry_count: int | None
    size: int

    @property
    def workflow_id(self) -> str:
        return self.workflow.workflow_id


class _Digest:
    """A hash over columns, each with its type and length in front, so that no two rows look alike."""

    __slots__ = ("_state", "limits", "size")

    def __init__(self, limits: Limits) -> None:
        self._state = blake2b(digest_size=HASH_BYTES)
        self.limits = limits
        self.size = 0

    def text(self, field: str, value: Text) -> Text:
        if value is None:
            self._state.update(b"n")
            return value
        if "\x00" in value:
            raise InvalidRecord(field, f"a NUL character at character {value.index(chr(0)):,}")
        try:
            raw = value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidRecord(field, f"a lone surrogate (half a character) at character {error.start:,}") from None
        if len(raw) > self.limits.max_document_bytes:
            raise InvalidRecord(
                field, f"a text of {len(raw):,} bytes; at most {self.limits.max_document_bytes:,} are allowed"
            )
        self._framed(b"t", raw)
        return value

    def document(self, field: str, value: Json | None) -> Json | None:
        if value is None:
            self._state.update(b"n")
            return None
        try:
            value.check(max_bytes=self.limits.max_document_bytes, max_depth=self.limits.max_json_depth)
        except InvalidJson as error:
            raise InvalidRecord(field, error.reason) from None
        self._framed(b"j", value.raw)
        return value

    def names(self, field: str, value: tuple[str, ...] | None) -> Json | None:
        try:
            return self.document(field, None if value is None else Json(value))
        except InvalidJson as error:
            raise InvalidRecord(field, error.reason) from None

    def number(self, value: float | None) -> Any:
        self._framed(b"f", repr(value).encode("ascii"))
        return value

    def moment(self, value: datetime | None) -> datetime | None:
        # An instant has one spelling here, whatever zone it came with.
        self._framed(b"d", b"" if value is None else value.astimezone(UTC).isoformat().encode("ascii"))
        return value

    def result(self) -> bytes:
        return self._state.digest()

    def _framed(self, kind: bytes, raw: bytes) -> None:
        self._state.update(b"%b%d:" % (kind, len(raw)))
        self._state.update(raw)
        self.size += len(raw)


def encode_one(workflow: object, limits: Limits) -> Encoded:
    """Check and encode what a caller gives as one workflow.

    Raises:
        InvalidField: it is no Workflow.
        InvalidRecord: something in it can't be stored; the field is named.
    """
    if not isinstance(workflow, Workflow):
        raise InvalidField("workflow", f"a Workflow is expected, not {type(workflow).__name__}")
    return encode(workflow, limits, datetime.now(UTC))


def encode(workflow: Workflow, limits: Limits, now: datetime) -> Encoded:
    """Check a workflow and make rows of it; nothing is sent.

    Args:
        now: stands for ``extracted_at`` where the workflow has none.

    Raises:
        InvalidRecord: something in it can't be stored; the field is named.
    """
    row = _Digest(limits)
    workflow_id = row.text("workflow_id", workflow.workflow_id)
    url = row.text("url", workflow.url)
    error_message = row.text("error_message", workflow.error_message)
    seen = workflow.extracted_at or now
    metadata, size1 = _metadata(workflow_id, workflow.metadata, limits, seen)
    structure, size2 = _structure(workflow_id, workflow.structure, limits, seen)
    content, size3 = _content(workflow_id, workflow.content, limits, seen)
    transcripts, transcripts_hash, size4 = _transcripts(workflow_id, workflow.transcripts, limits, seen)
    title = None if metadata is None else metadata.title
    return Encoded(
        WorkflowValues(
            workflow_id,
            url,
            seen,
            workflow.processing_time,
            workflow.quality_score,
            metadata is not None,
            structure is not None,
            content is not None,
            error_message,
            transcripts_hash,
            None if title is None else title[:TITLE_KEY_LENGTH],
            None if metadata is None else metadata.views,
            None if structure is None else structure.node_count,
        ),
        metadata,
        structure,
        content,
        transcripts,
        workflow.retry_count,
        row.size + size1 + size2 + size3 + size4,
    )


def _metadata(
    workflow_id: str, part: Metadata | None, limits: Limits, seen: datetime
) -> tuple[MetadataValues | None, int]:
    if part is None:
        return None, 0
    digest = _Digest(limits)
    values = (
        digest.text("metadata.title", part.title),
        digest.text("metadata.description", part.description),
        digest.text("metadata.use_case", part.use_case),
        digest.text("metadata.author_name", part.author_name),
        digest.text("metadata.author_url", part.author_url),
        digest.number(part.views),
        digest.number(part.shares),
        digest.names("metadata.categories", part.categories),
        digest.names("metadata.tags", part.tags),
        digest.moment(part.workflow_created_at),
        digest.moment(part.workflow_updated_at),
        digest.document("metadata.raw_metadata", part.raw_metadata),
    )
    return MetadataValues(workflow_id, *values, part.extracted_at or seen, digest.result()), digest.size


def _structure(
    workflow_id: str, part: Structure | None, limits: Limits, seen: datetime
) -> tuple[StructureValues | None, int]:
    if part is None:
        return None, 0
    digest = _Digest(limits)
    values = (
        digest.number(part.node_count),
        digest.number(part.connection_count),
        digest.names("structure.node_types", part.node_types),
        digest.text("structure.extraction_type", part.extraction_type),
        digest.number(part.fallback_used),
        digest.document("structure.workflow_json", part.workflow_json),
    )
    return StructureValues(workflow_id, *values, part.extracted_at or seen, digest.result()), digest.size


def _content(
    workflow_id: str, part: Content | None, limits: Limits, seen: datetime
) -> tuple[ContentValues | None, int]:
    if part is None:
        return None, 0
    digest = _Digest(limits)
    values = (
        digest.text("content.explainer_text", part.explainer_text),
        digest.text("content.explainer_html", part.explainer_html),
        digest.text("content.setup_instructions", part.setup_instructions),
        digest.text("content.use_instructions", part.use_instructions),
        digest.number(part.has_videos),
        digest.number(part.video_count),
        digest.number(part.has_iframes),
        digest.number(part.iframe_count),
        digest.document("content.raw_content", part.raw_content),
    )
    return ContentValues(workflow_id, *values, part.extracted_at or seen, digest.result()), digest.size


def _transcripts(
    workflow_id: str, part: tuple[Transcript, ...] | None, limits: Limits, seen: datetime
) -> tuple[tuple[TranscriptValues, ...] | None, bytes | None, int]:
    if part is None:
        return None, None, 0
    digest = _Digest(limits)
    rows: list[TranscriptValues] = []
    for position, transcript in enumerate(part):
        field = f"transcripts.{position}."
        rows.append(
            TranscriptValues(
                workflow_id,
                position,
                digest.text(field + "video_url", transcript.video_url),
                digest.text(field + "video_id", transcript.video_id),
                digest.text(field + "platform", transcript.platform),
                digest.text(field + "transcript_text", transcript.transcript_text),
                digest.document(field + "transcript_json", transcript.transcript_json),
                digest.number(transcript.duration),
                digest.text(field + "language", transcript.language),
                transcript.extracted_at or seen,
            )
        )
    return tuple(rows), digest.result(), digest.size


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
    return Encoded(workflow, metadata, structure, content, transcripts, retry_count, max(older.size, newer.size))


def _later(older: Any, newer: Any) -> Any:
    if newer is None or (older is not None and older.content_hash == newer.content_hash):
        return older
    return newer


def transcript_arrays(transcripts: Iterable[TranscriptValues]) -> tuple[list[Any], ...]:
    """A list of transcripts as one array a column, from ``video_url`` to ``extracted_at``."""
    columns = list(zip(*(row[2:] for row in transcripts), strict=True))
    return tuple(list(column) for column in columns) if columns else tuple([] for _ in TranscriptValues._fields[2:])
