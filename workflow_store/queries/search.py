"""Statements of the search, and what they return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from workflow_store.queries.query import Query


class MarkRow(NamedTuple):
    """``search/refresh``."""

    workflow_id: str
    mark: str


class LagRow(NamedTuple):
    """``search/lag``."""

    pending: int
    oldest: float


MARK_FOR_SEARCH = Query[None, Sequence[str]]("search/mark")
SEARCH_LAG = Query[LagRow]("search/lag")
WAITING_FOR_SEARCH = Query[str, str, int]("search/waiting")
CLAIM_REFRESH = Query[bool]("search/claim")
REFRESH_SEARCH = Query[MarkRow, Sequence[str]]("search/refresh")
CLEAR_MARKS = Query[str, Sequence[str], Sequence[str]]("search/clear")
TOLERANCE = Query[str]("search/tolerance")
SUGGEST = Query[str, str, str, int, int]("search/suggest")
