"""``Holders``: who has a connection of the pool in hand, and since when."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from pathlib import Path
from typing import Final

_log = logging.getLogger("workflow_store.database")

# What calls the pool is of interest, not the pool's own way there.
_PACKAGE: Final = str(Path(__file__).parent)
_FRAMES: Final = 8


class Holders:
    """The connections that are checked out; on wish, a report of those that stay out for long.

    Args:
        report_after: seconds after which a connection that did not come back is reported in the log, once, with the
            place where it was taken; None reports nothing, and then no stack is looked at.
    """

    def __init__(self, report_after: float | None) -> None:
        self._report_after = report_after
        self._since: dict[int, float] = {}
        self._reports: dict[int, asyncio.TimerHandle] = {}

    def took(self, connection: object) -> None:
        """Somebody has it from now on."""
        self._since[id(connection)] = time.monotonic()
        if self._report_after is not None:
            self._reports[id(connection)] = asyncio.get_running_loop().call_later(
                self._report_after, self._report, id(connection), _place()
            )

    def gave_back(self, connection: object) -> None:
        """It is on its way back into the pool."""
        self._since.pop(id(connection), None)
        report = self._reports.pop(id(connection), None)
        if report is not None:
            report.cancel()

    def longest(self) -> float:
        """For how many seconds the one that was taken first has been out; 0.0 where none is. Any thread may ask."""
        since = list(self._since.values())
        return time.monotonic() - min(since) if since else 0.0

    def _report(self, key: int, place: str) -> None:
        self._reports.pop(key, None)
        held = time.monotonic() - self._since[key]
        _log.warning(
            "a connection has been held for %.1f s; it was taken here:\n%s",
            held,
            place,
            extra={"event": "connection_held", "seconds": round(held, 3)},
        )


def _place() -> str:
    frames = [
        frame
        for frame in traceback.extract_stack()
        if not frame.filename.startswith(_PACKAGE) and "/asyncio/" not in frame.filename
    ]
    return "".join(traceback.format_list(frames[-_FRAMES:])).rstrip()
