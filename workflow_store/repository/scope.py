"""``Scope``: where a group of methods gets its connections from, and what a record may hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from workflow_store.database import Isolation, Session, Sessions, deadline
from workflow_store.queries.parameters import Limits
from workflow_store.telemetry.watching import span


class Scope:
    """A pool, or the connection of a transaction, and the limits of a record."""

    def __init__(self, sessions: Sessions, limits: Limits, changed: Callable[[], object] = lambda: None) -> None:
        self._sessions = sessions
        self._limits = limits
        # Told after texts may have changed, so that the search documents are made anew.
        self._changed = changed

    @asynccontextmanager
    async def _begun(
        self, isolation: Isolation | None, timeout: float | None, *, readonly: bool
    ) -> AsyncGenerator[Session]:
        """A connection with a transaction open, for the length of a block."""
        with span("transaction"):
            async with (
                deadline(timeout),
                self._sessions.session() as session,
                session.transaction(isolation=isolation, readonly=readonly),
            ):
                yield session
