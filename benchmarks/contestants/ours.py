"""The store, as a user calls it: models or a file in, everything else included."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import get_args

from benchmarks.contestants.contestant import BATCH, CONNECTIONS, Case
from benchmarks.given import Given
from workflow_store import Settings, Workflow, WorkflowStore
from workflow_store.importers import read_path

NAME = "workflow-store"


class Ours:
    """``ingest``, ``create_workflow``, ``writer``; checks, encoding and hashes are timed, and the reading of a file."""

    name = NAME
    share = 1
    cases: frozenset[Case] = frozenset(get_args(Case))

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._store: WorkflowStore | None = None
        self._workflows: Sequence[Workflow] = ()
        self._lines: Path | None = None
        self._expected = 0

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

    async def prepare(self, case: Case, given: Given) -> None:
        self._expected = len(given)
        self._workflows, self._lines = (), None
        match case:
            case "fresh_lines" | "unchanged_lines":
                self._lines = given.lines
            case "fresh_checked":
                self._workflows = given.checked
            case "delete" | "refresh":
                self._workflows = given.workflows
            case _:
                self._workflows = given.unchecked()

    async def run(self, case: Case) -> None:
        store = self._opened
        match case:
            case "create":
                for workflow in self._workflows:
                    await store.create_workflow(workflow)
            case "put":
                await self._write(1)
            case "awaiters_64":
                await self._write(64)
            case "awaiters_512":
                await self._write(512)
            case "delete":
                for workflow in self._workflows:
                    assert await store.delete_workflow(workflow.workflow_id)
            case "refresh":
                assert await store.refresh_search()
            case _:
                source = self._workflows if self._lines is None else read_path(self._lines)
                report = await store.ingest(source)
                assert report.stored + report.repeated == self._expected

    async def empty(self) -> None:
        return

    async def close(self) -> None:
        await self._stack.aclose()

    async def _write(self, awaiters: int) -> None:
        waiting: Iterator[Workflow] = iter(self._workflows)
        async with self._opened.writer() as writer:

            async def scraper() -> None:
                for workflow in waiting:
                    await writer.put(workflow)

            await asyncio.gather(*(scraper() for _ in range(awaiters)))

    @property
    def _opened(self) -> WorkflowStore:
        assert self._store is not None
        return self._store
