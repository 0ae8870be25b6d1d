"""The suite ``reads``: each read's time, beside the plan it ran with."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from rich.progress import Progress

from benchmarks import cases, loading, lookups
from benchmarks.arguments import Options
from benchmarks.cases import Case
from benchmarks.figures import Spread, percentile
from benchmarks.machine import processor_seconds
from benchmarks.picks import pick
from benchmarks.plans import Plan, Recorded, Sent, explain
from benchmarks.result import Cell, Result, Table
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store import Settings
from workflow_store.database import Database
from workflow_store.models.workflow import PARTS, Part
from workflow_store.queries.parameters import Limits
from workflow_store.repository import Repository
from workflow_store.repository.filters import FILTERS

# The cases take turns, so that a disturbance of the machine meets all of them. Five executions are planned for their
# arguments before the server thinks of a plan for all; they are not timed.
_BLOCKS: Final = 4
_BLOCK_CALLS: Final = 10
_UNTIMED: Final = 6
# Seconds after which a block of a slow read ends, and how many calls it has at least.
_PATIENCE: Final = 12.0
_FEWEST: Final = 5
_RECORDED: Final = 20
_STREAMED: Final = 20_000
_STREAMS: Final = 3
_METADATA: Final[Part] = "metadata"
_STREAMED_PARTS: Final[Mapping[str, Collection[Part]]] = {"metadata": (_METADATA,), "all parts": PARTS}
_MS: Final = 1_000
_NOTE: Final = f"""\
Times in ms, warm, one connection, pages of {cases.PAGE} and {cases.HITS} hits with metadata. “× bare” is the median \
beside that of the same statements sent through asyncpg alone. CPU is processor time in ms of the server's process \
(without parallel workers) and of this one, the smallest mean of the {_BLOCKS} blocks: other programs on the machine \
stretch the times, and this hardly. Buffers are pages of 8 kB. “then” stands between statements; a plan that serves \
all arguments is marked generic."""
_PAGES: Final = ("page 1 p50 ms", "page {} p50 ms", "ratio", "CPU server 1", "{}", "ratio", "buffers 1", "{}")


