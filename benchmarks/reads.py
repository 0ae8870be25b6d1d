"""The suite ``reads``: each read's time, beside the plan it ran with."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rich.progress import Progress

from benchmarks import cases, loading
from benchmarks.arguments import Options
from benchmarks.cases import Case
from benchmarks.figures import Spread, percentile
from benchmarks.picks import pick
from benchmarks.plans import Plan, Recorded, Sent, explain
from benchmarks.result import Cell, Result, Table
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store import Settings
from workflow_store.database import Database
from workflow_store.queries.parameters import Limits
from workflow_store.repository import Repository
from workflow_store.repository.filters import FILTERS

# The cases take turns, so that a disturbance of the machine meets all of them. Five executions are planned for their
# arguments before the server thinks of a plan for all; they are not timed.
_BLOCKS: Final = 4
_UNTIMED: Final = 6
_RECORDED: Final = 20
_STREAMED: Final = 20_000
_STREAMS: Final = 3
_MS: Final = 1_000


@dataclass(slots=True)
class _Measured:
    """What is known of one case: seconds of its calls, and of its statements without the store."""

    case: Case
    seconds: list[float] = field(default_factory=list)
    bare_seconds: list[float] = field(default_factory=list)
    sent: list[list[Sent]] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return percentile(self.seconds, 50) * _MS

    @property
    def p99(self) -> float:
        return percentile(self.seconds, 99) * _MS

    @property
    def over_bare(self) -> float | None:
        return self.p50 / (percentile(self.bare_seconds, 50) * _MS) if self.bare_seconds else None


async def measure(dsn: str, options: Options, progress: Progress) -> Result:
    """Load the database unless that is done, and measure."""
    loaded: dict[str, float] = {}
    if not await loading.is_loaded(dsn, options.scale):
        loaded = await loading.load(dsn, options.scale, progress, options.corpus)
    database = await Database.open(dsn, Settings.load(dsn=dsn, pool_min_size=1, pool_max_size=1))
    sessions = Recorded(database)
    repository = Repository(sessions, Limits())
    try:
        async with database.session() as session:
            picks = await pick(session.connection)
        measured = [_Measured(case) for case in await cases.all_cases(repository, picks)]
        bar = progress.add_task("reading", total=_BLOCKS * len(measured))
        for _ in range(_BLOCKS):
            for one in measured:
                await _block(one, sessions, database, max(1, options.calls // _BLOCKS))
                progress.advance(bar)
        streams = await _streams(repository, min(picks.total, _STREAMED))
    finally:
        await database.close()
    missing = sorted(FILTERS.keys() - {name for name, _ in picks.filters})
    return _result(options, picks.total, measured, streams, await _sizes(dsn), loaded, missing)


async def _block(one: _Measured, sessions: Recorded, database: Database, calls: int) -> None:
    call = one.case.call
    for number in range(_UNTIMED):
        await call(number)
    if not one.sent:
        for number in range(_RECORDED if one.case.varies else 1):
            sessions.sent = []
            await call(number)
            one.sent.append(sessions.sent)
            sessions.sent = None
    done = len(one.seconds)
    for number in range(done, done + calls):
        started = time.perf_counter()
        await call(number)
        one.seconds.append(time.perf_counter() - started)
    async with database.session() as session:
        if one.case.bare:
            for number in range(calls):
                one.bare_seconds.append(await _bare(session.connection, one.sent[number % len(one.sent)]))
        # At the end of a block: here the server has settled on a plan.
        one.plans = await explain(session.connection, one.sent[0])


async def _bare(connection: Any, sent: list[Sent]) -> float:
    started = time.perf_counter()
    for statement in sent:
        await connection.fetch(statement.text, *statement.arguments)
    return time.perf_counter() - started


async def _streams(repository: Repository, count: int) -> list[tuple[str, Spread]]:
    """Workflows a second, by the parts that are read."""
    found: list[tuple[str, Spread]] = []
    for name, include in (("metadata", ("metadata",)), ("all parts", ("metadata", "structure", "content", "transcripts"))):
        rates: list[float] = []
        for _ in range(_STREAMS):
            started = time.perf_counter()
            read = await cases.stream(repository, count, include)
            rates.append(read / (time.perf_counter() - started))
        found.append((name, Spread(tuple(rates))))
    return found


async def _sizes(dsn: str) -> list[dict[str, Any]]:
    connection = await connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(text("sizes"))]
    finally:
        await connection.close()


def _result(
    options: Options,
    total: int,
    measured: list[_Measured],
    streams: list[tuple[str, Spread]],
    sizes: list[dict[str, Any]],
    loaded: dict[str, float],
    missing: list[str],
) -> Result:
    notes = [
        f"Times in ms over {len(measured[0].seconds)} calls each, warm, one connection, pages of {cases.PAGE} and "
        f"{cases.HITS} hits with metadata. “× bare” is the median beside that of the same statements sent through asyncpg "
        "alone. Buffers are pages of 8 kB; “then” stands between statements, and a plan is one for all arguments where "
        "it says generic.",
    ]
    if missing:
        notes.append(f"Without values to ask for in this store: {', '.join(missing)}.")
    number = cases.deep_page(total)
    columns = ("read", "matching", "p50 ms", "p99 ms", "× bare", "buffers", "plan")
    return Result(
        suite="reads",
        scale=options.scale,
        machine={},
        tables=[
            Table("Reads", columns, [_row(one, total) for one in measured]),
            Table(
                f"Page {number:,} beside page 1",
                ("order", "page 1 p50 ms", f"page {number:,} p50 ms", "ratio", "buffers of page 1", f"of page {number:,}"),
                _depths(measured, number),
            ),
            Table(
                f"Streams of {min(total, _STREAMED):,}",
                ("parts", "workflows a second", "lowest", "highest"),
                [(name, rate.median, rate.low, rate.high) for name, rate in streams],
            ),
            Table(
                "Sizes in MB",
                ("table", "rows", "indexes"),
                [(row["name"], row["bytes"] / 1e6, row["index_bytes"] / 1e6) for row in sizes],
            ),
        ],
        measured={
            "stored": total,
            "loaded": loaded,
            "reads": [_document(one) for one in measured],
            "streams": {name: list(rate.values) for name, rate in streams},
            "sizes": sizes,
        },
        notes=notes,
    )


def _row(one: _Measured, total: int) -> tuple[Cell, ...]:
    matching = one.case.matching
    share = None if matching is None else f"{matching:,} ({matching / max(1, total):.2%})"
    buffers = sum(plan.buffers for plan in one.plans)
    return one.case.name, share, one.p50, one.p99, one.over_bare, buffers, plans_in_words(one.plans)


def plans_in_words(plans: list[Plan]) -> str:
    """The scans and the other nodes of each plan, in short."""
    return " then ".join(
        "; ".join(
            part
            for part in (
                "generic" if plan.kind == "generic" else "",
                ", ".join(plan.scans),
                ", ".join(plan.others),
            )
            if part
        )
        for plan in plans
    )


def _depths(measured: list[_Measured], number: int) -> list[tuple[Cell, ...]]:
    by_name = {one.case.name: one for one in measured}
    rows: list[tuple[Cell, ...]] = []
    for name, first in by_name.items():
        deep = by_name.get(f"{name.removesuffix(' 1')} {number:,}")
        if name.endswith("page 1") and deep is not None:
            order = name.removeprefix("list by ").removesuffix(", page 1")
            buffers = [sum(plan.buffers for plan in one.plans) for one in (first, deep)]
            rows.append((order, first.p50, deep.p50, deep.p50 / first.p50, *buffers))
    return rows


def _document(one: _Measured) -> dict[str, Any]:
    return {
        "name": one.case.name,
        "matching": one.case.matching,
        "calls": len(one.seconds),
        "p50_ms": round(one.p50, 3),
        "p99_ms": round(one.p99, 3),
        "bare_p50_ms": round(percentile(one.bare_seconds, 50) * _MS, 3) if one.bare_seconds else None,
        "plans": [asdict(plan) for plan in one.plans],
    }
