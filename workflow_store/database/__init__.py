"""A thin wrapper of asyncpg's pool."""

from workflow_store.database.borrowed import Borrowable, BorrowedOne, BorrowedPool, borrowed
from workflow_store.database.connections import connect
from workflow_store.database.operation import deadline, operation, watched
from workflow_store.database.pool import Database, PoolStatistics
from workflow_store.database.repetition import repeated, retried
from workflow_store.database.session import Connection, HeldSession, Isolation, Session, Sessions

__all__ = [
    "Borrowable",
    "BorrowedOne",
    "BorrowedPool",
    "Connection",
    "Database",
    "HeldSession",
    "Isolation",
    "PoolStatistics",
    "Session",
    "Sessions",
    "borrowed",
    "connect",
    "deadline",
    "operation",
    "repeated",
    "retried",
    "watched",
]
