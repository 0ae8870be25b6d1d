"""Statements of the quarantine, and what they return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from workflow_store.models.quarantined import Quarantined
from workflow_store.queries.query import Query


class QuarantineRow(NamedTuple):
    """``quarantine/list``."""

    record_hash: bytes
    source: str
    position: int | None
    workflow_id: str | None
    reason: str
    raw_length: int
    kept: int
    times_seen: int
    first_seen_at: datetime
    last_seen_at: datetime
    relative: str | None
    id_from: str | None


class QuarantineRecordRow(NamedTuple):
    """``quarantine/get`` and ``quarantine/lock``."""

    record_hash: bytes
    source: str
    position: int | None
    workflow_id: str | None
    reason: str
    raw_length: int
    kept: int
    times_seen: int
    first_seen_at: datetime
    last_seen_at: datetime
    relative: str | None
    id_from: str | None
    raw: bytes


ADD_TO_QUARANTINE = Query[
    None, Sequence[bytes], Sequence[str], Sequence[int | None], Sequence[str | None], Sequence[str], Sequence[bytes],
    Sequence[int], Sequence[str | None], Sequence[str | None],
]("quarantine/add")  # fmt: skip
LIST_QUARANTINE = Query[QuarantineRow, str, datetime, bytes, int]("quarantine/list")
GET_FROM_QUARANTINE = Query[QuarantineRecordRow, bytes]("quarantine/get")
LOCK_IN_QUARANTINE = Query[QuarantineRecordRow, bytes]("quarantine/lock")
FIND_IN_QUARANTINE = Query[bytes, bytes, bytes]("quarantine/find")
QUARANTINE_KEYS = Query[bytes, str, bytes, int]("quarantine/keys")
COUNT_QUARANTINE = Query[int, str]("quarantine/count")
DELETE_FROM_QUARANTINE = Query[bytes, Sequence[bytes]]("quarantine/delete")
PURGE_QUARANTINE = Query[int, str, float]("quarantine/purge")
EXPLAIN_QUARANTINE = Query[None, bytes, str]("quarantine/explain")
OVERTAKEN = Query[str, Sequence[str], datetime]("quarantine/overtaken")


def to_quarantined(row: QuarantineRow | QuarantineRecordRow) -> Quarantined:
    """The record of a row."""
    return Quarantined(
        row.record_hash.hex(),
        row.source,
        row.reason,
        row.position,
        row.workflow_id,
        row.raw_length,
        row.kept,
        row.times_seen,
        row.first_seen_at,
        row.last_seen_at,
        row.relative,
        row.id_from,
        row.raw if isinstance(row, QuarantineRecordRow) else None,
    )
