"""A ``Workflow`` on its way in: checked, encoded once and hashed, as rows ready to be sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import orjson
from xxhash import xxh3_128, xxh3_128_digest

from workflow_store.errors import InvalidField, InvalidJson, InvalidRecord
from workflow_store.models.cleaning import cleaned
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
    documents_of,
)

TITLE_KEY_LENGTH: Final = 128
_NUL: Final = b"\\u0000"


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
    size = len(_written("", (workflow_id, workflow.url, workflow.error_message), _row_texts, workflow, limits)[0])
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
    plain = (
        part.title,
        part.description,
        part.use_case,
        part.author_name,
        part.author_url,
        part.views,
        part.shares,
        part.categories,
        part.tags,
        _instant(part.workflow_created_at),
        _instant(part.workflow_updated_at),
    )
    written, is_plain = _written("metadata.", plain, _metadata_texts, part, limits)
    digest, size = _hashed(written, part.raw_metadata)
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
    plain = (part.node_count, part.connection_count, part.node_types, part.extraction_type, part.fallback_used)
    written, is_plain = _written("structure.", plain, _structure_texts, part, limits)
    digest, size = _hashed(written, part.workflow_json)
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
    plain = (
        part.explainer_text,
        part.explainer_html,
        part.setup_instructions,
        part.use_instructions,
        part.has_videos,
        part.video_count,
        part.has_iframes,
        part.iframe_count,
    )
    written, _ = _written("content.", plain, _content_texts, part, limits)
    digest, size = _hashed(written, part.raw_content)
    return ContentValues(workflow_id, *plain, part.raw_content, part.extracted_at or seen, digest), size


def _transcripts(
    workflow_id: str, part: Sequence[Transcript], limits: Limits, seen: datetime
) -> tuple[tuple[TranscriptValues, ...], bytes, int]:
    rows: list[TranscriptValues] = []
    digests: list[bytes] = []
    total = 0
    for position, transcript in enumerate(part):
        plain = (
            transcript.video_url,
            transcript.video_id,
            transcript.platform,
            transcript.transcript_text,
            transcript.duration,
            transcript.language,
        )
        written, _ = _written(f"transcripts.{position}.", plain, _transcript_texts, transcript, limits)
        digest, size = _hashed(written, transcript.transcript_json)
        digests.append(digest)
        total += size
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
    return tuple(rows), xxh3_128_digest(b"".join(digests)), total


Part = TypeVar("Part", Workflow, Metadata, Structure, Content, Transcript)


def _written(
    prefix: str,
    plain: tuple[Any, ...],
    texts_of: Callable[[Part], Mapping[str, str | None]],
    part: Part,
    limits: Limits,
) -> tuple[bytes, bool]:
    """All of a part but its document, in one piece, for the hash; what can't be stored is refused.

    Nearly always nothing is wrong with any text, which is the second answer: only where something may be is each one
    looked at.
    """
    try:
        written = orjson.dumps(plain)
    except orjson.JSONEncodeError:
        written = b""
    if written and len(written) <= limits.max_document_bytes and _NUL not in written:
        return written, True
    for name, text in texts_of(part).items():
        if text is not None:
            _check_text(prefix + name, text, limits)
    # What is left are names, which are looked at when they become documents.
    return written or repr(plain).encode("utf-8", "surrogatepass"), False


def _row_texts(row: Workflow) -> Mapping[str, str | None]:
    return {"workflow_id": row.workflow_id, "url": row.url, "error_message": row.error_message}


def _metadata_texts(part: Metadata) -> Mapping[str, str | None]:
    return {
        "title": part.title,
        "description": part.description,
        "use_case": part.use_case,
        "author_name": part.author_name,
        "author_url": part.author_url,
    }


def _structure_texts(part: Structure) -> Mapping[str, str | None]:
    return {"extraction_type": part.extraction_type}


def _content_texts(part: Content) -> Mapping[str, str | None]:
    return {
        "explainer_text": part.explainer_text,
        "explainer_html": part.explainer_html,
        "setup_instructions": part.setup_instructions,
        "use_instructions": part.use_instructions,
    }


def _transcript_texts(part: Transcript) -> Mapping[str, str | None]:
    return {
        "video_url": part.video_url,
        "video_id": part.video_id,
        "platform": part.platform,
        "transcript_text": part.transcript_text,
        "language": part.language,
    }


def _check_text(field: str, text: str, limits: Limits) -> None:
    if "\x00" in text:
        raise InvalidRecord(field, f"a NUL character at character {text.index(chr(0)):,}")
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise InvalidRecord(field, f"a lone surrogate (half a character) at character {error.start:,}") from None
    if size > limits.max_document_bytes:
        raise InvalidRecord(field, f"a text of {size:,} bytes; at most {limits.max_document_bytes:,} are allowed")


def _hashed(written: bytes, document: Json | None) -> tuple[bytes, int]:
    """The hash over a part's columns and their size in bytes.

    ``written`` says itself where it ends, so no two parts look alike. XXH3 keeps apart whatever is not made to be
    mistaken, at a twentieth of the cost of SHA-256. Only scrapes of one workflow are compared by it: who makes two that
    it takes for one hides a change of his own workflow, and he could as well not publish it.
    """
    if document is None:
        return xxh3_128_digest(written), len(written)
    state = xxh3_128(written)
    state.update(document.raw)
    return state.digest(), len(written) + len(document.raw)


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


def _instant(moment: datetime | None) -> datetime | None:
    # An instant has one spelling here, whatever zone it came with.
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)
