"""What a contestant of the suite ``ingest`` is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from workflow_store import Workflow

Case: TypeAlias = Literal["fresh", "unchanged", "views", "tenth", "single", "awaiters"]
CONNECTIONS = 2
BATCH = 250


class Contestant(Protocol):
    """Stores workflows on ``CONNECTIONS`` connections in transactions of ``BATCH``; ``single`` is one after the other
    on one connection."""

    name: str
    cases: frozenset[Case]

    async def open(self, dsn: str) -> None:
        """Connect."""
        ...

    def prepare(self, case: Case, workflows: Sequence[Workflow]) -> None:
        """Make ready what is not timed."""
        ...

    async def run(self, case: Case) -> None:
        """Store what was prepared; this is timed."""
        ...

    async def close(self) -> None:
        """Give the connections up."""
        ...
