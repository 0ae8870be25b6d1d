"""What the pool's connections know of themselves; only the pool asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

if TYPE_CHECKING:
    _Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection


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

    def taken(self) -> float:
        """It leaves the pool; for how many seconds it lay there."""
        self.is_idle = False
        return time.monotonic() - self._idle_since

    def given_back(self) -> float:
        """It comes back to the pool; how many seconds old it is."""
        self.is_idle = True
        self._idle_since = time.monotonic()
        return self._idle_since - self.opened_at
