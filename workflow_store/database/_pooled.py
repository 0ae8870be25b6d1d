"""What the pool's connections know of themselves; only the pool asks."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg

from workflow_store.queries.transactions import ABORT

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


# Bytes; a batch has some megabytes.
_SEND_BUFFER: Final = 1024 * 1024


class PooledConnection(_Connection):
    """A connection that knows its age.

    Attributes:
        opened_at: when it was made, by the monotonic clock.
        is_idle: whether it lies in the pool.
        behind_pooler: whether it leads to the server by way of a pooler.
    """

    __slots__ = ("_idle_since", "behind_pooler", "is_idle", "opened_at")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.opened_at: float = time.monotonic()
        self._idle_since = self.opened_at
        self.is_idle: bool = True
        self.behind_pooler: bool = False
        widen(getattr(self, "_transport", None))

    def taken(self) -> float:
        """It leaves the pool; for how many seconds it lay there."""
        self.is_idle = False
        return self.idle_for()

    def idle_for(self) -> float:
        """Seconds since it came into the pool."""
        return time.monotonic() - self._idle_since

    def given_back(self) -> None:
        """It comes back to the pool."""
        self.is_idle = True
        self._idle_since = time.monotonic()

    async def _reset(self) -> None:
        """Roll back what a task that was cancelled has left open: asyncpg would tell the event loop's handler of it, as
        of a mistake.
        """
        if self.is_in_transaction() or getattr(self, "_top_xact", None) is not None:
            self._top_xact: Any = None
            await self.execute(ABORT.text)
        await super()._reset()

    def is_overdue(self, max_lifetime: float) -> bool:
        """Whether it is to be replaced when it comes back."""
        return time.monotonic() - self.opened_at > max_lifetime

    def is_fit(self, expired_at: float, max_lifetime: float) -> bool:
        """Whether it may come back as it is: nothing is open on it, and it need not be replaced."""
        return not (
            self.is_closed()
            or self.is_in_transaction()
            or self.opened_at <= expired_at
            or self.is_overdue(max_lifetime)
        )


def widen(transport: Any) -> None:
    """Give a socket on this machine room for a megabyte on its way to the server, or for what the kernel allows.

    Where COPY fills the buffer, the client is woken for each piece that the server has taken. Of TCP the kernel widens
    the buffer by itself, but not once somebody has set it.

    Args:
        transport: asyncio's, or None.
    """
    sock: socket.socket | None = None if transport is None else transport.get_extra_info("socket")
    if sock is not None and sock.family == socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)


def returned_at_once(connection: Any) -> bool:
    """Give a connection back to its pool without a turn of the event loop, where nothing has to be awaited for that.

    ``Pool.release`` makes a task of it, so that a caller who is cancelled meanwhile still gives it back: turns of the
    loop that cost a tenth of a short statement. Where nothing is awaited nobody can be cancelled. From which holder of
    the pool it comes, only attributes of asyncpg's own tell.

    Args:
        connection: sound, and outside a transaction.

    Returns:
        False where asyncpg has no such attributes, and nothing was done.

    Raises:
        InterfaceError: it was not sound, and was ended.
    """
    try:
        release = connection._holder.release
        tidy = connection._con._on_release
    except AttributeError:
        return False
    tidy()
    work = release(None)
    try:
        work.send(None)
    except StopIteration:
        return True
    # It does await something: its cancellation ends the connection, and the pool makes another one.
    with suppress(asyncio.CancelledError, StopIteration):
        work.throw(asyncio.CancelledError)
    return True
