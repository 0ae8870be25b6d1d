"""What is really in quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from workflow_store.database import Session


class Row(NamedTuple):
    """A row of ``ingest_quarantine``."""

    record_hash: bytes
    source: str
    position: int | None
    workflow_id: str | None
    reason: str
    raw: bytes
    raw_length: int
    times_seen: int
    first_seen_at: datetime
    last_seen_at: datetime


async def quarantined(session: Session) -> list[Row]:
    """All rows, the last seen first."""
    columns = ", ".join(Row._fields)
    rows = await session.connection.fetch(
        f"SELECT {columns} FROM workflow_store.ingest_quarantine ORDER BY last_seen_at DESC, record_hash"
    )
    return [Row(*row) for row in rows]
