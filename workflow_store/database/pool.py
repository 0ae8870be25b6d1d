"""``Database``: the pool of connections, and who holds one."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Any, Final, cast
from weakref import WeakSet, ref

import asyncpg

from workflow_store import errors
from workflow_store.database._pooled import PooledConnection, returned_at_once
from workflow_store.database.begun import Begun
from workflow_store.database.connections import MaskedDsn, address, connect
from workflow_store.database.faults import (
    cancelled_in_doubt,
    cancelled_waiting,
    fields,
    has_failed_over,
    translate,
    translated,
)
from workflow_store.database.gate import Gate
from workflow_store.database.holders import Holders
from workflow_store.database.lending import Held
from workflow_store.database.session import Connection, Session
from workflow_store.queries.catalogue import BACKEND_PID, GET_WORKFLOW, PING
from workflow_store.settings import Settings
from workflow_store.telemetry.watching import add_pool, remove_pool

_log = logging.getLogger("workflow_store.database")

# Seconds.
_PREPARED_WITHIN: Final = 1.0
_CHECKED_AFTER: Final = 0.5
_ANSWERS_WITHIN: Final = 1.0
_WAIT_PAUSE: Final = 0.25


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
        longest_held: seconds for which the one that was taken first has been out.
    """

    pool_size: int
    checked_in: int
    checked_out: int
    overflow: int
    total_connections: int
    waiting: int
    longest_held: float = 0.0


