"""The suite ``ingest``: the store beside its peers, taking turns on one server."""

from __future__ import annotations

import gc
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import asyncpg
from rich.progress import Progress

from benchmarks import data, ratios
from benchmarks.arguments import Options
from benchmarks.contestants import Case, Contestant, LeftOut, Ours, everyone
from benchmarks.contestants.contestant import BATCH, CONNECTIONS
from benchmarks.figures import Spread
from benchmarks.given import Given
from benchmarks.machine import peak_memory_mb
from benchmarks.ratios import Run
from benchmarks.result import Cell, Result, Table
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store import Workflow

_CHUNK: Final = 10_000
_SINGLES: Final = 500
TITLES: Final[Mapping[Case, str]] = {
    "fresh": "new workflows, from models",
    "fresh_checked": "new, documents checked before",
    "fresh_lines": "new, from a file of lines",
    "refresh": "search documents, by a refresh",
    "unchanged": "the same again, from models",
    "unchanged_lines": "the same again, from a file of lines",
    "views": "the same, other views",
    "tenth": "the same, a tenth changed",
    "awaiters_64": "new, 64 tasks await one each",
    "awaiters_512": "new, 512 tasks await one each",
    "create": "new, one after the other",
    "put": "new, one after the other through a writer",
    "delete": "deleted one after the other",
}
# What is done in a row, and whether it finds the workflows stored or the tables empty. All contestants do one of these
# before any does the next, so that what is compared lies close together.
_SERIES: Final[tuple[tuple[bool, tuple[Case, ...]], ...]] = (
    (False, ("fresh",)),
    (False, ("fresh_checked",)),
    (False, ("fresh_lines", "unchanged_lines")),
    (True, ("refresh", "unchanged", "views", "tenth", "delete")),
    (False, ("awaiters_64",)),
    (False, ("awaiters_512",)),
    (False, ("create",)),
    (False, ("put",)),
)
# One after the other, a few tell as much as many.
_FEW: Final[frozenset[Case]] = frozenset(("create", "put", "delete"))
_LATER: Final[Mapping[Case, Callable[[Sequence[Workflow]], list[Workflow]]]] = {
    "views": data.with_more_views,
    # On top of the views, which are stored by then.
    "tenth": lambda given: data.with_a_tenth_changed(data.with_more_views(given)),
}
# Pieces at either end of a large ingest that a growth is read from.
_ENDS: Final = 5
_SHOWN: Final = 20
_GROWTH_AIM: Final = 0.85

_NOTE: Final = f"""\
{CONNECTIONS} connections and transactions of {BATCH} where nothing else is said; psql has one transaction a \
connection, the ORM one a workflow and one connection that it tries before each use, 64 tasks by hand a pool of 10. \
The store checks, encodes and hashes what it is given; for the peers rows, files and JSON text are ready, and what may \
be stored already they upsert as a whole. All but the ORM fill the same tables; its own have no full text. Search \
documents of long texts are made by a refresh, which is a row of its own and in none of the others. Slow cases and \
slow peers are given fewer workflows; the column says how many."""


async def measure(dsn: str, options: Options, progress: Progress) -> Result:
    """Run all cases, in rounds."""
    with tempfile.TemporaryDirectory(prefix="workflow-store-bench-") as folder:
        bench = _Bench(await connect(dsn), options, progress, Path(folder))
        try:
            await bench.open((Ours(),) if options.is_large else everyone(), dsn)
            if options.is_large:
                await bench.large()
            else:
                await bench.rounds()
            compression = await bench.connection.fetchval(text("compression"))
        finally:
            await bench.close()
    return _result(options, bench, str(compression))


