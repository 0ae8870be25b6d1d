"""The suite ``memory``: how much a process holds that ingests a stream, by the stream's length.

Each length is a process of its own, ``python -m benchmarks.memory COUNT`` with the address in its environment, so that
its peak is its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from rich.progress import Progress

from benchmarks.arguments import Options
from benchmarks.contestants.contestant import BATCH, CONNECTIONS
from benchmarks.machine import peak_memory_mb
from benchmarks.result import Cell, Result, Table
from benchmarks.server import DSN_VARIABLE, connect
from benchmarks.statements import text
from workflow_store import Settings, Workflow, WorkflowStore
from workflow_store.samples import generate

_SHORT: Final = 10_000
_AIM_MB: Final = 64
_NOTE: Final = f"""\
Generated workflows, made while they are stored, on {CONNECTIONS} connections in batches of {BATCH}, each length in a \
process of its own into empty tables. The peak is the most that the process ever held, with Python and its modules; \
“before” is what it had held when the first workflow was asked for."""


@dataclass(frozen=True, slots=True)
class Peak:
    """What one process held, in MB; None where the system does not say."""

    records: int
    before_mb: float | None
    peak_mb: float | None
    seconds: float


async def measure(dsn: str, options: Options, progress: Progress) -> Result:
    """Ingest a short and a long stream."""
    counts = sorted({max(1, min(_SHORT, options.scale // 10)), options.scale})
    bar = progress.add_task("ingesting", total=sum(counts))
    connection = await connect(dsn)
    peaks: list[Peak] = []
    try:
        for count in counts:
            await connection.execute(text("empty_tables"))
            peaks.append(await _child(dsn, count))
            progress.advance(bar, count)
    finally:
        await connection.close()
    return Result(
        suite="memory",
        scale=options.scale,
        machine={},
        tables=[table(peaks)],
        measured={"peaks": [asdict(peak) for peak in peaks]},
        notes=[_NOTE],
    )


def table(peaks: list[Peak]) -> Table:
    """A row for each length; growth is over the shortest."""
    first = peaks[0].peak_mb
    rows: list[tuple[Cell, ...]] = []
    for peak in peaks:
        growth = None if peak is peaks[0] or first is None or peak.peak_mb is None else round(peak.peak_mb - first, 1)
        # The aim is one of long streams.
        is_judged = growth is not None and peaks[0].records == _SHORT
        met = None if growth is None or not is_judged else "yes" if growth <= _AIM_MB else "no"
        aim = f"≤ {_AIM_MB}" if is_judged else None
        rows.append((peak.records, peak.before_mb, peak.peak_mb, growth, aim, met, peak.records / peak.seconds))
    columns = ("workflows", "before MB", "peak MB", "growth MB", "aim", "reached", "a second, generating too")
    return Table("Memory of an ingest", columns, rows)


async def _child(dsn: str, count: int) -> Peak:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.memory", str(count)), env={**os.environ, DSN_VARIABLE: dsn}, stdout=PIPE
    )
    answer, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the process that ingests {count:,} workflows ended with {process.returncode}")
    return Peak(**json.loads(answer))


async def _ingest(dsn: str, count: int) -> Peak:
    before: list[float | None] = []

    def source() -> Iterator[Workflow]:
        before.append(peak_memory_mb())
        yield from generate(count)

    settings = Settings.load(dsn=dsn, batch_size=BATCH, ingest_connections=CONNECTIONS, search_refresh="manual")
    async with WorkflowStore.open(settings) as store:
        started = time.perf_counter()
        report = await store.ingest(source(), on_error="raise")
        seconds = time.perf_counter() - started
    assert report.stored + report.repeated == count
    return Peak(count, before[0], peak_memory_mb(), round(seconds, 3))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_ingest(os.environ[DSN_VARIABLE], int(sys.argv[1]))))))
