"""A database full of generated workflows, made by several processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.progress import Progress

from benchmarks.data import corpus
from benchmarks.server import connect
from benchmarks.statements import text
from workflow_store import Settings, WorkflowStore
from workflow_store.samples import generate

_CHUNK = 2_500
_POLL = 0.5


async def is_loaded(dsn: str, count: int) -> bool:
    """Whether so many workflows are there, with their search documents."""
    connection = await connect(dsn)
    try:
        row = await connection.fetchrow(text("stored"))
    finally:
        await connection.close()
    return row is not None and (row["stored"], row["waiting"]) == (count, 0)


async def load(dsn: str, count: int, progress: Progress, source: Path | None = None) -> dict[str, float]:
    """Fill an empty database; the seconds of its parts.

    Generating takes longer than storing, so the figures say how long one waits, not how fast an ingest is.
    """
    started = time.perf_counter()
    bar = progress.add_task(f"storing {count:,} workflows", total=count)
    if source is not None:
        async with WorkflowStore.open(_settings(dsn)) as store:
            await store.ingest(
                corpus(source, count), progress=lambda report: progress.update(bar, completed=report.stored)
            )
    else:
        await asyncio.to_thread(_load_chunks, dsn, count, lambda stored: progress.advance(bar, stored))
    stored = time.perf_counter()
    async with WorkflowStore.open(_settings(dsn)) as store:
        bar = progress.add_task("making search documents", total=(await store.get_search_lag()).pending)
        work = asyncio.create_task(store.refresh_search())
        while not work.done():
            await asyncio.wait((work,), timeout=_POLL)
            total = progress.tasks[bar].total or 0
            progress.update(bar, completed=total - (await store.get_search_lag()).pending)
        await work
    refreshed = time.perf_counter()
    bar = progress.add_task("VACUUM ANALYZE", total=1)
    connection = await connect(dsn)
    try:
        await connection.execute(text("vacuum"))
    finally:
        await connection.close()
    progress.update(bar, completed=1)
    return {
        "generate_and_store_s": round(stored - started, 1),
        "refresh_search_s": round(refreshed - stored, 1),
        "vacuum_analyze_s": round(time.perf_counter() - refreshed, 1),
    }


def _settings(dsn: str) -> Settings:
    return Settings.load(dsn=dsn, pool_min_size=1, pool_max_size=4, search_refresh="manual")


def _load_chunks(dsn: str, count: int, advance: Callable[[int], object]) -> None:
    workers = min(os.cpu_count() or 1, -(-count // _CHUNK))
    # spawn: a fork would inherit the event loop and the threads of the one that waits here.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        done = [pool.submit(_store_chunk, dsn, start, size) for start, size in _chunks(count)]
        for future in as_completed(done):
            advance(future.result())


def _chunks(count: int) -> Iterator[tuple[int, int]]:
    for start in range(0, count, _CHUNK):
        yield start, min(_CHUNK, count - start)


def _store_chunk(dsn: str, start: int, count: int) -> int:
    async def store_it() -> int:
        async with WorkflowStore.open(_settings(dsn)) as store:
            report = await store.ingest(generate(count, start=start), connections=1)
        return report.stored

    return asyncio.run(store_it())