class _Bench:
    def __init__(self, connection: Any, options: Options, progress: Progress, folder: Path) -> None:
        self.connection = connection
        self.options = options
        self.progress = progress
        self.folder = folder
        self.contestants: list[Contestant] = []
        self.left_out: dict[str, str] = {}
        self.runs: list[Run] = []

    async def open(self, contestants: Sequence[Contestant], dsn: str) -> None:
        """Connect all that can take part, and remember why others can't."""
        for contestant in contestants:
            try:
                await contestant.open(dsn)
            except LeftOut as reason:
                self.left_out[contestant.name] = str(reason)
                await contestant.close()
            else:
                self.contestants.append(contestant)

    async def close(self) -> None:
        for contestant in self.contestants:
            await contestant.close()
        await self.connection.close()

    async def rounds(self) -> None:
        """Every contestant in every round, each round in another order; a series is run by all, one after the other."""
        given = self._forms(data.workflows(self.options.scale, source=self.options.corpus))
        each = sum(len(self._cases(one)) for one in self.contestants)
        bar = self.progress.add_task("ingesting", total=self.options.rounds * each)
        for number in range(self.options.rounds):
            turn = number % len(self.contestants)
            for is_filled, series in _SERIES:
                for contestant in (*self.contestants[turn:], *self.contestants[:turn]):
                    own = [case for case in series if case in self._cases(contestant)]
                    if not own:
                        continue
                    await self._empty(contestant)
                    if is_filled:
                        await contestant.prepare("fresh", given["fresh", contestant.share])
                        await contestant.run("fresh")
                    for case in own:
                        await self._run(contestant, case, number, given[case, contestant.share])
                        self.progress.advance(bar)

    async def large(self) -> None:
        """The store alone, once, in pieces that are made between the timings; the other cases with the last piece."""
        (contestant,) = self.contestants
        bar = self.progress.add_task("ingesting", total=self.options.scale)
        await self._empty(contestant)
        piece = Given([], self.folder, "none")
        for number, start in enumerate(range(0, self.options.scale, _CHUNK)):
            size = min(_CHUNK, self.options.scale - start)
            workflows = data.workflows(size, start=start, source=self.options.corpus)
            piece = Given(workflows, self.folder, f"piece-{number}")
            await self._run(contestant, "fresh", number, piece)
            self.progress.advance(bar, size)
        await self._run(contestant, "unchanged", 0, piece)
        await self._run(contestant, "unchanged_lines", 0, piece)
        for case, later in _LATER.items():
            await self._run(contestant, case, 0, Given(later(piece.workflows), self.folder, case))
        await self._run(contestant, "refresh", 0, piece, records=self.options.scale)
        await self._run(contestant, "delete", 0, piece.first(_SINGLES))

    def _cases(self, contestant: Contestant) -> frozenset[Case]:
        only = self.options.only
        return frozenset(case for case in contestant.cases if not only or case in only)

    def _forms(self, workflows: Sequence[Workflow]) -> dict[tuple[Case, int], Given]:
        """What each case is given, whole and in shares; cases that are given the same share its forms."""
        plain = Given(workflows, self.folder, "plain")
        few = plain.first(_SINGLES)
        forms: dict[tuple[Case, int], Given] = {}
        for case in TITLES:
            later = _LATER.get(case)
            whole = few if case in _FEW else plain
            if later is not None:
                whole = Given(later(workflows), self.folder, case)
            forms[case, 1] = whole
        for contestant in self.contestants:
            for case in contestant.cases if contestant.share > 1 else ():
                forms[case, contestant.share] = forms[case, 1].first(len(plain) // contestant.share)
        return forms

    async def _run(
        self, contestant: Contestant, case: Case, number: int, given: Given, *, records: int | None = None
    ) -> None:
        await contestant.prepare(case, given)
        # What was made ready is nobody's garbage.
        gc.collect()
        gc.freeze()
        before = await self.connection.fetchval(text("wal_position"))
        worked, started = _processor_seconds(), time.perf_counter()
        await contestant.run(case)
        seconds, client = time.perf_counter() - started, _processor_seconds() - worked
        written = await self.connection.fetchval(text("wal_position")) - before
        gc.unfreeze()
        self.runs.append(Run(contestant.name, case, number, records or len(given), seconds, client, written))

    async def _empty(self, contestant: Contestant) -> None:
        await self.connection.execute(text("empty_tables"))
        await contestant.empty()
        # Where it is not ours to ask for, checkpoints fall where they fall.
        with suppress(asyncpg.InsufficientPrivilegeError):
            await self.connection.execute(text("checkpoint"))


def _processor_seconds() -> float:
    """Of this process, and of the programs it started that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _result(options: Options, bench: _Bench, compression: str) -> Result:
    runs = bench.runs
    names = [one.name for one in bench.contestants]
    columns = ("case", "by", "workflows", "median", "lowest", "highest", "client CPU µs each", "WAL kB each")
    tables = [Table("Workflows a second", columns, [row for case in TITLES for row in rows_of(case, runs, names)])]
    if options.is_large:
        tables = growth([run for run in runs if run.case == "fresh"]) + tables
    else:
        tables.insert(0, ratios.table(runs, compression))
    rounds = "One round" if options.rounds == 1 or options.is_large else f"{options.rounds} rounds, all taking turns"
    notes = [f"{rounds}; {_NOTE}"]
    notes += [f"Left out: {name}, since {reason}." for name, reason in bench.left_out.items()]
    return Result(
        suite="ingest",
        scale=options.scale,
        machine={},
        tables=tables,
        measured={
            "compression": compression,
            "runs": [asdict(run) for run in runs],
            "ratios": ratios.document(runs, compression),
            "left_out": bench.left_out,
            "peak_memory_mb": peak_memory_mb(),
        },
        notes=notes,
    )


def rows_of(case: Case, runs: Sequence[Run], names: Sequence[str]) -> list[tuple[Cell, ...]]:
    """One row for each contestant that ran a case."""
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        own = [run for run in runs if (run.contestant, run.case) == (name, case)]
        if own:
            rate = Spread(tuple(run.rate for run in own))
            client = Spread(tuple(run.client for run in own)).median
            wal = Spread(tuple(run.wal_bytes / run.records / 1e3 for run in own)).median
            rows.append((TITLES[case], name, own[-1].records, rate.median, rate.low, rate.high, client, wal))
    return rows


def growth(pieces: Sequence[Run]) -> list[Table]:
    """The rate of a piece by how many were stored before it, and both ends of a long ingest.

    The first piece is left out of the comparison: it finds empty tables.
    """
    stored = 0
    rows: list[tuple[Cell, ...]] = []
    step = -(-len(pieces) // _SHOWN)
    for number, run in enumerate(pieces):
        if number % step == 0 or run is pieces[-1]:
            rows.append((stored, run.records, run.rate))
        stored += run.records
    tables = [Table("Workflows a second by how many are stored", ("stored before", "new workflows", "a second"), rows)]
    later = [run.rate for run in pieces[1:]]
    if len(later) >= 2:
        count = min(_ENDS, len(later) // 2)
        early, late = statistics.median(later[:count]), statistics.median(later[-count:])
        columns = ("stored", "pieces at each end", "early, a second", "late", "ratio", "aim", "reached")
        ratio = late / early
        met = "yes" if ratio >= _GROWTH_AIM else "no"
        tables.insert(0, Table("Growth", columns, [(stored, count, early, late, ratio, f"≥ {_GROWTH_AIM}", met)]))
    return tables
