"""Savepoints inside a transaction that somebody else has opened, and the end of one that nobody ends."""

from __future__ import annotations

from workflow_store.queries.query import Query

SAVEPOINT = Query[None]("transaction/savepoint")
RELEASE_SAVEPOINT = Query[None]("transaction/release")
ROLLBACK_TO_SAVEPOINT = Query[None]("transaction/rollback")
ABORT = Query[None]("transaction/abort")
