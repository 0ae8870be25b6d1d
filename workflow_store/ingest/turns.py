"""``Turn``: work that goes on for long lets the event loop's other tasks in between."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

# Seconds: some records, and little beside what the server needs for one of its answers.
_LONGEST: Final = 0.0002


class Turn:
    """The time since others were last let in: what the server answers to another batch waits for no longer."""

    __slots__ = ("_ends",)

    def __init__(self) -> None:
        self._ends = monotonic() + _LONGEST

    @property
    def is_over(self) -> bool:
        """Whether it is time to ``pass_on``."""
        return monotonic() > self._ends

    async def pass_on(self) -> None:
        """Let every other task have its turn, and begin a new one."""
        await asyncio.sleep(0)
        self._ends = monotonic() + _LONGEST
