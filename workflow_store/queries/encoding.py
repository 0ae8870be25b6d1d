"""A ``Workflow`` on its way in: checked, encoded once and hashed, as rows ready to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import orjson

from workflow_store.errors import InvalidField, InvalidJson, InvalidRecord
from workflow_store.models.cleaning import cleaned
from workflow_store.models.json import Json
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow
from workflow_store.queries.hashing import (
    hashed_content,
    hashed_metadata,
    hashed_structure,
    hashed_transcripts,
    size_of_row,
)
from workflow_store.queries.parameters import (
    ContentValues,
    Encoded,
    Limits,
    MetadataValues,
    StructureValues,
    TranscriptValues,
    WorkflowValues,
    documents_of,
)

TITLE_KEY_LENGTH: Final = 128


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

    What PostgreSQL can't hold in a text is removed or replaced, or refused, as ``limits.nul`` says.

    Args:
        now: stands for ``extracted_at`` where the workflow has none.

    Raises:
        InvalidRecord: something in it can't be stored; the field is named.
    """
    try:
        return _checked(workflow, limits, now)
    except InvalidRecord:
        if limits.nul == "reject":
            raise
        mended, notices = cleaned(workflow, limits.nul)
        if not notices:
            raise
    return _checked(mended, limits, now)._replace(cleaned=notices)


def _checked(workflow: Workflow, limits: Limits, now: datetime) -> Encoded:
    record = _encode(workflow, limits, now)
    check_documents(record, limits)
    return record


def encode_unseen(workflow: Workflow, limits: Limits, now: datetime) -> Encoded:
    """As ``encode``, without a look into the documents: the hashes may show that they are stored already.

    Before it is sent, ``check_documents`` has to look at it.

    Raises:
        InvalidRecord: something beside the documents can't be stored; the field is named.
    """
    try:
        return _encode(workflow, limits, now)
    except InvalidRecord:
        return encode(workflow, limits, now)


def check_documents(record: Encoded, limits: Limits) -> None:
    """Look into the documents of a record, unless somebody did before.

    Raises:
        InvalidRecord: one can't be stored; its field is named.
    """
    for number, document in enumerate(record.documents):
        try:
            document.check(max_bytes=limits.max_document_bytes, max_depth=limits.max_json_depth)
        except InvalidJson as error:
            raise InvalidRecord(record.document_fields[number], error.reason) from None


def _encode(workflow: Workflow, limits: Limits, now: datetime) -> Encoded:
    workflow_id = workflow.workflow_id
    size = size_of_row(workflow, limits)
    metadata_size = structure_size = content_size = transcripts_size = 0
    seen = workflow.extracted_at or now
    metadata = structure = content = transcripts = transcripts_hash = title_key = views = node_count = None
    if workflow.metadata is not None:
        metadata, metadata_size = _metadata(workflow_id, workflow.metadata, limits, seen)
        views = metadata.views
        title_key = None if metadata.title is None else metadata.title[:TITLE_KEY_LENGTH]
    if workflow.structure is not None:
        structure, structure_size = _structure(workflow_id, workflow.structure, limits, seen)
        node_count = structure.node_count
    if workflow.content is not None:
        content, content_size = _content(workflow_id, workflow.content, limits, seen)
    if workflow.transcripts is not None:
        transcripts, transcripts_hash, transcripts_size = _transcripts(workflow_id, workflow.transcripts, limits, seen)
    return Encoded(
        workflow_id,
        WorkflowValues(
            workflow_id,
            workflow.url,
            seen,
            workflow.processing_time,
            workflow.quality_score,
            metadata is not None,
            structure is not None,
            content is not None,
            workflow.error_message,
            transcripts_hash,
            title_key,
            views,
            node_count,
        ),
        metadata,
        structure,
        content,
        transcripts,
        workflow.retry_count,
        (size, metadata_size, structure_size, content_size, transcripts_size),
        documents_of(metadata, structure, content, transcripts),
    )


def _metadata(workflow_id: str, part: Metadata, limits: Limits, seen: datetime) -> tuple[MetadataValues, int]:
    plain, (digest, size, is_plain) = hashed_metadata(part, limits)
    values = MetadataValues(
        workflow_id,
        *plain[:7],
        _names("metadata.categories", part.categories, limits, is_plain=is_plain),
        _names("metadata.tags", part.tags, limits, is_plain=is_plain),
        part.workflow_created_at,
        part.workflow_updated_at,
        part.raw_metadata,
        part.extracted_at or seen,
        digest,
    )
    return values, size


def _structure(workflow_id: str, part: Structure, limits: Limits, seen: datetime) -> tuple[StructureValues, int]:
    _, (digest, size, is_plain) = hashed_structure(part, limits)
    values = StructureValues(
        workflow_id,
        part.node_count,
        part.connection_count,
        _names("structure.node_types", part.node_types, limits, is_plain=is_plain),
        part.extraction_type,
        part.fallback_used,
        part.workflow_json,
        part.extracted_at or seen,
        digest,
    )
    return values, size


def _content(workflow_id: str, part: Content, limits: Limits, seen: datetime) -> tuple[ContentValues, int]:
    plain, (digest, size, _) = hashed_content(part, limits)
    return ContentValues(workflow_id, *plain, part.raw_content, part.extracted_at or seen, digest), size


def _transcripts(
    workflow_id: str, part: Sequence[Transcript], limits: Limits, seen: datetime
) -> tuple[tuple[TranscriptValues, ...], bytes, int]:
    plains, digest, size = hashed_transcripts(part, limits)
    rows: list[TranscriptValues] = []
    for position, (transcript, plain) in enumerate(zip(part, plains, strict=True)):
        rows.append(
            TranscriptValues(
                workflow_id,
                position,
                *plain[:4],
                transcript.transcript_json,
                transcript.duration,
                transcript.language,
                transcript.extracted_at or seen,
            )
        )
    return tuple(rows), digest, size


def _names(field: str, names: tuple[str, ...] | None, limits: Limits, *, is_plain: bool) -> Json | None:
    """A list of names as a document; ``is_plain`` where nothing is wrong with the part it belongs to."""
    if names is None:
        return None
    if is_plain:
        return Json.proven(orjson.dumps(names), 1)
    try:
        document = Json(names)
        document.check(max_bytes=limits.max_document_bytes)
    except InvalidJson as error:
        raise InvalidRecord(field, error.reason) from None
    return document
