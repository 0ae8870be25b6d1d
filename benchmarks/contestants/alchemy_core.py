"""SQLAlchemy 2, asynchronous Core on asyncpg: bulk inserts of dictionaries into the store's tables."""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from typing import Any

from benchmarks.contestants.contestant import BATCH, CONNECTIONS, Case, LeftOut
from benchmarks.contestants.rows import SCHEMA, TABLES, batches
from benchmarks.given import Given
from workflow_store import Json


class AlchemyCore:
    """``execute(insert(table), [{…}, …])`` for each table; the documents are JSON text already."""

    name = "SQLAlchemy 2 async Core"
    share = 1
    cases: frozenset[Case] = frozenset(("fresh",))

    def __init__(self) -> None:
        self._engine: Any = None
        self._inserts: dict[str, Any] = {}
        self._batches: list[dict[str, list[dict[str, Any]]]] = []

    async def open(self, dsn: str) -> None:
        try:
            import sqlalchemy
            from sqlalchemy.ext.asyncio import create_async_engine
        except ImportError as error:
            raise LeftOut(f"{error.name} is not installed; `make bench` installs it") from None
        self._engine = create_async_engine(
            url(dsn, "postgresql+asyncpg"), pool_size=CONNECTIONS, max_overflow=0, json_serializer=_as_it_is
        )
        tables = sqlalchemy.MetaData(schema=SCHEMA)
        with warnings.catch_warnings():
            # A type that it does not know is that of a column with a default, which nobody sends.
            warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)
            async with self._engine.connect() as connection:
                await connection.run_sync(lambda opened: tables.reflect(opened, only=list(TABLES)))
        self._inserts = {table: tables.tables[f"{SCHEMA}.{table}"].insert() for table in TABLES}

    async def prepare(self, case: Case, given: Given) -> None:
        self._batches = [
            {table: [_row(TABLES[table], row) for row in rows] for table, rows in batch.items()}
            for batch in batches(given.records, BATCH)
        ]

    async def run(self, case: Case) -> None:
        waiting = deque(self._batches)

        async def work() -> None:
            while waiting:
                batch = waiting.popleft()
                async with self._engine.begin() as connection:
                    for table, rows in batch.items():
                        if rows:
                            await connection.execute(self._inserts[table], rows)

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))

    async def empty(self) -> None:
        self._batches = []

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.dispose()


def url(dsn: str, driver: str) -> Any:
    """The address as SQLAlchemy wants it; a socket's folder is an argument there."""
    from psycopg.conninfo import conninfo_to_dict
    from sqlalchemy import URL

    parts: dict[str, Any] = dict(conninfo_to_dict(dsn))
    host = parts.get("host")
    is_socket = isinstance(host, str) and host.startswith("/")
    return URL.create(
        driver,
        username=parts.get("user"),
        password=parts.get("password"),
        host=None if is_socket else host,
        port=None if is_socket else int(parts.get("port") or 5432),
        database=parts.get("dbname"),
        query={"host": host, "port": str(parts.get("port") or 5432)} if is_socket else {},
    )


def _row(columns: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Json) else value for name, value in zip(columns, row, strict=True)}


def _as_it_is(document: str) -> str:
    return document
