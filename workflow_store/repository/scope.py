"""``Scope``: where a group of methods gets its connections from, and what a record may hold."""

from __future__ import annotations

from collections.abc import Callable

from workflow_store.database import Sessions
from workflow_store.queries.parameters import Limits


class Scope:
    """A pool, or the connection of a transaction, and the limits of a record."""

    def __init__(self, sessions: Sessions, limits: Limits, changed: Callable[[], object] = lambda: None) -> None:
        self._sessions = sessions
        self._limits = limits
        # Told after texts may have changed, so that the search documents are made anew.
        self._changed = changed
