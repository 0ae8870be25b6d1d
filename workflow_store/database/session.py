"""``Session``: one connection, speaking in typed queries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, suppress
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, TypeVarTuple

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from workflow_store import errors
from workflow_store.database.faults import translated
from workflow_store.models.json import Json
from workflow_store.queries.query import Copy, Query
from workflow_store.telemetry.watching import span, watchers

_LONG: Final = (str, bytes, Json)
SCHEMA: Final = "workflow_store"

Row = TypeVar("Row")
Values = TypeVar("Values", bound=tuple[Any, ...])
Args = TypeVarTuple("Args")

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Isolation: TypeAlias = Literal["read_committed", "repeatable_read", "serializable"]


class Session:
    """A connection while somebody holds it. All methods raise the library's own errors."""

    def __init__(self, connection: Connection, release_timeout: float = 0.5, *, behind_pooler: bool = False) -> None:
        self.connection = connection
        self.behind_pooler: bool = behind_pooler
        """Whether another program sits between it and the server, and gives the server's connections to others, too."""
        self.was_readonly: bool = False
        """Whether a transaction was opened that may not write."""
        self.has_written: bool = False
        """Whether something was sent that may be stored by now: a COMMIT, or a write outside a transaction."""
        self._release_timeout = release_timeout
        self._is_spoilt = False

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return not self.is_lost and self.connection.is_in_transaction()

    @property
    def pid(self) -> int | None:
        """The server process at the other end; None where the connection is gone."""
        try:
            return self.connection.get_server_pid()
        except asyncpg.InterfaceError:
            return None

    def holds(self, pid: int) -> bool:
        """Whether it has the connection to that server process, and that is usable."""
        return not self.is_lost and self.pid == pid

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        try:
            return self.connection.is_closed()
        except asyncpg.InterfaceError:
            # A pool takes a connection that broke away from its holder.
            return True

    def _sending(self, query: Query[Any, *tuple[Any, ...]]) -> AbstractContextManager[None]:
        if not query.writes or self.connection.is_in_transaction():
            return translated()
        self.has_written = True
        return translated(in_doubt=True, pid=self.pid)

    async def fetch(self, query: Query[Row, *Args], *args: *Args) -> list[Row]:
        """All rows."""
        with self._sending(query):
            records = await self.connection.fetch(query.text, *args)
        read = query.read
        return [read(record) for record in records]

    async def fetch_optional(self, query: Query[Row, *Args], *args: *Args) -> Row | None:
        """The first row, or None."""
        with self._sending(query):
            record = await self.connection.fetchrow(query.text, *args)
        return None if record is None else query.read(record)

    async def fetch_one(self, query: Query[Row, *Args], *args: *Args) -> Row:
        """The row of a query that always has one."""
        row = await self.fetch_optional(query, *args)
        if row is None:
            raise errors.StatementRejected(f"{query.name} returned no row")
        return row

    async def fetch_many(self, query: Query[Row, *Args], rows: Sequence[tuple[*Args]]) -> list[Row]:
        """The rows of one execution for each tuple of arguments, in order, sent in one go."""
        with self._sending(query):
            records = await self.connection.fetchmany(query.text, rows)
        read = query.read
        return [read(record) for record in records]

    async def execute(self, query: Query[None, *Args], *args: *Args) -> None:
        """Run a statement that returns nothing."""
        with self._sending(query):
            # fetch, not execute: only the former uses the cache of prepared statements.
            await self.connection.fetch(query.text, *args)

    async def execute_many(self, query: Query[None, *Args], rows: Sequence[tuple[*Args]]) -> None:
        """Run a statement for each tuple of arguments, sent in one go."""
        with self._sending(query):
            await self.connection.executemany(query.text, rows)

    async def fetch_values(self, query: Query[Row, *tuple[Any, ...]], values: Sequence[Any]) -> list[Row]:
        """All rows of a query whose many arguments come as a sequence."""
        with self._sending(query):
            records = await self.connection.fetch(query.text, *values)
        read = query.read
        return [read(record) for record in records]

    async def fetch_text(self, text: str, args: Iterable[Any], read: Callable[[Any], Row]) -> list[Row]:
        """The rows of a statement joined from fragments; ``read`` makes a row of a record."""
        with translated():
            records = await self.connection.fetch(text, *args)
        return [read(record) for record in records]

    async def fetch_planned(self, text: str, args: Iterable[Any], read: Callable[[Any], Row]) -> list[Row]:
        """As ``fetch_text``, but planned for these very values, which costs a round trip.

        For a statement it has seen five times the server may settle on one plan for all values. Where the values decide
        whether to walk an order or to collect the few that match, that plan is wrong for most of them.
        """
        with translated():
            statement = await self.connection.prepare(text)
            records = await statement.fetch(*args)
        return [read(record) for record in records]

    async def stream(
        self, text: str, args: Iterable[Any], read: Callable[[Any], Row], prefetch: int
    ) -> AsyncGenerator[list[Row], None]:
        """The rows of a statement, ``prefetch`` at a time, from a server-side cursor; inside a transaction only."""
        with translated():
            cursor = await self.connection.cursor(text, *args)
        while True:
            with translated():
                records = await cursor.fetch(prefetch)
            if records:
                yield [read(record) for record in records]
            if len(records) < prefetch:
                return

    async def copy(self, target: Copy[Values], rows: Sequence[Values]) -> None:
        """COPY rows into a table, all or none."""
        if not watchers:
            return await self._copy(target, rows)
        with span("copy", table=target.table, rows=len(rows), bytes=sum(map(_size, rows))):
            return await self._copy(target, rows)

    async def _copy(self, target: Copy[Values], rows: Sequence[Values]) -> None:
        with translated(in_doubt=not self.connection.is_in_transaction(), pid=self.pid):
            try:
                await self.connection.copy_records_to_table(
                    target.table, schema_name=SCHEMA, columns=target.columns, records=rows
                )
            except asyncpg.PostgresError:
                # PgBouncer 1.24 miscounts the server's answers after a COPY that was refused, and takes statements for
                # prepared that are not: that connection to the server must not go to anybody else.
                self._is_spoilt = self.behind_pooler
                raise

    @asynccontextmanager
    async def transaction(self, *, isolation: Isolation | None = None, readonly: bool = False) -> AsyncGenerator[None]:
        """A transaction, or a savepoint inside one; committed at the end, rolled back by an exception.

        Raises:
            CommitUnknown: the connection was lost around COMMIT.
        """
        if self.is_lost:
            raise errors.ServerUnavailable("the connection was given up before; nothing was stored by this transaction")
        nested = self.connection.is_in_transaction()
        self.was_readonly = self.was_readonly or readonly
        began = time.monotonic()
        block = self.connection.transaction(isolation=isolation, readonly=readonly)
        await self._begin(block)
        try:
            yield
        except BaseException:
            if not self.is_lost:
                if self._is_spoilt and not nested:
                    self.connection.terminate()
                else:
                    await self._roll_back(block)
            raise
        if self.is_lost:
            raise errors.ServerUnavailable("the connection was lost before COMMIT was sent; nothing was stored")
        self.has_written = self.has_written or not (nested or readonly)
        try:
            with translated(in_doubt=not nested, began=began, pid=self.pid):
                await block.commit()
        except errors.CommitUnknown:
            self._end()
            raise

    async def _begin(self, block: Any) -> None:
        with translated():
            await block.start()

    async def _roll_back(self, block: Any) -> None:
        """Undo what is open, or end the connection, which undoes it too: whoever fails does not wait for the server."""
        try:
            with translated():
                async with asyncio.timeout(self._release_timeout):
                    await block.rollback()
        except errors.StoreError:
            # The error that led here is the one to tell.
            self._end()

    def _end(self) -> None:
        with suppress(asyncpg.InterfaceError):  # it may be gone by now
            self.connection.terminate()


def _size(row: tuple[Any, ...]) -> int:
    """Bytes of the values that vary in length; the others are a few each."""
    return sum(len(value.raw) if isinstance(value, Json) else len(value) for value in row if isinstance(value, _LONG))


class Sessions(Protocol):
    """Where a session comes from: a pool, or a connection that is held already."""

    @property
    def parallel(self) -> bool:
        """Whether several can be had, and another one where one was lost."""
        ...

    def session(self) -> AbstractAsyncContextManager[Session]: ...

    def holds(self, pid: int) -> bool:
        """Whether the connection to that server process is one of these, and in use or fit for it."""
        ...


class HeldSession:
    """The one session of a transaction, offered as often as it is asked for."""

    parallel: bool = False

    def __init__(self, session: Session) -> None:
        self._session = session

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        yield self._session

    def holds(self, pid: int) -> bool:
        """Whether it is the connection of the transaction."""
        return self._session.holds(pid)
