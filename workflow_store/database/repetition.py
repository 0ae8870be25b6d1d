"""Transactions that are repeated when the server gave them up for another's sake."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from workflow_store.database.session import Session
from workflow_store.errors import ConcurrencyConflict

_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.02

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
        except ConcurrencyConflict:
            if session.in_transaction or attempt == _ATTEMPTS:
                raise
        await asyncio.sleep(_FIRST_PAUSE * 2**attempt * (0.5 + random.random()))
        attempt += 1
