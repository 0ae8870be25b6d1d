"""``health``: what is looked at, the verdict, and the exit code that probes understand."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.commands import run
from tests.records import small_workflow
from workflow_store import Settings, WorkflowStore
from workflow_store.operations.backup import create_backup
from workflow_store.operations.health import check_health

CHECKS = {
    "server", "database_size", "connections", "oldest_transaction", "wraparound", "replication", "schema", "contents",
    "disk", "memory", "log", "volume", "backup",
}  # fmt: skip


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return Settings.load(dsn=database_dsn, backup_dir=tmp_path / "backups", media_dir=tmp_path / "media")


async def statuses(settings: Settings) -> dict[str, str]:
    return {name: check.status for name, check in (await check_health(settings)).checks.items()}


async def test_a_store_with_a_fresh_backup_is_healthy(settings: Settings) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.ingest(small_workflow(str(number)) for number in range(3))
    await create_backup(settings)

    report = await check_health(settings)

    assert {name for name, check in report.checks.items() if check.status == "skipped"} == {
        "replication",
        "log",
        "volume",
    }
    assert report.overall_status == "healthy"
    assert report.checks.keys() == CHECKS
    assert report.checks["contents"].values == {"workflows": 3, "quarantined": 0}
    assert report.checks["database_size"].values["bytes"] != 0
    assert abs(datetime.now(UTC) - report.timestamp) < timedelta(minutes=1)
    assert report.system_info["postgresql"] == report.checks["server"].values["version"]


async def test_its_document_has_the_form_of_the_original(settings: Settings) -> None:
    document = (await check_health(settings)).document()

    assert list(document) == ["timestamp", "overall_status", "checks", "system_info"]
    assert all({"status", "message"} <= check.keys() for check in document["checks"].values())
    assert document["checks"]["contents"]["workflows"] == 0


async def test_backups_that_are_old_or_missing_are_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(await statuses(settings))["backup"]]
    await create_backup(settings)
    for limits in ((timedelta(hours=24), timedelta(days=7)), (timedelta(0), timedelta(days=7)), (timedelta(0),) * 2):
        monkeypatch.setattr("workflow_store.operations.health._BACKUP", limits)
        found.append((await statuses(settings))["backup"])

    assert found == ["unhealthy", "healthy", "degraded", "unhealthy"]


async def test_a_transaction_that_is_open_for_hours_and_connections_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflow_store.operations.health._OLDEST_TRANSACTION", (0.2, 3600.0))
    monkeypatch.setattr("workflow_store.operations.health._CONNECTIONS", (0.0, 0.9))
    assert settings.dsn is not None
    with psycopg.connect(settings.dsn.get_secret_value()) as connection:
        connection.execute("SELECT 1")
        await asyncio.sleep(0.3)
        found = await statuses(settings)

    assert found["oldest_transaction"] == "degraded"
    assert found["connections"] == "degraded"


async def test_without_the_schema_it_is_unhealthy(empty_database: str, tmp_path: Path) -> None:
    report = await check_health(dsn=empty_database, backup_dir=tmp_path)

    assert report.checks["schema"].status == "unhealthy"
    assert "db init" in report.checks["schema"].message
    assert report.overall_status == "unhealthy"


async def test_a_server_that_is_away_is_unhealthy_within_the_deadline(tmp_path: Path) -> None:
    begun = time.monotonic()
    report = await check_health(dsn="postgresql://u:canary@127.0.0.1:1/d", backup_dir=tmp_path, connect_timeout=1.0)

    assert time.monotonic() - begun < 5
    assert report.checks["server"].status == "unhealthy"
    assert "127.0.0.1:1" in report.checks["server"].message
    assert "canary" not in str(report.document())
    assert {"disk", "memory", "backup"} <= report.checks.keys()
    assert report.overall_status == "unhealthy"


async def test_the_embedded_servers_log_and_data_are_looked_at(data_dir: Path) -> None:
    settings = Settings.load(data_dir=data_dir)
    async with WorkflowStore.open(settings):
        calm = await check_health(settings)
        _logged(data_dir, "FATAL:  could not write to file: No space left on device")
        degraded = await check_health(settings)
        _logged(data_dir, "PANIC:  could not write to log file")
        panicked = await check_health(settings)

    assert [report.checks["log"].status for report in (calm, degraded, panicked)] == [
        "healthy",
        "degraded",
        "unhealthy",
    ]
    assert panicked.checks["log"].values["panics"] == 1
    assert calm.checks["volume"].status == "healthy"


def _logged(home: Path, text: str) -> None:
    with (home / "server.log").open("a") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}.000 UTC [1] {text}\n")


class TestCommand:
    def test_it_ends_with_the_code_of_its_verdict(
        self, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORKFLOW_STORE_BACKUP_DIR", str(tmp_path / "backups"))
        nothing = run("health", "--json")
        assert run("backup", "create").code == 0
        fine, shown = run("health", "--json"), run("health")
        monkeypatch.setattr("workflow_store.operations.health._WRAPAROUND", (0, 2_000_000_000))
        degraded = run("health", "--json")

        assert (nothing.code, nothing.document["overall_status"]) == (2, "unhealthy")
        assert (fine.code, fine.document["overall_status"]) == (0, "healthy")
        assert (degraded.code, degraded.document["overall_status"]) == (1, "degraded")
        assert "overall: healthy" in shown.out
        assert "every migration is applied" in shown.out

    def test_without_a_server_it_still_answers_in_full(self, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORKFLOW_STORE_DSN", "postgresql://u:canary@127.0.0.1:1/d")
        ran = run("health", "--json", "--timeout", "1")

        assert ran.code == 2
        assert ran.document["checks"]["server"]["status"] == "unhealthy"
        assert "canary" not in ran.out + ran.err
