"""``operation``: what all public calls have in common, in one place. A call ends by its deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from workflow_store.database.faults import doubt_in
from workflow_store.errors import CommandTimeout, InvalidField, shown

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Call = Callable[Parameters, Coroutine[Any, Any, Result]]


def operation(method: Call[Parameters, Result]) -> Call[Parameters, Result]:
    """Make a coroutine method end by its keyword ``timeout``, in seconds, which it has and need not look at.

    What is under way then is given up: its transaction is rolled back, and a connection that does not answer within
    ``release_timeout`` is terminated.
    """

    @wraps(method)
    async def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        timeout: Any = kwargs.get("timeout")
        if timeout is None:
            return await method(*args, **kwargs)
        async with deadline(timeout):
            return await method(*args, **kwargs)

    return call


@asynccontextmanager
async def deadline(timeout: float | None) -> AsyncGenerator[None]:
    """End a block after so many seconds; None is no end.

    Raises:
        CommandTimeout: the time is over; nothing was stored by what was under way.
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
        raise doubt_in(error.__cause__, reason, began) or CommandTimeout(reason) from None


def seconds(name: str, value: Any) -> float:
    """A number of seconds above 0.

    Raises:
        InvalidField: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise InvalidField(name, f"seconds above 0, or None, not {shown(value)}")
    return float(value)
