"""What a record is compared by: the hashes of its parts, over columns that can be stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

import orjson
from xxhash import xxh3_128, xxh3_128_digest

from workflow_store.errors import InvalidRecord
from workflow_store.models.json import Json
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow
from workflow_store.queries.given import NO_PART, given_hash
from workflow_store.queries.parameters import Limits

_NUL: Final = b"\\u0000"
_Text: TypeAlias = str | None
_Names: TypeAlias = tuple[str, ...] | None
# The columns of a part but its document, as they are hashed.
_Metadata: TypeAlias = tuple[
    _Text, _Text, _Text, _Text, _Text, int | None, int | None, _Names, _Names, datetime | None, datetime | None
]
_Structure: TypeAlias = tuple[int | None, int | None, _Names, _Text, bool]
_Content: TypeAlias = tuple[_Text, _Text, _Text, _Text, bool, int, bool, int]
_Transcript: TypeAlias = tuple[str, _Text, _Text, _Text, float | None, _Text]
# The hash over all columns of a part, their size in bytes, and whether nothing is wrong with any text of them.
_Hashed: TypeAlias = tuple[bytes, int, bool]


def workflow_hash(workflow: Workflow, limits: Limits, *, replace: bool) -> tuple[str, int]:
    """What ``record_hash`` and ``size`` are of a workflow once it is encoded, for less than that costs.

    Raises:
        InvalidRecord: something beside the documents can't be stored; the field is named.
    """
    size = size_of_row(workflow, limits)
    hashes = [NO_PART] * 4
    metadata, structure, content = workflow.metadata, workflow.structure, workflow.content
    if metadata is not None:
        _, (hashes[0], part, _) = hashed_metadata(metadata, limits)
        size += part
    if structure is not None:
        _, (hashes[1], part, _) = hashed_structure(structure, limits)
        size += part
    if content is not None:
        _, (hashes[2], part, _) = hashed_content(content, limits)
        size += part
    if workflow.transcripts is not None:
        _, hashes[3], part = hashed_transcripts(workflow.transcripts, limits)
        size += part
    return given_hash(workflow, workflow.retry_count, hashes, replace=replace), size


def hashed_metadata(part: Metadata, limits: Limits) -> tuple[_Metadata, _Hashed]:
    """Its columns but the document, with the hash over all of them."""
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
    return plain, _hashed("metadata.", plain, _metadata_texts, part, part.raw_metadata, limits)


def hashed_structure(part: Structure, limits: Limits) -> tuple[_Structure, _Hashed]:
    """Its columns but the document, with the hash over all of them."""
    plain = (part.node_count, part.connection_count, part.node_types, part.extraction_type, part.fallback_used)
    return plain, _hashed("structure.", plain, _structure_texts, part, part.workflow_json, limits)


def hashed_content(part: Content, limits: Limits) -> tuple[_Content, _Hashed]:
    """Its columns but the document, with the hash over all of them."""
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
    return plain, _hashed("content.", plain, _content_texts, part, part.raw_content, limits)


def hashed_transcripts(parts: Sequence[Transcript], limits: Limits) -> tuple[list[_Transcript], bytes, int]:
    """The columns of each but its document, with the hash over all of them and their size in bytes."""
    plains: list[_Transcript] = []
    digests: list[bytes] = []
    total = 0
    for position, part in enumerate(parts):
        plain = (
            part.video_url,
            part.video_id,
            part.platform,
            part.transcript_text,
            part.duration,
            part.language,
        )
        document = part.transcript_json
        digest, size, _ = _hashed(f"transcripts.{position}.", plain, _transcript_texts, part, document, limits)
        plains.append(plain)
        digests.append(digest)
        total += size
    return plains, xxh3_128_digest(b"".join(digests)), total


def size_of_row(workflow: Workflow, limits: Limits) -> int:
    """The size of a workflow's own texts in bytes; it is compared by their values."""
    texts = (workflow.workflow_id, workflow.url, workflow.error_message)
    return _hashed("", texts, _row_texts, workflow, None, limits)[1]


Part = TypeVar("Part", Workflow, Metadata, Structure, Content, Transcript)


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


def _hashed(
    prefix: str,
    plain: tuple[Any, ...],
    texts_of: Callable[[Part], Mapping[str, str | None]],
    part: Part,
    document: Json | None,
    limits: Limits,
) -> _Hashed:
    """Hash all columns of a part, in one piece; what can't be stored is refused.

    Nearly always nothing is wrong with any text, which is the last answer: only where something may be is each one
    looked at.

    What is written says itself where it ends, so no two parts look alike. XXH3 keeps apart whatever is not made to be
    mistaken, at a twentieth of the cost of SHA-256. Only scrapes of one workflow are compared by it: who makes two that
    it takes for one hides a change of his own workflow, and he could as well not publish it.
    """
    try:
        written = orjson.dumps(plain)
    except orjson.JSONEncodeError:
        written = b""
    is_plain = bool(written) and len(written) <= limits.max_document_bytes and _NUL not in written
    if not is_plain:
        for name, text in texts_of(part).items():
            if text is not None:
                _check_text(prefix + name, text, limits)
        # What is left are names, which are looked at when they become documents.
        written = written or repr(plain).encode("utf-8", "surrogatepass")
    if document is None:
        return xxh3_128_digest(written), len(written), is_plain
    state = xxh3_128(written)
    state.update(document.raw)
    return state.digest(), len(written) + len(document.raw), is_plain


def _instant(moment: datetime | None) -> datetime | None:
    # An instant has one spelling here, whatever zone it came with.
    return moment if moment is None or moment.tzinfo is UTC else moment.astimezone(UTC)
