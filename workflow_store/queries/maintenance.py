"""What is asked of a server to see what has to be done for its tables and indexes."""

from __future__ import annotations

from typing import NamedTuple

from workflow_store.queries.query import Query


class TableState(NamedTuple):
    """``maintenance/tables``."""

    name: str
    bytes: int
    live: int
    dead: int
    changed: int
    inserted: int
    analyzed: bool
    age: int


class IndexState(NamedTuple):
    """``maintenance/indexes``."""

    name: str
    bytes: int
    is_valid: bool
    has_pending: bool
    needed: int | None


TABLES = Query[TableState]("maintenance/tables")
INDEXES = Query[IndexState]("maintenance/indexes")
MAINTENANCE_LOCK = Query[bool]("maintenance/lock")
CLEAN_PENDING = Query[int, str]("maintenance/clean_pending")
