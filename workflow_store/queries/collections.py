"""Statements about many workflows that are named by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from workflow_store.queries.query import Query
from workflow_store.queries.rows import WorkflowRow

GET_WORKFLOWS = Query[WorkflowRow, Sequence[str], bool, bool, bool, bool]("collection/get")
EXISTING_WORKFLOWS = Query[str, Sequence[str]]("collection/exists")
