"""What is asked of a server again and again to watch it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from workflow_store.queries.query import Query


class ActivityRow(NamedTuple):
    """``monitor/activity``."""

    state: str
    connections: int
    longest: float


class CountersRow(NamedTuple):
    """``monitor/counters``."""

    database_bytes: int
    hits: int
    reads: int
    commits: int
    rollbacks: int
    deadlocks: int
    temporary_bytes: int
    inserted: int
    updated: int
    deleted: int
    workflows: int
    wal_bytes: int


class CheckpointsRow(NamedTuple):
    """``monitor/checkpoints``."""

    timed: int
    requested: int


class TableRow(NamedTuple):
    """``monitor/tables``."""

    name: str
    bytes: int
    live: int
    dead: int
    vacuumed: datetime | None


class IndexRow(NamedTuple):
    """``monitor/indexes``."""

    name: str
    bytes: int
    scans: int


class BlockedRow(NamedTuple):
    """``monitor/blocked``."""

    pid: int
    by: Sequence[int]
    seconds: float
    query: str


class StatementRow(NamedTuple):
    """``monitor/statements``."""

    calls: int
    total_ms: float
    mean_ms: float
    rows: int
    query: str


ACTIVITY = Query[ActivityRow]("monitor/activity")
COUNTERS = Query[CountersRow]("monitor/counters")
MONITOR_TABLES = Query[TableRow]("monitor/tables")
MONITOR_INDEXES = Query[IndexRow]("monitor/indexes")
BLOCKED = Query[BlockedRow]("monitor/blocked")
