"""The server that is measured, and a database of its own for each suite."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psycopg
from psycopg import sql

from benchmarks.statements import body
from workflow_store import schema
from workflow_store.embedded import EmbeddedServer
from workflow_store.resources import statement

DSN_VARIABLE: Final = "WORKFLOW_STORE_BENCH_DSN"
# Durability is that of production: only the cache is set, to what a small server would have.
OPTIONS: Final[Mapping[str, str]] = {"shared_buffers": "256MB"}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        kind: ``"given"`` or ``"embedded"``.
        dsn: URI of a database from which others can be created.
    """

    kind: str
    dsn: str

    def dsn_of(self, database: str) -> str:
        """The URI of another database on this server."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))

    def has(self, database: str) -> bool:
        """Whether there is such a database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            query: Any = body("database_exists").replace("$1", "%s")
            row = connection.execute(query, (database,)).fetchone()
        return bool(row and row[0])

    def create(self, database: str) -> None:
        """Create an empty database."""
        self._run("testing/create_database", database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run("testing/drop_database", database)

    def _run(self, name: str, database: str) -> None:
        query: Any = statement(name)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(query).format(name=sql.Identifier(database)))


@contextmanager
def running_server(data_dir: Path | None = None) -> Iterator[Server]:
    """The server of ``WORKFLOW_STORE_BENCH_DSN``, else an embedded one.

    Args:
        data_dir: the embedded server's data folder, which is kept; without one, a folder that is removed at the end.
    """
    given = os.environ.get(DSN_VARIABLE)
    if given:
        yield Server("given", given)
        return
    if data_dir is not None:
        with EmbeddedServer.start(data_dir, options=OPTIONS) as server:
            yield Server("embedded", server.dsn)
        return
    # Not made here: the server makes it, as the account it runs as.
    folder = Path(tempfile.gettempdir()) / f"workflow-store-bench-{secrets.token_hex(6)}"
    try:
        with EmbeddedServer.start(folder, options=OPTIONS) as server:
            yield Server("embedded", server.dsn)
    finally:
        for leftover in folder.parent.glob(f"{folder.name}*"):
            shutil.rmtree(leftover, ignore_errors=True)


@asynccontextmanager
async def migrated_database(server: Server, name: str, *, keep: bool = False) -> AsyncIterator[str]:
    """The URI of a database with the schema.

    Args:
        keep: take it as it is if it is there, and leave it behind; else it is made anew and dropped at the end.
    """
    if not (keep and server.has(name)):
        server.drop(name)
        server.create(name)
    try:
        await schema.migrate(server.dsn_of(name))
        yield server.dsn_of(name)
    finally:
        if not keep:
            server.drop(name)


async def connect(dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection for what surrounds a measurement."""
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(dsn)
    return connection
