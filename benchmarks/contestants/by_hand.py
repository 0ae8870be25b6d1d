"""asyncpg without the store, by somebody who knows it well: tuples that are ready, sent as fast as it goes.

New workflows go in by COPY. Whatever may be there already is upserted as a whole, since nothing remembers what is
stored. One alone is the store's own statement, without what surrounds it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from benchmarks.contestants.contestant import BATCH, CONNECTIONS, Case
from workflow_store import Workflow
from workflow_store.database.connections import set_codecs
from workflow_store.queries import catalogue
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import (
    ContentValues,
    Encoded,
    Limits,
    MetadataValues,
    StructureValues,
    transcript_arrays,
)
from workflow_store.queries.query import Copy

_SCHEMA: Final = "workflow_store"
_PARTS: Final[tuple[tuple[str, Copy[Any]], ...]] = (
    ("metadata", catalogue.COPY_METADATA),
    ("structure", catalogue.COPY_STRUCTURE),
    ("content", catalogue.COPY_CONTENT),
)
_SEEN: Final = ("workflow_id", "url", "last_seen_at")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows by table, ready to be sent."""

    workflows: list[Any]
    parts: dict[str, list[Any]]
    transcripts: list[Any]
    seen: list[tuple[Any, ...]]


class ByHand:
    """Nothing but asyncpg."""

    name = "asyncpg by hand"
    cases: frozenset[Case] = frozenset(("fresh", "unchanged", "views", "tenth", "single"))

    def __init__(self) -> None:
        self._connections: list[asyncpg.Connection[asyncpg.Record]] = []
        self._batches: list[_Batch] = []
        self._single: list[list[Any]] = []

    async def open(self, dsn: str) -> None:
        for _ in range(CONNECTIONS):
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn)
            await set_codecs(connection)
            self._connections.append(connection)

    def prepare(self, case: Case, workflows: Sequence[Workflow]) -> None:
        now = datetime.now(UTC)
        records = [encode(workflow, Limits(), now) for workflow in workflows]
        if case == "single":
            self._single = [_created(record) for record in records]
            return
        self._batches = [_batch(records[start : start + BATCH], now) for start in range(0, len(records), BATCH)]

    async def run(self, case: Case) -> None:
        if case == "single":
            for values in self._single:
                await self._connections[0].fetch(catalogue.CREATE_WORKFLOW.text, *values)
            return
        waiting = deque(self._batches)

        async def work(connection: asyncpg.Connection[asyncpg.Record]) -> None:
            while waiting:
                batch = waiting.popleft()
                async with connection.transaction():
                    await (_copy if case == "fresh" else _upsert)(connection, batch)

        await asyncio.gather(*(work(connection) for connection in self._connections))

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()


def _batch(records: Sequence[Encoded], now: datetime) -> _Batch:
    return _Batch(
        workflows=[record.workflow for record in records],
        parts={
            part: [values for record in records if (values := getattr(record, part)) is not None] for part, _ in _PARTS
        },
        transcripts=[row for record in records for row in record.transcripts or ()],
        seen=[(record.workflow_id, record.workflow.url, now) for record in records],
    )


def _created(record: Encoded) -> list[Any]:
    values: list[Any] = [*record.workflow]
    for part, columns in (
        (record.metadata, MetadataValues),
        (record.structure, StructureValues),
        (record.content, ContentValues),
    ):
        values += part[1:] if part is not None else (None,) * (len(columns._fields) - 1)
    return [*values, *transcript_arrays(record.transcripts or ()), record.retry_count]


async def _copy(connection: Any, batch: _Batch) -> None:
    async def copy(table: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
        if rows:
            await connection.copy_records_to_table(table, schema_name=_SCHEMA, columns=columns, records=rows)

    await copy(catalogue.COPY_WORKFLOWS.table, catalogue.COPY_WORKFLOWS.columns, batch.workflows)
    for part, target in _PARTS:
        await copy(target.table, target.columns, batch.parts[part])
    await copy(catalogue.COPY_TRANSCRIPTS.table, catalogue.COPY_TRANSCRIPTS.columns, batch.transcripts)
    await copy("workflow_search_pending", ("workflow_id",), [row[:1] for row in batch.seen])
    await copy("workflow_scrape", _SEEN, batch.seen)


async def _upsert(connection: Any, batch: _Batch) -> None:
    await connection.executemany(upsert("workflows", catalogue.COPY_WORKFLOWS.columns), batch.workflows)
    for part, target in _PARTS:
        await connection.executemany(upsert(target.table, target.columns), batch.parts[part])
    ids = [row[0] for row in batch.seen]
    await connection.execute(f"DELETE FROM {_SCHEMA}.video_transcripts WHERE workflow_id = ANY ($1)", ids)
    columns = catalogue.COPY_TRANSCRIPTS.columns
    await connection.copy_records_to_table(
        "video_transcripts", schema_name=_SCHEMA, columns=columns, records=batch.transcripts
    )
    await connection.executemany(upsert("workflow_scrape", _SEEN), batch.seen)


def upsert(table: str, columns: Sequence[str]) -> str:
    """The upsert of a table whose key is its first column, with one parameter a column."""
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    news = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return (
        f"INSERT INTO {_SCHEMA}.{table} ({', '.join(columns)}) VALUES ({places}) "
        f"ON CONFLICT ({columns[0]}) DO UPDATE SET {news}"
    )
