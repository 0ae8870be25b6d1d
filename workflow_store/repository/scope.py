"""``Scope``: where a group of methods gets its connections from, and what a record may hold."""

from __future__ import annotations

from workflow_store.database import Sessions
from workflow_store.queries.parameters import Limits


class Scope:
    """A pool, or the connection of a transaction, and the limits of a record."""

    def __init__(self, sessions: Sessions, limits: Limits) -> None:
        self._sessions = sessions
        self._limits = limits
