"""The suite ``settings``: what single settings of the server and of the schema cost or bring an ingest."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from rich.progress import Progress

from benchmarks import data
from benchmarks.arguments import Options
from benchmarks.contestants.contestant import BATCH, CONNECTIONS
from benchmarks.figures import Spread
from benchmarks.given import Given
from benchmarks.result import Cell, Result, Table
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store import Settings, Workflow, WorkflowStore, schema


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that is different.

    Attributes:
        words: for people.
        server: settings of the connections that write.
        store: settings of the store.
        compression: of documents and long texts.
        loses: what it costs besides time.
    """

    words: str
    loses: str = ""
    server: Mapping[str, str] = field(default_factory=dict[str, str])
    store: Mapping[str, Any] = field(default_factory=dict[str, Any])
    compression: str = "auto"


@dataclass(frozen=True, slots=True)
class Run:
    """One ingest of new workflows: records a second, and bytes written ahead and stored, a workflow."""

    variant: str
    round: int
    rate: float
    wal_bytes: float
    stored_bytes: float


VARIANTS: Final = (
    Variant("as it comes"),
    Variant("compression = none", "disk, see the column", compression="none"),
    Variant("synchronous_commit = off", "the last commits, should the server fail", {"synchronous_commit": "off"}),
    Variant("wal_compression = pglz", "processor time", {"wal_compression": "pglz"}),
    Variant("gin_pending_list_limit = 64 MB", "searches read the list", {"gin_pending_list_limit": "64MB"}),
    Variant("one connection", store={"ingest_connections": 1}),
    Variant("three connections", store={"ingest_connections": 3}),
    Variant("batch_size = 50", store={"batch_size": 50}),
    Variant("batch_size = 1,000", "memory", store={"batch_size": 1_000}),
)
_NOTE: Final = f"""\
New workflows from models into empty tables, on {CONNECTIONS} connections in batches of {BATCH} where nothing else is \
said; one thing is changed at a time, and all take turns in each round. A ratio is taken within a round."""


async def measure(dsn: str, options: Options, progress: Progress) -> Result:
    """Run all variants, in rounds."""
    bench = _Bench(await connect(dsn), dsn, data.workflows(options.scale, source=options.corpus))
    bar = progress.add_task("ingesting", total=options.rounds * len(VARIANTS))
    runs: list[Run] = []
    try:
        for number in range(options.rounds):
            turn = number % len(VARIANTS)
            for variant in (*VARIANTS[turn:], *VARIANTS[:turn]):
                runs.append(await bench.run(variant, number))
                progress.advance(bar)
    finally:
        await bench.connection.close()
    return Result(
        suite="settings",
        scale=options.scale,
        machine={},
        tables=[table(runs)],
        measured={"runs": [asdict(run) for run in runs]},
        notes=[_NOTE],
    )


def table(runs: list[Run]) -> Table:
    """A row for each variant."""
    found = {variant.words: [run for run in runs if run.variant == variant.words] for variant in VARIANTS}
    usual = found[VARIANTS[0].words]
    rows: list[tuple[Cell, ...]] = []
    for variant in VARIANTS:
        own = found[variant.words]
        ratio = Spread(tuple(run.rate / other.rate for run, other in zip(own, usual, strict=True)))
        rows.append(
            (
                variant.words,
                Spread(tuple(run.rate for run in own)).median,
                None if own is usual else ratio.median,
                None if own is usual else ratio.low,
                None if own is usual else ratio.high,
                Spread(tuple(run.wal_bytes for run in own)).median / 1e3,
                Spread(tuple(run.stored_bytes for run in own)).median / 1e3,
                variant.loses or None,
            )
        )
    columns = ("setting", "workflows a second", "× as it comes", "lowest", "highest", "WAL kB each", "disk kB each")
    return Table("What settings bring", (*columns, "at the price of"), rows)


class _Bench:
    def __init__(self, connection: Any, dsn: str, workflows: list[Workflow]) -> None:
        self.connection = connection
        self.dsn = dsn
        self.given = Given(workflows, Path(), "settings")
        self.compression = "auto"

    async def run(self, variant: Variant, number: int) -> Run:
        """Ingest into empty tables as the variant says."""
        await self.connection.execute(text("empty_tables"))
        if variant.compression != self.compression:
            await schema.migrate(self.dsn, compression=variant.compression)
            self.compression = variant.compression
        await self.connection.execute(text("checkpoint"))
        async with WorkflowStore.open(self._settings(variant)) as store:
            fresh = self.given.unchecked()
            before = await self.connection.fetchval(text("wal_position"))
            started = time.perf_counter()
            report = await store.ingest(fresh, on_error="raise")
            seconds = time.perf_counter() - started
            written = await self.connection.fetchval(text("wal_position")) - before
            stored = sum((await store.get_statistics()).storage.values())
        count = len(fresh)
        assert report.stored + report.repeated == count
        return Run(variant.words, number, count / seconds, written / count, stored / count)

    def _settings(self, variant: Variant) -> Settings:
        # What asyncpg does not know in a URI is a setting of the server, for that connection.
        more = urlencode(variant.server)
        dsn = f"{self.dsn}{'&' if '?' in self.dsn else '?'}{more}" if more else self.dsn
        usual = {"batch_size": BATCH, "ingest_connections": CONNECTIONS, "search_refresh": "manual"}
        return Settings.load(**{**usual, "dsn": dsn, "pool_min_size": 3, **variant.store})
