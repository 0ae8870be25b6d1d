"""One run: a server, a proxy before it, tasks and faults; and what became of the store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.faults.proxy import Proxy
from tests.faults.runner import verdict
from tests.faults.runner.course import Course
from tests.faults.runner.faults import Faults
from tests.faults.runner.scraper import Scraper
from tests.faults.server import Server
from workflow_store import WorkflowStore

_TOLD_EVERY: Final = 3.0
_ENDS_WITHIN: Final = 40.0
# Short, so that what is given up is given up within a run.
_SETTINGS: Final[dict[str, Any]] = {
    "pool_min_size": 2,
    "pool_max_size": 8,
    "connect_timeout": 2.0,
    "acquire_timeout": 4.0,
    "command_timeout": 8.0,
    "retry_timeout": 4.0,
}

Say = Callable[[str], None]


@dataclass(slots=True)
class Result:
    """What came of a run.

    Attributes:
        wrong: what was not as it must be; nothing, where all is well.
        operations: calls that were done, by name.
        errors: calls that were not, by error.
        faults: that were made, by name.
        noise: what the driver told the loop.
        slowest: seconds by which a call ended after its deadline, at most.
    """

    wrong: list[str]
    operations: Counter[str] = field(default_factory=Counter[str])
    errors: Counter[str] = field(default_factory=Counter[str])
    faults: Counter[str] = field(default_factory=Counter[str])
    noise: list[str] = field(default_factory=list[str])
    slowest: float = 0.0


async def run(
    seed: int, seconds: float, dsn: str, server: Server | None, *, tasks: int = 24, say: Say = lambda _line: None
) -> Result:
    """Let tasks work for so many seconds while faults are made, and judge what is stored then.

    Args:
        seed: of all that is drawn.
        dsn: of a database with the schema that is empty.
        server: whose processes may be stopped; None where they are not ours.
        say: takes a line now and then.
    """
    before = asyncio.all_tasks()
    stray: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: stray.append(str(context)))
    try:
        async with Proxy.before(dsn) as proxy:
            result = await _run(seed, seconds, dsn, server, proxy, tasks, say)
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    result.wrong += [f"in the loop: {text}" for text in stray if not _is_of_the_driver(text)] + verdict.leaked(before)
    result.noise = [text for text in stray if _is_of_the_driver(text)]
    return result


def _is_of_the_driver(text: str) -> bool:
    """What the driver tells the loop where a connection was given up while it was asked to cancel a statement."""
    return "Future exception was never retrieved" in text


async def _run(
    seed: int, seconds: float, dsn: str, server: Server | None, proxy: Proxy, tasks: int, say: Say
) -> Result:
    store = await WorkflowStore.open(dsn=proxy.dsn, **_SETTINGS)
    course = None
    try:
        async with store.writer() as writer:
            course = Course(store, writer)
            faults = Faults(seed, dsn, proxy, server, course)
            watching = [asyncio.create_task(course.watch_the_loop()), asyncio.create_task(_tell(course, faults, say))]
            working = [asyncio.create_task(Scraper(number, seed, course).run()) for number in range(tasks)]
            faulting = asyncio.create_task(faults.run())
            await asyncio.wait([faulting, *working], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            course.over.set()
            await asyncio.wait([faulting], timeout=_ENDS_WITHIN)
            course.wrong += await _ended([faulting, *working])
            course.wrong += await verdict.recovered(store)
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        course.wrong += await verdict.contents(course)
        course.wrong += await verdict.queue(course, dsn)
        course.wrong += await verdict.server_state(dsn)
        course.wrong += await asyncio.to_thread(verdict.files, server)
    finally:
        closing = await verdict.closes(store)
    return Result(course.wrong + closing, course.operations, course.errors, faults.made, slowest=course.slowest)


async def _ended(working: list[asyncio.Task[None]]) -> list[str]:
    """Wait for the tasks, which end by the deadlines of their calls."""
    done, pending = await asyncio.wait(working, timeout=_ENDS_WITHIN)
    wrong = [f"a task does not end: {task.get_stack(limit=3)}" for task in pending]
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is not None:
            logging.getLogger(__name__).error("a task of the run failed", exc_info=error)
            wrong.append(f"a task of the run failed: {type(error).__name__}: {error}")
    return wrong


async def _tell(course: Course, faults: Faults, say: Say) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(_TOLD_EVERY)
        say(
            f"{time.monotonic() - began:5.0f} s  {course.operations.total():,} done, {course.errors.total():,} not "
            f"({_listed(course.errors)}), {faults.made.total()} faults, {len(course.wrong)} wrong"
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common()) or "none"


def summary(result: Result) -> list[str]:
    """A few lines that say what a run was made of, and its verdict."""
    lines = [
        f"done: {_listed(result.operations)}",
        f"not done: {_listed(result.errors)}",
        f"faults: {_listed(result.faults)}",
        f"noise of the driver: {len(result.noise)}",
        f"the slowest call ended {max(0.0, result.slowest):.2f} s after its deadline or cancellation",
    ]
    lines += [f"WRONG: {text}" for text in result.wrong[:50]]
    lines.append("verdict: " + (f"{len(result.wrong)} things are wrong" if result.wrong else "all is well"))
    return lines
