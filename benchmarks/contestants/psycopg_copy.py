"""psycopg 3, asynchronous, binary COPY: rows that are ready, with the types of their columns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.contestants.contestant import BATCH, CONNECTIONS, Case
from benchmarks.contestants.rows import SCHEMA, TABLES, Rows, batches
from benchmarks.given import Given
from benchmarks.statements import body
from workflow_store import Json

Types = Mapping[str, list[str]]


class PsycopgCopy:
    """psycopg's own ``write_row`` with ``set_types``, as its documentation advises."""

    name = "psycopg 3 async COPY"
    share = 1
    cases: frozenset[Case] = frozenset(("fresh",))

    def __init__(self) -> None:
        self._connections: list[psycopg.AsyncConnection[Any]] = []
        self._types: Types = {}
        self._batches: list[Rows] = []

    async def open(self, dsn: str) -> None:
        for _ in range(CONNECTIONS):
            self._connections.append(await psycopg.AsyncConnection.connect(dsn))
        with psycopg.connect(dsn) as connection:
            self._types = column_types(connection)

    async def prepare(self, case: Case, given: Given) -> None:
        self._batches = [with_jsonb(batch) for batch in batches(given.records, BATCH)]

    async def run(self, case: Case) -> None:
        waiting = deque(self._batches)

        async def work(connection: psycopg.AsyncConnection[Any]) -> None:
            while waiting:
                batch = waiting.popleft()
                async with connection.transaction(), connection.cursor() as cursor:
                    for table, rows in batch.items():
                        if rows:
                            await self._copy(cursor, table, rows)

        await asyncio.gather(*(work(connection) for connection in self._connections))

    async def empty(self) -> None:
        return

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()

    async def _copy(self, cursor: psycopg.AsyncCursor[Any], table: str, rows: Sequence[Any]) -> None:
        query: Any = copy_statement(table)
        async with cursor.copy(query) as copy:
            copy.set_types(self._types[table])
            for row in rows:
                await copy.write_row(row)


def copy_statement(table: str) -> str:
    """The COPY of a table's rows in binary."""
    return body("copy_binary").format(schema=SCHEMA, table=table, columns=", ".join(TABLES[table]))


def column_types(connection: psycopg.Connection[Any]) -> Types:
    """The types of the columns that are sent, by table."""
    query: Any = body("column_types").replace("$1", "%s")
    found: dict[str, list[str]] = {}
    for table, columns in TABLES.items():
        types = dict(connection.execute(query, (table,)).fetchall())
        found[table] = [types[name] for name in columns]
    return found


def with_jsonb(batch: Rows) -> Rows:
    """The rows with documents as psycopg takes them, encoded already."""
    return {
        table: [tuple(Jsonb(value, _raw) if isinstance(value, Json) else value for value in row) for row in rows]
        for table, rows in batch.items()
    }


def _raw(document: Json) -> bytes:
    return document.raw
