"""The rows of the store's tables, ready to be sent by whoever sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from workflow_store.queries import catalogue
from workflow_store.queries.parameters import (
    Encoded,
)

SCHEMA: Final = "workflow_store"
# Parents first.
TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    **{
        copy.table: copy.columns
        for copy in (
            catalogue.COPY_WORKFLOWS,
            catalogue.COPY_METADATA,
            catalogue.COPY_STRUCTURE,
            catalogue.COPY_CONTENT,
            catalogue.COPY_TRANSCRIPTS,
        )
    },
    "workflow_search_pending": ("workflow_id",),
    "workflow_scrape": ("workflow_id", "url", "last_seen_at"),
}
Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]


def rows_of(records: Sequence[Encoded]) -> Rows:
    """Rows by table, in the order of the tables; the documents are ``Json``."""
    now = datetime.now(UTC)
    rows: Rows = {
        "workflows": [record.workflow for record in records],
        "workflow_metadata": [record.metadata for record in records if record.metadata is not None],
        "workflow_structure": [record.structure for record in records if record.structure is not None],
        "workflow_content": [record.content for record in records if record.content is not None],
        "video_transcripts": [row for record in records for row in record.transcripts or ()],
        "workflow_search_pending": [(record.workflow_id,) for record in records],
        "workflow_scrape": [(record.workflow_id, record.workflow.url, now) for record in records],
    }
    return {table: rows[table] for table in TABLES}


def batches(records: Sequence[Encoded], size: int) -> list[Rows]:
    """Rows in pieces of so many workflows."""
    return [rows_of(records[start : start + size]) for start in range(0, len(records), size)]
