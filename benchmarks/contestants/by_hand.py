"""asyncpg without the store, by somebody who knows it well: tuples that are ready, sent as fast as it goes.

New workflows go in by COPY. Whatever may be there already is upserted as a whole, since nothing remembers what is
stored. One alone is the store's own statement, without what surrounds it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

import asyncpg

from benchmarks.contestants.contestant import BATCH, CONNECTIONS, Case
from benchmarks.contestants.rows import SCHEMA, TABLES, Rows, batches
from benchmarks.given import Given
from benchmarks.statements import body, text
from workflow_store import Json
from workflow_store.queries import catalogue
from workflow_store.queries.parameters import arguments_of

_POOL: Final = 10
_AWAITERS: Final = 64


class ByHand:
    """Nothing but asyncpg."""

    share = 1

    def __init__(self, connections: int = CONNECTIONS) -> None:
        self._count = connections
        self.name = "asyncpg by hand" if connections == CONNECTIONS else "asyncpg by hand, 1 connection"
        self.cases: frozenset[Case] = frozenset(
            ("fresh", "refresh", "unchanged", "views", "tenth", "delete", "create", "awaiters_64")
            if connections == CONNECTIONS
            else ("fresh",)
        )
        self._connections: list[asyncpg.Connection[asyncpg.Record]] = []
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._batches: list[Rows] = []
        self._arguments: list[list[Any]] = []
        self._ids: list[str] = []

    async def open(self, dsn: str) -> None:
        for _ in range(self._count):
            connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn)
            await _set_codec(connection)
            self._connections.append(connection)
        if "awaiters_64" in self.cases:
            self._pool = await asyncpg.create_pool(dsn, min_size=_POOL, max_size=_POOL, init=_set_codec)

    async def prepare(self, case: Case, given: Given) -> None:
        self._batches, self._arguments, self._ids = [], [], []
        if case in ("create", "awaiters_64"):
            self._arguments = [arguments_of(record) for record in given.records]
        elif case == "delete":
            self._ids = [workflow.workflow_id for workflow in given.workflows]
        elif case != "refresh":
            self._batches = batches(given.records, BATCH)

    async def run(self, case: Case) -> None:
        alone = self._connections[0]
        match case:
            case "create":
                for arguments in self._arguments:
                    await alone.fetch(catalogue.CREATE_WORKFLOW.text, *arguments)
            case "awaiters_64":
                await self._create_by_tasks()
            case "delete":
                for workflow_id in self._ids:
                    await alone.fetchval(catalogue.DELETE_WORKFLOW.text, workflow_id)
            case "refresh":
                await alone.execute(text("make_documents"))
            case _:
                await self._write(_copy if case == "fresh" else _upsert)

    async def empty(self) -> None:
        return

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
        for connection in self._connections:
            await connection.close()

    async def _write(self, write: Callable[[Any, Rows], Awaitable[None]]) -> None:
        waiting = deque(self._batches)

        async def work(connection: asyncpg.Connection[asyncpg.Record]) -> None:
            while waiting:
                batch = waiting.popleft()
                async with connection.transaction():
                    await write(connection, batch)

        await asyncio.gather(*(work(connection) for connection in self._connections))

    async def _create_by_tasks(self) -> None:
        pool = self._pool
        assert pool is not None
        waiting: Iterator[list[Any]] = iter(self._arguments)

        async def scraper() -> None:
            for arguments in waiting:
                await pool.fetch(catalogue.CREATE_WORKFLOW.text, *arguments)

        await asyncio.gather(*(scraper() for _ in range(_AWAITERS)))


async def _set_codec(connection: Any) -> None:
    # In binary, as COPY needs it: a version, and the text.
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_jsonb, decoder=bytes, format="binary")


def _jsonb(document: Json) -> bytes:
    return b"\x01" + document.raw


async def _copy(connection: Any, batch: Rows) -> None:
    for table, rows in batch.items():
        if rows:
            await connection.copy_records_to_table(table, schema_name=SCHEMA, columns=TABLES[table], records=rows)


async def _upsert(connection: Any, batch: Rows) -> None:
    for table, rows in batch.items():
        if table == "video_transcripts":
            ids = [row[0] for row in batch["workflows"]]
            await connection.execute(text("delete_transcripts"), ids)
            await connection.copy_records_to_table(table, schema_name=SCHEMA, columns=TABLES[table], records=rows)
        elif rows and table != "workflow_search_pending":
            await connection.executemany(upsert(table, TABLES[table]), rows)


def upsert(table: str, columns: Sequence[str]) -> str:
    """The upsert of a table whose key is its first column, with one parameter a column."""
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    news = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    return body("upsert").format(
        schema=SCHEMA, table=table, columns=", ".join(columns), places=places, key=columns[0], news=news
    )
