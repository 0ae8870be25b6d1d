"""A caller's own pool or connection: used as it is, given back as it was, never closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from workflow_store.database.codecs import OurJsonb, require_codecs
from workflow_store.database.faults import translated
from workflow_store.database.pool import Database, PoolStatistics
from workflow_store.database.session import Connection, Session
from workflow_store.errors import CommandTimeout, ConnectionUnusable, MisuseError, StatementRejected, StoreClosed
from workflow_store.queries.transactions import RELEASE_SAVEPOINT, ROLLBACK_TO_SAVEPOINT, SAVEPOINT
from workflow_store.settings import Settings

Borrowable: TypeAlias = "asyncpg.Pool[Any] | asyncpg.Connection[Any] | PoolConnectionProxy[Any]"


class _OwnRecord(asyncpg.Record):
    """The rows of our statements, whatever record class the connection has.

    asyncpg keeps prepared statements by text and record class: a caller's statement with the very text of one of ours
    is another one, with the caller's codecs.
    """


class BorrowedConnection:
    """What a ``Session`` needs of a connection, with our codec for ``jsonb`` while a statement is sent.

    What the caller sends between two of our statements meets the caller's codecs.
    """

    def __init__(self, connection: Connection) -> None:
        require_codecs(connection)
        # The stubs don't know fetchmany's record_class, nor that a statement may have an empty name.
        self._connection: Any = connection

    async def fetch(self, text: str, *args: Any) -> list[asyncpg.Record]:
        with OurJsonb(self._connection):
            records: list[asyncpg.Record] = await self._connection.fetch(text, *args, record_class=_OwnRecord)
        return records

    async def fetchrow(self, text: str, *args: Any) -> asyncpg.Record | None:
        with OurJsonb(self._connection):
            record: asyncpg.Record | None = await self._connection.fetchrow(text, *args, record_class=_OwnRecord)
        return record

    async def fetchmany(self, text: str, rows: Sequence[tuple[Any, ...]]) -> list[asyncpg.Record]:
        with OurJsonb(self._connection):
            records: list[asyncpg.Record] = await self._connection.fetchmany(text, rows, record_class=_OwnRecord)
        return records

    async def executemany(self, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
        # asyncpg's own executemany takes no record class.
        await self.fetchmany(text, rows)

    async def prepare(self, text: str) -> Any:
        # Without a name: a pooler between us and the server may not know named ones.
        with OurJsonb(self._connection):
            return await self._connection.prepare(text, name="", record_class=_OwnRecord)

    async def cursor(self, text: str, *args: Any) -> Any:
        with OurJsonb(self._connection):
            return await self._connection.cursor(text, *args, record_class=_OwnRecord)

    async def copy_records_to_table(self, table: str, **options: Any) -> None:
        with OurJsonb(self._connection):
            await self._connection.copy_records_to_table(table, **options)

    def transaction(self, *, isolation: str | None, readonly: bool) -> Any:
        """A transaction; inside one, however it was opened, a savepoint.

        Raises:
            MisuseError: a savepoint has the isolation of its transaction; none can be asked for.
        """
        if not self._connection.is_in_transaction():
            return self._connection.transaction(isolation=isolation, readonly=readonly)
        if isolation is not None or readonly:
            raise MisuseError("the connection has a transaction open already, with an isolation of its own")
        return _Savepoint(self._connection)

    def is_in_transaction(self) -> bool:
        return bool(self._connection.is_in_transaction())

    def is_closed(self) -> bool:
        return bool(self._connection.is_closed())

    def get_server_pid(self) -> int:
        return int(self._connection.get_server_pid())

    def terminate(self) -> None:
        self._connection.terminate()


class _Savepoint:
    """asyncpg's own refuses a transaction that was opened by a statement."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def start(self) -> None:
        await self._connection.execute(SAVEPOINT.text)

    async def commit(self) -> None:
        await self._connection.execute(RELEASE_SAVEPOINT.text)

    async def rollback(self) -> None:
        await self._connection.execute(ROLLBACK_TO_SAVEPOINT.text)
        await self._connection.execute(RELEASE_SAVEPOINT.text)


