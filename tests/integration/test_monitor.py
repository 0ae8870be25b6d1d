"""``monitor``: what is shown is what happens on the server."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.commands import run
from tests.records import full_workflow, small_workflow
from workflow_store import Settings, WorkflowStore
from workflow_store.errors import InvalidField
from workflow_store.operations.monitor import Monitor, Sample, take_sample, watching


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return Settings.load(dsn=database_dsn, media_dir=tmp_path / "media", search_refresh="manual")


async def counted(watch: Monitor, workflows: int) -> Sample:
    """Samples until the server has counted so many: its sessions report within a second."""
    async with asyncio.timeout(20):
        while True:
            sample = await watch.sample()
            if sample.counters.workflows >= workflows:
                return sample
            await asyncio.sleep(0.05)


async def test_rates_are_what_was_written_between_two_looks(settings: Settings) -> None:
    async with WorkflowStore.open(settings) as store, watching(settings) as watch:
        first = await watch.sample()
        await store.ingest(small_workflow(str(number)) for number in range(500))
        await asyncio.sleep(1.2)
        # What is idle has reported by now, or does with its next statement.
        await asyncio.gather(*(store.count_workflows() for _ in range(4)))
        second = await counted(watch, 500)

    assert first.rates is None
    assert second.rates is not None
    assert second.counters.inserted - first.counters.inserted >= 500
    assert second.counters.wal_bytes > first.counters.wal_bytes
    assert second.counters.workflows == 500
    assert {row.name for row in second.tables} >= {"workflows", "workflow_metadata", "ingest_quarantine"}
    assert second.tables[0].bytes == max(row.bytes for row in second.tables)
    assert {row.name for row in second.indexes} >= {"workflows_pkey"}
    assert 0 < (second.hit_ratio or 0) <= 1
    assert sum(second.checkpoints) >= 0


async def test_who_waits_for_whom_is_shown(settings: Settings, connection: asyncpg.Connection[Any]) -> None:
    async with WorkflowStore.open(settings) as store, watching(settings) as watch:
        await store.create_workflow(full_workflow("1"))
        async with connection.transaction():
            await connection.execute("SELECT FROM workflow_store.workflows WHERE workflow_id = '1' FOR UPDATE")
            waiting = asyncio.create_task(store.delete_workflow("1"))
            async with asyncio.timeout(10):
                while not (sample := await watch.sample()).blocked:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        await waiting

    (blocked,) = sample.blocked
    assert list(blocked.by) == [connection.get_server_pid()] or len(blocked.by) == 1
    assert "DELETE FROM workflow_store.workflows" in blocked.query
    assert {row.state: row.connections for row in sample.activity}["idle in transaction"] == 1


async def test_statements_are_shown_where_they_are_counted(
    settings: Settings, connection: asyncpg.Connection[Any]
) -> None:
    loaded = "pg_stat_statements" in await connection.fetchval("SHOW shared_preload_libraries")

    sample = await take_sample(settings, over=0.1)

    assert (sample.statements is None) is not loaded


async def test_a_time_that_is_none_is_refused(settings: Settings) -> None:
    with pytest.raises(InvalidField, match="over"):
        await take_sample(settings, over=0.0)


class TestCommand:
    def test_it_is_shown_once_where_nobody_watches(self, dsn: str) -> None:
        shown, told = run("monitor", "--interval", "0.2"), run("monitor", "--interval", "0.2", "--json")

        assert (shown.code, told.code) == (0, 0)
        for heading in ("connections", "waiting for a lock", "tables", "indexes", "statements"):
            assert heading in shown.out
        assert told.document["rates"]["seconds"] >= 0.2
        assert {row["name"] for row in told.document["tables"]} >= {"workflows"}

    def test_an_interval_that_is_none_is_refused(self, dsn: str) -> None:
        assert run("monitor", "--interval", "0").code == 2

    def test_on_a_terminal_it_goes_on_until_interrupted_and_leaves_the_terminal_as_it_was(self, dsn: str) -> None:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "workflow_store", "monitor", "--interval", "0.2"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "60"},
            start_new_session=True,
        )
        os.close(theirs)
        seen = b""
        deadline = time.monotonic() + 30
        while seen.count(b"a second") < 6:
            assert time.monotonic() < deadline, seen
            seen += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(ours)

        assert process.wait(20) == 130
        # The screen before it, and the cursor, are back.
        assert seen.rindex(b"\x1b[?1049l") > seen.rindex(b"\x1b[?1049h")
        assert seen.rindex(b"\x1b[?25h") > seen.rindex(b"\x1b[?25l")
        assert b"Traceback" not in seen
