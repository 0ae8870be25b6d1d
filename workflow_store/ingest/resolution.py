"""What became of a write whose answer was lost, told from what is stored now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from workflow_store.database import Session
from workflow_store.errors import CommitUnknown
from workflow_store.ingest.batch import covers
from workflow_store.queries.catalogue import AT_WORK, RESOLVE
from workflow_store.queries.parameters import Encoded
from workflow_store.queries.rows import KnownRow

Resolution: TypeAlias = Literal["stored", "missing", "unknown"]

# A writer that waited for our lock before it wrote stamps its row with the moment at which it began.
_MARGIN: Final = 60.0


async def resolve(
    session: Session,
    records: Sequence[Encoded],
    doubt: CommitUnknown,
    holds: Callable[[int], bool],
    *,
    replace: bool = False,
) -> list[Resolution]:
    """For each record whether the write that ended in doubt is stored.

    Args:
        holds: whether the connection to a server process is still in use; else what was sent on it may arrive yet.

    ``"stored"``: all that it has is there. ``"missing"``: something else is there, from before the write, or nothing.
    ``"unknown"``: something else is there, from about then or later, so that another writer may have come after this
    one; or the server is at work on it, or would be if it came.
    """
    if doubt.work is not None and not doubt.work.ended:
        return ["unknown"] * len(records)
    now = time.monotonic()
    elapsed = now - doubt.began
    if doubt.pid is not None:
        given_up = not holds(doubt.pid)
        if await session.fetch_one(AT_WORK, doubt.pid, given_up, elapsed, session.pid, now - doubt.ended):
            return ["unknown"] * len(records)
    rows = {row[0]: row for row in await session.fetch(RESOLVE, [record.workflow_id for record in records])}
    since = elapsed + _MARGIN
    resolutions: list[Resolution] = []
    for record in records:
        row = rows.get(record.workflow_id)
        if row is None:
            resolutions.append("missing")
        elif covers(KnownRow._make(row[:-1]), record, replace=replace):
            resolutions.append("stored")
        else:
            resolutions.append("missing" if row.age > since else "unknown")
    return resolutions
