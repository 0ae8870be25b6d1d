"""Hashes over a record as it was given, by which it is recognised when it is given again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import orjson
from xxhash import xxh3_128_hexdigest

from workflow_store.models.workflow import Workflow
from workflow_store.queries.parameters import Encoded, WorkflowValues
from workflow_store.queries.query import Query

RECOGNISED = Query[str, Sequence[str], Sequence[str], bool]("ingest/recognised")

Row: TypeAlias = Workflow | WorkflowValues

# Without and with ``replace``. Others when the same bytes, or the same model, are stored as something else than before.
_SEEDS: Final = (2, 3)
# In place of the hash of a part that was not given.
NO_PART: Final = bytes(16)


def line_hash(line: bytes, *, replace: bool) -> str:
    """The hash, in hexadecimal, of a line that is one workflow.

    Args:
        replace: whether a part that it does not have is deleted: what the store then holds is another thing.
    """
    return xxh3_128_hexdigest(line, _SEEDS[replace])


def record_hash(record: Encoded, *, replace: bool) -> str:
    """The hash of a record as it was given: that of the line it was read from, where there is one."""
    if record.line_hash is not None:
        return record.line_hash
    hashes = [
        NO_PART if record.metadata is None else record.metadata.content_hash,
        NO_PART if record.structure is None else record.structure.content_hash,
        NO_PART if record.content is None else record.content.content_hash,
        record.workflow.transcripts_hash or NO_PART,
    ]
    return given_hash(record.workflow, record.retry_count, hashes, replace=replace)


def given_hash(row: Row, retry_count: int | None, parts: Sequence[bytes], *, replace: bool) -> str:
    """The hash of all that a record is compared by.

    Args:
        parts: the hash of each; ``NO_PART`` for one that was not given.
        replace: as for ``line_hash``.
    """
    written = orjson.dumps((row.url, row.error_message, row.quality_score, retry_count))
    return xxh3_128_hexdigest(b"".join((*parts, written)), _SEEDS[replace])
