"""A thin wrapper of asyncpg's pool."""

from workflow_store.database.connections import connect
from workflow_store.database.pool import Database, PoolStatistics
from workflow_store.database.repetition import repeated
from workflow_store.database.session import HeldSession, Isolation, Session, Sessions

__all__ = ["Database", "HeldSession", "Isolation", "PoolStatistics", "Session", "Sessions", "connect", "repeated"]
