"""Work that a cancellation must not tear: it is waited for, and the cancellation comes after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

Result = TypeVar("Result")
Args = ParamSpec("Args")


async def to_the_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` to its end even if the caller is cancelled meanwhile, and raise that cancellation afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Its own failure is of no use to a caller who has left.
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()


async def in_thread(function: Callable[Args, Result], /, *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Call a blocking function off the event loop.

    A thread can't be cancelled: it is waited for, so that whoever cleans up afterwards finds all it did.
    """
    return await to_the_end(asyncio.to_thread(function, *args, **kwargs))


@asynccontextmanager
async def opened(path: Path) -> AsyncGenerator[IO[bytes]]:
    """A file open for reading; it is closed at the end, also where that comes while it is being opened.

    Raises:
        OSError: it can't be opened.
    """
    found: list[IO[bytes]] = []
    try:
        await in_thread(lambda: found.append(path.open("rb")))
        yield found[0]
    finally:
        for file in found:
            await in_thread(file.close)
