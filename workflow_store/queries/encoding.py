"""A ``Workflow`` on its way in: checked, encoded once and hashed, as rows ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import orjson

from workflow_store.errors import InvalidField, InvalidJson, InvalidRecord
from workflow_store.models.json import Json
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow
from workflow_store.queries.parameters import (
    ContentValues,
    Encoded,
    Limits,
    MetadataValues,
    StructureValues,
    TranscriptValues,
    WorkflowValues,
)

HASH_BYTES: Final = 16
TITLE_KEY_LENGTH: Final = 128

_ROW_TEXTS: Final = ("workflow_id", "url", "error_message")
_METADATA_TEXTS: Final = ("title", "description", "use_case", "author_name", "author_url")
_METADATA_DOCUMENTS: Final = ("categories", "tags", "raw_metadata")
_STRUCTURE_TEXTS: Final = ("extraction_type",)
_STRUCTURE_DOCUMENTS: Final = ("node_types", "workflow_json")
_CONTENT_TEXTS: Final = ("explainer_text", "explainer_html", "setup_instructions", "use_instructions")
_CONTENT_DOCUMENTS: Final = ("raw_content",)
_TRANSCRIPT_TEXTS: Final = ("video_url", "video_id", "platform", "transcript_text", "language")
_TRANSCRIPT_DOCUMENTS: Final = ("transcript_json",)


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
    texts = (workflow.workflow_id, workflow.url, workflow.error_message)
    size = len(_checked_texts("", _ROW_TEXTS, texts, limits))
    seen = workflow.extracted_at or now
    metadata = structure = content = transcripts = transcripts_hash = None
    if workflow.metadata is not None:
        metadata, bytes_of_part = _metadata(workflow.workflow_id, workflow.metadata, limits, seen)
        size += bytes_of_part
    if workflow.structure is not None:
        structure, bytes_of_part = _structure(workflow.workflow_id, workflow.structure, limits, seen)
        size += bytes_of_part
    if workflow.content is not None:
        content, bytes_of_part = _content(workflow.workflow_id, workflow.content, limits, seen)
        size += bytes_of_part
    if workflow.transcripts is not None:
        transcripts, transcripts_hash, bytes_of_part = _transcripts(
            workflow.workflow_id, workflow.transcripts, limits, seen
        )
        size += bytes_of_part
    title = None if metadata is None else metadata.title
    return Encoded(
        WorkflowValues(
            workflow.workflow_id,
            workflow.url,
            seen,
            workflow.processing_time,
            workflow.quality_score,
            metadata is not None,
            structure is not None,
            content is not None,
            workflow.error_message,
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
        size,
    )


def _metadata(workflow_id: str, part: Metadata, limits: Limits, seen: datetime) -> tuple[MetadataValues, int]:
    texts = (part.title, part.description, part.use_case, part.author_name, part.author_url)
    documents = (
        _names("metadata.categories", part.categories),
        _names("metadata.tags", part.tags),
        part.raw_metadata,
    )
    created, updated = part.workflow_created_at, part.workflow_updated_at
    digest, size = _hashed(
        f"{part.views} {part.shares} {_instant(created)} {_instant(updated)}",
        _checked_texts("metadata.", _METADATA_TEXTS, texts, limits),
        texts,
        _checked_documents("metadata.", _METADATA_DOCUMENTS, documents, limits),
    )
    values = MetadataValues(
        workflow_id,
        *texts,
        part.views,
        part.shares,
        documents[0],
        documents[1],
        created,
        updated,
        documents[2],
        part.extracted_at or seen,
        digest,
    )
    return values, size


def _structure(workflow_id: str, part: Structure, limits: Limits, seen: datetime) -> tuple[StructureValues, int]:
    texts = (part.extraction_type,)
    node_types = _names("structure.node_types", part.node_types)
    documents = (node_types, part.workflow_json)
    digest, size = _hashed(
        f"{part.node_count} {part.connection_count} {part.fallback_used}",
        _checked_texts("structure.", _STRUCTURE_TEXTS, texts, limits),
        texts,
        _checked_documents("structure.", _STRUCTURE_DOCUMENTS, documents, limits),
    )
    values = StructureValues(
        workflow_id,
        part.node_count,
        part.connection_count,
        node_types,
        part.extraction_type,
        part.fallback_used,
        part.workflow_json,
        part.extracted_at or seen,
        digest,
    )
    return values, size


def _content(workflow_id: str, part: Content, limits: Limits, seen: datetime) -> tuple[ContentValues, int]:
    texts = (part.explainer_text, part.explainer_html, part.setup_instructions, part.use_instructions)
    documents = (part.raw_content,)
    digest, size = _hashed(
        f"{part.has_videos} {part.video_count} {part.has_iframes} {part.iframe_count}",
        _checked_texts("content.", _CONTENT_TEXTS, texts, limits),
        texts,
        _checked_documents("content.", _CONTENT_DOCUMENTS, documents, limits),
    )
    values = ContentValues(
        workflow_id,
        *texts,
        part.has_videos,
        part.video_count,
        part.has_iframes,
        part.iframe_count,
        part.raw_content,
        part.extracted_at or seen,
        digest,
    )
    return values, size


def _transcripts(
    workflow_id: str, part: Sequence[Transcript], limits: Limits, seen: datetime
) -> tuple[tuple[TranscriptValues, ...], bytes, int]:
    rows: list[TranscriptValues] = []
    digests: list[bytes] = []
    total = 0
    for position, transcript in enumerate(part):
        name = f"transcripts.{position}."
        texts = (
            transcript.video_url,
            transcript.video_id,
            transcript.platform,
            transcript.transcript_text,
            transcript.language,
        )
        documents = (transcript.transcript_json,)
        digest, size = _hashed(
            repr(transcript.duration),
            _checked_texts(name, _TRANSCRIPT_TEXTS, texts, limits),
            texts,
            _checked_documents(name, _TRANSCRIPT_DOCUMENTS, documents, limits),
        )
        digests.append(digest)
        total += size
        rows.append(
            TranscriptValues(
                workflow_id,
                position,
                transcript.video_url,
                transcript.video_id,
                transcript.platform,
                transcript.transcript_text,
                transcript.transcript_json,
                transcript.duration,
                transcript.language,
                transcript.extracted_at or seen,
            )
        )
    return tuple(rows), sha256(b"".join(digests)).digest()[:HASH_BYTES], total


def _checked_texts(prefix: str, names: Sequence[str], texts: Sequence[str | None], limits: Limits) -> bytes:
    """The texts of a part as UTF-8, one after the other.

    Looked at together, since nearly always nothing is wrong with any: the one at fault is then searched for.
    """
    joined = "".join([text for text in texts if text is not None])
    try:
        raw = joined.encode("utf-8")
    except UnicodeEncodeError:
        raw = b""
    if not raw or len(raw) > limits.max_document_bytes or b"\x00" in raw:
        for name, text in zip(names, texts, strict=True):
            if text is not None:
                _check_text(prefix + name, text, limits)
    return raw


def _check_text(field: str, text: str, limits: Limits) -> None:
    if "\x00" in text:
        raise InvalidRecord(field, f"a NUL character at character {text.index(chr(0)):,}")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise InvalidRecord(field, f"a lone surrogate (half a character) at character {error.start:,}") from None
    if size > limits.max_document_bytes:
        raise InvalidRecord(field, f"a text of {size:,} bytes; at most {limits.max_document_bytes:,} are allowed")


def _checked_documents(
    prefix: str, names: Sequence[str], documents: Sequence[Json | None], limits: Limits
) -> Sequence[Json | None]:
    for name, document in zip(names, documents, strict=True):
        if document is not None:
            try:
                document.check(max_bytes=limits.max_document_bytes, max_depth=limits.max_json_depth)
            except InvalidJson as error:
                raise InvalidRecord(prefix + name, error.reason) from None
    return documents


def _names(field: str, names: tuple[str, ...] | None) -> Json | None:
    if names is None:
        return None
    try:
        return Json.trusted(orjson.dumps(names))
    except orjson.JSONEncodeError:
        # Half a character; the model's own encoder says where.
        try:
            return Json(names)
        except InvalidJson as error:
            raise InvalidRecord(field, error.reason) from None


def _hashed(plain: str, raw: bytes, texts: Sequence[str | None], documents: Sequence[Json | None]) -> tuple[bytes, int]:
    """The hash over a part's columns and the size of its texts and documents in bytes.

    In front stand all that is neither text nor document and the lengths of all that is, so that no two parts look
    alike. SHA-256 is cut to 16 bytes: nobody can make two records that pass for one, and processors have it built in.
    """
    lengths = [None if text is None else len(text) for text in texts]
    sizes = [None if document is None else len(document.raw) for document in documents]
    state = sha256(f"{plain} {lengths} {sizes} ".encode())
    state.update(raw)
    size = len(raw)
    for document in documents:
        if document is not None:
            state.update(document.raw)
            size += len(document.raw)
    return state.digest()[:HASH_BYTES], size


def _instant(moment: datetime | None) -> str | None:
    # An instant has one spelling here, whatever zone it came with.
    return None if moment is None else moment.astimezone(UTC).isoformat()
