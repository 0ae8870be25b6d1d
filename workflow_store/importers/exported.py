"""Lines of ``Workflow.to_json``, read in a fraction of the general reader's time.

A line is read here only where that gives what the general reader gives; every other one is left to it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw

from workflow_store.importers.limits import Limits
from workflow_store.importers.plain import PLAIN_LEVELS, read_plain_object
from workflow_store.models.decoding import is_array, is_object
from workflow_store.models.json import Json

_START: Final = b'{"workflow_id":'


class _Metadata(msgspec.Struct):
    raw_metadata: Raw = Raw()


class _Structure(msgspec.Struct):
    workflow_json: Raw = Raw()


class _Content(msgspec.Struct):
    raw_content: Raw = Raw()


class _Transcript(msgspec.Struct):
    transcript_json: Raw = Raw()


class _Line(msgspec.Struct):
    """Where the documents lie in a line, as the bytes they were written as."""

    metadata: _Metadata | None = None
    structure: _Structure | None = None
    content: _Content | None = None
    transcripts: list[_Transcript] | None = None


# Elsewhere a fraction may stand for an integer, and its digits count.
_FRACTIONS: Final = frozenset(("processing_time", "quality_score", "duration"))
_DECODER: Final = msgspec.json.Decoder(_Line)


def read_exported(raw: bytes, limits: Limits) -> dict[str, Any] | None:
    """The members of a line, its documents as they were written; None where the general reader has to look."""
    if not raw.startswith(_START) or limits.max_depth < PLAIN_LEVELS:
        return None
    members = read_plain_object(raw)
    if members is None or "url" not in members or "layers" in members:
        return None
    try:
        line = _DECODER.decode(raw)
    except msgspec.DecodeError:
        return None
    documents: list[tuple[Any, str, Raw]] = []
    if line.metadata is not None:
        documents.append((members["metadata"], "raw_metadata", line.metadata.raw_metadata))
    if line.structure is not None:
        documents.append((members["structure"], "workflow_json", line.structure.workflow_json))
    if line.content is not None:
        documents.append((members["content"], "raw_content", line.content.raw_content))
    if line.transcripts is not None and is_array(members["transcripts"]):
        for place, transcript in enumerate(line.transcripts):
            documents.append((members["transcripts"][place], "transcript_json", transcript.transcript_json))
    for part in (members, *(part for part, _, _ in documents)):
        if is_object(part) and any(type(part[name]) is float and name not in _FRACTIONS for name in part):
            return None
    for part, column, document in documents:
        written = bytes(document)
        if len(written) > limits.max_document_bytes:
            return None
        if written and is_object(part):
            part[column] = Json.proven(written, PLAIN_LEVELS)
    return members
