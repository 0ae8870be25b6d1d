"""``Gate``: how a pool connects to a server that may be away, without a storm when it comes back."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from workflow_store.database.faults import fields
from workflow_store.errors import ServerError

_log = logging.getLogger("workflow_store.database")

# Connections that are made at the same time: each is a process the server forks.
_AT_ONCE: Final = 4
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0

Opened = TypeVar("Opened")


class Gate(Generic[Opened]):
    """Makes connections, a few at once; after a failure one at a time, with a pause before it.

    However many tasks wait for a server that is away, it is asked once in a pause, which doubles up to a second and is
    drawn at random around that. All who waited share the answer: each fails with it, or connects.
    """

    def __init__(self, connect: Callable[[], Awaitable[Opened]]) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._probing = asyncio.Lock()
        self._failure: ServerError | None = None
        self._failures = 0
        self._pause = 0.0
        self._not_before = 0.0

    async def open(self) -> Opened:
        """A connection.

        Raises:
            ServerError: why there is none.
        """
        seen = self._failures
        async with self._slots:
            # It may have gone away while this one waited for its turn.
            if self._failure is None:
                return await self._try()
        return await self._probe(seen)

    async def _probe(self, seen: int) -> Opened:
        async with self._probing:
            if self._failure is not None:
                if self._failures > seen:
                    # Tried by another since this one began to wait.
                    raise type(self._failure)(str(self._failure), self._failure.sqlstate)
                await asyncio.sleep(max(0.0, self._not_before - asyncio.get_running_loop().time()))
                return await self._try()
        return await self.open()

    async def _try(self) -> Opened:
        try:
            connection = await self._connect()
        except ServerError as error:
            self._failed(error)
            raise
        if self._failure is not None:
            _log.info(
                "the server answers again after %d attempts",
                self._failures,
                extra={"event": "server_back", "attempts": self._failures},
            )
        self._failure, self._failures, self._pause = None, 0, 0.0
        return connection

    def _failed(self, error: ServerError) -> None:
        self._failure = error
        self._failures += 1
        self._pause = min(_LONGEST_PAUSE, 2 * self._pause or _FIRST_PAUSE)
        self._not_before = asyncio.get_running_loop().time() + self._pause * (0.5 + random.random())
        if self._failures == 1:
            _log.warning("no connection: %s", error, extra={"event": "server_away", **fields(error)})
