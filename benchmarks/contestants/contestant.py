"""What a contestant of the suite ``ingest`` is."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from benchmarks.given import Given

Case: TypeAlias = Literal[
    "fresh",
    "fresh_checked",
    "fresh_lines",
    "refresh",
    "unchanged",
    "unchanged_lines",
    "views",
    "tenth",
    "delete",
    "awaiters_64",
    "awaiters_512",
    "create",
    "put",
]
CONNECTIONS = 2
BATCH = 250


class Contestant(Protocol):
    """Stores workflows on ``CONNECTIONS`` connections in transactions of ``BATCH``, if its name does not say otherwise;
    ``create``, ``put`` and ``delete`` are one after the other.

    Attributes:
        name: in the tables.
        cases: what it takes part in.
        share: one that is slow is given one workflow out of so many.
    """

    name: str
    cases: frozenset[Case]
    share: int

    async def open(self, dsn: str) -> None:
        """Connect.

        Raises:
            LeftOut: what it needs is not installed.
        """
        ...

    async def prepare(self, case: Case, given: Given) -> None:
        """Make ready what is not timed."""
        ...

    async def run(self, case: Case) -> None:
        """Do what was prepared; this is timed."""
        ...

    async def empty(self) -> None:
        """Empty tables of its own; those of the store are emptied already."""
        ...

    async def close(self) -> None:
        """Give the connections up; also called where ``open`` failed."""
        ...


class LeftOut(Exception):
    """A contestant can't take part; the message says why."""