class Database:
    """A pool of connections to one server; ``open`` makes one, ``close`` ends it.

    First come, first served. A connection that was idle for more than half a second is asked for a sign of life before
    it is given out; one that is older than ``max_lifetime`` is replaced when it comes back.
    """

    parallel: bool = True

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], settings: Settings, dsn: str) -> None:
        self._pool = pool
        self._connections = WeakSet[PooledConnection]()
        self._settings = settings
        self._address = address(dsn)
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._closed = False
        self._waiting = 0
        self._expired_at = 0.0
        self._holders = Holders(settings.leak_report_after)
        self._idling: asyncio.TimerHandle | None = None
        add_pool(self)

    @classmethod
    async def open(cls, dsn: str, settings: Settings, *, wait: float | None = None) -> Database:
        """Connect ``pool_min_size`` times.

        Args:
            wait: for how many seconds to try again while nothing answers, or the server is starting; None asks once.

        Raises:
            ServerUnavailable: nothing answers there within ``connect_timeout``, or ``wait``.
        """
        ends = None if wait is None else time.monotonic() + wait
        while True:
            try:
                return await cls._open(dsn, settings)
            except (errors.ServerUnavailable, errors.ResourceError):
                if ends is None or time.monotonic() + _WAIT_PAUSE > ends:
                    raise
            await asyncio.sleep(_WAIT_PAUSE)

    @classmethod
    async def _open(cls, dsn: str, settings: Settings) -> Database:
        dsn = MaskedDsn(dsn)
        connections = WeakSet[PooledConnection]()

        async def make() -> PooledConnection:
            connection = cast("PooledConnection", await connect(dsn, settings))
            await _prepare(connection)
            connections.add(connection)
            return connection

        gate = Gate(make)

        async def opening(*_args: object, **_options: object) -> PooledConnection:
            return await gate.open()

        async def released(connection: Any) -> None:
            # Nothing the store sends is bound to the session, so there is nothing to reset and no round trip to pay;
            # asyncpg has rolled back what was open.
            connection.given_back()
            if connection.is_overdue(settings.max_lifetime):
                await connection.close(timeout=settings.release_timeout)

        pool = asyncpg.create_pool(
            min_size=min(settings.pool_min_size, settings.pool_max_size),
            max_size=settings.pool_max_size,
            max_queries=2**62,
            # Its own way is a timer for each release, and goes below the minimum.
            max_inactive_connection_lifetime=0,
            connect=opening,
            connection_class=PooledConnection,
            reset=released,
        )
        try:
            await pool
        except BaseException:
            # Some may have been made before the one that failed.
            pool.terminate()
            raise
        database = cls(pool, settings, dsn)
        database._connections = connections
        database.close_idle()
        return database

    @property
    def address(self) -> str:
        """Host, port and database, without a secret."""
        return self._address

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Hold a connection; it goes back at the end.

        Raises:
            PoolTimeout: none became free within ``acquire_timeout``.
            ServerUnavailable: a new one was needed and nothing answers.
            StoreClosed: the pool is closed, or belongs to another event loop or process.
        """
        return Held(self)

    async def take(self) -> Connection:
        """A connection, which ``put_back`` gives back; ``session`` does both."""
        self._check_usable()
        connection = await self._acquire()
        self._holders.took(connection)
        return connection

    async def put_back(self, connection: Connection, session: Session | None, error: BaseException | None) -> None:
        """Give back what ``take`` gave.

        Args:
            session: what was done with it; None where that never began.
            error: how that has ended.
        """
        try:
            was_readonly = session is not None and session.was_readonly
            if isinstance(error, errors.ServerError) and has_failed_over(error) and not was_readonly:
                # The others lead to the same server: each is replaced before it is used again.
                await self._replace_all()
        finally:
            self._holders.gave_back(connection)
            try:
                await self._release(connection, is_sound=error is None)
            except asyncio.CancelledError:
                if session is not None and session.has_written:
                    # The answer is here, but whoever has cancelled this will not get it.
                    raise cancelled_in_doubt() from None
                raise

    def session_on(self, connection: Connection) -> Session:
        """A session on a connection that was taken."""
        pooled = cast("PooledConnection", connection).behind_pooler
        return Session(connection, self._settings.release_timeout, behind_pooler=pooled)

    def holds(self, pid: int) -> bool:
        """Whether the connection to that server process is one of the pool's."""
        return any(not one.is_closed() and one.get_server_pid() == pid for one in self._connections)

    def _check_usable(self) -> None:
        if self._closed:
            raise errors.StoreClosed("the store is closed")
        if asyncio.get_running_loop() is not self._loop:
            raise errors.StoreClosed("the store was opened in another event loop")
        if os.getpid() != self._process:
            raise errors.StoreClosed("the store was opened before this process was forked; open another one here")

    async def _acquire(self) -> Connection:
        self._waiting += 1
        try:
            with translated():
                begun = Begun(self._pool.acquire())
            if begun.is_done and self._is_fresh(begun.result):
                return begun.result
            coming: Awaitable[Connection] = begun
            # The pool's own timeout would make a task of it, before Python 3.12.
            async with asyncio.timeout(self._settings.acquire_timeout):
                while True:
                    with translated():
                        connection = await coming
                    if self._is_fresh(connection) or await self._is_alive(connection):
                        return connection
                    coming = self._pool.acquire()
        except TimeoutError:
            within = self._settings.acquire_timeout
            raise errors.PoolTimeout(f"no connection became free within {within:g} s: {self._numbers()}") from None
        except asyncio.CancelledError:
            raise cancelled_waiting(self._numbers()) from None
        finally:
            self._waiting -= 1

    def _is_fresh(self, connection: Connection) -> bool:
        """Whether it was used a moment ago, and need not be asked for a sign of life."""
        return cast("PooledConnection", connection).taken() <= _CHECKED_AFTER

    async def _is_alive(self, connection: Connection) -> bool:
        try:
            await connection.fetch(PING.text, timeout=_ANSWERS_WITHIN)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # of which a TimeoutError is one
            _log.info("an idle connection was lost and is replaced", extra={"event": "connection_replaced"})
        except BaseException:
            await self._drop(connection)
            raise
        else:
            return True
        await self._drop(connection)
        # What happened to this one has most likely happened to all that were idle.
        await self._replace_all()
        return False

    def close_idle(self) -> None:
        """Close what has been idle for longer than ``max_idle``, down to ``pool_min_size``; now and then again."""
        spare = self._pool.get_size() - self._pool.get_min_size()
        idle = [one for one in self._connections if one.is_idle and not one.is_closed()]
        for connection in sorted(idle, key=PooledConnection.idle_for, reverse=True)[: max(0, spare)]:
            if connection.idle_for() > self._settings.max_idle:
                connection.terminate()
        # By a weak reference: a store that was forgotten is not kept alive by it.
        database = ref(self)
        self._idling = self._loop.call_later(self._settings.max_idle / 2, lambda: _close_idle(database()))

    async def _drop(self, connection: Connection) -> None:
        with suppress(asyncpg.InterfaceError):  # the pool takes one that was lost by itself
            connection.terminate()
        await self._release(connection)

    async def _replace_all(self) -> None:
        """Have every connection replaced: an idle one now, without waiting for the server's good-bye, others later."""
        for connection in list(self._connections):
            if connection.is_idle and not connection.is_closed():
                connection.terminate()
        self._expired_at = time.monotonic()
        await self._pool.expire_connections()

    async def _release(self, connection: Any, *, is_sound: bool = False) -> None:
        """Give a connection back.

        Args:
            is_sound: all that was sent on it has been answered.
        """
        if is_sound and self._is_fit(connection):
            try:
                if returned_at_once(connection):
                    return
            except Exception as error:
                self._dropped(error)
                return
        # A task cancelled here still gives its connection back. asyncpg has a shield of its own, but nobody hears what
        # becomes of the release behind it once the caller has gone.
        await asyncio.shield(self._give_back(connection))

    def _is_fit(self, connection: Any) -> bool:
        """Whether it goes back as it is, so that there is nothing to wait for.

        Not where others wait for one: whoever gives it back would take it again before they have a turn.
        """
        # A proxy whose connection was lost has nothing of it any more.
        is_fit = getattr(connection, "is_fit", None)
        return is_fit is not None and not self._waiting and is_fit(self._expired_at, self._settings.max_lifetime)

    async def _give_back(self, connection: Any) -> None:
        try:
            # What does not answer within the timeout is terminated.
            await self._pool.release(connection, timeout=self._settings.release_timeout)
        except Exception as error:
            self._dropped(error)

    def _dropped(self, error: Exception) -> None:
        """The work is done or has failed with its own error; a connection that can't go back was ended instead."""
        known = translate(error)
        if known is None:
            raise error
        _log.warning(
            "a connection was dropped instead of going back to the pool: %s",
            known,
            extra={"event": "connection_dropped", **fields(known)},
        )

    def _numbers(self) -> str:
        now = self.statistics()
        held = f", the longest held for {now.longest_held:.1f} s" if now.checked_out else ""
        return (
            f"{now.total_connections} open of at most {self._pool.get_max_size()}, {now.checked_in} idle{held}, "
            f"{now.waiting - 1} others waiting"
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
            longest_held=self._holders.longest(),
        )

    async def close(self) -> None:
        """Close all connections: politely within ``close_timeout``, then at once. May be called again."""
        if self._closed:
            return
        self._closed = True
        if self._idling is not None:
            self._idling.cancel()
        remove_pool(self)
        try:
            async with asyncio.timeout(self._settings.close_timeout):
                await self._pool.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:  # of which a TimeoutError is one
            _log.warning(
                "connections to %s did not close properly and were ended: %s",
                self._address,
                "no answer in time" if isinstance(error, TimeoutError) else error,
                extra={"event": "close_failed", "address": self._address},
            )
            self._pool.terminate()


def _close_idle(database: Database | None) -> None:
    if database is not None:
        database.close_idle()


async def _prepare(connection: PooledConnection) -> None:
    """Ask for a workflow that is none: the first time, a connection learns the types of the answer at many times the
    price of the answer, which the first caller would wait for.
    """
    try:
        # Nothing is lost where there is no schema yet, or where a migration holds a lock.
        with suppress(asyncpg.PostgresError, TimeoutError):
            # A pooler makes up numbers of processes for its clients.
            pid = await connection.fetchval(BACKEND_PID.text, timeout=_PREPARED_WITHIN)
            connection.behind_pooler = pid != connection.get_server_pid()
            await connection.fetch(GET_WORKFLOW.text, "", True, True, True, True, timeout=_PREPARED_WITHIN)
    except BaseException:
        connection.terminate()
        raise
    if connection.is_closed():
        raise errors.ServerUnavailable("a new connection was lost at once")
