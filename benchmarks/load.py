"""The suite ``load``: many tasks that read and write over a small pool, for a while.

What counts is not the rate: that no call fails, that none waits much longer than the others, and that the memory of the
process does not grow.
"""

from __future__ import annotations

import asyncio
import random
import time
from array import array
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.progress import Progress, TaskID

from benchmarks import data
from benchmarks.arguments import Options
from benchmarks.figures import percentile
from benchmarks.result import Cell, Result, Table
from workflow_store import Settings, Workflow, WorkflowStore

_TASKS: Final = 200
_POOL: Final = 10
_STORED: Final = 2_000
_AIM_GROWTH: Final = 5.0
_SAMPLES: Final = 0.25  # seconds between two looks at the memory
# How often of a hundred each is drawn.
_MIX: Final = {
    "get_workflow": 45,
    "list_workflows": 10,
    "search_workflows": 5,
    "upsert_workflow, other views": 20,
    "create_workflow": 10,
    "update_workflow": 5,
    "delete_workflow": 5,
}
_NOTE: Final = f"""\
{_TASKS} tasks over a pool of {_POOL}, each one call after the other without a pause, drawn at random; the time of a \
call has its wait for a connection in it. Memory is what the process holds (RSS), sampled every {_SAMPLES:g} s; growth \
is that of the last tenth of the time over the tenth after the middle."""

Call = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class Seen:
    """What the tasks saw.

    Attributes:
        seconds: of each call, by its name.
        errors: how often, by the error's name.
        calls: of each task.
        memory: MB, in order of time.
    """

    seconds: dict[str, array[float]] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    errors: Counter[str] = field(default_factory=Counter)
    calls: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


async def measure(dsn: str, options: Options, progress: Progress) -> Result:
    """Let the tasks loose."""
    stored = data.workflows(min(options.scale, _STORED), source=options.corpus)
    settings = Settings.load(dsn=dsn, pool_min_size=_POOL, pool_max_size=_POOL)
    bar = progress.add_task("reading and writing", total=options.seconds)
    seen = Seen()
    async with WorkflowStore.open(settings) as store:
        await store.ingest(stored)
        ends = time.monotonic() + options.seconds
        watching = asyncio.create_task(_watch(seen, ends, progress, bar))
        seen.calls = await asyncio.gather(*(_task(store, stored, number, seen, ends) for number in range(_TASKS)))
        await watching
    return Result(
        suite="load",
        scale=len(stored),
        machine={},
        tables=[_overview(seen, options.seconds), _calls(seen)],
        measured={"errors": dict(seen.errors), "calls_by_task": seen.calls, "memory_mb": seen.memory},
        notes=[_NOTE],
    )


async def _task(store: WorkflowStore, stored: Sequence[Workflow], number: int, seen: Seen, ends: float) -> int:
    draws = random.Random(number)
    made = 0
    while time.monotonic() < ends:
        name = draws.choices(list(_MIX), list(_MIX.values()))[0]
        call = _call(store, draws.choice(stored), f"load-{number}-{draws.randrange(20)}", name, draws)
        begun = time.perf_counter()
        try:
            await call()
        except Exception as error:
            seen.errors[type(error).__name__] += 1
        seen.seconds[name].append(time.perf_counter() - begun)
        made += 1
    return made


def _call(store: WorkflowStore, workflow: Workflow, own_id: str, name: str, draws: random.Random) -> Call:
    workflow_id = workflow.workflow_id
    match name:
        case "get_workflow":
            return lambda: store.get_workflow(workflow_id)
        case "list_workflows":
            return lambda: store.list_workflows(order_by="views", limit=50)
        case "search_workflows":
            return lambda: store.search_workflows(draws.choice(("telegram", "email report", "ai agent")))
        case "upsert_workflow, other views":
            (changed,) = data.with_more_views([workflow])
            return lambda: store.upsert_workflow(changed)
        case "create_workflow":
            # What is there already is deleted first: how many are stored stays about the same.
            return lambda: _create(store, workflow.model_copy(update={"workflow_id": own_id}))
        case "update_workflow":
            return lambda: store.update_workflow(workflow_id, quality_score=float(draws.randrange(100)))
        case _:
            return lambda: store.delete_workflow(own_id)


async def _create(store: WorkflowStore, workflow: Workflow) -> None:
    await store.delete_workflow(workflow.workflow_id)
    await store.create_workflow(workflow)


async def _watch(seen: Seen, ends: float, progress: Progress, bar: TaskID) -> None:
    while time.monotonic() < ends:
        await asyncio.sleep(_SAMPLES)
        memory = _memory_mb()
        if memory is not None:
            seen.memory.append(memory)
        progress.advance(bar, _SAMPLES)


def _memory_mb() -> float | None:
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    for line in status.read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None


def _overview(seen: Seen, seconds: float) -> Table:
    calls = sum(seen.calls)
    growth = _growth(seen.memory)
    rows: list[tuple[Cell, ...]] = [
        ("calls a second", calls / seconds, None, None),
        ("calls that failed", sum(seen.errors.values()), "0", _met(not seen.errors)),
        (
            "calls of the task with fewest, of the one with most",
            f"{min(seen.calls):,} · {max(seen.calls):,}",
            None,
            None,
        ),
        ("growth of memory over the second half, %", growth, f"≤ {_AIM_GROWTH:g}", _met(growth <= _AIM_GROWTH)),
        ("memory at the end, MB", seen.memory[-1] if seen.memory else None, None, None),
    ]
    return Table("Under load", ("", "seen", "aim", "reached"), rows)


def _growth(memory: Sequence[float]) -> float:
    """How much more there is at the end than after the middle, in percent."""
    tenth = max(1, len(memory) // 10)
    middle, end = memory[len(memory) // 2 :][:tenth], memory[-tenth:]
    if not middle:
        return 0.0
    return round(100 * (sum(end) / len(end) / (sum(middle) / len(middle)) - 1), 2)


def _met(reached: bool) -> str:
    return "yes" if reached else "no"


def _calls(seen: Seen) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in _MIX:
        times = [1e3 * value for value in seen.seconds[name]]
        if times:
            longest = max(times)
            rows.append((name, len(times), *(round(percentile(times, p), 1) for p in (50, 99)), round(longest, 1)))
    return Table("Milliseconds a call", ("call", "calls", "p50", "p99", "longest"), rows)
