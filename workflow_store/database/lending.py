"""``Held``: a connection of a pool in somebody's hands, from taking it to giving it back."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol

from workflow_store.database.session import Connection, Session


class Lender(Protocol):
    """Whoever has connections to lend."""

    async def take(self) -> Connection: ...

    def session_on(self, connection: Connection) -> Session: ...

    async def put_back(self, connection: Connection, session: Session | None, error: BaseException | None) -> None: ...


class Held(AbstractAsyncContextManager[Session]):
    """A connection that goes back at the end. A class, not a generator: every call to the store holds one."""

    __slots__ = ("_connection", "_lender", "_session")

    def __init__(self, lender: Lender) -> None:
        self._lender = lender

    async def __aenter__(self) -> Session:
        self._connection = await self._lender.take()
        try:
            self._session = self._lender.session_on(self._connection)
        except BaseException as error:
            await self._lender.put_back(self._connection, None, error)
            raise
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._lender.put_back(self._connection, self._session, error)
