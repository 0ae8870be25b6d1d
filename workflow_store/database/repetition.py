"""Units of work that are repeated: where the server gave them up for another's sake, and where it went away.

Only whole units are repeated, and only where nothing of them was stored: a transaction whose COMMIT was not sent, or
that the server has refused. Where that is in doubt the error is ``CommitUnknown``, which nothing here catches.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from workflow_store.database.faults import fields
from workflow_store.database.session import Session, Sessions
from workflow_store.errors import ConcurrencyConflict, ResourceError, ServerError, ServerUnavailable
from workflow_store.telemetry.watching import count

_log = logging.getLogger("workflow_store.database")

_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 1.0

Result = TypeVar("Result")


async def repeated(session: Session, write: Callable[[], Awaitable[Result]]) -> Result:
    """The result of ``write``, tried up to five times; inside a caller's transaction once, which is theirs to repeat.

    Args:
        write: opens a transaction of its own and does all of its work in it.

    Raises:
        ConcurrencyConflict: the last attempt, too, was a deadlock or a serialization failure.
    """
    attempt = 1
    while True:
        try:
            return await write()
        except ConcurrencyConflict as error:
            if session.in_transaction or attempt == _ATTEMPTS:
                raise
            count("retries", label="conflict")
            _log.info(
                "attempt %d of %d is repeated: %s",
                attempt,
                _ATTEMPTS,
                error,
                extra={"event": "retry", "attempt": attempt, **fields(error)},
            )
        await _pause(attempt)
        attempt += 1


async def retried(sessions: Sessions, work: Callable[[Session], Awaitable[Result]], *, patience: float = 0.0) -> Result:
    """The result of ``work`` on a connection, and on another one where that was lost before anything was stored.

    Args:
        work: a whole unit: one transaction or less.
        patience: for how many seconds it is tried again while there is no connection to be had, or the server is out of
            something. Without any, a connection that was lost is replaced once.

    Raises:
        CommitUnknown: whether the unit is stored is not known; it is not repeated.
        ServerUnavailable: there was no connection for all that time.
        ServerError: what the server has against it.
    """
    begun = asyncio.get_running_loop().time()
    attempt = 1
    while True:
        entered = inside = False
        try:
            async with sessions.session() as session:
                entered, inside = True, session.in_transaction
                return await work(session)
        except ConcurrencyConflict as error:
            # Nothing of it was done. A pooler's connection that has lost track of its statements, or its transaction,
            # fails again and again; another one may be had.
            if inside or attempt == _ATTEMPTS:
                raise
            _say(attempt, error)
        except (ServerUnavailable, ResourceError) as error:
            late = asyncio.get_running_loop().time() - begun >= patience
            lost = entered and attempt == 1 and isinstance(error, ServerUnavailable)
            if inside or not sessions.parallel or (late and not lost):
                raise
            _say(attempt, error)
        await _pause(attempt)
        attempt += 1


def _say(attempt: int, error: ServerError) -> None:
    # The first few, then now and then: the server may be away for a while.
    count("retries", label="connection")
    level = logging.WARNING if attempt & (attempt - 1) == 0 else logging.DEBUG
    _log.log(
        level,
        "attempt %d is repeated on another connection: %s",
        attempt,
        error,
        extra={"event": "retry", "attempt": attempt, **fields(error)},
    )


async def _pause(attempt: int) -> None:
    await asyncio.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt) * (0.5 + random.random()))
