"""``operation``: what all public calls have in common, in one place: they end by a deadline, and can be watched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from workflow_store.database.faults import what_was_cancelled
from workflow_store.errors import InvalidField, shown
from workflow_store.telemetry.watching import span, watchers

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Call = Callable[Parameters, Coroutine[Any, Any, Result]]


def operation(method: Call[Parameters, Result]) -> Call[Parameters, Result]:
    """Make a coroutine method end by its keyword ``timeout``, in seconds, which it has and need not look at.

    What is under way then is given up: its transaction is rolled back, and a connection that does not answer within
    ``release_timeout`` is terminated.
    """

    name = _name(method)

    @wraps(method)
    async def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        timeout: Any = kwargs.get("timeout")
        if timeout is None and not watchers:
            return await method(*args, **kwargs)
        with span(name):
            async with deadline(timeout):
                return await method(*args, **kwargs)

    return call


def watched(method: Call[Parameters, Result]) -> Call[Parameters, Result]:
    """Make a span of a coroutine method that looks after its ``timeout`` itself."""
    name = _name(method)

    @wraps(method)
    async def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with span(name):
            return await method(*args, **kwargs)

    return call


def _name(method: Callable[..., object]) -> str:
    owner, _, name = method.__qualname__.rpartition(".")
    # Those of the store itself go by their own names.
    return f"{owner.lower()}.{name}" if owner in ("Media", "Quarantine", "Writer") else name


@asynccontextmanager
async def deadline(timeout: float | None) -> AsyncGenerator[None]:
    """End a block after so many seconds; None is no end.

    Raises:
        CommandTimeout: the time is over; nothing was stored by what was under way.
        PoolTimeout: the time is over, and it was spent waiting for a connection.
        CommitUnknown: the time is over, and a COMMIT or a single statement that writes was under way.
        InvalidField: it is no number of seconds.
    """
    if timeout is None:
        yield
        return
    began = time.monotonic()
    scope = asyncio.timeout(seconds("timeout", timeout))
    try:
        async with scope:
            yield
    except TimeoutError as error:
        if not scope.expired():
            raise
        reason = f"it did not end within {timeout:g} s"
        raise what_was_cancelled(error.__cause__, reason, began) from None


def seconds(name: str, value: Any) -> float:
    """A number of seconds above 0.

    Raises:
        InvalidField: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InvalidField(name, f"seconds above 0, or None, not {shown(value)}")
    return float(value)
