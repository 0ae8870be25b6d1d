"""``Repository``: all methods on workflows, on a pool or inside a transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from workflow_store.database import HeldSession, Isolation
from workflow_store.repository.collections import CollectionMethods
from workflow_store.repository.listings import ListingMethods
from workflow_store.repository.quarantine import Quarantine
from workflow_store.repository.scrapes import ScrapeMethods
from workflow_store.repository.search import SearchMethods
from workflow_store.repository.statistics import StatisticsMethods
from workflow_store.repository.updates import UpdateMethods
from workflow_store.repository.workflows import WorkflowMethods


class Repository(
    WorkflowMethods, UpdateMethods, CollectionMethods, ListingMethods, SearchMethods, ScrapeMethods, StatisticsMethods
):
    """Reads and writes workflows. Every method raises the library's own errors, see ``workflow_store.errors``.

    Every method takes ``timeout``, in seconds, and has ended a second after it whatever server and network do: with
    ``CommandTimeout``, and nothing stored; with ``PoolTimeout``, if no connection became free; or with
    ``CommitUnknown``, if the answer to a write had not come, which ``resolve`` finds out about.
    """

    @property
    def quarantine(self) -> Quarantine:
        """The records that could not be stored."""
        return Quarantine(self._sessions, self._limits, self._changed)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation | None = None, readonly: bool = False, timeout: float | None = None
    ) -> AsyncGenerator[Repository]:
        """The same methods on one connection, committed together at the end; inside another one, a savepoint.

        Args:
            timeout: seconds for the whole block.

        Raises:
            CommitUnknown: the connection was lost around COMMIT.
        """
        async with self._begun(isolation, timeout, readonly=readonly) as session:
            yield Repository(HeldSession(session), self._limits)
        self._changed()
