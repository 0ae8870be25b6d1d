"""Statements that set named columns of a stored workflow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflow_store.models.json import Json
from workflow_store.queries.query import Query

UPDATE_WORKFLOW = Query[
    str, str, Sequence[str], str, datetime, float | None, float | None, bool, bool, bool, str | None, bytes | None,
    str | None, int | None, int | None,
]("update/workflow")  # fmt: skip
UPDATE_METADATA = Query[
    None, str, Sequence[str], str | None, str | None, str | None, str | None, str | None, int | None, int | None,
    Json | None, Json | None, datetime | None, datetime | None, Json | None, datetime,
]("update/metadata")  # fmt: skip
UPDATE_STRUCTURE = Query[
    None, str, Sequence[str], int | None, int | None, Json | None, str | None, bool, Json | None, datetime,
]("update/structure")  # fmt: skip
UPDATE_CONTENT = Query[
    None, str, Sequence[str], str | None, str | None, str | None, str | None, bool, int, bool, int, Json | None,
    datetime,
]("update/content")  # fmt: skip
