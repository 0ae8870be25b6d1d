"""Statements as typed values, the values they take and the rows they return."""

from workflow_store.queries.query import Copy, Query, join

__all__ = ["Copy", "Query", "join"]
