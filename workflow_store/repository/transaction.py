"""``Transaction``: all methods, and media, on the one connection of a transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from workflow_store.database import HeldSession, Isolation, Sessions
from workflow_store.media import Media
from workflow_store.queries.parameters import Limits
from workflow_store.repository.repository import Repository


class Transaction(Repository):
    """The methods of a store inside a transaction: what they write is committed together, or not at all."""

    def __init__(self, sessions: Sessions, limits: Limits, media: Callable[[], Media]) -> None:
        super().__init__(sessions, limits)
        self._media_outside = media

    @property
    def media(self) -> Media:
        """The media files; their links are those of the transaction.

        Files are outside of it: one that was put is stored at once, and a rollback leaves it as garbage, for
        ``collect_garbage`` to find once the transaction is over.
        """
        return self._media_outside().within(self._sessions)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, timeout: float | None = None
    ) -> AsyncGenerator[Transaction]:
        """A savepoint: what is written in it can be undone without the rest."""
        async with self._begun(isolation, timeout, readonly=readonly) as session:
            yield Transaction(HeldSession(session), self._limits, self._media_outside)
