"""Methods that count everything."""

from __future__ import annotations

from workflow_store.models.report import Statistics
from workflow_store.queries import catalogue
from workflow_store.repository.scope import Scope


class StatisticsMethods(Scope):
    """Counts, rates and averages."""

    async def get_statistics(self) -> Statistics:
        """Counts, rates and averages over all workflows, in one statement."""
        async with self._sessions.session() as session:
            return Statistics(*await session.fetch_one(catalogue.STATISTICS))
