"""What is asked of a server to say how it is."""

from __future__ import annotations

from typing import NamedTuple

from workflow_store.queries.query import Query


class ServerHealthRow(NamedTuple):
    """``health/server``."""

    version: str
    in_recovery: bool
    uptime: float
    database_bytes: int
    connections: int
    max_connections: int
    oldest_transaction: float | None
    wraparound_age: int
    standbys: int
    replication_lag: float | None


class ContentsRow(NamedTuple):
    """``health/contents``."""

    workflows: int
    quarantined: int


class QualityRow(NamedTuple):
    """``health/quality``."""

    tens: int
    workflows: int


HEALTH_CONTENTS = Query[ContentsRow]("health/contents")
HEALTH_SERVER = Query[ServerHealthRow]("health/server")
QUALITY = Query[QualityRow]("health/quality")