def borrowed_session(connection: Connection) -> Session:
    """A session on somebody else's connection.

    Raises:
        ConnectionUnusable: it is no asyncpg connection, or its codecs can't be put back.
    """
    return _BorrowedSession(cast("Connection", BorrowedConnection(connection)))


class _BorrowedSession(Session):
    """Ends a connection of which nobody knows whether what was begun on it is still open: nobody resets a caller's, and
    what they send next would be lost with it, or committed with what was not finished.
    """

    async def _begin(self, block: Any) -> None:
        nested = self.in_transaction
        try:
            await super()._begin(block)
        except (asyncio.CancelledError, CommandTimeout):
            if not nested:
                self._end()
            raise

    async def _roll_back(self, block: Any) -> None:
        try:
            await super()._roll_back(block)
        except asyncio.CancelledError:
            self._end()
            raise


class BorrowedPool(Database):
    """A caller's pool, which is left open."""

    def __init__(self, pool: asyncpg.Pool[Any], settings: Settings) -> None:
        _require_this_loop(pool, "pool")
        super().__init__(pool, settings, "")

    @property
    def address(self) -> str:
        """Only the caller knows where the pool leads to."""
        return "the caller's pool"

    async def _acquire(self) -> Connection:
        if self._pool.is_closing():
            raise ConnectionUnusable("the pool is closed")
        with translated():
            try:
                return await super()._acquire()
            except (asyncpg.InterfaceError, StatementRejected) as error:
                # It was never initialised, or was closed meanwhile.
                raise ConnectionUnusable(str(error)) from error

    def _is_fresh(self, connection: Connection) -> bool:
        # Theirs to say; it need not be of a class that knows.
        return True

    def _is_fit(self, connection: Connection) -> bool:
        # What their pool does with one that comes back is theirs to say, and may take its time.
        return False

    async def _replace_all(self) -> None:
        """Other parts of the program use them too."""

    def holds(self, pid: int) -> bool:
        """Nobody says which connections a caller's pool has: one that is still there may be given up."""
        return False

    def session_on(self, connection: Connection) -> Session:
        """A session that leaves the connection as it was."""
        return borrowed_session(connection)

    async def close(self) -> None:
        """Take no more connections; the pool is the caller's to close."""
        self._closed = True


class BorrowedOne:
    """A caller's single connection; one thing is done on it at a time."""

    parallel: bool = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session = borrowed_session(connection)
        self._closed = False

    @property
    def address(self) -> str:
        """Only the caller knows where the connection leads to."""
        return "the caller's connection"

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """The connection, as often as it is asked for.

        Raises:
            ConnectionUnusable: it is closed, went back to its pool, or belongs to another event loop.
            StoreClosed: the store is closed.
        """
        if self._closed:
            raise StoreClosed("the store is closed")
        _require_this_loop(self._connection, "connection")
        if self._session.is_lost:
            raise ConnectionUnusable("the connection is closed, or went back to its pool")
        yield self._session

    def holds(self, pid: int) -> bool:
        """Whether it is that connection, and usable."""
        return self._session.holds(pid)

    def statistics(self) -> PoolStatistics:
        """One connection, in the caller's hands."""
        return PoolStatistics(1, 0, 1, 0, 1, 0)

    async def close(self) -> None:
        """Use it no more; it is the caller's to close."""
        self._closed = True


def borrowed(source: Borrowable, settings: Settings) -> BorrowedPool | BorrowedOne:
    """A pool or connection of the caller's.

    Raises:
        ConnectionUnusable: it is neither, or it can't be used as it is.
    """
    if isinstance(source, asyncpg.Pool):
        return BorrowedPool(source, settings)
    return BorrowedOne(source)


def _require_this_loop(source: object, kind: str) -> None:
    # asyncpg says it nowhere else, and would wait for ever or fail in words about futures.
    loop = getattr(source, "_loop", None)
    if loop is not None and loop is not asyncio.get_running_loop():
        raise ConnectionUnusable(f"the {kind} belongs to another event loop")
