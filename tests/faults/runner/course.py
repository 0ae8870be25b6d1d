"""What the tasks of a run share: the store, what they were told, what went wrong; and one way to try a call."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeVar

from tests.faults.runner.model import Private, Shared
from workflow_store import CommitUnknown, RecordError, ServerError, WorkflowStore
from workflow_store.ingest import Writer

Result = TypeVar("Result")
Fate: TypeAlias = Literal["done", "doubt", "refused", "denied"]
Call: TypeAlias = Callable[[float], Coroutine[Any, Any, Result]]

# A call ends so many seconds after its deadline, whatever happens.
_PROMISE: Final = 1.0
_WATCHED_EVERY: Final = 0.02
_MOST_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    Attributes:
        name: of the call.
        fate: ``done``; ``doubt``: it may be stored; ``refused``: the server is away or against it, and nothing was
            stored; ``denied``: the record is at fault.
        value: what it returned, where it is done.
        error: what it raised.
    """

    name: str
    fate: Fate
    value: Any = None
    error: BaseException | None = None

    @property
    def told(self) -> str:
        """The call and its answer, in words."""
        return f"{self.name} {self.fate}" + (
            "" if self.error is None else f" ({type(self.error).__name__}: {self.error})"
        )


@dataclass(slots=True)
class Leases:
    """What the tasks know of the queue, by workflow.

    Attributes:
        enqueued: whether that is certain.
        tokens: of those that were claimed; no lease runs out during a run.
        ended: of those whose scrape was completed, whether that is certain.
    """

    enqueued: dict[str, bool] = field(default_factory=dict[str, bool])
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    ended: dict[str, bool] = field(default_factory=dict[str, bool])


@dataclass(slots=True)
class Course:
    """One run.

    Attributes:
        store: by way of the proxy.
        writer: of that store, for all tasks.
        wrong: what a verdict is made of.
        operations: how many were done, by name.
        errors: how many were not, by the name of the error.
        over: set when no new call shall begin.
        cancels: how often of a hundred a call is cancelled.
    """

    store: WorkflowStore
    writer: Writer
    private: Private = field(default_factory=Private)
    shared: Shared = field(default_factory=Shared)
    leases: Leases = field(default_factory=Leases)
    wrong: list[str] = field(default_factory=list[str])
    operations: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])
    over: asyncio.Event = field(default_factory=asyncio.Event)
    cancels: int = 0
    slowest: float = 0.0
    _awake_by: float = float("inf")
    _stalls: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    async def watch_the_loop(self) -> None:
        """Notes when the loop itself was late, as on a busy machine: no call can be blamed for that."""
        while True:
            asked = time.monotonic()
            self._awake_by = asked + _WATCHED_EVERY
            await asyncio.sleep(_WATCHED_EVERY)
            late = time.monotonic() - asked - _WATCHED_EVERY
            if late > _WATCHED_EVERY:
                self._stalls.append((asked, late))

    def complain(self, text: str) -> None:
        """Something is wrong."""
        self.wrong.append(text)

    async def attempt(self, name: str, call: Call[Result], draws: random.Random, timeout: float) -> Answer:
        """Try a call; now and then it is cancelled after some steps of the loop."""
        steps = draws.randrange(_MOST_STEPS) if draws.randrange(100) < self.cancels else None
        began = time.monotonic()
        until = began + timeout
        running = asyncio.create_task(_done(call, timeout), name=f"attempt of {name}")
        places: list[str] = []
        look = lambda: places.append(_place(running))  # noqa: E731
        looking = asyncio.get_running_loop().call_later(timeout + _PROMISE, look)
        try:
            if steps is not None:
                for _ in range(steps):
                    if running.done():
                        break
                    await asyncio.sleep(0)
                if not running.done():
                    until = min(until, time.monotonic())
                    looking.cancel()
                    looking = asyncio.get_running_loop().call_later(_PROMISE, look)
                running.cancel()
            value = await running
        except asyncio.CancelledError as error:
            return self._failed(name, "doubt", error)
        except CommitUnknown as error:
            return self._failed(name, "doubt", error)
        except ServerError as error:
            return self._failed(name, "refused", error)
        except RecordError as error:
            return self._failed(name, "denied", error)
        except Exception as error:
            self.complain(f"{name} raised {type(error).__name__}: {error}")
            return self._failed(name, "doubt", error)
        finally:
            looking.cancel()
            self._check_time(name, began, until, places)
        self.operations[name] += 1
        return Answer(name, "done", value)

    def _failed(self, name: str, fate: Fate, error: BaseException) -> Answer:
        self.errors[type(error).__name__] += 1
        return Answer(name, fate, error=error)

    def _check_time(self, name: str, began: float, until: float, places: list[str]) -> None:
        ended = time.monotonic()
        stalled = sum(late for at, late in self._stalls if at + late >= began - 1 and at <= ended)
        # One that has just ended is told before the watch is.
        stalled += max(0.0, ended - self._awake_by)
        late = ended - until - stalled
        self.slowest = max(self.slowest, late)
        if late > _PROMISE:
            self.complain(f"{name} ended {late:.2f} s after its deadline or cancellation; then it was at {places}")


async def _done(call: Call[Result], timeout: float) -> Result:
    # Called in the task: what is cancelled before its first step was never called.
    return await call(timeout)


def _place(task: asyncio.Task[Any]) -> str:
    """Where a task waits: a file and line for each coroutine in it."""
    lines: list[str] = []
    waiting: Any = task.get_coro()
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
        if frame is not None:
            lines.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return " > ".join(lines)
