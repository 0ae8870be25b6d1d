"""The store, as a user calls it: models in, everything else included."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

from benchmarks.contestants.contestant import BATCH, CONNECTIONS, Case
from workflow_store import Settings, Workflow, WorkflowStore

_AWAITERS = 64


class Ours:
    """``ingest``, ``create_workflow`` and ``writer``; validation, encoding and hashes are timed."""

    name = "workflow-store"
    cases: frozenset[Case] = frozenset(("fresh", "unchanged", "views", "tenth", "single", "awaiters"))

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._store: WorkflowStore | None = None
        self._workflows: Sequence[Workflow] = ()

    async def open(self, dsn: str) -> None:
        settings = Settings.load(
            dsn=dsn,
            pool_min_size=CONNECTIONS,
            pool_max_size=2 * CONNECTIONS,
            batch_size=BATCH,
            ingest_connections=CONNECTIONS,
            search_refresh="manual",
        )
        self._store = await self._stack.enter_async_context(WorkflowStore.open(settings))

    def prepare(self, case: Case, workflows: Sequence[Workflow]) -> None:
        self._workflows = workflows

    async def run(self, case: Case) -> None:
        store = self._opened
        match case:
            case "single":
                for workflow in self._workflows:
                    await store.create_workflow(workflow)
            case "awaiters":
                await self._write()
            case _:
                report = await store.ingest(self._workflows, on_error="raise")
                assert report.stored + report.repeated == len(self._workflows)

    async def refresh(self) -> int:
        """Make the search documents of what was stored; how many."""
        return await self._opened.refresh_search()

    async def close(self) -> None:
        await self._stack.aclose()

    async def _write(self) -> None:
        waiting: Iterator[Workflow] = iter(self._workflows)
        async with self._opened.writer() as writer:

            async def scraper() -> None:
                for workflow in waiting:
                    await writer.put(workflow)

            await asyncio.gather(*(scraper() for _ in range(_AWAITERS)))

    @property
    def _opened(self) -> WorkflowStore:
        assert self._store is not None
        return self._store
