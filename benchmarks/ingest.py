"""The suite ``ingest``: the store beside its peers, taking turns on one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import asyncpg
from rich.progress import Progress

from benchmarks import data
from benchmarks.arguments import Options
from benchmarks.contestants import Case, Contestant, Ours, everyone
from benchmarks.figures import Spread
from benchmarks.machine import peak_memory_mb
from benchmarks.result import Cell, Result, Table
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store import Workflow

_CHUNK: Final = 10_000
_SINGLES: Final = 500
_TITLES: Final[Mapping[Case, str]] = {
    "fresh": "new workflows",
    "unchanged": "the same again",
    "views": "the same, other views",
    "tenth": "the same, a tenth changed",
    "awaiters": "new, 64 tasks await one each",
    "single": "new, one awaited after the other",
}
# In this order each finds the tables as the one before has left them; the last two find them empty.
_SERIES: Final[tuple[tuple[Case, ...], ...]] = (("fresh", "unchanged", "views", "tenth"), ("awaiters",), ("single",))
_LATER: Final[Mapping[Case, Callable[[Sequence[Workflow]], list[Workflow]]]] = {
    "views": data.with_more_views,
    # On top of the views, which are stored by then.
    "tenth": lambda given: data.with_a_tenth_changed(data.with_more_views(given)),
}

_NOTE: Final = """\
two connections and transactions of 250, but for the last case. The store starts from models and checks, encodes and \
hashes them; by hand the tuples are ready, and what may be stored already is upserted as a whole. Search documents of \
long texts are made by a refresh after that, and are in none of the rates."""


@dataclass(frozen=True, slots=True)
class Run:
    """One timed run of a case.

    Attributes:
        records: how many workflows were given.
        seconds: of wall time.
        client_seconds: processor time of this process.
        wal_bytes: what the server wrote ahead meanwhile.
    """

    contestant: str
    case: str
    round: int
    records: int
    seconds: float
    client_seconds: float
    wal_bytes: int


async def measure(dsn: str, options: Options, progress: Progress) -> Result:
    """Run all cases, in rounds."""
    contestants: Sequence[Contestant] = (Ours(),) if options.is_large else everyone()
    bench = _Bench(await connect(dsn), options, progress)
    try:
        for contestant in contestants:
            await contestant.open(dsn)
        if options.is_large:
            await bench.large(contestants[0])
        else:
            await bench.rounds(contestants)
        refreshed = await bench.refresh([one for one in contestants if isinstance(one, Ours)])
    finally:
        for contestant in contestants:
            await contestant.close()
        await bench.connection.close()
    return _result(options, bench.runs, [one.name for one in contestants], refreshed)


class _Bench:
    def __init__(self, connection: Any, options: Options, progress: Progress) -> None:
        self.connection = connection
        self.options = options
        self.progress = progress
        self.runs: list[Run] = []

    async def rounds(self, contestants: Sequence[Contestant]) -> None:
        """Every contestant in every round, each round in another order."""
        given = data.workflows(self.options.scale, source=self.options.corpus)
        bar = self.progress.add_task("ingesting", total=self.options.rounds * len(contestants) * len(_TITLES))
        for number in range(self.options.rounds):
            turn = number % len(contestants)
            for contestant in (*contestants[turn:], *contestants[:turn]):
                for series in _SERIES:
                    await self._empty()
                    for case in series:
                        if case in contestant.cases:
                            later = _LATER.get(case)
                            workflows = given if later is None else later(given)
                            await self._run(
                                contestant, case, number, workflows[:_SINGLES] if case == "single" else workflows
                            )
                        self.progress.advance(bar)

    async def large(self, contestant: Contestant) -> None:
        """One contestant, once, in pieces that are made between the timings; the other cases with the last piece."""
        bar = self.progress.add_task("ingesting", total=self.options.scale)
        await self._empty()
        given: list[Workflow] = []
        for start in range(0, self.options.scale, _CHUNK):
            given = data.workflows(min(_CHUNK, self.options.scale - start), start=start, source=self.options.corpus)
            await self._run(contestant, "fresh", start // _CHUNK, given)
            self.progress.advance(bar, len(given))
        for case in _SERIES[0][1:]:
            later = _LATER.get(case)
            await self._run(contestant, case, 0, given if later is None else later(given))

    async def refresh(self, ours: Sequence[Ours]) -> tuple[int, float]:
        """What waits for its search document, all at once: how many, and in how many seconds."""
        if not self.options.is_large:
            await self._empty()
            for one in ours:
                one.prepare("fresh", data.workflows(self.options.scale, source=self.options.corpus))
                await one.run("fresh")
        started = time.perf_counter()
        made = sum([await one.refresh() for one in ours])
        return made, time.perf_counter() - started

    async def _run(self, contestant: Contestant, case: Case, number: int, workflows: Sequence[Workflow]) -> None:
        contestant.prepare(case, workflows)
        before = await self.connection.fetchval(text("wal_position"))
        worked, started = time.process_time(), time.perf_counter()
        await contestant.run(case)
        seconds, client = time.perf_counter() - started, time.process_time() - worked
        written = await self.connection.fetchval(text("wal_position")) - before
        self.runs.append(Run(contestant.name, case, number, len(workflows), seconds, client, written))

    async def _empty(self) -> None:
        await self.connection.execute(text("empty_tables"))
        try:
            await self.connection.execute(text("checkpoint"))
        except asyncpg.InsufficientPrivilegeError:
            # Not ours to ask for on this server: its checkpoints fall where they fall.
            return


def _result(options: Options, runs: list[Run], names: Sequence[str], refreshed: tuple[int, float]) -> Result:
    made, seconds = refreshed
    rows: list[tuple[Cell, ...]] = [row for case in _TITLES for row in rows_of(case, runs, names)]
    if made:
        rows.append(("search documents, by a refresh", names[0], made / seconds, None, None, None, None, None))
    tables = [
        Table(
            "Workflows a second",
            ("case", "by", "median", "lowest", "highest", "× workflow-store", "client CPU µs each", "WAL kB each"),
            rows,
        )
    ]
    pieces = [run for run in runs if run.case == "fresh"] if options.is_large else []
    if pieces:
        ends = (("first", pieces[0]), ("last", pieces[-1]))
        tables.append(
            Table(
                f"Pieces of {pieces[0].records:,} new workflows",
                ("piece", "workflows a second"),
                [(name, run.records / run.seconds) for name, run in ends],
            )
        )
    rounds = "One round" if options.rounds == 1 or options.is_large else f"{options.rounds} rounds, all taking turns"
    peak = peak_memory_mb()
    return Result(
        suite="ingest",
        scale=options.scale,
        machine={},
        tables=tables,
        measured={
            "runs": [asdict(run) for run in runs],
            "refreshed": {"documents": made, "seconds": round(seconds, 3)},
            "peak_memory_mb": peak,
        },
        notes=[f"{rounds}; {_NOTE}"],
    )


def rows_of(case: Case, runs: Sequence[Run], names: Sequence[str]) -> list[tuple[Cell, ...]]:
    """One row for each contestant that ran a case; ratios are taken within a round, and their median is shown."""
    found = {name: [run for run in runs if (run.contestant, run.case) == (name, case)] for name in names}
    rates = {name: Spread(tuple(run.records / run.seconds for run in own)) for name, own in found.items() if own}
    rows: list[tuple[Cell, ...]] = []
    for name, rate in rates.items():
        first = rates.get(names[0])
        ratio = None
        if first is not None and name != names[0] and len(first.values) == len(rate.values):
            ratio = Spread(tuple(a / b for a, b in zip(rate.values, first.values, strict=True))).median
        client = Spread(tuple(run.client_seconds / run.records * 1e6 for run in found[name])).median
        wal = Spread(tuple(run.wal_bytes / run.records / 1e3 for run in found[name])).median
        rows.append((_TITLES[case], name, rate.median, rate.low, rate.high, ratio, client, wal))
    return rows
