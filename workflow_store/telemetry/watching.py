"""``Watcher``: who is told of spans and counts, and how they are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeAlias, TypeVar
from weakref import WeakSet

Value: TypeAlias = "str | int | float"
AnyWatcher = TypeVar("AnyWatcher", bound="Watcher")


class Span:
    """A piece of work while it goes on.

    Attributes:
        name: what is done, such as ``get_workflow`` or ``copy``.
        attributes: what is known of it: names of tables, numbers of rows and bytes; never what a caller gave.
        seconds: how long it took, at its end.
        error: the name of the exception it ended with; None where it ended well.
    """

    __slots__ = ("attributes", "error", "name", "seconds")

    def __init__(self, name: str, attributes: dict[str, Value]) -> None:
        self.name: str = name
        self.attributes: dict[str, Value] = attributes
        self.seconds: float = 0.0
        self.error: str | None = None


class Watcher:
    """Is told of the work; what is not overridden does nothing.

    What a watcher raises comes out of the operation it watched: it had better not raise.
    """

    def started(self, span: Span) -> Any:
        """A piece of work begins; what is returned is given to ``ended``."""

    def ended(self, span: Span, started: Any) -> None:
        """It ended."""

    def counted(self, name: str, amount: float, label: str) -> None:
        """Something happened so often: ``retries`` (label: why), ``rejected``, ``workflows`` (label: their outcome),
        ``batch`` (amount: its records), ``search_pending`` (amount: how many there are).
        """


class Watched(Protocol):
    """A pool whose counts can be asked for at any time."""

    @property
    def address(self) -> str: ...

    def statistics(self) -> Any: ...


watchers: list[Watcher] = []
_pools: WeakSet[Watched] = WeakSet()
# Whoever serves metrics does so from a thread of its own.
_pools_guard: Final = threading.Lock()


def add_pool(pool: Watched) -> None:
    """Its counts may be asked for from now on."""
    with _pools_guard:
        _pools.add(pool)


def remove_pool(pool: Watched) -> None:
    """They may not any more."""
    with _pools_guard:
        _pools.discard(pool)


def open_pools() -> list[Watched]:
    """Those of this process that are open, in no order."""
    with _pools_guard:
        return list(_pools)


def watch(watcher: AnyWatcher) -> AnyWatcher:
    """Tell a watcher of everything from now on, in this process."""
    if watcher not in watchers:
        watchers.append(watcher)
    return watcher


def unwatch(watcher: Watcher) -> None:
    """Tell it no more; whether it was told before does not matter."""
    if watcher in watchers:
        watchers.remove(watcher)


@contextmanager
def span(name: str, **attributes: Value) -> Generator[Span]:
    """A piece of work, told to all watchers at its beginning and its end."""
    current = Span(name, attributes)
    told = [(watcher, watcher.started(current)) for watcher in watchers]
    begun = time.perf_counter()
    try:
        yield current
    except GeneratorExit:
        # Whoever iterated has seen enough.
        raise
    except BaseException as error:
        current.error = type(error).__name__
        raise
    finally:
        current.seconds = time.perf_counter() - begun
        for watcher, started in reversed(told):
            watcher.ended(current, started)


def count(name: str, amount: float = 1, label: str = "") -> None:
    """Something happened, so often."""
    for watcher in watchers:
        watcher.counted(name, amount, label)
