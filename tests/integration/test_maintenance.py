"""``maintain``: what is due is found and done, nobody is kept out, and one at a time is at it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.commands import run
from tests.records import small_workflow
from workflow_store import Metadata, Rejected, Settings, WorkflowStore
from workflow_store.errors import InvalidField
from workflow_store.operations.maintenance import MaintenanceReport, maintain

ROWS = 3_000


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return Settings.load(dsn=database_dsn, media_dir=tmp_path / "media")


@pytest.fixture
async def filled(settings: Settings, connection: asyncpg.Connection[Any]) -> None:
    """Rows of which most are dead, while autovacuum looks away."""
    for table in ("workflows", "workflow_metadata"):
        await connection.execute(f"ALTER TABLE workflow_store.{table} SET (autovacuum_enabled = off)")
    async with WorkflowStore.open(settings) as store:
        await store.ingest(
            small_workflow(str(number), metadata=Metadata(title=f"title {number}")) for number in range(ROWS)
        )
        await store.delete_workflows([str(number) for number in range(ROWS) if number % 3])
    await _counted(connection)


async def _counted(connection: asyncpg.Connection[Any]) -> None:
    """Wait until the server has counted what was done: its sessions report that within a second."""
    async with asyncio.timeout(20):
        while not await connection.fetchval(
            "SELECT n_dead_tup > 1000 FROM pg_stat_all_tables WHERE relid = 'workflow_store.workflows'::regclass"
        ):
            await connection.execute("SELECT pg_stat_force_next_flush()")
            await asyncio.sleep(0.05)


def found(report: MaintenanceReport, outcome: str) -> set[tuple[str, str]]:
    return {(task.action, task.target) for task in report.tasks if task.outcome == outcome}


async def test_a_dry_run_says_what_and_why_and_changes_nothing(
    settings: Settings, filled: None, connection: asyncpg.Connection[Any]
) -> None:
    report = await maintain(settings, dry_run=True)

    assert {("vacuum", "workflows"), ("vacuum", "workflow_metadata")} <= found(report, "planned")
    assert all(task.reason for task in report.tasks)
    assert "2,000 dead rows" in next(task.reason for task in report.tasks if task.target == "workflows")
    assert await _vacuums(connection) == 0


async def test_dead_rows_are_taken_away_and_the_second_time_nothing_is_due(
    settings: Settings, filled: None, connection: asyncpg.Connection[Any]
) -> None:
    report = await maintain(settings)
    again = await maintain(settings)

    assert {("vacuum", "workflows"), ("vacuum", "workflow_metadata")} <= found(report, "done")
    assert not report.failed
    assert await _vacuums(connection) == 1
    assert {action for action, _ in found(again, "done")} == {"clean_pending"}


async def _vacuums(connection: asyncpg.Connection[Any]) -> int:
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    return int(
        await connection.fetchval(
            "SELECT vacuum_count FROM pg_stat_all_tables WHERE relid = 'workflow_store.workflows'::regclass"
        )
    )


async def test_only_an_index_that_is_bloated_is_built_anew(
    settings: Settings, filled: None, connection: asyncpg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow_store.operations.maintenance._BLOAT", (16_000, 1.5))
    await maintain(settings)
    before = await _sizes(connection)
    await connection.execute("ANALYZE workflow_store.workflows")
    report = await maintain(settings)
    rebuilt = {target for action, target in found(report, "done") if action == "reindex"}
    after = await _sizes(connection)
    rest = await maintain(settings, dry_run=True)

    assert rebuilt <= after.keys()
    assert all(after[name] < before[name] for name in rebuilt)
    assert not {target for action, target in found(rest, "planned") if action == "reindex"}


async def _sizes(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    rows = await connection.fetch(
        "SELECT c.relname, pg_relation_size(c.oid) AS bytes FROM pg_class AS c "
        "WHERE c.relkind = 'i' AND c.relnamespace = 'workflow_store'::regnamespace"
    )
    return {row["relname"]: row["bytes"] for row in rows}


async def test_what_a_broken_off_reindex_left_is_removed(
    settings: Settings, connection: asyncpg.Connection[Any]
) -> None:
    await connection.execute(
        "CREATE INDEX workflows_url_ccnew ON workflow_store.workflows (url); "
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'workflow_store.workflows_url_ccnew'::regclass"
    )

    report = await maintain(settings)

    assert ("drop_index", "workflows_url_ccnew") in found(report, "done")
    assert "workflows_url_ccnew" not in await _sizes(connection)


async def test_a_table_that_is_locked_is_left_for_the_next_time(
    settings: Settings, filled: None, connection: asyncpg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connection.transaction():
        await connection.execute("LOCK TABLE workflow_store.workflows IN SHARE UPDATE EXCLUSIVE MODE")
        report = await asyncio.wait_for(maintain(settings), 40)

    assert ("vacuum", "workflows") in found(report, "failed")
    assert {task.error for task in report.failed} == {"a lock on it was not to be had"}
    assert ("vacuum", "workflow_metadata") in found(report, "done")


async def test_one_at_a_time(settings: Settings, connection: asyncpg.Connection[Any]) -> None:
    await connection.execute("SELECT pg_advisory_lock(8606223218533756794)")
    busy = await maintain(settings)
    looked = await maintain(settings, dry_run=True)
    await connection.execute("SELECT pg_advisory_unlock(8606223218533756794)")

    assert (busy.busy, busy.tasks) == (True, ())
    assert not looked.busy
    assert not (await maintain(settings)).busy


async def test_old_quarantine_is_removed_on_wish(settings: Settings, connection: asyncpg.Connection[Any]) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.ingest([Rejected("line 1", "not JSON", b"{"), Rejected("line 2", "not JSON", b"[")])
        await connection.execute(
            "UPDATE workflow_store.ingest_quarantine SET last_seen_at = now() - interval '31 days' "
            "WHERE position = (SELECT min(position) FROM workflow_store.ingest_quarantine)"
        )
        planned = await maintain(settings, dry_run=True, quarantine_days=30)
        kept = await store.quarantine.count()
        report = await maintain(settings, quarantine_days=30)

        assert ("purge_quarantine", "ingest_quarantine") in found(planned, "planned")
        assert kept == 2
        assert ("purge_quarantine", "ingest_quarantine") in found(report, "done")
        assert await store.quarantine.count() == 1
    with pytest.raises(InvalidField, match="quarantine_days"):
        await maintain(settings, quarantine_days=0)


def test_the_command_says_what_it_did(dsn: str) -> None:
    planned, done = run("maintain", "--dry-run", "--json"), run("maintain", "--json")
    shown = run("maintain")

    assert (planned.code, done.code, shown.code) == (0, 0, 0)
    assert {task["outcome"] for task in planned.document["tasks"]} == {"planned"}
    assert {task["outcome"] for task in done.document["tasks"]} == {"done"}
    assert "clean pending" in shown.out
