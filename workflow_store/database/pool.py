"""``Database``: the pool of connections, and who holds one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import asyncpg

from workflow_store import errors
from workflow_store.database.connections import MaskedDsn, address, connect
from workflow_store.database.faults import translated
from workflow_store.database.session import Connection, Session
from workflow_store.queries.catalogue import GET_WORKFLOW
from workflow_store.settings import Settings

_log = logging.getLogger("workflow_store.database")

_PREPARED_WITHIN: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """The pool at one moment; counts are connections.

    Attributes:
        pool_size: the fewest it keeps open once they were needed.
        checked_in: open and idle.
        checked_out: in somebody's hands.
        overflow: open beyond ``pool_size``.
        total_connections: open in all.
        waiting: tasks that wait for one.
    """

    pool_size: int
    checked_in: int
    checked_out: int
    overflow: int
    total_connections: int
    waiting: int


class Database:
    """A pool of connections to one server; ``open`` makes one, ``close`` ends it."""

    parallel: bool = True

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], settings: Settings, dsn: str) -> None:
        self._pool = pool
        self._settings = settings
        self._address = address(dsn)
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._waiting = 0

    @classmethod
    async def open(cls, dsn: str, settings: Settings) -> Database:
        """Connect ``pool_min_size`` times.

        Raises:
            ServerUnavailable: nothing answers there within ``connect_timeout``.
        """
        dsn = MaskedDsn(dsn)
        opened: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

        async def opening(*_args: object, **_options: object) -> asyncpg.Connection[asyncpg.Record]:
            connection = await connect(dsn, settings)
            await _prepare(connection)
            opened[connection] = time.monotonic()
            return connection

        async def released(connection: Any) -> None:
            # Nothing the store sends is bound to the session, so there is nothing to reset and no round trip to pay;
            # asyncpg has rolled back what was open.
            if time.monotonic() - opened.get(connection, 0.0) > settings.max_lifetime:
                await connection.close(timeout=settings.close_timeout)

        pool = asyncpg.create_pool(
            min_size=min(settings.pool_min_size, settings.pool_max_size),
            max_size=settings.pool_max_size,
            max_queries=2**62,
            max_inactive_connection_lifetime=settings.max_idle,
            connect=opening,
            reset=released,
        )
        await pool
        return cls(pool, settings, dsn)

    @property
    def address(self) -> str:
        """Host, port and database, without a secret."""
        return self._address

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[Session]:
        """Hold a connection; it goes back at the end.

        Raises:
            PoolTimeout: none became free within ``acquire_timeout``.
            ServerUnavailable: a new one was needed and nothing answers.
            StoreClosed: the pool is closed, or belongs to another event loop.
        """
        if self._closed:
            raise errors.StoreClosed("the store is closed")
        if asyncio.get_running_loop() is not self._loop:
            raise errors.StoreClosed("the store was opened in another event loop")
        connection = await self._acquire()
        try:
            yield self._session(connection)
        finally:
            await self._release(connection)

    async def _acquire(self) -> Connection:
        self._waiting += 1
        try:
            # The pool's own timeout would make a task of it, before Python 3.12.
            async with asyncio.timeout(self._settings.acquire_timeout):
                return await self._pool.acquire()
        except TimeoutError:
            raise errors.PoolTimeout(self._exhausted()) from None
        finally:
            self._waiting -= 1

    def _session(self, connection: Connection) -> Session:
        return Session(connection)

    async def _release(self, connection: Any) -> None:
        # Shielded by asyncpg: a task cancelled here still gives its connection back.
        try:
            with translated():
                await self._pool.release(connection, timeout=self._settings.close_timeout)
        except errors.StoreError as error:
            # The work is done or has failed with its own error; a connection that can't go back was ended instead.
            _log.warning("a connection was dropped instead of going back to the pool: %s", error)

    def _exhausted(self) -> str:
        now = self.statistics()
        return (
            f"no connection became free within {self._settings.acquire_timeout:g} s: {now.total_connections} open of "
            f"at most {self._settings.pool_max_size}, {now.checked_in} idle, {now.waiting - 1} others waiting"
        )

    def statistics(self) -> PoolStatistics:
        """The pool's counts; nothing is sent."""
        total, idle = self._pool.get_size(), self._pool.get_idle_size()
        size = self._pool.get_min_size()
        return PoolStatistics(
            pool_size=size,
            checked_in=idle,
            checked_out=total - idle,
            overflow=max(0, total - size),
            total_connections=total,
            waiting=max(0, self._waiting),
        )

    async def close(self) -> None:
        """Close all connections: politely within ``close_timeout``, then at once. May be called again."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(self._settings.close_timeout):
                await self._pool.close()
        except TimeoutError:
            _log.warning("connections to %s did not close in time and were ended", self._address)
            self._pool.terminate()


async def _prepare(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Ask for a workflow that is none: the first time, a connection learns the types of the answer at many times the
    price of the answer, which the first caller would wait for.
    """
    try:
        # Nothing is lost where there is no schema yet, or where a migration holds a lock.
        with suppress(asyncpg.PostgresError, TimeoutError):
            await connection.fetch(GET_WORKFLOW.text, "", True, True, True, True, timeout=_PREPARED_WITHIN)
    except BaseException:
        connection.terminate()
        raise
