"""The refresh of search documents, outside the transactions that store workflows."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from workflow_store.database import Session, Sessions
from workflow_store.database.faults import is_race, is_record_fault
from workflow_store.errors import ConcurrencyConflict, ServerError, StoreError
from workflow_store.queries import search

_log = logging.getLogger("workflow_store.search")

BATCH: Final = 200
# Writers that come one by one are gathered for so long (seconds) before a refresh begins.
_GATHER: Final = 0.05
_POLL: Final = 0.1
# How often a pass may be disturbed without getting anything done before the rest is left to the next refresh.
_RACES: Final = 300


class SearchIndexer:
    """Makes the documents of what is marked, one indexer at a time on a database, whoever asks."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def wake(self) -> None:
        """Refresh in the background, soon; called again meanwhile, once more after that."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._in_background())
        else:
            self._again = True

    async def close(self) -> None:
        """End the background task; what is still marked waits for the next refresh."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> int:
        """Refresh until nothing waits; the number of documents made here.

        A workflow whose document the server refuses is named in the log and keeps its mark; it is found by its title.
        """
        made = races = 0
        while True:
            cleared, disturbed = await self._pass()
            made += cleared
            races = races + 1 if disturbed and not cleared else 0
            if disturbed and races < _RACES:
                await asyncio.sleep(_POLL)
            elif not cleared:
                return made

    async def _pass(self) -> tuple[int, bool]:
        """Once through all marks: documents made, and whether another program's work means that more may wait."""
        cleared = 0
        disturbed = False
        after = ""
        while True:
            ids: list[str] = []
            try:
                async with self._sessions.session() as session, session.transaction():
                    ids = await session.fetch(search.WAITING_FOR_SEARCH, after, BATCH)
                    if not ids:
                        return cleared, disturbed
                    if not await session.fetch_one(search.CLAIM_REFRESH):
                        return cleared, True
                    cleared += await _make(session, ids)
            except ServerError as error:
                if isinstance(error, ConcurrencyConflict) or is_race(error):
                    # Workflows were deleted or rewritten meanwhile; the next pass sees what became of them.
                    disturbed = True
                elif is_record_fault(error):
                    cleared += await self._make_around(ids, error)
                else:
                    raise
            if not ids:
                return cleared, disturbed
            after = ids[-1]

    async def _make_around(self, ids: list[str], error: ServerError) -> int:
        """Halve a batch of which the server refuses a document, until that one stands alone."""
        if len(ids) == 1:
            _log.warning("no search document can be made of workflow %r: %s", ids[0], error)
            return 0
        made = 0
        middle = len(ids) // 2
        for half in (ids[:middle], ids[middle:]):
            try:
                async with self._sessions.session() as session, session.transaction():
                    made += await _make(session, half)
            except ServerError as refused:
                if not is_record_fault(refused):
                    raise
                made += await self._make_around(half, refused)
        return made

    async def _in_background(self) -> None:
        while True:
            await asyncio.sleep(_GATHER)
            self._again = False
            try:
                await self.refresh()
            except StoreError as error:
                _log.warning("the search documents were not refreshed: %s", error)
                return
            if not self._again:
                return


async def _make(session: Session, ids: list[str]) -> int:
    marks = await session.fetch(search.REFRESH_SEARCH, ids)
    cleared = await session.fetch(search.CLEAR_MARKS, [row.workflow_id for row in marks], [row.mark for row in marks])
    return len(cleared)
