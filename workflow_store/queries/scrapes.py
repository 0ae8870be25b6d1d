"""Statements of the queue of what is to be scraped, and what they return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from workflow_store.queries.query import Query


class PendingRow(NamedTuple):
    """``scrape/pending`` and ``scrape/fail``."""

    workflow_id: str
    url: str | None
    due_at: datetime
    retry_count: int


class ClaimRow(NamedTuple):
    """``scrape/claim``."""

    workflow_id: str
    url: str | None
    token: str
    lease_until: datetime
    due_at: datetime
    retry_count: int


ENQUEUE = Query[str, Sequence[str], Sequence[str], datetime | None, bool]("scrape/enqueue")
HASTEN = Query[None, Sequence[str], datetime]("scrape/hasten")
PENDING = Query[PendingRow, int]("scrape/pending")
CLAIM = Query[ClaimRow, str, str, float]("scrape/claim")
COMPLETE_SCRAPE = Query[str, str, str, datetime | None, int | None]("scrape/complete")
FAIL_SCRAPE = Query[PendingRow, str, str | None, str, str | None, float | None]("scrape/fail")
SET_ERROR = Query[None, str, str]("scrape/set_error")
