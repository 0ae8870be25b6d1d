"""The database's schema: migrations behind one door.

``migrate``, ``rollback``, ``status`` and ``drop_all`` take the DSN of a direct connection;
``check`` takes any connection and is what opening a store asks.
"""

from __future__ import annotations

from workflow_store.schema.applied import check
from workflow_store.schema.door import drop_all, migrate, rollback, status
from workflow_store.schema.report import Migration, MigrationReport, SchemaStatus

__all__ = [
    "Migration",
    "MigrationReport",
    "SchemaStatus",
    "check",
    "drop_all",
    "migrate",
    "rollback",
    "status",
]