@dataclass(slots=True)
class _Measured:
    """What is known of one case: seconds of its calls, of its statements without the store, and of processors."""

    case: Case
    seconds: list[float] = field(default_factory=list)
    bare_seconds: list[float] = field(default_factory=list)
    sent: list[list[Sent]] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    server_seconds: list[float] = field(default_factory=list)
    client_seconds: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return percentile(self.seconds, 50) * _MS

    @property
    def p99(self) -> float:
        return percentile(self.seconds, 99) * _MS

    @property
    def server_ms(self) -> float | None:
        """Processor time of the server's process, for one call; the smallest of the blocks."""
        return min(self.server_seconds) * _MS if self.server_seconds else None

    @property
    def client_ms(self) -> float:
        """Processor time of this process, for one call; the smallest of the blocks."""
        return min(self.client_seconds) * _MS

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
        blocks = min(_BLOCKS, -(-options.calls // _BLOCK_CALLS))
        bar = progress.add_task("reading", total=blocks * len(measured))
        for _ in range(blocks):
            for one in measured:
                await _block(one, sessions, database, -(-options.calls // blocks))
                progress.advance(bar)
        streams = await _streams(repository, min(picks.total, _STREAMED))
        beside = await lookups.compare(dsn, sessions, repository, picks, calls=options.calls, alone=options.is_large)
    finally:
        await database.close()
    missing = sorted(FILTERS.keys() - {name for name, _ in picks.filters})
    return _result(options, picks.total, measured, beside, streams, await _sizes(dsn), loaded, missing)


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
    async with database.session() as session:
        backend = await session.connection.fetchrow(text("backend"))
    process = backend["pid"] if backend is not None and backend["is_local"] else 0
    served, worked = processor_seconds(process), time.process_time()
    ends = time.perf_counter() + _PATIENCE
    for number in range(done, done + calls):
        started = time.perf_counter()
        if started > ends and number - done >= _FEWEST:
            break
        await call(number)
        one.seconds.append(time.perf_counter() - started)
    calls = len(one.seconds) - done
    one.client_seconds.append((time.process_time() - worked) / calls)
    now = processor_seconds(process)
    if served is not None and now is not None:
        one.server_seconds.append((now - served) / calls)
    async with database.session() as session:
        if one.case.bare:
            for number in range(-(-calls // 4)):
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
    for name, include in _STREAMED_PARTS.items():
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
    beside: list[lookups.Lookup],
    streams: list[tuple[str, Spread]],
    sizes: list[dict[str, Any]],
    loaded: dict[str, float],
    missing: list[str],
) -> Result:
    notes = [_NOTE, lookups.NOTE]
    if not options.is_large and not any(lookups.ORM in lookup.seconds for lookup in beside):
        notes.append(f"Left out: {lookups.ORM}, since it is not installed; `make bench` installs it.")
    if missing:
        notes.append(f"Without values to ask for in this store: {', '.join(missing)}.")
    number = cases.deep_page(total)
    columns = ("read", "matching", "calls", "p50 ms", "p99 ms", "× bare", "CPU server", "client", "buffers", "plan")
    return Result(
        suite="reads",
        scale=options.scale,
        machine={},
        tables=[
            lookups.table(beside),
            Table("Reads", columns, [_row(one, total) for one in measured]),
            Table(
                f"Page {number:,} beside page 1",
                ("order", *(name.format(f"{number:,}") for name in _PAGES)),
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
            "beside": lookups.document(beside),
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
    words = plans_in_words(one.plans)
    return (
        one.case.name,
        share,
        len(one.seconds),
        one.p50,
        one.p99,
        one.over_bare,
        one.server_ms,
        one.client_ms,
        buffers,
        words,
    )


def plans_in_words(plans: list[Plan]) -> str:
    """Each plan in short: its kind where it is generic, its scans by type, its other nodes."""
    return " then ".join("; ".join(_plan_in_words(plan)) for plan in plans)


def _plan_in_words(plan: Plan) -> list[str]:
    parts = ["generic"] if plan.kind == "generic" else []
    places: dict[str, list[str]] = {}
    for kind, place in plan.scans:
        places.setdefault(kind, []).append(place)
    parts += [f"{kind} ({', '.join(named)})" for kind, named in places.items()]
    return parts + ([", ".join(plan.others)] if plan.others else [])


def _depths(measured: list[_Measured], number: int) -> list[tuple[Cell, ...]]:
    by_name = {one.case.name: one for one in measured}
    rows: list[tuple[Cell, ...]] = []
    for name, first in by_name.items():
        deep = by_name.get(f"{name.removesuffix(' 1')} {number:,}")
        if name.endswith("page 1") and deep is not None:
            order = name.removeprefix("list by ").removesuffix(", page 1")
            buffers = [sum(plan.buffers for plan in one.plans) for one in (first, deep)]
            early, late = first.server_ms, deep.server_ms
            ratio = late / early if early and late else None
            rows.append((order, first.p50, deep.p50, deep.p50 / first.p50, early, late, ratio, *buffers))
    return rows


def _document(one: _Measured) -> dict[str, Any]:
    return {
        "name": one.case.name,
        "matching": one.case.matching,
        "calls": len(one.seconds),
        "p50_ms": round(one.p50, 3),
        "p99_ms": round(one.p99, 3),
        "server_cpu_ms": None if one.server_ms is None else round(one.server_ms, 3),
        "client_cpu_ms": round(one.client_ms, 3),
        "bare_p50_ms": round(percentile(one.bare_seconds, 50) * _MS, 3) if one.bare_seconds else None,
        "plans": [{**asdict(plan), "nodes": [" ".join(node).strip() for node in plan.nodes]} for plan in one.plans],
    }
